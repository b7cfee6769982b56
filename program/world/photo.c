/* photo.c - see photo.h. Four rays a pixel. They are sorted by azimuth into slices half a pixel wide, and a slice's
 * rays are traced as those of one column. */
#include "world/photo.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "world/column.h"

static const double DEGREE = 180 / M_PI, FILM = 43.2666; /* millimetres: the diagonal of 36 x 24 */

/* ------------------------------------------------------------------ the camera */

static double tilt(uint64_t seed, int number, int which, double deviation)
{
    double n = random_normal(seed, dice_for(seed, USE_TILT, number, 0).stream, (uint64_t)which);
    return deviation * fmax(-3, fmin(n, 3));
}

/* A circle of whole pixels, as GPano records it, of which the picture shows `along` radians on its longer side. */
static void draw_circle(struct photo *photo, int longest, double along, float at)
{
    struct camera *c = &photo->camera;
    c->full_width = fmax(photo->width, round(2 * M_PI * longest / along));
    c->focal = c->full_width / (2 * M_PI);
    if (c->lens == LENS_CYLINDER) {
        c->full_width = 0;
        return;
    }
    c->full_width = fmax(c->full_width, 2 * photo->height);
    c->full_height = round(c->full_width / 2);
    c->left = floor(at * (c->full_width - photo->width));
    c->top = floor((c->full_height - photo->height) / 2);
}

/* A focal length of whole millimetres of 35 mm film. */
static void draw_focal(struct photo *photo, int longest, double along)
{
    double diagonal = hypot(photo->width, photo->height);
    double pixels = photo->camera.lens == LENS_FISHEYE ? longest / along : longest / (2 * tan(along / 2));
    photo->focal_35mm = (int)fmax(1, round(pixels * FILM / diagonal));
    photo->camera.focal = photo->focal_35mm * diagonal / FILM;
}

void photo_draw(struct photo *photo, const struct photo_range *range, uint64_t seed, int number)
{
    struct dice d = dice_for(seed, USE_PHOTO, number, 0), o = dice_for(seed, USE_PHOTO, number, 1);
    const int *shape = range->shapes[dice_pick(&d, range->shape_count)], longest = range->longest;
    int most = shape[0] > shape[1] ? shape[0] : shape[1];
    double along = dice_roll(&d, (float)range->fov[0], (float)range->fov[1]) / DEGREE;
    *photo = (struct photo){.width = (longest * shape[0] + most / 2) / most,
                            .height = (longest * shape[1] + most / 2) / most,
                            .orientation = range->orientation > 0 ? range->orientation : 1 + dice_pick(&o, 8)};
    photo->camera = (struct camera){.lens = range->lens,
                                    .width = photo->width,
                                    .height = photo->height,
                                    .k1 = range->k1,
                                    .k2 = range->k2,
                                    .heading = dice_pick(&d, 36000) / 100.0,
                                    .pitch = tilt(seed, number, 0, range->pitch),
                                    .roll = tilt(seed, number, 1, range->roll)};
    if (range->lens == LENS_PINHOLE || range->lens == LENS_FISHEYE)
        draw_focal(photo, longest, along);
    else
        draw_circle(photo, longest, along, dice_roll(&o, 0, 1));
}

/* The widest photo of each shape. A fisheye may be a circle on black. */
bool photo_range_shows(const struct photo_range *range)
{
    struct photo_range widest = *range;
    widest.fov[0] = range->fov[1];
    widest.shape_count = 1;
    for (int k = 0; k < range->shape_count && range->lens == LENS_PINHOLE; k++) {
        struct photo photo;
        double own[3];
        memcpy(widest.shapes[0], range->shapes[k], sizeof widest.shapes[0]);
        photo_draw(&photo, &widest, 0, 0);
        if (!camera_ray(own, &photo.camera, 0, 0)) return false;
    }
    return true;
}

/* The orientations turn or mirror the stored picture to the upright one: 5 to 8 exchange rows and columns first. */
void photo_store(unsigned char *stored, const unsigned char *pixels, const struct photo *photo)
{
    int o = photo->orientation, W = photo->width, H = photo->height, w = o > 4 ? H : W, h = o > 4 ? W : H;
    bool left = o == 2 || o == 3 || o == 6 || o == 7, over = o == 3 || o == 4 || o == 7 || o == 8;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++, stored += 3) {
            int column = o > 4 ? y : x, row = o > 4 ? x : y;
            if (left) column = W - 1 - column;
            if (over) row = H - 1 - row;
            memcpy(stored, pixels + 3 * ((size_t)row * (size_t)W + (size_t)column), 3);
        }
}

/* ------------------------------------------------------------------ its rays */

/* A ray, and the next in its slice: its number, from 1; 0: none. */
struct sight {
    float slope;
    int pixel, next;
};

struct sights {
    struct sight *sights; /* (height, width, 4) */
    int *first;           /* (slices) each slice's last ray that was added; azimuths from -180 degrees */
    int slices;
};

/* Azimuth in radians, -pi..pi, and metres up per metre ahead. */
static bool look_through(double *azimuth, double *slope, const struct camera *c, const double axes[3][3], double px,
                         double py)
{
    static const double STEEPEST = 500;
    double own[3], ray[3];
    if (!camera_ray(own, c, px, py)) return false;
    for (int k = 0; k < 3; k++) ray[k] = axes[0][k] * own[0] + axes[1][k] * own[1] + axes[2][k] * own[2];
    *azimuth = atan2(ray[0], ray[1]);
    *slope = fmax(-STEEPEST, fmin(ray[2] / hypot(ray[0], ray[1]), STEEPEST));
    return true;
}

/* From the top down, each inserted before the others of its slice, so that a slice's rays rise, more or less. */
static void sort_sights(struct sights *s, const struct photo *photo)
{
    double axes[3][3], azimuth, slope;
    camera_axes(axes, &photo->camera);
    for (int n = 0; n < photo->width * photo->height * 4; n++) {
        int pixel = n / 4, row = pixel / photo->width, column = pixel % photo->width;
        if (!look_through(&azimuth, &slope, &photo->camera, axes, (float)column + pixel_rays[n % 4][0],
                          (float)row + pixel_rays[n % 4][1]))
            continue;
        int slice = (int)((azimuth / (2 * M_PI) + 0.5) * s->slices) % s->slices;
        s->sights[n] = (struct sight){(float)slope, pixel, s->first[slice]};
        s->first[slice] = n + 1;
    }
}

static void gather_light(struct colour *sums, const struct sights *s, struct column *column)
{
    for (int slice = 0; slice < s->slices; slice++) {
        if (s->first[slice] == 0) continue;
        column_aim(column, (float)(((slice + 0.5) / s->slices - 0.5) * 2 * M_PI));
        for (int n = s->first[slice]; n > 0; n = s->sights[n - 1].next) {
            const struct sight *sight = &s->sights[n - 1];
            struct colour light = column_look(column, sight->slope), *sum = &sums[sight->pixel];
            sum->r += light.r, sum->g += light.g, sum->b += light.b;
        }
    }
}

bool photo_render(unsigned char *pixels, const struct photo *photo, const struct scene *scene, const struct view *view,
                  float x, float y, float above)
{
    double density[2];
    int count = photo->width * photo->height;
    camera_density(density, &photo->camera);
    struct sights sights = {.slices = (int)ceil(4 * M_PI * density[0])};
    sights.sights = calloc((size_t)count * 4, sizeof *sights.sights);
    sights.first = calloc((size_t)sights.slices, sizeof *sights.first);
    struct colour *sums = calloc((size_t)count, sizeof *sums);
    struct column *column = column_open(scene, view, x, y, above);
    bool enough = sights.sights != NULL && sights.first != NULL && sums != NULL && column != NULL;
    if (enough) {
        sort_sights(&sights, photo);
        gather_light(sums, &sights, column);
        for (int n = 0; n < count; n++) view_develop(pixels + (size_t)n * 3, view, times(sums[n], 0.25f), (uint32_t)n);
    }
    column_free(column);
    free(sums);
    free(sights.first);
    free(sights.sights);
    return enough;
}
