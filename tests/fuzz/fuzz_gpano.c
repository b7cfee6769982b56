/* fuzz_gpano.c - any bytes as a picture's XMP: what is found must be finite and in range. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/gpano.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gpano g;
    char *text = malloc(size + (size == 0)); /* of just its size: a read behind it is found */
    if (size > 0) memcpy(text, data, size);
    gpano_parse(&g, text, size);
    free(text);
    const double pixels[] = {g.full_width, g.full_height, g.left, g.top, g.width, g.height};
    for (size_t i = 0; i < sizeof pixels / sizeof *pixels; i++)
        if (!(pixels[i] >= 0 && pixels[i] <= 1e7)) abort();
    if (!isfinite(g.heading) || (!g.has_heading && g.heading != 0)) abort();
    if (g.equirectangular && g.other) abort();
    return 0;
}
