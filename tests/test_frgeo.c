/* test_frgeo.c - FRGeo and its quadrants against golden files that tools/make_golden.py computed with PyTorch: stages,
 * features, loss, every gradient, ten training steps; which parts of the two views correspond; what is refused
 *
 * If GVM_GOLDEN_FULL names a folder (make_golden.py --full), its full size is compared too. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_support.h"
#include "golden_support.h"
#include "layers/device_cpu.h"
#include "network/registry.h"
#include "tensor/kernels.h"
#include "train/run.h"

static const double limit = 1e-5;

/* Maps that do not divide evenly: 1 x 6 and 3 x 3. */
static void test_outputs(void **state)
{
    (void)state;
    golden_check_outputs("frgeo_odd", limit);
}

static void test_gradients(void **state)
{
    (void)state;
    golden_check_gradients("frgeo_odd");
}

static void test_training(void **state)
{
    (void)state;
    golden_check_training("frgeo_odd");
}

static void test_same_bits(void **state)
{
    (void)state;
    golden_check_same_bits("frgeo_odd");
}

static void test_save_and_load(void **state)
{
    (void)state;
    golden_check_saved("frgeo_odd");
}

static void test_presets(void **state)
{
    (void)state;
    static const int wanted[2][2][2] = {{{4, 16}, {8, 8}}, {{10, 20}, {10, 10}}};
    static const char *const names[2] = {"frgeo", "frgeo-vigor"};
    for (int i = 0; i < 2; i++) {
        struct network *n = golden_preset(names[i]);
        assert_int_equal(network_parameters(n), 55640256);
        for (int v = 0; v < 2; v++) {
            const struct pyramid *maps = &n->views[v].maps;
            assert_true(maps->maps[3].H == wanted[i][v][0] && maps->maps[3].W == wanted[i][v][1]);
            assert_int_equal(n->views[v].features, 3072);
        }
        for (int p = 0; p < n->param_count; p++) assert_true(n->params[p].decay && n->params[p].backbone);
        network_free(n);
    }
    struct run_options o;
    struct network *n = golden_preset("frgeo-nano");
    run_options_recipe(&o, n->config.method);
    assert_true(o.epochs == 50 && o.batch == 32 && o.rho == 2.5f && o.rates.backbone == 1e-4f);
    assert_true(o.rates.other == 1e-4f && o.rates.decay == 0.03f && o.losses.smoothing == 0 && !o.amounts.turn);
    run_options_free(&o);
    network_free(n);
}

/* ------------------------------------------------------------------ directions */

enum { C = 2, H = 3, W = 6 };

/* The head alone, on a map with a single nonzero position `at`: the mean of the part that contains it is normalised to
 * (1, -1), those of the others to 0. Returns the index of that part. */
static int part_of(const struct head *head, void *top, int h, int w, int at)
{
    struct tape *tape;
    struct trace trace = {0};
    struct tensor *y = NULL;
    int part = -1;
    assert_int_equal(tape_open(&tape, false, false, NULL), GVM_OK);
    for (int pass = 0; pass < 2; pass++) {
        trace.maps[0] = tape_tensor(tape, 1, h * w, C);
        if (pass == 1)
            for (int l = 0; l < h * w; l++) {
                trace.maps[0]->data[l * C] = l == at ? 1000 : 0;
                trace.maps[0]->data[l * C + 1] = 0;
            }
        y = head->forward(&trace, tape, top);
        if (pass == 0) assert_int_equal(tape_allocate(tape, NULL), GVM_OK);
        if (pass == 0) tape_reset(tape);
    }
    assert_int_equal(y->C, 4 * C);
    for (int k = 0; k < 4; k++)
        if (y->data[k * C] > 0.5f) {
            assert_int_equal(part, -1);
            part = k;
        }
    tape_free(tape);
    return part;
}

/* The panorama's quarters clockwise from south, and the aerial picture's corners in the same order; each position is in
 * one part. */
static void test_directions(void **state)
{
    (void)state;
    static const char street[H * W + 1] = "012333012333012333", aerial[H * W + 1] = "111222000333000333";
    const struct head *head = method_find("frgeo")->head;
    for (int v = 0; v < 2; v++) {
        struct pyramid maps = {.count = 1, .pictures = 1, .maps = {{H, W, C}}};
        maps.projection = v == GVM_STREET ? PROJECTION_PANORAMA : PROJECTION_NADIR;
        int features;
        void *top = head->open(&features, NULL, &maps);
        struct param *params = calloc(2, sizeof *params);
        struct lister l = {.params = params};
        head->list(&l, top, "street");
        assert_true(features == 4 * C && l.count == 2);
        float weight[C] = {1, 1}, bias[C] = {0, 0};
        params[0].data = weight;
        params[1].data = bias;
        for (int at = 0; at < H * W; at++)
            assert_int_equal(part_of(head, top, H, W, at), (v == GVM_STREET ? street : aerial)[at] - '0');
        head->close(top);
        free(params);
    }
}

/* ------------------------------------------------------------------ what is refused */

static const char base[] = "{\"model\":\"frgeo\",\"dims\":[96,192,384,768],\"depths\":[3,3,9,3],"
                           "\"street\":[128,512],\"aerial\":[256,256]}";

static const struct refused bad[] = {
    {"[128,512]", "[128,127]", "the last map of the street view is 4 x 3, which cannot be split into quadrants"},
    {"[256,256]", "[63,256]", "the last map of the aerial view is 1 x 8, which cannot be split into quadrants"},
    {"[256,256]", "[256,63]", "the last map of the aerial view is 8 x 1, which cannot be split into quadrants"},
    {"\"dims\":[96,192,384,768],", "", "lacks \"dims\""},
};

static void test_refused(void **state)
{
    (void)state;
    struct config c;
    gvm_error err;
    check_refused(base, bad, sizeof bad / sizeof bad[0]);
    if (parse_with(&c, base, "[128,512]", "[32,128]", &err) != GVM_OK) fail_msg("%s", err.text); /* a map of 1 x 4 */
}

/* ------------------------------------------------------------------ full size */

static void test_full_size(void **state)
{
    (void)state;
    golden_full_size();
    golden_check_outputs("frgeo_full", limit);
    golden_check_gradients("frgeo_full");
}

int main(int count, char **arguments)
{
    if (count > 1) snprintf(golden_folder, sizeof golden_folder, "%s", arguments[1]);
    print_message("instructions: %s\n", kernels()->name);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outputs),    cmocka_unit_test(test_gradients),     cmocka_unit_test(test_training),
        cmocka_unit_test(test_same_bits),  cmocka_unit_test(test_save_and_load), cmocka_unit_test(test_presets),
        cmocka_unit_test(test_directions), cmocka_unit_test(test_refused),       cmocka_unit_test(test_full_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
