/* mean.c - global average pooling of the last map, then a layer norm, as in classification networks.
 *
 * With m the mean of x, y = gamma (m - mean(m)) r + beta and feature f = y / |y|, another feature g has
 *   f . g = sum over l of h_l,  h_l = (r sum over c of g_c gamma_c (x_lc - mean(x_l)) + sum over c of g_c beta_c) / (L
 * |y|). */
#include "network/heads/mean.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct mean_norm {
    int last, C; /* index of the last map, its channels */
    struct norm norm;
};

static gvm_status check(const void *config, const struct pyramid *maps, const char *view, const char *where,
                        gvm_error *err)
{
    (void)config, (void)maps, (void)view, (void)where, (void)err;
    return GVM_OK;
}

static void *open_mean(int *features, const void *config, const struct pyramid *maps)
{
    struct mean_norm *w = calloc(1, sizeof *w);
    (void)config;
    if (w == NULL) return NULL;
    w->last = maps->count - 1;
    *features = w->C = maps->maps[w->last].C;
    return w;
}

/* The norm after the pooling belongs to the backbone: it has the backbone's name and learning rate, and is imported
 * with it. */
static void list(struct lister *l, void *weights, const char *view)
{
    struct mean_norm *w = weights;
    (void)view;
    list_norm(l, &w->norm, w->C, 1e-6f, 1, LIST_PLAIN, "norm");
}

static struct tensor *forward(struct trace *trace, struct tape *tape, const void *weights)
{
    const struct mean_norm *w = weights;
    return layer_norm(tape, mean_positions(tape, trace->maps[w->last]), &w->norm);
}

static double mean_of(const float *x, int C)
{
    double sum = 0;
    for (int c = 0; c < C; c++) sum += x[c];
    return sum / C;
}

static const float *position(const struct tensor *x, int W, const struct rectangle *part, int i)
{
    int row = part->top + i / part->width, column = part->left + i % part->width;
    return x->data + ((size_t)row * (size_t)W + (size_t)column) * (size_t)x->C;
}

/* 1 / sqrt(variance + epsilon) of the mean over n positions. */
static double inverse_deviation(const struct tensor *x, int W, const struct rectangle *part, int n, double epsilon)
{
    double sum = 0, square = 0;
    for (int c = 0; c < x->C; c++) {
        double m = 0;
        for (int i = 0; i < n; i++) m += position(x, W, part, i)[c];
        sum += m / n;
        square += m / n * (m / n);
    }
    return 1 / sqrt(fmax(square / x->C - sum / x->C * (sum / x->C), 0) + epsilon);
}

void mean_shares(double *heat, const struct tensor *x, int W, const struct rectangle *part, const struct norm *norm,
                 const float *other, double length)
{
    const float *gamma = norm->weight->data, *beta = norm->bias->data;
    int n = part->height * part->width;
    double r = inverse_deviation(x, W, part, n, (double)norm->epsilon), shift = 0;
    for (int c = 0; c < x->C; c++) shift += (double)other[c] * beta[c];
    for (int i = 0; i < n; i++) {
        const float *row = position(x, W, part, i);
        double mean = mean_of(row, x->C), product = 0;
        for (int c = 0; c < x->C; c++) product += (double)other[c] * gamma[c] * (row[c] - mean);
        heat[(row - x->data) / x->C] = (r * product + shift) / (length * n);
    }
}

static bool shares(double *heat, const struct trace *trace, int map, const void *weights, const float *other)
{
    const struct mean_norm *w = weights;
    const struct tensor *x = trace->maps[map], *y = trace->gathered;
    if (map != w->last) return false;
    double square = 0;
    for (int c = 0; c < x->C; c++) square += (double)y->data[c] * y->data[c];
    mean_shares(heat, x, x->L, &(struct rectangle){0, 0, 1, x->L}, &w->norm, other, fmax(sqrt(square), 1e-12));
    return true;
}

static void about(char *text, size_t size, const void *config, const void *weights)
{
    (void)config, (void)weights;
    snprintf(text, size, "the mean of the last map, normalised");
}

const struct head mean_head = {
    .name = "mean",
    .check = check,
    .open = open_mean,
    .close = free,
    .list = list,
    .forward = forward,
    .shares = shares,
    .about = about,
};
