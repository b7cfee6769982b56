/* fuzz_xmp.c - any bytes as a picture's XMP: values found must be finite and in range */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/xmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xmp xmp = {.guid = ""};
    const struct gpano *g = &xmp.gpano;
    const struct exif *e = &xmp.exif;
    char *text = malloc(size + (size == 0)); /* of the exact size: reads beyond it are detected */
    if (size > 0) memcpy(text, data, size);
    xmp_read(&xmp, text, size);
    free(text);
    const double pixels[] = {g->full_width, g->full_height, g->left, g->top, g->width, g->height};
    for (size_t i = 0; i < sizeof pixels / sizeof *pixels; i++)
        if (pixels[i] != 0 && !(pixels[i] >= 1 && pixels[i] <= 1e7)) abort();
    if (!(fabs(g->heading) <= 3600) || (!g->has_heading && g->heading != 0)) abort();
    if (g->equirectangular && g->other) abort();
    if (!(fabs(e->lat) <= 90 && fabs(e->lon) <= 180 && e->heading >= 0 && e->heading <= 360)) abort();
    const struct attitude *a = &xmp.attitude;
    if (!(a->yaw >= 0 && a->yaw <= 360 && fabs(a->pitch) <= 90 && fabs(a->roll) <= 180)) abort();
    if (!(fabs(g->pitch) <= 90 && fabs(g->roll) <= 180) || (g->cylindrical && !g->other)) abort();
    if (strlen(xmp.guid) > XMP_GUID) abort();
    return 0;
}
