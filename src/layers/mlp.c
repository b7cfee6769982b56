/* mlp.c - x + gamma (W2 gelu(W1 LN(u) + b1) + b2): the MLP of ConvNeXt and of pre-norm transformers
 *
 * A tile of rows passes through the norm and both products while it is in cache. Training stores the normalised u, W1
 * LN(u) + b1 and, for gamma's gradient, the branch before gamma; backward recomputes LN(u) and gelu. */
#include "layers/layer.h"

struct mlp_pass {
    struct tensor *x, *u, *y;
    const struct mlp *w;
    const float *keep;
    int N; /* hidden channels */
    bool training, packed;
    float *xhat, *rstd, *h, *v; /* training: (rows, C), (rows), (rows, N), (rows, C) */
    float *scratch;
    size_t scratch_each; /* floats per thread */
    /* backward */
    bool add; /* u's gradient is added to, not overwritten */
    struct norm_partials partials;
    float *dgamma;               /* (threads, C) */
    float *n, *dv, *dn, *g, *dh; /* of one chunk: LN(u), dv, dn (rows, C); g, dh (rows, N) */
};

static float keep_of(const struct mlp_pass *p, int row)
{
    return p->keep ? p->keep[row / p->x->L] : 1;
}

static const float *scale_of(const struct mlp_pass *p)
{
    return p->w->gamma ? p->w->gamma->data : NULL;
}

/* Rows first..first+rows-1, shared by a team or by one thread alone. */
static void mlp_tile(const struct mlp_pass *p, int first, int rows, float *scratch, struct team team)
{
    const struct mlp *w = p->w;
    int C = p->x->C, N = p->N, from, to;
    float *n = scratch, *g = n + (size_t)rows * C, *h = p->training ? p->h + (size_t)first * N : g;
    float *v = p->training ? p->v + (size_t)first * C : n;
    parallel_range(&from, &to, rows, 1, team);
    for (int r = from; r < to; r++) {
        size_t at = (size_t)first + r;
        kernels()->norm_row(n + (size_t)r * C, p->training ? p->xhat + at * C : NULL, p->training ? p->rstd + at : NULL,
                            p->u->data + at * C, NULL, NULL, 1, w->norm.weight->data, w->norm.bias->data,
                            w->norm.epsilon, C);
    }
    parallel_barrier(team);
    gemm_weight(h, N, n, C, w->w1->data, p->packed, rows, N, C, team);
    parallel_barrier(team);
    (w->gelu == GELU_TANH ? kernels()->gelu_tanh : kernels()->gelu)(g + (size_t)from * N, h + (size_t)from * N,
                                                                    w->b1->data, to - from, N, p->training);
    parallel_barrier(team);
    gemm_weight(v, C, g, N, w->w2->data, p->packed, rows, C, N, team);
    parallel_barrier(team);
    for (int r = from; r < to; r++) {
        size_t at = ((size_t)first + r) * C;
        kernels()->conv->scaled_row(p->y->data + at, v + (size_t)r * C, w->b2->data, p->x->data + at,
                                    keep_of(p, first + r), scale_of(p), C, p->training);
    }
    parallel_barrier(team);
}

static void mlp_rows(void *argument, struct team team)
{
    const struct mlp_pass *p = argument;
    int rows = p->x->B * p->x->L, tile = hidden_tile_rows(p->x->C), from, to;
    if (shares_tiles(rows, 48, team)) {
        for (int r = 0; r < rows; r += tile) mlp_tile(p, r, smaller(tile, rows - r), p->scratch, team);
        return;
    }
    parallel_range(&from, &to, rows, 1, team);
    for (int r = from; r < to; r += tile)
        mlp_tile(p, r, smaller(tile, to - r), p->scratch + team.rank * p->scratch_each, (struct team){0, 1});
}

/* Rows from..to-1 of the chunk at `first`: all gradients except those of the weights. */
static void backward_rows(const struct mlp_pass *p, int first, int from, int to, struct team team)
{
    const struct mlp *w = p->w;
    int C = p->x->C, N = p->N, mine = to - from;
    float *sums = norm_partial(p->partials, team), *dgamma = p->dgamma + (size_t)team.rank * C;
    float *dv = p->dv + (size_t)from * C, *dn = p->dn + (size_t)from * C, *n = p->n + (size_t)from * C;
    float *dh = p->dh + (size_t)from * N, *g = p->g + (size_t)from * N;
    for (int r = 0; r < mine; r++) {
        size_t row = (size_t)first + from + r;
        kernels()->conv->scaled_row_backward(dv + (size_t)r * C, dgamma, p->y->grad + row * C, p->v + row * C,
                                             keep_of(p, (int)row), scale_of(p), C);
        kernels()->conv->multiply_add(n + (size_t)r * C, p->xhat + row * C, w->norm.weight->data, w->norm.bias->data,
                                      C);
    }
    gemm('N', 'N', mine, N, C, dv, C, w->w2->data, N, 0, dh, N);
    (w->gelu == GELU_TANH ? kernels()->gelu_tanh_backward
                          : kernels()->gelu_backward)(dh, g, dh, p->h + ((size_t)first + from) * N, (size_t)mine * N);
    gemm('N', 'N', mine, C, N, dh, N, w->w1->data, C, 0, dn, C);
    for (int r = 0; r < mine; r++) {
        size_t row = (size_t)first + from + r;
        float *d = dn + (size_t)r * C, *du = p->u->grad + row * C;
        kernels()->norm_row_backward(d, sums, sums + C, d, p->xhat + row * C, p->rstd[row], 1, w->norm.weight->data, C);
        if (p->add)
            kernels()->add(du, d, C);
        else
            memcpy(du, d, C * sizeof *du);
    }
}

static void backward_chunks(void *argument, struct team team)
{
    const struct mlp_pass *p = argument;
    const struct mlp *w = p->w;
    int C = p->x->C, N = p->N, all = p->x->B * p->x->L, from, to;
    memset(p->dgamma + (size_t)team.rank * C, 0, C * sizeof *p->dgamma);
    for (int first = 0; first < all; first += CHUNK_ROWS) {
        int rows = smaller(CHUNK_ROWS, all - first);
        parallel_range(&from, &to, rows, 1, team);
        if (from < to) backward_rows(p, first, from, to, team);
        parallel_barrier(team);
        weight_gradient(w->w2->grad, p->dv, C, p->g, N, rows, C, N, team);
        weight_gradient(w->w1->grad, p->dh, N, p->n, C, rows, N, C, team);
        bias_gradient(w->b2->grad, p->dv, C, rows, C, team);
        bias_gradient(w->b1->grad, p->dh, N, rows, N, team);
        parallel_barrier(team);
    }
    parallel_range(&from, &to, C, 16, team);
    for (int rank = 0; w->gamma && rank < team.size && from < to; rank++)
        kernels()->add(w->gamma->grad + from, p->dgamma + (size_t)rank * C + from, to - from);
}

static void reserve_backward(struct mlp_pass *p, struct tape *tape)
{
    int C = p->x->C;
    size_t rows = (size_t)smaller(CHUNK_ROWS, p->x->B * p->x->L);
    p->partials = norm_partials_take(tape, C);
    p->dgamma = tape_scratch(tape, (size_t)parallel_threads() * C);
    p->n = tape_scratch(tape, rows * C);
    p->dv = tape_scratch(tape, rows * C);
    p->dn = tape_scratch(tape, rows * C);
    p->g = tape_scratch(tape, rows * p->N);
    p->dh = tape_scratch(tape, rows * p->N);
}

/* x's gradient is y's (tape_residual). If u is x, the branch's is added to it. */
static void mlp_backward(struct tape *tape, void *self)
{
    struct mlp_pass *p = self;
    p->add = p->u == p->x || tensor_accumulate(tape, p->u) != 0;
    reserve_backward(p, tape);
    norm_partials_clear(p->partials);
    parallel_run(backward_chunks, p);
    norm_partials_add(&p->w->norm, p->partials);
    tape_scratch_release(tape);
}

struct tensor *mlp_cpu(struct tape *tape, struct tensor *x, struct tensor *u, const struct mlp *w, const float *keep)
{
    struct mlp_pass *p = tape_object(tape, sizeof *p);
    int C = x->C, N = w->w1->shape[0];
    size_t rows = (size_t)x->B * x->L;
    *p = (struct mlp_pass){.x = x, .u = u, .w = w, .keep = keep, .N = N};
    p->training = tape->training;
    p->packed = tape->packed;
    p->y = tape_residual(tape, x);
    p->scratch_each = (size_t)hidden_tile_rows(C) * (C + N);
    if (tape->training) {
        p->xhat = tape_floats(tape, rows * C);
        p->rstd = tape_floats(tape, rows);
        p->h = tape_floats(tape, rows * N);
        p->v = tape_floats(tape, rows * C);
        reserve_backward(p, tape);
        tape_scratch_release(tape);
    }
    p->scratch = tape_scratch(tape, parallel_threads() * p->scratch_each);
    tape->counts.linear += rows * C * N * 2;
    if (!tape->dry) parallel_run(mlp_rows, p);
    tape_scratch_release(tape);
    tape_record(tape, mlp_backward, p);
    return p->y;
}
