/* layer.h - shared by the layers' CPU sources */
#ifndef GVM_LAYERS_LAYER_H
#define GVM_LAYERS_LAYER_H

#include <string.h>

#include "base/parallel.h"
#include "layers/layers.h"
#include "tensor/gemm.h"
#include "tensor/kernels.h"

/* Propagate the gradient (B, B) of all products a b^T to the two batches of features a and b. */
static inline void pairs_backward(struct tape *tape, struct tensor *a, struct tensor *b, const float *gradient)
{
    int B = a->B, D = a->C;
    gemm('N', 'N', B, D, B, gradient, B, b->data, D, tensor_accumulate(tape, a), a->grad, D);
    gemm('T', 'N', B, D, B, gradient, B, a->data, D, tensor_accumulate(tape, b), b->grad, D);
}

/* Rows that pass through a layer's products together: enough to reuse a weight while it is in cache, few enough that
 * the widest intermediate fits a core's L2 cache. */
enum { TILE_ROWS = 256, CHUNK_ROWS = 1024 };

static inline int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* For an MLP, whose hidden rows are four times as wide as the map and must fit the cache too. */
static inline int hidden_tile_rows(int C)
{
    return C >= 768 ? TILE_ROWS / 2 : TILE_ROWS;
}

/* A layer divides n items (rows, windows) into tiles. Each thread processes its own tiles, unless there are so few
 * items that threads would idle or get fewer than `least` each: then all threads share every tile. */
static inline bool shares_tiles(int items, int least, struct team team)
{
    return team.size > 1 && (items < least * team.size || (items % team.size != 0 && items < 4 * team.size));
}

/* List the seen tokens of a finished plane (B, L). */
static inline void list_seen(struct seen *seen, int B, int L)
{
    seen->count = 0;
    for (int r = 0; r < B * L; r++)
        if (seen->plane[r]) seen->rows[seen->count++] = r;
}

/* Number of rows of a map that a layer computes, and the map's row of number r. */
static inline int rows_seen(const struct tensor *x)
{
    return x->seen ? x->seen->count : x->B * x->L;
}

static inline size_t row_seen(const struct tensor *x, int r)
{
    return (size_t)(x->seen ? x->seen->rows[r] : r);
}

/* Copy the tokens that are not seen, which a residual layer passes unchanged: this thread's share. */
static inline void copy_unseen(struct tensor *y, const struct tensor *x, struct team team)
{
    int from, to;
    if (x->seen == NULL || y->data == x->data) return;
    parallel_range(&from, &to, x->B * x->L, 1, team);
    for (int r = from; r < to; r++)
        if (!x->seen->plane[r]) memcpy(y->data + (size_t)r * x->C, x->data + (size_t)r * x->C, x->C * sizeof *x->data);
}

/* Gradients of a norm's weights: each thread has its own sums, which are added in rank order. */
struct norm_partials {
    float *sums; /* (threads, 2, C) */
    int C;
};

static inline size_t norm_partials_floats(int C)
{
    return (size_t)parallel_threads() * 2 * C;
}

static inline struct norm_partials norm_partials_take(struct tape *tape, int C)
{
    return (struct norm_partials){tape_scratch(tape, norm_partials_floats(C)), C};
}

static inline float *norm_partial(struct norm_partials p, struct team team)
{
    return p.sums + (size_t)team.rank * 2 * p.C;
}

/* The layers on the CPU. */
#define LAYER(type, name, parameters, arguments) type name##_cpu parameters;
#include "layers/layers.def"

void norm_partials_clear(struct norm_partials p);
void norm_partials_add(const struct norm *w, struct norm_partials p);

/* dW (N, K) += dy^T x over rows: this thread's share of the rows of W. */
void weight_gradient(float *dw, const float *dy, int ldy, const float *x, int ldx, int rows, int N, int K,
                     struct team team);

/* db (N) += column sums of dy (rows, N): this thread's share. */
void bias_gradient(float *db, const float *dy, int ldy, int rows, int N, struct team team);

#endif
