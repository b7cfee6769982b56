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
 *   in    (h, w, 3); left < right, top < bottom; where the box goes beyond the picture, its edge goes on
 *
 * Returns GVM_OK or GVM_MEMORY; the caller has the file's name for the sentence. */
gvm_status image_resize(uint8_t *out, int H, int W, const uint8_t *in, int h, int w, const double box[4]);

/* By which rule a picture comes to a network's size: a network sees well only through the one that it learned with. */
enum resize {
    RESIZE_OWN,    /* image_resize */
    RESIZE_OPENCV, /* image_resize_opencv */
    RESIZE_SKIMAGE /* image_resize_skimage */
};

/* The same box to the same size without antialiasing: output i of n is a mix of the two samples beside
 * start + (i + 1/2) (end - start) / n - 1/2, the box's outermost repeated, the
 * picture's where the box goes beyond it. Equals cv2.resize with INTER_LINEAR_EXACT,
 * of the whole picture or of whole pixels of it, bit for bit. */
gvm_status image_resize_opencv(uint8_t *out, int H, int W, const uint8_t *in, int h, int w, const double box[4]);

/* The same box to the same size, by a Gaussian where it shrinks and then bilinear, and cut to whole numbers. What is
 * outside of the picture is black. Equals, of a whole picture, skimage.transform.resize with order 1, mode "constant"
 * and anti_aliasing, of float32 and then cut to uint8. */
gvm_status image_resize_skimage(uint8_t *out, int H, int W, const uint8_t *in, int h, int w, const double box[4]);

#endif
