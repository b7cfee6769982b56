/* feature_cuda.cu - layers on features (B, 1, C), in float32: concatenation, normalisation to length 1, linear */
#include <assert.h>

#include "layers/layer_cuda.cuh"

/* ------------------------------------------------------------------ concatenation */

enum { MAX_PARTS = 4 };

struct concatenate_pass {
    struct tensor *parts[MAX_PARTS], *y;
    int count;
};

/* y (B, ldy) = x (B, ldx) for the first n columns of each; adds to y if accumulate is 1 */
__global__ void copy_rows_kernel(float *y, int ldy, const float *x, int ldx, int B, int n, float accumulate)
{
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= (size_t)B * n) return;
    float *to = y + i / n * ldy + i % n;
    *to = x[i / n * ldx + i % n] + (accumulate != 0 ? *to : 0);
}

static void copy_rows(struct tape *tape, float *y, int ldy, const float *x, int ldx, int B, int n, float accumulate)
{
    LAUNCH(copy_rows_kernel, blocks_of((size_t)B * (size_t)n, BLOCK), BLOCK, 0, cuda_of(tape)->stream, y, ldy, x, ldx,
           B, n, accumulate);
    LAUNCHED(tape, "concatenate");
}

static void concatenate_backward(struct tape *tape, void *self)
{
    const struct concatenate_pass *p = (const struct concatenate_pass *)self;
    int at = 0;
    for (int i = 0; i < p->count; i++) {
        struct tensor *x = p->parts[i];
        float accumulate = tensor_accumulate(tape, x);
        copy_rows(tape, x->grad, x->C, p->y->grad + at, p->y->C, x->B, x->C, accumulate);
        at += x->C;
    }
}

struct tensor *concatenate_cuda(struct tape *tape, struct tensor *const *parts, int count)
{
    struct concatenate_pass *p = (struct concatenate_pass *)tape_object(tape, sizeof *p);
    int C = 0, at = 0;
    p->count = count;
    for (int i = 0; i < count; i++) {
        assert(parts[i]->element == 4);
        p->parts[i] = parts[i];
        C += parts[i]->C;
    }
    p->y = tape_feature(tape, parts[0]->B, C);
    for (int i = 0; i < count && !tape->dry; i++) {
        copy_rows(tape, p->y->data + at, C, parts[i]->data, parts[i]->C, parts[i]->B, parts[i]->C, 0);
        at += parts[i]->C;
    }
    tape_record(tape, concatenate_backward, p);
    return p->y;
}

/* ------------------------------------------------------------------ length 1 */

struct unit_pass {
    struct tensor *x, *y;
    float *inverse; /* (B) r = 1 / (|x| + epsilon) */
    float epsilon;
};

/* One block per row. */
__global__ void unit_kernel(float *y, float *inverse, const float *x, float epsilon, int C)
{
    __shared__ double sums[BLOCK];
    size_t at = (size_t)blockIdx.x * C;
    double square = 0;
    for (int c = threadIdx.x; c < C; c += BLOCK) square += (double)x[at + c] * x[at + c];
    float r = (float)(1 / fmax(sqrt(block_sum(square, sums)) + epsilon, 1e-12)); /* a row may be all zeros */
    for (int c = threadIdx.x; c < C; c += BLOCK) y[at + c] = x[at + c] * r;
    if (threadIdx.x == 0) inverse[blockIdx.x] = r;
}

/* dx = r (dy - y (y . dy) / (r |x|)), with r |x| = 1 - r epsilon. Without epsilon that factor is 1, also for a row of
 * zeros. */
__global__ void unit_backward_kernel(float *dx, float accumulate, const float *dy, const float *y, const float *inverse,
                                     float epsilon, int C)
{
    __shared__ double sums[BLOCK];
    size_t at = (size_t)blockIdx.x * C;
    double along = 0;
    for (int c = threadIdx.x; c < C; c += BLOCK) along += (double)y[at + c] * dy[at + c];
    float r = inverse[blockIdx.x];
    float a = (float)(block_sum(along, sums) / fmax(1 - (double)r * epsilon, 1e-12));
    for (int c = threadIdx.x; c < C; c += BLOCK)
        dx[at + c] = r * (dy[at + c] - y[at + c] * a) + (accumulate != 0 ? dx[at + c] : 0);
}

static void l2_normalise_backward(struct tape *tape, void *self)
{
    const struct unit_pass *p = (const struct unit_pass *)self;
    float accumulate = tensor_accumulate(tape, p->x);
    LAUNCH(unit_backward_kernel, p->x->B, BLOCK, 0, cuda_of(tape)->stream, p->x->grad, accumulate, p->y->grad,
           p->y->data, p->inverse, p->epsilon, p->x->C);
    LAUNCHED(tape, "normalise features, backward");
}

struct tensor *l2_normalise_cuda(struct tape *tape, struct tensor *x, float epsilon)
{
    struct unit_pass *p = (struct unit_pass *)tape_object(tape, sizeof *p);
    assert(x->element == 4);
    p->x = x;
    p->epsilon = epsilon;
    p->y = tape_feature(tape, x->B, x->C);
    p->inverse = tape_floats(tape, (size_t)x->B);
    if (!tape->dry) {
        LAUNCH(unit_kernel, x->B, BLOCK, 0, cuda_of(tape)->stream, p->y->data, p->inverse, x->data, epsilon, x->C);
        LAUNCHED(tape, "normalise features");
    }
    tape_record(tape, l2_normalise_backward, p);
    return p->y;
}

/* ------------------------------------------------------------------ linear; its tests also run it on maps */

struct linear_pass {
    struct tensor *x, *y;
    const struct linear *w;
    enum activation f;
    void *h; /* (rows, N) W x + b, for GELU's derivative */
    /* backward */
    void *dh;
    float *partial;
};

template <typename T> __global__ void relu_kernel(T *y, size_t n)
{
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) store(y + i, fmaxf(to_float(y[i]), 0));
}

/* Multiply by the derivative of f, from h for GELU, from y for ReLU. */
template <typename T> __global__ void slope_kernel(T *dh, const T *dy, const T *h, const T *y, size_t n)
{
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float slope = h ? gelu_slope(to_float(h[i])) : to_float(y[i]) <= 0 ? 0 : 1;
    store(dh + i, to_float(dy[i]) * slope);
}

static size_t values_of(const struct tensor *x)
{
    return (size_t)x->B * (size_t)x->L * (size_t)x->C;
}

template <typename T> static void relu(struct tape *tape, struct tensor *y)
{
    size_t n = values_of(y);
    LAUNCH(relu_kernel<T>, blocks_of(n, BLOCK), BLOCK, 0, cuda_of(tape)->stream, (T *)y->data, n);
    LAUNCHED(tape, "apply a ReLU");
}

template <typename T> static void slope(struct tape *tape, const struct linear_pass *p)
{
    size_t n = values_of(p->y);
    LAUNCH(slope_kernel<T>, blocks_of(n, BLOCK), BLOCK, 0, cuda_of(tape)->stream, (T *)p->dh, (const T *)p->y->grad,
           (const T *)p->h, (const T *)p->y->data, n);
    LAUNCHED(tape, "apply an activation, backward");
}

static void reserve_backward(struct linear_pass *p, struct tape *tape)
{
    p->dh = p->f == IDENTITY ? p->y->grad : tape_scratch(tape, (values_of(p->y) * (size_t)p->y->element + 3) / 4);
    p->partial = product_scratch(tape, p->x->B * p->x->L, p->y->C);
}

static void linear_backward(struct tape *tape, void *self)
{
    struct linear_pass *p = (struct linear_pass *)self;
    const struct linear *w = p->w;
    int rows = p->x->B * p->x->L, N = p->y->C, K = p->x->C, element = p->x->element;
    float accumulate = tensor_accumulate(tape, p->x);
    reserve_backward(p, tape);
    if (p->f != IDENTITY && element == 2) slope<bf16>(tape, p);
    if (p->f != IDENTITY && element == 4) slope<float>(tape, p);
    struct product dx = input_product(tape, p->x->grad, p->dh, w->weight, rows, N, K, accumulate, element);
    run_product(tape, &dx);
    struct product dw = weight_product(tape, grad_of(tape, w->weight), w->bias ? grad_of(tape, w->bias) : NULL,
                                       p->partial, p->dh, p->x->data, rows, N, K, element);
    run_product(tape, &dw);
    tape_scratch_release(tape);
}

struct tensor *linear_cuda(struct tape *tape, struct tensor *x, const struct linear *w, enum activation f)
{
    struct linear_pass *p = (struct linear_pass *)tape_object(tape, sizeof *p);
    int rows = x->B * x->L, N = w->weight->shape[0], K = x->C;
    assert(x->element == tape->element || x->L == 1);
    p->x = x;
    p->w = w;
    p->f = f;
    p->y = x->element == tape->element ? tape_tensor(tape, x->B, x->L, N) : tape_feature(tape, x->B, N);
    if (f == GELU && tape->training) p->h = tape_floats(tape, (values_of(p->y) * (size_t)x->element + 3) / 4);
    if (tape->training) {
        reserve_backward(p, tape);
        tape_scratch_release(tape);
    }
    tape->counts.linear += (uint64_t)rows * K * N;
    if (!tape->dry) {
        struct product y = forward_product(tape, p->y->data, x->data, w->weight, w->bias, rows, N, K, x->element);
        if (f == GELU) y.epilogue = EPILOGUE_GELU, y.aux = p->h;
        run_product(tape, &y);
        if (f == RELU && x->element == 2) relu<bf16>(tape, p->y);
        if (f == RELU && x->element == 4) relu<float>(tape, p->y);
    }
    tape_record(tape, linear_backward, p);
    return p->y;
}
