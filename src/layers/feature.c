/* feature.c - layers on features (B, 1, C): concatenation, normalisation to length 1, linear */
#include <math.h>

#include "layers/layer.h"

/* ------------------------------------------------------------------ concatenation */

enum { MAX_PARTS = 4 };

struct concatenate_pass {
    struct tensor *parts[MAX_PARTS], *y;
    int count;
};

static void concatenate_backward(struct tape *tape, void *self)
{
    const struct concatenate_pass *p = self;
    int at = 0;
    for (int i = 0; i < p->count; i++) {
        struct tensor *x = p->parts[i];
        float accumulate = tensor_accumulate(tape, x);
        for (int b = 0; b < x->B; b++) {
            float *dx = x->grad + (size_t)b * x->C;
            const float *dy = p->y->grad + (size_t)b * p->y->C + at;
            for (int c = 0; c < x->C; c++) dx[c] = dy[c] + (accumulate != 0 ? dx[c] : 0);
        }
        at += x->C;
    }
}

struct tensor *concatenate_cpu(struct tape *tape, struct tensor *const *parts, int count)
{
    struct concatenate_pass *p = tape_object(tape, sizeof *p);
    int C = 0, at = 0;
    p->count = count;
    for (int i = 0; i < count; i++) {
        p->parts[i] = parts[i];
        C += parts[i]->C;
    }
    p->y = tape_tensor(tape, parts[0]->B, 1, C);
    for (int i = 0; i < count && !tape->dry; i++) {
        for (int b = 0; b < p->y->B; b++)
            memcpy(p->y->data + (size_t)b * C + at, parts[i]->data + (size_t)b * parts[i]->C,
                   parts[i]->C * sizeof(float));
        at += parts[i]->C;
    }
    tape_record(tape, concatenate_backward, p);
    return p->y;
}

/* ------------------------------------------------------------------ length 1 */

struct unit_pass {
    struct tensor *x, *y;
    float *inverse; /* (B) r = 1 / (|x| + epsilon) */
    float epsilon;
};

/* dx = r (dy - y (y . dy) / (r |x|)), with r |x| = 1 - r epsilon. Without epsilon that factor is 1, also for a row of
 * zeros. */
static void l2_normalise_backward(struct tape *tape, void *self)
{
    const struct unit_pass *p = self;
    float accumulate = tensor_accumulate(tape, p->x);
    int C = p->x->C;
    for (int b = 0; b < p->x->B; b++) {
        const float *y = p->y->data + (size_t)b * C, *dy = p->y->grad + (size_t)b * C;
        float *dx = p->x->grad + (size_t)b * C;
        double along = 0;
        for (int c = 0; c < C; c++) along += (double)y[c] * dy[c];
        along /= fmax(1 - (double)p->inverse[b] * p->epsilon, 1e-12);
        for (int c = 0; c < C; c++)
            dx[c] = p->inverse[b] * (dy[c] - y[c] * (float)along) + (accumulate != 0 ? dx[c] : 0);
    }
}

struct tensor *l2_normalise_cpu(struct tape *tape, struct tensor *x, float epsilon)
{
    struct unit_pass *p = tape_object(tape, sizeof *p);
    *p = (struct unit_pass){.x = x, .y = tape_tensor(tape, x->B, 1, x->C), .epsilon = epsilon};
    p->inverse = tape_floats(tape, x->B);
    for (int b = 0; b < x->B && !tape->dry; b++) {
        const float *from = x->data + (size_t)b * x->C;
        float *to = p->y->data + (size_t)b * x->C;
        double square = 0;
        for (int c = 0; c < x->C; c++) square += (double)from[c] * from[c];
        p->inverse[b] = (float)(1 / fmax(sqrt(square) + epsilon, 1e-12)); /* a row may be all zeros */
        for (int c = 0; c < x->C; c++) to[c] = from[c] * p->inverse[b];
    }
    tape_record(tape, l2_normalise_backward, p);
    return p->y;
}

/* ------------------------------------------------------------------ linear */

struct linear_pass {
    struct tensor *x, *y;
    const struct linear *w;
    enum activation f;
    bool packed;
    float *h;      /* (rows, N) W x + b, kept for GELU's derivative; else y itself */
    float *dh, *g; /* backward: (rows, N) */
    float accumulate;
};

static void linear_rows(void *argument, struct team team)
{
    const struct linear_pass *p = argument;
    int N = p->y->C, K = p->x->C, from, to;
    parallel_range(&from, &to, p->x->B * p->x->L, 1, team);
    if (from == to) return;
    float *h = p->h + (size_t)from * N, *y = p->y->data + (size_t)from * N;
    gemm_weight(h, N, p->x->data + (size_t)from * K, K, p->w->weight->data, p->packed, to - from, N, K,
                (struct team){0, 1});
    for (int r = 0; r < to - from; r++) {
        float *row = h + (size_t)r * N;
        if (p->w->bias) kernels()->add(row, p->w->bias->data, N);
        if (p->f == RELU)
            for (int c = 0; c < N; c++) row[c] = row[c] > 0 ? row[c] : 0;
    }
    if (p->f == GELU) kernels()->gelu(y, h, NULL, to - from, N, 1);
}

static void linear_backward_rows(void *argument, struct team team)
{
    const struct linear_pass *p = argument;
    int N = p->y->C, K = p->x->C, rows = p->x->B * p->x->L, from, to;
    parallel_range(&from, &to, rows, 1, team);
    size_t at = (size_t)from * N, count = (size_t)(to - from) * N;
    if (p->f == GELU)
        kernels()->gelu_backward(p->dh + at, p->g + at, p->y->grad + at, p->h + at, count);
    else
        for (size_t i = at; i < at + count; i++) p->dh[i] = p->f == RELU && p->y->data[i] <= 0 ? 0 : p->y->grad[i];
    if (from < to)
        gemm('N', 'N', to - from, K, N, p->dh + at, N, p->w->weight->data, K, p->accumulate,
             p->x->grad + (size_t)from * K, K);
    parallel_barrier(team);
    weight_gradient(p->w->weight->grad, p->dh, N, p->x->data, K, rows, N, K, team);
    if (p->w->bias) bias_gradient(p->w->bias->grad, p->dh, N, rows, N, team);
}

static void reserve_backward(struct linear_pass *p, struct tape *tape)
{
    size_t n = (size_t)p->y->B * p->y->L * p->y->C;
    p->dh = tape_scratch(tape, n);
    if (p->f == GELU) p->g = tape_scratch(tape, n);
}

static void linear_backward(struct tape *tape, void *self)
{
    struct linear_pass *p = self;
    p->accumulate = tensor_accumulate(tape, p->x);
    reserve_backward(p, tape);
    parallel_run(linear_backward_rows, p);
    tape_scratch_release(tape);
}

struct tensor *linear_cpu(struct tape *tape, struct tensor *x, const struct linear *w, enum activation f)
{
    struct linear_pass *p = tape_object(tape, sizeof *p);
    *p = (struct linear_pass){.x = x, .w = w, .f = f, .packed = tape->packed};
    p->y = tape_tensor(tape, x->B, x->L, w->weight->shape[0]);
    size_t rows = (size_t)x->B * x->L;
    p->h = f == GELU ? tape_floats(tape, rows * p->y->C) : p->y->data;
    if (tape->training) {
        reserve_backward(p, tape);
        tape_scratch_release(tape);
    }
    tape->counts.linear += rows * x->C * p->y->C;
    if (!tape->dry) parallel_run(linear_rows, p);
    tape_record(tape, linear_backward, p);
    return p->y;
}
