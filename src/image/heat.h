/* heat.h - draws a heat map over a picture of any size, with a scale below */
#ifndef GVM_IMAGE_HEAT_H
#define GVM_IMAGE_HEAT_H

#include "image/sheet.h"

enum { HEAT_SCALE_HIGH = 24 /* height of the scale below the picture, pixels */ };

/* The heat map to draw. */
struct heat {
    const float *values; /* (H, W) */
    int H, W;
    int turn;      /* column x of the picture has heat x + turn, wrapped around; 0 for a picture with edges */
    double box[4]; /* left, top, right, bottom of the part of the picture that the heat covers, in pixels */
    double unit;   /* the scale shows heat / unit */
};

/* Colour (0..255) for heat from 0 (blue, lowest) to 1 (red, highest). */
void heat_colour(float rgb[3], float t);

/* Blend the heat's colours, blue (lowest) to red (highest), at 50% over the box of the picture (height, width, 3). */
void heat_cover(uint8_t *pixels, int height, int width, const struct heat *heat);

/* Scale the box for a picture that is resized by these factors. */
void heat_scale(struct heat *heat, double wide, double tall);

/* Draw a picture (picture_height, picture_width, 3) resized to (height, width), its box blended at 50% with the heat's
 * colours from blue (lowest) to red (highest), and below it the colour scale with its end values.
 *
 *   sheet  out: (height + HEAT_SCALE_HIGH, width); free it with sheet_free; empty on failure
 *
 * Returns GVM_OK or GVM_MEMORY. */
gvm_status heat_draw(struct sheet *sheet, int height, int width, const uint8_t *pixels, int picture_height,
                     int picture_width, const struct heat *heat, gvm_error *err);

#endif
