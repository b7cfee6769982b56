/* resize.c - bilinear with antialiasing, as Pillow computes it
 *
 * Output i of n is centred at c = start + (i + 1/2) s in the input, s = (end - start) / n. It is the normalised mean of
 * the samples around c, weighted by the triangle max(0, 1 - |x + 1/2 - c| / max(1, s)). Outputs beyond the input,
 * 0..size, repeat its edge. The horizontal pass comes first, rounded to 8 bits, then the vertical one. Only the rows
 * that the current output row needs are kept, because a picture may have 65,535. Weights are fixed-point with 22
 * fractional bits: 255 times their sum fits in 31 bits. */
#include "image/image.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { POINT = 22, HALF = 1 << (POINT - 1) };

struct axis {
    int taps;         /* allocated weights per output */
    int *first;       /* (n) first sample with a weight */
    int *count;       /* (n) number of samples */
    int32_t *weights; /* (n, taps) */
};

static void axis_free(struct axis *axis)
{
    free(axis->first);
    free(axis->count);
    free(axis->weights);
}

static bool axis_init(struct axis *axis, int n, int size, double start, double end)
{
    double scale = (end - start) / n, support = fmax(1, scale);
    assert(support < 1 << 24);
    axis->taps = (int)ceil(support) * 2 + 1;
    axis->first = malloc(sizeof(int) * (size_t)n);
    axis->count = malloc(sizeof(int) * (size_t)n);
    axis->weights = calloc((size_t)n * (size_t)axis->taps, sizeof(int32_t));
    double *triangle = malloc(sizeof(double) * (size_t)axis->taps);
    bool ok = axis->first && axis->count && axis->weights && triangle;
    for (int i = 0; ok && i < n; i++) {
        double centre = fmin(fmax(start + (i + 0.5) * scale, 0), size), sum = 0;
        int first = (int)fmax(0, centre - support + 0.5), last = (int)fmin(size, centre + support + 0.5);
        for (int k = 0; k < last - first; k++) {
            triangle[k] = fmax(0, 1 - fabs((first + k - centre + 0.5) / support));
            sum += triangle[k];
        }
        for (int k = 0; k < last - first; k++)
            axis->weights[(size_t)i * axis->taps + k] = (int32_t)(triangle[k] / sum * (1 << POINT) + 0.5);
        axis->first[i] = first;
        axis->count[i] = last - first;
    }
    free(triangle);
    return ok;
}

/* Clamped, because rounded weights may add up to slightly more than 1. */
static uint8_t rounded(int32_t sum)
{
    int32_t x = sum >> POINT;
    return (uint8_t)(x < 255 ? x : 255);
}

/* out (W, 3), in (w, 3) */
static void resize_row(uint8_t *out, const uint8_t *in, int W, const struct axis *axis)
{
    for (int x = 0; x < W; x++, out += 3) {
        const int32_t *weight = axis->weights + (size_t)x * axis->taps;
        const uint8_t *p = in + (size_t)axis->first[x] * 3;
        int32_t r = HALF, g = HALF, b = HALF;
        for (int k = 0; k < axis->count[x]; k++, p += 3) {
            r += weight[k] * p[0];
            g += weight[k] * p[1];
            b += weight[k] * p[2];
        }
        out[0] = rounded(r);
        out[1] = rounded(g);
        out[2] = rounded(b);
    }
}

/* out (n): row y of the output. ring (rows->taps, n): input row i is at i % taps. sum (n): scratch */
static void mix_rows(uint8_t *out, int32_t *sum, const uint8_t *ring, const struct axis *rows, int y, int n)
{
    const int32_t *weight = rows->weights + (size_t)y * rows->taps;
    for (int i = 0; i < n; i++) sum[i] = HALF;
    for (int k = 0; k < rows->count[y]; k++) {
        const uint8_t *in = ring + (size_t)((rows->first[y] + k) % rows->taps) * n;
        for (int i = 0; i < n; i++) sum[i] += weight[k] * in[i];
    }
    for (int i = 0; i < n; i++) out[i] = rounded(sum[i]);
}

gvm_status image_resize(uint8_t *out, int H, int W, const uint8_t *in, int h, int w, const double box[4])
{
    assert(H > 0 && W > 0 && h > 0 && w > 0 && box[0] < box[2] && box[1] < box[3]);
    struct axis columns = {0}, rows = {0};
    gvm_status status = GVM_MEMORY;
    int n = 3 * W;
    uint8_t *ring = NULL; /* (rows.taps, W, 3) */
    int32_t *sum = malloc(sizeof(int32_t) * (size_t)n);
    if (sum == NULL || !axis_init(&columns, W, w, box[0], box[2]) || !axis_init(&rows, H, h, box[1], box[3])) goto done;
    ring = malloc((size_t)rows.taps * (size_t)n);
    if (ring == NULL) goto done;
    for (int y = 0, next = rows.first[0]; y < H; y++) {
        for (; next < rows.first[y] + rows.count[y]; next++)
            resize_row(ring + (size_t)(next % rows.taps) * n, in + (size_t)next * w * 3, W, &columns);
        mix_rows(out + (size_t)y * n, sum, ring, &rows, y, n);
    }
    status = GVM_OK;
done:
    axis_free(&columns);
    axis_free(&rows);
    free(ring);
    free(sum);
    return status;
}
