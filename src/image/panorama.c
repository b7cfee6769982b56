/* panorama.c - see panorama.h */
#include "image/panorama.h"

#include "base/error.h"
#include "base/file.h"
#include "image/image.h"

#include <math.h>
#include <stdbool.h>

/* Writers round sizes: a circle less than a third of a degree short is full. */
static const double NEARLY = 0.999;

/* A program that crops or stretches a picture often leaves its XMP as it was. */
static bool is_stale(const struct gpano *g, int width, int height)
{
    if (g->width == 0 || g->height == 0) return false;
    double said = g->width / g->height, is = (double)width / height;
    return fabs(said - is) > 0.02 * is;
}

/* Leaves image->gpano empty if it does not fit the picture. */
static gvm_status check_full(struct image *image, const char *where, gvm_error *err)
{
    int w = image->width, h = image->height;
    const struct gpano *g = &image->gpano;
    if (g->other)
        return fail(err, GVM_IMAGE, "%s: the projection of this %d x %d panorama is not equirectangular", where, w, h);
    bool sized = g->full_width > 0 && g->width > 0;
    if (sized && g->width < NEARLY * g->full_width)
        return fail(err, GVM_IMAGE,
                    "%s: this %d x %d picture covers only %.0f of 360 degrees (GPano), and without the full circle the "
                    "answer would be confidently wrong",
                    where, w, h, 360 * g->width / g->full_width);
    if (is_stale(g, w, h))
        image->gpano = (struct gpano){0};
    else if (sized || g->equirectangular)
        return GVM_OK;
    if (10 * (int64_t)w >= 19 * (int64_t)h) return GVM_OK;
    return fail(
        err, GVM_IMAGE,
        "%s: %d x %d is no full panorama (neither GPano says so nor is it 1.9 times as wide as high), and without "
        "the full circle the answer would be confidently wrong",
        where, w, h);
}

/* Of what it says of its shape, only that it is equirectangular and has a heading counts. */
static void take_as_full(struct gpano *g)
{
    *g = (struct gpano){.heading = g->heading, .has_heading = g->has_heading, .equirectangular = true};
}

/* Elevation of the picture's upper and lower edge, degrees. Equirectangular: as many degrees a pixel
 * upwards as along the 360 of its width. */
static void own_elevation(double *high, double *low, const struct image *image)
{
    const struct gpano *g = &image->gpano;
    if (g->full_height > 0 && g->height > 0 && g->top + g->height <= g->full_height + 1) {
        *high = 90 - 180 * g->top / g->full_height;
        *low = fmax(-90, *high - 180 * g->height / g->full_height);
    } else {
        *high = fmin(90, 180.0 * image->height / image->width);
        *low = -*high;
    }
}

static gvm_status crop_elevation(double box[4], const struct image *image, const double elevation[2], const char *where,
                                 gvm_error *err)
{
    double high, low;
    own_elevation(&high, &low, image);
    double rows = image->height / (high - low); /* a degree */
    double from = fmin(high, elevation[1]), to = fmax(low, elevation[0]);
    box[0] = 0;
    box[1] = fmax(0, (high - from) * rows);
    box[2] = image->width;
    box[3] = fmin(image->height, (high - to) * rows);
    if (box[3] - box[1] >= 1) return GVM_OK;
    return fail(err, GVM_IMAGE, "%s: it spans elevations %.0f to %.0f degrees, nothing of the network's %.0f to %.0f",
                where, low, high, elevation[0], elevation[1]);
}

/* 0 where it says nothing. */
static double own_heading(const struct image *image)
{
    if (image->gpano.has_heading) return image->gpano.heading;
    return image->exif.has_heading ? image->exif.heading : 0;
}

static void reverse(uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        uint8_t byte = bytes[i];
        bytes[i] = bytes[n - 1 - i];
        bytes[n - 1 - i] = byte;
    }
}

/* The centre column looks along heading, so the column that looks north is W heading / 360 to its
 * left, and all columns move right by as many. Whole columns of the network's input: a quarter of a
 * degree off at most on 640, and the resized picture stays as it is. A row turns in place: all of it
 * is reversed, then each of its two parts. */
void panorama_turn(uint8_t *pixels, int H, int W, double heading)
{
    size_t turn = (size_t)llround((heading / 360 - floor(heading / 360)) * W) % (size_t)W * 3, row = (size_t)W * 3;
    for (int y = 0; y < H; y++, pixels += row) {
        reverse(pixels, row);
        reverse(pixels, turn);
        reverse(pixels + turn, row - turn);
    }
}

static gvm_status resize(uint8_t *out, int H, int W, const struct image *image, const double box[4], const char *where,
                         gvm_error *err)
{
    gvm_status status = image_resize(out, H, W, image->pixels, image->height, image->width, box);
    if (status == GVM_OK) return status;
    return fail(err, status, "%s: there is not enough memory to resize it from %d x %d pixels to %d x %d", where,
                image->width, image->height, W, H);
}

static gvm_status check_band(const double elevation[2], const double *heading, const char *where, gvm_error *err)
{
    if (!(elevation[0] >= -90 && elevation[0] < elevation[1] && elevation[1] <= 90))
        return fail(err, GVM_ARGUMENT, "elevations from %g to %g degrees are not a band within -90 to 90", elevation[0],
                    elevation[1]);
    if (heading != NULL && !isfinite(*heading))
        return fail(err, GVM_ARGUMENT, "%s: a heading must be a number of degrees", where);
    return GVM_OK;
}

gvm_status panorama_fit(uint8_t *out, int H, int W, const double elevation[2], const double *heading, bool full,
                        struct image *image, const char *where, gvm_error *err)
{
    double box[4];
    gvm_status status = check_band(elevation, heading, where, err);
    if (status == GVM_OK && full) take_as_full(&image->gpano);
    if (status == GVM_OK && !full) status = check_full(image, where, err);
    if (status == GVM_OK) status = crop_elevation(box, image, elevation, where, err);
    if (status == GVM_OK) status = resize(out, H, W, image, box, where, err);
    if (status == GVM_OK) panorama_turn(out, H, W, heading != NULL ? *heading : own_heading(image));
    return status;
}

gvm_status panorama_load(uint8_t *out, int H, int W, const double elevation[2], const double *heading, bool full,
                         const char *path, gvm_error *err)
{
    struct image image;
    gvm_status status = check_band(elevation, heading, path_tail(path), err);
    if (status == GVM_OK) status = image_load(&image, path, err);
    if (status != GVM_OK) return status;
    status = panorama_fit(out, H, W, elevation, heading, full, &image, path_tail(path), err);
    image_free(&image);
    return status;
}

gvm_photo_info photo_said(const struct image *image)
{
    struct image fit = *image;
    if (is_stale(&fit.gpano, fit.width, fit.height)) fit.gpano = (struct gpano){0};
    return (gvm_photo_info){.has_place = fit.exif.has_place,
                            .has_heading = fit.gpano.has_heading || fit.exif.has_heading,
                            .lat = fit.exif.lat,
                            .lon = fit.exif.lon,
                            .heading = own_heading(&fit)};
}

gvm_status photo_about(gvm_photo_info *info, const char *path, gvm_error *err)
{
    struct image image;
    *info = (gvm_photo_info){0};
    gvm_status status = image_about(&image, path, err);
    if (status != GVM_OK) return status;
    *info = photo_said(&image);
    image_free(&image);
    return status;
}

gvm_status aerial_load(uint8_t *out, int H, int W, const char *path, gvm_error *err)
{
    struct image image;
    gvm_status status = image_load(&image, path, err);
    if (status != GVM_OK) return status;
    double w = fmin(image.width, (double)image.height * W / H), h = fmin(image.height, (double)image.width * H / W);
    double left = (image.width - w) / 2, top = (image.height - h) / 2;
    status = resize(out, H, W, &image, (double[4]){left, top, left + w, top + h}, path_tail(path), err);
    image_free(&image);
    return status;
}
