/* feed_forward.c - x + LN(W2 gelu(W1 x + b1) + b2): the second half of a Swin V2 block
 *
 * A tile of rows passes through both products and the norm while it is in cache: those of the seen tokens only, which
 * are gathered (layers.def). Training stores W1 x + b1 and the normalised branch; backward recomputes gelu. */
#include "layers/layer.h"

struct feed_pass {
    struct tensor *x, *y;
    const struct feed_forward *w;
    const float *keep;
    bool training, packed;
    float *h, *xhat, *rstd; /* training: (rows, 4C), (rows, C), (rows) */
    float *scratch;
    size_t scratch_each; /* floats per thread */
    /* backward */
    struct norm_partials partials;
    float *du, *dh, *g, *dx; /* of one chunk: (rows, C), (rows, 4C), (rows, 4C), (rows, C) */
    float *xt;               /* of one chunk: (rows, C) x of the seen tokens; NULL if all are seen */
};

static float keep_of(const struct feed_pass *p, size_t row)
{
    return p->keep ? p->keep[row / (size_t)p->x->L] : 1;
}

/* Gather the rows first..first+rows-1 of the seen tokens of x. */
static void gather(float *to, const struct feed_pass *p, int first, int rows)
{
    int C = p->x->C;
    for (int r = 0; r < rows; r++)
        memcpy(to + (size_t)r * C, p->x->data + row_seen(p->x, first + r) * C, C * sizeof *to);
}

/* Rows first..first+rows-1, shared by a team or by one thread alone. */
static void feed_tile(const struct feed_pass *p, int first, int rows, float *scratch, struct team team)
{
    const struct feed_forward *w = p->w;
    int C = p->x->C, from, to;
    float *xt = scratch + (size_t)rows * C * (p->training ? 4 : 5);
    const float *x = p->x->seen ? xt : p->x->data + (size_t)first * C;
    float *g = scratch, *h = p->training ? p->h + (size_t)first * 4 * C : g;
    float *u = p->training ? p->xhat + (size_t)first * C : scratch + (size_t)rows * 4 * C;
    parallel_range(&from, &to, rows, 1, team);
    if (p->x->seen) {
        gather(xt + (size_t)from * C, p, first + from, to - from);
        parallel_barrier(team);
    }
    gemm_weight(h, 4 * C, x, C, w->w1->data, p->packed, rows, 4 * C, C, team);
    parallel_barrier(team);
    kernels()->gelu(g + (size_t)from * 4 * C, h + (size_t)from * 4 * C, w->b1->data, to - from, 4 * C, p->training);
    parallel_barrier(team);
    gemm_weight(u, C, g, 4 * C, w->w2->data, p->packed, rows, C, 4 * C, team);
    parallel_barrier(team);
    for (int r = from; r < to; r++) {
        size_t row = row_seen(p->x, first + r);
        kernels()->norm_row(p->y->data + row * C, p->training ? u + (size_t)r * C : NULL,
                            p->training ? p->rstd + first + r : NULL, u + (size_t)r * C, w->b2->data, x + (size_t)r * C,
                            keep_of(p, row), w->norm.weight->data, w->norm.bias->data, w->norm.epsilon, C);
    }
    parallel_barrier(team);
}

static void feed_forward_rows(void *argument, struct team team)
{
    const struct feed_pass *p = argument;
    int rows = rows_seen(p->x), tile = hidden_tile_rows(p->x->C), from, to;
    copy_unseen(p->y, p->x, team);
    if (shares_tiles(rows, 48, team)) {
        for (int r = 0; r < rows; r += tile) feed_tile(p, r, smaller(tile, rows - r), p->scratch, team);
        return;
    }
    parallel_range(&from, &to, rows, 1, team);
    for (int r = from; r < to; r += tile)
        feed_tile(p, r, smaller(tile, to - r), p->scratch + team.rank * p->scratch_each, (struct team){0, 1});
}

/* Add dx of the chunk's rows from..to-1 to the stream. */
static void add_to_stream(const struct feed_pass *p, int first, int from, int to)
{
    size_t C = (size_t)p->x->C;
    if (p->x->seen == NULL) kernels()->add(p->x->grad + ((size_t)first + from) * C, p->dx + from * C, (to - from) * C);
    for (int r = from; p->x->seen && r < to; r++)
        kernels()->add(p->x->grad + row_seen(p->x, first + r) * C, p->dx + r * C, C);
}

static void backward_chunks(void *argument, struct team team)
{
    const struct feed_pass *p = argument;
    const struct feed_forward *w = p->w;
    int C = p->x->C, all = rows_seen(p->x), from, to;
    float *sums = norm_partial(p->partials, team);
    for (int first = 0; first < all; first += CHUNK_ROWS) {
        int rows = smaller(CHUNK_ROWS, all - first);
        const float *x = p->x->seen ? p->xt : p->x->data + (size_t)first * C;
        parallel_range(&from, &to, rows, 1, team);
        for (int r = from; r < to; r++) {
            size_t at = (size_t)first + r, row = row_seen(p->x, first + r);
            kernels()->norm_row_backward(p->du + (size_t)r * C, sums, sums + C, p->y->grad + row * C, p->xhat + at * C,
                                         p->rstd[at], keep_of(p, row), w->norm.weight->data, C);
        }
        if (p->x->seen) gather(p->xt + (size_t)from * C, p, first + from, to - from);
        if (from < to) {
            int mine = to - from;
            float *du = p->du + (size_t)from * C, *dh = p->dh + (size_t)from * 4 * C, *dx = p->dx + (size_t)from * C;
            gemm('N', 'N', mine, 4 * C, C, du, C, w->w2->data, 4 * C, 0, dh, 4 * C);
            kernels()->gelu_backward(dh, p->g + (size_t)from * 4 * C, dh, p->h + ((size_t)first + from) * 4 * C,
                                     (size_t)mine * 4 * C);
            gemm('N', 'N', mine, C, 4 * C, dh, 4 * C, w->w1->data, C, 0, dx, C);
            add_to_stream(p, first, from, to);
        }
        parallel_barrier(team);
        weight_gradient(w->w2->grad, p->du, C, p->g, 4 * C, rows, C, 4 * C, team);
        weight_gradient(w->w1->grad, p->dh, 4 * C, x, C, rows, 4 * C, C, team);
        bias_gradient(w->b2->grad, p->du, C, rows, C, team);
        bias_gradient(w->b1->grad, p->dh, 4 * C, rows, 4 * C, team);
        parallel_barrier(team);
    }
}

static void reserve_backward(struct feed_pass *p, struct tape *tape)
{
    int C = p->x->C;
    size_t rows = (size_t)smaller(CHUNK_ROWS, p->x->B * p->x->L);
    p->partials = norm_partials_take(tape, C);
    p->du = tape_scratch(tape, rows * C);
    p->dx = tape_scratch(tape, rows * C);
    p->dh = tape_scratch(tape, rows * 4 * C);
    p->g = tape_scratch(tape, rows * 4 * C);
    p->xt = p->x->seen ? tape_scratch(tape, rows * C) : NULL;
}

static void feed_forward_backward(struct tape *tape, void *self)
{
    struct feed_pass *p = self;
    reserve_backward(p, tape);
    norm_partials_clear(p->partials);
    parallel_run(backward_chunks, p);
    norm_partials_add(&p->w->norm, p->partials);
    tape_scratch_release(tape);
}

struct tensor *feed_forward_cpu(struct tape *tape, struct tensor *x, const struct feed_forward *w, const float *keep)
{
    struct feed_pass *p = tape_object(tape, sizeof *p);
    int C = x->C;
    size_t rows = (size_t)x->B * x->L;
    *p = (struct feed_pass){.x = x, .w = w, .keep = keep, .training = tape->training, .packed = tape->packed};
    p->y = tape_residual(tape, x);
    p->scratch_each = (size_t)hidden_tile_rows(C) * C * ((tape->training ? 4 : 5) + (x->seen ? 1 : 0));
    if (tape->training) {
        p->h = tape_floats(tape, rows * 4 * C);
        p->xhat = tape_floats(tape, rows * C);
        p->rstd = tape_floats(tape, rows);
        reserve_backward(p, tape);
        tape_scratch_release(tape);
    }
    p->scratch = tape_scratch(tape, parallel_threads() * p->scratch_each);
    tape->counts.linear += (size_t)rows_seen(x) * C * 4 * C * 2;
    if (!tape->dry) parallel_run(feed_forward_rows, p);
    tape_scratch_release(tape);
    tape_record(tape, feed_forward_backward, p);
    return p->y;
}
