/* layer_support.c - see layer_support.h: numbers, descriptions, comparisons */
#include "layer_support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor/gemm.h"
#include "tensor/kernels.h"

/* ------------------------------------------------------------------ numbers */

const struct device *layer_device;

static uint64_t draw_state;

void draw_seed(uint64_t seed)
{
    draw_state = seed;
}

/* splitmix64 */
double draw_uniform(void)
{
    uint64_t z = draw_state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

double draw_normal(void)
{
    double radius = sqrt(-2 * log(1 - draw_uniform()));
    return radius * cos(2 * acos(-1.0) * draw_uniform());
}

float draw_float(void)
{
    return (float)draw_normal();
}

/* ------------------------------------------------------------------ describing a layer */

void *layer_bytes(struct layer_test *t, size_t n)
{
    assert_true(t->kept_count < MAX_KEPT);
    void *p = calloc(n ? n : 1, 1);
    assert_non_null(p);
    return t->kept[t->kept_count++] = p;
}

double *layer_doubles(struct layer_test *t, size_t n)
{
    return layer_bytes(t, n * sizeof(double));
}

double *layer_map(void *t, size_t n)
{
    return layer_doubles(t, n);
}

float *layer_floats(struct layer_test *t, size_t n)
{
    return layer_bytes(t, n * sizeof(float));
}

void layer_open(struct layer_test *t, const char *layer, const struct sizes *s)
{
    *t = (struct layer_test){.s = *s, .gain = 1};
    if (s->epsilon == 0) t->s.epsilon = 1e-5f;
    int at = snprintf(t->label, sizeof t->label, "%s", layer);
    const struct {
        const char *name;
        int size;
    } sizes[] = {{"B", s->B},         {"H", s->H},         {"W", s->W},        {"L", s->L},
                 {"C", s->C},         {"N", s->N},         {"K", s->K},        {"window", s->window},
                 {"shift", s->shift}, {"heads", s->heads}, {"slide", s->slide}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (sizes[i].size)
            at += snprintf(t->label + at, sizeof t->label - (size_t)at, " %s %d", sizes[i].name, sizes[i].size);
    snprintf(t->label + at, sizeof t->label - (size_t)at, "%s%s", s->masked ? ", masked" : "", s->wrap ? ", wrap" : "");
    uint64_t seed = 14695981039346656037u;
    for (const char *c = t->label; *c; c++) seed = (seed ^ (uint8_t)*c) * 1099511628211u;
    draw_seed(seed);
}

void layer_free(struct layer_test *t)
{
    for (int i = 0; i < t->kept_count; i++) free(t->kept[i]);
}

static void fill(struct layer_test *t, struct variable *v, const char *name, double mean, double deviation, int rank,
                 const int *shape)
{
    *v = (struct variable){.name = name, .rank = rank, .n = 1};
    for (int i = 0; i < rank; i++) v->n *= (size_t)(v->shape[i] = shape[i]);
    v->value = layer_doubles(t, v->n);
    v->grad = layer_doubles(t, v->n);
    for (size_t i = 0; i < v->n; i++) v->value[i] = (float)(mean + deviation * draw_normal());
}

struct variable *layer_input(struct layer_test *t, const char *name, int B, int L, int C)
{
    assert_true(t->inputs < MAX_INPUTS);
    struct variable *v = &t->in[t->inputs++];
    fill(t, v, name, 0, 1, 3, (const int[]){B, L, C});
    for (size_t i = 0; layer_device && i < v->n; i++) { /* exact in bfloat16, so that a maximum keeps its index */
        float x = (float)v->value[i];
        uint32_t bits;
        memcpy(&bits, &x, sizeof bits);
        bits &= 0xffff0000u;
        memcpy(&x, &bits, sizeof bits);
        v->value[i] = x;
    }
    return v;
}

/* out.grad: the direction onto which the output is projected */
struct variable *layer_output(struct layer_test *t, int B, int L, int C)
{
    fill(t, &t->out, "y", 0, 0, 3, (const int[]){B, L, C});
    for (size_t i = 0; i < t->out.n; i++) t->out.grad[i] = draw_float();
    return &t->out;
}

struct variable *layer_param(struct layer_test *t, const char *name, double mean, double deviation, int rank,
                             const int *shape, bool matrix)
{
    assert_true(t->params < MAX_PARAMS);
    struct variable *v = &t->par[t->params++];
    fill(t, v, name, mean, deviation, rank, shape);
    v->plain = layer_floats(t, v->n);
    v->packed = matrix ? layer_floats(t, v->n) : v->plain;
    v->shipped = (struct param){.rank = rank, .count = v->n, .data = v->plain, .matrix = matrix};
    memcpy(v->shipped.shape, v->shape, sizeof v->shape);
    snprintf(v->shipped.name, sizeof v->shipped.name, "%s", name);
    return v;
}

struct variable *layer_vector(struct layer_test *t, const char *name, double mean, double deviation, int n)
{
    return layer_param(t, name, mean, deviation, 1, &n, false);
}

struct variable *layer_matrix(struct layer_test *t, const char *name, int N, int K)
{
    return layer_param(t, name, 0, 1 / sqrt(K), 2, (const int[]){N, K}, true);
}

void layer_keep(struct layer_test *t)
{
    t->keep = layer_floats(t, (size_t)t->s.B);
    for (int b = 0; b < t->s.B; b++) t->keep[b] = b % 2 ? 0 : 1.25f;
}

void layer_seen(struct layer_test *t, int B, int H, int W)
{
    if (!t->s.masked) return;
    t->seen = layer_bytes(t, (size_t)(B * H * W));
    for (int i = 0; i < B * H * W; i++) {
        int b = i / (H * W), y = i / W % H, x = i % W;
        bool inside = x >= W / 4 && 2 * y >= H / 2 - 1 && (3 * x < 2 * W || x == W - 1);
        t->seen[i] = b % 3 == 2 || (b % 3 == 0 && inside && draw_uniform() < 0.8);
    }
}

void clear_unseen(double *x, const struct layer_test *t, int rows, int C)
{
    for (int r = 0; t->seen && r < rows; r++)
        for (int c = 0; c < C && !t->seen[r]; c++) x[r * C + c] = 0;
}

void layer_sync(struct layer_test *t)
{
    for (int i = 0; i < t->params; i++) {
        struct variable *v = &t->par[i];
        for (size_t j = 0; j < v->n; j++) v->plain[j] = (float)v->value[j];
        if (v->shipped.matrix) gemm_pack(v->packed, v->plain, v->shape[0], (int)(v->n / (size_t)v->shape[0]));
    }
}

void layer_aim(struct layer_test *t)
{
    double *y = layer_doubles(t, t->out.n), *start[MAX_INPUTS + MAX_PARAMS];
    struct variable *v[MAX_INPUTS + MAX_PARAMS];
    int count = t->inputs + t->params;
    t->forward(t);
    memcpy(y, t->out.value, t->out.n * sizeof *y);
    for (int i = 0; i < count; i++) {
        v[i] = i < t->inputs ? &t->in[i] : &t->par[i - t->inputs];
        start[i] = layer_doubles(t, v[i]->n);
        memcpy(start[i], v[i]->value, v[i]->n * sizeof(double));
        for (size_t j = 0; j < v[i]->n; j++) v[i]->value[j] *= 1 + 0.3 * draw_normal();
    }
    t->forward(t);
    for (int i = 0; i < count; i++) memcpy(v[i]->value, start[i], v[i]->n * sizeof(double));
    for (size_t i = 0; i < t->out.n; i++) y[i] = t->out.value[i] - y[i];
    double scale = sqrt((double)t->out.n) / length(y, t->out.n);
    for (size_t i = 0; i < t->out.n; i++) t->out.grad[i] = (float)(0.1 * t->out.grad[i] + y[i] * scale);
}

/* ------------------------------------------------------------------ figures */

static struct {
    int failures, checks;
    double worst[4];
    char where[4][256];
} figures;

static const char *const kinds[4] = {"differences", "forward", "backward", "others"};

double length(const double *x, size_t n)
{
    double square = 0;
    for (size_t i = 0; i < n; i++) square += x[i] * x[i];
    return sqrt(square);
}

double distance(const float *a, const double *b, size_t n, double least_of)
{
    double square = 0, size = length(b, n);
    for (size_t i = 0; i < n; i++) square += (a[i] - b[i]) * (a[i] - b[i]);
    if (size <= 1e-9 * least_of) size = least_of;
    return size > 0 ? sqrt(square) / size : sqrt(square);
}

void check_figure(const char *label, const char *what, const char *name, double figure, double limit)
{
    int kind = 0;
    while (kind < 3 && strcmp(what, kinds[kind]) != 0) kind++;
    figures.checks++;
    if (figure > figures.worst[kind]) {
        figures.worst[kind] = figure;
        snprintf(figures.where[kind], sizeof figures.where[kind], "%s: %s of %s", label, what, name);
    }
    if (figure < limit) return; /* NaN fails */
    figures.failures++;
    print_error("%s: %s of %s: %.3g, not below %.3g\n", label, what, name, figure, limit);
}

void check_true(const char *label, const char *what, bool holds)
{
    figures.checks++;
    if (holds) return;
    figures.failures++;
    print_error("%s: %s does not hold\n", label, what);
}

void finish(const char *layer)
{
    int failures = figures.failures;
    for (int k = 0; k < 4; k++)
        if (figures.where[k][0])
            print_message("  %-8s %.2g  %s\n", layer_device ? layer_device->name : kernels()->name, figures.worst[k],
                          figures.where[k]);
    if (figures.checks == 0) print_error("%s: nothing was checked\n", layer);
    failures += figures.checks == 0;
    memset(&figures, 0, sizeof figures);
    assert_int_equal(failures, 0);
}

int run_layer_tests(const struct CMUnitTest *tests, size_t count)
{
    const char *wanted = getenv("GVM_ISA"), *where = getenv("GVM_LAYER_DEVICE");
    gvm_error err;
    if (where && strcmp(where, "cuda") == 0 && device_cuda(&layer_device, &err) != GVM_OK) {
        print_message("skipped: %s\n", err.text);
        return 77;
    }
    print_message("instructions: %s\n", kernels()->name);
    if (wanted && strcmp(wanted, kernels()->name) != 0) {
        print_message("skipped: %s was asked for, which this machine or build does not have\n", wanted);
        return 77;
    }
    return _cmocka_run_group_tests("layers", tests, count, NULL, NULL);
}
