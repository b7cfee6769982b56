/* test_layers_convnext.c - the layers of a ConvNeXt in sequence, as in Sample4Geo: a patch convolution, two blocks with
 * the same weights on one residual stream, the mean over positions, a norm of the feature */
#include <string.h>

#include "layer_support.h"

enum { PATCH, BIAS, FILTER, FILTER_BIAS, W1, B1, W2, B2, NORM, NORM_BIAS, GAMMA, LAST, LAST_BIAS };
enum { BLOCKS = 2, SIDE = 2, FILTER_SIDE = 7 };

/* Values that the reference stores, and the shipped layers' weights. */
struct network {
    int H, W, M;                                            /* sides of the map, rows of all pictures */
    double *x[BLOCKS + 1], *u[BLOCKS], *n[BLOCKS];          /* (M, C): stream, filtered, normalised */
    double *h[BLOCKS], *g[BLOCKS], *v[BLOCKS];              /* (M, 4C), (M, 4C), (M, C) */
    double *mean, *scaled, *dx, *dv, *du, *dn, *dg, *dmean; /* (B, C), (M, C) .. */
    struct patch_conv patch;
    struct depthwise filter;
    struct mlp mlp;
    struct norm norm;
};

static void block_double(struct layer_test *t, int i)
{
    const struct variable *p = t->par;
    struct network *k = t->more;
    int M = k->M, C = t->s.C;
    oracle_depthwise(k->u[i], k->x[i], p[FILTER].value, p[FILTER_BIAS].value, t->s.B, k->H, k->W, C, FILTER_SIDE);
    oracle_norm(k->n[i], k->u[i], p[NORM].value, p[NORM_BIAS].value, 1e-6f, M, C);
    oracle_linear(k->g[i], k->h[i], k->n[i], p[W1].value, p[B1].value, M, 4 * C, C, GELU);
    oracle_linear(k->v[i], k->v[i], k->g[i], p[W2].value, p[B2].value, M, C, 4 * C, IDENTITY);
    for (int j = 0; j < M * C; j++) k->scaled[j] = p[GAMMA].value[j % C] * k->v[i][j];
    oracle_residual(k->x[i + 1], k->x[i], k->scaled, t->keep, t->s.B, k->H * k->W * C);
}

/* dx: the gradient of the stream, which passes through, and to which the branch's is added */
static void block_double_backward(struct layer_test *t, int i)
{
    struct variable *p = t->par;
    struct network *k = t->more;
    int M = k->M, C = t->s.C;
    size_t map = (size_t)(M * C) * sizeof(double);
    memset(k->dv, 0, map);
    memset(k->du, 0, map);
    memset(k->dn, 0, map);
    memset(k->dg, 0, 4 * map);
    for (int j = 0; j < M * C; j++) {
        double d = k->dx[j] * (double)t->keep[j / C / (k->H * k->W)];
        p[GAMMA].grad[j % C] += d * k->v[i][j];
        k->dv[j] = d * p[GAMMA].value[j % C];
    }
    oracle_linear_backward(k->dg, p[W2].grad, p[B2].grad, k->dv, k->v[i], k->g[i], p[W2].value, M, C, 4 * C, IDENTITY);
    oracle_linear_backward(k->dn, p[W1].grad, p[B1].grad, k->dg, k->h[i], k->n[i], p[W1].value, M, 4 * C, C, GELU);
    oracle_norm_backward(k->du, p[NORM].grad, p[NORM_BIAS].grad, k->dn, k->u[i], p[NORM].value, 1e-6f, M, C);
    oracle_depthwise_backward(k->dx, p[FILTER].grad, p[FILTER_BIAS].grad, k->du, k->x[i], p[FILTER].value, t->s.B, k->H,
                              k->W, C, FILTER_SIDE);
}

static void network_double(struct layer_test *t)
{
    const struct variable *p = t->par;
    struct network *k = t->more;
    const struct sizes *s = &t->s;
    oracle_patch_conv(k->x[0], t->in[0].value, p[PATCH].value, p[BIAS].value, s->B, s->H, s->W, s->K, s->C, SIDE);
    for (int i = 0; i < BLOCKS; i++) block_double(t, i);
    oracle_mean(k->mean, k->x[BLOCKS], s->B, k->H * k->W, s->C);
    oracle_norm(t->out.value, k->mean, p[LAST].value, p[LAST_BIAS].value, 1e-6f, s->B, s->C);
}

static void network_double_backward(struct layer_test *t)
{
    struct variable *p = t->par;
    struct network *k = t->more;
    const struct sizes *s = &t->s;
    memset(k->dmean, 0, (size_t)(s->B * s->C) * sizeof(double));
    memset(k->dx, 0, (size_t)(k->M * s->C) * sizeof(double));
    oracle_norm_backward(k->dmean, p[LAST].grad, p[LAST_BIAS].grad, t->out.grad, k->mean, p[LAST].value, 1e-6f, s->B,
                         s->C);
    oracle_mean_backward(k->dx, k->dmean, s->B, k->H * k->W, s->C);
    for (int i = BLOCKS - 1; i >= 0; i--) block_double_backward(t, i);
    oracle_patch_conv_backward(t->in[0].grad, p[PATCH].grad, p[BIAS].grad, k->dx, t->in[0].value, p[PATCH].value, s->B,
                               s->H, s->W, s->K, s->C, SIDE);
}

static struct tensor *network_shipped(struct layer_test *t, struct tape *tape, struct tensor *const *in)
{
    struct network *k = t->more;
    struct tensor *first = patch_conv(tape, in[0], t->s.H, t->s.W, &k->patch), *x = first;
    for (int i = 0; i < BLOCKS; i++) x = mlp(tape, x, depthwise(tape, x, k->H, k->W, &k->filter), &k->mlp, t->keep);
    check_true(t->label, "one gradient along the stream", x->grad == first->grad);
    struct tensor *mean = mean_positions(tape, x);
    check_true(t->label, "a feature in float32", mean->L == 1 && mean->element == 4);
    return layer_norm(tape, mean, &k->norm);
}

static void open_parameters(struct layer_test *t)
{
    int C = t->s.C, K = t->s.K;
    layer_param(t, "patch", 0, 0.5, 4, (const int[]){C, K, SIDE, SIDE}, true);
    layer_vector(t, "bias", 0, 0.5, C);
    layer_param(t, "filter", 0, 0.3, 4, (const int[]){C, 1, FILTER_SIDE, FILTER_SIDE}, false);
    layer_vector(t, "filter bias", 0, 0.5, C);
    layer_matrix(t, "w1", 4 * C, C);
    layer_vector(t, "b1", 0, 0.5, 4 * C);
    layer_matrix(t, "w2", C, 4 * C);
    layer_vector(t, "b2", 0, 0.5, C);
    layer_vector(t, "norm", 1, 0.3, C);
    layer_vector(t, "norm bias", 0, 0.3, C);
    layer_vector(t, "gamma", 0.5, 0.3, C);
    layer_vector(t, "last norm", 1, 0.3, C);
    layer_vector(t, "last norm bias", 0, 0.3, C);
    layer_sync(t);
}

static void open_network(struct layer_test *t, const struct sizes *s)
{
    layer_open(t, "convnext", s);
    layer_input(t, "x", s->B, s->H * s->W, s->K);
    layer_output(t, s->B, 1, s->C);
    open_parameters(t);
    layer_keep(t);
    struct variable *p = t->par;
    struct network *k = t->more = layer_bytes(t, sizeof *k);
    k->H = s->H / SIDE, k->W = s->W / SIDE, k->M = s->B * k->H * k->W;
    k->patch = (struct patch_conv){&p[PATCH].shipped, &p[BIAS].shipped, SIDE};
    k->filter = (struct depthwise){&p[FILTER].shipped, &p[FILTER_BIAS].shipped, FILTER_SIDE};
    k->mlp = (struct mlp){.norm = {&p[NORM].shipped, &p[NORM_BIAS].shipped, 1e-6f},
                          .w1 = &p[W1].shipped,
                          .b1 = &p[B1].shipped,
                          .w2 = &p[W2].shipped,
                          .b2 = &p[B2].shipped,
                          .gamma = &p[GAMMA].shipped,
                          .gelu = GELU};
    k->norm = (struct norm){&p[LAST].shipped, &p[LAST_BIAS].shipped, 1e-6f};
    double **maps[] = {&k->x[0], &k->x[1], &k->x[2], &k->u[0], &k->u[1], &k->n[0],   &k->n[1], &k->v[0],
                       &k->v[1], &k->mean, &k->dx,   &k->dv,   &k->du,   &k->scaled, &k->dn,   &k->dmean};
    double **wide[] = {&k->h[0], &k->h[1], &k->g[0], &k->g[1], &k->dg};
    size_t n = (size_t)(k->M * s->C);
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) *maps[i] = layer_doubles(t, n);
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) *wide[i] = layer_doubles(t, 4 * n);
    t->forward = network_double;
    t->backward = network_double_backward;
    t->shipped = network_shipped;
}

static void test_convnext(void **state)
{
    static const struct sizes sizes[] = {{.B = 1, .H = 4, .W = 6, .K = 3, .C = 8},
                                         {.B = 3, .H = 5, .W = 7, .K = 5, .C = 9},
                                         {.B = 2, .H = 18, .W = 20, .K = 8, .C = 40}};
    struct layer_test t;
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        open_network(&t, &sizes[i]);
        if (i < 2) check_differences(&t);
        check_shipped(&t);
        layer_free(&t);
    }
    finish("convnext");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_convnext)};
    return run_layer_tests(tests, sizeof tests / sizeof *tests);
}
