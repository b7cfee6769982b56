/* mean_positions.c - a map's mean over its positions. */
#include "layers/layer.h"

struct mean_pass {
    struct tensor *x, *y;
    bool add;
};

enum { CHANNELS = 64 /* that a thread takes of a picture at a time */ };

static void mean_channels(void *argument, struct team team)
{
    const struct mean_pass *p = argument;
    int L = p->x->L, C = p->x->C, parts = (C + CHANNELS - 1) / CHANNELS, from, to;
    parallel_range(&from, &to, p->x->B * parts, 1, team);
    for (int i = from; i < to; i++) {
        int b = i / parts, first = i % parts * CHANNELS, end = smaller(first + CHANNELS, C);
        float *y = p->y->data + (size_t)b * C;
        memset(y + first, 0, (end - first) * sizeof *y);
        kernels()->column_sum(y, p->x->data + (size_t)b * L * C, C, L, first, end);
        for (int c = first; c < end; c++) y[c] /= (float)L;
    }
}

static void spread(void *argument, struct team team)
{
    const struct mean_pass *p = argument;
    int L = p->x->L, C = p->x->C, from, to;
    parallel_range(&from, &to, p->x->B * L, 1, team);
    for (int r = from; r < to; r++) {
        float *dx = p->x->grad + (size_t)r * C;
        const float *dy = p->y->grad + (size_t)(r / L) * C;
        for (int c = 0; c < C; c++) dx[c] = (p->add ? dx[c] : 0) + dy[c] / (float)L;
    }
}

static void mean_backward(struct tape *tape, void *self)
{
    struct mean_pass *p = self;
    p->add = tensor_accumulate(tape, p->x) != 0;
    parallel_run(spread, p);
}

struct tensor *mean_positions_cpu(struct tape *tape, struct tensor *x)
{
    struct mean_pass *p = tape_object(tape, sizeof *p);
    *p = (struct mean_pass){.x = x, .y = tape_feature(tape, x->B, x->C)};
    if (!tape->dry) parallel_run(mean_channels, p);
    tape_record(tape, mean_backward, p);
    return p->y;
}
