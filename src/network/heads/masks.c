/* masks.c - GeoViewMatch's feature aggregation (the paper's section 3.2, Figures 3 and 4): each selected stage's map is
 * pooled by its spatial masks, and the results are concatenated.
 *
 * With y_nc = sum over l of w_nl x_lc, feature f = y / |y| and another feature g,
 *   f . g = sum over l of h_l,  h_l = sum over n, c of w_nl x_lc g_nc / |y|. */
#include "network/heads/masks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"

enum { STAGES = 4 };

struct gather {
    int N, count; /* number of masks of a stage; number of maps of the backbone */
    bool uses[MAX_MAPS];
    int L[MAX_MAPS], C[MAX_MAPS];
    struct masks masks[MAX_MAPS]; /* of the selected stages */
};

static const struct config_field rows[] = {
    {"stages", FIELD_STAGES, offsetof(struct masks_config, stages), STAGES, 0, 0, NULL},
    {"masks", FIELD_INTS, offsetof(struct masks_config, masks), 1, 1, 256, NULL},
};

static gvm_status check(const void *config, const struct pyramid *maps, const char *view, const char *where,
                        gvm_error *err)
{
    const struct masks_config *c = config;
    if (maps->count != STAGES)
        return fail(err, GVM_FORMAT, "%s: the %s view has %d maps, expected those of %d stages", where, view,
                    maps->count, STAGES);
    if (!c->stages[STAGES - 1])
        return fail(err, GVM_FORMAT, "%s: the configuration's \"stages\" lacks stage 4, which is required", where);
    for (int s = 0; s < STAGES; s++)
        if (c->stages[s] && maps->maps[s].H * maps->maps[s].W < 2)
            return fail(err, GVM_FORMAT, "%s: stage %d of the %s view has a single position, too few for masks", where,
                        s + 1, view);
    return GVM_OK;
}

static void *open_gather(int *features, const void *config, const struct pyramid *maps)
{
    const struct masks_config *c = config;
    struct gather *w = calloc(1, sizeof *w);
    if (w == NULL) return NULL;
    *w = (struct gather){.N = c->masks, .count = maps->count};
    *features = 0;
    for (int s = 0; s < maps->count; s++) {
        w->uses[s] = s < STAGES && c->stages[s];
        w->L[s] = maps->maps[s].H * maps->maps[s].W;
        w->C[s] = maps->maps[s].C;
        if (w->uses[s]) *features += w->N * w->C[s];
    }
    return w;
}

/* Initial weights are normal with standard deviation 0.005, biases 0.1. */
static void list(struct lister *l, void *weights, const char *view)
{
    struct gather *w = weights;
    snprintf(l->base, sizeof l->base, "%s.fa.", view);
    l->backbone = false;
    for (int s = 0; s < w->count; s++) {
        if (!w->uses[s]) continue;
        struct masks *m = &w->masks[s];
        int N = w->N, L = w->L[s];
        list_in(l, "%d.", s + 1);
        list_param(l, &m->w1, "w1", normal_law(0.005f), LIST_DECAY, N, L / 2, L);
        list_param(l, &m->b1, "b1", constant_law(0.1f), LIST_PLAIN, N, L / 2);
        list_param(l, &m->w2, "w2", normal_law(0.005f), LIST_DECAY, N, L, L / 2);
        list_param(l, &m->b2, "b2", constant_law(0.1f), LIST_PLAIN, N, L);
    }
}

static struct tensor *forward(struct trace *trace, struct tape *tape, const void *weights)
{
    const struct gather *w = weights;
    struct tensor *parts[MAX_MAPS];
    int count = 0;
    trace->mask_count = w->N;
    for (int s = 0; s < w->count; s++)
        if (w->uses[s]) parts[count++] = masks(tape, trace->maps[s], &w->masks[s], &trace->masks[s]); /* (B, 1, N C) */
    return concatenate(tape, parts, count);
}

static bool shares(double *heat, const struct trace *trace, int map, const void *weights, const float *other)
{
    const struct gather *w = weights;
    const struct tensor *x = trace->maps[map], *y = trace->gathered;
    if (!w->uses[map]) return false;
    int L = x->L, C = x->C;
    double square = 0;
    for (int i = 0; i < y->C; i++) square += (double)y->data[i] * y->data[i];
    double inverse = 1 / fmax(sqrt(square), 1e-12);
    for (int s = 0; s < map; s++)
        if (w->uses[s]) other += (size_t)w->N * w->C[s];
    for (int l = 0; l < L; l++) {
        const float *row = x->data + (size_t)l * (size_t)C;
        heat[l] = 0;
        for (int n = 0; n < w->N; n++) {
            double product = 0;
            for (int c = 0; c < C; c++) product += (double)row[c] * other[(size_t)n * (size_t)C + c];
            heat[l] += inverse * trace->masks[map][(size_t)n * (size_t)L + l] * product;
        }
    }
    return true;
}

static void about(char *text, size_t size, const void *config, const void *weights)
{
    const struct gather *w = weights;
    (void)config;
    size_t n = (size_t)snprintf(text, size, "stages");
    for (int s = 0; s < w->count && n < size; s++)
        if (w->uses[s]) n += (size_t)snprintf(text + n, size - n, " %d", s + 1);
    if (n < size) snprintf(text + n, size - n, " with %d masks each", w->N);
}

static size_t map_parameters(const void *weights, int map)
{
    const struct gather *w = weights;
    size_t N = (size_t)w->N, L = (size_t)w->L[map];
    return w->uses[map] ? N * (2 * L * (L / 2) + L / 2 + L) : 0;
}

const struct head masks_head = {
    .name = "masks",
    .masked = true,
    .fields = {rows, sizeof rows / sizeof *rows},
    .check = check,
    .open = open_gather,
    .close = free,
    .list = list,
    .forward = forward,
    .shares = shares,
    .about = about,
    .map_parameters = map_parameters,
};
