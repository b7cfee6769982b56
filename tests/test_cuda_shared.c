/* test_cuda_shared.c - places that share pictures, on the GPU, whose maps are copied to the host and back. Skipped, and
 * run a second time, like test_cuda. */
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

int main(void)
{
    gvm_error err;
    if (gvm_set_device(GVM_CUDA, GVM_BF16, &err) != GVM_OK) {
        print_message("skipped: %s\n", err.text);
        return 77;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shared)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
