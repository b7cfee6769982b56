/* test_cuda_heat.c - a heat map computed on a GPU, or its stand-in (tests/cuda_host), compared with the CPU's */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "network/session.h"

static void choose(gvm_device device)
{
    gvm_error err;
    if (gvm_set_device(device, GVM_FP32, &err) != GVM_OK) fail_msg("%s", err.text);
}

static float *heat_of(size_t *n, const char *path, gvm_device device)
{
    gvm_model *model;
    gvm_session *session;
    gvm_error err;
    choose(device);
    if (gvm_model_open(&model, path, &err) != GVM_OK) fail_msg("%s", err.text);
    if (gvm_session_open(&session, model, 1, &err) != GVM_OK) fail_msg("%s", err.text);
    const struct branch *b = &model->network->views[GVM_AERIAL];
    *n = b->bytes / 3;
    float *heat = malloc(*n * sizeof *heat);
    uint8_t *pixels = malloc(b->bytes);
    for (size_t i = 0; i < b->bytes; i++) pixels[i] = (uint8_t)(255 * random_uniform(1, 0, i));
    if (gvm_heatmap(session, GVM_AERIAL, 0, heat, pixels, NULL, &err) != GVM_OK) fail_msg("%s", err.text);
    gvm_session_free(session);
    gvm_model_free(model);
    free(pixels);
    return heat;
}

/* A heat map is computed from what a pass left on the device. */
static void test_heat(void **state)
{
    (void)state;
    static const char *const paths[] = {"tests/golden/net_four.safetensors",
                                        "tests/golden/statewide_zooms.safetensors"};
    for (int i = 0; i < 2; i++) {
        size_t n;
        float *cpu = heat_of(&n, paths[i], GVM_CPU), *cuda = heat_of(&n, paths[i], GVM_CUDA);
        double off = 0, size = 0;
        for (size_t k = 0; k < n; k++) off += pow((double)cuda[k] - cpu[k], 2), size += pow((double)cpu[k], 2);
        if (!(sqrt(off / size) < 1e-4)) fail_msg("%s: heat is off by %.3g", paths[i], sqrt(off / size));
        free(cpu);
        free(cuda);
    }
}

int main(void)
{
    gvm_error err;
    if (gvm_set_device(GVM_CUDA, GVM_FP32, &err) != GVM_OK) {
        print_message("skipped: %s\n", err.text);
        return 77;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_heat)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
