/* spatial_softmax.c - attention pooling (statewide's decoder): each head has a softmax over all positions of the last
 * map in all pictures of a place, which weights its channels of a linear layer's values.
 *
 * With z = LN(x), p_h = softmax over l of (A z_l)_h and v_l = V z_l + b, y_c = sum over l of p_hl v_lc for each channel
 * c of head h. For the feature f = y / (|y| + epsilon) and another feature g, f . g = sum over l of h_l,  h_l = sum
 * over h of p_hl (sum over c of h of v_lc g_c) / (|y| + epsilon). */
#include "network/heads/spatial_softmax.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"

static const float LENGTH_EPSILON = 1e-5f, NORM_EPSILON = 1e-5f;

struct pool {
    int last, C, heads, features; /* last: index of the last map, with C channels */
    int pictures;                 /* pictures of a place */
    struct norm norm;
    struct linear attention, value;
};

static const struct config_field rows[] = {
    {"heads", FIELD_INTS, offsetof(struct spatial_softmax_config, heads), 1, 1, 4096, NULL},
    {"feature", FIELD_INTS, offsetof(struct spatial_softmax_config, feature), 1, 1, 65536, NULL},
};

static gvm_status check(const void *config, const struct pyramid *maps, const char *view, const char *where,
                        gvm_error *err)
{
    const struct spatial_softmax_config *c = config;
    (void)maps, (void)view;
    if (c->feature % c->heads == 0) return GVM_OK;
    return fail(err, GVM_FORMAT, "%s: the configuration's \"feature\" is %d, not divisible by %d \"heads\"", where,
                c->feature, c->heads);
}

static void *open_pool(int *features, const void *config, const struct pyramid *maps)
{
    const struct spatial_softmax_config *c = config;
    struct pool *w = calloc(1, sizeof *w);
    if (w == NULL) return NULL;
    w->last = maps->count - 1;
    w->C = maps->maps[w->last].C;
    w->heads = c->heads;
    w->pictures = maps->pictures;
    *features = w->features = c->feature;
    return w;
}

static void list(struct lister *l, void *weights, const char *view)
{
    struct pool *w = weights;
    struct law law = inputs_law(w->C);
    snprintf(l->base, sizeof l->base, "%s.head.", view);
    l->backbone = false;
    list_norm(l, &w->norm, w->C, NORM_EPSILON, 1, LIST_PLAIN, "norm");
    list_param(l, &w->attention.weight, "attention.weight", law, LIST_WEIGHT, w->heads, w->C);
    list_param(l, &w->value.weight, "value.weight", law, LIST_WEIGHT, w->features, w->C);
    list_param(l, &w->value.bias, "value.bias", constant_law(0), LIST_PLAIN, w->features);
}

static struct tensor *forward(struct trace *trace, struct tape *tape, const void *weights)
{
    const struct pool *w = weights;
    struct tensor *z = layer_norm(tape, trace->maps[w->last], &w->norm);
    struct tensor *a = linear(tape, z, &w->attention, IDENTITY); /* (B pictures, L, heads) */
    trace->values = linear(tape, z, &w->value, IDENTITY);        /* (B pictures, L, features) */
    trace->mask_count = w->heads;
    return softmax_pool(tape, a, trace->values, w->pictures, &trace->masks[w->last]);
}

static bool shares(double *heat, const struct trace *trace, int map, const void *weights, const float *other)
{
    const struct pool *w = weights;
    const struct tensor *v = trace->values, *y = trace->gathered;
    if (map != w->last) return false;
    int L = w->pictures * v->L, D = w->features, each = D / w->heads;
    double square = 0;
    for (int c = 0; c < D; c++) square += (double)y->data[c] * y->data[c];
    double inverse = 1 / fmax(sqrt(square) + (double)LENGTH_EPSILON, 1e-12);
    for (int l = 0; l < L; l++) {
        const float *row = v->data + (size_t)l * (size_t)D;
        heat[l] = 0;
        for (int h = 0; h < w->heads; h++) {
            double product = 0;
            for (int c = h * each; c < (h + 1) * each; c++) product += (double)row[c] * other[c];
            heat[l] += inverse * trace->masks[map][(size_t)h * (size_t)L + l] * product;
        }
    }
    return true;
}

static void about(char *text, size_t size, const void *config, const void *weights)
{
    const struct pool *w = weights;
    (void)config;
    snprintf(text, size, "the last map by %d softmaxes over its positions", w->heads);
}

const struct head spatial_softmax_head = {
    .name = "spatial_softmax",
    .places = true,
    .epsilon = 1e-5f,
    .fields = {rows, sizeof rows / sizeof *rows},
    .check = check,
    .open = open_pool,
    .close = free,
    .list = list,
    .forward = forward,
    .shares = shares,
    .about = about,
};
