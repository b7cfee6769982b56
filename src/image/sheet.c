/* sheet.c - see sheet.h. Relies on libvips for the file; letters are drawn here, as libvips may come without fonts. */
#include "image/sheet.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "image/image.h"

/* Five rows of three pixels, an octal digit each. */
static const struct glyph {
    char letter;
    unsigned rows;
} glyphs[] = {
    {'0', 075557}, {'1', 026227}, {'2', 071747}, {'3', 071717}, {'4', 055711}, {'5', 074717},
    {'6', 074757}, {'7', 071111}, {'8', 075757}, {'9', 075717}, {'.', 000002}, {'-', 000700},
    {'R', 065655}, {'A', 025755}, {'N', 065555}, {'K', 055655},
};

enum { GLYPHS = sizeof glyphs / sizeof *glyphs };

gvm_status sheet_open(struct sheet *sheet, int width, int height, gvm_error *err)
{
    size_t size = (size_t)width * height * 3;
    *sheet = (struct sheet){width, height, malloc(size)};
    if (sheet->pixels == NULL)
        return fail(err, GVM_MEMORY, "there is not enough memory for a picture of %d x %d pixels", width, height);
    memset(sheet->pixels, 255, size);
    return GVM_OK;
}

void sheet_free(struct sheet *sheet)
{
    free(sheet->pixels);
    *sheet = (struct sheet){0};
}

static uint8_t *pixel(const struct sheet *sheet, int x, int y)
{
    assert(x >= 0 && x < sheet->width && y >= 0 && y < sheet->height);
    return sheet->pixels + ((size_t)y * sheet->width + x) * 3;
}

void sheet_place(struct sheet *sheet, int left, int top, const uint8_t *picture, int h, int w)
{
    assert(left >= 0 && left + w <= sheet->width && top >= 0 && top + h <= sheet->height);
    size_t row = (size_t)w * 3;
    for (int y = 0; y < h; y++) memcpy(pixel(sheet, left, top + y), picture + (size_t)y * row, row);
}

static void fill(struct sheet *sheet, int left, int top, int h, int w, struct colour colour)
{
    for (int y = top; y < top + h; y++)
        for (int x = left; x < left + w; x++) memcpy(pixel(sheet, x, y), &colour, 3);
}

void sheet_frame(struct sheet *sheet, int left, int top, int h, int w, int thickness, struct colour colour)
{
    int wide = w + 2 * thickness;
    fill(sheet, left - thickness, top - thickness, thickness, wide, colour);
    fill(sheet, left - thickness, top + h, thickness, wide, colour);
    fill(sheet, left - thickness, top, h, thickness, colour);
    fill(sheet, left + w, top, h, thickness, colour);
}

void sheet_text(struct sheet *sheet, int left, int top, const char *text, int scale)
{
    for (; *text; text++, left += SHEET_TEXT_WIDE * scale) {
        unsigned rows = 0;
        for (int i = 0; i < GLYPHS; i++)
            if (glyphs[i].letter == *text) rows = glyphs[i].rows;
        for (int bit = 0; bit < 15; bit++)
            if (rows >> (14 - bit) & 1)
                fill(sheet, left + bit % 3 * scale, top + bit / 3 * scale, scale, scale, (struct colour){0, 0, 0});
    }
}

gvm_status sheet_save(const struct sheet *sheet, const char *path, gvm_error *err)
{
    return image_write_png(path, sheet->pixels, sheet->width, sheet->height, err);
}
