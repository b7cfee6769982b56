/* resize.h - pixels to another size. */
#ifndef GVM_IMAGE_RESIZE_H
#define GVM_IMAGE_RESIZE_H

#include <stdint.h>

#include "geoviewmatch.h"

/* Resize the box [left, top, right, bottom] of a picture, in pixels and parts of them, to (H, W):
 * bilinear, with antialiasing where it shrinks. Equals Image.resize((W, H), BILINEAR, box) of
 * Pillow 10 bit for bit, and of releases that sometimes do columns before rows within one level.
 *
 *   out   (H, W, 3)
 *   in    (h, w, 3); 0 <= left < right <= w, 0 <= top < bottom <= h
 *
 * Returns GVM_OK or GVM_MEMORY; the caller has the file's name for the sentence. */
gvm_status image_resize(uint8_t *out, int H, int W, const uint8_t *in, int h, int w, const double box[4]);

#endif
