/* mean_positions.c - the mean of a map over its positions, or over those of a rectangle */
#include <assert.h>

#include "layers/layer.h"

struct mean_pass {
    struct tensor *x, *y;
    int W;
    struct rectangle part;
    bool add;
};

enum { CHANNELS = 64 /* of a picture that a thread processes at a time */ };

static void mean_channels(void *argument, struct team team)
{
    const struct mean_pass *p = argument;
    const struct rectangle *part = &p->part;
    int L = p->x->L, C = p->x->C, parts = (C + CHANNELS - 1) / CHANNELS, from, to;
    parallel_range(&from, &to, p->x->B * parts, 1, team);
    for (int i = from; i < to; i++) {
        int b = i / parts, first = i % parts * CHANNELS, end = smaller(first + CHANNELS, C);
        float *y = p->y->data + (size_t)b * C;
        const float *x = p->x->data + ((size_t)b * L + (size_t)part->top * p->W + part->left) * C;
        memset(y + first, 0, (end - first) * sizeof *y);
        for (int row = 0; row < part->height; row++)
            kernels()->column_sum(y, x + (size_t)row * p->W * C, C, part->width, first, end);
        for (int c = first; c < end; c++) y[c] /= (float)(part->height * part->width);
    }
}

static bool within(const struct mean_pass *p, int l)
{
    int row = l / p->W - p->part.top, column = l % p->W - p->part.left;
    return row >= 0 && row < p->part.height && column >= 0 && column < p->part.width;
}

static void spread(void *argument, struct team team)
{
    const struct mean_pass *p = argument;
    int L = p->x->L, C = p->x->C, from, to;
    float n = (float)(p->part.height * p->part.width);
    parallel_range(&from, &to, p->x->B * L, 1, team);
    for (int r = from; r < to; r++) {
        float *dx = p->x->grad + (size_t)r * C;
        const float *dy = p->y->grad + (size_t)(r / L) * C;
        if (!p->add) memset(dx, 0, C * sizeof *dx);
        for (int c = 0; c < C && within(p, r % L); c++) dx[c] += dy[c] / n;
    }
}

static void mean_backward(struct tape *tape, void *self)
{
    struct mean_pass *p = self;
    p->add = tensor_accumulate(tape, p->x) != 0;
    parallel_run(spread, p);
}

struct tensor *mean_part_cpu(struct tape *tape, struct tensor *x, int W, const struct rectangle *part)
{
    struct mean_pass *p = tape_object(tape, sizeof *p);
    assert(part->height > 0 && part->width > 0 && part->left + part->width <= W &&
           (part->top + part->height) * W <= x->L);
    *p = (struct mean_pass){.x = x, .y = tape_feature(tape, x->B, x->C), .W = W, .part = *part};
    if (!tape->dry) parallel_run(mean_channels, p);
    tape_record(tape, mean_backward, p);
    return p->y;
}

struct tensor *mean_positions_cpu(struct tape *tape, struct tensor *x)
{
    return mean_part_cpu(tape, x, x->L, &(struct rectangle){0, 0, 1, x->L});
}
