/* roll_cuda.cu - a map turned by whole columns */
#include <assert.h>

#include "layers/layer_cuda.cuh"

struct roll_pass {
    struct tensor *x, *y;
    int W, columns;
};

/* The row of y that holds row r of x. */
__device__ static int rolled(int r, int W, int columns)
{
    return r - r % W + (r % W + columns) % W;
}

template <typename T> __global__ void roll_kernel(T *y, const T *x, int W, int columns, int C, size_t n)
{
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[(size_t)rolled((int)(i / C), W, columns) * C + i % C] = x[i];
}

template <typename T>
__global__ void roll_backward_kernel(T *dx, float accumulate, const T *dy, int W, int columns, int C, size_t n)
{
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float d = to_float(dy[(size_t)rolled((int)(i / C), W, columns) * C + i % C]);
    store(dx + i, accumulate != 0 ? to_float(dx[i]) + d : d);
}

static size_t values(const struct tensor *x)
{
    return (size_t)x->B * (size_t)x->L * (size_t)x->C;
}

static void roll_backward(struct tape *tape, void *self)
{
    struct roll_pass *p = (struct roll_pass *)self;
    size_t n = values(p->x);
    float accumulate = tensor_accumulate(tape, p->x);
    if (tape->element == 2)
        LAUNCH(roll_backward_kernel<bf16>, blocks_of(n, BLOCK), BLOCK, 0, cuda_of(tape)->stream, (bf16 *)p->x->grad,
               accumulate, (const bf16 *)p->y->grad, p->W, p->columns, p->x->C, n);
    else
        LAUNCH(roll_backward_kernel<float>, blocks_of(n, BLOCK), BLOCK, 0, cuda_of(tape)->stream, p->x->grad,
               accumulate, (const float *)p->y->grad, p->W, p->columns, p->x->C, n);
    LAUNCHED(tape, "roll a map, backward");
}

static void roll_forward(struct tape *tape, const struct roll_pass *p)
{
    size_t n = values(p->x), rows = n / (size_t)p->x->C;
    cudaStream_t stream = cuda_of(tape)->stream;
    if (tape->element == 2)
        LAUNCH(roll_kernel<bf16>, blocks_of(n, BLOCK), BLOCK, 0, stream, (bf16 *)p->y->data, (const bf16 *)p->x->data,
               p->W, p->columns, p->x->C, n);
    else
        LAUNCH(roll_kernel<float>, blocks_of(n, BLOCK), BLOCK, 0, stream, p->y->data, (const float *)p->x->data, p->W,
               p->columns, p->x->C, n);
    if (p->x->seen)
        LAUNCH(roll_kernel<uint8_t>, blocks_of(rows, BLOCK), BLOCK, 0, stream, p->y->seen->plane,
               (const uint8_t *)p->x->seen->plane, p->W, p->columns, 1, rows);
    LAUNCHED(tape, "roll a map");
}

struct tensor *roll_cuda(struct tape *tape, struct tensor *x, int W, int columns)
{
    struct roll_pass *p = (struct roll_pass *)tape_object(tape, sizeof *p);
    assert(x->L % W == 0 && columns >= 0 && columns < W);
    p->x = x;
    p->W = W;
    p->columns = columns;
    p->y = tape_tensor(tape, x->B, x->L, x->C);
    if (x->seen) p->y->seen = tape_seen(tape, x->B, x->L);
    if (!tape->dry) roll_forward(tape, p);
    tape_record(tape, roll_backward, p);
    return p->y;
}
