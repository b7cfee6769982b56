/* fit.h - what all pictures have in common on their way to the network's size. */
#ifndef GVM_IMAGE_FIT_H
#define GVM_IMAGE_FIT_H

#include "image/image.h"

/* Resize a box of a picture to (H, W, 3) by a rule. GVM_OK or GVM_MEMORY, with a sentence. */
gvm_status fit_box(uint8_t *out, int H, int W, enum resize rule, const struct image *image, const double box[4],
                   const char *where, gvm_error *err);

/* GVM_IMAGE if n pixels are of one colour, or nearly so. */
gvm_status fit_content(const uint8_t *pixels, size_t n, const char *where, gvm_error *err);

#endif
