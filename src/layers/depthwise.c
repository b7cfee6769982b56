/* depthwise.c - each channel's own k x k filter
 *
 * Work is divided into tiles: some rows of a picture and a block of channels. A tile is copied to a plane with margins
 * (kernels.def), so that neighbours are contiguous and filters need no edge cases. The input's gradient is the same
 * convolution of the output's gradient with rotated filters. */
#include "layers/layer.h"

enum { ROWS = 24 /* of a tile, so that a plane fits the L2 cache */ };

struct depthwise_pass {
    struct tensor *x, *y;
    const struct depthwise *w;
    int H, W, blocks; /* blocks: of channels */
    /* one convolution */
    const float *from;
    float *to;
    bool turned, add;
    float *filters; /* (blocks, k k + 1, DEPTHWISE_BLOCK), the bias last */
    float *planes;  /* per thread: a plane; in backward, also one of dy */
    float *sums;    /* backward: (threads, blocks, k k + 1, DEPTHWISE_BLOCK) */
};

static int margin(const struct depthwise_pass *p)
{
    return (p->w->side - 1) / 2;
}

static size_t filter_floats(const struct depthwise_pass *p)
{
    return ((size_t)p->w->side * p->w->side + 1) * DEPTHWISE_BLOCK;
}

static size_t thread_planes(const struct depthwise_pass *p)
{
    return plane_floats(ROWS, p->W, margin(p)) + plane_floats(ROWS, p->W, 0);
}

/* Some rows of one picture, one block of channels. */
struct tile {
    int block, channels, first, rows;
    size_t at; /* of the picture's first value in this block */
};

static int tile_count(const struct depthwise_pass *p)
{
    return p->x->B * p->blocks * ((p->H + ROWS - 1) / ROWS);
}

/* Tiles are ordered by block, then picture, then row. */
static struct tile tile(const struct depthwise_pass *p, int i)
{
    int tiles = (p->H + ROWS - 1) / ROWS, B = p->x->B, C = p->x->C, block = i / tiles / B, first = i % tiles * ROWS;
    return (struct tile){.block = block,
                         .channels = smaller(DEPTHWISE_BLOCK, C - block * DEPTHWISE_BLOCK),
                         .first = first,
                         .rows = smaller(ROWS, p->H - first),
                         .at = (size_t)(i / tiles % B) * p->H * p->W * C + (size_t)block * DEPTHWISE_BLOCK};
}

static void lay_out_filters(const struct depthwise_pass *p, struct team team)
{
    int taps = p->w->side * p->w->side, from, to;
    parallel_range(&from, &to, p->blocks, 1, team);
    for (int block = from; block < to; block++) {
        float *filters = p->filters + block * filter_floats(p), *bias = filters + (size_t)taps * DEPTHWISE_BLOCK;
        int channels = smaller(DEPTHWISE_BLOCK, p->x->C - block * DEPTHWISE_BLOCK);
        memset(filters, 0, filter_floats(p) * sizeof *filters);
        for (int c = 0; c < channels; c++) {
            const float *w = p->w->weight->data + ((size_t)block * DEPTHWISE_BLOCK + c) * taps;
            for (int t = 0; t < taps; t++) filters[t * DEPTHWISE_BLOCK + c] = w[p->turned ? taps - 1 - t : t];
            bias[c] = p->turned ? 0 : p->w->bias->data[block * DEPTHWISE_BLOCK + c];
        }
    }
}

static void convolve(void *argument, struct team team)
{
    const struct depthwise_pass *p = argument;
    int side = p->w->side, C = p->x->C, from, to;
    float *plane = p->planes + team.rank * thread_planes(p);
    lay_out_filters(p, team);
    parallel_barrier(team);
    parallel_range(&from, &to, tile_count(p), 1, team);
    for (int i = from; i < to; i++) {
        struct tile t = tile(p, i);
        const float *filters = p->filters + t.block * filter_floats(p);
        kernels()->conv->plane(plane, p->from + t.at, C, t.channels, p->H, p->W, t.first, t.rows, margin(p));
        kernels()->conv->depthwise(p->to + t.at + (size_t)t.first * p->W * C, C, t.channels, plane, filters,
                                   filters + (size_t)side * side * DEPTHWISE_BLOCK, t.rows, p->W, side, p->add);
    }
}

/* Add the threads' sums to the gradients, in rank order. */
static void add_sums(const struct depthwise_pass *p, struct team team)
{
    int taps = p->w->side * p->w->side, from, to;
    size_t all = p->blocks * filter_floats(p);
    parallel_range(&from, &to, p->x->C, DEPTHWISE_BLOCK, team);
    for (int rank = 0; rank < team.size; rank++)
        for (int c = from; c < to; c++) {
            const float *sums = p->sums + rank * all + c / DEPTHWISE_BLOCK * filter_floats(p) + c % DEPTHWISE_BLOCK;
            for (int t = 0; t < taps; t++)
                p->w->weight->grad[(size_t)c * taps + t] += sums[(size_t)t * DEPTHWISE_BLOCK];
            p->w->bias->grad[c] += sums[(size_t)taps * DEPTHWISE_BLOCK];
        }
}

static void filter_gradients(void *argument, struct team team)
{
    const struct depthwise_pass *p = argument;
    int side = p->w->side, C = p->x->C, from, to;
    size_t all = p->blocks * filter_floats(p);
    float *plane = p->planes + team.rank * thread_planes(p), *dy = plane + plane_floats(ROWS, p->W, margin(p));
    float *sums = p->sums + team.rank * all;
    memset(sums, 0, all * sizeof *sums);
    parallel_range(&from, &to, tile_count(p), 1, team);
    for (int i = from; i < to; i++) {
        struct tile t = tile(p, i);
        float *dw = sums + t.block * filter_floats(p);
        kernels()->conv->plane(plane, p->x->data + t.at, C, t.channels, p->H, p->W, t.first, t.rows, margin(p));
        kernels()->conv->plane(dy, p->y->grad + t.at, C, t.channels, p->H, p->W, t.first, t.rows, 0);
        kernels()->conv->depthwise_backward(dw, dw + (size_t)side * side * DEPTHWISE_BLOCK, plane, dy, t.rows, p->W,
                                            side);
    }
    parallel_barrier(team);
    add_sums(p, team);
}

static void reserve(struct depthwise_pass *p, struct tape *tape, bool backward)
{
    p->filters = tape_scratch(tape, p->blocks * filter_floats(p));
    p->planes = tape_scratch(tape, parallel_threads() * thread_planes(p));
    if (backward) p->sums = tape_scratch(tape, (size_t)parallel_threads() * p->blocks * filter_floats(p));
}

static void depthwise_backward(struct tape *tape, void *self)
{
    struct depthwise_pass *p = self;
    p->from = p->y->grad;
    p->to = p->x->grad;
    p->turned = true;
    p->add = tensor_accumulate(tape, p->x) != 0;
    reserve(p, tape, true);
    parallel_run(convolve, p);
    parallel_run(filter_gradients, p);
    tape_scratch_release(tape);
}

struct tensor *depthwise_cpu(struct tape *tape, struct tensor *x, int H, int W, const struct depthwise *w)
{
    struct depthwise_pass *p = tape_object(tape, sizeof *p);
    *p = (struct depthwise_pass){.x = x, .y = tape_tensor(tape, x->B, x->L, x->C), .w = w, .H = H, .W = W};
    p->blocks = round_up(x->C, DEPTHWISE_BLOCK) / DEPTHWISE_BLOCK;
    p->from = x->data;
    p->to = p->y->data;
    reserve(p, tape, tape->training);
    tape->counts.linear += (size_t)x->B * x->L * x->C * w->side * w->side;
    if (!tape->dry) parallel_run(convolve, p);
    tape_scratch_release(tape);
    tape_record(tape, depthwise_backward, p);
    return p->y;
}
