/* test_shared.c - places that share pictures have the same features as with copies of the pictures */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "golden_support.h"
#include "network/embedder.h"

enum { PLACES = 5, BATCH = 2 };

static void test_shared(void **state)
{
    (void)state;
    static const int all[PLACES][4] = {{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9, 10, 11}, {12, 13, 14, 15}, {16, 17, 18, 19}},
                     some[PLACES][4] = {{0, 1, 2, 3}, {4, 5, 2, 3}, {6, 7, 8, 3}, {9, 10, 8, 3}, {0, 10, 2, 11}};
    struct network *network = golden_preset("statewide-nano");
    struct embedder *e;
    gvm_error err;
    network_fresh(network, 5);
    assert_int_equal(network_pack(network, &err), GVM_OK);
    assert_int_equal(embedder_open(&e, network, GVM_AERIAL, BATCH, &err), GVM_OK);
    size_t bytes = embedder_bytes(e) / 4, D = (size_t)network->views[GVM_AERIAL].features;
    uint8_t *pixels = malloc(20 * bytes), *copies = malloc(20 * bytes);
    float *want = malloc(PLACES * D * sizeof *want), *got = malloc(PLACES * D * sizeof *got);
    uint32_t random = 3;
    for (size_t i = 0; i < 20 * bytes; i++) pixels[i] = (uint8_t)((random = random * 1664525 + 1013904223) >> 24);
    for (int round = 0; round < 2; round++) {
        const int *which = round ? some[0] : all[0];
        for (size_t i = 0; i < 20; i++) memcpy(copies + i * bytes, pixels + (size_t)which[i] * bytes, bytes);
        assert_int_equal(embedder_run(e, want, copies, PLACES, &err), GVM_OK);
        assert_int_equal(embedder_run_shared(e, got, pixels, round ? 12 : 20, which, PLACES, &err), GVM_OK);
        for (size_t i = 0; i < PLACES * D; i++) assert_true(fabsf(want[i] - got[i]) < 1e-6F);
        for (size_t i = 0; i < PLACES; i++) assert_true(is_feature(got + i * D, D));
    }
    double between = 0; /* places can be distinguished */
    for (size_t i = 0; i < D; i++) between += fabs(got[i] - got[D + i]);
    assert_true(between > 1e-3);
    free(pixels);
    free(copies);
    free(want);
    free(got);
    embedder_free(e);
    network_free(network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shared)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
