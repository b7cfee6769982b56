/* test_statewide.c - statewide against golden files that tools/make_golden.py computed with PyTorch: stages, features,
 * loss, every gradient, ten training steps; what its heads attend to; what is refused
 *
 * If GVM_GOLDEN_FULL names a folder (make_golden.py --full), its full size is compared too. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_support.h"
#include "golden_support.h"
#include "tensor/kernels.h"

/* Four zooms, maps of odd sizes; and two zooms, odd channels, GELU by erf. */
static const char *const names[] = {"statewide_zooms", "statewide_odd"};

/* less than the effect of another epsilon in the head */
static const double limit = 1.5e-6;

static void test_outputs(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) golden_check_outputs(names[i], limit);
}

static void test_gradients(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) golden_check_gradients(names[i]);
}

static void test_training(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) golden_check_training(names[i]);
}

static void test_same_bits(void **state)
{
    (void)state;
    golden_check_same_bits("statewide_zooms");
}

static void test_save_and_load(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) golden_check_saved(names[i]);
}

/* The authors' number of parameters. Filters and matrices decay, nothing else does; heads learn at their own rate. */
static void test_fresh(void **state)
{
    (void)state;
    struct network *n = golden_preset("statewide");
    assert_int_equal(network_parameters(n), 177363200);
    assert_int_equal(config_parameters(&n->config), 177363200);
    assert_int_equal(n->views[GVM_STREET].features, 1024);
    assert_true(n->config.method->score_scale(n) == 36);
    network_free(n);
    n = golden_preset("statewide-nano");
    network_fresh(n, 1);
    for (int i = 0; i < n->param_count; i++) {
        const struct param *p = &n->params[i];
        assert_int_equal(p->decay, p->rank > 1);
        assert_int_equal(p->backbone, strstr(p->name, ".backbone.") != NULL);
        double square = 0;
        for (size_t k = 0; k < p->count; k++) square += pow(p->data[k], 2) / (double)p->count;
        if (strstr(p->name, "head.attention") || strstr(p->name, "head.value.weight")) /* uniform to 1 / sqrt(192) */
            assert_true(fabs(sqrt(square) * sqrt(3 * 192) - 1) < 0.05);
    }
    network_free(n);
}

/* The cost of a place: multiply-adds of its four pictures and of a photo. */
static void test_counts(void **state)
{
    (void)state;
    static const double wanted[2] = {94.337e9, 181.126e9};
    struct network *n = golden_preset("statewide");
    gvm_error err;
    for (int v = 0; v < 2; v++) {
        struct counts c;
        assert_int_equal(network_counts(&c, n, v, &err), GVM_OK);
        if (fabs((double)counts_all(&c) - wanted[v]) > 0.001e9) fail_msg("%.4f G", (double)counts_all(&c) * 1e-9);
    }
    network_free(n);
}

/* ------------------------------------------------------------------ what its heads attend to */

/* The positions' shares of a feature's product with itself add up to the product, and every picture of a place
 * contributes. */
static void test_shares(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++)
        for (int v = 0; v < 2; v++) {
            struct golden g = golden_open(names[i], false);
            const struct branch *b = &g.network->views[v];
            const uint8_t *pixels = v == GVM_STREET ? g.street : g.aerial;
            struct trace trace;
            struct tape *tape = golden_tape(&g, v, 1, false);
            struct tensor *f = branch_forward(&trace, tape, b, pixels, 1, 0);
            int L = b->maps.maps[3].H * b->maps.maps[3].W, all = b->pictures * L;
            double *heat = malloc((size_t)all * sizeof *heat), sum = 0, product = 0;
            assert_false(b->head->shares(heat, &trace, 2, b->top, f->data));
            assert_true(b->head->shares(heat, &trace, 3, b->top, f->data));
            for (int p = 0; p < b->pictures; p++) {
                double part = 0;
                for (int l = 0; l < L; l++) part += heat[p * L + l];
                assert_true(part != 0);
                sum += part;
            }
            for (int c = 0; c < f->C; c++) product += (double)f->data[c] * f->data[c];
            if (!(fabs(sum - product) < 1e-6)) fail_msg("%s: %.9f, not %.9f", names[i], sum, product);
            free(heat);
            tape_free(tape);
            golden_close(&g);
        }
}

/* ------------------------------------------------------------------ what is refused */

static const char base[] =
    "{\"model\":\"statewide\",\"dims\":[8,16,24,40],\"depths\":[1,1,1,1],\"gelu\":\"tanh\",\"street\":[70,90],"
    "\"aerial\":[64,64],\"heads\":4,\"feature\":24,\"scale\":6,\"cell_m\":30,"
    "\"street_input\":{\"projection\":\"perspective\",\"resize\":\"skimage\"},"
    "\"aerial_input\":{\"zooms\":[0.2,0.4],\"bearing\":180}}";

static const struct refused bad[] = {
    {"\"heads\":4,", "", "lacks \"heads\""},
    {"\"heads\":4", "\"heads\":0", "\"heads\" is 0, expected 1 to 4096"},
    {"\"heads\":4", "\"heads\":5", "\"feature\" is 24, not divisible by 5 \"heads\""},
    {"\"feature\":24", "\"feature\":65537", "\"feature\" is 65537"},
    {"\"feature\":24,", "", "lacks \"feature\""},
    {"\"scale\":6,", "", "lacks \"scale\""},
    {"\"scale\":6", "\"scale\":0", "\"scale\" is 0, expected above 0 and up to 1000"},
    {"\"scale\":6", "\"scale\":-6", "\"scale\" is -6"},
    {"\"scale\":6", "\"scale\":1000.5", "\"scale\" is 1000.5"},
    {"\"scale\":6", "\"scale\":\"6\"", "\"scale\" is not a number"},
    {"\"cell_m\":30,", "", "\"cell_m\" is 0"},
    {"[0.2,0.4]", "[0.4,0.2]", "not rising"},
};

static void test_refused(void **state)
{
    (void)state;
    struct config c;
    gvm_error err;
    check_refused(base, bad, sizeof bad / sizeof bad[0]);
    if (parse_with(&c, base, "\"scale\":6", "\"scale\":2.5", &err) != GVM_OK) fail_msg("%s", err.text);
    if (parse_with(&c, base, "[0.2,0.4]", "[0.3]", &err) != GVM_OK) fail_msg("%s", err.text);
}

/* ------------------------------------------------------------------ full size */

static void test_full_size(void **state)
{
    (void)state;
    golden_full_size();
    golden_check_outputs("statewide_full", limit);
}

int main(int count, char **arguments)
{
    if (count > 1) snprintf(golden_folder, sizeof golden_folder, "%s", arguments[1]);
    print_message("instructions: %s\n", kernels()->name);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outputs),   cmocka_unit_test(test_gradients),     cmocka_unit_test(test_training),
        cmocka_unit_test(test_same_bits), cmocka_unit_test(test_save_and_load), cmocka_unit_test(test_fresh),
        cmocka_unit_test(test_counts),    cmocka_unit_test(test_shares),        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_full_size), /* in another folder */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
