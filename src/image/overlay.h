/* overlay.h - a heat map over its picture. */
#ifndef GVM_IMAGE_OVERLAY_H
#define GVM_IMAGE_OVERLAY_H

#include <stdint.h>

/* rgb (0..255) of heat from 0, the least (blue), to 1 (red). */
void heat_colour(float rgb[3], float t);

/* out (H, W, 3) = half the picture, pixels (H, W, 3), and half the heat's colour: heat (H, W) from its least (blue) to
 * its largest value (red). Heat that is everywhere the same is blue. out may be pixels. */
void overlay(uint8_t *out, const uint8_t *pixels, const float *heat, int H, int W);

#endif
