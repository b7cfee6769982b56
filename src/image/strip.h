/* strip.h - a strip of a panorama: some of its columns, the others unseen, as in DSM's protocol (Shi et al., CVPR 2020)
 */
#ifndef GVM_IMAGE_STRIP_H
#define GVM_IMAGE_STRIP_H

#include <stdint.h>

/* Columns `first`..`first + count - 1` of a panorama of W columns; they may pass over the seam. 1 <= count <= W. */
struct strip {
    int first, count;
};

/* DSM's draw: the panorama is shifted to the right by int(draw W noise / 360) columns, and the first int(fov / 360 W)
 * are kept. draw: [0, 1), noise and fov in degrees. A strip narrower than a column keeps one. */
struct strip strip_of(double draw, double fov, double noise, int W);

/* Bring the strip's centre to the panorama's centre, where north is, and turn it by `heading` degrees to the right from
 * there, in whole columns. Returns the strip at its new place. pixels: (H, W, 3), in place. */
struct strip strip_turn(uint8_t *pixels, struct strip strip, double heading, int H, int W);

/* Fill the columns outside of the strip with a colour. */
void strip_cut(uint8_t *pixels, struct strip strip, const uint8_t colour[3], int H, int W);

#endif
