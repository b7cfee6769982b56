/* norm.c - layer normalisation over channels, and what every layer does for its weights' gradients. */
#include "nn/layer.h"

void norm_partials_clear(struct norm_partials p)
{
    memset(p.sums, 0, norm_partials_floats(p.C) * sizeof *p.sums);
}

void norm_partials_add(const struct norm *w, struct norm_partials p)
{
    for (int rank = 0; rank < parallel_threads(); rank++) {
        const float *sums = p.sums + (size_t)rank * 2 * p.C;
        kernels()->add(w->weight->grad, sums, p.C);
        kernels()->add(w->bias->grad, sums + p.C, p.C);
    }
}

void weight_gradient(float *dw, const float *dy, int ldy, const float *x, int ldx, int rows, int N, int K,
                     struct team team)
{
    int from, to;
    parallel_range(&from, &to, N, 16, team);
    if (from < to) gemm('T', 'N', to - from, K, rows, dy + from, ldy, x, ldx, 1, dw + (size_t)from * K, K);
}

void bias_gradient(float *db, const float *dy, int ldy, int rows, int N, struct team team)
{
    int from, to;
    parallel_range(&from, &to, N, 16, team);
    kernels()->column_sum(db, dy, ldy, rows, from, to);
}

struct norm_pass {
    struct tensor *x, *y;
    const struct norm *w;
    float *xhat, *rstd; /* (rows, C), (rows) */
    float accumulate;
    struct norm_partials partials;
};

static void norm_rows(void *argument, struct team team)
{
    const struct norm_pass *p = argument;
    int C = p->x->C, from, to;
    parallel_range(&from, &to, p->x->B * p->x->L, 1, team);
    for (int r = from; r < to; r++)
        kernels()->norm_row(p->y->data + (size_t)r * C, p->xhat ? p->xhat + (size_t)r * C : NULL,
                            p->rstd ? p->rstd + r : NULL, p->x->data + (size_t)r * C, NULL, NULL, 1,
                            p->w->weight->data, p->w->bias->data, C);
}

static void norm_rows_backward(void *argument, struct team team)
{
    const struct norm_pass *p = argument;
    int C = p->x->C, from, to;
    float *sums = norm_partial(p->partials, team);
    parallel_range(&from, &to, p->x->B * p->x->L, 1, team);
    for (int r = from; r < to; r++) {
        float *du = p->xhat + (size_t)r * C, *dx = p->x->grad + (size_t)r * C;
        kernels()->norm_row_backward(du, sums, sums + C, p->y->grad + (size_t)r * C, du, p->rstd[r], 1,
                                     p->w->weight->data, C);
        if (p->accumulate != 0)
            kernels()->add(dx, du, C);
        else
            memcpy(dx, du, C * sizeof *dx);
    }
}

static void layer_norm_backward(struct tape *tape, void *self)
{
    struct norm_pass *p = self;
    p->accumulate = tensor_accumulate(p->x);
    p->partials = norm_partials_take(tape, p->x->C);
    norm_partials_clear(p->partials);
    parallel_run(norm_rows_backward, p);
    norm_partials_add(p->w, p->partials);
    tape_scratch_release(tape);
}

struct tensor *layer_norm(struct tape *tape, struct tensor *x, const struct norm *w)
{
    struct norm_pass *p = tape_object(tape, sizeof *p);
    size_t rows = (size_t)x->B * x->L;
    *p = (struct norm_pass){.x = x, .y = tape_tensor(tape, x->B, x->L, x->C), .w = w};
    if (tape->training) {
        p->xhat = tape_floats(tape, rows * x->C);
        p->rstd = tape_floats(tape, rows);
        tape_scratch(tape, norm_partials_floats(x->C));
        tape_scratch_release(tape);
    }
    if (!tape->dry) parallel_run(norm_rows, p);
    tape_record(tape, layer_norm_backward, p);
    return p->y;
}
