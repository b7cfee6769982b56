/* kernels_conv.c - the inner loops of convolutional networks; see kernels.h. Compiled as kernels.c is, once an
 * instruction set. */
#include "tensor/kernels.h"

#include "tensor/vec.h"

/* ------------------------------------------------------------------ rows */

static void scaled_row(float *y, float *v, const float *bias, const float *base, float scale, const float *gamma, int C,
                       int keep)
{
    int c = 0;
    for (; c + VW <= C; c += VW) {
        vf x = v_load(v + c) + v_load(bias + c);
        if (keep) v_store(v + c, x);
        v_store(y + c, v_load(base + c) + (gamma ? scale * v_load(gamma + c) : v_set(scale)) * x);
    }
    for (; c < C; c++) {
        float x = v[c] + bias[c];
        if (keep) v[c] = x;
        y[c] = base[c] + (gamma ? scale * gamma[c] : scale) * x;
    }
}

static void scaled_row_backward(float *dv, float *dgamma, const float *dy, const float *v, float scale,
                                const float *gamma, int C)
{
    int c = 0;
    for (; c + VW <= C; c += VW) {
        vf d = scale * v_load(dy + c);
        if (gamma) v_store(dgamma + c, v_load(dgamma + c) + d * v_load(v + c));
        v_store(dv + c, gamma ? d * v_load(gamma + c) : d);
    }
    for (; c < C; c++) {
        float d = scale * dy[c];
        if (gamma) dgamma[c] += d * v[c];
        dv[c] = gamma ? d * gamma[c] : d;
    }
}

static void multiply_add(float *y, const float *x, const float *a, const float *b, int C)
{
    for (int c = 0; c < C; c++) y[c] = x[c] * a[c] + b[c];
}

/* ------------------------------------------------------------------ patches */

static void interleave(float *to, const float *const *from, int n, int C)
{
    for (int c = 0; c < C; c++, to += n)
        for (int i = 0; i < n; i++) to[i] = from[i][c];
}

static void separate(float *const *to, const float *from, int n, int C)
{
    for (int c = 0; c < C; c++, from += n)
        for (int i = 0; i < n; i++) to[i][c] += from[i];
}

/* ------------------------------------------------------------------ depthwise convolution */

enum { BLOCK = DEPTHWISE_BLOCK, VECS = BLOCK / VW };

static void plane(float *to, const float *x, int C, int channels, int H, int W, int first, int rows, int margin)
{
    int width = plane_width(W) + 2 * margin;
    for (int r = first - margin; r < first + rows + margin; r++, to += (size_t)width * BLOCK) {
        if (r < 0 || r >= H) {
            memset(to, 0, (size_t)width * BLOCK * sizeof *to);
            continue;
        }
        const float *from = x + (size_t)r * (size_t)W * (size_t)C;
        float *at = to + margin * BLOCK;
        memset(to, 0, (size_t)(margin * BLOCK) * sizeof *to);
        for (int j = 0; j < W; j++, from += C, at += BLOCK)
            if (channels == BLOCK) {
                for (int v = 0; v < VECS; v++) v_store(at + v * VW, v_load(from + v * VW));
            } else {
                memset(at, 0, BLOCK * sizeof *at);
                memcpy(at, from, (size_t)channels * sizeof *at);
            }
        memset(at, 0, (size_t)((width - margin - W) * BLOCK) * sizeof *to);
    }
}

/* Some of the block's channels at one place of y. */
static void put(float *y, vf sum, int channels, int add)
{
    if (channels >= VW) {
        v_store(y, add ? v_load(y) + sum : sum);
    } else if (channels > 0) {
        v_store_part(y, add ? v_load_part(y, channels) + sum : sum, channels);
    }
}

static void depthwise(float *y, int C, int channels, const float *plane, const float *w, const float *bias, int rows,
                      int W, int k, int add)
{
    int width = plane_width(W) + k - 1;
    for (int r = 0; r < rows; r++)
        for (int j = 0; j < W; j++, y += C)
            for (int v = 0; v < VECS; v++) {
                vf sum = v_load(bias + v * VW);
                for (int a = 0; a < k; a++)
                    for (int b = 0; b < k; b++)
                        sum += v_load(plane + ((size_t)(r + a) * (size_t)width + (size_t)(j + b)) * BLOCK + v * VW) *
                               v_load(w + (a * k + b) * BLOCK + v * VW);
                put(y + v * VW, sum, channels - v * VW, add);
            }
}

static void depthwise_backward(float *dw, float *db, const float *plane, const float *dy, int rows, int W, int k)
{
    int width = plane_width(W) + k - 1;
    for (int r = 0; r < rows; r++)
        for (int j = 0; j < W; j++)
            for (int v = 0; v < VECS; v++) {
                vf d = v_load(dy + ((size_t)r * (size_t)plane_width(W) + (size_t)j) * BLOCK + v * VW);
                for (int a = 0; a < k; a++)
                    for (int b = 0; b < k; b++) {
                        float *to = dw + (a * k + b) * BLOCK + v * VW;
                        v_store(to, v_load(to) +
                                        d * v_load(plane + ((size_t)(r + a) * (size_t)width + (size_t)(j + b)) * BLOCK +
                                                   v * VW));
                    }
                v_store(db + v * VW, v_load(db + v * VW) + d);
            }
}

const struct conv_kernels CONV_KERNELS = {
#define CONV_KERNEL(type, name, parameters) .name = name,
#include "tensor/kernels.def"
};
