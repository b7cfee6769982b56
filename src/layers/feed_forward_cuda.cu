/* feed_forward_cuda.cu - x + LN(W2 gelu(W1 x + b1) + b2): the second half of a Swin V2 block. Training stores
 * W1 x + b1, its gelu and the branch before its norm. The branch of a token that is not seen counts 0. */
#include "layers/layer_cuda.cuh"

struct feed_pass {
    struct tensor *x, *y;
    const struct feed_forward *w;
    const float *keep;
    void *h, *g, *u;    /* (rows, 4C), (rows, 4C), (rows, C) of T */
    float *mean, *rstd; /* (rows) */
    /* backward */
    void *du, *dh;
    float *norm_partial, *product_partial, *factors;
};

static void reserve_backward(struct feed_pass *p, struct tape *tape)
{
    int C = p->x->C, rows = p->x->B * p->x->L;
    p->du = tape_scratch_values(tape, (size_t)rows * C);
    p->dh = tape_scratch_values(tape, (size_t)rows * 4 * C);
    p->norm_partial = norm_scratch(tape, rows, C);
    p->product_partial = product_scratch(tape, rows, 4 * C);
    p->factors = factors_scratch(tape, p->x);
}

static void feed_forward_backward(struct tape *tape, void *self)
{
    struct feed_pass *p = (struct feed_pass *)self;
    const struct feed_forward *w = p->w;
    int C = p->x->C, rows = p->x->B * p->x->L;
    reserve_backward(p, tape);
    struct factors keep = branch_factors(tape, p->factors, p->keep, p->x);
    norm_rows_backward(tape, p->du, 0, p->norm_partial, p->y->grad, p->u, p->mean, p->rstd, keep.each, &w->norm, rows,
                       keep.L, C);
    struct product dw2 = weight_product(tape, grad_of(tape, w->w2), grad_of(tape, w->b2), p->product_partial, p->du,
                                        p->g, rows, C, 4 * C);
    run_product(tape, &dw2);
    struct product dh = input_product(tape, p->dh, p->du, w->w2, rows, C, 4 * C, 0);
    dh.epilogue = EPILOGUE_GELU_SLOPE;
    dh.aux = p->h;
    run_product(tape, &dh);
    struct product dw1 = weight_product(tape, grad_of(tape, w->w1), grad_of(tape, w->b1), p->product_partial, p->dh,
                                        p->x->data, rows, 4 * C, C);
    run_product(tape, &dw1);
    struct product dx = input_product(tape, p->x->grad, p->dh, w->w1, rows, 4 * C, C, 1); /* added to the stream's */
    run_product(tape, &dx);
    tape_scratch_release(tape);
}

struct tensor *feed_forward_cuda(struct tape *tape, struct tensor *x, const struct feed_forward *w, const float *keep)
{
    struct feed_pass *p = (struct feed_pass *)tape_object(tape, sizeof *p);
    int C = x->C, rows = x->B * x->L;
    p->x = x;
    p->w = w;
    p->keep = keep;
    p->y = tape_residual(tape, x);
    void *(*take)(struct tape *, size_t) = tape->training ? tape_values : tape_scratch_values;
    if (tape->training) {
        p->mean = tape_floats(tape, (size_t)rows);
        p->rstd = tape_floats(tape, (size_t)rows);
        p->h = tape_values(tape, (size_t)rows * 4 * C);
        reserve_backward(p, tape);
        tape_scratch_release(tape);
    }
    p->g = take(tape, (size_t)rows * 4 * C);
    p->u = take(tape, (size_t)rows * C);
    float *factors = factors_scratch(tape, x);
    tape->counts.linear += (uint64_t)rows * C * 4 * C * 2;
    if (!tape->dry) {
        struct product h = forward_product(tape, p->g, x->data, w->w1, w->b1, rows, 4 * C, C);
        h.epilogue = EPILOGUE_GELU;
        h.aux = p->h;
        run_product(tape, &h);
        struct product u = forward_product(tape, p->u, p->g, w->w2, w->b2, rows, C, 4 * C);
        run_product(tape, &u);
        struct factors f = branch_factors(tape, factors, keep, x);
        norm_rows(tape, p->y->data, p->mean, p->rstd, p->u, x->data, f.each, &w->norm, rows, f.L, C);
    }
    tape_scratch_release(tape);
    tape_record(tape, feed_forward_backward, p);
    return p->y;
}
