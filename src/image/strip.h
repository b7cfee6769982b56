/* strip.h - a strip of a panorama: some of its columns, the others unseen, as in DSM's protocol (Shi et al., "Where am
 * I looking at?", CVPR 2020) */
#ifndef GVM_IMAGE_STRIP_H
#define GVM_IMAGE_STRIP_H

#include "image/panorama.h"

/* Columns `first`..`first + count - 1` of a panorama of W columns; they may pass over the seam. 1 <= count <= W. */
struct strip {
    int first, count;
};

/* DSM's draw: the panorama is shifted to the right by int(draw W noise / 360) columns, and the first int(fov / 360 W)
 * are kept. draw: [0, 1), noise and fov in degrees. A strip narrower than a column keeps one. */
struct strip strip_of(double draw, double fov, double noise, int W);

/* Turn a panorama in place, by whole columns, so that the strip's centre is `heading` degrees to the right of the
 * panorama's. Returns the strip at its new place. */
struct strip strip_turn(uint8_t *pixels, struct strip strip, double heading, const struct picture_shape *shape);

/* Fill the columns outside of the strip with the shape's colour of unseen pixels, and mark them as unseen if the shape
 * has visibility. */
void strip_cut(uint8_t *pixels, struct strip strip, const struct picture_shape *shape);

#endif
