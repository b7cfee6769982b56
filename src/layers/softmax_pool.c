/* softmax_pool.c - attention pooling of maps to a feature: each head weights positions by a softmax, for its own
 * channels */
#include <math.h>

#include "layers/layer.h"

struct pool_pass {
    struct tensor *a, *v, *y;
    float *p; /* (B, heads, L) */
    int B, L; /* features; positions of each, over all its pictures */
    bool add_a, add_v;
};

/* p (L) = softmax of a column of a over positions */
static void weigh(float *p, const float *a, int heads, int L)
{
    float most = a[0];
    double sum = 0;
    for (int l = 1; l < L; l++) most = fmaxf(most, a[(size_t)l * heads]);
    for (int l = 0; l < L; l++) sum += p[l] = expf(a[(size_t)l * heads] - most);
    for (int l = 0; l < L; l++) p[l] = (float)(p[l] / sum);
}

/* Threads divide the heads of all pictures. */
static void pool_heads(void *argument, struct team team)
{
    const struct pool_pass *pass = argument;
    int heads = pass->a->C, L = pass->L, D = pass->v->C, each = D / heads, from, to;
    parallel_range(&from, &to, pass->B * heads, 1, team);
    for (int i = from; i < to; i++) {
        size_t b = (size_t)(i / heads), h = (size_t)(i % heads);
        const float *v = pass->v->data + b * L * D + h * each;
        float *p = pass->p + (size_t)i * L, *y = pass->y->data + b * D + h * each;
        weigh(p, pass->a->data + b * L * heads + h, heads, L);
        memset(y, 0, each * sizeof *y);
        for (int l = 0; l < L; l++, v += D)
            for (int c = 0; c < each; c++) y[c] += p[l] * v[c];
    }
}

/* dv_l = p_l dy and da_l = p_l (dy . v_l - dy . y): the derivative of the softmax subtracts the weighted mean. */
static void pool_heads_backward(void *argument, struct team team)
{
    const struct pool_pass *pass = argument;
    int heads = pass->a->C, L = pass->L, D = pass->v->C, each = D / heads, from, to;
    parallel_range(&from, &to, pass->B * heads, 1, team);
    for (int i = from; i < to; i++) {
        size_t b = (size_t)(i / heads), first = (size_t)(i % heads) * each;
        const float *p = pass->p + (size_t)i * L, *v = pass->v->data + b * L * D + first;
        const float *y = pass->y->data + b * D + first, *dy = pass->y->grad + b * D + first;
        float *dv = pass->v->grad + b * L * D + first, *da = pass->a->grad + b * L * heads + i % heads;
        for (int l = 0; l < L; l++, v += D, dv += D, da += heads) {
            float along = 0;
            for (int c = 0; c < each; c++) {
                along += dy[c] * (v[c] - y[c]);
                dv[c] = (pass->add_v ? dv[c] : 0) + p[l] * dy[c];
            }
            *da = (pass->add_a ? *da : 0) + p[l] * along;
        }
    }
}

static void pool_backward(struct tape *tape, void *self)
{
    struct pool_pass *pass = self;
    pass->add_a = tensor_accumulate(tape, pass->a) != 0;
    pass->add_v = tensor_accumulate(tape, pass->v) != 0;
    parallel_run(pool_heads_backward, pass);
}

struct tensor *softmax_pool_cpu(struct tape *tape, struct tensor *a, struct tensor *v, int n, const float **kept)
{
    struct pool_pass *pass = tape_object(tape, sizeof *pass);
    *pass = (struct pool_pass){.a = a, .v = v, .B = v->B / n, .L = v->L * n};
    pass->y = tape_feature(tape, pass->B, v->C);
    pass->p = tape_floats(tape, (size_t)a->B * a->L * a->C);
    if (kept) *kept = pass->p;
    tape->counts.linear += (uint64_t)v->B * v->L * v->C;
    if (!tape->dry) parallel_run(pool_heads, pass);
    tape_record(tape, pool_backward, pass);
    return pass->y;
}
