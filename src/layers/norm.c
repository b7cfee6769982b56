/* norm.c - layer normalisation over channels. */
#include "layers/layer.h"

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
                            p->rstd ? p->rstd + r : NULL, p->x->data + (size_t)r * C, NULL, NULL, 1, p->w->weight->data,
                            p->w->bias->data, p->w->epsilon, C);
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
    p->accumulate = tensor_accumulate(tape, p->x);
    p->partials = norm_partials_take(tape, p->x->C);
    norm_partials_clear(p->partials);
    parallel_run(norm_rows_backward, p);
    norm_partials_add(p->w, p->partials);
    tape_scratch_release(tape);
}

struct tensor *layer_norm_cpu(struct tape *tape, struct tensor *x, const struct norm *w)
{
    struct norm_pass *p = tape_object(tape, sizeof *p);
    size_t rows = (size_t)x->B * x->L;
    *p = (struct norm_pass){.x = x, .y = tape_tensor(tape, x->B, x->L, x->C), .w = w};
    p->y->seen = x->seen;
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
