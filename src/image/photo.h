/* photo.h - an ordinary photo as network input: uncropped, aspect ratio kept, centred on black */
#ifndef GVM_IMAGE_PHOTO_H
#define GVM_IMAGE_PHOTO_H

#include "image/panorama.h"

/* Position and size of a picture (height, width) in the input, in input pixels; the rest is black. */
struct photo_place {
    int top, left, height, width;
};

struct photo_place photo_place(const struct picture_shape *shape, int height, int width);

/* Returns GVM_IMAGE if photo_fit would refuse this shape. */
gvm_status photo_check(int height, int width, const char *where, gvm_error *err);

/* Fit an upright photo of any camera into the input.
 *
 *   out  (H, W, 3) sRGB
 *
 * Returns GVM_OK, GVM_IMAGE (a side below 32 pixels, a side more than 10 times the other, or blank) or GVM_MEMORY.
 * `where` names it in error messages. */
gvm_status photo_fit(uint8_t *out, const struct picture_shape *shape, const struct image *image, const char *where,
                     gvm_error *err);

/* The same for a file; returns as image_load too. */
gvm_status photo_load(uint8_t *out, const struct picture_shape *shape, const char *path, gvm_error *err);

#endif
