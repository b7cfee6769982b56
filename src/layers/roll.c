/* roll.c - a map turned by whole columns, as when the panorama behind it turns */
#include <assert.h>

#include "layers/layer.h"

struct roll_pass {
    struct tensor *x, *y;
    int W, columns;
    bool add; /* x's gradient is added to, not overwritten */
};

/* The row of y that holds row r of x. */
static size_t rolled(const struct roll_pass *p, int r)
{
    int column = r % p->W, row = r - column + (column + p->columns) % p->W;
    return (size_t)row;
}

static void roll_rows(void *argument, struct team team)
{
    const struct roll_pass *p = argument;
    size_t C = (size_t)p->x->C;
    int from, to;
    parallel_range(&from, &to, p->x->B * p->x->L, 1, team);
    for (int r = from; r < to; r++) memcpy(p->y->data + rolled(p, r) * C, p->x->data + r * C, C * sizeof(float));
}

static void roll_rows_back(void *argument, struct team team)
{
    const struct roll_pass *p = argument;
    size_t C = (size_t)p->x->C;
    int from, to;
    parallel_range(&from, &to, p->x->B * p->x->L, 1, team);
    for (int r = from; r < to; r++) {
        float *dx = p->x->grad + r * C;
        const float *dy = p->y->grad + rolled(p, r) * C;
        if (p->add)
            kernels()->add(dx, dy, C);
        else
            memcpy(dx, dy, C * sizeof *dx);
    }
}

static void roll_backward(struct tape *tape, void *self)
{
    struct roll_pass *p = self;
    p->add = tensor_accumulate(tape, p->x) != 0;
    parallel_run(roll_rows_back, p);
}

struct tensor *roll_cpu(struct tape *tape, struct tensor *x, int W, int columns)
{
    struct roll_pass *p = tape_object(tape, sizeof *p);
    int rows = x->B * x->L;
    assert(x->L % W == 0 && columns >= 0 && columns < W);
    *p = (struct roll_pass){.x = x, .y = tape_tensor(tape, x->B, x->L, x->C), .W = W, .columns = columns};
    if (x->seen) p->y->seen = tape_seen(tape, x->B, x->L);
    if (!tape->dry) {
        for (int r = 0; x->seen && r < rows; r++) p->y->seen->plane[rolled(p, r)] = x->seen->plane[r];
        if (x->seen) list_seen(p->y->seen, x->B, x->L);
        parallel_run(roll_rows, p);
    }
    tape_record(tape, roll_backward, p);
    return p->y;
}
