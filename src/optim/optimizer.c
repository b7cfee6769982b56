/* optimizer.c - see optimizer.h */
#include "optim/optimizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/parallel.h"
#include "tensor/device.h"
#include "tensor/kernels.h"
#include "tensor/tape.h"

const struct rates rates_paper = {
    .backbone = 1e-4f, .other = 2e-4f, .decay = 0.03f, .beta1 = 0.9f, .beta2 = 0.999f, .epsilon = 1e-8f};

/* The weights are divided into blocks. Each is processed and summed by one thread, so that the norm has the same bits
 * with any number of threads. */
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
    return fail(err, GVM_MEMORY, "out of memory for the optimiser, which needs three times the memory of the weights");
}

void optimizer_free(struct optimizer *o)
{
    if (o == NULL) return;
    optimizer_leave_device(o);
    free(o->m);
    free(o->v);
    free(o->start);
    free(o->partial);
    free(o);
}

float cosine_factor(int epoch, int epochs)
{
    return (float)(0.5 * (1 + cos(M_PI * epoch / epochs)));
}

float schedule_factor(const struct schedule *schedule, long step, long steps_an_epoch, int epoch, int epochs)
{
    if (!schedule->by_step) return cosine_factor(epoch, epochs);
    double warm = schedule->warm_steps > 0 ? schedule->warm_steps : (double)schedule->warm_up * (double)steps_an_epoch;
    double last = (double)epochs * (double)steps_an_epoch, t = (double)step, floor = (double)schedule->floor;
    if (t < warm) return (float)(t / warm);
    return (float)(t < last ? floor + (1 - floor) * 0.5 * (1 + cos(M_PI * (t - warm) / (last - warm))) : floor);
}

struct update {
    struct optimizer *optimizer;
    float factor, c1, c2;
    float shorten; /* factor on the gradient, for norm clipping */
};

static void scale_values(float *g, size_t n, float factor)
{
    for (size_t i = 0; i < n; i++) g[i] *= factor;
}

static void clip_values(float *g, size_t n, float most)
{
    for (size_t i = 0; i < n; i++) g[i] = g[i] > most ? most : g[i] < -most ? -most : g[i];
}

/* The padding between parameters is zero and contributes nothing. */
static void square_part(void *argument, struct team team)
{
    const struct optimizer *o = argument;
    int from, to;
    parallel_range(&from, &to, blocks(o), 1, team);
    for (int b = from; b < to; b++) {
        size_t at = (size_t)b * BLOCK, n = o->floats - at < BLOCK ? o->floats - at : BLOCK;
        double sum = 0;
        for (size_t i = at; i < at + n; i++) sum += (double)o->grads[i] * o->grads[i];
        o->partial[b] = sum;
    }
}

static double gradient_length(struct optimizer *o)
{
    double square = 0;
    parallel_run(square_part, o);
    for (int b = 0; b < blocks(o); b++) square += o->partial[b];
    return sqrt(square);
}

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
        if (at >= end || p->fixed) continue;
        if (u->shorten < 1) scale_values(o->grads + at, end - at, u->shorten);
        if (r->clip > 0) clip_values(o->grads + at, end - at, r->clip);
        kernels()->adamw(o->weights + at, o->m + at, o->v + at, o->grads + at, end - at,
                         (p->backbone ? r->backbone : r->other) * u->factor, p->decay ? r->decay : 0, r->beta1,
                         r->beta2, r->epsilon, u->c1, u->c2);
    }
}

void optimizer_corrections(float corrections[2], const struct rates *rates, long step)
{
    corrections[0] = (float)(1 - pow(rates->beta1, (double)(step + 1)));
    corrections[1] = (float)(1 - pow(rates->beta2, (double)(step + 1)));
}

void optimizer_update(struct optimizer *o, float factor)
{
    float corrections[2];
    optimizer_corrections(corrections, &o->rates, o->step++);
    if (o->tape) { /* factor and corrections were passed to the tape with the step's numbers */
        o->tape->device->optimizer_update(o);
        return;
    }
    struct update u = {o, factor, corrections[0], corrections[1], 1};
    if (o->rates.clip_length > 0) u.shorten = (float)fmin(1, (double)o->rates.clip_length / gradient_length(o));
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
    o->climbed = true;
    if (o->tape) {
        o->tape->device->asam_climb(o, rho);
        return 0;
    }
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
    if (o->tape == NULL) memcpy(o->weights, o->start, o->floats * sizeof *o->weights);
    o->climbed = o->tape != NULL; /* a device's update starts from there itself */
}

/* ------------------------------------------------------------------ on a device */

gvm_status optimizer_to_device(struct optimizer *o, struct tape *tape, gvm_error *err)
{
    optimizer_leave_device(o);
    if (tape->device->optimizer_open == NULL) return GVM_OK;
    gvm_status status = tape->device->optimizer_open(o, tape, err);
    if (status == GVM_OK) o->tape = tape;
    return status;
}

gvm_status optimizer_fetch(struct optimizer *o, gvm_error *err)
{
    return o->tape ? o->tape->device->optimizer_download(o, err) : GVM_OK;
}

void optimizer_leave_device(struct optimizer *o)
{
    if (o->tape) o->tape->device->optimizer_free(o);
    o->tape = NULL;
}
