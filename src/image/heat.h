/* heat.h - a heat map over a picture of any size, with a scale beneath it. */
#ifndef GVM_IMAGE_HEAT_H
#define GVM_IMAGE_HEAT_H

#include "image/sheet.h"

enum { HEAT_SCALE_HIGH = 24 /* pixels that the scale takes beneath the picture */ };

/* What is drawn. */
struct heat {
    const float *values; /* (H, W) */
    int H, W;
    int turn;      /* column x of the picture has heat x + turn, all round; 0 for what has edges */
    double box[4]; /* left, top, right, bottom: the part of the picture that the heat is of, in its pixels */
    double unit;   /* of the numbers at the scale: heat / unit */
};

/* rgb (0..255) of heat from 0, the least (blue), to 1 (red). */
void heat_colour(float rgb[3], float t);

/* Where the box is, half of the picture (height, width, 3) and half the heat's colours, from blue (least) to red
 * (most); the rest as it is. */
void heat_cover(uint8_t *pixels, int height, int width, const struct heat *heat);

/* How many times as wide and as high the picture becomes. */
void heat_scale(struct heat *heat, double wide, double tall);

/* A picture (picture_height, picture_width, 3) at (height, width), its box half covered by the heat's colours from blue
 * (least) to red (most), the rest as it is; below it the colours and the heat at their ends.
 *
 *   sheet  out: (height + HEAT_SCALE_HIGH, width), to be given to sheet_free; empty on failure
 *
 * Returns GVM_OK or GVM_MEMORY. */
gvm_status heat_draw(struct sheet *sheet, int height, int width, const uint8_t *pixels, int picture_height,
                     int picture_width, const struct heat *heat, gvm_error *err);

#endif
