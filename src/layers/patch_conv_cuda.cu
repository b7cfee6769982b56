/* patch_conv_cuda.cu - a product with each k x k block of a map's positions, without overlap: ConvNeXt's downsampling.
 * A block's values are gathered into a row laid out as its filter, (channel, row, column); backward gathers again. */
#include <assert.h>

#include "layers/layer_cuda.cuh"

struct patch_conv_pass {
    struct tensor *x, *y;
    const struct patch_conv *w;
    int H, W, K;    /* K = C side^2 */
    void *columns;  /* (rows, K) of T */
    void *dcolumns; /* (rows, K) of T */
    float *partial;
};

/* A thread handles a channel of a block of positions; n: number of threads for all blocks. */
template <typename T>
__global__ void blocks_kernel(T *columns, const T *x, unsigned H, unsigned W, unsigned C, unsigned side, unsigned n)
{
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    unsigned row = i / C, c = i % C, across = W / side, L = H / side * across;
    const T *from = x + (((size_t)(row / L) * H + row % L / across * side) * W + row % across * side) * C + c;
    T *to = columns + (size_t)i * side * side;
    for (unsigned t = 0; t < side * side; t++) to[t] = from[(size_t)(t / side * W + t % side) * C];
}

/* A thread handles a value of x. Inside a block its gradient comes from its position in the gathered row, outside it is
 * 0. */
template <typename T>
__global__ void blocks_backward_kernel(T *dx, float accumulate, const T *dcolumns, unsigned H, unsigned W, unsigned C,
                                       unsigned side, unsigned n)
{
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    unsigned c = i % C, x = i / C % W, y = i / C / W % H, b = i / C / W / H, across = W / side, down = H / side;
    float d = 0;
    if (x / side < across && y / side < down) {
        size_t row = ((size_t)b * down + y / side) * across + x / side;
        d = to_float(dcolumns[((row * C + c) * side + y % side) * side + x % side]);
    }
    store(dx + i, accumulate != 0 ? to_float(dx[i]) + d : d);
}

static int rows_of(const struct patch_conv_pass *p)
{
    return p->y->B * p->y->L;
}

static void gather(struct tape *tape, const struct patch_conv_pass *p)
{
    unsigned n = (unsigned)rows_of(p) * (unsigned)p->x->C;
    if (tape->element == 2)
        LAUNCH(blocks_kernel<bf16>, blocks_of(n, BLOCK), BLOCK, 0, cuda_of(tape)->stream, (bf16 *)p->columns,
               (const bf16 *)p->x->data, p->H, p->W, p->x->C, p->w->side, n);
    else
        LAUNCH(blocks_kernel<float>, blocks_of(n, BLOCK), BLOCK, 0, cuda_of(tape)->stream, (float *)p->columns,
               p->x->data, p->H, p->W, p->x->C, p->w->side, n);
    LAUNCHED(tape, "gather positions");
}

static void scatter(struct tape *tape, const struct patch_conv_pass *p, float accumulate)
{
    unsigned n = (unsigned)p->x->B * (unsigned)p->x->L * (unsigned)p->x->C;
    if (tape->element == 2)
        LAUNCH(blocks_backward_kernel<bf16>, blocks_of(n, BLOCK), BLOCK, 0, cuda_of(tape)->stream, (bf16 *)p->x->grad,
               accumulate, (const bf16 *)p->dcolumns, p->H, p->W, p->x->C, p->w->side, n);
    else
        LAUNCH(blocks_backward_kernel<float>, blocks_of(n, BLOCK), BLOCK, 0, cuda_of(tape)->stream, p->x->grad,
               accumulate, (const float *)p->dcolumns, p->H, p->W, p->x->C, p->w->side, n);
    LAUNCHED(tape, "gather positions, backward");
}

static void reserve_backward(struct patch_conv_pass *p, struct tape *tape)
{
    p->columns = tape_scratch_values(tape, (size_t)rows_of(p) * p->K);
    p->dcolumns = tape_scratch_values(tape, (size_t)rows_of(p) * p->K);
    p->partial = product_scratch(tape, rows_of(p), p->y->C);
}

static void patch_conv_backward(struct tape *tape, void *self)
{
    struct patch_conv_pass *p = (struct patch_conv_pass *)self;
    int rows = rows_of(p), N = p->y->C;
    reserve_backward(p, tape);
    gather(tape, p);
    struct product dw = weight_product(tape, grad_of(tape, p->w->weight), grad_of(tape, p->w->bias), p->partial,
                                       p->y->grad, p->columns, rows, N, p->K);
    run_product(tape, &dw);
    struct product dx = input_product(tape, p->dcolumns, p->y->grad, p->w->weight, rows, N, p->K, 0);
    run_product(tape, &dx);
    scatter(tape, p, tensor_accumulate(tape, p->x));
    tape_scratch_release(tape);
}

struct tensor *patch_conv_cuda(struct tape *tape, struct tensor *x, int H, int W, const struct patch_conv *w)
{
    struct patch_conv_pass *p = (struct patch_conv_pass *)tape_object(tape, sizeof *p);
    int N = w->weight->shape[0], side = w->side;
    assert(x->L == H * W && H >= side && W >= side);
    p->x = x;
    p->w = w;
    p->H = H;
    p->W = W;
    p->K = x->C * side * side;
    p->y = tape_tensor(tape, x->B, H / side * (W / side), N);
    if (tape->training) {
        reserve_backward(p, tape);
        tape_scratch_release(tape);
    }
    p->columns = tape_scratch_values(tape, (size_t)rows_of(p) * p->K);
    tape->counts.linear += (uint64_t)rows_of(p) * N * p->K;
    if (!tape->dry) {
        gather(tape, p);
        struct product y = forward_product(tape, p->y->data, p->columns, w->weight, w->bias, rows_of(p), N, p->K);
        run_product(tape, &y);
    }
    tape_scratch_release(tape);
    tape_record(tape, patch_conv_backward, p);
    return p->y;
}
