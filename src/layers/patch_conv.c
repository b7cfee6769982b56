/* patch_conv.c - a convolution of non-overlapping patches: W patch + b
 *
 * A patch is laid out as its filter, (channel, row, column): the rows of its tokens interleaved. */
#include <assert.h>

#include "layers/layer.h"

enum { MAX_SIDE = 16 };

struct patch_pass {
    struct tensor *x, *y;
    const struct patch_conv *w;
    int H, W, K; /* K = C side^2 */
    bool packed;
    float *scratch; /* per thread: (TILE_ROWS, K) */
    float *columns; /* backward, of one chunk: (rows, K) twice */
    float *dcolumns;
};

/* Addresses of the tokens of output row r in a map, in the order of the filter's positions. */
static void patch_places(float *places[MAX_SIDE * MAX_SIDE], float *map, const struct patch_pass *p, int r)
{
    int side = p->w->side, across = p->W / side, L = p->H / side * across;
    int b = r / L, y = r % L / across * side, x = r % across * side; /* L is a multiple of across */
    for (int i = 0; i < side * side; i++)
        places[i] = map + (((size_t)b * p->H + y + i / side) * p->W + x + i % side) * p->x->C;
}

static void gather(float *columns, const struct patch_pass *p, int from, int to)
{
    float *places[MAX_SIDE * MAX_SIDE];
    for (int r = from; r < to; r++, columns += p->K) {
        patch_places(places, p->x->data, p, r);
        kernels()->conv->interleave(columns, (const float *const *)places, p->w->side * p->w->side, p->x->C);
    }
}

static void patch_rows(void *argument, struct team team)
{
    const struct patch_pass *p = argument;
    int N = p->y->C, from, to;
    float *columns = p->scratch + (size_t)team.rank * TILE_ROWS * p->K;
    parallel_range(&from, &to, p->y->B * p->y->L, 1, team);
    for (int first = from; first < to; first += TILE_ROWS) {
        int rows = smaller(TILE_ROWS, to - first);
        float *y = p->y->data + (size_t)first * N;
        gather(columns, p, first, first + rows);
        gemm_weight(y, N, columns, p->K, p->w->weight->data, p->packed, rows, N, p->K, (struct team){0, 1});
        for (int r = 0; r < rows; r++) kernels()->add(y + (size_t)r * N, p->w->bias->data, N);
    }
}

/* On entry dx is zero or holds another layer's contribution; the patches' gradients are added to it. */
static void backward_chunks(void *argument, struct team team)
{
    const struct patch_pass *p = argument;
    int N = p->y->C, K = p->K, all = p->y->B * p->y->L, from, to;
    float *places[MAX_SIDE * MAX_SIDE];
    for (int first = 0; first < all; first += CHUNK_ROWS) {
        int rows = smaller(CHUNK_ROWS, all - first);
        const float *dy = p->y->grad + (size_t)first * N;
        parallel_range(&from, &to, rows, 1, team);
        gather(p->columns + (size_t)from * K, p, first + from, first + to);
        if (from < to)
            gemm('N', 'N', to - from, K, N, dy + (size_t)from * N, N, p->w->weight->data, K, 0,
                 p->dcolumns + (size_t)from * K, K);
        for (int r = from; r < to; r++) {
            patch_places(places, p->x->grad, p, first + r);
            kernels()->conv->separate(places, p->dcolumns + (size_t)r * K, p->w->side * p->w->side, p->x->C);
        }
        parallel_barrier(team);
        weight_gradient(p->w->weight->grad, dy, N, p->columns, K, rows, N, K, team);
        bias_gradient(p->w->bias->grad, dy, N, rows, N, team);
        parallel_barrier(team);
    }
}

static void reserve_backward(struct patch_pass *p, struct tape *tape)
{
    size_t rows = (size_t)smaller(CHUNK_ROWS, p->y->B * p->y->L);
    p->columns = tape_scratch(tape, rows * p->K);
    p->dcolumns = tape_scratch(tape, rows * p->K);
}

static void patch_backward(struct tape *tape, void *self)
{
    struct patch_pass *p = self;
    if (tensor_accumulate(tape, p->x) == 0)
        memset(p->x->grad, 0, (size_t)p->x->B * p->x->L * p->x->C * sizeof *p->x->grad);
    reserve_backward(p, tape);
    parallel_run(backward_chunks, p);
    tape_scratch_release(tape);
}

struct tensor *patch_conv_cpu(struct tape *tape, struct tensor *x, int H, int W, const struct patch_conv *w)
{
    struct patch_pass *p = tape_object(tape, sizeof *p);
    int L = H / w->side * (W / w->side), N = w->weight->shape[0];
    assert(w->side <= MAX_SIDE);
    *p = (struct patch_pass){.x = x, .y = tape_tensor(tape, x->B, L, N), .w = w, .H = H, .W = W};
    p->K = x->C * w->side * w->side;
    p->packed = tape->packed;
    if (tape->training) {
        reserve_backward(p, tape);
        tape_scratch_release(tape);
    }
    p->scratch = tape_scratch(tape, (size_t)parallel_threads() * TILE_ROWS * p->K);
    tape->counts.linear += (size_t)x->B * L * N * p->K;
    if (!tape->dry) parallel_run(patch_rows, p);
    tape_scratch_release(tape);
    tape_record(tape, patch_backward, p);
    return p->y;
}
