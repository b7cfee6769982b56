/* augment.c - see augment.h. */
#include "image/augment_parts.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct augmentation augmentation_paper = {
    .turn = true, .jitter = 0.3f, .grey = 0.2f, .blur = 0.5f, .sigma = {0.1f, 5}};
const struct augmentation augmentation_none = {0};

/* ------------------------------------------------------------------ places */

void augment_turn(uint8_t *out, const uint8_t *in, int H, int W, int quarters)
{
    assert(quarters >= 0 && quarters < 4 && (quarters % 2 == 0 || H == W));
    ptrdiff_t row = (ptrdiff_t)W * 3;
    /* Input offset of the first output pixel, and input steps for one output pixel right and one down. */
    const ptrdiff_t start[4] = {0, (H - 1) * row, (H - 1) * row + row - 3, row - 3};
    const ptrdiff_t right[4] = {3, -row, -3, row}, down[4] = {row, 3, -row, -3};
    for (int y = 0; y < H; y++) {
        const uint8_t *from = in + start[quarters] + y * down[quarters];
        for (int x = 0; x < W; x++, out += 3) {
            const uint8_t *p = from + x * right[quarters];
            out[0] = p[0];
            out[1] = p[1];
            out[2] = p[2];
        }
    }
}

void augment_roll(uint8_t *out, const uint8_t *in, int H, int W, int quarters)
{
    assert(quarters >= 0 && quarters < 4);
    size_t row = (size_t)W * 3, right = ((size_t)W * (size_t)quarters + 2) / 4 * 3;
    for (int y = 0; y < H; y++, out += row, in += row) {
        memcpy(out + right, in, row - right);
        memcpy(out, in + row - right, right);
    }
}

void augment_mirror(uint8_t *pixels, int H, int W)
{
    for (int y = 0; y < H; y++, pixels += (size_t)W * 3)
        for (int x = 0; x < W / 2; x++)
            for (int c = 0; c < 3; c++) {
                uint8_t *left = pixels + (size_t)x * 3 + c, *right = pixels + (size_t)(W - 1 - x) * 3 + c,
                        value = *left;
                *left = *right;
                *right = value;
            }
}

/* ------------------------------------------------------------------ colours */

/* Pillow's weights in 16-bit fixed point. */
static uint8_t grey_of(const uint8_t *p)
{
    return (uint8_t)((p[0] * 19595u + p[1] * 38470u + p[2] * 7471u + 0x8000u) >> 16);
}

/* base + factor (value - base), clamped and truncated to 8 bits as Pillow does. */
static uint8_t blend(int base, int value, float factor)
{
    float x = (float)base + factor * (float)(value - base);
    return x <= 0 ? 0 : x >= 255 ? 255 : (uint8_t)x;
}

static void away_from(uint8_t *pixels, int H, int W, int base, float factor)
{
    uint8_t table[256];
    for (int v = 0; v < 256; v++) table[v] = blend(base, v, factor);
    size_t n = (size_t)H * (size_t)W * 3;
    for (size_t i = 0; i < n; i++) pixels[i] = table[pixels[i]];
}

void augment_brightness(uint8_t *pixels, int H, int W, float factor)
{
    away_from(pixels, H, W, 0, factor);
}

void augment_contrast(uint8_t *pixels, int H, int W, float factor)
{
    size_t n = (size_t)H * (size_t)W;
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) sum += grey_of(pixels + 3 * i);
    away_from(pixels, H, W, (int)((double)sum / (double)n + 0.5), factor);
}

void augment_saturation(uint8_t *pixels, int H, int W, float factor)
{
    size_t n = (size_t)H * (size_t)W;
    for (uint8_t *p = pixels; p < pixels + 3 * n; p += 3) {
        int grey = grey_of(p);
        for (int c = 0; c < 3; c++) p[c] = blend(grey, p[c], factor);
    }
}

/* Keeps the minimum and maximum of r, g, b. The hue is a position in [0, 6). */
void augment_hue(uint8_t *pixels, int H, int W, float turn)
{
    size_t n = (size_t)H * (size_t)W;
    for (uint8_t *p = pixels; p < pixels + 3 * n; p += 3) {
        int r = p[0], g = p[1], b = p[2];
        int high = r > g ? (r > b ? r : b) : (g > b ? g : b), low = r < g ? (r < b ? r : b) : (g < b ? g : b);
        if (high == low) continue;
        float range = (float)(high - low);
        float hue = high == r   ? (float)(g - b) / range
                    : high == g ? 2 + (float)(b - r) / range
                                : 4 + (float)(r - g) / range;
        hue += 6 * turn;
        for (int c = 0; c < 3; c++) { /* channel c is at the maximum within 1 of position 2c, at the minimum beyond 2 */
            float away = hue - 2 * (float)c;
            away = fabsf(away - 6 * rintf(away / 6));
            p[c] = (uint8_t)((float)low + range * fminf(1, fmaxf(0, 2 - away)) + 0.5f);
        }
    }
}

void augment_grey(uint8_t *pixels, int H, int W)
{
    size_t n = (size_t)H * (size_t)W;
    for (uint8_t *p = pixels; p < pixels + 3 * n; p += 3) p[0] = p[1] = p[2] = grey_of(p);
}

/* ------------------------------------------------------------------ blur */

enum {
    MAX_RADIUS = 30, /* with more taps, the truncation error of each would become visible */
    POINT = 7        /* fractional bits of a sample: 2 * 255 still fits in 16 bits */
};

/* sum[i] += (a[i] + b[i]) weight, with a weight of 16 fractional bits */
static void add_tap(uint16_t *restrict sum, const uint16_t *a, const uint16_t *b, uint16_t weight, int n)
{
    for (int i = 0; i < n; i++) {
        uint16_t two = (uint16_t)(a[i] + b[i]);
        sum[i] = (uint16_t)(sum[i] + (uint16_t)(((uint32_t)two * weight) >> 16));
    }
}

/* out[i] = sum over k of (low[k][i] + high[k][i]) weight[k], k = 0..radius. Products are truncated, which loses half a
 * unit per tap on average; the initial value compensates. */
static void weigh(uint16_t *out, const uint16_t *const *low, const uint16_t *const *high, const uint16_t *weight,
                  int radius, int n)
{
    for (int i = 0; i < n; i++) out[i] = (uint16_t)((radius + 1) / 2);
    for (int k = 0; k <= radius; k++) add_tap(out, low[k], high[k], weight[k], n);
}

/* Half of the symmetric kernel. weight[0] is half of the centre tap, because the centre is added to itself. The weights
 * add up to exactly 1/2, so a uniform picture stays unchanged. */
static int gaussian(uint16_t weight[MAX_RADIUS + 1], double sigma)
{
    int radius = (int)ceil(3 * sigma);
    double sum = 0, left = 0;
    for (int k = -radius; k <= radius; k++) sum += exp(-0.5 * k * k / (sigma * sigma));
    for (int k = radius; k >= 1; k--) {
        weight[k] = (uint16_t)lround(65536 * exp(-0.5 * k * k / (sigma * sigma)) / sum);
        left += weight[k];
    }
    weight[0] = (uint16_t)(32768 - left);
    return radius;
}

/* Filter one row (W, 3) horizontally: out in 16 bits; padded is the row with mirrored ends. */
static void blur_row(uint16_t *out, uint16_t *padded, const uint8_t *in, int W, const uint16_t *weight, int radius)
{
    const uint16_t *low[MAX_RADIUS + 1], *high[MAX_RADIUS + 1];
    uint16_t *middle = padded + (size_t)radius * 3;
    for (int i = 0; i < 3 * W; i++) middle[i] = (uint16_t)(in[i] << POINT);
    for (int x = 1; x <= radius; x++)
        for (int c = 0; c < 3; c++) {
            middle[-3 * x + c] = (uint16_t)(in[3 * mirrored(-x, W) + c] << POINT);
            middle[3 * (W - 1 + x) + c] = (uint16_t)(in[3 * mirrored(W - 1 + x, W) + c] << POINT);
        }
    for (int k = 0; k <= radius; k++) {
        low[k] = middle - (ptrdiff_t)k * 3;
        high[k] = middle + (ptrdiff_t)k * 3;
    }
    weigh(out, low, high, weight, radius, 3 * W);
}

gvm_status augment_blur(uint8_t *pixels, int H, int W, double sigma)
{
    assert(sigma > 0 && 3 * sigma <= MAX_RADIUS);
    uint16_t weight[MAX_RADIUS + 1];
    const uint16_t *low[MAX_RADIUS + 1], *high[MAX_RADIUS + 1];
    int radius = gaussian(weight, sigma);
    size_t n = (size_t)W * 3;
    uint16_t *rows =
        malloc(((size_t)H * n + 2 * n + (size_t)radius * 6) * sizeof *rows); /* (H, W, 3) and two more rows */
    if (rows == NULL) return GVM_MEMORY;
    uint16_t *mixed = rows + (size_t)H * n, *padded = mixed + n;
    for (int y = 0; y < H; y++) blur_row(rows + (size_t)y * n, padded, pixels + (size_t)y * n, W, weight, radius);
    for (int y = 0; y < H; y++) {
        for (int k = 0; k <= radius; k++) {
            low[k] = rows + (size_t)mirrored(y - k, H) * n;
            high[k] = rows + (size_t)mirrored(y + k, H) * n;
        }
        weigh(mixed, low, high, weight, radius, (int)n);
        uint8_t *out = pixels + (size_t)y * n;
        for (size_t i = 0; i < n; i++) out[i] = (uint8_t)((mixed[i] + (1 << (POINT - 1))) >> POINT);
    }
    free(rows);
    return GVM_OK;
}
