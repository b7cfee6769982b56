/* heatmap.c - heat maps of a picture (the paper's section 5, Figures 8 and 9).
 *
 * The paper takes the mean over the channels of a stage's map. The multi-scale feature is not a map, and stage 4 is
 * normalised, so its mean is zero except for the norm's own weights. The feature's heat is therefore each position's
 * contribution to the score, which the head computes (`shares` in parts.h). */
#include "network/heatmap.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "network/session.h"

void heat_mean(double *heat, const struct tensor *x)
{
    for (int l = 0; l < x->B * x->L; l++) {
        const float *row = x->data + (size_t)l * (size_t)x->C;
        double sum = 0, size = 0;
        for (int c = 0; c < x->C; c++) {
            sum += row[c];
            size += fabs(row[c]);
        }
        heat[l] = fabs(sum) > 1e-6 * size ? sum / x->C : 0; /* not the rounding error of a normalised row */
    }
}

/* Position of output i of n among m inputs: its two neighbours, and the distance from the first, 0..1. */
static double between(int *first, int *second, int i, int n, int m)
{
    double at = fmin(fmax((i + 0.5) * m / n - 0.5, 0), m - 1);
    *first = (int)at;
    *second = *first < m - 1 ? *first + 1 : *first;
    return at - *first;
}

/* Total weight of input k of m in all n outputs: about n / m, as n need not be a multiple of m. */
static double weight_of(int k, int n, int m)
{
    double sum = 0;
    for (int i = 0, first, second; i < n; i++) {
        double at = between(&first, &second, i, n, m);
        sum += (k == first ? 1 - at : 0) + (k == second ? at : 0);
    }
    return sum;
}

/* Divide heat (h, w) by its weights, so that its sum is the same after add_upsampled. */
static void share_out(double *heat, int H, int W, int h, int w)
{
    for (int i = 0; i < h; i++) {
        double down = weight_of(i, H, h);
        for (int j = 0; j < w; j++) heat[i * w + j] /= down * weight_of(j, W, w);
    }
}

/* map (H, W) += heat (h, w), bilinear. */
static void add_upsampled(float *map, int H, int W, const double *heat, int h, int w)
{
    for (int i = 0; i < H; i++) {
        int top, bottom, left, right;
        double down = between(&top, &bottom, i, H, h);
        for (int j = 0; j < W; j++) {
            double across = between(&left, &right, j, W, w);
            double upper = heat[top * w + left] * (1 - across) + heat[top * w + right] * across;
            double lower = heat[bottom * w + left] * (1 - across) + heat[bottom * w + right] * across;
            map[(size_t)i * (size_t)W + j] += (float)(upper * (1 - down) + lower * down);
        }
    }
}

gvm_status gvm_heatmap(gvm_session *session, gvm_view view, int stage, float *map, const unsigned char *pixels,
                       const float *other, gvm_error *err)
{
    clear_error(err);
    gvm_status status = check_view(view, err);
    if (status != GVM_OK) return status;
    const struct branch *w = &session->model->network->views[view];
    const struct pyramid *p = &w->maps;
    size_t D = (size_t)w->features, most = 0;
    if (stage < 0 || stage > p->count)
        return fail(err, GVM_ARGUMENT, "invalid stage %d; expected 1 to %d, or 0 for the whole feature", stage,
                    p->count);
    if (stage == 0 && other != NULL && !is_query(other, D))
        return fail(err, GVM_ARGUMENT, "the other picture's feature is zero, or longer than 1");
    for (int s = 0; s < p->count; s++)
        if ((size_t)p->maps[s].H * p->maps[s].W > most) most = (size_t)p->maps[s].H * p->maps[s].W;
    assert(most > 0 && w->pictures > 0);
    struct trace trace;
    double *heat = malloc((size_t)w->pictures * most * sizeof *heat);
    float *feature = malloc(D * sizeof *feature);
    if (heat == NULL || feature == NULL) status = fail(err, GVM_MEMORY, "out of memory for a heat map");
    if (status == GVM_OK) status = embedder_trace(session->embedders[view], &trace, feature, pixels, err);
    if (status == GVM_OK && !is_feature(feature, D))
        status = fail(err, GVM_FORMAT, "the model's output is not a unit vector; the weights file is corrupt");
    if (status == GVM_OK) memset(map, 0, (size_t)w->pictures * (size_t)w->H * (size_t)w->W * sizeof *map);
    for (int s = 0; s < p->count && status == GVM_OK; s++) {
        int h = p->maps[s].H, v = p->maps[s].W;
        if (stage == s + 1)
            heat_mean(heat, trace.maps[s]);
        else if (stage != 0 || !w->head->shares(heat, &trace, s, w->top, other != NULL ? other : feature))
            continue;
        for (int i = 0; i < w->pictures; i++) {
            double *part = heat + (size_t)i * (size_t)h * (size_t)v;
            if (stage == 0) share_out(part, w->H, w->W, h, v);
            add_upsampled(map + (size_t)i * (size_t)w->H * (size_t)w->W, w->H, w->W, part, h, v);
        }
    }
    free(heat);
    free(feature);
    return status;
}
