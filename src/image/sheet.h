/* sheet.h - draws pictures, frames and short texts on a white sheet */
#ifndef GVM_IMAGE_SHEET_H
#define GVM_IMAGE_SHEET_H

#include "geoviewmatch.h"

#include <stdint.h>

struct sheet {
    int width, height;
    uint8_t *pixels; /* (height, width, 3) sRGB */
};

struct colour {
    uint8_t r, g, b;
};

/* A white sheet; free it with sheet_free. Returns GVM_OK or GVM_MEMORY. */
gvm_status sheet_open(struct sheet *sheet, int width, int height, gvm_error *err);
void sheet_free(struct sheet *sheet);

/* Everything drawn must be within the sheet. */

/* A picture (h, w, 3) with its upper left corner at (left, top). */
void sheet_place(struct sheet *sheet, int left, int top, const uint8_t *picture, int h, int w);

/* A frame around the box of (h, w) at (left, top), outside it. */
void sheet_frame(struct sheet *sheet, int left, int top, int h, int w, int thickness, struct colour colour);

/* A line of black text of font size `size`, at most `width` pixels wide: the middle of a longer text is left out. Draws
 * nothing if libvips cannot render text. */
enum { SHEET_TEXT_LEAST = 9 /* smallest legible size */ };
void sheet_text(struct sheet *sheet, int left, int top, const char *text, int size, int width);

/* Line height in pixels. */
static inline int sheet_line(int size)
{
    return size * 4 / 3;
}

#endif
