/* window_attention.c - x + LN(attention(x)) within shifted windows (Swin V2, sections 3.2 and 3.3)
 *
 * Only the tokens that are seen take part (layers.def), and windows without any are skipped. A tile is a number of
 * windows. Their tokens are gathered, projected to queries, keys and values, attended head by
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
    int n, np;          /* tokens per window, padded */
    int windows;        /* of all pictures: those with a seen token */
    int *window;        /* (windows) their numbers */
    int *starts;        /* (windows + 1) of each, the index of its first seen token among all of them */
    int *tokens;        /* (starts[windows]) rows of the map of the seen tokens */
    int *places;        /* the same, positions in the window; NULL if all tokens are seen */
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

/* ------------------------------------------------------------------ windows and their tokens */

/* Row of the map, over all pictures, of the token at position i of a window. A shifted window that extends beyond the
 * edge continues at the opposite one. */
static int token_row(const struct attention *w, int window, int i)
{
    int across = w->W / w->window, each = across * (w->H / w->window);
    int b = window / each, wy = window % each / across, wx = window % across;
    int y = wy * w->window + i / w->window + w->shift, x = wx * w->window + i % w->window + w->shift + w->slide;
    return (b * w->H + (y >= w->H ? y - w->H : y)) * w->W + (x >= w->W ? x - w->W : x);
}

/* List the seen tokens, window by window, and the windows that have any. */
static void list_tokens(struct attention_pass *p, int windows)
{
    const uint8_t *seen = p->x->seen ? p->x->seen->plane : NULL;
    int count = 0;
    p->windows = 0;
    for (int window = 0; window < windows; window++) {
        p->window[p->windows] = window;
        p->starts[p->windows] = count;
        for (int i = 0; i < p->n; i++) {
            int row = token_row(p->w, window, i);
            if (seen && !seen[row]) continue;
            if (seen) p->places[count] = i;
            p->tokens[count++] = row;
        }
        if (count > p->starts[p->windows]) p->windows++;
    }
    p->starts[p->windows] = count;
}

/* Number of seen tokens of the windows first..first+count-1 of the list. */
static int rows_of(const struct attention_pass *p, int first, int count)
{
    return p->starts[first + count] - p->starts[first];
}

static const float *window_mask(const struct attention *w, int window, int n, int np)
{
    if (w->shift == 0) return NULL;
    int across = w->W / w->window, down = w->H / w->window, at = window % (across * down);
    int kind = (at / across == down - 1 ? 1 : 0) | (at % across == across - 1 && !w->wrap ? 2 : 0);
    return kind ? w->masks + (size_t)(kind - 1) * n * np : NULL;
}

/* The bias of the pairs of a window's seen tokens, (count, round_up(count, 16)), with its mask. */
static void gather_bias(float *to, const float *bias, const float *mask, const int *places, int count, int np)
{
    int padded = round_up(count, 16);
    for (int i = 0; i < count; i++, to += padded) {
        size_t row = (size_t)places[i] * np;
        for (int j = 0; j < count; j++) to[j] = bias[row + places[j]] + (mask ? mask[row + places[j]] : 0);
        for (int j = count; j < padded; j++) to[j] = -1e30f;
    }
}

/* The reverse for its gradient: dbias (n, np) += from. */
static void scatter_bias(float *dbias, const float *from, const int *places, int count, int np)
{
    int padded = round_up(count, 16);
    for (int i = 0; i < count; i++, from += padded)
        for (int j = 0; j < count; j++) dbias[(size_t)places[i] * np + places[j]] += from[j];
}

static float head_scale(const struct attention *w, int head)
{
    return expf(fminf(w->logit_scale->data[head], 4.6051702f)); /* ln 100 */
}

/* Head `head` of window i of the list, whose first row of qkv is `qkv`. room: a (n, np) of its own. */
static struct window head_window(const struct attention_pass *p, const float *qkv, int i, int head, float *room)
{
    int C = p->x->C, d = C / p->w->heads, count = rows_of(p, i, 1);
    size_t at = (size_t)head * d;
    const float *bias = p->bias + (size_t)head * p->n * p->np;
    const float *mask = window_mask(p->w, p->window[i], p->n, p->np);
    bool whole = count == p->n;
    if (!whole) gather_bias(room, bias, mask, p->places + p->starts[i], count, p->np);
    return (struct window){
        .q = qkv + at,
        .k = qkv + C + at,
        .v = qkv + (size_t)C * 2 + at,
        .ld = 3 * C,
        .q_bias = p->w->q_bias->data + at,
        .v_bias = p->w->v_bias->data + at,
        .scale = head_scale(p->w, head),
        .bias = whole ? bias : room,
        .mask = whole ? mask : NULL,
        .n = count,
        .np = whole ? p->np : round_up(count, 16),
        .d = d,
    };
}

/* A thread's memory for the bias of a window that is not seen whole, and behind it that of its gradient. */
static float *bias_room(const struct attention_pass *p, const float *window_scratch_of)
{
    return (float *)window_scratch_of + window_scratch(p->n, p->x->C / p->w->heads);
}

static void gather_tokens(float *to, const float *from, const int *tokens, int C, int first, int last)
{
    for (int r = first; r < last; r++) memcpy(to + (size_t)r * C, from + (size_t)tokens[r] * C, C * sizeof *to);
}

/* Windows first..first+count-1 of the list, shared by a team or by one thread alone. */
static void attention_tile(const struct attention_pass *p, int first, int count, float *scratch, float *own,
                           struct team team)
{
    const struct attention *w = p->w;
    int C = p->x->C, rows = rows_of(p, first, count), from, to, d = C / w->heads;
    const int *tokens = p->tokens + p->starts[first];
    size_t at = (size_t)p->starts[first];
    float *xt = scratch, *u = p->training ? p->xhat + at * C : xt;
    float *qkv = p->training ? p->qkv + at * 3 * C : scratch + (size_t)rows * C;
    float *out = p->training ? p->out + at * C : scratch + (size_t)rows * 4 * C;

    parallel_range(&from, &to, rows, w->window, team);
    gather_tokens(xt, p->x->data, tokens, C, from, to);
    parallel_barrier(team);
    gemm_weight(qkv, 3 * C, xt, C, w->qkv->data, p->packed, rows, 3 * C, C, team);
    parallel_barrier(team);
    for (int item = team.rank; item < count * w->heads; item += team.size) {
        int i = first + item / w->heads, head = item % w->heads;
        size_t row = (size_t)p->starts[i] - at;
        struct window part = head_window(p, qkv + row * 3 * C, i, head, bias_room(p, own));
        kernels()->window_forward(out + row * C + (size_t)head * d, C, &part, own);
    }
    parallel_barrier(team);
    gemm_weight(u, C, out, C, w->proj_w->data, p->packed, rows, C, C, team);
    parallel_barrier(team);
    for (int r = from; r < to; r++) {
        size_t row = (size_t)tokens[r] * C;
        kernels()->norm_row(p->y->data + row, p->training ? u + (size_t)r * C : NULL,
                            p->training ? p->rstd + at + r : NULL, u + (size_t)r * C, w->proj_b->data, p->x->data + row,
                            p->keep ? p->keep[tokens[r] / p->x->L] : 1, w->norm.weight->data, w->norm.bias->data,
                            w->norm.epsilon, C);
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
    copy_unseen(p->y, p->x, team);
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

static int chunk_windows(int windows, int n)
{
    return smaller(windows, n >= CHUNK_ROWS ? 1 : CHUNK_ROWS / n);
}

/* For this thread's rows of a chunk: gather the layer's input again, and compute the branch's gradient down to the
 * projection. */
static void backward_rows(const struct attention_pass *p, int first, int from, int to, float *sums)
{
    const struct attention *w = p->w;
    int C = p->x->C;
    size_t at = (size_t)p->starts[first];
    const int *tokens = p->tokens + at;
    gather_tokens(p->xt, p->x->data, tokens, C, from, to);
    for (int r = from; r < to; r++)
        kernels()->norm_row_backward(p->du + (size_t)r * C, sums, sums + C, p->y->grad + (size_t)tokens[r] * C,
                                     p->xhat + (at + r) * C, p->rstd[at + r],
                                     p->keep ? p->keep[tokens[r] / p->x->L] : 1, w->norm.weight->data, C);
    size_t r = (size_t)from;
    if (from < to) gemm('N', 'N', to - from, C, C, p->du + r * C, C, w->proj_w->data, C, 0, p->dout + r * C, C);
}

static void backward_heads(const struct attention_pass *p, int first, int count, struct team team)
{
    int C = p->x->C, n = p->n, heads = p->w->heads, d = C / heads;
    float *dbias = p->dbias + (size_t)team.rank * heads * n * p->np, *own = p->windows_scratch;
    double *dscale = p->dscale + (size_t)team.rank * heads;
    own += team.rank * p->window_each;
    float *room = bias_room(p, own), *droom = room + (size_t)n * p->np;
    for (int item = team.rank; item < count * heads; item += team.size) {
        int i = first + item / heads, head = item % heads;
        size_t at = (size_t)p->starts[i], row = at - p->starts[first];
        struct window part = head_window(p, p->qkv + at * 3 * C, i, head, room);
        float *dqkv = p->dqkv + row * 3 * C + (size_t)head * d, *to = dbias + (size_t)head * n * p->np;
        bool whole = part.n == n;
        if (!whole) memset(droom, 0, (size_t)part.n * part.np * sizeof *droom);
        kernels()->window_backward(dqkv, dqkv + C, dqkv + (size_t)C * 2, whole ? to : droom, dscale + head,
                                   p->dout + row * C + (size_t)head * d, p->out + at * C + (size_t)head * d, C, &part,
                                   own);
        if (!whole) scatter_bias(to, droom, p->places + at, part.n, p->np);
    }
}

/* Add the gradient to the stream, for this thread's rows. The memory of dout is reused for the product. */
static void backward_stream(const struct attention_pass *p, int first, int from, int to)
{
    int C = p->x->C;
    const int *tokens = p->tokens + p->starts[first];
    size_t at = (size_t)from;
    if (from < to)
        gemm('N', 'N', to - from, C, 3 * C, p->dqkv + at * 3 * C, 3 * C, p->w->qkv->data, C, 0, p->dout + at * C, C);
    for (int r = from; r < to; r++) kernels()->add(p->x->grad + (size_t)tokens[r] * C, p->dout + (size_t)r * C, C);
}

static void attention_backward_chunks(void *argument, struct team team)
{
    const struct attention_pass *p = argument;
    const struct attention *w = p->w;
    int C = p->x->C, chunk = chunk_windows(p->windows, p->n), from, to;
    float *sums = norm_partial(p->partials, team);
    for (int first = 0; first < p->windows; first += chunk) {
        int count = smaller(chunk, p->windows - first), rows = rows_of(p, first, count);
        const float *out = p->out + (size_t)p->starts[first] * C;
        parallel_range(&from, &to, rows, w->window, team);
        backward_rows(p, first, from, to, sums);
        parallel_barrier(team);
        backward_heads(p, first, count, team);
        parallel_barrier(team);
        backward_stream(p, first, from, to);
        weight_gradient(w->proj_w->grad, p->du, C, out, C, rows, C, C, team);
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
    size_t rows = (size_t)chunk_windows(p->x->B * p->x->L / p->n, p->n) * p->n;
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

/* Memory for the list of tokens: all of them, since a dry run knows none. */
static void reserve_list(struct attention_pass *p, struct tape *tape, int windows)
{
    float *(*take)(struct tape *, size_t) = tape->training ? tape_floats : tape_scratch;
    size_t rows = (size_t)windows * p->n;
    p->window = (int *)take(tape, (size_t)windows);
    p->starts = (int *)take(tape, (size_t)windows + 1);
    p->tokens = (int *)take(tape, rows);
    p->places = p->x->seen ? (int *)take(tape, rows) : NULL;
}

/* Count the products of the listed windows; a dry run counts all. */
static void count_products(struct tape *tape, const struct attention_pass *p, size_t rows)
{
    const struct attention *w = p->w;
    size_t C = (size_t)p->x->C, pairs = rows * p->n;
    if (!tape->dry) {
        rows = (size_t)p->starts[p->windows];
        pairs = 0;
        for (int i = 0; i < p->windows; i++) pairs += (size_t)rows_of(p, i, 1) * (size_t)rows_of(p, i, 1);
    }
    tape->counts.qkv += rows * C * 3 * C;
    tape->counts.attention += pairs * C * 2;
    tape->counts.linear += rows * C * C;
    tape->counts.bias += position_bias_products(w->window, w->heads);
}

struct tensor *window_attention_cpu(struct tape *tape, struct tensor *x, const struct attention *w, const float *keep)
{
    struct attention_pass *p = tape_object(tape, sizeof *p);
    int C = x->C, n = w->window * w->window, np = round_up(n, 16), threads = parallel_threads();
    size_t rows = (size_t)x->B * x->L, tile = (size_t)tile_windows(n) * n, map = (size_t)n * np;
    *p = (struct attention_pass){.x = x, .w = w, .keep = keep, .training = tape->training, .packed = tape->packed};
    p->y = tape_residual(tape, x);
    p->n = n;
    p->np = np;
    p->window_each = window_scratch(n, C / w->heads) + (x->seen ? 2 * map : 0);
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
    reserve_list(p, tape, (int)(rows / n));
    p->bias = w->bias ? w->bias : tape_floats(tape, w->heads * map);
    float *position = w->bias ? NULL : tape_scratch(tape, position_scratch(w->window, w->heads));
    p->scratch = tape_scratch(tape, threads * p->scratch_each);
    p->windows_scratch = tape_scratch(tape, threads * p->window_each);
    if (!tape->dry) {
        list_tokens(p, (int)(rows / n));
        if (w->bias == NULL) position_bias(p->bias, position, w);
        parallel_run(attention_forward, p);
    }
    count_products(tape, p, rows);
    tape_scratch_release(tape);
    tape_record(tape, attention_backward, p);
    return p->y;
}
