/* zoom_sample.c - samples a picture from a level: an integer blur, then bilinear interpolation at positions rounded to
 * 1/32 pixel. Kernel and rounding are those with which the published weights were trained (docs/model.md). */
#include <math.h>
#include <string.h>

#include "imagery/mosaic.h"

int blur_kernel(int kernel[BLUR_MOST], double sigma)
{
    const int most = BLUR_MOST / 2;
    int radius = sigma > 0 ? (int)fmin(2 * ceil(sigma), most) : 0, rest = 256;
    double weights[BLUR_MOST], sum = 0, left = 0;
    for (int i = 0; i <= 2 * radius; i++) {
        double off = i - radius;
        sum += weights[i] = radius > 0 ? exp(-0.5 / (sigma * sigma) * off * off) : 1;
    }
    for (int i = 0; i < radius; i++) {
        double wanted = 256 * (weights[i] / sum) + left;
        kernel[i] = kernel[2 * radius - i] = (int)rint(wanted); /* halves to even */
        left = wanted - kernel[i];
        rest -= 2 * kernel[i];
    }
    kernel[radius] = rest;
    return radius;
}

struct window aim_window(const struct aim *a, const int size[2])
{
    double c = a->scale * cos(a->angle), s = a->scale * sin(a->angle);
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (int i = 0; i < 4; i++) {
        double v = (i / 2 ? size[0] - 1 : 0) - size[0] / 2.0, u = (i % 2 ? size[1] - 1 : 0) - size[1] / 2.0;
        double at[2] = {a->row + c * v - s * u, a->col + s * v + c * u};
        for (int k = 0; k < 2; k++) {
            low[k] = fmin(low[k], at[k]);
            high[k] = fmax(high[k], at[k]);
        }
    }
    return (struct window){(long)floor(low[1]) - 1, (long)floor(low[0]) - 1, (long)floor(high[1]) + 3,
                           (long)floor(high[0]) + 3, NULL};
}

/* Both passes are exact and rounded once; sums are at most 255 * 256 * 256. row: scratch of 2 * width of `in` *
 * channels.
 */
void blur(struct window *out, const struct window *in, const int *kernel, int radius, uint32_t *row)
{
    size_t across = 4 * (size_t)(in->x1 - in->x0), width = 4 * (size_t)(out->x1 - out->x0);
    const uint8_t *from = in->rgba + (size_t)(out->y0 - radius - in->y0) * across;
    uint8_t *to = out->rgba;
    size_t first = 4 * (size_t)(out->x0 - radius - in->x0), need = width + 8 * (size_t)radius;
    uint32_t *restrict sums = row + need;
    for (long y = out->y0; y < out->y1; y++, from += across, to += width) {
        memset(row, 0, need * sizeof *row);
        for (int i = 0; i <= 2 * radius; i++) {
            const uint8_t *line = from + (size_t)i * across + first;
            for (size_t x = 0; x < need; x++) row[x] += (uint32_t)kernel[i] * line[x];
        }
        for (size_t x = 0; x < width; x++) sums[x] = 32768;
        for (int i = 0; i <= 2 * radius; i++) {
            const uint32_t *shifted = row + 4 * (size_t)i, weight = (uint32_t)kernel[i];
            for (size_t x = 0; x < width; x++) sums[x] += weight * shifted[x];
        }
        for (size_t x = 0; x < width; x++) to[x] = (uint8_t)(sums[x] >> 16);
    }
}

/* Output pixel (H / 2, W / 2) shows the position, and a distance from the raster's corner is taken as a pixel index.
 * Both are half a pixel off, as in the training of the published weights. */
struct shown sample(uint8_t *pixels, const struct window *w, const struct aim *a, const int size[2])
{
    double c = cos(a->angle), s = sin(a->angle), top = a->row - (double)w->y0, left = a->col - (double)w->x0;
    size_t across = 4 * (size_t)(w->x1 - w->x0);
    struct shown shown = {0, 0};
    for (int y = 0; y < size[0]; y++)
        for (int x = 0; x < size[1]; x++, pixels += 3) {
            double v = y - size[0] / 2.0, u = x - size[1] / 2.0;
            long row = lrint((top + a->scale * (c * v - s * u)) * 32),
                 col = lrint((left + a->scale * (s * v + c * u)) * 32);
            int below = (int)(row & 31), right = (int)(col & 31), sums[4];
            const uint8_t *p = w->rgba + (size_t)(row >> 5) * across + 4 * (size_t)(col >> 5), *q = p + across;
            for (int k = 0; k < 4; k++)
                sums[k] = ((32 - below) * ((32 - right) * p[k] + right * p[k + 4]) +
                           below * ((32 - right) * q[k] + right * q[k + 4]) + 512) >>
                          10;
            for (int k = 0; k < 3; k++) pixels[k] = (uint8_t)sums[k];
            shown.white += sums[0] > 240 && sums[1] > 240 && sums[2] > 240;
            shown.alpha += sums[3];
        }
    return shown;
}
