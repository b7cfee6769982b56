/* canvas.h - puts a picture of any camera where a panorama would show it: azimuth by elevation, the rest unseen */
#ifndef GVM_IMAGE_CANVAS_H
#define GVM_IMAGE_CANVAS_H

#include "image/camera.h"
#include "image/panorama.h"

/* Warp a picture to a panorama with north at its centre column: the pixel (i, j) looks along the azimuth
 * 360 ((j + 1/2) / W - 1/2) and at the elevation high - (i + 1/2) / H (high - low).
 *
 *   out      (H, W, 3) sRGB; the mean of what is seen of a pixel, or the shape's colour `unseen`
 *   visible  (H, W) share of the pixel that lies in the picture, in 255ths
 *   camera   of this picture, as camera_check accepts it
 *
 * Returns GVM_OK, or GVM_MEMORY with an error message. */
gvm_status canvas_fill(uint8_t *out, uint8_t *visible, const struct picture_shape *shape, const struct camera *camera,
                       const struct image *image, const char *where, gvm_error *err);

/* The visibility of patches, seen (H / 4, W / 4), from that of pixels. Returns the number of seen patches. */
int canvas_patches(uint8_t *seen, const uint8_t *visible, int H, int W);

enum { CANVAS_LEAST_FOV = 25 /* degrees */ };

/* A picture of a known camera as input of a network for panoramas.
 *
 *   out     (H, W, 3) sRGB; and the visibility, if the shape has it
 *   narrow  accept less than CANVAS_LEAST_FOV degrees of horizontal field of view
 *
 * A full level panorama becomes what panorama_fit makes of it.
 *
 * Returns GVM_OK, GVM_ARGUMENT (the shape's elevations), GVM_IMAGE (not this picture's camera, too narrow, without a
 * seen patch, or blank) or GVM_MEMORY. `where` names the picture in error messages. */
gvm_status photo_canvas_fit(uint8_t *out, const struct picture_shape *shape, const struct camera *camera, bool narrow,
                            const struct image *image, const char *where, gvm_error *err);

/* Whether the picture is a full circle. */
bool camera_is_circle(const struct camera *camera);

/* Whether photo_canvas_fit takes it as a full level panorama, so that the input is a rectangle of the picture; and that
 * rectangle (left, top, right, bottom, in pixels; it may extend above and below the picture). */
bool canvas_is_strip(const struct camera *camera);
void canvas_strip_seen(double box[4], const struct picture_shape *shape, const struct camera *camera,
                       const struct image *image);

#endif
