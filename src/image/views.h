/* views.h - views cut from a panorama, for a network of photos. */
#ifndef GVM_IMAGE_VIEWS_H
#define GVM_IMAGE_VIEWS_H

#include "image/panorama.h"

enum { PANORAMA_VIEWS = 8 };

/* How views are taken. */
struct lens {
    double width; /* degrees that a row spans, below 180 */
    double pitch; /* degrees above the horizon */
};

/* What a camera sees in `count` directions, the first along the panorama's centre column and the others all around to
 * its right, 360 / count degrees apart.
 *
 *   out  (count, H, W, 3) sRGB; count <= PANORAMA_VIEWS */
void views_cut(uint8_t *out, int count, int H, int W, const struct lens *lens, const struct image *panorama);

/* The views that a network of photos takes of a panorama, level and 75 degrees wide; what its XMP says is cleared where
 * it does not fit it.
 *
 *   out  (PANORAMA_VIEWS, H, W, 3) sRGB
 *
 * Returns GVM_OK, GVM_IMAGE (without content), or as circle_check. */
gvm_status views_fit(uint8_t *out, const struct picture_shape *shape, enum circle circle, struct image *image,
                     const char *where, gvm_error *err);

#endif
