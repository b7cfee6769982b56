/* resize_opencv.c - bilinear without antialiasing, as OpenCV's INTER_LINEAR_EXACT computes it
 *
 * Output i of n is at c = start + (i + 1/2) s - 1/2 in the input, s = (end - start) / n. It interpolates the samples at
 * floor(c) and floor(c) + 1; the latter has the weight c - floor(c), with 8 fractional bits. The horizontal pass comes
 * first, without rounding, then the vertical one. */
#include "image/image.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

struct mix {
    int first, second;
    uint32_t weight; /* of the second sample, in units of 1/256 */
};

static struct mix mix_at(int i, int n, int size, double start, double end)
{
    double centre = start + (i + 0.5) * ((end - start) / n) - 0.5, at = floor(centre);
    int low = (int)fmin(fmax(floor(start), 0), size - 1), high = (int)fmin(fmax(ceil(end) - 1, low), size - 1);
    if (at < low) return (struct mix){low, low, 0};
    if (at >= high) return (struct mix){high, high, 0};
    return (struct mix){(int)at, (int)at + 1, (uint32_t)rint(256 * (centre - at))};
}

gvm_status image_resize_opencv(uint8_t *out, int H, int W, const uint8_t *in, int h, int w, const double box[4])
{
    assert(H > 0 && W > 0 && h > 0 && w > 0 && box[0] < box[2] && box[1] < box[3]);
    struct mix *columns = malloc((size_t)W * sizeof *columns);
    if (columns == NULL) return GVM_MEMORY;
    for (int x = 0; x < W; x++) columns[x] = mix_at(x, W, w, box[0], box[2]);
    for (int y = 0; y < H; y++) {
        struct mix row = mix_at(y, H, h, box[1], box[3]);
        const uint8_t *upper = in + (size_t)row.first * w * 3, *lower = in + (size_t)row.second * w * 3;
        for (int x = 0; x < W; x++)
            for (int c = 0; c < 3; c++) {
                size_t a = 3 * (size_t)columns[x].first + c, b = 3 * (size_t)columns[x].second + c;
                uint32_t right = columns[x].weight, left = 256 - right;
                uint32_t sum = (256 - row.weight) * (left * upper[a] + right * upper[b]) +
                               row.weight * (left * lower[a] + right * lower[b]);
                *out++ = (uint8_t)((sum + 0x8000) >> 16);
            }
    }
    free(columns);
    return GVM_OK;
}
