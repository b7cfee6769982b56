/* quadrants.c - the last map is cut into four parts; the mean of each goes through the same layer norm, and the results
 * are concatenated (FRGeo). A panorama with north in its middle is cut into strips, from left to right: south to west,
 * west to north, north to east, east to south. An aerial picture, north up, is cut into its corners in the same order,
 * so that corresponding parts show the same directions. A remainder goes to the last strip, and to the lower and right
 * corners.
 *
 * With m_k the mean of part k, y_k = gamma (m_k - mean(m_k)) r_k + beta, and the feature f = y / |y|; mean.c has the
 * shares of positions. */
#include "network/heads/quadrants.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "network/heads/mean.h"

enum { PARTS = 4 };

struct quadrants {
    int last, W, C; /* index of the last map, its width and channels */
    struct rectangle parts[PARTS];
    struct norm norm;
};

static gvm_status check(const void *config, const struct pyramid *maps, const char *view, const char *where,
                        gvm_error *err)
{
    (void)config;
    int H = maps->maps[maps->count - 1].H, W = maps->maps[maps->count - 1].W;
    bool above = maps->projection == PROJECTION_NADIR;
    if (above ? H >= 2 && W >= 2 : H >= 1 && W >= PARTS) return GVM_OK;
    return fail(err, GVM_FORMAT, "%s: the last map of the %s view is %d x %d, which cannot be split into quadrants",
                where, view, H, W);
}

static void cut(struct rectangle parts[PARTS], int H, int W, bool above)
{
    int h = H / 2, w = W / 2, strip = W / PARTS;
    const struct rectangle corners[PARTS] = {{h, 0, H - h, w}, {0, 0, h, w}, {0, w, h, W - w}, {h, w, H - h, W - w}};
    for (int k = 0; k < PARTS; k++)
        parts[k] =
            above ? corners[k] : (struct rectangle){0, k * strip, H, k < PARTS - 1 ? strip : W - (PARTS - 1) * strip};
}

static void *open_quadrants(int *features, const void *config, const struct pyramid *maps)
{
    struct quadrants *w = calloc(1, sizeof *w);
    (void)config;
    if (w == NULL) return NULL;
    w->last = maps->count - 1;
    w->W = maps->maps[w->last].W;
    w->C = maps->maps[w->last].C;
    cut(w->parts, maps->maps[w->last].H, w->W, maps->projection == PROJECTION_NADIR);
    *features = PARTS * w->C;
    return w;
}

/* The norm belongs to the backbone, as in the mean head. */
static void list(struct lister *l, void *weights, const char *view)
{
    struct quadrants *w = weights;
    (void)view;
    list_norm(l, &w->norm, w->C, 1e-6f, 1, LIST_PLAIN, "norm");
}

static struct tensor *forward(struct trace *trace, struct tape *tape, const void *weights)
{
    const struct quadrants *w = weights;
    struct tensor *parts[PARTS];
    for (int k = 0; k < PARTS; k++)
        parts[k] = layer_norm(tape, mean_part(tape, trace->maps[w->last], w->W, &w->parts[k]), &w->norm);
    return concatenate(tape, parts, PARTS);
}

static bool shares(double *heat, const struct trace *trace, int map, const void *weights, const float *other)
{
    const struct quadrants *w = weights;
    if (map != w->last) return false;
    double square = 0;
    for (int c = 0; c < PARTS * w->C; c++) square += pow((double)trace->gathered->data[c], 2);
    double length = fmax(sqrt(square), 1e-12);
    for (int k = 0; k < PARTS; k++)
        mean_shares(heat, trace->maps[map], w->W, &w->parts[k], &w->norm, other + (size_t)k * (size_t)w->C, length);
    return true;
}

static void about(char *text, size_t size, const void *config, const void *weights)
{
    (void)config, (void)weights;
    snprintf(text, size, "the means of four parts of the last map, normalised");
}

const struct head quadrants_head = {
    .name = "quadrants",
    .check = check,
    .open = open_quadrants,
    .close = free,
    .list = list,
    .forward = forward,
    .shares = shares,
    .about = about,
};
