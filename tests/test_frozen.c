/* test_frozen.c - a step of a network with frozen backbones: its heads learn the same with less work */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "golden_support.h"
#include "network/learn.h"
#include "network/place.h"

/* The gradients of a step, in g->network->grads. Returns the loss. */
static float learn(const struct golden *g)
{
    struct tape *tape;
    gvm_error err;
    const struct method *m = g->network->config.method;
    const struct loss_options *losses = golden_recipe(g->network)->losses;
    const struct step_input nothing = {0}, input = {g->street, g->aerial, g->allowed};
    if (network_tape(&tape, g->network, true, &err) != GVM_OK) fail_msg("%s", err.text);
    m->learn(tape, g->network, &nothing, g->B, losses, 0);
    if (tape_allocate(tape, &err) != GVM_OK) fail_msg("%s", err.text);
    network_clear_gradients(g->network);
    m->learn(tape, g->network, &input, g->B, losses, 0.5f * (float)g->network->views[0].frozen);
    float loss = m->losses(tape, losses).total;
    tape_backward(tape);
    tape_free(tape);
    return loss;
}

static double largest(const float *x, size_t n)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) most = fmax(most, fabs((double)x[i]));
    return most;
}

static void check(const char *name)
{
    struct golden g = golden_open(name, true);
    struct network *n = g.network;
    struct learner_needs whole, frozen;
    const struct loss_options *losses = golden_recipe(n)->losses;
    float *want = malloc(n->floats * sizeof *want), loss = learn(&g);
    memcpy(want, n->grads, n->floats * sizeof *want);
    assert_int_equal(learner_need(&whole, n, g.B, losses, 0, NULL), GVM_OK);
    network_freeze(n);
    assert_float_equal(learn(&g), loss, 1e-5 * (1 + fabs((double)loss)));
    int heads = 0;
    for (int i = 0; i < n->param_count; i++) {
        const struct param *p = &n->params[i];
        const float *got = n->grads + (p->data - n->weights), *was = want + (p->data - n->weights);
        double most = largest(was, p->count);
        bool fixed = p->backbone && largest(got, p->count) == 0;
        assert_true(fixed || !p->backbone || strstr(p->name, ".backbone.norm.") != NULL); /* which a head may run */
        for (size_t k = 0; k < p->count && !fixed; k++)
            if (fabs((double)got[k] - (double)was[k]) > 1e-4 * most + 1e-9)
                fail_msg("%s: %s: %g, not %g", name, p->name, (double)got[k], (double)was[k]);
        heads += !fixed && most > 0;
    }
    assert_true(heads > 0);
    assert_int_equal(learner_need(&frozen, n, g.B, losses, 0, NULL), GVM_OK);
    assert_true(frozen.multiply_adds < 0.6 * whole.multiply_adds && frozen.multiply_adds > 0.3 * whole.multiply_adds);
    assert_true(frozen.bytes < whole.bytes);
    free(want);
    golden_close(&g);
}

static void test_masks(void **state)
{
    (void)state;
    check("net_narrow");
}

static void test_one_for_both(void **state)
{
    (void)state;
    check("sample4geo_odd");
}

static void test_several_pictures(void **state)
{
    (void)state;
    check("statewide_zooms");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_one_for_both),
        cmocka_unit_test(test_several_pictures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
