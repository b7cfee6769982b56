/* optimizer.c - see optimizer.h */
#include "nn/optimizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/parallel.h"
#include "nn/kernels.h"

const struct rates rates_paper = {
    .backbone = 1e-4f, .other = 2e-4f, .decay = 0.03f, .beta1 = 0.9f, .beta2 = 0.999f, .epsilon = 1e-8f};

/* The weights are cut into blocks, each worked on by one thread and summed on its own, so that the norm has the
 * same bits with any number of threads. */
enum { BLOCK = 1 << 16 };

static int blocks(const struct optimizer *o)
{
    return (int)((o->floats + BLOCK - 1) / BLOCK);
}

gvm_status optimizer_open(struct optimizer **out, const struct param *params, int count, float *weights, float *grads,
                          size_t floats, const struct rates *rates, gvm_error *err)
{
    struct optimizer *o = *out = calloc(1, sizeof *o);
    if (o != NULL) {
        *o = (struct optimizer){
            .params = params, .count = count, .rates = *rates, .weights = weights, .grads = grads, .floats = floats};
        o->m = calloc(floats, sizeof *o->m);
        o->v = calloc(floats, sizeof *o->v);
        o->start = calloc(floats, sizeof *o->start);
        o->partial = calloc((size_t)blocks(o), sizeof *o->partial);
        if (o->m && o->v && o->start && o->partial) return GVM_OK;
    }
    optimizer_free(o);
    *out = NULL;
    return fail(err, GVM_MEMORY, "there is not enough memory for the optimiser: it needs three times the weights");
}

void optimizer_free(struct optimizer *o)
{
    if (o == NULL) return;
    free(o->m);
    free(o->v);
    free(o->start);
    free(o->partial);
    free(o);
}

float cosine_factor(int epoch, int epochs)
{
    return (float)(0.5 * (1 + cos(3.14159265358979323846 * epoch / epochs)));
}

struct update {
    struct optimizer *optimizer;
    float factor, c1, c2;
};

static void update_part(void *argument, struct team team)
{
    const struct update *u = argument;
    const struct optimizer *o = u->optimizer;
    const struct rates *r = &o->rates;
    int from, to;
    parallel_range(&from, &to, blocks(o), 1, team);
    size_t first = (size_t)from * BLOCK, last = (size_t)to * BLOCK;
    for (int i = 0; i < o->count; i++) {
        const struct param *p = &o->params[i];
        size_t at = (size_t)(p->data - o->weights), end = at + p->count;
        if (at < first) at = first;
        if (end > last) end = last;
        if (at >= end) continue;
        kernels()->adamw(o->weights + at, o->m + at, o->v + at, o->grads + at, end - at,
                         (p->backbone ? r->backbone : r->other) * u->factor, p->decay ? r->decay : 0, r->beta1,
                         r->beta2, r->epsilon, u->c1, u->c2);
    }
}

void optimizer_update(struct optimizer *o, float factor)
{
    o->step++;
    struct update u = {o, factor, (float)(1 - pow(o->rates.beta1, (double)o->step)),
                       (float)(1 - pow(o->rates.beta2, (double)o->step))};
    parallel_run(update_part, &u);
}

struct climb {
    struct optimizer *optimizer;
    float step;
};

static void norm_part(void *argument, struct team team)
{
    const struct climb *c = argument;
    const struct optimizer *o = c->optimizer;
    int from, to;
    parallel_range(&from, &to, blocks(o), 1, team);
    for (int b = from; b < to; b++) {
        size_t at = (size_t)b * BLOCK, n = o->floats - at < BLOCK ? o->floats - at : BLOCK;
        o->partial[b] = kernels()->asam_norm(o->weights + at, o->grads + at, n);
    }
}

static void climb_part(void *argument, struct team team)
{
    const struct climb *c = argument;
    const struct optimizer *o = c->optimizer;
    int from, to;
    parallel_range(&from, &to, blocks(o), 1, team);
    for (int b = from; b < to; b++) {
        size_t at = (size_t)b * BLOCK, n = o->floats - at < BLOCK ? o->floats - at : BLOCK;
        memcpy(o->start + at, o->weights + at, n * sizeof *o->start);
        kernels()->asam_climb(o->weights + at, o->grads + at, n, c->step);
    }
}

double asam_climb(struct optimizer *o, float rho)
{
    struct climb c = {.optimizer = o};
    parallel_run(norm_part, &c);
    double square = 0;
    for (int b = 0; b < blocks(o); b++) square += o->partial[b];
    double norm = sqrt(square) + 1e-12;
    c.step = (float)(rho / norm);
    parallel_run(climb_part, &c);
    return norm;
}

void asam_return(struct optimizer *o)
{
    memcpy(o->weights, o->start, o->floats * sizeof *o->weights);
}
