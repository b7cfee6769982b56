/* fuzz_exif.c - any bytes as EXIF, as a JPEG's metadata, and as a picture whose cost is estimated from its structure */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/cost.h"
#include "image/metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct exif *e)
{
    if (!(fabs(e->lat) <= 90 && fabs(e->lon) <= 180 && e->heading >= 0 && e->heading <= 360)) abort();
    if (!e->has_place && (e->lat != 0 || e->lon != 0)) abort();
    if (e->orientation < 0 || e->orientation > 8 || !(e->focal_35mm >= 0 && e->focal_35mm <= 5000)) abort();
    if (!(e->focal >= 0 && e->focal <= 5000) || (e->focal > 0 && !e->has_focal)) abort();
    if (e->sensor_width != 0 && !(e->sensor_width >= 1 && e->sensor_width <= 100)) abort();
    if (e->year != 0 && !(e->year >= 1900 && e->year < 2202)) abort();
    const double *g = e->gravity;
    if (e->has_gravity && !(fabs(hypot(hypot(g[0], g[1]), g[2]) - 1) < 1e-9)) abort();
    if (strlen(e->make) >= EXIF_NAME || strlen(e->model) >= EXIF_NAME) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct exif exif = {.make = ""};
    struct xmp xmp;
    struct cost cost;
    uint8_t *copy = malloc(size + (size == 0)); /* of the exact size: reads beyond it are detected */
    if (size > 0) memcpy(copy, data, size);
    const struct bytes bytes = {copy, -1, size, NULL};
    exif_read_block(&exif, copy, size);
    check(&exif);
    metadata_read_jpeg(&xmp, &exif, &bytes);
    check(&exif);
    check(&xmp.exif);
    for (enum picture_kind kind = JPEG; kind <= TIFF; kind++) cost_of(&cost, &bytes, kind, false, NULL, NULL);
    free(copy);
    return 0;
}
