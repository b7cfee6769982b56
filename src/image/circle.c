/* circle.c - see circle.h */
#include "image/circle.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* How a user can resolve it. */
#define ADVICE                                                                                                    \
    "weights for panoramas need the full circle, from a 360-degree camera or app; those for any camera, such as " \
    "nano-photo, or for photos, such as statewide, take it"

/* Tolerance for rounded sizes: full if less than a third of a degree is missing. */
static const double NEARLY = 0.999;

/* The widest phone photos are 20:9 or 21:9; wider pictures were stitched or cropped. */
static const double WIDEST_PHOTO = 2.4;

bool gpano_is_stale(const struct gpano *g, int width, int height)
{
    if (g->width == 0 || g->height == 0) return false;
    double said = g->width / g->height, is = (double)width / height;
    return fabs(said - is) > 0.02 * is;
}

/* ------------------------------------------------------------------ camera metadata */

/* Horizontal field of view in degrees. The 35 mm equivalent focal length refers to the diagonal. */
static double width_of_view(const struct image *image)
{
    double w = image->width, h = image->height;
    return 2 * atan(43.27 * w / hypot(w, h) / (2 * image->exif.focal_35mm)) * 180 / M_PI;
}

static gvm_status check_camera(const struct image *image, const char *where, gvm_error *err)
{
    const struct exif *e = &image->exif;
    int w = image->width, h = image->height;
    char what[120] = "by its metadata (a lens's EXIF and no GPano)";
    bool camera = e->make[0] != '\0' || e->model[0] != '\0', lens = e->focal_35mm > 0 || (e->has_focal && camera);
    const char *name = strrchr(where, '/') != NULL ? strrchr(where, '/') + 1 : where;
    if (e->sweep || (strncmp(name, "PANO_", 5) == 0 && w != 2 * h))
        snprintf(what, sizeof what,
                 "but a phone's sweep panorama, which seldom covers 360 degrees and does not claim to");
    else if (!lens && !(camera && w <= WIDEST_PHOTO * h)) /* stitching programs keep the camera's make */
        return GVM_OK;
    else if (w <= WIDEST_PHOTO * h && e->focal_35mm > 0)
        snprintf(what, sizeof what, "but an ordinary photo, about %.0f degrees wide (EXIF)", width_of_view(image));
    else if (w <= WIDEST_PHOTO * h)
        snprintf(what, sizeof what, "but an ordinary photo (EXIF: %s%s%s)", e->make,
                 e->make[0] != '\0' && e->model[0] != '\0' ? " " : "", e->model);
    return fail(err, GVM_PANORAMA, "%s: this %d x %d picture is not a full panorama %s; " ADVICE, where, w, h, what);
}

/* ------------------------------------------------------------------ picture content */

static double difference(const uint8_t *pixels, int H, int W, int a, int b)
{
    double sum = 0;
    for (int y = 0; y < H; y++, pixels += 3 * (size_t)W)
        for (int c = 0; c < 3; c++) sum += abs(pixels[3 * a + c] - pixels[3 * b + c]);
    return sum;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

enum { SMALL_H = 64, SMALL_W = 256 }; /* size of the downscaled copy that is analysed */

/* In a full circle, the last column is adjacent to the first and differs from it as neighbouring columns do: at most
 * 3.5 times the median difference in 48 real and drawn panoramas. Half of the photos and nine in ten cropped panoramas
 * exceed 4.5 times. */
static bool edges_join(const uint8_t *small)
{
    double each[SMALL_W - 1];
    for (int x = 0; x < SMALL_W - 1; x++) each[x] = difference(small, SMALL_H, SMALL_W, x, x + 1);
    double ends = difference(small, SMALL_H, SMALL_W, 0, SMALL_W - 1);
    qsort(each, SMALL_W - 1, sizeof *each, by_size);
    return ends <= 4.5 * each[SMALL_W / 2];
}

/* The last row of a full sphere shows a single point. In 13 real panoramas the columns of that row have a standard
 * deviation of at most 5 levels, in photos cropped to 2:1 of 10 to 67. */
static bool foot_is_point(const uint8_t *small)
{
    const uint8_t *row = small + (size_t)(SMALL_H - 1) * SMALL_W * 3;
    double deviations = 0;
    for (int c = 0; c < 3; c++) {
        double sum = 0, squares = 0;
        for (int x = 0; x < SMALL_W; x++) {
            sum += row[3 * x + c];
            squares += (double)row[3 * x + c] * row[3 * x + c];
        }
        deviations += sqrt(fmax(0, squares / SMALL_W - sum / SMALL_W * (sum / SMALL_W)));
    }
    return deviations / 3 <= 8;
}

static gvm_status check_looks(const struct image *image, bool whole, const char *where, gvm_error *err)
{
    uint8_t *small = malloc((size_t)SMALL_H * SMALL_W * 3);
    gvm_status status = GVM_MEMORY;
    if (small != NULL)
        status = image_resize(small, SMALL_H, SMALL_W, image->pixels, image->height, image->width,
                              (double[4]){0, 0, image->width, image->height});
    bool join = status == GVM_OK && edges_join(small), point = status == GVM_OK && (!whole || foot_is_point(small));
    free(small);
    if (status != GVM_OK) return fail(err, status, "%s: cannot check it: out of memory", where);
    if (join && point) return GVM_OK;
    return fail(err, GVM_PANORAMA,
                "%s: this %d x %d picture does not look like a full panorama (%s, and it has no GPano); " ADVICE, where,
                image->width, image->height,
                join ? "its bottom row is not a single point" : "its left and right edges do not match");
}

/* Aspect ratios of panoramas in data sets: VIGOR and CVACT, the drawn towns, CVUSA. */
static bool is_usual(double ratio)
{
    static const double usual[] = {2, 4, 5.5};
    for (int i = 0; i < 3; i++)
        if (fabs(ratio / usual[i] - 1) < 0.01) return true;
    return false;
}

gvm_status circle_check(struct image *image, enum circle circle, const char *where, gvm_error *err)
{
    int w = image->width, h = image->height;
    struct gpano *g = &image->gpano;
    if (circle == CIRCLE_GIVEN) {
        if (gpano_is_stale(g, w, h)) *g = (struct gpano){0};
        return GVM_OK;
    }
    if (g->other)
        return fail(err, GVM_IMAGE,
                    "%s: the projection of this %d x %d panorama is unsupported; convert it to equirectangular", where,
                    w, h);
    bool sized = g->full_width > 0 && g->width > 0;
    if (sized && g->width < NEARLY * g->full_width)
        return fail(err, GVM_IMAGE,
                    "%s: this %d x %d picture covers only %.0f of 360 degrees (GPano); these weights need "
                    "the full circle; those for any camera, such as nano-photo, do not",
                    where, w, h, 360 * g->width / g->full_width);
    if (gpano_is_stale(g, w, h))
        *g = (struct gpano){0};
    else if (sized || (g->equirectangular && !image->exif.sweep)) /* the projection alone is not enough */
        return GVM_OK;
    gvm_status status = check_camera(image, where, err);
    if (status != GVM_OK) return status;
    if (10 * (int64_t)w < 19 * (int64_t)h)
        return fail(
            err, GVM_PANORAMA,
            "%s: %d x %d is not a full panorama (no GPano, and it is less than 1.9 times as wide as high); " ADVICE,
            where, w, h);
    bool usual = is_usual((double)w / h), whole = fabs((double)w / h / 2 - 1) < 0.01;
    if (circle == CIRCLE_DOUBTED && !usual)
        return fail(err, GVM_PANORAMA, "%s: %d x %d is not the shape of a full panorama; " ADVICE, where, w, h);
    if (circle == CIRCLE_LISTED || (usual && circle != CIRCLE_DOUBTED)) return GVM_OK;
    return check_looks(image, circle == CIRCLE_DOUBTED && whole, where, err);
}
