/* canvas.c - see canvas.h
 *
 * Two steps, so that no pixel of the picture is skipped, however large it is. The picture is first shrunk to twice the
 * canvas's pixels a radian at its centre, with antialiasing. Then a pixel of the canvas is the mean of n x n bilinear
 * samples of that: 2 x 2, or more in parts of the picture that have more pixels a radian, such as a wide photo's
 * borders. */
#include "image/canvas.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "image/fit.h"

static const double RADIAN = M_PI / 180, NEARLY = 0.999; /* of a full circle, as in circle.c */

enum { LEAST = 2, MOST = 8 /* samples of a pixel in each direction */ };

/* The shrunk picture. */
struct source {
    const uint8_t *pixels; /* (h, w, 3) */
    uint8_t *own;          /* the same if they are a copy, else NULL */
    int h, w;
    double across, down; /* of its pixels to one of the picture */
    bool circle;         /* its first column continues its last one */
};

struct canvas {
    const struct picture_shape *shape;
    const struct camera *camera;
    struct source source;
    double axes[3][3];
    double (*east)[2]; /* (2 W) sine and cosine of the azimuth of the first two samples of each column */
};

/* A sample: whether the lens sees its direction, and its position in the source. */
struct spot {
    bool seen, within;
    double x, y;
};

bool camera_is_circle(const struct camera *camera)
{
    return camera->lens == LENS_SPHERE && camera->width >= NEARLY * camera->full_width;
}

static gvm_status shrink(struct source *s, const struct picture_shape *shape, const struct camera *camera,
                         const struct image *image, const char *where, gvm_error *err)
{
    double density[2], span = (shape->elevation[1] - shape->elevation[0]) * RADIAN;
    double wanted = 2 * fmax(shape->width / (2 * M_PI), shape->height / span);
    camera_density(density, camera);
    int w = (int)fmin(image->width, fmax(1, ceil(image->width * wanted / density[0])));
    int h = (int)fmin(image->height, fmax(1, ceil(image->height * wanted / density[1])));
    *s = (struct source){.pixels = image->pixels,
                         .h = h,
                         .w = w,
                         .across = (double)w / image->width,
                         .down = (double)h / image->height,
                         .circle = camera_is_circle(camera)};
    if (h == image->height && w == image->width) return GVM_OK;
    s->own = malloc((size_t)h * (size_t)w * 3);
    s->pixels = s->own;
    const double whole[4] = {0, 0, image->width, image->height};
    if (s->own == NULL) return fail(err, GVM_MEMORY, "%s: cannot shrink it: out of memory", where);
    return fit_box(s->own, h, w, RESIZE_OWN, image, whole, where, err);
}

/* Elevation of a row and azimuth of a column, in radians. */
static double elevation_at(const struct canvas *c, double row)
{
    const double *band = c->shape->elevation;
    return (band[1] - row / c->shape->height * (band[1] - band[0])) * RADIAN;
}

static double azimuth_at(const struct canvas *c, double column)
{
    return 2 * M_PI * (column / c->shape->width - 0.5);
}

/* up: sine and cosine of the elevation; east: of the azimuth */
static struct spot spot_at(const struct canvas *c, const double up[2], const double east[2])
{
    const double direction[3] = {up[1] * east[0], up[1] * east[1], up[0]};
    double own[3], x, y;
    for (int k = 0; k < 3; k++)
        own[k] = c->axes[k][0] * direction[0] + c->axes[k][1] * direction[1] + c->axes[k][2] * direction[2];
    if (!camera_see(&x, &y, c->camera, own)) return (struct spot){0};
    bool within = (c->source.circle || (x >= 0 && x < c->camera->width)) && y >= 0 && y < c->camera->height;
    return (struct spot){.seen = true, .within = within, .x = x * c->source.across, .y = y * c->source.down};
}

/* sum (3) += the source at a position, whose border repeats. */
static void add_sample(double sum[3], const struct source *s, const struct spot *spot)
{
    double x = spot->x - 0.5, y = fmin(fmax(spot->y - 0.5, 0), s->h - 1), down = floor(y), right = floor(x);
    int left = (int)right, next, row = (int)down, below = row + 1 < s->h ? row + 1 : row;
    if (s->circle) {
        left = (left % s->w + s->w) % s->w;
        next = left + 1 < s->w ? left + 1 : 0;
    } else {
        next = left + 1 < s->w ? left + 1 : s->w - 1;
        left = left > 0 ? left : 0;
    }
    double b = x - right, a = y - down;
    const uint8_t *upper = s->pixels + (size_t)row * (size_t)s->w * 3,
                  *lower = s->pixels + (size_t)below * (size_t)s->w * 3;
    for (int c = 0; c < 3; c++)
        sum[c] += (1 - a) * ((1 - b) * upper[3 * left + c] + b * upper[3 * next + c]) +
                  a * ((1 - b) * lower[3 * left + c] + b * lower[3 * next + c]);
}

/* The distance of two samples, in pixels of the source. */
static double apart(const struct canvas *c, const struct spot *a, const struct spot *b)
{
    double x = fabs(a->x - b->x), y = fabs(a->y - b->y), full = c->camera->full_width * c->source.across;
    if (!a->seen || !b->seen) return 0;
    if (c->camera->lens == LENS_SPHERE) x = fmin(x, fabs(full - x));
    return fmax(x, y);
}

static int samples_of(const struct canvas *c, const struct spot spots[4])
{
    double most = 0;
    for (int k = 0; k < 4; k++) most = fmax(most, apart(c, &spots[k], &spots[k ^ (k < 2 ? 1 : 2)]));
    return (int)fmin(MOST, fmax(LEAST, ceil(2 * most - 0.5)));
}

/* n x n samples of a pixel. */
static void spread(struct spot *spots, const struct canvas *c, int i, int j, int n)
{
    for (int k = 0; k < n * n; k++) {
        int below = k / n, right = k % n;
        double e = elevation_at(c, i + (below + 0.5) / n), a = azimuth_at(c, j + (right + 0.5) / n);
        const double up[2] = {sin(e), cos(e)}, east[2] = {sin(a), cos(a)};
        spots[k] = spot_at(c, up, east);
    }
}

/* up: of the row's first two samples */
static void fill_pixel(uint8_t out[3], uint8_t *visible, const struct canvas *c, const double up[2][2], int i, int j)
{
    struct spot spots[MOST * MOST];
    int count = 0;
    double sum[3] = {0};
    for (int k = 0; k < LEAST * LEAST; k++) spots[k] = spot_at(c, up[k / LEAST], c->east[LEAST * j + k % LEAST]);
    memcpy(out, c->shape->unseen, 3);
    *visible = 0;
    if (!spots[0].within && !spots[1].within && !spots[2].within && !spots[3].within) return;
    int n = samples_of(c, spots);
    if (n > LEAST) spread(spots, c, i, j, n);
    for (int k = 0; k < n * n; k++)
        if (spots[k].within) {
            add_sample(sum, &c->source, &spots[k]);
            count++;
        }
    for (int k = 0; k < 3 && count > 0; k++) out[k] = (uint8_t)rint(sum[k] / count);
    *visible = (uint8_t)rint(255.0 * count / (n * n));
}

gvm_status canvas_fill(uint8_t *out, uint8_t *visible, const struct picture_shape *shape, const struct camera *camera,
                       const struct image *image, const char *where, gvm_error *err)
{
    int H = shape->height, W = shape->width;
    struct canvas c = {.shape = shape, .camera = camera, .east = malloc(sizeof *c.east * LEAST * (size_t)W)};
    if (c.east == NULL) return fail(err, GVM_MEMORY, "%s: out of memory", where);
    gvm_status status = shrink(&c.source, shape, camera, image, where, err);
    camera_axes(c.axes, camera);
    for (int k = 0; k < LEAST * W; k++) {
        double a = azimuth_at(&c, (k + 0.5) / LEAST);
        c.east[k][0] = sin(a);
        c.east[k][1] = cos(a);
    }
    for (int i = 0; i < H && status == GVM_OK; i++) {
        double upper = elevation_at(&c, i + 0.25), lower = elevation_at(&c, i + 0.75);
        const double up[2][2] = {{sin(upper), cos(upper)}, {sin(lower), cos(lower)}};
        for (int j = 0; j < W; j++, out += 3, visible++) fill_pixel(out, visible, &c, up, i, j);
    }
    free(c.east);
    free(c.source.own);
    return status;
}

int canvas_patches(uint8_t *seen, const uint8_t *visible, int H, int W)
{
    int count = 0;
    for (int i = 0; i + SEEN_PATCH <= H; i += SEEN_PATCH)
        for (int j = 0; j + SEEN_PATCH <= W; j += SEEN_PATCH) {
            int sum = 0;
            for (int k = 0; k < SEEN_PATCH * SEEN_PATCH; k++)
                sum += visible[(size_t)(i + k / SEEN_PATCH) * (size_t)W + (size_t)(j + k % SEEN_PATCH)];
            *seen = 2 * sum >= 255 * SEEN_PATCH * SEEN_PATCH;
            count += *seen++;
        }
    return count;
}

/* ------------------------------------------------------------------ a network's input */

static gvm_status check(const struct picture_shape *shape, const struct camera *camera, bool narrow,
                        const struct image *image, const char *where, gvm_error *err)
{
    gvm_status status = panorama_check(shape, err);
    if (status == GVM_OK) status = camera_check(camera, where, err);
    if (status != GVM_OK) return status;
    if (camera->width != image->width || camera->height != image->height)
        return fail(err, GVM_IMAGE, "%s: it has %d x %d pixels, but its camera's pictures have %g x %g", where,
                    image->width, image->height, camera->width, camera->height);
    double fov = camera_fov(camera);
    if (fov < CANVAS_LEAST_FOV && !narrow)
        return fail(err, GVM_IMAGE,
                    "%s: a field of view of %.1f degrees is too narrow to be located; expected at least %d", where, fov,
                    CANVAS_LEAST_FOV);
    return GVM_OK;
}

/* A blank picture is refused by what is seen of it. pixels (n, 3): scratch */
static gvm_status check_content(uint8_t *pixels, const uint8_t *out, const uint8_t *visible, size_t n,
                                const char *where, gvm_error *err)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        if (visible[i] > 0) memcpy(pixels + 3 * count++, out + 3 * i, 3);
    return fit_content(pixels, count, where, err);
}

static gvm_status fit_warped(uint8_t *out, const struct picture_shape *shape, const struct camera *camera,
                             const struct image *image, const char *where, gvm_error *err)
{
    int H = shape->height, W = shape->width;
    size_t n = (size_t)H * (size_t)W;
    uint8_t *visible = malloc(n), *scratch = malloc(3 * n);
    gvm_status status = GVM_MEMORY;
    if (visible != NULL && scratch != NULL)
        status = canvas_fill(out, visible, shape, camera, image, where, err);
    else
        fail(err, GVM_MEMORY, "%s: out of memory", where);
    if (status == GVM_OK && canvas_patches(shape->masked ? picture_seen(out, shape) : scratch, visible, H, W) == 0)
        status = fail(err, GVM_IMAGE,
                      "%s: it shows nothing between %g and %g degrees of elevation, which the network "
                      "takes; give its pitch if the camera was tilted",
                      where, shape->elevation[0], shape->elevation[1]);
    if (status == GVM_OK) status = check_content(scratch, out, visible, n, where, err);
    free(visible);
    free(scratch);
    return status;
}

bool canvas_is_strip(const struct camera *camera)
{
    return camera_is_circle(camera) && camera->pitch == 0 && camera->roll == 0;
}

/* Elevations of a strip's lower and upper edge. */
static void span_of(double span[2], const struct camera *camera)
{
    double each = 180 / camera->full_height, high = 90 - each * camera->top;
    span[0] = fmax(-90, high - each * camera->height);
    span[1] = high;
}

void canvas_strip_seen(double box[4], const struct picture_shape *shape, const struct camera *camera,
                       const struct image *image)
{
    double span[2];
    span_of(span, camera);
    panorama_band(box, image, span, shape->elevation);
}

gvm_status photo_canvas_fit(uint8_t *out, const struct picture_shape *shape, const struct camera *camera, bool narrow,
                            const struct image *image, const char *where, gvm_error *err)
{
    gvm_status status = check(shape, camera, narrow, image, where, err);
    if (status != GVM_OK) return status;
    double span[2];
    if (!canvas_is_strip(camera)) return fit_warped(out, shape, camera, image, where, err);
    span_of(span, camera);
    return panorama_strip(out, shape, span, camera->heading, true, image, where, err);
}
