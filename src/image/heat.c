/* heat.c - see heat.h. Heat is interpolated, because each of its values covers many pixels. */
#include "image/heat.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "image/resize.h"

enum { MARGIN = 4, TEXT = 13 /* font size */, WIDE = 9 /* widest digit */ };

/* From 0 to 1: dark blue, blue, cyan, yellow, red, dark red. Each channel is a trapezoid around its own centre. */
void heat_colour(float rgb[3], float t)
{
    for (int c = 0; c < 3; c++) rgb[c] = 255 * fminf(1, fmaxf(0, 1.5f - fabsf(4 * t - (float)(3 - c))));
}

static int wrapped(int x, int W)
{
    return ((x % W) + W) % W;
}

/* Interpolated heat at a position in the box, 0..1 across and down. A panorama wraps around horizontally; other edges
 * are clamped. */
static float heat_at(const struct heat *h, double across, double down)
{
    double x = across * h->W - 0.5, y = fmin(fmax(down * h->H - 0.5, 0), h->H - 1);
    if (h->turn == 0) x = fmin(fmax(x, 0), h->W - 1);
    int left = (int)floor(x), top = (int)floor(y), below = top + 1 < h->H ? top + 1 : top;
    int from = wrapped(left + h->turn, h->W), to = wrapped(left + 1 + h->turn, h->W);
    if (h->turn == 0 && left + 1 >= h->W) to = from;
    float u = (float)(x - left), v = (float)(y - top);
    const float *a = h->values + (size_t)top * h->W, *b = h->values + (size_t)below * h->W;
    return (1 - v) * ((1 - u) * a[from] + u * a[to]) + v * ((1 - u) * b[from] + u * b[to]);
}

static void range(float *low, float *high, const struct heat *h)
{
    *low = *high = h->values[0];
    for (size_t i = 1; i < (size_t)h->H * (size_t)h->W; i++) {
        *low = fminf(*low, h->values[i]);
        *high = fmaxf(*high, h->values[i]);
    }
}

void heat_cover(uint8_t *pixels, int height, int width, const struct heat *h)
{
    float low, high;
    range(&low, &high, h);
    for (int y = 0; y < height; y++) {
        double down = (y + 0.5 - h->box[1]) / (h->box[3] - h->box[1]);
        uint8_t *p = pixels + (size_t)y * (size_t)width * 3;
        for (int x = 0; x < width && down >= 0 && down <= 1; x++, p += 3) {
            double across = (x + 0.5 - h->box[0]) / (h->box[2] - h->box[0]);
            float rgb[3];
            if (across < 0 || across > 1) continue;
            heat_colour(rgb, high > low ? (heat_at(h, across, down) - low) / (high - low) : 0);
            for (int c = 0; c < 3; c++) p[c] = (uint8_t)(((float)p[c] + rgb[c]) / 2 + 0.5f);
        }
    }
}

void heat_scale(struct heat *h, double wide, double tall)
{
    for (int i = 0; i < 4; i++) h->box[i] *= i % 2 == 0 ? wide : tall;
}

static void number_text(char text[32], double number)
{
    snprintf(text, 32, fabs(number) < 0.1 ? "%.4f" : fabs(number) < 10 ? "%.2f" : "%.0f", number);
}

/* The colour scale between the two numbers, if there is room. */
static void scale(struct sheet *sheet, int top, double low, double high)
{
    char least[32], most[32];
    number_text(least, low);
    number_text(most, high);
    int first = (int)strlen(least) * WIDE, last = (int)strlen(most) * WIDE;
    int text = top + (HEAT_SCALE_HIGH - sheet_line(TEXT)) / 2, left = 2 * MARGIN + first;
    int right = sheet->width - 2 * MARGIN - last;
    if (right - left < 4 * MARGIN) left = MARGIN, right = sheet->width - MARGIN;
    for (int y = top + MARGIN; y < top + HEAT_SCALE_HIGH - MARGIN; y++)
        for (int x = left; x < right; x++) {
            float rgb[3];
            uint8_t *p = sheet->pixels + ((size_t)y * sheet->width + x) * 3;
            heat_colour(rgb, (float)(x - left) / (float)(right - 1 - left));
            for (int c = 0; c < 3; c++) p[c] = (uint8_t)(rgb[c] + 0.5f);
        }
    if (left == MARGIN) return;
    sheet_text(sheet, MARGIN, text, least, TEXT, first);
    sheet_text(sheet, right + MARGIN, text, most, TEXT, last);
}

gvm_status heat_draw(struct sheet *sheet, int height, int width, const uint8_t *pixels, int picture_height,
                     int picture_width, const struct heat *h, gvm_error *err)
{
    gvm_status status = sheet_open(sheet, width, height + HEAT_SCALE_HIGH, err);
    if (status != GVM_OK) return status;
    status = image_resize(sheet->pixels, height, width, pixels, picture_height, picture_width,
                          (const double[4]){0, 0, picture_width, picture_height});
    if (status != GVM_OK) {
        sheet_free(sheet);
        return fail(err, status, "out of memory for a heat map of %d x %d pixels", width, height);
    }
    float low, high;
    struct heat drawn = *h;
    heat_scale(&drawn, (double)width / picture_width, (double)height / picture_height);
    heat_cover(sheet->pixels, height, width, &drawn);
    range(&low, &high, h);
    scale(sheet, height, low / h->unit, high / h->unit);
    return GVM_OK;
}
