/* panorama.c - see panorama.h */
#include "image/panorama.h"

#include "base/error.h"
#include "base/file.h"
#include "image/fit.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

void panorama_elevation(double *high, double *low, const struct image *image)
{
    const struct gpano *g = &image->gpano;
    double square = 360.0 * image->height / image->width; /* degrees that it spans if its pixels are square */
    *high = fmin(90, square / 2);
    *low = -*high;
    if (!(g->full_height > 0 && g->height > 0 && g->top + g->height <= g->full_height + 1)) return;
    double top = 90 - 180 * g->top / g->full_height, foot = fmax(-90, top - 180 * g->height / g->full_height);
    if (top - foot < square / 10) return; /* so flat that the network's band would have millions of rows */
    *high = top;
    *low = foot;
}

/* Sizes are rounded: a picture that lacks less than NEARLY degrees at an end counts as complete there. */
void panorama_band(double box[4], const struct image *image, const double span[2], const double elevation[2])
{
    static const double NEARLY = 0.5;
    double low = span[0], high = span[1];
    double rows = image->height / (high - low); /* per degree */
    box[0] = 0;
    box[1] = (high - elevation[1]) * rows;
    box[2] = image->width;
    box[3] = (high - elevation[0]) * rows;
    if (elevation[1] - high < NEARLY) box[1] = fmax(0, box[1]);
    if (low - elevation[0] < NEARLY) box[3] = fmin(image->height, box[3]);
}

static gvm_status check_elevation(const double box[4], const struct image *image, const double span[2],
                                  const double elevation[2], const char *where, gvm_error *err)
{
    if (fmin(image->height, box[3]) - fmax(0, box[1]) >= 1) return GVM_OK;
    return fail(err, GVM_IMAGE, "%s: it spans elevations of %.0f to %.0f degrees, none of the network's %.0f to %.0f",
                where, span[0], span[1], elevation[0], elevation[1]);
}

/* Heading of the picture's centre column, which differs from the full circle's if the picture is cropped at one side. 0
 * if unknown. */
static double own_heading(const struct image *image)
{
    const struct gpano *g = &image->gpano;
    if (!g->has_heading) return image->exif.has_heading ? image->exif.heading : 0;
    double own = g->heading;
    if (g->full_width > 0 && g->width > 0 && g->has_left) own += 360 * ((g->left + g->width / 2) / g->full_width - 0.5);
    return own >= 0 && own <= 360 ? own : own - 360 * floor(own / 360);
}

static void reverse(uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        uint8_t byte = bytes[i];
        bytes[i] = bytes[n - 1 - i];
        bytes[n - 1 - i] = byte;
    }
}

int panorama_columns(double heading, int W)
{
    return (int)(llround((heading / 360 - floor(heading / 360)) * W) % W);
}

/* The centre column looks along `heading`, so the column that looks north is W heading / 360 to its left, and all
 * columns move right by that number, rounded. The error is at most a quarter of a degree for W = 640, and no resampling
 * is needed. A row is rotated in place by reversing all of it and then each of its two parts. */
static void turn_rows(uint8_t *bytes, int rows, size_t row, size_t turn)
{
    for (int y = 0; y < rows; y++, bytes += row) {
        reverse(bytes, row);
        reverse(bytes, turn);
        reverse(bytes + turn, row - turn);
    }
}

void panorama_turn(uint8_t *pixels, const struct picture_shape *shape, double heading)
{
    int columns = panorama_columns(heading, shape->width), across = shape->width / SEEN_PATCH;
    turn_rows(pixels, shape->height, (size_t)shape->width * 3, (size_t)columns * 3);
    if (!shape->masked) return;
    int patches = (columns + SEEN_PATCH / 2) / SEEN_PATCH % across;
    turn_rows(picture_seen(pixels, shape), shape->height / SEEN_PATCH, (size_t)across, (size_t)patches);
}

gvm_status panorama_check(const struct picture_shape *shape, gvm_error *err)
{
    const double *elevation = shape->elevation;
    if (elevation[0] >= -90 && elevation[0] < elevation[1] && elevation[1] <= 90) return GVM_OK;
    return fail(err, GVM_ARGUMENT, "invalid elevation range %g to %g degrees; expected rising values within -90 to 90",
                elevation[0], elevation[1]);
}

static gvm_status check_band(const struct picture_shape *shape, const double *heading, const char *where,
                             gvm_error *err)
{
    gvm_status status = panorama_check(shape, err);
    if (status == GVM_OK && heading != NULL && !isfinite(*heading))
        return fail(err, GVM_ARGUMENT, "%s: a heading must be a finite number of degrees", where);
    return status;
}

/* The visibility of rows: unseen are those beyond the picture, which the box extends over. */
static void hide_rows(uint8_t *out, const struct picture_shape *shape, const double box[4], int height)
{
    int H = shape->height, W = shape->width, across = W / SEEN_PATCH;
    double each = (box[3] - box[1]) / H; /* rows of the picture */
    uint8_t *seen = picture_seen(out, shape);
    for (int patch = 0; patch < H / SEEN_PATCH; patch++) {
        double from = box[1] + patch * SEEN_PATCH * each, to = from + SEEN_PATCH * each;
        memset(seen + (size_t)patch * (size_t)across, 2 * (fmin(to, height) - fmax(from, 0)) >= to - from,
               (size_t)across);
    }
    for (int y = 0; y < H; y++, out += 3 * (size_t)W)
        if (box[1] + (y + 1) * each <= 0 || box[1] + y * each >= height)
            for (int i = 0; i < 3 * W; i++) out[i] = shape->unseen[i % 3];
}

gvm_status panorama_strip(uint8_t *out, const struct picture_shape *shape, const double span[2], double heading,
                          bool checked, const struct image *image, const char *where, gvm_error *err)
{
    double box[4];
    int H = shape->height, W = shape->width;
    const double *elevation = shape->elevation;
    panorama_band(box, image, span, elevation);
    gvm_status status = check_elevation(box, image, span, shape->elevation, where, err);
    if (status == GVM_OK) status = fit_box(out, H, W, shape->resize, image, box, where, err);
    if (status == GVM_OK && checked) status = fit_content(out, (size_t)H * (size_t)W, where, err);
    if (status != GVM_OK) return status;
    if (shape->masked) hide_rows(out, shape, box, image->height);
    if (shape->masked && memchr(picture_seen(out, shape), 1, seen_bytes(shape)) == NULL)
        return fail(err, GVM_IMAGE,
                    "%s: it spans elevations of %.1f to %.1f degrees, too few of the network's %.0f to %.0f", where,
                    span[0], span[1], elevation[0], elevation[1]);
    panorama_turn(out, shape, heading);
    return GVM_OK;
}

gvm_status panorama_fit(uint8_t *out, const struct picture_shape *shape, const double *heading, enum circle circle,
                        struct image *image, const char *where, gvm_error *err)
{
    double span[2];
    gvm_status status = check_band(shape, heading, where, err);
    if (status == GVM_OK) status = circle_check(image, circle, where, err);
    if (status != GVM_OK) return status;
    panorama_elevation(&span[1], &span[0], image);
    return panorama_strip(out, shape, span, heading != NULL ? *heading : own_heading(image), circle != CIRCLE_LISTED,
                          image, where, err);
}

void panorama_seen(double box[4], int *turn, const struct picture_shape *shape, const double *heading,
                   const struct image *image)
{
    double span[2];
    panorama_elevation(&span[1], &span[0], image);
    panorama_band(box, image, span, shape->elevation);
    *turn = panorama_columns(heading != NULL ? *heading : own_heading(image), shape->width);
}

gvm_status panorama_load(uint8_t *out, const struct picture_shape *shape, const double *heading, enum circle circle,
                         const char *path, gvm_error *err)
{
    struct image image;
    gvm_status status = check_band(shape, heading, path_tail(path), err);
    if (status == GVM_OK) status = image_load(&image, path, err);
    if (status != GVM_OK) return status;
    status = panorama_fit(out, shape, heading, circle, &image, path_tail(path), err);
    image_free(&image);
    return status;
}

gvm_photo_info photo_said(const struct image *image)
{
    struct image fit = *image;
    if (gpano_is_stale(&fit.gpano, fit.width, fit.height)) fit.gpano = (struct gpano){0};
    return (gvm_photo_info){.has_place = fit.exif.has_place,
                            .has_heading = fit.gpano.has_heading || fit.exif.has_heading,
                            .lat = fit.exif.lat,
                            .lon = fit.exif.lon,
                            .heading = own_heading(&fit),
                            .heading_is_magnetic = !fit.gpano.has_heading && fit.exif.magnetic};
}

void aerial_seen(double box[4], const struct picture_shape *shape, const struct image *image)
{
    int H = shape->height, W = shape->width;
    double w = fmin(image->width, (double)image->height * W / H), h = fmin(image->height, (double)image->width * H / W);
    box[0] = (image->width - w) / 2;
    box[1] = (image->height - h) / 2;
    box[2] = box[0] + w;
    box[3] = box[1] + h;
}

gvm_status aerial_fit(uint8_t *out, double box[4], const struct picture_shape *shape, const struct image *image,
                      const char *where, gvm_error *err)
{
    aerial_seen(box, shape, image);
    return fit_box(out, shape->height, shape->width, shape->resize, image, box, where, err);
}

gvm_status aerial_load(uint8_t *out, const struct picture_shape *shape, const char *path, gvm_error *err)
{
    struct image image;
    double box[4];
    gvm_status status = image_load(&image, path, err);
    if (status != GVM_OK) return status;
    status = aerial_fit(out, box, shape, &image, path_tail(path), err);
    image_free(&image);
    return status;
}
