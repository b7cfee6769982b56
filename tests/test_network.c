/* test_network.c - GeoViewMatch against golden files that tools/make_golden.py computed with PyTorch: stages, features,
 * losses, every parameter's gradient, ten training steps; and reproducibility
 *
 * If GVM_GOLDEN_FULL names a folder (make_golden.py --full, --timm), the full-size network and the import of timm's
 * weights are compared too. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "golden_support.h"
#include "layers/device_cpu.h"
#include "network/checkpoint.h"
#include "network/methods/geoviewmatch.h"
#include "tensor/kernels.h"

static const char *const names[] = {"net_narrow", "net_flat", "net_four", "net_seen"};
enum { NAMES = sizeof names / sizeof *names };

static void test_outputs(void **state)
{
    (void)state;
    for (int i = 0; i < NAMES; i++) golden_check_outputs(names[i], 1e-4);
}

static void test_gradients(void **state)
{
    (void)state;
    for (int i = 0; i < NAMES; i++) golden_check_gradients(names[i]);
}

/* The projection head alone. */
static void check_head(const char *name)
{
    struct golden g = golden_open(name, false);
    struct tape *tape;
    struct tensor *head = NULL;
    gvm_error err;
    if (tape_open(&tape, false, false, &err) != GVM_OK) fail_msg("%s", err.text);
    for (int dry = 1; dry >= 0; dry--) {
        const struct branch *aerial = &g.network->views[GVM_AERIAL];
        head = project(tape, g.network, branch_forward(NULL, tape, aerial, g.aerial, 2 * g.B, 0));
        if (dry) assert_int_equal(tape_allocate(tape, &err), GVM_OK);
    }
    size_t n = (size_t)g.B * (size_t)head->C;
    golden_expect(&g, "out.strong.head", head->data, n, 1e-4);
    golden_expect(&g, "out.weak.head", head->data + n, n, 1e-4);
    tape_free(tape);
    golden_close(&g);
}

static void test_head(void **state)
{
    (void)state;
    for (int i = 0; i < NAMES; i++) check_head(names[i]);
}

/* The losses with views of the panoramas, which are here the street pictures in reverse order, and the norm of each
 * parameter's gradient. */
static void test_views(void **state)
{
    (void)state;
    const struct loss_options options = {
        .views = true, .panorama = 1, .view = 0.5f, .agreement = 0.5f, .variants = 0.5f, .alpha = 10};
    struct golden g = golden_open("net_seen", true);
    const struct method *method = g.network->config.method;
    size_t each = g.network->views[GVM_STREET].bytes, B = (size_t)g.B, count;
    uint8_t *street = malloc(2 * B * each);
    struct tape *tape;
    gvm_error err;
    assert_non_null(street);
    for (size_t b = 0; b < 2 * B; b++) memcpy(street + b * each, g.street + (b < B ? b : 2 * B - 1 - b) * each, each);
    const struct step_input input = {.street = street, .aerial = g.aerial};
    if (tape_open(&tape, true, false, &err) != GVM_OK) fail_msg("%s", err.text);
    method->learn(tape, g.network, &input, g.B, &options, 0);
    assert_int_equal(tape_allocate(tape, &err), GVM_OK);
    method->learn(tape, g.network, &input, g.B, &options, 0);
    const struct losses l = method->losses(tape, &options);
    float *want = golden_values(&g, "views.loss", &count);
    assert_int_equal(count, 7);
    for (size_t i = 0; i < count; i++)
        if (!(fabsf((i == 0 ? l.total : l.terms[i - 1]) - want[i]) <= 1e-5f * want[0]))
            fail_msg("loss %zu is %.8g, not %.8g", i, (double)(i == 0 ? l.total : l.terms[i - 1]), (double)want[i]);
    free(want);
    network_clear_gradients(g.network);
    tape_backward(tape);
    for (int i = 0; i < g.network->param_count; i++) {
        const struct param *p = &g.network->params[i];
        char key[160];
        double square = 0;
        for (size_t k = 0; k < p->count; k++) square += (double)p->grad[k] * (double)p->grad[k];
        snprintf(key, sizeof key, "views.norm.%s", p->name);
        float norm = (float)sqrt(square);
        golden_expect(&g, key, &norm, 1, 1e-3);
    }
    tape_free(tape);
    free(street);
    golden_close(&g);
}

static void test_training(void **state)
{
    (void)state;
    for (int i = 0; i < NAMES; i++) golden_check_training(names[i]);
}

static void test_same_bits(void **state)
{
    (void)state;
    golden_check_same_bits("net_narrow");
}

static void test_save_and_load(void **state)
{
    (void)state;
    golden_check_saved("net_narrow");
}

/* A file of a later version is refused with a message that names both versions. */
static void test_later_version(void **state)
{
    (void)state;
    gvm_error err;
    struct network *n;
    float one = 1;
    char path[] = "/tmp/gvm-network-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    const struct safetensors_entry entry = {.name = "x", .rank = 1, .shape = {1}, .data = &one};
    const struct safetensors_pair metadata[] = {{"config", "{}"}, {"version", "2"}, {"program", "0.9.0"}};
    if (safetensors_write(path, &entry, 1, metadata, 3, &err) != GVM_OK) fail_msg("%s", err.text);
    assert_int_equal(checkpoint_load(&n, path, false, &err), GVM_FORMAT);
    if (!strstr(err.text, "unsupported weights version 2, written by GeoViewMatch 0.9.0") ||
        !strstr(err.text, "reads version 1"))
        fail_msg("%s", err.text);
    remove(path);
}

/* With initial weights, blocks are the identity; the number of parameters is the paper's. */
static void test_fresh(void **state)
{
    (void)state;
    struct network *n = golden_preset("paper");
    assert_int_equal(network_parameters(n), 57486548);
    assert_int_equal(config_parameters(&n->config), 57486548);
    network_free(n);
    n = golden_preset("nano");
    assert_int_equal(network_parameters(n), config_parameters(&n->config));
    network_fresh(n, 1);
    double sum = 0, square = 0;
    size_t count = 0;
    for (int i = 0; i < n->param_count; i++) {
        const struct param *p = &n->params[i];
        if (strstr(p->name, "norm1.weight")) assert_true(p->data[0] == 0);
        if (strstr(p->name, "downsample.norm.weight")) assert_true(p->data[0] == 1);
        if (strstr(p->name, "logit_scale")) assert_true(fabsf(p->data[0] - logf(10)) < 1e-6f);
        if (!strstr(p->name, "mlp.fc1.weight")) continue;
        for (size_t k = 0; k < p->count; k++, count++) {
            sum += p->data[k];
            square += (double)p->data[k] * p->data[k];
        }
    }
    assert_true(fabs(sum / (double)count) < 1e-4);
    assert_true(fabs(sqrt(square / (double)count) - 0.02) < 1e-4);
    network_free(n);
}

static void test_full_size(void **state)
{
    (void)state;
    golden_full_size();
    golden_check_outputs("full", 1e-4);
    golden_check_gradients("full");
}

static void test_timm(void **state)
{
    (void)state;
    golden_full_size();
    golden_check_import("timm", "paper", 1e-4);
}

int main(int count, char **arguments)
{
    if (count > 1) snprintf(golden_folder, sizeof golden_folder, "%s", arguments[1]);
    print_message("instructions: %s\n", kernels()->name);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outputs),   cmocka_unit_test(test_gradients),     cmocka_unit_test(test_head),
        cmocka_unit_test(test_views),     cmocka_unit_test(test_training),      cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_fresh),     cmocka_unit_test(test_save_and_load), cmocka_unit_test(test_later_version),
        cmocka_unit_test(test_full_size), cmocka_unit_test(test_timm), /* these two in another folder */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
