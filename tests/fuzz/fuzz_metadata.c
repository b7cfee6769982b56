/* fuzz_metadata.c - any bytes as a picture's file, or as the metadata that libvips hands over: the first byte says
 * which. What is found must be in range. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What libvips hands over, without libvips. */
static const uint8_t *blob;
static size_t blob_size;

GType __wrap_vips_image_get_typeof(const VipsImage *image, const char *name);
int __wrap_vips_image_get_blob(const VipsImage *image, const char *name, const void **data, size_t *size);

GType __wrap_vips_image_get_typeof(const VipsImage *image, const char *name)
{
    (void)image, (void)name;
    return G_TYPE_BOXED;
}

int __wrap_vips_image_get_blob(const VipsImage *image, const char *name, const void **data, size_t *size)
{
    (void)image, (void)name;
    *data = blob;
    *size = blob_size;
    return 0;
}

static void check(const struct gpano *g, const struct exif *e, const struct attitude *a)
{
    if (!(a->yaw >= 0 && a->yaw <= 360 && fabs(a->pitch) <= 90 && fabs(a->roll) <= 180)) abort();
    if (!(fabs(g->pitch) <= 90 && fabs(g->roll) <= 180)) abort();
    const double pixels[] = {g->full_width, g->full_height, g->left, g->top, g->width, g->height};
    for (size_t i = 0; i < sizeof pixels / sizeof *pixels; i++)
        if (pixels[i] != 0 && !(pixels[i] >= 1 && pixels[i] <= 1e7)) abort();
    if (!(fabs(g->heading) <= 3600) || (g->equirectangular && g->other)) abort();
    if (!(fabs(e->lat) <= 90 && fabs(e->lon) <= 180 && e->heading >= 0 && e->heading <= 360)) abort();
    if (!e->has_place && (e->lat != 0 || e->lon != 0)) abort();
    if (e->orientation < 0 || e->orientation > 8 || !(e->focal_35mm >= 0 && e->focal_35mm <= 5000)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gpano gpano = {.left = 0};
    struct exif exif = {.make = ""};
    struct attitude attitude;
    if (size < 1 || data[0] < '0' + JPEG || data[0] > '0' + HEIC) return -1;
    enum picture_kind kind = (enum picture_kind)(data[0] - '0');
    uint8_t *copy = malloc(size); /* of just its size: a read behind it is found */
    if (copy == NULL) abort();
    if (size > 1) memcpy(copy, data + 1, size - 1);
    copy = realloc(copy, size - 1 + (size == 1));
    if (copy == NULL) abort();
    const struct bytes bytes = {copy, -1, size - 1, NULL};
    blob = copy;
    blob_size = size - 1;
    if (picture_kind(copy, size - 1) > JPEG_XL) abort();
    metadata_read(&gpano, &exif, &attitude, NULL, &bytes, kind);
    check(&gpano, &exif, &attitude);
    free(copy);
    return 0;
}
