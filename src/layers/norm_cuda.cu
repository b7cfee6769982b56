/* norm_cuda.cu - layer normalisation over channels, alone or with a block's residual sum. A warp handles a row and
 * keeps it in registers. */
#include "layers/layer_cuda.cuh"

static const int ROWS = 4 /* warps per block */, MAX_BLOCKS = 512 /* that sum the gradients of a norm's weights */;

/* PER: maximum number of channels per lane. */
template <typename T, int PER>
__global__ void norm_kernel(T *y, float *mean, float *rstd, const T *u, const T *base, const float *keep,
                            const float *gamma, const float *beta, float epsilon, int rows, int L, int C)
{
    int lane = threadIdx.x % WARP, row = blockIdx.x * ROWS + threadIdx.x / WARP;
    if (row >= rows) return;
    u += (size_t)row * C;
    float x[PER], sum = 0, square = 0;
#pragma unroll
    for (int i = 0; i < PER; i++) {
        int c = lane + i * WARP;
        x[i] = c < C ? to_float(u[c]) : 0;
        sum += x[i];
    }
    float m = warp_sum(sum) / C;
#pragma unroll
    for (int i = 0; i < PER; i++) {
        float d = lane + i * WARP < C ? x[i] - m : 0;
        square += d * d;
    }
    float r = 1 / sqrtf(warp_sum(square) / C + epsilon), scale = keep ? keep[row / L] : 1;
    if (mean && lane == 0) mean[row] = m, rstd[row] = r;
    y += (size_t)row * C;
    if (base) base += (size_t)row * C;
#pragma unroll
    for (int i = 0; i < PER; i++) {
        int c = lane + i * WARP;
        if (c < C) store(y + c, (base ? to_float(base[c]) : 0) + scale * ((x[i] - m) * r * gamma[c] + beta[c]));
    }
}

/* Block b handles every gridDim.x-th group of four rows; its sums for gamma and beta go to partial (blocks, 2, C). */
template <typename T, int PER>
__global__ void norm_backward_kernel(T *du, float accumulate, float *partial, const T *dy, const T *u,
                                     const float *mean, const float *rstd, const float *keep, const float *gamma,
                                     int rows, int L, int C)
{
    SHARED(float, sums); /* (ROWS, 2, C) */
    int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    float dgamma[PER], dbeta[PER];
#pragma unroll
    for (int i = 0; i < PER; i++) dgamma[i] = dbeta[i] = 0;
    for (int row = blockIdx.x * ROWS + warp; row < rows; row += gridDim.x * ROWS) {
        size_t at = (size_t)row * C;
        float m = mean[row], r = rstd[row], scale = keep ? keep[row / L] : 1, a = 0, b = 0, g[PER], xhat[PER];
#pragma unroll
        for (int i = 0; i < PER; i++) {
            int c = lane + i * WARP;
            g[i] = xhat[i] = 0;
            if (c >= C) continue;
            float d = scale * to_float(dy[at + c]);
            xhat[i] = (to_float(u[at + c]) - m) * r;
            g[i] = d * gamma[c];
            a += g[i];
            b += g[i] * xhat[i];
            dgamma[i] += d * xhat[i];
            dbeta[i] += d;
        }
        a = warp_sum(a) / C;
        b = warp_sum(b) / C;
#pragma unroll
        for (int i = 0; i < PER; i++) {
            int c = lane + i * WARP;
            if (c >= C) continue;
            float d = r * (g[i] - a - xhat[i] * b);
            store(du + at + c, accumulate != 0 ? to_float(du[at + c]) + d : d);
        }
    }
#pragma unroll
    for (int i = 0; i < PER; i++) {
        int c = lane + i * WARP;
        if (c >= C) continue;
        sums[(size_t)warp * 2 * C + c] = dgamma[i];
        sums[((size_t)warp * 2 + 1) * C + c] = dbeta[i];
    }
    __syncthreads();
    for (int c = threadIdx.x; c < 2 * C; c += blockDim.x) {
        float sum = 0;
        for (int w = 0; w < ROWS; w++) sum += sums[(size_t)w * 2 * C + c];
        partial[(size_t)blockIdx.x * 2 * C + c] = sum;
    }
}

/* Calls launch with the smallest capacity per lane that is enough for C channels. */
#define BY_CHANNELS(C, launch)     \
    do {                           \
        if ((C) <= 4 * WARP)       \
            launch(4);             \
        else if ((C) <= 8 * WARP)  \
            launch(8);             \
        else if ((C) <= 12 * WARP) \
            launch(12);            \
        else if ((C) <= 24 * WARP) \
            launch(24);            \
        else                       \
            launch(64);            \
    } while (0)

template <typename T>
static void norm_rows_of(struct tape *tape, T *y, float *mean, float *rstd, const T *u, const T *base,
                         const float *keep, const float *gamma, const float *beta, float epsilon, int rows, int L,
                         int C)
{
#define NORM(PER)                                                                                                      \
    LAUNCH((norm_kernel<T, PER>), blocks_of(rows, ROWS), ROWS *WARP, 0, cuda_of(tape)->stream, y, mean, rstd, u, base, \
           keep, gamma, beta, epsilon, rows, L, C)
    BY_CHANNELS(C, NORM);
    LAUNCHED(tape, "normalise rows");
}

void norm_rows(struct tape *tape, void *y, float *mean, float *rstd, const void *u, const void *base, const float *keep,
               const struct norm *w, int rows, int L, int C, int element)
{
    const float *gamma = weight_of(tape, w->weight), *beta = weight_of(tape, w->bias);
    if ((element ? element : tape->element) == 2)
        norm_rows_of<bf16>(tape, (bf16 *)y, mean, rstd, (const bf16 *)u, (const bf16 *)base, keep, gamma, beta,
                           w->epsilon, rows, L, C);
    else
        norm_rows_of<float>(tape, (float *)y, mean, rstd, (const float *)u, (const float *)base, keep, gamma, beta,
                            w->epsilon, rows, L, C);
}

static int norm_blocks(int rows)
{
    int blocks = blocks_of((size_t)rows, 4 * ROWS);
    return blocks < MAX_BLOCKS ? blocks : MAX_BLOCKS;
}

float *norm_scratch(struct tape *tape, int rows, int C)
{
    return tape_scratch(tape, (size_t)norm_blocks(rows) * 2 * (size_t)C);
}

template <typename T>
static void norm_rows_backward_of(struct tape *tape, T *du, float accumulate, float *partial, const T *dy, const T *u,
                                  const float *mean, const float *rstd, const float *keep, const float *gamma, int rows,
                                  int L, int C)
{
    size_t shared = (size_t)ROWS * 2 * (size_t)C * sizeof(float);
#define NORM_BACKWARD(PER)                                                                                       \
    do {                                                                                                         \
        static const cudaError_t allowed = allow_shared((const void *)norm_backward_kernel<T, PER>);             \
        cuda_check(cuda_of(tape), allowed, "normalise rows, backward");                                          \
        LAUNCH((norm_backward_kernel<T, PER>), norm_blocks(rows), ROWS *WARP, shared, cuda_of(tape)->stream, du, \
               accumulate, partial, dy, u, mean, rstd, keep, gamma, rows, L, C);                                 \
    } while (0)
    BY_CHANNELS(C, NORM_BACKWARD);
    LAUNCHED(tape, "normalise rows, backward");
}

void norm_rows_backward(struct tape *tape, void *du, float accumulate, float *partial, const void *dy, const void *u,
                        const float *mean, const float *rstd, const float *keep, const struct norm *w, int rows, int L,
                        int C, int element)
{
    const float *gamma = weight_of(tape, w->weight);
    if ((element ? element : tape->element) == 2)
        norm_rows_backward_of<bf16>(tape, (bf16 *)du, accumulate, partial, (const bf16 *)dy, (const bf16 *)u, mean,
                                    rstd, keep, gamma, rows, L, C);
    else
        norm_rows_backward_of<float>(tape, (float *)du, accumulate, partial, (const float *)dy, (const float *)u, mean,
                                     rstd, keep, gamma, rows, L, C);
    add_partials(tape, grad_of(tape, w->weight), grad_of(tape, w->bias), partial, norm_blocks(rows), C, 2 * C);
}

/* ------------------------------------------------------------------ the layer */

struct norm_pass {
    struct tensor *x, *y;
    const struct norm *w;
    float *mean, *rstd; /* (rows) */
};

static void layer_norm_backward(struct tape *tape, void *self)
{
    struct norm_pass *p = (struct norm_pass *)self;
    int rows = p->x->B * p->x->L, C = p->x->C;
    float accumulate = tensor_accumulate(tape, p->x), *partial = norm_scratch(tape, rows, C);
    norm_rows_backward(tape, p->x->grad, accumulate, partial, p->y->grad, p->x->data, p->mean, p->rstd, NULL, p->w,
                       rows, p->x->L, C, p->x->element);
    tape_scratch_release(tape);
}

struct tensor *layer_norm_cuda(struct tape *tape, struct tensor *x, const struct norm *w)
{
    struct norm_pass *p = (struct norm_pass *)tape_object(tape, sizeof *p);
    int rows = x->B * x->L;
    p->x = x;
    p->y = x->element == tape->element ? tape_tensor(tape, x->B, x->L, x->C) : tape_feature(tape, x->B, x->C);
    p->y->seen = x->seen;
    p->w = w;
    if (tape->training) {
        p->mean = tape_floats(tape, (size_t)rows);
        p->rstd = tape_floats(tape, (size_t)rows);
        norm_scratch(tape, rows, x->C);
        tape_scratch_release(tape);
    }
    if (!tape->dry) norm_rows(tape, p->y->data, p->mean, p->rstd, x->data, NULL, NULL, w, rows, x->L, x->C, x->element);
    tape_record(tape, layer_norm_backward, p);
    return p->y;
}
