/* test_layers_linear.c - linear and feed_forward against their references */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layer_support.h"

/* ------------------------------------------------------------------ y = f(W x + b) */

static void linear_double(struct layer_test *t)
{
    const double *b = t->s.no_bias ? NULL : t->par[1].value;
    oracle_linear(t->out.value, t->map[0], t->in[0].value, t->par[0].value, b, t->s.B * t->s.L, t->s.N, t->s.K, t->s.f);
}

static void linear_double_backward(struct layer_test *t)
{
    oracle_linear_backward(t->in[0].grad, t->par[0].grad, t->s.no_bias ? NULL : t->par[1].grad, t->out.grad, t->map[0],
                           t->in[0].value, t->par[0].value, t->s.B * t->s.L, t->s.N, t->s.K, t->s.f);
}

static struct tensor *linear_shipped(struct layer_test *t, struct tape *tape, struct tensor *const *in)
{
    struct linear *w = t->more;
    *w = (struct linear){&t->par[0].shipped, t->s.no_bias ? NULL : &t->par[1].shipped};
    return linear(tape, in[0], w, t->s.f);
}

static void open_linear(struct layer_test *t, const struct sizes *s)
{
    static const char *const names[] = {[IDENTITY] = "linear", [RELU] = "linear relu", [GELU] = "linear gelu"};
    layer_open(t, names[s->f], s);
    layer_input(t, "x", s->B, s->L, s->K);
    layer_matrix(t, "weight", s->N, s->K);
    if (!s->no_bias) layer_vector(t, "bias", 0, 1, s->N);
    layer_output(t, s->B, s->L, s->N);
    t->map[0] = layer_doubles(t, t->out.n);
    t->more = layer_bytes(t, sizeof(struct linear));
    t->exact_only = s->f == RELU; /* signs of values near 0 */
    t->forward = linear_double;
    t->backward = linear_double_backward;
    t->shipped = linear_shipped;
    layer_sync(t);
}

static void test_linear(void **state)
{
    static const struct sizes sizes[] = {
        {.B = 1, .L = 1, .N = 1, .K = 1},   {.B = 1, .L = 1, .N = 7, .K = 9},    {.B = 3, .L = 1, .N = 33, .K = 20},
        {.B = 3, .L = 5, .N = 9, .K = 17},  {.B = 1, .L = 49, .N = 16, .K = 7},  {.B = 2, .L = 70, .N = 48, .K = 24},
        {.B = 3, .L = 1, .N = 400, .K = 9}, {.B = 7, .L = 1, .N = 12, .K = 500},
    };
    struct layer_test t;
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int f = IDENTITY; f <= GELU; f++) {
            struct sizes s = sizes[i];
            s.f = (enum activation)f;
            s.no_bias = i == 2 && f != GELU;
            open_linear(&t, &s);
            check_differences(&t);
            check_shipped(&t);
            layer_free(&t);
        }
    finish("linear");
}

/* ------------------------------------------------------------------ y = x + keep LN(W2 gelu(W1 x + b1) + b2) */

enum { W1, B1, W2, B2, GAMMA, BETA };

static void feed_double(struct layer_test *t)
{
    int M = t->s.B * t->s.L, C = t->s.C;
    double *h = t->map[0], *g = t->map[1], *u = t->map[2], *v = t->map[3];
    oracle_linear(g, h, t->in[0].value, t->par[W1].value, t->par[B1].value, M, 4 * C, C, GELU);
    oracle_linear(u, u, g, t->par[W2].value, t->par[B2].value, M, C, 4 * C, IDENTITY);
    oracle_norm(v, u, t->par[GAMMA].value, t->par[BETA].value, 1e-5f, M, C);
    clear_unseen(v, t, M, C);
    oracle_residual(t->out.value, t->in[0].value, v, t->keep, t->s.B, t->s.L * C);
}

static void feed_double_backward(struct layer_test *t)
{
    int M = t->s.B * t->s.L, C = t->s.C;
    size_t n = t->out.n;
    double *h = t->map[0], *g = t->map[1], *u = t->map[2];
    double *dv = t->map[4], *du = dv + n, *dg = du + n; /* (M, C), (M, C), (M, 4C) */
    for (size_t i = 0; i < 6 * n; i++) dv[i] = 0;
    oracle_residual_backward(t->in[0].grad, dv, t->out.grad, t->keep, t->s.B, t->s.L * C);
    clear_unseen(dv, t, M, C);
    oracle_norm_backward(du, t->par[GAMMA].grad, t->par[BETA].grad, dv, u, t->par[GAMMA].value, 1e-5f, M, C);
    oracle_linear_backward(dg, t->par[W2].grad, t->par[B2].grad, du, u, g, t->par[W2].value, M, C, 4 * C, IDENTITY);
    oracle_linear_backward(t->in[0].grad, t->par[W1].grad, t->par[B1].grad, dg, h, t->in[0].value, t->par[W1].value, M,
                           4 * C, C, GELU);
}

static struct tensor *feed_shipped(struct layer_test *t, struct tape *tape, struct tensor *const *in)
{
    struct feed_forward *w = t->more;
    struct variable *p = t->par;
    *w = (struct feed_forward){
        &p[W1].shipped, &p[B1].shipped, &p[W2].shipped, &p[B2].shipped, {&p[GAMMA].shipped, &p[BETA].shipped, 1e-5f}};
    return feed_forward(tape, in[0], w, t->keep);
}

static void open_feed(struct layer_test *t, const struct sizes *s, bool keep)
{
    layer_open(t, keep ? "feed_forward, drop path" : "feed_forward", s);
    layer_input(t, "x", s->B, s->L, s->C);
    layer_matrix(t, "w1", 4 * s->C, s->C);
    layer_vector(t, "b1", 0, 0.5, 4 * s->C);
    layer_matrix(t, "w2", s->C, 4 * s->C);
    layer_vector(t, "b2", 0, 0.5, s->C);
    layer_vector(t, "gamma", 1, 0.3, s->C);
    layer_vector(t, "beta", 0, 0.3, s->C);
    layer_output(t, s->B, s->L, s->C);
    size_t n = t->out.n;
    t->map[0] = layer_doubles(t, 4 * n);
    t->map[1] = layer_doubles(t, 4 * n);
    t->map[2] = layer_doubles(t, n);
    t->map[3] = layer_doubles(t, n);
    t->map[4] = layer_doubles(t, 6 * n);
    t->more = layer_bytes(t, sizeof(struct feed_forward));
    if (keep) layer_keep(t);
    layer_seen(t, s->B, 1, s->L);
    t->residual = true;
    if (s->C == 1) t->gain = NORM_GAIN;
    t->forward = feed_double;
    t->backward = feed_double_backward;
    t->shipped = feed_shipped;
    layer_sync(t);
}

static void test_feed_forward(void **state)
{
    static const struct {
        struct sizes s;
        bool keep, differences;
    } cases[] = {
        {{.B = 1, .L = 1, .C = 1}, false, true},
        {{.B = 3, .L = 1, .C = 7}, true, true},
        {{.B = 1, .L = 5, .C = 9}, false, true},
        {{.B = 3, .L = 7, .C = 12}, true, true},
        {{.B = 3, .L = 49, .C = 33}, true, false},
        {{.B = 1, .L = 300, .C = 20}, true, false},
        {{.B = 3, .L = 90, .C = 48}, true, false},
        {{.B = 3, .L = 350, .C = 7}, true, false},
        {{.B = 1, .L = 3, .C = 100}, false, false},
        {{.B = 3, .L = 7, .C = 9, .masked = true}, true, true},
        {{.B = 4, .L = 350, .C = 12, .masked = true}, false, false},
        {{.B = 1, .L = 40, .C = 33, .masked = true}, true, false},
    };
    struct layer_test t;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        open_feed(&t, &cases[i].s, cases[i].keep);
        if (cases[i].differences) check_differences(&t);
        check_shipped(&t);
        layer_free(&t);
    }
    finish("feed_forward");
}

/* ------------------------------------------------------------------ long sums on a device */

/* Integers that bfloat16 holds exactly, x = dy = 3: each gradient of the weight is 9 rows and each of the bias 3 rows,
 * exactly, into however many parts the sum is split. */
static void check_long_sum(int rows, int N, int K)
{
    enum { THREE = 0x40 /* both bytes of 3 */ };
    size_t n = (size_t)N * (size_t)K, at = (n + 15) / 16 * 16, floats = at + (size_t)N + 16;
    struct home home = {.device = layer_device, .floats = floats, .precision = PRECISION_BF16};
    home.weights = calloc(floats, sizeof(float));
    home.grads = calloc(floats, sizeof(float));
    struct param weight = {.rank = 2, .shape = {N, K}, .count = n, .data = home.weights, .grad = home.grads};
    struct param bias = {.rank = 1, .shape = {N}, .count = (size_t)N, .data = home.weights + at};
    bias.grad = home.grads + at;
    const struct linear w = {&weight, &bias};
    struct tape *tape;
    gvm_error err = {""};
    char label[64];
    snprintf(label, sizeof label, "a sum of %d rows, (%d, %d)", rows, N, K);
    assert_int_equal(layer_device->home_open(&home, &err), GVM_OK);
    assert_int_equal(tape_open_on(&tape, &home, true, &err), GVM_OK);
    linear(tape, tape_tensor(tape, 1, rows, K), &w, IDENTITY);
    if (tape_allocate(tape, &err) == GVM_OK) {
        struct tensor *x = tape_tensor(tape, 1, rows, K), *y = linear(tape, x, &w, IDENTITY);
        layer_device->fill(tape, x->data, THREE, (size_t)rows * (size_t)K * 2);
        layer_device->fill(tape, y->grad, THREE, (size_t)rows * (size_t)N * 2);
        tape_backward(tape);
        tape_reset(tape);
    }
    check_true(label, "the device's work", tape_wait(tape, &err) == GVM_OK && err.text[0] == '\0');
    assert_int_equal(layer_device->home_download(&home, &err), GVM_OK);
    bool whole = true;
    for (size_t i = 0; i < n; i++) whole = whole && weight.grad[i] == 9 * (float)rows;
    for (int i = 0; i < N; i++) whole = whole && bias.grad[i] == 3 * (float)rows;
    check_true(label, "every row is in it", whole);
    tape_free(tape);
    layer_device->home_free(&home);
    free(home.weights);
    free(home.grads);
}

static void test_long_sums(void **state)
{
    static const int pictures[] = {2, 3, 30, 128}, tokens[] = {64, 80};
    static const int shapes[][2] = {{3, 1}, {1, 1}, {4, 1}, {1, 4}}; /* (N, K), in channels */
    char about[128] = "";
    (void)state;
    if (layer_device == NULL) skip();
    layer_device->about(about, sizeof about);
    check_long_sum(30 * 80, 12, 20);
    for (int stage = 0; stage < 4 && strncmp(about, "this CPU", 8) != 0; stage++)
        for (size_t i = 0; i < 4 * 2 * 4; i++) {
            const int *shape = shapes[i % 4];
            int C = 96 << stage, rows = pictures[i / 8] * (tokens[i / 4 % 2] << (2 * (3 - stage)));
            check_long_sum(rows, shape[0] * C, shape[1] * C);
        }
    finish("long sums");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_linear), cmocka_unit_test(test_feed_forward),
                                       cmocka_unit_test(test_long_sums)};
    return run_layer_tests(tests, sizeof tests / sizeof *tests);
}
