/* kernels_conv.c - the inner loops of convolutional networks; see kernels.h. Compiled for each instruction set, as
 * kernels.c. */
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

enum { FOUR = 4 /* positions of a 2 x 2 patch */ };

static void interleave(float *to, const float *const *from, int n, int C)
{
    int c = 0;
    if (n == FOUR)
        for (; c + VW <= C; c += VW, to += FOUR * VW) {
            vf v[FOUR];
            for (int i = 0; i < FOUR; i++) v[i] = v_load(from[i] + c);
            v_transpose(v, FOUR);
            for (int i = 0; i < FOUR; i++) v_store(to + i * VW, v[i]);
        }
    for (; c < C; c++, to += n)
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

/* A piece is COLUMNS outputs of a row for one vector of channels. Its sums stay in registers beside a row of the
 * filter, and the input's columns are loaded one by one: 84 multiply-adds need 25 loads. With only 16 registers the
 * filter's row is read from the cache. A filter that has not TAPS columns loads each input again. */
enum { COLUMNS = DEPTHWISE_COLUMNS, TAPS = 7 };
_Static_assert(BLOCK % VW == 0, "vectors tile a block");
#define EACH_INPUT(meet)                                                                                       \
    meet(0) meet(1) meet(2) meet(3) meet(4) meet(5) meet(6) meet(7) meet(8) meet(9) meet(10) meet(11) meet(12) \
        meet(13) meet(14) meet(15) meet(16) meet(17)

/* Input j contributes to output t through tap j - t. */
__attribute__((always_inline)) static inline void into_sums(vf sum[COLUMNS], const float *x, const vf w[TAPS], int j)
{
    vf v = v_load(x + j * BLOCK);
    for (int t = 0; t < COLUMNS; t++)
        if (t <= j && j < t + TAPS) sum[t] += v * w[j - t];
}

__attribute__((always_inline)) static inline void into_taps(vf dw[TAPS], const float *x, const vf dy[COLUMNS], int j)
{
    vf v = v_load(x + j * BLOCK);
    for (int t = 0; t < COLUMNS; t++)
        if (t <= j && j < t + TAPS) dw[j - t] += v * dy[t];
}

/* sum += one row of a filter (TAPS, BLOCK) over one row of the plane */
__attribute__((always_inline)) static inline void filter_row(vf sum[COLUMNS], const float *x, const float *w)
{
    vf taps[TAPS];
    for (int i = 0; i < TAPS; i++) taps[i] = v_load(w + i * BLOCK);
#define MEET(j) into_sums(sum, x, taps, j);
    EACH_INPUT(MEET)
#undef MEET
}

static void piece(vf sum[COLUMNS], const float *plane, int width, const float *w, int k)
{
    for (int a = 0; a < k; a++, plane += (size_t)width * BLOCK, w += k * BLOCK) {
        if (k == TAPS) {
            filter_row(sum, plane, w);
            continue;
        }
        for (int b = 0; b < k; b++) {
            vf tap = v_load(w + b * BLOCK);
            for (int t = 0; t < COLUMNS; t++) sum[t] += v_load(plane + (t + b) * BLOCK) * tap;
        }
    }
}

/* Store some of the block's channels at one position of y. */
static void put(float *y, vf sum, int channels, int add)
{
    if (channels >= VW)
        v_store(y, add ? v_load(y) + sum : sum);
    else if (channels > 0)
        v_store_part(y, add ? v_load_part(y, channels) + sum : sum, channels);
}

static void depthwise(float *y, int C, int channels, const float *plane, const float *w, const float *bias, int rows,
                      int W, int k, int add)
{
    int width = plane_width(W) + k - 1;
    for (int v = 0; v < BLOCK && v < channels; v += VW)
        for (int j = 0; j < W; j += COLUMNS)
            for (int r = 0; r < rows; r++) {
                vf sum[COLUMNS];
                for (int t = 0; t < COLUMNS; t++) sum[t] = v_load(bias + v);
                piece(sum, plane + ((size_t)r * (size_t)width + (size_t)j) * BLOCK + v, width, w + v, k);
                float *to = y + ((size_t)r * (size_t)W + (size_t)j) * (size_t)C + v;
                for (int t = 0; t < COLUMNS && j + t < W; t++, to += C) put(to, sum[t], channels - v, add);
            }
}

/* dw += the gradient of one row of a filter, from `rows` rows of the plane (at distance x_step floats) and of dy
 * (d_step). */
__attribute__((always_inline)) static inline void tap_gradients(float *dw, const float *x, size_t x_step,
                                                                const float *dy, size_t d_step, int rows)
{
    vf taps[TAPS];
    for (int i = 0; i < TAPS; i++) taps[i] = v_load(dw + i * BLOCK);
    for (int r = 0; r < rows; r++, x += x_step, dy += d_step) {
        vf d[COLUMNS];
        for (int t = 0; t < COLUMNS; t++) d[t] = v_load(dy + t * BLOCK);
#define MEET(j) into_taps(taps, x, d, j);
        EACH_INPUT(MEET)
#undef MEET
    }
    for (int i = 0; i < TAPS; i++) v_store(dw + i * BLOCK, taps[i]);
}

static void tap_gradient(float *dw, const float *x, size_t x_step, const float *dy, size_t d_step, int rows)
{
    vf sum[COLUMNS] = {{0}}, all = {0};
    for (int r = 0; r < rows; r++, x += x_step, dy += d_step)
        for (int t = 0; t < COLUMNS; t++) sum[t] += v_load(x + t * BLOCK) * v_load(dy + t * BLOCK);
    for (int t = 0; t < COLUMNS; t++) all += sum[t];
    v_store(dw, v_load(dw) + all);
}

static void depthwise_backward(float *dw, float *db, const float *plane, const float *dy, int rows, int W, int k)
{
    int width = plane_width(W);
    size_t d_step = (size_t)width * BLOCK, x_step = (size_t)(width + k - 1) * BLOCK;
    for (int v = 0; v < BLOCK; v += VW) {
        for (int j = 0; j < W; j += COLUMNS)
            for (int a = 0; a < k; a++) {
                const float *x = plane + (size_t)a * x_step + j * BLOCK + v, *d = dy + j * BLOCK + v;
                float *to = dw + a * k * BLOCK + v;
                if (k == TAPS)
                    tap_gradients(to, x, x_step, d, d_step, rows);
                else
                    for (int b = 0; b < k; b++) tap_gradient(to + b * BLOCK, x + b * BLOCK, x_step, d, d_step, rows);
            }
        vf sum = v_load(db + v);
        for (int i = 0; i < rows * width; i++) sum += v_load(dy + (size_t)i * BLOCK + v);
        v_store(db + v, sum);
    }
}

const struct conv_kernels CONV_KERNELS = {
#define CONV_KERNEL(type, name, parameters) .name = name,
#include "tensor/kernels.def"
};
