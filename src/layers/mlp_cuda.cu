/* mlp_cuda.cu - x + gamma (W2 gelu(W1 LN(u) + b1) + b2): the second half of a ConvNeXt block, with u the filtered x, or
 * of a pre-norm block, with u = x. Training stores W1 LN(u) + b1, its gelu and the branch before gamma; backward
 * recomputes LN(u). */
#include "layers/layer_cuda.cuh"

static const int WARPS = BLOCK / 32, ROWS_EACH = 4 /* minimum rows per warp */, MAX_BLOCKS = 256;

struct mlp_pass {
    struct tensor *x, *u, *y;
    const struct mlp *w;
    const float *keep;
    int N;              /* hidden width */
    void *h, *g, *v;    /* (rows, N), (rows, N), (rows, C) of T */
    float *mean, *rstd; /* (rows) */
    /* backward */
    void *n, *dv, *dh; /* (rows, C), (rows, C), (rows, N) of T */
    float *norm_partial, *product_partial, *gamma_partial;
};

/* y = x + keep gamma v, one warp per row; keep and gamma may be NULL. y may be x. */
template <typename T>
__global__ void branch_kernel(T *y, const T *x, const T *v, const float *keep, const float *gamma, int rows, int L,
                              int C)
{
    int row = blockIdx.x * WARPS + threadIdx.x / WARP;
    if (row >= rows) return;
    size_t at = (size_t)row * C;
    float scale = keep ? keep[row / L] : 1;
    for (int c = threadIdx.x % WARP; c < C; c += WARP)
        store(y + at + c, to_float(x[at + c]) + scale * (gamma ? gamma[c] : 1) * to_float(v[at + c]));
}

/* dv = keep gamma dy; partial (gridDim.y, C) = sums of keep dy v over a block's rows. Block (g, i) handles channels 32
 * g and on. Without gamma, neither v nor partial is accessed. */
template <typename T>
__global__ void branch_backward_kernel(T *dv, float *partial, const T *dy, const T *v, const float *keep,
                                       const float *gamma, int rows, int L, int C)
{
    __shared__ float sums[WARPS][WARP];
    int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, c = blockIdx.x * WARP + lane;
    float sum = 0;
    for (int row = blockIdx.y * WARPS + warp; c < C && row < rows; row += gridDim.y * WARPS) {
        size_t at = (size_t)row * C + c;
        float d = (keep ? keep[row / L] : 1) * to_float(dy[at]);
        if (gamma) sum += d * to_float(v[at]);
        store(dv + at, gamma ? d * gamma[c] : d);
    }
    sums[warp][lane] = sum;
    __syncthreads();
    if (warp > 0 || c >= C || gamma == NULL) return;
    for (int i = 1; i < WARPS; i++) sum += sums[i][lane];
    partial[(size_t)blockIdx.y * C + c] = sum;
}

static int rows_of(const struct mlp_pass *p)
{
    return p->x->B * p->x->L;
}

static const float *gamma_of(const struct tape *tape, const struct mlp_pass *p)
{
    return p->w->gamma ? weight_of(tape, p->w->gamma) : NULL;
}

static int branch_blocks(const struct mlp_pass *p)
{
    int blocks = blocks_of((size_t)rows_of(p), WARPS * ROWS_EACH);
    return blocks < MAX_BLOCKS ? blocks : MAX_BLOCKS;
}

template <typename T> static void add_branch(struct tape *tape, const struct mlp_pass *p)
{
    LAUNCH(branch_kernel<T>, blocks_of((size_t)rows_of(p), WARPS), BLOCK, 0, cuda_of(tape)->stream, (T *)p->y->data,
           (const T *)p->x->data, (const T *)p->v, p->keep, gamma_of(tape, p), rows_of(p), p->x->L, p->x->C);
    LAUNCHED(tape, "add a branch");
}

template <typename T> static void branch_backward(struct tape *tape, const struct mlp_pass *p)
{
    dim3 shape((unsigned)blocks_of((size_t)p->x->C, WARP), (unsigned)branch_blocks(p));
    LAUNCH(branch_backward_kernel<T>, shape, BLOCK, 0, cuda_of(tape)->stream, (T *)p->dv, p->gamma_partial,
           (const T *)p->y->grad, (const T *)p->v, p->keep, gamma_of(tape, p), rows_of(p), p->x->L, p->x->C);
    LAUNCHED(tape, "add a branch, backward");
    if (p->w->gamma)
        add_partials(tape, grad_of(tape, p->w->gamma), NULL, p->gamma_partial, branch_blocks(p), p->x->C, p->x->C);
}

static void reserve_backward(struct mlp_pass *p, struct tape *tape)
{
    int C = p->x->C, N = p->N, rows = rows_of(p);
    p->n = tape_scratch_values(tape, (size_t)rows * C);
    p->dv = tape_scratch_values(tape, (size_t)rows * C);
    p->dh = tape_scratch_values(tape, (size_t)rows * N);
    p->norm_partial = norm_scratch(tape, rows, C);
    p->product_partial = product_scratch(tape, rows, N > C ? N : C);
    p->gamma_partial = tape_scratch(tape, (size_t)branch_blocks(p) * C);
}

static void mlp_backward(struct tape *tape, void *self)
{
    struct mlp_pass *p = (struct mlp_pass *)self;
    const struct mlp *w = p->w;
    int C = p->x->C, N = p->N, rows = rows_of(p);
    reserve_backward(p, tape);
    if (tape->element == 2)
        branch_backward<bf16>(tape, p);
    else
        branch_backward<float>(tape, p);
    struct product dw2 =
        weight_product(tape, grad_of(tape, w->w2), grad_of(tape, w->b2), p->product_partial, p->dv, p->g, rows, C, N);
    run_product(tape, &dw2);
    struct product dh = input_product(tape, p->dh, p->dv, w->w2, rows, C, N, 0);
    dh.epilogue = EPILOGUE_GELU_SLOPE;
    dh.by_tanh = w->gelu == GELU_TANH;
    dh.aux = p->h;
    run_product(tape, &dh);
    norm_rows(tape, p->n, NULL, NULL, p->u->data, NULL, NULL, &w->norm, rows, p->x->L, C);
    struct product dw1 =
        weight_product(tape, grad_of(tape, w->w1), grad_of(tape, w->b1), p->product_partial, p->dh, p->n, rows, N, C);
    run_product(tape, &dw1);
    void *dn = p->dv; /* dv is no longer needed */
    struct product dx = input_product(tape, dn, p->dh, w->w1, rows, N, C, 0);
    run_product(tape, &dx);
    float accumulate = p->u == p->x ? 1 : tensor_accumulate(tape, p->u); /* added to the stream's */
    norm_rows_backward(tape, p->u->grad, accumulate, p->norm_partial, dn, p->u->data, p->mean, p->rstd, NULL, &w->norm,
                       rows, p->x->L, C);
    tape_scratch_release(tape);
}

static void run_mlp(struct tape *tape, struct mlp_pass *p)
{
    const struct mlp *w = p->w;
    int C = p->x->C, rows = rows_of(p);
    norm_rows(tape, p->n, p->mean, p->rstd, p->u->data, NULL, NULL, &w->norm, rows, p->x->L, C);
    struct product h = forward_product(tape, p->g, p->n, w->w1, w->b1, rows, p->N, C);
    h.epilogue = EPILOGUE_GELU;
    h.by_tanh = w->gelu == GELU_TANH;
    h.aux = p->h;
    run_product(tape, &h);
    struct product v = forward_product(tape, p->v, p->g, w->w2, w->b2, rows, C, p->N);
    run_product(tape, &v);
    if (tape->element == 2)
        add_branch<bf16>(tape, p);
    else
        add_branch<float>(tape, p);
}

struct tensor *mlp_cuda(struct tape *tape, struct tensor *x, struct tensor *u, const struct mlp *w, const float *keep)
{
    struct mlp_pass *p = (struct mlp_pass *)tape_object(tape, sizeof *p);
    int rows = x->B * x->L;
    p->x = x;
    p->u = u;
    p->w = w;
    p->keep = keep;
    p->N = w->w1->shape[0];
    p->y = tape_residual(tape, x);
    void *(*take)(struct tape *, size_t) = tape->training ? tape_values : tape_scratch_values;
    if (tape->training) {
        p->mean = tape_floats(tape, (size_t)rows);
        p->rstd = tape_floats(tape, (size_t)rows);
        p->h = tape_values(tape, (size_t)rows * p->N);
        reserve_backward(p, tape);
        tape_scratch_release(tape);
    }
    p->g = take(tape, (size_t)rows * p->N);
    p->v = take(tape, (size_t)rows * x->C);
    p->n = tape_scratch_values(tape, (size_t)rows * x->C);
    tape->counts.linear += (uint64_t)rows * x->C * p->N * 2;
    if (!tape->dry) run_mlp(tape, p);
    tape_scratch_release(tape);
    tape_record(tape, mlp_backward, p);
    return p->y;
}
