/* test_layers_conv.c - depthwise, patch_conv, mean_positions, mean_part and mlp, the layers of ConvNeXt and its heads,
 * against their references */
#include <string.h>

#include "layer_support.h"

/* ------------------------------------------------------------------ y = depthwise k x k; K: k */

static void depthwise_double(struct layer_test *t)
{
    oracle_depthwise(t->out.value, t->in[0].value, t->par[0].value, t->par[1].value, t->s.B, t->s.H, t->s.W, t->s.C,
                     t->s.K);
}

static void depthwise_double_backward(struct layer_test *t)
{
    oracle_depthwise_backward(t->in[0].grad, t->par[0].grad, t->par[1].grad, t->out.grad, t->in[0].value,
                              t->par[0].value, t->s.B, t->s.H, t->s.W, t->s.C, t->s.K);
}

static struct tensor *depthwise_shipped(struct layer_test *t, struct tape *tape, struct tensor *const *in)
{
    struct depthwise *w = t->more;
    *w = (struct depthwise){&t->par[0].shipped, &t->par[1].shipped, t->s.K};
    return depthwise(tape, in[0], t->s.H, t->s.W, w);
}

static void open_depthwise(struct layer_test *t, const struct sizes *s)
{
    layer_open(t, "depthwise", s);
    layer_input(t, "x", s->B, s->H * s->W, s->C);
    layer_param(t, "weight", 0, 1.0 / s->K, 4, (const int[]){s->C, 1, s->K, s->K}, false);
    layer_vector(t, "bias", 0, 0.5, s->C);
    layer_output(t, s->B, s->H * s->W, s->C);
    t->more = layer_bytes(t, sizeof(struct depthwise));
    t->forward = depthwise_double;
    t->backward = depthwise_double_backward;
    t->shipped = depthwise_shipped;
    layer_sync(t);
}

static void test_depthwise(void **state)
{
    static const struct sizes sizes[] = {
        {.B = 1, .H = 1, .W = 1, .C = 1, .K = 7},    {.B = 2, .H = 3, .W = 2, .C = 7, .K = 7},
        {.B = 1, .H = 7, .W = 9, .C = 9, .K = 7},    {.B = 3, .H = 5, .W = 13, .C = 3, .K = 3},
        {.B = 1, .H = 2, .W = 6, .C = 5, .K = 5},    {.B = 2, .H = 3, .W = 4, .C = 7, .K = 1},
        {.B = 3, .H = 12, .W = 12, .C = 33, .K = 7}, {.B = 2, .H = 24, .W = 24, .C = 16, .K = 7},
        {.B = 1, .H = 50, .W = 25, .C = 20, .K = 7}, {.B = 1, .H = 49, .W = 11, .C = 40, .K = 5},
        {.B = 2, .H = 17, .W = 40, .C = 24, .K = 9},
    };
    struct layer_test t;
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        open_depthwise(&t, &sizes[i]);
        if (i < 6) check_differences(&t);
        check_shipped(&t);
        layer_free(&t);
    }
    finish("depthwise");
}

/* ------------------------------------------------------------------ y = W patch + b; K: side of the patch */

static void patch_double(struct layer_test *t)
{
    oracle_patch_conv(t->out.value, t->in[0].value, t->par[0].value, t->par[1].value, t->s.B, t->s.H, t->s.W, t->s.C,
                      t->s.N, t->s.K);
}

static void patch_double_backward(struct layer_test *t)
{
    oracle_patch_conv_backward(t->in[0].grad, t->par[0].grad, t->par[1].grad, t->out.grad, t->in[0].value,
                               t->par[0].value, t->s.B, t->s.H, t->s.W, t->s.C, t->s.N, t->s.K);
}

static struct tensor *patch_shipped(struct layer_test *t, struct tape *tape, struct tensor *const *in)
{
    struct patch_conv *w = t->more;
    *w = (struct patch_conv){&t->par[0].shipped, &t->par[1].shipped, t->s.K};
    return patch_conv(tape, in[0], t->s.H, t->s.W, w);
}

static void open_patch(struct layer_test *t, const struct sizes *s)
{
    layer_open(t, "patch_conv", s);
    layer_input(t, "x", s->B, s->H * s->W, s->C);
    layer_param(t, "weight", 0, 0.5 / s->K, 4, (const int[]){s->N, s->C, s->K, s->K}, true);
    layer_vector(t, "bias", 0, 0.5, s->N);
    layer_output(t, s->B, s->H / s->K * (s->W / s->K), s->N);
    t->more = layer_bytes(t, sizeof(struct patch_conv));
    t->forward = patch_double;
    t->backward = patch_double_backward;
    t->shipped = patch_shipped;
    layer_sync(t);
}

/* Odd maps, with an incomplete row of patches, column of patches, or both. */
static void test_patch_conv(void **state)
{
    static const struct sizes sizes[] = {
        {.B = 1, .H = 2, .W = 2, .C = 1, .N = 1, .K = 2},     {.B = 3, .H = 5, .W = 4, .C = 7, .N = 9, .K = 2},
        {.B = 1, .H = 4, .W = 7, .C = 3, .N = 5, .K = 2},     {.B = 2, .H = 7, .W = 9, .C = 5, .N = 7, .K = 2},
        {.B = 2, .H = 7, .W = 10, .C = 4, .N = 6, .K = 3},    {.B = 1, .H = 3, .W = 5, .C = 9, .N = 8, .K = 1},
        {.B = 3, .H = 17, .W = 24, .C = 16, .N = 33, .K = 2}, {.B = 1, .H = 49, .W = 97, .C = 12, .N = 20, .K = 2},
        {.B = 1, .H = 6, .W = 8, .C = 40, .N = 400, .K = 2},  {.B = 2, .H = 9, .W = 33, .C = 6, .N = 24, .K = 4},
    };
    struct layer_test t;
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        open_patch(&t, &sizes[i]);
        if (i < 6) check_differences(&t);
        check_shipped(&t);
        layer_free(&t);
    }
    finish("patch_conv");
}

/* ------------------------------------------------------------------ y = mean over positions */

static void mean_double(struct layer_test *t)
{
    oracle_mean(t->out.value, t->in[0].value, t->s.B, t->s.L, t->s.C);
}

static void mean_double_backward(struct layer_test *t)
{
    oracle_mean_backward(t->in[0].grad, t->out.grad, t->s.B, t->s.L, t->s.C);
}

static struct tensor *mean_shipped(struct layer_test *t, struct tape *tape, struct tensor *const *in)
{
    (void)t;
    return mean_positions(tape, in[0]);
}

static void test_mean_positions(void **state)
{
    static const struct sizes sizes[] = {
        {.B = 1, .L = 1, .C = 1},    {.B = 3, .L = 5, .C = 7},    {.B = 2, .L = 9, .C = 65},
        {.B = 3, .L = 144, .C = 33}, {.B = 1, .L = 37, .C = 200},
    };
    struct layer_test t;
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const struct sizes *s = &sizes[i];
        layer_open(&t, "mean_positions", s);
        layer_input(&t, "x", s->B, s->L, s->C);
        layer_output(&t, s->B, 1, s->C);
        t.forward = mean_double;
        t.backward = mean_double_backward;
        t.shipped = mean_shipped;
        check_differences(&t);
        check_shipped(&t);
        layer_free(&t);
    }
    finish("mean_positions");
}

/* ------------------------------------------------------------------ parts of a map, one by one */

enum { PARTS = 3 };

/* The last two overlap, and some positions are in none. */
static const struct rectangle parts[PARTS] = {{1, 0, 2, 2}, {0, 1, 1, 3}, {0, 2, 3, 1}};

static void parts_double(struct layer_test *t)
{
    double *each = layer_doubles(t, (size_t)(t->s.B * t->s.C));
    for (int i = 0; i < PARTS; i++) {
        oracle_mean_part(each, t->in[0].value, t->s.B, t->s.H * t->s.W, t->s.C, t->s.W, &parts[i]);
        for (int b = 0; b < t->s.B; b++)
            for (int c = 0; c < t->s.C; c++) t->out.value[(b * PARTS + i) * t->s.C + c] = each[b * t->s.C + c];
    }
}

static void parts_double_backward(struct layer_test *t)
{
    double *each = layer_doubles(t, (size_t)(t->s.B * t->s.C));
    for (int i = 0; i < PARTS; i++) {
        for (int b = 0; b < t->s.B; b++)
            for (int c = 0; c < t->s.C; c++) each[b * t->s.C + c] = t->out.grad[(b * PARTS + i) * t->s.C + c];
        oracle_mean_part_backward(t->in[0].grad, each, t->s.B, t->s.H * t->s.W, t->s.C, t->s.W, &parts[i]);
    }
}

static struct tensor *parts_shipped(struct layer_test *t, struct tape *tape, struct tensor *const *in)
{
    struct tensor *y[PARTS];
    for (int i = 0; i < PARTS; i++) y[i] = mean_part(tape, in[0], t->s.W, &parts[i]);
    return concatenate(tape, y, PARTS);
}

static void test_parts(void **state)
{
    static const struct sizes sizes[] = {{.B = 1, .H = 3, .W = 4, .C = 1}, {.B = 3, .H = 4, .W = 5, .C = 67}};
    struct layer_test t;
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const struct sizes *s = &sizes[i];
        layer_open(&t, "mean_part", s);
        layer_input(&t, "x", s->B, s->H * s->W, s->C);
        layer_output(&t, s->B, 1, PARTS * s->C);
        t.forward = parts_double;
        t.backward = parts_double_backward;
        t.shipped = parts_shipped;
        if (i == 0) check_differences(&t);
        check_shipped(&t);
        layer_free(&t);
    }
    finish("mean_part");
}

/* ------------------------------------------------------------------ y = x + keep gamma (W2 gelu(W1 LN(u) + b1) + b2)
 */

enum { W1, B1, W2, B2, WEIGHT, BIAS, GAMMA };

/* u: the second input, or the first again */
static struct variable *branch_input(struct layer_test *t)
{
    return &t->in[t->inputs - 1];
}

static void mlp_double(struct layer_test *t)
{
    int M = t->s.B * t->s.L, C = t->s.C, N = t->s.N;
    double *n = t->map[0], *h = t->map[1], *g = t->map[2], *v = t->map[3], *scaled = t->map[4];
    oracle_norm(n, branch_input(t)->value, t->par[WEIGHT].value, t->par[BIAS].value, t->s.epsilon, M, C);
    oracle_linear(g, h, n, t->par[W1].value, t->par[B1].value, M, N, C, t->s.f);
    oracle_linear(v, v, g, t->par[W2].value, t->par[B2].value, M, C, N, IDENTITY);
    for (int i = 0; i < M * C; i++) scaled[i] = v[i] * (t->params > GAMMA ? t->par[GAMMA].value[i % C] : 1);
    oracle_residual(t->out.value, t->in[0].value, scaled, t->keep, t->s.B, t->s.L * C);
}

static void mlp_double_backward(struct layer_test *t)
{
    int M = t->s.B * t->s.L, C = t->s.C, N = t->s.N;
    double *n = t->map[0], *h = t->map[1], *g = t->map[2], *v = t->map[3];
    double *dv = t->map[5], *dn = t->map[6], *dg = t->map[7];
    for (int i = 0; i < M * C; i++) dv[i] = dn[i] = 0;
    for (int i = 0; i < M * N; i++) dg[i] = 0;
    oracle_residual_backward(t->in[0].grad, dv, t->out.grad, t->keep, t->s.B, t->s.L * C);
    for (int i = 0; i < M * C && t->params > GAMMA; i++) {
        t->par[GAMMA].grad[i % C] += dv[i] * v[i];
        dv[i] *= t->par[GAMMA].value[i % C];
    }
    oracle_linear_backward(dg, t->par[W2].grad, t->par[B2].grad, dv, v, g, t->par[W2].value, M, C, N, IDENTITY);
    oracle_linear_backward(dn, t->par[W1].grad, t->par[B1].grad, dg, h, n, t->par[W1].value, M, N, C, t->s.f);
    oracle_norm_backward(branch_input(t)->grad, t->par[WEIGHT].grad, t->par[BIAS].grad, dn, branch_input(t)->value,
                         t->par[WEIGHT].value, t->s.epsilon, M, C);
}

static struct mlp mlp_weights(struct layer_test *t)
{
    struct variable *p = t->par;
    return (struct mlp){{&p[WEIGHT].shipped, &p[BIAS].shipped, t->s.epsilon},
                        &p[W1].shipped,
                        &p[B1].shipped,
                        &p[W2].shipped,
                        &p[B2].shipped,
                        t->params > GAMMA ? &p[GAMMA].shipped : NULL,
                        t->s.f};
}

static struct tensor *mlp_shipped(struct layer_test *t, struct tape *tape, struct tensor *const *in)
{
    struct mlp *w = t->more;
    *w = mlp_weights(t);
    return mlp(tape, in[0], in[t->inputs - 1], w, t->keep);
}

struct mlp_way {
    bool apart, keep, gamma; /* u is another map; drop path; layer scale */
};

static void open_mlp(struct layer_test *t, const struct sizes *s, struct mlp_way way)
{
    layer_open(t, s->K ? "blocks" : s->f == GELU ? "mlp" : "mlp, tanh", s);
    layer_input(t, "x", s->B, s->L, s->C);
    if (way.apart) layer_input(t, "u", s->B, s->L, s->C);
    layer_matrix(t, "w1", s->N, s->C);
    layer_vector(t, "b1", 0, 0.5, s->N);
    layer_matrix(t, "w2", s->C, s->N);
    layer_vector(t, "b2", 0, 0.5, s->C);
    layer_vector(t, "weight", 1, 0.3, s->C);
    layer_vector(t, "bias", 0, 0.3, s->C);
    if (way.gamma) layer_vector(t, "gamma", 0.5, 0.5, s->C);
    layer_output(t, s->B, s->L, s->C);
    size_t rows = (size_t)(s->B * s->L), narrow = rows * (size_t)s->C, wide = rows * (size_t)s->N;
    for (int i = 0; i < 8; i++) t->map[i] = layer_doubles(t, i == 1 || i == 2 || i == 7 ? wide : narrow);
    t->more = layer_bytes(t, sizeof(struct mlp));
    if (way.keep) layer_keep(t);
    t->residual = true;
    if (s->C == 1) t->gain = NORM_GAIN;
    t->forward = mlp_double;
    t->backward = mlp_double_backward;
    t->shipped = mlp_shipped;
    layer_sync(t);
}

static void test_mlp(void **state)
{
    static const struct {
        struct sizes s;
        struct mlp_way way;
    } cases[] = {
        {{.B = 1, .L = 1, .C = 1, .N = 4}, {false, false, true}},
        {{.B = 3, .L = 1, .C = 7, .N = 28}, {true, true, true}},
        {{.B = 1, .L = 5, .C = 9, .N = 36}, {true, false, true}},
        {{.B = 3, .L = 7, .C = 12, .N = 17}, {false, true, false}},
        {{.B = 2, .L = 4, .C = 16, .N = 64, .epsilon = 0.5f}, {true, false, false}},
        {{.B = 3, .L = 49, .C = 33, .N = 132}, {true, true, true}},
        {{.B = 1, .L = 300, .C = 20, .N = 80}, {true, false, true}},
        {{.B = 3, .L = 90, .C = 48, .N = 192}, {false, true, true}},
        {{.B = 3, .L = 350, .C = 7, .N = 28}, {true, true, true}},
        {{.B = 1, .L = 3, .C = 100, .N = 400}, {true, false, true}},
    };
    struct layer_test t;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int f = GELU; f <= GELU_TANH; f++) {
            struct sizes s = cases[i].s;
            s.f = (enum activation)f;
            open_mlp(&t, &s, cases[i].way);
            if (i < 5) check_differences(&t);
            check_shipped(&t);
            layer_free(&t);
        }
    finish("mlp");
}

/* ------------------------------------------------------------------ two ConvNeXt blocks with the same weights
 *
 * y = f(f(x)), f(x) = x + gamma MLP(LN(depthwise(x))): x is read by the filters and also passes through. Parameters:
 * those of MLP above, then the filters'. */

enum { FILTER = GAMMA + 1, SHIFT };

struct blocks {
    struct depthwise depthwise;
    struct mlp mlp;
    struct layer_test halves[2]; /* the MLP's reference, once for each block */
};

static void blocks_double(struct layer_test *t)
{
    struct blocks *k = t->more;
    for (int i = 0; i < 2; i++) {
        struct layer_test *half = &k->halves[i];
        oracle_depthwise(half->in[1].value, half->in[0].value, t->par[FILTER].value, t->par[SHIFT].value, t->s.B,
                         t->s.H, t->s.W, t->s.C, t->s.K);
        mlp_double(half);
    }
}

static void blocks_double_backward(struct layer_test *t)
{
    struct blocks *k = t->more;
    for (int i = 1; i >= 0; i--) {
        struct layer_test *half = &k->halves[i];
        if (i == 0) half->out.grad = k->halves[1].in[0].grad;
        memset(half->in[1].grad, 0, half->out.n * sizeof(double));
        if (i == 1) memset(half->in[0].grad, 0, half->out.n * sizeof(double));
        mlp_double_backward(half);
        oracle_depthwise_backward(half->in[0].grad, t->par[FILTER].grad, t->par[SHIFT].grad, half->in[1].grad,
                                  half->in[0].value, t->par[FILTER].value, t->s.B, t->s.H, t->s.W, t->s.C, t->s.K);
    }
}

static struct tensor *blocks_shipped(struct layer_test *t, struct tape *tape, struct tensor *const *in)
{
    struct blocks *k = t->more;
    struct tensor *x = in[0];
    size_t start = tape_mark(tape);
    for (int i = 0; i < 2; i++) {
        size_t mark = tape_mark(tape);
        struct tensor *u = depthwise(tape, x, t->s.H, t->s.W, &k->depthwise);
        x = mlp(tape, x, u, &k->mlp, NULL);
        tape_release(tape, mark);
    }
    check_true(t->label, "in inference nothing is left beside the map", tape->training || tape_mark(tape) == start);
    return x;
}

/* Both halves have t's parameters. The first one's input is t's, its output the second one's input, whose output is
 * t's. */
static void open_blocks(struct layer_test *t, const struct sizes *s)
{
    open_mlp(t, s, (struct mlp_way){true, false, true});
    t->inputs = 1;
    layer_param(t, "filter", 0, 1.0 / s->K, 4, (const int[]){s->C, 1, s->K, s->K}, false);
    layer_vector(t, "shift", 0, 0.5, s->C);
    layer_sync(t);
    struct blocks *k = t->more = layer_bytes(t, sizeof *k);
    k->mlp = mlp_weights(t);
    k->depthwise = (struct depthwise){&t->par[FILTER].shipped, &t->par[SHIFT].shipped, s->K};
    for (int i = 0; i < 2; i++) {
        struct layer_test *half = &k->halves[i];
        *half = *t;
        half->inputs = 2;
        half->in[1].value = layer_doubles(t, t->out.n);
        half->in[1].grad = layer_doubles(t, t->out.n);
        for (int m = 0; m < 8; m++) half->map[m] = layer_doubles(t, t->out.n / (size_t)s->C * (size_t)(s->C + s->N));
    }
    k->halves[0].out.value = k->halves[1].in[0].value = layer_doubles(t, t->out.n);
    k->halves[1].in[0].grad = layer_doubles(t, t->out.n);
    t->forward = blocks_double;
    t->backward = blocks_double_backward;
    t->shipped = blocks_shipped;
}

static void test_blocks(void **state)
{
    static const struct sizes sizes[] = {{.B = 1, .H = 3, .W = 4, .L = 12, .C = 7, .N = 28, .K = 7, .f = GELU},
                                         {.B = 3, .H = 13, .W = 9, .L = 117, .C = 20, .N = 80, .K = 7, .f = GELU}};
    struct layer_test t;
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        open_blocks(&t, &sizes[i]);
        if (i == 0) check_differences(&t);
        check_shipped(&t);
        layer_free(&t);
    }
    finish("blocks");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_depthwise), cmocka_unit_test(test_patch_conv), cmocka_unit_test(test_mean_positions),
        cmocka_unit_test(test_parts),     cmocka_unit_test(test_mlp),        cmocka_unit_test(test_blocks)};
    return run_layer_tests(tests, sizeof tests / sizeof *tests);
}
