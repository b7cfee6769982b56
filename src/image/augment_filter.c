/* augment_filter.c - small kernels over a picture: see augment.h. */
#include "image/augment_parts.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The picture padded by `radius` mirrored pixels on each side: (H + 2 radius, W + 2 radius, 3). */
static void pad(uint8_t *out, const uint8_t *in, int H, int W, int radius)
{
    size_t row = (size_t)W * 3, stride = (size_t)(W + 2 * radius) * 3;
    for (int y = -radius; y < H + radius; y++, out += stride) {
        const uint8_t *from = in + (size_t)mirrored(y, H) * row;
        memcpy(out + 3 * (size_t)radius, from, row);
        for (int x = 1; x <= radius; x++) {
            memcpy(out + 3 * (size_t)(radius - x), from + 3 * (size_t)mirrored(-x, W), 3);
            memcpy(out + 3 * (size_t)(radius + W - 1 + x), from + 3 * (size_t)mirrored(W - 1 + x, W), 3);
        }
    }
}

gvm_status augment_filter(uint8_t *pixels, int H, int W, const float *kernel, int side)
{
    assert(H > 0 && W > 0 && side > 0 && side % 2 == 1);
    int radius = side / 2, n = 3 * W;
    size_t stride = (size_t)(W + 2 * radius) * 3;
    uint8_t *padded = calloc((size_t)H + 2 * (size_t)radius, stride);
    float *sum = malloc((size_t)n * sizeof *sum);
    if (padded != NULL && sum != NULL) {
        pad(padded, pixels, H, W, radius);
        for (int y = 0; y < H; y++, pixels += n) {
            for (int i = 0; i < n; i++) sum[i] = 0.5f;
            for (int k = 0; k < side * side; k++) {
                const uint8_t *in = padded + (size_t)(y + k / side) * stride + 3 * (size_t)(k % side);
                for (int i = 0; i < n; i++) sum[i] += kernel[k] * (float)in[i];
            }
            for (int i = 0; i < n; i++) pixels[i] = (uint8_t)(sum[i] < 0 ? 0 : sum[i] > 255 ? 255 : sum[i]);
        }
    }
    bool ok = padded != NULL && sum != NULL;
    free(padded);
    free(sum);
    return ok ? GVM_OK : GVM_MEMORY;
}

/* exp(-q^shape / 2), q = (x' / sigma[0])^2 + (y' / sigma[1])^2 in axes rotated by `angle` */
void augment_bell(float *kernel, int side, const double sigma[2], double angle, double shape)
{
    double c = cos(angle), s = sin(angle);
    for (int k = 0; k < side * side; k++) {
        int column = k % side, row = k / side, middle = side / 2;
        double x = column - middle, y = row - middle;
        double u = (c * x + s * y) / sigma[0], v = (c * y - s * x) / sigma[1];
        kernel[k] = (float)exp(-0.5 * pow(u * u + v * v, shape));
    }
}

void augment_sharp(float kernel[9], float strength, float lightness)
{
    for (int k = 0; k < 9; k++) kernel[k] = -strength;
    kernel[4] = 1 - strength + strength * (8 + lightness);
}
