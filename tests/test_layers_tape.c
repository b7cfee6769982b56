/* test_layers_tape.c - layers in sequence, as in networks: a residual stream with taps, weights shared by two layers, a
 * tensor from which several layers take some pictures, losses that add up */
#include <math.h>
#include <string.h>

#include "layer_support.h"

/* ------------------------------------------------------------------ a residual stream
 *
 * h = W x + b; s = feed(feed(h)) with the same weights twice; y = masks(s), masks(LN(s)), with the same masks. */

enum { WEIGHT, BIAS, W1, B1, W2, B2, GAMMA, BETA, TAP_GAMMA, TAP_BETA, M1, C1, M2, C2 };

/* Values that the reference stores. */
struct stream {
    double *h, *s1, *s, *tap, *u1, *u2;   /* (M, C); u: before a feed's norm */
    double *g1, *g2, *pre1, *pre2, *wide; /* (M, 4C): gelu and its input */
    double *v, *dtap, *ds, *dv, *du;      /* (M, C) */
    struct oracle_masks direct, normed;
    struct feed_forward feed;
    struct linear linear;
    struct norm norm;
    struct masks masks;
};

static void feed_double(struct layer_test *t, double *y, double *u, double *g, double *pre, const double *x)
{
    const struct variable *p = t->par;
    struct stream *k = t->more;
    int M = t->s.B * t->s.L, C = t->s.C;
    oracle_linear(g, pre, x, p[W1].value, p[B1].value, M, 4 * C, C, GELU);
    oracle_linear(u, u, g, p[W2].value, p[B2].value, M, C, 4 * C, IDENTITY);
    oracle_norm(k->v, u, p[GAMMA].value, p[BETA].value, 1e-5f, M, C);
    oracle_residual(y, x, k->v, NULL, t->s.B, t->s.L * C);
}

/* ds: the gradient of the stream, which passes through, and to which the branch's is added */
static void feed_double_backward(struct layer_test *t, double *ds, const double *u, const double *g, const double *pre,
                                 const double *x)
{
    struct variable *p = t->par;
    struct stream *k = t->more;
    int M = t->s.B * t->s.L, C = t->s.C;
    size_t n = (size_t)(M * C);
    memcpy(k->dv, ds, n * sizeof *ds);
    memset(k->du, 0, n * sizeof *ds);
    memset(k->wide, 0, 4 * n * sizeof *ds);
    oracle_norm_backward(k->du, p[GAMMA].grad, p[BETA].grad, k->dv, u, p[GAMMA].value, 1e-5f, M, C);
    oracle_linear_backward(k->wide, p[W2].grad, p[B2].grad, k->du, u, g, p[W2].value, M, C, 4 * C, IDENTITY);
    oracle_linear_backward(ds, p[W1].grad, p[B1].grad, k->wide, pre, x, p[W1].value, M, 4 * C, C, GELU);
}

/* The two features are concatenated in each picture's row. */
static void stream_double(struct layer_test *t)
{
    const struct variable *p = t->par;
    struct stream *k = t->more;
    int B = t->s.B, M = B * t->s.L, C = t->s.C, width = t->s.N * C;
    oracle_linear(k->h, k->h, t->in[0].value, p[WEIGHT].value, p[BIAS].value, M, C, t->s.K, IDENTITY);
    feed_double(t, k->s1, k->u1, k->g1, k->pre1, k->h);
    feed_double(t, k->s, k->u2, k->g2, k->pre2, k->s1);
    oracle_norm(k->tap, k->s, p[TAP_GAMMA].value, p[TAP_BETA].value, 1e-5f, M, C);
    double *direct = t->map[0], *normed = direct + B * width;
    oracle_masks_forward(direct, k->s, &k->direct);
    oracle_masks_forward(normed, k->tap, &k->normed);
    for (int b = 0; b < B; b++)
        for (int c = 0; c < width; c++) {
            t->out.value[2 * b * width + c] = direct[b * width + c];
            t->out.value[(2 * b + 1) * width + c] = normed[b * width + c];
        }
}

static void stream_double_backward(struct layer_test *t)
{
    struct variable *p = t->par;
    struct stream *k = t->more;
    int B = t->s.B, M = B * t->s.L, C = t->s.C, width = t->s.N * C;
    double *direct = t->map[0], *normed = direct + B * width;
    for (int b = 0; b < B; b++)
        for (int c = 0; c < width; c++) {
            direct[b * width + c] = t->out.grad[2 * b * width + c];
            normed[b * width + c] = t->out.grad[(2 * b + 1) * width + c];
        }
    memset(k->ds, 0, (size_t)(M * C) * sizeof *k->ds);
    memset(k->dtap, 0, (size_t)(M * C) * sizeof *k->dtap);
    oracle_masks_backward(k->dtap, normed, k->tap, &k->normed);
    oracle_norm_backward(k->ds, p[TAP_GAMMA].grad, p[TAP_BETA].grad, k->dtap, k->s, p[TAP_GAMMA].value, 1e-5f, M, C);
    oracle_masks_backward(k->ds, direct, k->s, &k->direct);
    feed_double_backward(t, k->ds, k->u2, k->g2, k->pre2, k->s1);
    feed_double_backward(t, k->ds, k->u1, k->g1, k->pre1, k->h);
    oracle_linear_backward(t->in[0].grad, p[WEIGHT].grad, p[BIAS].grad, k->ds, k->h, t->in[0].value, p[WEIGHT].value, M,
                           C, t->s.K, IDENTITY);
}

static struct tensor *stream_shipped(struct layer_test *t, struct tape *tape, struct tensor *const *in)
{
    struct stream *k = t->more;
    struct tensor *h = linear(tape, in[0], &k->linear, IDENTITY);
    struct tensor *s1 = feed_forward(tape, h, &k->feed, NULL);
    struct tensor *s = feed_forward(tape, s1, &k->feed, NULL);
    check_true(t->label, "one gradient along the stream", s->grad == h->grad);
    if (!tape->dry) check_true(t->label, "in inference the stream is one map", tape->training == (s->data != h->data));
    struct tensor *parts[2] = {masks(tape, s, &k->masks, NULL), NULL};
    parts[1] = masks(tape, layer_norm(tape, s, &k->norm), &k->masks, NULL);
    return concatenate(tape, parts, 2);
}

static void open_parameters(struct layer_test *t)
{
    int C = t->s.C, L = t->s.L, N = t->s.N, half = L / 2;
    layer_matrix(t, "weight", C, t->s.K);
    layer_vector(t, "bias", 0, 0.5, C);
    layer_matrix(t, "w1", 4 * C, C);
    layer_vector(t, "b1", 0, 0.5, 4 * C);
    layer_matrix(t, "w2", C, 4 * C);
    layer_vector(t, "b2", 0, 0.5, C);
    layer_vector(t, "gamma", 1, 0.3, C);
    layer_vector(t, "beta", 0, 0.3, C);
    layer_vector(t, "tap gamma", 1, 0.3, C);
    layer_vector(t, "tap beta", 0, 0.3, C);
    layer_param(t, "masks w1", 0, 1 / sqrt(L), 3, (const int[]){N, half, L}, false);
    layer_param(t, "masks b1", 0.1, 0.5, 2, (const int[]){N, half}, false);
    layer_param(t, "masks w2", 0, 1 / sqrt(half), 3, (const int[]){N, L, half}, false);
    layer_param(t, "masks b2", 0.1, 0.5, 2, (const int[]){N, L}, false);
    layer_sync(t);
}

static struct oracle_masks open_masks(struct layer_test *t)
{
    int B = t->s.B, L = t->s.L, N = t->s.N;
    const struct variable *p = t->par;
    return (struct oracle_masks){
        B,
        L,
        t->s.C,
        N,
        NULL,
        p[M1].value,
        p[C1].value,
        p[M2].value,
        p[C2].value,
        p[M1].grad,
        p[C1].grad,
        p[M2].grad,
        p[C2].grad,
        .m = layer_doubles(t, (size_t)(B * L)),
        .h = layer_doubles(t, (size_t)(B * N * (L / 2))),
        .w = layer_doubles(t, (size_t)(B * N * L)),
        .dm = layer_doubles(t, (size_t)L),
        .where = layer_bytes(t, (size_t)(B * L) * sizeof(int)),
    };
}

static void open_stream(struct layer_test *t, const struct sizes *s)
{
    layer_open(t, "stream", s);
    t->exact_only = true; /* a maximum of a computed map may move if the map is rounded */
    layer_input(t, "x", s->B, s->L, s->K);
    layer_output(t, s->B, 1, 2 * s->N * s->C);
    open_parameters(t);
    struct variable *p = t->par;
    struct stream *k = t->more = layer_bytes(t, sizeof *k);
    k->direct = open_masks(t);
    k->normed = open_masks(t);
    k->linear = (struct linear){&p[WEIGHT].shipped, &p[BIAS].shipped};
    k->feed = (struct feed_forward){
        &p[W1].shipped, &p[B1].shipped, &p[W2].shipped, &p[B2].shipped, {&p[GAMMA].shipped, &p[BETA].shipped, 1e-5f}};
    k->norm = (struct norm){&p[TAP_GAMMA].shipped, &p[TAP_BETA].shipped, 1e-5f};
    k->masks = (struct masks){&p[M1].shipped, &p[C1].shipped, &p[M2].shipped, &p[C2].shipped};
    double **maps[] = {&k->h, &k->s1, &k->s, &k->tap, &k->u1, &k->u2, &k->v, &k->dtap, &k->ds, &k->dv, &k->du};
    double **wide[] = {&k->g1, &k->g2, &k->pre1, &k->pre2, &k->wide};
    size_t n = (size_t)(s->B * s->L * s->C);
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) *maps[i] = layer_doubles(t, n);
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) *wide[i] = layer_doubles(t, 4 * n);
    t->map[0] = layer_doubles(t, t->out.n);
    t->forward = stream_double;
    t->backward = stream_double_backward;
    t->shipped = stream_shipped;
}

static void test_stream(void **state)
{
    static const struct sizes sizes[] = {{.B = 1, .L = 5, .C = 9, .K = 7, .N = 2},
                                         {.B = 3, .L = 9, .C = 20, .K = 12, .N = 3}};
    struct layer_test t;
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        open_stream(&t, &sizes[i]);
        check_differences(&t);
        check_shipped(&t);
        layer_free(&t);
    }
    finish("stream");
}

/* ------------------------------------------------------------------ some pictures of a tensor, and three losses
 *
 * f = x / |x| of 2B pictures, split in the middle; loss = 0.5 T(f1, f2) + 0.25 T(s, f1) + 0.25 T(s, f2), s of B. */

enum { ALPHA = 10 };

static void losses_double(struct layer_test *t)
{
    int B = t->s.B, D = t->s.C;
    double *f = t->map[0], *s = t->map[1], *half = f + B * D;
    oracle_normalise(f, t->in[0].value, 0, 2 * B, D);
    oracle_normalise(s, t->in[1].value, 0, B, D);
    t->out.value[0] = 0.5 * oracle_triplet(f, half, B, D, ALPHA) + 0.25 * oracle_triplet(s, f, B, D, ALPHA) +
                      0.25 * oracle_triplet(s, half, B, D, ALPHA);
}

static void losses_double_backward(struct layer_test *t)
{
    int B = t->s.B, D = t->s.C;
    double *f = t->map[0], *s = t->map[1], *df = t->map[2], *ds = t->map[3];
    for (int i = 0; i < 2 * B * D; i++) df[i] = 0;
    for (int i = 0; i < B * D; i++) ds[i] = 0;
    oracle_triplet_backward(df, df + B * D, f, f + B * D, B, D, ALPHA, 0.5);
    oracle_triplet_backward(ds, df, s, f, B, D, ALPHA, 0.25);
    oracle_triplet_backward(ds, df + B * D, s, f + B * D, B, D, ALPHA, 0.25);
    oracle_normalise_backward(t->in[0].grad, df, t->in[0].value, 0, 2 * B, D);
    oracle_normalise_backward(t->in[1].grad, ds, t->in[1].value, 0, B, D);
}

static struct tensor *losses_shipped(struct layer_test *t, struct tape *tape, struct tensor *const *in)
{
    struct tensor *f = l2_normalise(tape, in[0], 0), *s = l2_normalise(tape, in[1], 0);
    struct tensor *strong = tape_rows(tape, f, 0, t->s.B), *weak = tape_rows(tape, f, t->s.B, t->s.B);
    triplet(tape, strong, weak, ALPHA, 0.5f);
    triplet(tape, s, strong, ALPHA, 0.25f);
    triplet(tape, s, weak, ALPHA, 0.25f);
    t->loss = tape->loss;
    return NULL;
}

static void test_losses(void **state)
{
    static const struct sizes sizes[] = {{.B = 2, .C = 7}, {.B = 3, .C = 33}, {.B = 8, .C = 48}};
    struct layer_test t;
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int B = sizes[i].B, D = sizes[i].C;
        layer_open(&t, "losses", &sizes[i]);
        t.features = true;
        layer_input(&t, "x", 2 * B, 1, D);
        layer_input(&t, "s", B, 1, D);
        layer_output(&t, 1, 1, 1)->grad[0] = 1;
        for (int m = 0; m < 4; m++) t.map[m] = layer_doubles(&t, (size_t)(2 * B * D));
        t.forward = losses_double;
        t.backward = losses_double_backward;
        t.shipped = losses_shipped;
        check_differences(&t);
        check_shipped(&t);
        layer_free(&t);
    }
    finish("losses");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_stream), cmocka_unit_test(test_losses)};
    return run_layer_tests(tests, sizeof tests / sizeof *tests);
}
