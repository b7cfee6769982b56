/* heatmap.c - what the network looks at in a picture (the paper's section 5, Figures 8 and 9).
 *
 * The paper takes the mean over the channels. For the multi-scale feature that says little: it is no map any more, and
 * stage 4 under it is normalised, so that its mean is zero but for the norm's own weights. Its heat is what a position
 * adds to the score instead. With y_nc = sum over l of w_nl x_lc, feature f = y / |y| and another feature g,
 *   f . g = sum over l of h_l,  h_l = sum over n, c of w_nl x_lc g_nc / |y|. */
#include "network/heatmap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "network/session.h"

void heat_mean(double *heat, const struct tensor *x)
{
    for (int l = 0; l < x->L; l++) {
        const float *row = x->data + (size_t)l * (size_t)x->C;
        double sum = 0, size = 0;
        for (int c = 0; c < x->C; c++) {
            sum += row[c];
            size += fabs(row[c]);
        }
        heat[l] = fabs(sum) > 1e-6 * size ? sum / x->C : 0; /* rounding's remains of a normalised row are no heat */
    }
}

void heat_shares(double *heat, const struct swin_trace *trace, int stage, const struct swin_geo *w, const float *other)
{
    const struct tensor *x = trace->maps[stage], *y = trace->gathered;
    int L = x->L, C = x->C, N = w->masks[stage].w1->shape[0];
    double square = 0;
    for (int i = 0; i < y->C; i++) square += (double)y->data[i] * y->data[i];
    double inverse = 1 / fmax(sqrt(square), 1e-12);
    for (int s = 0; s < stage; s++)
        if (w->uses[s]) other += w->masks[s].w1->shape[0] * trace->maps[s]->C;
    for (int l = 0; l < L; l++) {
        const float *row = x->data + (size_t)l * (size_t)C;
        heat[l] = 0;
        for (int n = 0; n < N; n++) {
            double product = 0;
            for (int c = 0; c < C; c++) product += (double)row[c] * other[(size_t)n * (size_t)C + c];
            heat[l] += inverse * trace->masks[stage][(size_t)n * (size_t)L + l] * product;
        }
    }
}

/* Where output i of n lies among m inputs: the two that it lies between, and how far it is from the first. */
static double between(int *first, int *second, int i, int n, int m)
{
    double at = fmin(fmax((i + 0.5) * m / n - 0.5, 0), m - 1);
    *first = (int)at;
    *second = *first < m - 1 ? *first + 1 : *first;
    return at - *first;
}

/* map (H, W) += factor heat (h, w), bilinear. The sum of what is added is H W / (h w) times the heat's. */
static void add_upsampled(float *map, int H, int W, double factor, const double *heat, int h, int w)
{
    for (int i = 0; i < H; i++) {
        int top, bottom, left, right;
        double down = between(&top, &bottom, i, H, h);
        for (int j = 0; j < W; j++) {
            double across = between(&left, &right, j, W, w);
            double upper = heat[top * w + left] * (1 - across) + heat[top * w + right] * across;
            double lower = heat[bottom * w + left] * (1 - across) + heat[bottom * w + right] * across;
            map[(size_t)i * (size_t)W + j] += (float)(factor * (upper * (1 - down) + lower * down));
        }
    }
}

/* A tensor of a device on the host; its data is to be freed. */
static bool fetch_tensor(struct tensor *copy, struct tape *tape, const struct tensor *x)
{
    *copy = *x;
    copy->data = malloc((size_t)x->B * (size_t)x->L * (size_t)x->C * sizeof *copy->data);
    if (copy->data != NULL) tape_read(tape, copy->data, x);
    return copy->data != NULL;
}

/* What a pass on a device left, on the host. */
struct fetched {
    struct tensor maps[STAGES], masks[STAGES], gathered, feature;
};

static void free_fetched(struct fetched *f)
{
    for (int s = 0; s < STAGES; s++) {
        free(f->maps[s].data);
        free(f->masks[s].data);
    }
    free(f->gathered.data);
    free(f->feature.data);
}

static bool fetch_trace(struct fetched *f, struct swin_trace *trace, const struct tensor **feature, struct tape *tape,
                        const struct swin_geo *w)
{
    bool ok = fetch_tensor(&f->gathered, tape, trace->gathered) && fetch_tensor(&f->feature, tape, *feature);
    for (int s = 0; s < STAGES && ok; s++) {
        ok = fetch_tensor(&f->maps[s], tape, trace->maps[s]);
        trace->maps[s] = &f->maps[s];
        if (!w->uses[s] || !ok) continue;
        int N = w->masks[s].w1->shape[0];
        const struct tensor x = {
            .data = (float *)trace->masks[s], .B = 1, .L = N, .C = f->maps[s].L, .element = sizeof(float)};
        ok = fetch_tensor(&f->masks[s], tape, &x);
        trace->masks[s] = f->masks[s].data;
    }
    trace->gathered = &f->gathered;
    *feature = &f->feature;
    return ok;
}

gvm_status gvm_heatmap(gvm_session *session, gvm_view view, int stage, float *map, const unsigned char *pixels,
                       const float *other, gvm_error *err)
{
    return heat_run(session, view, stage, map, NULL, pixels, other, err);
}

gvm_status heat_run(gvm_session *session, gvm_view view, int stage, float *map, float *own, const unsigned char *pixels,
                    const float *other, gvm_error *err)
{
    clear_error(err);
    gvm_status status = check_view(view, err);
    if (status != GVM_OK) return status;
    if (stage < 0 || stage > STAGES)
        return fail(err, GVM_ARGUMENT, "%d is no stage: 1 to %d, or 0 for the multi-scale feature", stage, STAGES);
    const struct swin_geo *w = &session->model->network->views[view];
    if (stage == 0 && other != NULL && !is_feature(other, (size_t)w->features))
        return fail(err, GVM_ARGUMENT, "the other picture's feature has not the length 1");
    struct swin_trace trace;
    struct fetched fetched = {0};
    const struct tensor *feature = session_run(&trace, session, view, pixels, 1);
    double *heat = malloc((size_t)trace.maps[0]->L * sizeof *heat); /* the first stage's map is the largest */
    bool ready = feature != NULL && heat != NULL;
    if (ready && session->model->network->home)
        ready = fetch_trace(&fetched, &trace, &feature, session->tapes[view], w);
    status = tape_wait(session->tapes[view], err);
    if (status == GVM_OK && !ready) status = fail(err, GVM_MEMORY, "there is not enough memory for a heat map");
    if (status != GVM_OK) {
        free(heat);
        free_fetched(&fetched);
        return status;
    }
    int H = w->backbone.H, W = w->backbone.W;
    memset(map, 0, (size_t)H * (size_t)W * sizeof *map);
    if (!is_feature(feature->data, (size_t)feature->C))
        status = fail(err, GVM_FORMAT, "the weights make of the picture no feature of length 1: they are broken");
    if (own != NULL && status == GVM_OK) memcpy(own, feature->data, (size_t)feature->C * sizeof *own);
    for (int s = 0; s < STAGES && status == GVM_OK; s++) {
        const struct stage *grid = &w->backbone.stages[s];
        if (stage == 0 && w->uses[s]) {
            heat_shares(heat, &trace, s, w, other != NULL ? other : feature->data);
            add_upsampled(map, H, W, (double)grid->H * grid->W / ((double)H * W), heat, grid->H, grid->W);
        } else if (stage == s + 1) {
            heat_mean(heat, trace.maps[s]);
            add_upsampled(map, H, W, 1, heat, grid->H, grid->W);
        }
    }
    free(heat);
    free_fetched(&fetched);
    return status;
}
