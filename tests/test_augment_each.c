/* test_augment_each.c - Sample4Geo's augmentation: its parts against references and albumentations' numbers, their
 * frequency and which pictures they change */
#include "image/augment.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "image/augment_parts.h"
#include "image/image.h"

/* From section 4 of Sample4Geo's paper, and from its code. */
static const struct augmentation augmentation_sample4geo = {.mirror = 0.5f,
                                                            .jpeg = 0.5f,
                                                            .quality = {90, 100},
                                                            .colour = 0.5f,
                                                            .shift = 0.15f,
                                                            .hue = 0.15f,
                                                            .focus = 0.3f,
                                                            .holes = 0.3f,
                                                            .grid = {0.5f, 0.4f},
                                                            .spin = 0.75f};

enum { SIDE = 40, STREET_H = 20, STREET_W = 80, STREET = STREET_H * STREET_W * 3, AERIAL = SIDE * SIDE * 3 };

/* Noise on a slow change of colour, without black. */
static uint8_t *make_picture(int H, int W, uint64_t seed)
{
    uint8_t *p = malloc((size_t)H * W * 3);
    assert_non_null(p);
    for (int i = 0; i < H * W * 3; i++)
        p[i] = (uint8_t)(20 + 120 * (i / 3 / W) / H + (i % 3) * 20 + (int)(random_bits(seed, 1, (uint64_t)i) % 40));
    return p;
}

/* ------------------------------------------------------------------ parts */

/* Against Python's colorsys. */
static void test_hue(void **state)
{
    (void)state;
    static const struct {
        uint8_t in[3];
        float turn;
        uint8_t out[3];
    } cases[] = {{{255, 0, 0}, 1 / 3.0f, {0, 255, 0}},     {{200, 100, 50}, 0.1f, {200, 190, 50}},
                 {{10, 250, 120}, -0.15f, {116, 250, 10}}, {{30, 40, 200}, 0.15f, {173, 30, 200}},
                 {{90, 91, 90}, 0.5f, {91, 90, 91}},       {{77, 77, 77}, 0.3f, {77, 77, 77}},
                 {{200, 100, 50}, 0, {200, 100, 50}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t out[3];
        memcpy(out, cases[i].in, 3);
        augment_hue(out, 1, 1, cases[i].turn);
        assert_memory_equal(out, cases[i].out, 3);
    }
}

static int reflect(int i, int n)
{
    while (n > 1 && (i < 0 || i >= n)) i = i < 0 ? -i : 2 * (n - 1) - i;
    return n > 1 ? i : 0;
}

/* The sum by definition, also for pictures smaller than the kernel. */
static void test_filter(void **state)
{
    (void)state;
    static const int shapes[][2] = {{1, 1}, {1, 9}, {3, 2}, {12, 17}};
    for (int s = 0; s < 4; s++)
        for (int side = 3; side <= 7; side += 2) {
            int H = shapes[s][0], W = shapes[s][1], r = side / 2;
            uint8_t *in = make_picture(H, W, 9), *out = make_picture(H, W, 9);
            float kernel[49];
            for (int k = 0; k < side * side; k++)
                kernel[k] = random_uniform(1, 2, (uint64_t)k) * 3 / (side * side) - 0.02f;
            assert_int_equal(augment_filter(out, H, W, kernel, side), GVM_OK);
            for (int i = 0; i < H * W * 3; i++) {
                int y = i / 3 / W, x = i / 3 % W;
                double sum = 0;
                for (int k = 0; k < side * side; k++)
                    sum += (double)kernel[k] *
                           in[(reflect(y + k / side - r, H) * W + reflect(x + k % side - r, W)) * 3 + i % 3];
                assert_true(fabs(out[i] - fmax(0, fmin(255, sum))) < 0.501);
            }
            free(in);
            free(out);
        }
}

/* Rows of albumentations' AdvancedBlur without its noise: 5 x 5, deviations 0.5 and 0.9, 0.6 radians, beta 0.8. */
static void test_kernels(void **state)
{
    (void)state;
    static const float wanted[15] = {3.900286409e-04f,
                                     8.534497182e-03f,
                                     6.322669049e-02f,
                                     1.091120401e-01f,
                                     3.642904400e-02f,
                                     4.354273526e-03f,
                                     7.507255833e-02f,
                                     4.022024062e-01f,
                                     3.353163573e-01f,
                                     4.923003111e-02f,
                                     2.316966790e-02f,
                                     2.888182873e-01f,
                                     1,
                                     2.888182873e-01f,
                                     2.316966790e-02f};
    float kernel[25], sharp[9], sum = 0;
    augment_bell(kernel, 5, (const double[2]){0.5, 0.9}, 0.6, 0.8);
    for (int k = 0; k < 15; k++) {
        assert_true(fabsf(kernel[k] - wanted[k]) < 1e-6f);
        assert_true(fabsf(kernel[k] - kernel[24 - k]) < 1e-6f);
    }
    augment_sharp(sharp, 0.25f, 0.5f);
    for (int k = 0; k < 9; k++) sum += sharp[k];
    assert_true(sharp[4] == 0.75f + 0.25f * 8.5f && sharp[0] == -0.25f && fabsf(sum - 0.875f) < 1e-6f);
}

static void test_holes(void **state)
{
    (void)state;
    enum { H = 50, W = 100 };
    uint8_t p[H * W * 3];
    memset(p, 200, sizeof p);
    augment_grid(p, H, W, 0.45f); /* cells of 10, holes of 4 */
    for (int i = 0; i < H * W; i++) assert_int_equal(p[3 * i + 1], i / W % 10 < 4 && i % W % 10 < 4 ? 0 : 200);
    memset(p, 200, sizeof p);
    augment_hole(p, H, W, (const int[4]){95, 45, 120, 60});
    augment_hole(p, H, W, (const int[4]){3, 2, 4, 3});
    for (int i = 0; i < H * W; i++) {
        bool hole = (i % W >= 95 && i / W >= 45) || i == 2 * W + 3;
        assert_int_equal(p[3 * i], hole ? 0 : 200);
    }
}

/* A lower quality changes more; repeated with the same result. */
static void test_recompress(void **state)
{
    (void)state;
    uint8_t *in = make_picture(SIDE, SIDE, 3), *out = malloc(AERIAL), *again = malloc(AERIAL);
    double off[2] = {0};
    for (int k = 0; k < 2; k++) {
        memcpy(out, in, AERIAL);
        memcpy(again, in, AERIAL);
        assert_int_equal(augment_jpeg(out, SIDE, SIDE, k == 0 ? 98 : 40), GVM_OK);
        assert_int_equal(augment_jpeg(again, SIDE, SIDE, k == 0 ? 98 : 40), GVM_OK);
        assert_memory_equal(out, again, AERIAL);
        for (int i = 0; i < AERIAL; i++) off[k] += abs(out[i] - in[i]) / (double)AERIAL;
    }
    assert_true(off[0] > 0.1 && off[0] < off[1] && off[1] < 16);
    free(in);
    free(out);
    free(again);
}

/* ------------------------------------------------------------------ a pair */

struct pair {
    uint8_t street[STREET], strong[AERIAL], weak[AERIAL];
};

static const int sizes[4] = {STREET_H, STREET_W, SIDE, SIDE};

static int black(const uint8_t *p, int n)
{
    int count = 0;
    for (int i = 0; i < n; i += 3) count += p[i] == 0 && p[i + 1] == 0 && p[i + 2] == 0;
    return count;
}

/* One part at a time: the frequency of changes in the street and the strong picture, drawn separately; the weak one
 * never changes. */
static void test_each(void **state)
{
    (void)state;
    enum { N = 600 };
    const struct augmentation *all = &augmentation_sample4geo,
                              parts[4] = {{.jpeg = 0.5f, .quality = {90, 100}},
                                          {.colour = 0.5f, .shift = 0.15f, .hue = 0.15f},
                                          {.focus = all->focus},
                                          {.holes = all->holes, .grid = {0.5f, 0.4f}}};
    const double likely[4] = {0.5, 0.5, 0.3, 0.3};
    uint8_t *street = make_picture(STREET_H, STREET_W, 2), *aerial = make_picture(SIDE, SIDE, 3);
    for (int k = 0; k < 4; k++) {
        int changed[2] = {0}, both = 0;
        for (uint64_t i = 0; i < N; i++) {
            struct pair p, q;
            assert_int_equal(
                augment_pair(p.street, p.strong, p.weak, street, aerial, sizes, &parts[k], 5, i / 100, i % 100),
                GVM_OK);
            assert_int_equal(
                augment_pair(q.street, q.strong, NULL, street, aerial, sizes, &parts[k], 5, i / 100, i % 100), GVM_OK);
            assert_memory_equal(p.weak, aerial, AERIAL);
            assert_memory_equal(p.street, q.street, STREET);
            assert_memory_equal(p.strong, q.strong, AERIAL);
            bool is[2] = {memcmp(p.street, street, STREET) != 0, memcmp(p.strong, aerial, AERIAL) != 0};
            if (k == 3) assert_true(is[0] == (black(p.street, STREET) > 0) && is[1] == (black(p.strong, AERIAL) > 0));
            changed[0] += is[0];
            changed[1] += is[1];
            both += is[0] && is[1];
        }
        for (int v = 0; v < 2; v++) assert_true(fabs(changed[v] - N * likely[k]) < 0.09 * N);
        assert_true(fabs(both - N * likely[k] * likely[k]) < 0.09 * N);
    }
    free(street);
    free(aerial);
}

/* Both turn at the end: no turn and each of three quarter turns are equally likely with spin 3/4; mirroring comes
 * before. */
static void test_spin(void **state)
{
    (void)state;
    enum { N = 2000 };
    const struct augmentation amounts = {.mirror = 0.5f, .spin = 0.75f};
    uint8_t *street = make_picture(STREET_H, STREET_W, 2), *aerial = make_picture(SIDE, SIDE, 3);
    int seen[2][4] = {{0}};
    for (uint64_t i = 0; i < N; i++) {
        struct pair p;
        static uint8_t turned[AERIAL], plain[AERIAL], rolled[STREET], flat[STREET];
        assert_int_equal(augment_pair(p.street, p.strong, p.weak, street, aerial, sizes, &amounts, 11, 3, i), GVM_OK);
        assert_memory_equal(p.strong, p.weak, AERIAL);
        int found = 0;
        for (int m = 0; m < 2; m++)
            for (int k = 0; k < 4; k++) {
                memcpy(plain, aerial, AERIAL);
                memcpy(flat, street, STREET);
                if (m == 1) augment_mirror(plain, SIDE, SIDE);
                if (m == 1) augment_mirror(flat, STREET_H, STREET_W);
                augment_turn(turned, plain, SIDE, SIDE, (4 - k) % 4);
                if (memcmp(turned, p.strong, AERIAL) != 0) continue;
                for (int y = 0; y < STREET_H; y++) /* k quarters to the left */
                    for (int x = 0; x < STREET_W; x++)
                        memcpy(rolled + (y * STREET_W + (x - k * STREET_W / 4 + STREET_W) % STREET_W) * 3,
                               flat + (y * STREET_W + x) * 3, 3);
                assert_memory_equal(rolled, p.street, STREET);
                seen[m][k]++;
                found++;
            }
        assert_int_equal(found, 1);
    }
    for (int m = 0; m < 2; m++)
        for (int k = 0; k < 4; k++) assert_in_range(seen[m][k], N / 8 - 60, N / 8 + 60); /* four deviations of 15 */
    free(street);
    free(aerial);
}

/* All together: a function of seed, epoch and index, without repetition. */
static void test_together(void **state)
{
    (void)state;
    uint8_t *street = make_picture(STREET_H, STREET_W, 2), *aerial = make_picture(SIDE, SIDE, 3);
    static struct pair p[3];
    for (uint64_t i = 0; i < 60; i++) {
        for (int k = 0; k < 3; k++)
            assert_int_equal(augment_pair(p[k].street, p[k].strong, p[k].weak, street, aerial, sizes,
                                          &augmentation_sample4geo, 1, k == 2 ? 1 : 0, i),
                             GVM_OK);
        assert_memory_equal(&p[0], &p[1], sizeof p[0]);
        assert_memory_not_equal(&p[0], &p[2], sizeof p[0]);
    }
    free(street);
    free(aerial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hue),   cmocka_unit_test(test_filter),     cmocka_unit_test(test_kernels),
        cmocka_unit_test(test_holes), cmocka_unit_test(test_recompress), cmocka_unit_test(test_each),
        cmocka_unit_test(test_spin),  cmocka_unit_test(test_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
