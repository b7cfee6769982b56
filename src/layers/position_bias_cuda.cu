/* position_bias_cuda.cu - the MLP of the position bias, 2 to 512 to heads, for each offset between two tokens of a
 * window (Swin V2, section 3.3). Backward recomputes the hidden values, which are cheap. */
#include "layers/position_bias_cuda.cuh"

enum { HIDDEN = 512, PARTS = 8 };

/* sign(t) log2(|t| + 1) / log2(8), t = offset / (window - 1) * 8 */
__device__ static float spaced(int offset, int side)
{
    float t = (float)offset / (float)(side > 1 ? side - 1 : 1) * 8;
    return copysignf(log2f(fabsf(t) + 1) / 3, t);
}

__device__ static void offset_of(float *dy, float *dx, int p, int side)
{
    int width = 2 * side - 1;
    *dy = spaced(p / width - (side - 1), side);
    *dx = spaced(p % width - (side - 1), side);
}

__device__ static float hidden_of(const float *w1, const float *b1, int k, float dy, float dx)
{
    return fmaxf(w1[2 * k] * dy + w1[2 * k + 1] * dx + b1[k], 0);
}

/* One block per offset; each warp handles every (number of warps)-th head. */
__global__ void table_kernel(float *table, const float *w1, const float *b1, const float *w2, int side, int heads)
{
    __shared__ float hidden[HIDDEN];
    int p = blockIdx.x, lane = threadIdx.x % WARP;
    float dy, dx;
    offset_of(&dy, &dx, p, side);
    for (int k = threadIdx.x; k < HIDDEN; k += blockDim.x) hidden[k] = hidden_of(w1, b1, k, dy, dx);
    __syncthreads();
    for (int h = threadIdx.x / WARP; h < heads; h += blockDim.x / WARP) {
        float sum = 0;
        for (int k = lane; k < HIDDEN; k += WARP) sum += hidden[k] * w2[(size_t)h * HIDDEN + k];
        sum = warp_sum(sum);
        if (lane == 0) table[(size_t)h * gridDim.x + p] = 16 / (1 + expf(-sum));
    }
}

void position_table(struct tape *tape, float *table, const struct attention *w)
{
    int width = 2 * w->window - 1;
    LAUNCH(table_kernel, width * width, 128, 0, cuda_of(tape)->stream, table, weight_of(tape, w->cpb_w1),
           weight_of(tape, w->cpb_b1), weight_of(tape, w->cpb_w2), w->window, w->heads);
    LAUNCHED(tape, "compute a position bias");
}

/* Through 16 sigmoid. */
__global__ void logit_backward_kernel(float *dtable, const float *table, int n)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) dtable[i] *= table[i] * (1 - table[i] / 16);
}

/* dw2 (heads, 512): one block per head, one thread per hidden value. */
__global__ void w2_backward_kernel(float *dw2, const float *dlogit, const float *w1, const float *b1, int side,
                                   int offsets)
{
    int h = blockIdx.x, k = threadIdx.x;
    float sum = 0;
    for (int p = 0; p < offsets; p++) {
        float dy, dx;
        offset_of(&dy, &dx, p, side);
        sum += dlogit[(size_t)h * offsets + p] * hidden_of(w1, b1, k, dy, dx);
    }
    dw2[(size_t)h * HIDDEN + k] += sum;
}

/* dw1 (512, 2), db1 (512): a block handles 32 hidden values, each of its PARTS warps every PARTS-th offset. */
__global__ void w1_backward_kernel(float *dw1, float *db1, const float *dlogit, const float *w1, const float *b1,
                                   const float *w2, int side, int offsets, int heads)
{
    __shared__ float sums[PARTS][3][WARP];
    int lane = threadIdx.x % WARP, part = threadIdx.x / WARP, k = blockIdx.x * WARP + lane;
    float y = 0, x = 0, b = 0;
    for (int p = part; p < offsets; p += PARTS) {
        float dy, dx, d = 0;
        offset_of(&dy, &dx, p, side);
        if (hidden_of(w1, b1, k, dy, dx) <= 0) continue;
        for (int h = 0; h < heads; h++) d += dlogit[(size_t)h * offsets + p] * w2[(size_t)h * HIDDEN + k];
        y += d * dy;
        x += d * dx;
        b += d;
    }
    sums[part][0][lane] = y;
    sums[part][1][lane] = x;
    sums[part][2][lane] = b;
    __syncthreads();
    if (part > 0) return;
    for (int i = 1; i < PARTS; i++) {
        y += sums[i][0][lane];
        x += sums[i][1][lane];
        b += sums[i][2][lane];
    }
    dw1[2 * k] += y;
    dw1[2 * k + 1] += x;
    db1[k] += b;
}

void position_table_backward(struct tape *tape, float *dtable, const float *table, const struct attention *w)
{
    int width = 2 * w->window - 1, offsets = width * width, n = w->heads * offsets;
    const float *w1 = weight_of(tape, w->cpb_w1), *b1 = weight_of(tape, w->cpb_b1), *w2 = weight_of(tape, w->cpb_w2);
    cudaStream_t stream = cuda_of(tape)->stream;
    LAUNCH(logit_backward_kernel, blocks_of((size_t)n, BLOCK), BLOCK, 0, stream, dtable, table, n);
    LAUNCH(w2_backward_kernel, w->heads, HIDDEN, 0, stream, grad_of(tape, w->cpb_w2), dtable, w1, b1, w->window,
           offsets);
    LAUNCH(w1_backward_kernel, HIDDEN / WARP, PARTS * WARP, 0, stream, grad_of(tape, w->cpb_w1),
           grad_of(tape, w->cpb_b1), dtable, w1, b1, w2, w->window, offsets, w->heads);
    LAUNCHED(tape, "compute a position bias, backward");
}
