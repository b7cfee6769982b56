/* views.h - perspective views of a panorama, for networks that take photos */
#ifndef GVM_IMAGE_VIEWS_H
#define GVM_IMAGE_VIEWS_H

#include "image/panorama.h"

enum { PANORAMA_VIEWS = 8 };

/* Camera of the views. */
struct view_lens {
    double width; /* horizontal field of view in degrees, below 180 */
    double pitch; /* degrees above the horizon */
};

/* Render `count` views: the first along the panorama's centre column, the others to its right, 360 / count degrees
 * apart.
 *
 *   out  (count, H, W, 3) sRGB; count <= PANORAMA_VIEWS */
void views_cut(uint8_t *out, int count, int H, int W, const struct view_lens *lens, const struct image *panorama);

/* Render the views of a panorama that a network for photos takes: level, 75 degrees wide. Its gpano is cleared if it
 * does not fit the picture.
 *
 *   out  (PANORAMA_VIEWS, H, W, 3) sRGB
 *
 * Returns GVM_OK, GVM_IMAGE (blank), or as circle_check. */
gvm_status views_fit(uint8_t *out, const struct picture_shape *shape, enum circle circle, struct image *image,
                     const char *where, gvm_error *err);

#endif
