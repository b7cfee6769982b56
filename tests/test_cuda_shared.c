/* test_cuda_shared.c - places that share pictures, on the GPU, whose maps are copied to the host and back; and several
 * headings from one pass. Skipped, and run a second time, like test_cuda. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "network/checkpoint.h"
#include "network/embedder.h"
#include "network/place.h"

static void check(gvm_precision precision, float limit)
{
    enum { BYTES = 65 * 64 * 3, PICTURES = 7, PLACES = 3, D = 24 };
    static const int which[PLACES * 4] = {0, 1, 2, 3, 4, 5, 2, 3, 6, 1, 2, 3};
    static uint8_t pixels[PICTURES * BYTES], copies[PLACES * 4 * BYTES];
    float want[PLACES * D], got[PLACES * D];
    struct network *n;
    struct embedder *e;
    gvm_error err;
    assert_int_equal(gvm_set_device(GVM_CUDA, precision, &err), GVM_OK);
    assert_int_equal(checkpoint_load(&n, "tests/golden/statewide_zooms.safetensors", false, &err), GVM_OK);
    if (network_place(n, &err) != GVM_OK || embedder_open(&e, n, GVM_AERIAL, 2, &err) != GVM_OK)
        fail_msg("%s", err.text);
    assert_int_equal(embedder_bytes(e), 4 * BYTES);
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(255 * random_uniform(1, i / BYTES, i));
    for (size_t i = 0; i < PLACES * 4; i++) memcpy(copies + i * BYTES, pixels + which[i] * BYTES, BYTES);
    assert_int_equal(embedder_run(e, want, copies, PLACES, &err), GVM_OK);
    assert_int_equal(embedder_run_shared(e, got, pixels, PICTURES, which, PLACES, &err), GVM_OK);
    for (size_t i = 0; i < PLACES * D; i++) assert_true(fabsf(want[i] - got[i]) < limit);
    embedder_free(e);
    network_free(n);
}

static void test_shared(void **state)
{
    (void)state;
    check(GVM_FP32, 1e-5F);
    check(GVM_BF16, 2e-2F);
}

/* Features of the turns of photos of which a part is seen. */
static float *turned(gvm_device device, gvm_precision precision, const uint8_t *pixels, int count, size_t *n)
{
    struct network *network;
    struct embedder *e;
    gvm_error err;
    assert_int_equal(gvm_set_device(device, precision, &err), GVM_OK);
    assert_int_equal(checkpoint_load(&network, "tests/golden/net_seen.safetensors", false, &err), GVM_OK);
    if (network_place(network, &err) != GVM_OK || embedder_open(&e, network, GVM_STREET, 2, &err) != GVM_OK)
        fail_msg("%s", err.text);
    assert_int_equal(embedder_turns(e), 5);
    *n = (size_t)count * 5 * (size_t)network->views[GVM_STREET].features;
    float *features = malloc(*n * sizeof *features);
    for (int again = 0; again < 2; again++)
        if (embedder_run_turns(e, features, pixels, (size_t)count, &err) != GVM_OK) fail_msg("%s", err.text);
    embedder_free(e);
    network_free(network);
    return features;
}

static void test_turns(void **state)
{
    (void)state;
    enum { PIXELS = 32 * 160 * 3, BYTES = PIXELS + 8 * 40, COUNT = 3 };
    static uint8_t pixels[COUNT * BYTES];
    for (size_t i = 0; i < sizeof pixels; i++) {
        float x = random_uniform(1, i / BYTES, i);
        pixels[i] = i % BYTES < PIXELS ? (uint8_t)(255 * x) : x < 0.4F || i / BYTES == 1;
    }
    size_t n;
    float *cpu = turned(GVM_CPU, GVM_FP32, pixels, COUNT, &n), *cuda = turned(GVM_CUDA, GVM_FP32, pixels, COUNT, &n);
    float *half = turned(GVM_CUDA, GVM_BF16, pixels, COUNT, &n);
    for (size_t i = 0; i < n; i++) assert_true(fabsf(cpu[i] - cuda[i]) < 1e-5F && fabsf(cpu[i] - half[i]) < 5e-2F);
    free(cpu);
    free(cuda);
    free(half);
}

int main(void)
{
    gvm_error err;
    if (gvm_set_device(GVM_CUDA, GVM_BF16, &err) != GVM_OK) {
        print_message("skipped: %s\n", err.text);
        return 77;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shared), cmocka_unit_test(test_turns)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
