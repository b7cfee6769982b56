/* photo.c - see photo.h. Four rays a pixel. They are sorted by azimuth into slices half a pixel wide, and a slice's
 * rays are traced as those of one column. */
#include "world/photo.h"

#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "world/column.h"

static const double DEGREE = 180 / M_PI, FILM = 43.2666; /* millimetres: the diagonal of 36 x 24 */

/* ------------------------------------------------------------------ the camera */

static double tilt(uint64_t seed, int number, int which, double deviation)
{
    double n = random_normal(seed, dice_for(seed, USE_TILT, number, 0).stream, (uint64_t)which);
    return deviation * fmax(-3, fmin(n, 3));
}

void photo_draw(struct photo *photo, int longest, const double fov[2], uint64_t seed, int number)
{
    static const int shapes[4][2] = {{4, 3}, {3, 4}, {16, 9}, {9, 16}};
    struct dice d = dice_for(seed, USE_PHOTO, number, 0);
    const int *shape = shapes[dice_pick(&d, 4)];
    int most = shape[0] > shape[1] ? shape[0] : shape[1];
    double along = dice_roll(&d, (float)fov[0], (float)fov[1]) / DEGREE;
    *photo = (struct photo){.width = (longest * shape[0] + most / 2) / most,
                            .height = (longest * shape[1] + most / 2) / most,
                            .heading = dice_pick(&d, 36000) / 100.0,
                            .pitch = tilt(seed, number, 0, 3),
                            .roll = tilt(seed, number, 1, 2)};
    double pixels = longest / (2 * tan(along / 2));
    photo->focal_35mm = (int)fmax(1, round(pixels * FILM / hypot(photo->width, photo->height)));
}

/* Pixels. */
static double focal_length(const struct photo *photo)
{
    return photo->focal_35mm * hypot(photo->width, photo->height) / FILM;
}

double photo_hfov(const struct photo *photo)
{
    return 2 * atan(photo->width / (2 * focal_length(photo))) * DEGREE;
}

struct camera {
    double half_width, half_height, focal; /* pixels */
    double cos_pitch, sin_pitch, cos_roll, sin_roll;
};

static void hold_camera(struct camera *camera, const struct photo *photo)
{
    *camera = (struct camera){.half_width = photo->width / 2.0,
                              .half_height = photo->height / 2.0,
                              .focal = focal_length(photo),
                              .cos_pitch = cos(photo->pitch / DEGREE),
                              .sin_pitch = sin(photo->pitch / DEGREE),
                              .cos_roll = cos(photo->roll / DEGREE),
                              .sin_roll = sin(photo->roll / DEGREE)};
}

/* Direction of a point of the picture: metres to the right per metre ahead, and metres up per metre over the ground. */
static void look_through(double *across, double *slope, const struct camera *c, double px, double py)
{
    double right = px - c->half_width, up = c->half_height - py;
    double x = right * c->cos_roll + up * c->sin_roll, y = up * c->cos_roll - right * c->sin_roll;
    double ahead = c->focal * c->cos_pitch - y * c->sin_pitch;
    *across = x / ahead;
    *slope = (c->focal * c->sin_pitch + y * c->cos_pitch) / sqrt(x * x + ahead * ahead);
}

/* ------------------------------------------------------------------ its rays */

/* A ray, and the number of the next in its slice; -1: none. */
struct sight {
    float slope;
    int pixel, next;
};

struct sights {
    struct sight *sights; /* (height, width, 4) */
    int *first;           /* (slices) each slice's lowest ray */
    int slices;
    double least, per; /* `across` at the first slice's left; slices to a metre across */
};

/* The borders' extremes are at the corners, because the mapping to `across` keeps lines straight. */
static void measure_slices(struct sights *s, const struct camera *c)
{
    double least = INFINITY, most = -INFINITY;
    for (int k = 0; k < 4; k++) {
        double across, slope;
        int right = k % 2 * 2, below = k / 2 * 2;
        look_through(&across, &slope, c, right * c->half_width, below * c->half_height);
        least = fmin(least, across);
        most = fmax(most, across);
    }
    s->per = 2 * c->focal;
    s->least = floor(least * s->per) / s->per;
    s->slices = (int)((most - s->least) * s->per) + 1;
}

/* From the top down, each inserted before the others of its slice, so that a slice's rays rise. */
static void sort_sights(struct sights *s, const struct camera *c, const struct photo *photo)
{
    for (int k = 0; k < s->slices; k++) s->first[k] = -1;
    for (int n = 0; n < photo->width * photo->height * 4; n++) {
        double across, slope;
        int pixel = n / 4, row = pixel / photo->width, column = pixel % photo->width;
        look_through(&across, &slope, c, (float)column + pixel_rays[n % 4][0], (float)row + pixel_rays[n % 4][1]);
        int slice = (int)((across - s->least) * s->per);
        s->sights[n] = (struct sight){(float)slope, pixel, s->first[slice]};
        s->first[slice] = n;
    }
}

static void gather_light(struct colour *sums, const struct sights *s, struct column *column, double heading)
{
    for (int slice = 0; slice < s->slices; slice++) {
        if (s->first[slice] < 0) continue;
        column_aim(column, (float)(heading / DEGREE + atan(s->least + (slice + 0.5) / s->per)));
        for (int n = s->first[slice]; n >= 0; n = s->sights[n].next) {
            const struct sight *sight = &s->sights[n];
            struct colour light = column_look(column, sight->slope), *sum = &sums[sight->pixel];
            sum->r += light.r, sum->g += light.g, sum->b += light.b;
        }
    }
}

bool photo_render(unsigned char *pixels, const struct photo *photo, const struct scene *scene, const struct view *view,
                  float x, float y, float above)
{
    struct camera camera;
    struct sights sights;
    int count = photo->width * photo->height;
    hold_camera(&camera, photo);
    measure_slices(&sights, &camera);
    sights.sights = malloc((size_t)count * 4 * sizeof *sights.sights);
    sights.first = malloc((size_t)sights.slices * sizeof *sights.first);
    struct colour *sums = calloc((size_t)count, sizeof *sums);
    struct column *column = column_open(scene, view, x, y, above);
    bool enough = sights.sights != NULL && sights.first != NULL && sums != NULL && column != NULL;
    if (enough) {
        sort_sights(&sights, &camera, photo);
        gather_light(sums, &sights, column, photo->heading);
        for (int n = 0; n < count; n++) view_develop(pixels + (size_t)n * 3, view, times(sums[n], 0.25f), (uint32_t)n);
    }
    column_free(column);
    free(sums);
    free(sights.first);
    free(sights.sights);
    return enough;
}
