/* mean_positions_cuda.cu - a map to a feature: the mean over its positions, or over those of a rectangle, in float32 */
#include "layers/layer_cuda.cuh"

struct mean_pass {
    struct tensor *x, *y;
    int W;
    struct rectangle part;
};

/* Block (g, b) handles channels 32 g and on of picture b; each warp every eighth position, starting at its rank. */
template <typename T> __global__ void mean_kernel(float *y, const T *x, int L, int C, int W, rectangle part)
{
    __shared__ float sums[BLOCK / WARP][WARP];
    int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, c = blockIdx.x * WARP + lane;
    int n = part.height * part.width;
    float sum = 0;
    x += ((size_t)blockIdx.y * L + (size_t)part.top * W + part.left) * C + c;
    for (int l = warp; c < C && l < n; l += BLOCK / WARP)
        sum += to_float(x[((size_t)(l / part.width) * W + l % part.width) * C]);
    sums[warp][lane] = sum;
    __syncthreads();
    if (warp > 0 || c >= C) return;
    for (int i = 1; i < BLOCK / WARP; i++) sum += sums[i][lane];
    y[(size_t)blockIdx.y * C + c] = sum / n;
}

/* Block (i, b): n = L C values of picture b. */
template <typename T>
__global__ void mean_backward_kernel(T *dx, float accumulate, const float *dy, int C, unsigned n, int W, rectangle part)
{
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    T *to = dx + (size_t)blockIdx.y * n + i;
    int l = (int)(i / C), row = l / W - part.top, column = l % W - part.left;
    bool within = row >= 0 && row < part.height && column >= 0 && column < part.width;
    float d = within ? dy[(size_t)blockIdx.y * C + i % C] / (part.height * part.width) : 0;
    store(to, accumulate != 0 ? to_float(*to) + d : d);
}

static void mean_backward(struct tape *tape, void *self)
{
    const struct mean_pass *p = (const struct mean_pass *)self;
    int L = p->x->L, C = p->x->C;
    float accumulate = tensor_accumulate(tape, p->x);
    unsigned n = (unsigned)L * (unsigned)C;
    dim3 shape((unsigned)blocks_of(n, BLOCK), (unsigned)p->x->B);
    if (p->x->element == 2)
        LAUNCH(mean_backward_kernel<bf16>, shape, BLOCK, 0, cuda_of(tape)->stream, (bf16 *)p->x->grad, accumulate,
               p->y->grad, C, n, p->W, p->part);
    else
        LAUNCH(mean_backward_kernel<float>, shape, BLOCK, 0, cuda_of(tape)->stream, p->x->grad, accumulate, p->y->grad,
               C, n, p->W, p->part);
    LAUNCHED(tape, "average positions, backward");
}

struct tensor *mean_part_cuda(struct tape *tape, struct tensor *x, int W, const struct rectangle *part)
{
    struct mean_pass *p = (struct mean_pass *)tape_object(tape, sizeof *p);
    p->x = x;
    p->y = tape_feature(tape, x->B, x->C);
    p->W = W;
    p->part = *part;
    tape_record(tape, mean_backward, p);
    if (tape->dry) return p->y;
    dim3 shape((unsigned)blocks_of(x->C, WARP), (unsigned)x->B);
    if (x->element == 2)
        LAUNCH(mean_kernel<bf16>, shape, BLOCK, 0, cuda_of(tape)->stream, p->y->data, (const bf16 *)x->data, x->L, x->C,
               W, p->part);
    else
        LAUNCH(mean_kernel<float>, shape, BLOCK, 0, cuda_of(tape)->stream, p->y->data, x->data, x->L, x->C, W, p->part);
    LAUNCHED(tape, "average positions");
    return p->y;
}

struct tensor *mean_positions_cuda(struct tape *tape, struct tensor *x)
{
    const struct rectangle all = {0, 0, 1, x->L};
    return mean_part_cuda(tape, x, x->L, &all);
}
