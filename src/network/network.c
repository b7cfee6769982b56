/* network.c - see network.h */
#include "network/network.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/parallel.h"
#include "base/random.h"
#include "layers/device_cpu.h"
#include "tensor/gemm.h"
#include "tensor/kernels.h"

enum { ALIGN = 16 /* floats: 64 bytes */ };

/* ------------------------------------------------------------------ memory */

static float *zeroed(size_t floats)
{
    float *block = aligned_alloc(ALIGN * sizeof(float), (floats + ALIGN) / ALIGN * ALIGN * sizeof(float));
    if (block) memset(block, 0, floats * sizeof *block);
    return block;
}

static gvm_status allocate(struct network *n, bool training)
{
    for (int i = 0; i < n->param_count; i++) n->floats += (n->params[i].count + ALIGN - 1) / ALIGN * ALIGN;
    n->weights = zeroed(n->floats);
    n->grads = training ? zeroed(n->floats) : NULL;
    if (n->weights == NULL || (training && n->grads == NULL)) return GVM_MEMORY;
    size_t at = 0, plans = 0;
    for (int i = 0; i < n->param_count; i++) {
        struct param *p = &n->params[i];
        p->data = n->weights + at;
        p->grad = training ? n->grads + at : NULL;
        at += (p->count + ALIGN - 1) / ALIGN * ALIGN;
    }
    for (int v = 0; v < 2; v++) plans += branch_plans(&n->views[v], NULL, training);
    n->plans = zeroed(plans);
    if (n->plans == NULL) return GVM_MEMORY;
    size_t first = branch_plans(&n->views[0], n->plans, training);
    branch_plans(&n->views[1], n->plans + first, training);
    return GVM_OK;
}

static gvm_status list_parameters(struct network *n)
{
    const struct method *m = n->config.method;
    struct lister count = {0};
    if (m->own_bytes > 0 && (n->own = calloc(1, m->own_bytes)) == NULL) return GVM_MEMORY;
    if (!branches_list(&count, n->views, n->own, &n->config)) return GVM_MEMORY;
    n->param_count = count.count;
    n->params = calloc((size_t)count.count, sizeof *n->params);
    if (n->params == NULL) return GVM_MEMORY;
    struct lister fill = {.params = n->params};
    return branches_list(&fill, n->views, n->own, &n->config) ? GVM_OK : GVM_MEMORY;
}

gvm_status network_open(struct network **out, const struct config *config, bool training, gvm_error *err)
{
    kernels(); /* also sets oneDNN's instruction set, which must happen before its first product */
    struct network *n = *out = calloc(1, sizeof *n);
    gvm_status status = n ? GVM_OK : GVM_MEMORY;
    if (status == GVM_OK) n->config = *config;
    for (int v = 0; v < 2 && status == GVM_OK; v++)
        if (!branch_open(&n->views[v], config, v)) status = GVM_MEMORY;
    if (status == GVM_OK) status = list_parameters(n);
    if (status == GVM_OK) status = allocate(n, training);
    if (status == GVM_OK) return GVM_OK;
    network_free(n);
    *out = NULL;
    return fail(err, status, "out of memory for the network's weights");
}

void network_leave(struct network *n)
{
    if (n->home == NULL) return;
    n->home->device->home_free(n->home);
    free(n->home);
    n->home = NULL;
}

void network_free(struct network *n)
{
    if (n == NULL) return;
    network_leave(n);
    for (int v = 0; v < 2; v++) branch_close(&n->views[v]);
    free(n->own);
    free(n->params);
    free(n->weights);
    free(n->grads);
    free(n->plans);
    free(n);
}

size_t network_parameters(const struct network *n)
{
    size_t count = 0;
    for (int i = 0; i < n->param_count; i++) count += n->params[i].count;
    return count;
}

uint64_t config_parameters(const struct config *config)
{
    struct branch branches[2] = {{0}};
    struct lister lister = {0};
    bool ok = true;
    for (int v = 0; v < 2 && ok; v++) ok = branch_open(&branches[v], config, v);
    ok = ok && branches_list(&lister, branches, NULL, config);
    for (int v = 0; v < 2; v++) branch_close(&branches[v]);
    return ok ? lister.numbers : 0;
}

void network_clear_gradients(struct network *n)
{
    memset(n->grads, 0, n->floats * sizeof *n->grads);
}

/* ------------------------------------------------------------------ initial values */

struct fresh {
    struct network *network;
    uint64_t seed;
};

/* Each number is a function of seed, parameter and index, so threads may divide a parameter in any way. */
static void fresh_part(void *argument, struct team team)
{
    const struct fresh *f = argument;
    for (int i = 0; i < f->network->param_count; i++) {
        const struct param *p = &f->network->params[i];
        float amount = p->first.amount;
        int from, to;
        parallel_range(&from, &to, (int)p->count, ALIGN, team);
        for (size_t k = (size_t)from; k < (size_t)to; k++)
            p->data[k] = p->first.kind == LAW_CONSTANT ? amount
                         : p->first.kind == LAW_NORMAL ? amount * (float)random_normal(f->seed, (uint64_t)i, k)
                                                       : amount * (2 * random_uniform(f->seed, (uint64_t)i, k) - 1);
    }
}

void network_fresh(struct network *n, uint64_t seed)
{
    struct fresh f = {n, seed};
    parallel_run(fresh_part, &f);
}

/* ------------------------------------------------------------------ packing */

gvm_status network_pack(struct network *n, gvm_error *err)
{
    assert(n->grads == NULL && !n->packed);
    const struct backbone *backbone = n->config.method->backbone;
    size_t floats = 0;
    for (int v = 0; v < 2 && backbone->pack; v++) {
        size_t need = backbone->pack_scratch(n->views[v].body);
        if (need > floats) floats = need;
    }
    for (int i = 0; i < n->param_count; i++)
        if (n->params[i].matrix && n->params[i].count > floats) floats = n->params[i].count;
    float *scratch = malloc((floats + 1) * sizeof *scratch);
    if (scratch == NULL) return fail(err, GVM_MEMORY, "cannot open the network: out of memory");
    for (int v = 0; v < 2 && backbone->pack; v++) backbone->pack(n->views[v].body, scratch);
    for (int i = 0; i < n->param_count; i++) {
        const struct param *p = &n->params[i];
        if (!p->matrix) continue;
        memcpy(scratch, p->data, p->count * sizeof *scratch);
        gemm_pack(p->data, scratch, p->shape[0], (int)(p->count / (size_t)p->shape[0]));
    }
    free(scratch);
    n->packed = true;
    return GVM_OK;
}

/* ------------------------------------------------------------------ description */

gvm_status network_counts(struct counts *counts, const struct network *n, int view, gvm_error *err)
{
    struct tape *tape;
    gvm_status status = tape_open(&tape, false, false, err);
    if (status != GVM_OK) return status;
    branch_forward(NULL, tape, &n->views[view], NULL, 1, 0); /* dry run: the tape has no memory */
    *counts = tape->counts;
    tape_free(tape);
    return GVM_OK;
}

int network_headings(const struct network *n)
{
    enum { PLAIN = 16 };
    double tolerance = n->config.tolerance;
    int turns = n->views[GVM_STREET].turns;
    if (tolerance <= 0) return PLAIN;
    int headings = (int)lround(180 / tolerance), passes = (int)lround(180 / tolerance / turns);
    return headings <= 1 ? 1 : (passes > 1 ? passes : 1) * turns;
}

enum { FACT_TEXT = sizeof((struct fact *)0)->text };

/* Describe the street view. */
static void street_text(char text[FACT_TEXT], const struct config *c)
{
    const struct view *v = &c->views[GVM_STREET];
    int n = snprintf(text, FACT_TEXT, "%d x %d pixels, ", v->size[0], v->size[1]);
    if (v->projection == PROJECTION_PERSPECTIVE)
        snprintf(text + n, (size_t)(FACT_TEXT - n), "any photo");
    else if (v->projection == PROJECTION_NADIR)
        snprintf(text + n, (size_t)(FACT_TEXT - n), "from above, as by a drone");
    else
        n += snprintf(text + n, (size_t)(FACT_TEXT - n), "elevations %g to %g degrees", c->elevation[0],
                      c->elevation[1]);
    if (v->visible && n < FACT_TEXT) n += snprintf(text + n, (size_t)(FACT_TEXT - n), ", or a part of them");
    if (v->wrap && n < FACT_TEXT) n += snprintf(text + n, (size_t)(FACT_TEXT - n), ", all round");
    if (c->tolerance > 0 && n < FACT_TEXT)
        snprintf(text + n, (size_t)(FACT_TEXT - n), ", headings within %g degrees", c->tolerance);
}

/* Describe the aerial view. */
static void aerial_text(char text[FACT_TEXT], const struct config *c)
{
    const struct view *v = &c->views[GVM_AERIAL];
    if (v->zoom_count == 0) {
        snprintf(text, FACT_TEXT, "%d x %d pixels, %g m on the ground", v->size[0], v->size[1], c->ground_m);
        return;
    }
    int n = snprintf(text, FACT_TEXT, "%d x (%d x %d) pixels, at ", v->zoom_count, v->size[0], v->size[1]);
    for (int i = 0; i < v->zoom_count; i++)
        n += snprintf(text + n, (size_t)(FACT_TEXT - n), "%s%g", i == 0 ? "" : ", ", v->zooms[i]);
    snprintf(text + n, (size_t)(FACT_TEXT - n), " m a pixel; bearing %g up; cells of %g m", v->bearing, c->cell_m);
}

int network_facts(struct fact facts[MAX_FACTS], const struct network *n)
{
    const struct config *c = &n->config;
    const struct method *m = c->method;
    char text[FACT_TEXT];
    int i = 0;
#define FACT(name, ...)                                               \
    do {                                                              \
        snprintf(facts[i].label, sizeof facts[i].label, "%s", name);  \
        snprintf(facts[i++].text, sizeof facts[0].text, __VA_ARGS__); \
    } while (0)
    FACT("method", "%s%s", m->title, m->shared ? ", one set of weights for both views" : "");
    FACT("parameters", "%zu", network_parameters(n));
    fields_text(text, sizeof text, &m->backbone->fields, c->backbone.bytes);
    FACT("backbone", "%s%.120s", m->backbone->title, text);
    street_text(text, c);
    FACT("street view", "%s", text);
    aerial_text(text, c);
    FACT("aerial view", "%s", text);
    m->head->about(text, sizeof text, c->head.bytes, n->views[0].top);
    FACT("feature", "%d numbers, from %.120s", n->views[0].features, text);
    fields_text(text, sizeof text, &m->fields, c->own.bytes);
    if (text[0] != '\0') FACT("learning", "%s", text + 2);
    if (m->score_scale) FACT("logits", "%.4g times the cosine", m->score_scale(n));
#undef FACT
    return i;
}

bool network_warning(char *text, size_t size, const struct network *n)
{
    size_t first = 0, all = network_parameters(n);
    const struct head *head = n->config.method->head;
    for (int v = 0; v < 2 && head->map_parameters; v++) first += head->map_parameters(n->views[v].top, 0);
    if (first == 0) return false;
    snprintf(text, size, "the masks of stage 1 alone hold %zu of its %zu parameters", first, all);
    return true;
}
