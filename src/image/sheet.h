/* sheet.h - pictures side by side on a white sheet, with frames and a few short words, as a PNG file. */
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

/* Black, SHEET_TEXT_HIGH * scale pixels high and SHEET_TEXT_WIDE * scale a letter: digits, '.', '-', ' ' and the
 * letters of RANK. */
enum { SHEET_TEXT_HIGH = 5, SHEET_TEXT_WIDE = 4 };
void sheet_text(struct sheet *sheet, int left, int top, const char *text, int scale);

/* As image_write_png. */
gvm_status sheet_save(const struct sheet *sheet, const char *path, gvm_error *err);

#endif
