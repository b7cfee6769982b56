/* window_attention.c - x + LN(attention(x)) within shifted windows (Swin V2, sections 3.2 and 3.3)
 *
 * A tile is a number of windows. Their tokens are gathered, projected to queries, keys and values, attended head by
 * head, projected, normalised and added to the stream, all while they are in cache. Training stores qkv, the heads'
 * output and the normalised projection, in window order; backward recomputes the softmax. */
#include <math.h>

#include "layers/layer.h"
#include "layers/position_bias.h"

struct attention_pass {
    struct tensor *x, *y;
    const struct attention *w;
    const float *keep;
    bool training, packed;
    int n, np, windows; /* tokens per window, padded; windows of all pictures */
    float *bias;        /* (heads, n, np) */
    float *qkv, *out;   /* training: (rows, 3C), (rows, C) */
    float *xhat, *rstd; /* training: (rows, C), (rows) */
    float *scratch, *windows_scratch;
    size_t scratch_each, window_each; /* floats per thread */
    /* backward */
    struct norm_partials partials;
    float *dbias;                 /* (threads, heads, n, np) */
    double *dscale;               /* (threads, heads) */
    float *du, *dout, *dqkv, *xt; /* of one chunk: (rows, C), (rows, C), (rows, 3C), (rows, C) */
};

/* Row of the map, over all pictures, of the first token of a window's line. The line continues to the right. If the
 * shifted window extends beyond the edge, it continues from token `wrap` on at the start of the row, W tokens to the
 * left. */
static size_t line_start(const struct attention *w, int window, int line, int *wrap)
{
    int across = w->W / w->window, each = across * (w->H / w->window);
    int b = window / each, wy = window % each / across, wx = window % across;
    int y = wy * w->window + line + w->shift, x = wx * w->window + w->shift;
    if (y >= w->H) y -= w->H;
    *wrap = w->W - x;
    return ((size_t)b * w->H + y) * w->W + x;
}

static size_t token_row(size_t start, int tx, int wrap, int W)
{
    return start + tx - (tx >= wrap ? (size_t)W : 0);
}

static const float *window_mask(const struct attention *w, int window, int n, int np)
{
    if (w->shift == 0) return NULL;
    int across = w->W / w->window, down = w->H / w->window, at = window % (across * down);
    int kind = (at / across == down - 1 ? 1 : 0) | (at % across == across - 1 ? 2 : 0);
    return kind ? w->masks + (size_t)(kind - 1) * n * np : NULL;
}

static float head_scale(const struct attention *w, int head)
{
    return expf(fminf(w->logit_scale->data[head], 4.6051702f)); /* ln 100 */
}

static struct window head_window(const struct attention_pass *p, const float *qkv, int window, int head)
{
    int C = p->x->C, d = C / p->w->heads;
    size_t at = (size_t)head * d;
    return (struct window){
        .q = qkv + at,
        .k = qkv + C + at,
        .v = qkv + (size_t)C * 2 + at,
        .ld = 3 * C,
        .q_bias = p->w->q_bias->data + at,
        .v_bias = p->w->v_bias->data + at,
        .scale = head_scale(p->w, head),
        .bias = p->bias + (size_t)head * p->n * p->np,
        .mask = window_mask(p->w, window, p->n, p->np),
        .n = p->n,
        .np = p->np,
        .d = d,
    };
}

static void gather_tokens(float *to, const float *from, const struct attention *w, int C, int first, int line_from,
                          int line_to)
{
    int side = w->window, wrap;
    for (int line = line_from; line < line_to; line++) {
        size_t start = line_start(w, first + line / side, line % side, &wrap);
        for (int tx = 0; tx < side; tx++)
            memcpy(to + ((size_t)line * side + tx) * C, from + token_row(start, tx, wrap, w->W) * C, C * sizeof *to);
    }
}

/* Windows first..first+count-1, shared by a team or by one thread alone. */
static void attention_tile(const struct attention_pass *p, int first, int count, float *scratch, float *window_scratch,
                           struct team team)
{
    const struct attention *w = p->w;
    int C = p->x->C, n = p->n, side = w->window, rows = count * n, from, to, wrap, d = C / w->heads;
    size_t at = (size_t)first * n;
    float *xt = scratch, *u = p->training ? p->xhat + at * C : xt;
    float *qkv = p->training ? p->qkv + at * 3 * C : scratch + (size_t)rows * C;
    float *out = p->training ? p->out + at * C : scratch + (size_t)rows * 4 * C;

    parallel_range(&from, &to, count * side, 1, team);
    gather_tokens(xt, p->x->data, w, C, first, from, to);
    parallel_barrier(team);
    gemm_weight(qkv, 3 * C, xt, C, w->qkv->data, p->packed, rows, 3 * C, C, team);
    parallel_barrier(team);
    for (int item = team.rank; item < count * w->heads; item += team.size) {
        int window = item / w->heads, head = item % w->heads;
        struct window part = head_window(p, qkv + (size_t)window * n * 3 * C, first + window, head);
        kernels()->window_forward(out + (size_t)window * n * C + (size_t)head * d, C, &part, window_scratch);
    }
    parallel_barrier(team);
    gemm_weight(u, C, out, C, w->proj_w->data, p->packed, rows, C, C, team);
    parallel_barrier(team);
    for (int line = from; line < to; line++) {
        int window = first + line / side, picture = window / (w->H / side * (w->W / side));
        size_t start = line_start(w, window, line % side, &wrap);
        for (int tx = 0; tx < side; tx++) {
            size_t row = token_row(start, tx, wrap, w->W) * C, r = (size_t)line * side + tx;
            kernels()->norm_row(p->y->data + row, p->training ? u + r * C : NULL, p->training ? p->rstd + at + r : NULL,
                                u + r * C, w->proj_b->data, p->x->data + row, p->keep ? p->keep[picture] : 1,
                                w->norm.weight->data, w->norm.bias->data, w->norm.epsilon, C);
        }
    }
    parallel_barrier(team);
}

static int tile_windows(int n)
{
    return n >= TILE_ROWS ? 1 : TILE_ROWS / n;
}

static void attention_forward(void *argument, struct team team)
{
    const struct attention_pass *p = argument;
    float *windows_scratch = p->windows_scratch + team.rank * p->window_each;
    int tile = tile_windows(p->n);
    if (shares_tiles(p->windows, 1, team)) {
        for (int i = 0; i < p->windows; i += tile)
            attention_tile(p, i, smaller(tile, p->windows - i), p->scratch, windows_scratch, team);
        return;
    }
    int from, to;
    parallel_range(&from, &to, p->windows, 1, team);
    for (int i = from; i < to; i += tile)
        attention_tile(p, i, smaller(tile, to - i), p->scratch + team.rank * p->scratch_each, windows_scratch,
                       (struct team){0, 1});
}

/* ------------------------------------------------------------------ backward */

static int chunk_windows(const struct attention_pass *p)
{
    return smaller(p->windows, p->n >= CHUNK_ROWS ? 1 : CHUNK_ROWS / p->n);
}

/* For this thread's lines of a chunk: gather the layer's input again, and compute the branch's gradient down to the
 * projection. */
static void backward_rows(const struct attention_pass *p, int first, int from, int to, float *sums)
{
    const struct attention *w = p->w;
    int C = p->x->C, side = w->window, wrap;
    size_t at = (size_t)first * p->n;
    gather_tokens(p->xt, p->x->data, w, C, first, from, to);
    for (int line = from; line < to; line++) {
        int window = first + line / side, picture = window / (w->H / side * (w->W / side));
        size_t start = line_start(w, window, line % side, &wrap);
        for (int tx = 0; tx < side; tx++) {
            size_t row = token_row(start, tx, wrap, w->W) * C, r = (size_t)line * side + tx;
            kernels()->norm_row_backward(p->du + r * C, sums, sums + C, p->y->grad + row, p->xhat + (at + r) * C,
                                         p->rstd[at + r], p->keep ? p->keep[picture] : 1, w->norm.weight->data, C);
        }
    }
    size_t r = (size_t)from * side;
    if (from < to)
        gemm('N', 'N', (to - from) * side, C, C, p->du + r * C, C, w->proj_w->data, C, 0, p->dout + r * C, C);
}

static void backward_heads(const struct attention_pass *p, int first, int count, struct team team)
{
    int C = p->x->C, n = p->n, heads = p->w->heads, d = C / heads;
    float *dbias = p->dbias + (size_t)team.rank * heads * n * p->np;
    double *dscale = p->dscale + (size_t)team.rank * heads;
    for (int item = team.rank; item < count * heads; item += team.size) {
        int window = item / heads, head = item % heads;
        size_t row = (size_t)window * n, at = (size_t)first * n + row;
        struct window part = head_window(p, p->qkv + at * 3 * C, first + window, head);
        float *dqkv = p->dqkv + row * 3 * C + (size_t)head * d;
        kernels()->window_backward(dqkv, dqkv + C, dqkv + (size_t)C * 2, dbias + (size_t)head * n * p->np,
                                   dscale + head, p->dout + row * C + (size_t)head * d,
                                   p->out + at * C + (size_t)head * d, C, &part,
                                   p->windows_scratch + team.rank * p->window_each);
    }
}

/* Add the gradient to the stream, for this thread's lines. The memory of dout is reused for the product. */
static void backward_stream(const struct attention_pass *p, int first, int from, int to)
{
    const struct attention *w = p->w;
    int C = p->x->C, side = w->window, wrap;
    size_t r = (size_t)from * side;
    if (from < to)
        gemm('N', 'N', (to - from) * side, C, 3 * C, p->dqkv + r * 3 * C, 3 * C, w->qkv->data, C, 0, p->dout + r * C,
             C);
    for (int line = from; line < to; line++) {
        size_t start = line_start(w, first + line / side, line % side, &wrap);
        for (int tx = 0; tx < side; tx++)
            kernels()->add(p->x->grad + token_row(start, tx, wrap, w->W) * C, p->dout + ((size_t)line * side + tx) * C,
                           C);
    }
}

static void attention_backward_chunks(void *argument, struct team team)
{
    const struct attention_pass *p = argument;
    const struct attention *w = p->w;
    int C = p->x->C, chunk = chunk_windows(p), from, to;
    float *sums = norm_partial(p->partials, team);
    for (int first = 0; first < p->windows; first += chunk) {
        int count = smaller(chunk, p->windows - first), rows = count * p->n;
        parallel_range(&from, &to, count * w->window, 1, team);
        backward_rows(p, first, from, to, sums);
        parallel_barrier(team);
        backward_heads(p, first, count, team);
        parallel_barrier(team);
        backward_stream(p, first, from, to);
        weight_gradient(w->proj_w->grad, p->du, C, p->out + (size_t)first * p->n * C, C, rows, C, C, team);
        weight_gradient(w->qkv->grad, p->dqkv, 3 * C, p->xt, C, rows, 3 * C, C, team);
        bias_gradient(w->proj_b->grad, p->du, C, rows, C, team);
        bias_gradient(w->q_bias->grad, p->dqkv, 3 * C, rows, C, team);
        bias_gradient(w->v_bias->grad, p->dqkv + (size_t)C * 2, 3 * C, rows, C, team);
        parallel_barrier(team);
    }
}

static void reserve_backward(struct attention_pass *p, struct tape *tape, float **position)
{
    int C = p->x->C, heads = p->w->heads, threads = parallel_threads();
    size_t rows = (size_t)chunk_windows(p) * p->n;
    p->partials = norm_partials_take(tape, C);
    p->dscale = (double *)tape_scratch(tape, (size_t)threads * heads * 2);
    p->dbias = tape_scratch(tape, (size_t)threads * heads * p->n * p->np);
    p->windows_scratch = tape_scratch(tape, threads * p->window_each);
    p->du = tape_scratch(tape, rows * C);
    p->dout = tape_scratch(tape, rows * C);
    p->dqkv = tape_scratch(tape, rows * 3 * C);
    p->xt = tape_scratch(tape, rows * C);
    *position = tape_scratch(tape, position_scratch(p->w->window, heads));
}

static void attention_backward(struct tape *tape, void *self)
{
    struct attention_pass *p = self;
    const struct attention *w = p->w;
    float *position;
    reserve_backward(p, tape, &position);
    size_t map = (size_t)w->heads * p->n * p->np;
    norm_partials_clear(p->partials);
    memset(p->dbias, 0, parallel_threads() * map * sizeof *p->dbias);
    memset(p->dscale, 0, (size_t)parallel_threads() * w->heads * sizeof *p->dscale);
    parallel_run(attention_backward_chunks, p);
    norm_partials_add(&w->norm, p->partials);
    for (int rank = 1; rank < parallel_threads(); rank++) {
        kernels()->add(p->dbias, p->dbias + rank * map, map);
        for (int h = 0; h < w->heads; h++) p->dscale[h] += p->dscale[(size_t)rank * w->heads + h];
    }
    for (int h = 0; h < w->heads; h++) /* scale = e^s below the clamp, constant above */
        if (w->logit_scale->data[h] <= 4.6051702f) w->logit_scale->grad[h] += (float)p->dscale[h] * head_scale(w, h);
    position_bias_backward(position, p->dbias, w);
    tape_scratch_release(tape);
}

struct tensor *window_attention_cpu(struct tape *tape, struct tensor *x, const struct attention *w, const float *keep)
{
    struct attention_pass *p = tape_object(tape, sizeof *p);
    int C = x->C, n = w->window * w->window, np = round_up(n, 16), threads = parallel_threads();
    size_t rows = (size_t)x->B * x->L, tile = (size_t)tile_windows(n) * n;
    *p = (struct attention_pass){.x = x, .w = w, .keep = keep, .training = tape->training, .packed = tape->packed};
    p->y = tape_residual(tape, x);
    p->n = n;
    p->np = np;
    p->windows = (int)(rows / n);
    p->window_each = window_scratch(n, C / w->heads);
    p->scratch_each = tile * C * (tape->training ? 1 : 5);
    if (tape->training) {
        p->qkv = tape_floats(tape, rows * 3 * C);
        p->out = tape_floats(tape, rows * C);
        p->xhat = tape_floats(tape, rows * C);
        p->rstd = tape_floats(tape, rows);
        float *position;
        reserve_backward(p, tape, &position);
        tape_scratch_release(tape);
    }
    p->bias = w->bias ? w->bias : tape_floats(tape, (size_t)w->heads * n * np);
    float *position = w->bias ? NULL : tape_scratch(tape, position_scratch(w->window, w->heads));
    p->scratch = tape_scratch(tape, threads * p->scratch_each);
    p->windows_scratch = tape_scratch(tape, threads * p->window_each);
    tape->counts.qkv += rows * C * 3 * C;
    tape->counts.attention += rows * n * C * 2;
    tape->counts.linear += rows * C * C;
    tape->counts.bias += position_bias_products(w->window, w->heads);
    if (!tape->dry) {
        if (w->bias == NULL) position_bias(p->bias, position, w);
        parallel_run(attention_forward, p);
    }
    tape_scratch_release(tape);
    tape_record(tape, attention_backward, p);
    return p->y;
}
