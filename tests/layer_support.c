/* layer_support.c - see layer_support.h: numbers, descriptions, and what is measured. */
#include "layer_support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "nn/gemm.h"
#include "nn/kernels.h"

/* ------------------------------------------------------------------ numbers */

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
    int at = snprintf(t->label, sizeof t->label, "%s", layer);
    const struct {
        const char *name;
        int size;
    } sizes[] = {{"B", s->B}, {"H", s->H}, {"W", s->W},           {"L", s->L},         {"C", s->C},
                 {"N", s->N}, {"K", s->K}, {"window", s->window}, {"shift", s->shift}, {"heads", s->heads}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (sizes[i].size)
            at += snprintf(t->label + at, sizeof t->label - (size_t)at, " %s %d", sizes[i].name, sizes[i].size);
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
    return v;
}

/* out.grad: the direction in which the output is looked at */
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
            print_message("  %-8s %.2g  %s\n", kernels()->name, figures.worst[k], figures.where[k]);
    if (figures.checks == 0) print_error("%s: nothing was checked\n", layer);
    failures += figures.checks == 0;
    memset(&figures, 0, sizeof figures);
    assert_int_equal(failures, 0);
}

int run_layer_tests(const struct CMUnitTest *tests, size_t count)
{
    const char *wanted = getenv("GVM_ISA");
    print_message("instructions: %s\n", kernels()->name);
    if (wanted && strcmp(wanted, kernels()->name) != 0) {
        print_message("skipped: %s was asked for, which this machine or build does not have\n", wanted);
        return 77;
    }
    return _cmocka_run_group_tests("layers", tests, count, NULL, NULL);
}

/* ------------------------------------------------------------------ the shipped layer */

/* How to run it. */
struct mode {
    bool training, packed;
    int threads;
    bool again; /* a second pass on the same tape, after a reset */
    bool sum;   /* every gradient already holds something */
    bool rows;  /* the inputs are pictures 1..B of B + 2 */
};

/* What came out. */
struct outcome {
    float *y, *dx[MAX_INPUTS], *dw[MAX_PARAMS];
    float loss;
};

static struct tensor *run_forward(struct layer_test *t, struct tape *tape, struct tensor **in, struct mode m)
{
    for (int i = 0; i < t->inputs; i++) {
        const struct variable *v = &t->in[i];
        int B = v->shape[0], margin = m.rows ? v->shape[1] * v->shape[2] : 0;
        in[i] = tape_tensor(tape, m.rows ? B + 2 : B, v->shape[1], v->shape[2]);
        if (in[i]->data) {
            memset(in[i]->data, 0, (v->n + 2 * (size_t)margin) * sizeof(float));
            for (size_t j = 0; j < v->n; j++) in[i]->data[(size_t)margin + j] = (float)v->value[j];
        }
        if (m.rows) in[i] = tape_rows(tape, in[i], 1, B);
    }
    return t->shipped(t, tape, in);
}

/* What a gradient held before, where it held something: different for each of its places. */
static float before(size_t i)
{
    return (float)(1 + i % 7) / 8;
}

static void run_backward(struct layer_test *t, struct tape *tape, struct tensor **in, struct tensor *y, struct mode m,
                         struct outcome *o)
{
    for (int i = 0; m.sum && i < t->inputs; i++) {
        for (size_t j = 0; j < t->in[i].n; j++) in[i]->grad[j] = before(j);
        in[i]->has_grad = true;
    }
    if (y) {
        for (size_t i = 0; i < t->out.n; i++) y->grad[i] = (float)t->out.grad[i];
        y->has_grad = true;
    }
    tape_backward(tape);
    for (int i = 0; i < t->inputs; i++) {
        memcpy(o->dx[i], in[i]->grad, t->in[i].n * sizeof(float));
        for (int c = 0; m.rows && !t->residual && c < t->in[i].shape[2]; c++) {
            check_true(t->label, "no gradient of rows outside", in[i]->parent->grad[c] == 0);
            check_true(t->label, "no gradient of rows outside", in[i]->grad[t->in[i].n + (size_t)c] == 0);
        }
    }
}

static void check_shape(const struct layer_test *t, const struct tensor *y)
{
    const int *shape = t->out.shape;
    check_true(t->label, "the output's shape", y->B == shape[0] && y->L == shape[1] && y->C == shape[2]);
}

/* All of the tape's memory is NaN before a pass, so what is read before it is written shows. */
static void spoil(struct tape *tape)
{
    memset(tape->block, 0xff, tape_bytes(tape));
}

static void run_shipped(struct layer_test *t, struct outcome *o, struct mode m)
{
    struct tape *tape;
    struct tensor *in[MAX_INPUTS], *y;
    gvm_error err = {""};
    parallel_set_threads(m.threads);
    *o = (struct outcome){.y = layer_floats(t, t->out.n)};
    for (int i = 0; i < t->inputs; i++) o->dx[i] = layer_floats(t, t->in[i].n);
    for (int i = 0; i < t->params; i++) {
        struct variable *v = &t->par[i];
        v->shipped.data = m.packed ? v->packed : v->plain;
        v->shipped.grad = o->dw[i] = m.training ? layer_floats(t, v->n) : NULL;
    }
    assert_int_equal(tape_open(&tape, m.training, m.packed, &err), GVM_OK);
    y = run_forward(t, tape, in, m);
    if (y) check_shape(t, y);
    assert_int_equal(tape_allocate(tape, &err), GVM_OK);
    for (int pass = m.again ? 0 : 1; pass < 2; pass++) {
        tape_reset(tape);
        spoil(tape);
        y = run_forward(t, tape, in, m);
        if (y)
            memcpy(o->y, y->data, t->out.n * sizeof(float));
        else
            o->y[0] = t->loss;
        o->loss = tape->loss;
        for (int i = 0; m.training && i < t->params; i++)
            for (size_t j = 0; j < t->par[i].n; j++) o->dw[i][j] = m.sum ? before(j) : 0;
        if (m.training) run_backward(t, tape, in, y, m, o);
    }
    tape_free(tape);
}

static void check_against_oracle(struct layer_test *t, const struct outcome *o)
{
    double whole = run_oracle(t) * t->gain;
    check_figure(t->label, "forward", "y", distance(o->y, t->out.value, t->out.n, 0), 1e-5);
    for (int i = 0; i < t->inputs; i++)
        check_figure(t->label, "backward", t->in[i].name, distance(o->dx[i], t->in[i].grad, t->in[i].n, whole), 1e-5);
    for (int i = 0; i < t->params; i++) {
        const struct variable *v = &t->par[i];
        check_figure(t->label, "backward", v->name, distance(o->dw[i], v->grad, v->n, whole), 1e-5);
        for (size_t j = 0; v->exact_zeros && j < v->n; j++)
            if (v->grad[j] == 0) check_true(t->label, "no gradient under a clamp", o->dw[i][j] == 0);
    }
}

/* The distance of a from b, both the shipped layer's; `offset`: a holds before() as well. `size`: the least that it is
 * measured against. */
static double float_distance(const float *a, const float *b, size_t n, bool offset, double size)
{
    double error = 0, square = 0;
    for (size_t i = 0; i < n; i++) {
        double d = (double)a[i] - b[i] - (offset ? before(i) : 0);
        error += d * d;
        square += (double)b[i] * b[i] + (offset ? before(i) * before(i) : 0);
    }
    size = fmax(size, sqrt(square));
    return size > 0 ? sqrt(error) / size : sqrt(error);
}

/* o is `first` again up to rounding, beside what the gradients held before. */
static void check_same(struct layer_test *t, const char *what, const struct outcome *o, const struct outcome *first,
                       struct mode m, double whole)
{
    char name[128];
    bool sum = m.sum;
    snprintf(name, sizeof name, "y, %s", what);
    check_figure(t->label, "others", name, float_distance(o->y, first->y, t->out.n, false, 0), 1e-6);
    if (o->loss != first->loss)
        check_figure(t->label, "others", "loss", fabs((double)o->loss - first->loss) / fabs((double)first->loss), 1e-6);
    for (int i = 0; m.training && i < t->inputs; i++) {
        if (t->residual && sum) continue; /* its input's gradient is its output's */
        snprintf(name, sizeof name, "d%s, %s", t->in[i].name, what);
        check_figure(t->label, "others", name, float_distance(o->dx[i], first->dx[i], t->in[i].n, sum, 1e-2 * whole),
                     5e-6);
    }
    for (int i = 0; m.training && i < t->params; i++) {
        snprintf(name, sizeof name, "d%s, %s", t->par[i].name, what);
        check_figure(t->label, "others", name, float_distance(o->dw[i], first->dw[i], t->par[i].n, sum, 1e-2 * whole),
                     5e-6);
    }
}

static void check_same_bits(struct layer_test *t, const struct outcome *a, const struct outcome *b)
{
    check_true(t->label, "the same bits of y", memcmp(a->y, b->y, t->out.n * sizeof(float)) == 0);
    check_true(t->label, "the same bits of the loss", memcmp(&a->loss, &b->loss, sizeof a->loss) == 0);
    for (int i = 0; i < t->inputs; i++)
        check_true(t->label, "the same bits of dx", memcmp(a->dx[i], b->dx[i], t->in[i].n * sizeof(float)) == 0);
    for (int i = 0; i < t->params; i++)
        check_true(t->label, t->par[i].name, memcmp(a->dw[i], b->dw[i], t->par[i].n * sizeof(float)) == 0);
}

void check_shipped(struct layer_test *t)
{
    static const struct {
        const char *what;
        struct mode mode;
    } ways[] = {
        {"1 thread", {.training = true, .threads = 1}},
        {"3 threads", {.training = true, .threads = 3}},
        {"9 threads", {.training = true, .threads = 9}},
        {"added to what was there", {.training = true, .threads = 2, .sum = true}},
        {"rows of a larger tensor", {.training = true, .threads = 2, .rows = true}},
        {"inference", {.threads = 2}},
        {"inference, weights in panels", {.threads = 2, .packed = true}},
        {"inference, weights in panels, 1 thread", {.threads = 1, .packed = true}},
    };
    const struct mode plain = {.training = true, .threads = 2}, again = {.training = true, .threads = 2, .again = true};
    struct outcome first, o;
    run_shipped(t, &first, plain);
    check_against_oracle(t, &first);
    double whole = run_oracle(t) * t->gain;
    run_shipped(t, &o, again);
    check_same_bits(t, &o, &first);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        run_shipped(t, &o, ways[i].mode);
        check_same(t, ways[i].what, &o, &first, ways[i].mode, whole);
    }
}
