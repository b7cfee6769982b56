/* resize.h - resizes pictures */
#ifndef GVM_IMAGE_RESIZE_H
#define GVM_IMAGE_RESIZE_H

#include <stdint.h>

#include "geoviewmatch.h"

/* Resize the box [left, top, right, bottom] of a picture, in fractional pixels, to (H, W): bilinear, with antialiasing
 * when it shrinks. Bit-identical to Image.resize((W, H), BILINEAR, box) of Pillow 10; within one level of Pillow
 * releases that sometimes process columns before rows.
 *
 *   out   (H, W, 3)
 *   in    (h, w, 3); left < right, top < bottom; beyond the picture its edge is repeated
 *
 * Returns GVM_OK or GVM_MEMORY without an error message: the caller knows the file name. */
gvm_status image_resize(uint8_t *out, int H, int W, const uint8_t *in, int h, int w, const double box[4]);

/* The resize rule of a network: its input must be resized as in training. */
enum resize {
    RESIZE_OWN,    /* image_resize */
    RESIZE_OPENCV, /* image_resize_opencv */
    RESIZE_SKIMAGE /* image_resize_skimage */
};

/* The same without antialiasing: output i of n interpolates the two samples around start + (i + 1/2) (end - start) / n
 * - 1/2. Samples beyond the box repeat its edge, or the picture's edge if the box extends beyond the picture.
 * Bit-identical to cv2.resize with INTER_LINEAR_EXACT of the whole picture or of a box of whole pixels. */
gvm_status image_resize_opencv(uint8_t *out, int H, int W, const uint8_t *in, int h, int w, const double box[4]);

/* The same with a Gaussian filter when it shrinks, then bilinear, truncated to integers. Beyond the picture is black.
 * For a whole picture it equals skimage.transform.resize with order 1, mode "constant" and anti_aliasing, on float32,
 * truncated to uint8. */
gvm_status image_resize_skimage(uint8_t *out, int H, int W, const uint8_t *in, int h, int w, const double box[4]);

#endif
