/* fit.h - steps that all pictures share on the way to the network's input size */
#ifndef GVM_IMAGE_FIT_H
#define GVM_IMAGE_FIT_H

#include "image/image.h"

/* Resize a box of a picture to (H, W, 3) with the given rule. Returns GVM_OK, or GVM_MEMORY with an error message. */
gvm_status fit_box(uint8_t *out, int H, int W, enum resize rule, const struct image *image, const double box[4],
                   const char *where, gvm_error *err);

/* Returns GVM_IMAGE if n pixels all have nearly the same colour. */
gvm_status fit_content(const uint8_t *pixels, size_t n, const char *where, gvm_error *err);

#endif
