/* test_layers_decoupled.c - decoupled InfoNCE against its reference, and the reference against PyTorch */
#include <math.h>
#include <string.h>

#include "layer_support.h"

struct loss {
    double scale;
    uint8_t *allowed; /* (B, B) or NULL */
};

/* The first output is the loss; out.grad[0] its weight. */
static void decoupled_double(struct layer_test *t)
{
    const struct loss *l = t->more;
    t->out.value[0] = oracle_decoupled(NULL, NULL, t->in[0].value, t->in[1].value, l->allowed, l->scale, t->s.B, t->s.C,
                                       (double)t->s.smoothing, 0);
}

static void decoupled_double_backward(struct layer_test *t)
{
    const struct loss *l = t->more;
    oracle_decoupled(t->in[0].grad, t->in[1].grad, t->in[0].value, t->in[1].value, l->allowed, l->scale, t->s.B, t->s.C,
                     (double)t->s.smoothing, t->out.grad[0]);
}

static struct tensor *decoupled_shipped(struct layer_test *t, struct tape *tape, struct tensor *const *in)
{
    const struct loss *l = t->more;
    size_t B = (size_t)t->s.B;
    float before = tape->loss, weight = (float)t->out.grad[0];
    const uint8_t *allowed = l->allowed ? tape_pixels(tape, TAPE_ALLOWED, l->allowed, B * B) : NULL;
    t->loss = decoupled(tape, in[0], in[1], allowed, (float)l->scale, t->s.smoothing, weight);
    if (!tape->dry)
        check_true(t->label, "the tape's loss",
                   fabsf(tape->loss - before - weight * t->loss) <= 1e-5f * fabsf(t->loss));
    return NULL;
}

static void bring_to_length_1(double *x, int B, int D)
{
    for (int i = 0; i < B; i++, x += D) {
        double r = length(x, (size_t)D);
        for (int d = 0; d < D; d++) x[d] = (float)(x[d] / r);
    }
}

/* Which pairs count: all; or two in three, in the last row only the positive pair, with the diagonal unset. */
static void forbid(struct layer_test *t, struct loss *l)
{
    int B = t->s.B;
    l->allowed = layer_bytes(t, (size_t)(B * B));
    for (int i = 0; i < B * B; i++) l->allowed[i] = i / B < B - 1 && draw_uniform() < 0.67 && i % (B + 1) > 0;
}

/* closeness: similarity of the two views' rows, so that losses of all magnitudes occur */
static struct loss *open_decoupled(struct layer_test *t, int B, int D, double scale, double smoothing, double closeness,
                                   bool some)
{
    layer_open(t, some ? "decoupled of some pairs" : "decoupled of all pairs", &(struct sizes){.B = B, .C = D});
    struct loss *l = t->more = layer_bytes(t, sizeof *l);
    l->scale = scale;
    if (some) forbid(t, l);
    t->features = true;
    t->s.smoothing = (float)smoothing;
    double *a = layer_input(t, "a", B, 1, D)->value, *b = layer_input(t, "b", B, 1, D)->value;
    for (int i = 0; i < B * D; i++) b[i] += closeness * a[i];
    bring_to_length_1(a, B, D);
    bring_to_length_1(b, B, D);
    layer_output(t, 1, 1, 1)->grad[0] = 0.25;
    t->forward = decoupled_double;
    t->backward = decoupled_double_backward;
    t->shipped = decoupled_shipped;
    layer_sync(t);
    return l;
}

static void test_decoupled(void **state)
{
    static const int sizes[][2] = {{1, 3}, {2, 1}, {2, 7}, {3, 9}, {17, 33}, {16, 100}, {258, 3}};
    static const double scales[] = {2.5, 36, 7};
    struct layer_test t;
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int way = 0; way < (i < 6 ? 8 : 1);
             way += i < 4 ? 1 : 3) { /* of large ones 0, 3 and 6: each flag both ways */
            open_decoupled(&t, sizes[i][0], sizes[i][1], scales[i % 3], way & 1 ? 0.1 : 0, way & 2 ? 1 : -1,
                           (way & 4) || i == 6);
            if (i < 5) check_differences(&t);
            check_shipped(&t);
            layer_free(&t);
        }
    finish("decoupled");
}

/* A positive pair far ahead of the others, which are alike: its gradient is kept, and nothing overflows. */
static void test_far_ahead(void **state)
{
    enum { B = 4 };
    struct layer_test t;
    (void)state;
    for (int way = 0; way < 6; way++) {
        double ahead = (double[]){14, 18, 40, 700, 2000, 1e4}[way];
        struct loss *l = open_decoupled(&t, B, B, ahead, 0.1, 0, false);
        for (int i = 0; i < B * B; i++) t.in[0].value[i] = t.in[1].value[i] = i % (B + 1) == 0;
        t.exact_only = true;
        check_shipped(&t);
        double z = exp(-ahead), slope = (0.1f / (1 + (B - 2) * z) - (1 - (double)0.1f)) * l->scale * 0.25 / B;
        run_oracle(&t);
        check_figure(t.label, "slope", "a", fabs(t.in[0].grad[0] / slope - 1), 1e-9);
        layer_free(&t);
    }
    finish("decoupled of pairs far ahead");
}

/* PyTorch 2's results, with each pair's own denominator written out:
 *
 *   import torch, torch.nn.functional as F
 *   torch.set_default_dtype(torch.float64)
 *   def rows(z, m, s):
 *       total = 0
 *       for i in range(4):
 *           A = [k for k in range(4) if m[i, k]]
 *           for j in A if len(A) > 1 else []:
 *               p = 1 - s if i == j else s / (len(A) - 1)
 *               total -= p * (z[i, j] - torch.logsumexp(torch.stack([z[i, k] for k in A if k != j]), 0)) / 4
 *       return total
 *   i, all = torch.arange(12.), torch.ones(4, 4)
 *   some = all.clone()
 *   some[0, 2] = some[2, 0] = some[3, 0] = some[3, 1] = some[3, 2] = 0
 *   for m, s, scale in ((all, 0.1, 36), (some, 0.1, 36), (some, 0, 5)):
 *       a = F.normalize(torch.sin(1 + i).view(4, 3), dim=1).requires_grad_()
 *       b = F.normalize(torch.cos(i * i).view(4, 3), dim=1).requires_grad_()
 *       loss = (rows(scale * a @ b.T, m, s) + rows(scale * b @ a.T, m.T, s)) / 2
 *       loss.backward()
 *       print(loss.item(), a.grad[0, 0].item(), a.grad[3, 0].item(), b.grad[3, 2].item()) */
static void test_pytorch(void **state)
{
    enum { B = 4, D = 3 };
    static const uint8_t some[B * B] = {1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1};
    static const struct {
        const uint8_t *allowed;
        double smoothing, scale, loss, da[2], db;
    } want[] = {{NULL, 0.1, 36, 10.81445829769891, {-1.1030166704227469, -9.922343682499326}, 5.91995807894293},
                {some, 0.1, 36, -6.4073144494877665, {-0.1261443226573411, -2.7080820906153757}, 4.127073279561389},
                {some, 0.0, 5, -1.3228124177344613, {-0.39140035692341923, -0.4179139028727431}, 0.6603514672679989}};
    double sines[B * D], cosines[B * D], a[B * D], b[B * D];
    (void)state;
    for (int i = 0; i < B * D; i++) {
        sines[i] = sin(1 + i);
        cosines[i] = cos(i * i);
    }
    oracle_normalise(a, sines, 0, B, D);
    oracle_normalise(b, cosines, 0, B, D);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        double da[B * D] = {0}, db[B * D] = {0};
        double loss = oracle_decoupled(da, db, a, b, want[i].allowed, want[i].scale, B, D, want[i].smoothing, 1);
        assert_true(fabs(loss - want[i].loss) < 1e-12);
        assert_true(fabs(da[0] - want[i].da[0]) < 1e-12);
        assert_true(fabs(da[3 * D] - want[i].da[1]) < 1e-12);
        assert_true(fabs(db[B * D - 1] - want[i].db) < 1e-12);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_decoupled), cmocka_unit_test(test_far_ahead),
                                       cmocka_unit_test(test_pytorch)};
    return run_layer_tests(tests, sizeof tests / sizeof *tests);
}
