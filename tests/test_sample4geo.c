/* test_sample4geo.c - Sample4Geo and its ConvNeXt against golden files that tools/make_golden.py computed with PyTorch:
 * stages, features, loss, every gradient, ten training steps; third-party names of its weights; what is refused
 *
 * If GVM_GOLDEN_FULL names a folder (make_golden.py --full, --timm), ConvNeXt-B at full size and timm's networks are
 * compared too. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_support.h"
#include "golden_support.h"
#include "network/import.h"
#include "tensor/kernels.h"

/* Maps of odd sizes; and odd channels, with GELU by tanh, an input size for each view, and clipped gradients. */
static const char *const names[] = {"sample4geo_odd", "sample4geo_tanh"};

static const double limit = 1e-5;

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
    golden_check_same_bits("sample4geo_odd");
}

static void test_save_and_load(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) golden_check_saved(names[i]);
}

/* As many parameters as timm's networks without their classifiers, plus the temperature; all of them decay. */
static void test_fresh(void **state)
{
    (void)state;
    static const struct {
        const char *preset;
        size_t parameters;
    } sizes[] = {{"sample4geo", 87566465}, {"sample4geo-tiny", 27820129}};
    for (int i = 0; i < 2; i++) {
        struct network *n = golden_preset(sizes[i].preset);
        assert_int_equal(network_parameters(n), sizes[i].parameters);
        assert_int_equal(config_parameters(&n->config), sizes[i].parameters);
        network_free(n);
    }
    struct network *n = golden_preset("sample4geo-nano");
    network_fresh(n, 1);
    for (int i = 0; i < n->param_count; i++) {
        const struct param *p = &n->params[i];
        const char *last = strrchr(p->name, '.') ? strrchr(p->name, '.') : "";
        float first = strcmp(p->name, "logit_scale") == 0 ? logf(1 / 0.07f)
                      : strcmp(last, ".gamma") == 0       ? 1e-6f
                      : strcmp(last, ".bias") == 0        ? 0
                                                          : 1;
        double square = 0;
        for (size_t k = 0; k < p->count; k++) square += pow(p->data[k], 2) / (double)p->count;
        if (p->shape[1] > 1 || p->shape[2] > 1) /* a matrix or filters */
            assert_true(fabs(sqrt(square) - 0.02) < 0.002);
        else
            assert_true(fabs(sqrt(square) - first) <= 1e-6 * first);
        assert_true(p->decay);
    }
    network_free(n);
}

/* A last row and a last column are dropped as in PyTorch, and both views share their weights. */
static void test_maps(void **state)
{
    (void)state;
    static const int wanted[4][3] = {{35, 192, 128}, {17, 96, 256}, {8, 48, 512}, {4, 24, 1024}};
    struct network *n = golden_preset("sample4geo");
    const struct pyramid *maps = &n->views[GVM_STREET].maps;
    assert_int_equal(maps->count, 4);
    for (int s = 0; s < 4; s++)
        assert_true(maps->maps[s].H == wanted[s][0] && maps->maps[s].W == wanted[s][1] &&
                    maps->maps[s].C == wanted[s][2]);
    assert_int_equal(n->views[GVM_STREET].features, 1024);
    for (int i = 0; i < n->param_count; i++)
        assert_true(strncmp(n->params[i].name, "both.backbone.", 14) == 0 || i == n->param_count - 1);
    network_free(n);
}

/* ------------------------------------------------------------------ others' names */

/* The backbone of the second network, in both formats; other parameters are unchanged. */
static void check_names(const char *who)
{
    struct golden g = golden_open("sample4geo_tanh", false);
    struct network *n = g.network;
    char path[1024];
    gvm_error err;
    float *want = malloc(n->floats * sizeof *want);
    memcpy(want, n->weights, n->floats * sizeof *want);
    for (int i = 0; i < n->param_count; i++)
        if (n->params[i].backbone) memset(n->params[i].data, 0, n->params[i].count * sizeof(float));
    snprintf(path, sizeof path, "%s/convnext_%s.safetensors", golden_folder, who);
    if (backbone_load(n, path, &err) != GVM_OK) fail_msg("%s", err.text);
    assert_memory_equal(n->weights, want, n->floats * sizeof *want);
    free(want);
    golden_close(&g);

    g = golden_open("sample4geo_odd", false); /* of other widths */
    assert_int_equal(backbone_load(g.network, path, &err), GVM_FORMAT);
    assert_says(&err, path);
    golden_close(&g);
}

static void test_names(void **state)
{
    (void)state;
    check_names("timm");
    check_names("facebook");
    struct network *n = golden_preset("sample4geo-nano");
    gvm_error err;
    assert_int_equal(backbone_load(n, "tests/golden/net_four.safetensors", &err), GVM_FORMAT); /* a Swin V2 */
    assert_says(&err, "it is not a ConvNeXt backbone");
    network_free(n);
}

/* ------------------------------------------------------------------ what is refused */

static const char base[] =
    "{\"model\":\"sample4geo\",\"dims\":[128,256,512,1024],\"depths\":[3,3,27,3],\"gelu\":\"erf\","
    "\"street\":[140,768],\"aerial\":[384,384]}";

static const struct refused bad[] = {
    {"\"dims\":[128,256,512,1024],", "", "lacks \"dims\""},
    {"[128,256,512,1024]", "[128,256,512]", "\"dims\" is not a list of 4"},
    {"[128,256,512,1024]", "128", "\"dims\" is not a list of 4"},
    {"[128,256,512,1024]", "[128,256,\"512\",1024]", "\"dims\" is not an integer"},
    {"[128,256,512,1024]", "[0,256,512,1024]", "\"dims\" is 0, expected 1 to 4096"},
    {"[128,256,512,1024]", "[128,256,512,5000]", "\"dims\" is 5000"},
    {"\"depths\":[3,3,27,3],", "", "lacks \"depths\""},
    {"[3,3,27,3]", "[3,3,27,3,3]", "\"depths\" is not a list of 4"},
    {"[3,3,27,3]", "[3,0,27,3]", "\"depths\" is 0, expected 1 to 64"},
    {"[3,3,27,3]", "[3,3,65,3]", "\"depths\" is 65"},
    {"\"erf\"", "\"exact\"", "\"gelu\" has an unsupported value"},
    {"\"erf\"", "1", "\"gelu\" has an unsupported value"},
    {"[140,768]", "[31,768]", "\"street\" is 31, expected 32 to 4096"},
    {"[384,384]", "[384,4097]", "\"aerial\" is 4097"},
    {"[384,384]", "[4096,4096]", "stage 1 of the aerial view needs 536870912 values"},
    {"[128,256,512,1024],\"depths\":[3,3,27,3]", "[4096,4096,4096,4096],\"depths\":[9,9,9,9]",
     "the configuration has 5041971201 parameters"},
};

static void test_refused(void **state)
{
    (void)state;
    struct config c;
    gvm_error err;
    check_refused(base, bad, sizeof bad / sizeof bad[0]);
    if (parse_with(&c, base, "\"gelu\":\"erf\",", "", &err) != GVM_OK) fail_msg("%s", err.text);
    if (parse_with(&c, base, "[140,768]", "[33,35]", &err) != GVM_OK) fail_msg("%s", err.text); /* a map of 1 x 1 */
}

/* ------------------------------------------------------------------ full size */

static void test_full_size(void **state)
{
    (void)state;
    golden_full_size();
    golden_check_outputs("sample4geo_full", limit);
    golden_check_gradients("sample4geo_full");
}

static void test_timm(void **state)
{
    (void)state;
    golden_full_size();
    golden_check_import("timm_convnext_tiny", "sample4geo-tiny", limit);
    golden_check_import("timm_convnext_base", "sample4geo", limit);
}

int main(int count, char **arguments)
{
    if (count > 1) snprintf(golden_folder, sizeof golden_folder, "%s", arguments[1]);
    print_message("instructions: %s\n", kernels()->name);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outputs),   cmocka_unit_test(test_gradients),     cmocka_unit_test(test_training),
        cmocka_unit_test(test_same_bits), cmocka_unit_test(test_save_and_load), cmocka_unit_test(test_fresh),
        cmocka_unit_test(test_maps),      cmocka_unit_test(test_names),         cmocka_unit_test(test_refused),
        cmocka_unit_test(test_full_size), cmocka_unit_test(test_timm), /* these two in another folder */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
