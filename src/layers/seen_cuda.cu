/* seen_cuda.cu - tokens that are not seen. A device computes all tokens, so that a pass always has the same shapes; the
 * branches of the unseen ones then count 0, and their keys are hidden (window_cuda.cuh). */
#include "layers/layer_cuda.cuh"

enum { MAX_GROUPS = 128 /* blocks that sum the gradient of the unseen vector */ };

__global__ void factors_kernel(float *factors, const float *keep, const uint8_t *seen, int rows, int L)
{
    int r = blockIdx.x * blockDim.x + threadIdx.x;
    if (r < rows) factors[r] = !seen[r] ? 0 : keep ? keep[r / L] : 1;
}

struct factors branch_factors(struct tape *tape, float *room, const float *keep, const struct tensor *x)
{
    int rows = x->B * x->L;
    if (x->seen == NULL) return {keep, x->L};
    LAUNCH(factors_kernel, blocks_of((size_t)rows, BLOCK), BLOCK, 0, cuda_of(tape)->stream, room, keep, x->seen->plane,
           rows, x->L);
    LAUNCHED(tape, "leave out unseen tokens");
    return {room, 1};
}

template <typename T>
__global__ void unseen_rows_kernel(T *y, const float *unseen, const uint8_t *seen, size_t n, int C)
{
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n && !seen[i / C]) store(y + i, unseen ? unseen[i % C] : 0);
}

void fill_unseen(struct tape *tape, struct tensor *y, const struct param *unseen)
{
    size_t n = (size_t)y->B * (size_t)y->L * (size_t)y->C;
    const float *vector = unseen ? weight_of(tape, unseen) : NULL;
    if (tape->element == 2)
        LAUNCH(unseen_rows_kernel<bf16>, blocks_of(n, BLOCK), BLOCK, 0, cuda_of(tape)->stream, (bf16 *)y->data, vector,
               y->seen->plane, n, y->C);
    else
        LAUNCH(unseen_rows_kernel<float>, blocks_of(n, BLOCK), BLOCK, 0, cuda_of(tape)->stream, (float *)y->data,
               vector, y->seen->plane, n, y->C);
    LAUNCHED(tape, "leave out unseen tokens");
}

/* Block (c, g) sums the unseen rows g, g + gridDim.y ... of BLOCK channels; partial (gridDim.y, C). */
template <typename T>
__global__ void unseen_sums_kernel(float *partial, const T *dy, const uint8_t *seen, int rows, int C)
{
    int c = blockIdx.x * blockDim.x + threadIdx.x;
    if (c >= C) return;
    float sum = 0;
    for (int r = blockIdx.y; r < rows; r += gridDim.y)
        if (!seen[r]) sum += to_float(dy[(size_t)r * C + c]);
    partial[(size_t)blockIdx.y * C + c] = sum;
}

static int groups_of(int rows)
{
    return rows < MAX_GROUPS ? rows : MAX_GROUPS;
}

float *unseen_scratch(struct tape *tape, const struct tensor *y)
{
    return tape_scratch(tape, (size_t)groups_of(y->B * y->L) * (size_t)y->C);
}

void unseen_backward(struct tape *tape, const struct tensor *y, const struct param *unseen, float *partial)
{
    int rows = y->B * y->L, G = groups_of(rows), C = y->C;
    dim3 grid((unsigned)blocks_of((size_t)C, BLOCK), (unsigned)G);
    if (tape->element == 2)
        LAUNCH(unseen_sums_kernel<bf16>, grid, BLOCK, 0, cuda_of(tape)->stream, partial, (const bf16 *)y->grad,
               y->seen->plane, rows, C);
    else
        LAUNCH(unseen_sums_kernel<float>, grid, BLOCK, 0, cuda_of(tape)->stream, partial, (const float *)y->grad,
               y->seen->plane, rows, C);
    LAUNCHED(tape, "leave out unseen tokens, backward");
    add_partials(tape, grad_of(tape, unseen), NULL, partial, G, C, C);
}
