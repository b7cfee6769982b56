/* depthwise_cuda.cu - each channel filtered by its own k x k weights, with zeros around the map
 *
 * A lane handles a channel, so that a warp's loads are coalesced, and STRIP adjacent outputs of a row, so that each
 * loaded value is used for all outputs that need it. A filter's row is processed in turns of TAPS weights: one turn for
 * ConvNeXt's 7; narrower filters are padded with zeros. */
#include <assert.h>

#include "layers/layer_cuda.cuh"

static const int STRIP = 8, TAPS = 7, WARPS = 8, THREADS = WARPS * 32;
enum { MAX_SIDE = 15 /* the largest that fits a block's shared memory */, MAX_BLOCKS = 4096, SUM_BLOCKS = 1024 };

struct grid {
    int rows, H, W, C; /* rows of all pictures, B H */
    int side, turns;   /* turns of TAPS per row of the filter */
};

/* Elements at + 0 .. N - 1 of a row of W, at distance C; 0 beyond its ends. */
template <int N, typename T> __device__ static void load_strip(float *to, const T *row, int at, int W, int C)
{
#pragma unroll
    for (int i = 0; i < N; i++) to[i] = at + i >= 0 && at + i < W ? to_float(row[(size_t)(at + i) * C]) : 0;
}

/* y = filter of x + bias; bias may be NULL. turned: the filter rotated by 180 degrees, which maps dy to dx. Block
 * (i, g) handles channels 32 g and on; each of its warps handles every (WARPS gridDim.x)-th strip. */
template <typename T>
__global__ void __launch_bounds__(THREADS) depthwise_kernel(T *y, float accumulate, const T *x, const float *weight,
                                                            const float *bias, bool turned, struct grid m)
{
    SHARED(float, filter); /* (side, TAPS turns, WARP) */
    int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, c = blockIdx.y * WARP + lane, area = m.side * m.side;
    int wide = TAPS * m.turns, across = (m.W + STRIP - 1) / STRIP;
    for (int i = warp; i < m.side * wide; i += WARPS) {
        int tap = i / wide * m.side + i % wide;
        bool real = c < m.C && i % wide < m.side;
        filter[i * WARP + lane] = real ? weight[(size_t)c * area + (turned ? area - 1 - tap : tap)] : 0;
    }
    __syncthreads();
    if (c >= m.C) return;
    for (int strip = blockIdx.x * WARPS + warp; strip < m.rows * across; strip += gridDim.x * WARPS) {
        int row = strip / across, first = strip % across * STRIP;
        float sum[STRIP];
#pragma unroll
        for (int j = 0; j < STRIP; j++) sum[j] = bias ? bias[c] : 0;
        for (int i = 0; i < m.side * m.turns; i++) {
            int down = i / m.turns - m.side / 2, right = i % m.turns * TAPS - m.side / 2;
            if (row % m.H + down < 0 || row % m.H + down >= m.H) continue;
            float in[STRIP + TAPS - 1];
            load_strip<STRIP + TAPS - 1>(in, x + (size_t)(row + down) * m.W * m.C + c, first + right, m.W, m.C);
#pragma unroll
            for (int t = 0; t < TAPS; t++) {
                float w = filter[(i * TAPS + t) * WARP + lane];
#pragma unroll
                for (int j = 0; j < STRIP; j++) sum[j] += w * in[t + j];
            }
        }
        T *to = y + ((size_t)row * m.W + first) * m.C + c;
#pragma unroll
        for (int j = 0; j < STRIP; j++)
            if (first + j < m.W) {
                T *at = to + (size_t)j * m.C;
                store(at, accumulate != 0 ? to_float(*at) + sum[j] : sum[j]);
            }
    }
}

/* partial (gridDim.y, C side^2 + C): a block's sums for filters and biases. Block (g, i) handles channels 32 g and on
 * and every gridDim.y-th row; its warps divide the turns of the filter's rows, followed by the bias. */
template <typename T>
__global__ void __launch_bounds__(THREADS)
    depthwise_weight_kernel(float *partial, const T *dy, const T *x, struct grid m)
{
    int c = blockIdx.x * WARP + threadIdx.x % WARP, area = m.side * m.side, turns = m.side * m.turns;
    if (c >= m.C) return;
    partial += (size_t)blockIdx.y * m.C * (area + 1);
    for (int i = threadIdx.x / WARP; i <= turns; i += WARPS) {
        bool bias = i == turns;
        int down = bias ? 0 : i / m.turns - m.side / 2, tap = i % m.turns * TAPS;
        float sum[TAPS] = {};
        for (int row = blockIdx.y; row < m.rows; row += gridDim.y) {
            if (row % m.H + down < 0 || row % m.H + down >= m.H) continue;
            const T *out = dy + (size_t)row * m.W * m.C + c, *from = x + (size_t)(row + down) * m.W * m.C + c;
            for (int first = 0; first < m.W; first += STRIP) {
                float g[STRIP], in[STRIP + TAPS - 1];
                load_strip<STRIP>(g, out, first, m.W, m.C);
                if (bias) {
                    for (int j = 0; j < STRIP; j++) sum[0] += g[j];
                    continue;
                }
                load_strip<STRIP + TAPS - 1>(in, from, first + tap - m.side / 2, m.W, m.C);
#pragma unroll
                for (int t = 0; t < TAPS; t++)
#pragma unroll
                    for (int j = 0; j < STRIP; j++) sum[t] += g[j] * in[t + j];
            }
        }
        if (bias) partial[(size_t)m.C * area + c] = sum[0];
#pragma unroll
        for (int t = 0; t < TAPS; t++)
            if (!bias && tap + t < m.side) partial[(size_t)c * area + i / m.turns * m.side + tap + t] = sum[t];
    }
}

/* ------------------------------------------------------------------ the layer */

struct depthwise_pass {
    struct tensor *x, *y;
    const struct depthwise *w;
    struct grid m;
};

template <typename T>
static void filter(struct tape *tape, const struct depthwise_pass *p, void *y, float accumulate, const void *x,
                   const float *bias, bool turned)
{
    const struct grid *m = &p->m;
    size_t shared = (size_t)m->side * m->turns * TAPS * WARP * sizeof(float);
    int blocks = blocks_of((size_t)m->rows * blocks_of(m->W, STRIP), WARPS);
    dim3 shape((unsigned)(blocks < MAX_BLOCKS ? blocks : MAX_BLOCKS), (unsigned)blocks_of(m->C, WARP));
    LAUNCH(depthwise_kernel<T>, shape, THREADS, shared, cuda_of(tape)->stream, (T *)y, accumulate, (const T *)x,
           weight_of(tape, p->w->weight), bias, turned, *m);
    LAUNCHED(tape, "filter channels");
}

static void run_filter(struct tape *tape, const struct depthwise_pass *p, void *y, float accumulate, const void *x,
                       const float *bias, bool turned)
{
    if (tape->element == 2)
        filter<bf16>(tape, p, y, accumulate, x, bias, turned);
    else
        filter<float>(tape, p, y, accumulate, x, bias, turned);
}

/* Number of blocks that divide the rows of the same channels. */
static int sum_blocks(const struct grid *m)
{
    int blocks = SUM_BLOCKS / blocks_of(m->C, WARP);
    return blocks < 1 ? 1 : blocks < m->rows ? blocks : m->rows;
}

static float *reserve_backward(const struct grid *m, struct tape *tape)
{
    return tape_scratch(tape, (size_t)sum_blocks(m) * m->C * (m->side * m->side + 1));
}

static void depthwise_backward(struct tape *tape, void *self)
{
    const struct depthwise_pass *p = (const struct depthwise_pass *)self;
    const struct grid *m = &p->m;
    float *partial = reserve_backward(m, tape);
    int blocks = sum_blocks(m), area = m->side * m->side, each = m->C * (area + 1);
    dim3 shape((unsigned)blocks_of(m->C, WARP), (unsigned)blocks);
    if (tape->element == 2)
        LAUNCH(depthwise_weight_kernel<bf16>, shape, THREADS, 0, cuda_of(tape)->stream, partial,
               (const bf16 *)p->y->grad, (const bf16 *)p->x->data, *m);
    else
        LAUNCH(depthwise_weight_kernel<float>, shape, THREADS, 0, cuda_of(tape)->stream, partial,
               (const float *)p->y->grad, (const float *)p->x->data, *m);
    LAUNCHED(tape, "filter channels, backward");
    add_partials(tape, grad_of(tape, p->w->weight), NULL, partial, blocks, m->C * area, each);
    add_partials(tape, grad_of(tape, p->w->bias), NULL, partial + (size_t)m->C * area, blocks, m->C, each);
    run_filter(tape, p, p->x->grad, tensor_accumulate(tape, p->x), p->y->grad, NULL, true);
    tape_scratch_release(tape);
}

struct tensor *depthwise_cuda(struct tape *tape, struct tensor *x, int H, int W, const struct depthwise *w)
{
    struct depthwise_pass *p = (struct depthwise_pass *)tape_object(tape, sizeof *p);
    assert(x->L == H * W && w->side % 2 == 1 && w->side <= MAX_SIDE);
    p->x = x;
    p->w = w;
    p->m.rows = x->B * H, p->m.H = H, p->m.W = W, p->m.C = x->C;
    p->m.side = w->side, p->m.turns = blocks_of(w->side, TAPS);
    p->y = tape_tensor(tape, x->B, x->L, x->C);
    if (tape->training) {
        reserve_backward(&p->m, tape);
        tape_scratch_release(tape);
    }
    tape->counts.linear += (uint64_t)x->B * x->L * x->C * w->side * w->side;
    if (!tape->dry) run_filter(tape, p, p->y->data, 0, x->data, weight_of(tape, w->bias), false);
    tape_record(tape, depthwise_backward, p);
    return p->y;
}
