/* sheet.h - pictures side by side on a white sheet, with frames and a few short words. */
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

/* A white one, to be given to sheet_free. GVM_OK or GVM_MEMORY. */
gvm_status sheet_open(struct sheet *sheet, int width, int height, gvm_error *err);
void sheet_free(struct sheet *sheet);

/* All that is drawn must lie on the sheet. */

/* A picture (h, w, 3) with its upper left corner at (left, top). */
void sheet_place(struct sheet *sheet, int left, int top, const uint8_t *picture, int h, int w);

/* Around the box of (h, w) at (left, top), and outside of it. */
void sheet_frame(struct sheet *sheet, int left, int top, int h, int w, int thickness, struct colour colour);

/* A line in black, letters of `size` pixels, at most `width` pixels wide: of a longer one the middle is left out. None
 * where libvips draws no text. */
enum { SHEET_TEXT_LEAST = 9 /* the smallest size that can be read */ };
void sheet_text(struct sheet *sheet, int left, int top, const char *text, int size, int width);

/* What a line takes from the top of one to the next. */
static inline int sheet_line(int size)
{
    return size * 4 / 3;
}

#endif
