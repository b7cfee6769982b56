/* test_layers_infonce.c - InfoNCE against its reference, and the reference against PyTorch */
#include <math.h>

#include "layer_support.h"

static const float FIXED = 2.302585f; /* the logarithm of a fixed scale, which has no parameter */

/* The first output is the loss; out.grad[0] its weight. */
static void infonce_double(struct layer_test *t)
{
    double scale = t->params > 0 ? *t->par[0].value : (double)FIXED;
    t->out.value[0] = oracle_infonce(t->in[0].value, t->in[1].value, scale, t->s.B, t->s.C, t->s.smoothing);
}

static void infonce_double_backward(struct layer_test *t)
{
    double nothing = 0, scale = t->params > 0 ? *t->par[0].value : (double)FIXED;
    oracle_infonce_backward(t->in[0].grad, t->in[1].grad, t->params > 0 ? t->par[0].grad : &nothing, t->in[0].value,
                            t->in[1].value, scale, t->s.B, t->s.C, t->s.smoothing, t->out.grad[0]);
}

static struct tensor *infonce_shipped(struct layer_test *t, struct tape *tape, struct tensor *const *in)
{
    float before = tape->loss, weight = (float)t->out.grad[0];
    struct param *logit_scale = t->params > 0 ? &t->par[0].shipped : NULL;
    t->loss = infonce(tape, in[0], in[1], logit_scale, expf(FIXED), t->s.smoothing, weight);
    if (!tape->dry) check_true(t->label, "the tape's loss", fabsf(tape->loss - before - weight * t->loss) < 1e-5f);
    return NULL;
}

static void bring_to_length_1(double *x, int B, int D)
{
    for (int i = 0; i < B; i++, x += D) {
        double r = length(x, (size_t)D);
        for (int d = 0; d < D; d++) x[d] = (float)(x[d] / r);
    }
}

/* closeness: similarity of the two views' rows, so that losses of all magnitudes occur */
static void open_infonce(struct layer_test *t, int B, int D, double logit_scale, double smoothing, double closeness)
{
    layer_open(t, closeness > 0 ? "infonce of near pairs" : "infonce of far pairs", &(struct sizes){.B = B, .C = D});
    t->features = true;
    t->s.smoothing = (float)smoothing;
    double *a = layer_input(t, "a", B, 1, D)->value, *b = layer_input(t, "b", B, 1, D)->value;
    for (int i = 0; i < B * D; i++) b[i] += closeness * a[i];
    bring_to_length_1(a, B, D);
    bring_to_length_1(b, B, D);
    if (!isnan(logit_scale)) layer_vector(t, "logit_scale", logit_scale, 0, 1);
    layer_output(t, 1, 1, 1)->grad[0] = 0.25;
    t->forward = infonce_double;
    t->backward = infonce_double_backward;
    t->shipped = infonce_shipped;
    layer_sync(t);
}

static void test_infonce(void **state)
{
    static const int sizes[][2] = {{1, 3}, {2, 1}, {2, 7}, {3, 9}, {17, 33}, {16, 100}, {258, 3}};
    static const double scales[] = {-0.5, 2.6592600, 3.3, NAN};
    struct layer_test t;
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int way = 0; way < (i < 6 ? 4 : 1); way++) {
            open_infonce(&t, sizes[i][0], sizes[i][1], scales[i % 4], way & 1 ? 0.1 : 0, way & 2 ? 1 : -1);
            if (i < 5) check_differences(&t);
            check_shipped(&t);
            layer_free(&t);
        }
    finish("infonce");
}

/* A diverged temperature: exp(e^9) would overflow. */
static void test_no_overflow(void **state)
{
    struct layer_test t;
    (void)state;
    for (int way = 0; way < 2; way++) {
        open_infonce(&t, 7, 16, 9, 0.1, way ? 1 : -1);
        t.exact_only = true;
        check_shipped(&t);
        layer_free(&t);
    }
    finish("infonce at a large scale");
}

/* PyTorch 2's results:
 *
 *   import math, torch, torch.nn.functional as F
 *   i = torch.arange(12, dtype=torch.float64)
 *   for s in (0.0, 0.1):
 *       a = F.normalize(torch.sin(1 + i).view(3, 4), dim=1).requires_grad_()
 *       b = F.normalize(torch.cos(i * i).view(3, 4), dim=1).requires_grad_()
 *       t = torch.tensor(math.log(1 / 0.07), dtype=torch.float64, requires_grad=True)
 *       z, y = t.exp() * a @ b.T, torch.arange(3)
 *       loss = (F.cross_entropy(z, y, label_smoothing=s) + F.cross_entropy(z.T, y, label_smoothing=s)) / 2
 *       loss.backward()
 *       print(loss.item(), t.grad.item(), a.grad.view(-1)[0].item(), b.grad.view(-1)[-1].item()) */
static void test_pytorch(void **state)
{
    static const struct {
        double smoothing, loss, dt, first, last;
    } want[] = {{0.0, 6.25125441277386, 6.170629131380478, 0.6401000568913854, 0.5845551462721963},
                {0.1, 6.478490084249627, 6.397864802856246, 0.8955055361141727, 0.4370829273353267}};
    enum { B = 3, D = 4 };
    double sines[B * D], cosines[B * D], a[B * D], b[B * D], t = log(1 / 0.07);
    (void)state;
    for (int i = 0; i < B * D; i++) {
        sines[i] = sin(1 + i);
        cosines[i] = cos(i * i);
    }
    oracle_normalise(a, sines, 0, B, D);
    oracle_normalise(b, cosines, 0, B, D);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        double da[B * D] = {0}, db[B * D] = {0}, dt = 0;
        assert_true(fabs(oracle_infonce(a, b, t, B, D, want[i].smoothing) - want[i].loss) < 1e-12);
        oracle_infonce_backward(da, db, &dt, a, b, t, B, D, want[i].smoothing, 1);
        assert_true(fabs(dt - want[i].dt) < 1e-12);
        assert_true(fabs(da[0] - want[i].first) < 1e-12);
        assert_true(fabs(db[B * D - 1] - want[i].last) < 1e-12);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_infonce), cmocka_unit_test(test_no_overflow),
                                       cmocka_unit_test(test_pytorch)};
    return run_layer_tests(tests, sizeof tests / sizeof *tests);
}
