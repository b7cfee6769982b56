/* photo.h - an ordinary photo as a network takes it: whole, its aspect kept, in the middle of black. */
#ifndef GVM_IMAGE_PHOTO_H
#define GVM_IMAGE_PHOTO_H

#include "image/panorama.h"

/* Where a picture (height, width) comes to lie in the input, in its pixels; the rest of it is black. */
struct photo_place {
    int top, left, height, width;
};

struct photo_place photo_place(const struct picture_shape *shape, int height, int width);

/* GVM_IMAGE for a shape that photo_fit does not take. */
gvm_status photo_check(int height, int width, const char *where, gvm_error *err);

/* A photo of any camera, which stands upright.
 *
 *   out  (H, W, 3) sRGB
 *
 * Returns GVM_OK, GVM_IMAGE (a side below 32 pixels, one more than 10 times as long as the other, or without content)
 * or GVM_MEMORY. `where` names it in sentences. */
gvm_status photo_fit(uint8_t *out, const struct picture_shape *shape, const struct image *image, const char *where,
                     gvm_error *err);

/* The same of a file; and as image_load. */
gvm_status photo_load(uint8_t *out, const struct picture_shape *shape, const char *path, gvm_error *err);

#endif
