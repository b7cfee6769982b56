/* sheet.c - see sheet.h. Uses libvips for files and text. */
#include "image/sheet.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <vips/vips.h>

#include "base/error.h"
#include "image/process.h"

gvm_status sheet_open(struct sheet *sheet, int width, int height, gvm_error *err)
{
    size_t size = (size_t)width * height * 3;
    *sheet = (struct sheet){width, height, malloc(size)};
    if (sheet->pixels == NULL)
        return fail(err, GVM_MEMORY, "out of memory for a picture of %d x %d pixels", width, height);
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

/* The text shortened to `count` characters by leaving out its middle, escaped for Pango markup. Free it with g_free. */
static char *shortened(const char *text, long length, long count)
{
    if (count >= length) return g_markup_escape_text(text, -1);
    long front = (count + 1) / 2, back = count - front;
    char *start = g_utf8_substring(text, 0, front), *end = g_utf8_substring(text, length - back, length);
    char *both = g_strconcat(start, "\u2026", end, NULL), *escaped = g_markup_escape_text(both, -1);
    g_free(start);
    g_free(end);
    g_free(both);
    return escaped;
}

/* Coverage of each pixel, one byte; NULL if libvips cannot render text. */
static VipsImage *draw_text(const char *text, int size, int width)
{
    char font[32], *valid = g_utf8_make_valid(text, -1);
    for (char *c = valid; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f) *c = '?';
    long length = g_utf8_strlen(valid, -1), count = length;
    VipsImage *image = NULL;
    snprintf(font, sizeof font, "sans %d", size);
    while (count > 0 && image == NULL) {
        char *piece = shortened(valid, length, count);
        bool drawn = vips_text(&image, piece, "font", font, "dpi", 72, NULL) == 0;
        g_free(piece);
        if (!drawn) break;
        if (image->Xsize <= width || count == 1) continue;
        count = MAX(1, MIN(count - 1, count * width / image->Xsize));
        g_object_unref(image);
        image = NULL;
    }
    g_free(valid);
    return image;
}

static void lay_text(struct sheet *sheet, int left, int top, const char *text, int size, int width)
{
    VipsImage *image = draw_text(text, size, width);
    if (image == NULL) return;
    const uint8_t *dark = vips_image_get_data(image);
    int w = MIN(image->Xsize, width), h = image->Ysize;
    left += image->Xoffset;
    top += image->Yoffset;
    for (int y = 0; dark != NULL && y < h && top + y < sheet->height; y++)
        for (int x = 0; x < w && left + x < sheet->width; x++) {
            uint8_t *p = pixel(sheet, left + x, top + y);
            for (int c = 0; c < 3; c++) p[c] = (uint8_t)(p[c] * (255 - dark[(size_t)y * image->Xsize + x]) / 255);
        }
    g_object_unref(image);
}

void sheet_text(struct sheet *sheet, int left, int top, const char *text, int size, int width)
{
    if (!process_start()) return;
    process_enter();
    lay_text(sheet, left, top, text, size, width);
    process_leave();
    vips_thread_shutdown();
}
