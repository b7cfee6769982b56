/* test_augment.c - augmentation against references in double, directions of turns, and random draws */
#include "image/augment.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"

enum { SIDE = 33, STREET_H = 9, STREET_W = 44 };

/* Noise plus a slow change of colour, so that neighbours are similar and edges are not all zero. */
static uint8_t *make_picture(int H, int W, uint64_t seed)
{
    uint8_t *p = malloc((size_t)H * W * 3);
    assert_non_null(p);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int c = 0; c < 3; c++) {
                int i = (y * W + x) * 3 + c, slow = 255 * (c == 0 ? x : c == 1 ? y : x + y) / (H + W);
                p[i] = (uint8_t)((slow + (int)(random_bits(seed, 1, (uint64_t)i) % 96)) % 256);
            }
    return p;
}

static const int shapes[][2] = {{1, 1}, {1, 7}, {5, 1}, {9, 13}, {33, 33}, {40, 64}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* ------------------------------------------------------------------ places */

static void expect_rgb(const uint8_t *p, int W, int y, int x, int value)
{
    const uint8_t *at = p + ((size_t)y * W + x) * 3;
    for (int c = 0; c < 3; c++) assert_int_equal(at[c], value + c);
}

static void mark(uint8_t *p, int W, int y, int x, int value)
{
    for (int c = 0; c < 3; c++) p[((size_t)y * W + x) * 3 + c] = (uint8_t)(value + c);
}

/* Something north of the camera is at the top of the aerial picture and in the panorama's centre column. Turned
 * clockwise by 90 degrees it is in the east: at the aerial picture's right edge, and a quarter of the width right of
 * the panorama's centre. */
static void test_directions(void **state)
{
    (void)state;
    uint8_t aerial[SIDE * SIDE * 3] = {0}, turned[SIDE * SIDE * 3];
    uint8_t street[STREET_H * STREET_W * 3] = {0}, rolled[STREET_H * STREET_W * 3];
    const int middle = SIDE / 2, end = SIDE - 1;
    mark(aerial, SIDE, 0, middle, 200);
    mark(aerial, SIDE, 0, 0, 50); /* the north-western corner */
    mark(street, STREET_W, 3, STREET_W / 2, 200);
    const int north[4][2] = {{0, middle}, {middle, end}, {end, middle}, {middle, 0}};
    const int corner[4][2] = {{0, 0}, {0, end}, {end, end}, {end, 0}};
    const int column[4] = {STREET_W / 2, STREET_W * 3 / 4, 0, STREET_W / 4};
    for (int q = 0; q < 4; q++) {
        augment_turn(turned, aerial, SIDE, SIDE, q);
        expect_rgb(turned, SIDE, north[q][0], north[q][1], 200);
        expect_rgb(turned, SIDE, corner[q][0], corner[q][1], 50);
        augment_roll(rolled, street, STREET_H, STREET_W, q);
        expect_rgb(rolled, STREET_W, 3, column[q], 200);
    }
}

/* Four quarter turns are the identity, two reverse the pixels; no pixel gets lost. */
static void test_turns(void **state)
{
    (void)state;
    uint8_t *in = make_picture(SIDE, SIDE, 1), *out = malloc(SIDE * SIDE * 3), *again = malloc(SIDE * SIDE * 3);
    memcpy(out, in, SIDE * SIDE * 3);
    for (int q = 0; q < 4; q++) {
        augment_turn(again, in, SIDE, SIDE, q);
        assert_memory_equal(again, out, SIDE * SIDE * 3);
        uint8_t *once = again;
        augment_turn(once, out, SIDE, SIDE, 1);
        memcpy(out, once, SIDE * SIDE * 3);
    }
    assert_memory_equal(out, in, SIDE * SIDE * 3);
    augment_turn(out, in, 11, 99, 2); /* need not be square */
    for (int i = 0; i < SIDE * SIDE; i++) assert_memory_equal(out + 3 * i, in + 3 * (SIDE * SIDE - 1 - i), 3);
    free(in);
    free(out);
    free(again);
}

/* A width not divisible by four: rounded to whole columns. */
static void test_roll_odd(void **state)
{
    (void)state;
    uint8_t in[2 * 7 * 3], out[sizeof in];
    const int right[4] = {0, 2, 4, 5}; /* of 0, 1.75, 3.5, 5.25 */
    for (size_t i = 0; i < sizeof in; i++) in[i] = (uint8_t)i;
    for (int q = 0; q < 4; q++) {
        augment_roll(out, in, 2, 7, q);
        for (int y = 0; y < 2; y++)
            for (int x = 0; x < 7; x++)
                assert_memory_equal(out + (y * 7 + (x + right[q]) % 7) * 3, in + (y * 7 + x) * 3, 3);
    }
}

/* ------------------------------------------------------------------ colours */

static double grey(const uint8_t *p)
{
    return 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
}

static double clip(double x)
{
    return x < 0 ? 0 : x > 255 ? 255 : x;
}

/* Reference of each change: black, the mean grey, the pixel's own grey. */
static void expect_blend(void (*change)(uint8_t *, int, int, float), int kind, int H, int W, double factor)
{
    uint8_t *in = make_picture(H, W, 5), *out = make_picture(H, W, 5);
    double mean = 0;
    for (int i = 0; i < H * W; i++) mean += grey(in + 3 * i) / (H * W);
    change(out, H, W, (float)factor);
    for (int i = 0; i < H * W * 3; i++) {
        double base = kind == 0 ? 0 : kind == 1 ? mean : grey(in + i / 3 * 3);
        double want = clip(base + factor * (in[i] - base));
        /* truncated, not rounded; greys and their mean are integers */
        double slack = (kind == 0 ? 0 : kind == 1 ? 1 : 0.501) * fabs(1 - factor) + 0.02;
        if (out[i] > want + slack || out[i] < want - 1 - slack)
            fail_msg("kind %d, factor %g, value %d: %d is not just below %g", kind, factor, in[i], out[i], want);
    }
    free(in);
    free(out);
}

static void test_colours(void **state)
{
    (void)state;
    const double factors[] = {0, 0.5, 0.7, 0.93, 1.1, 1.3, 2};
    for (int s = 0; s < SHAPES; s++)
        for (size_t f = 0; f < sizeof factors / sizeof *factors; f++) {
            expect_blend(augment_brightness, 0, shapes[s][0], shapes[s][1], factors[f]);
            expect_blend(augment_contrast, 1, shapes[s][0], shapes[s][1], factors[f]);
            expect_blend(augment_saturation, 2, shapes[s][0], shapes[s][1], factors[f]);
        }
    uint8_t *in = make_picture(9, 13, 5), *out = make_picture(9, 13, 5);
    augment_brightness(out, 9, 13, 1);
    augment_contrast(out, 9, 13, 1);
    augment_saturation(out, 9, 13, 1);
    assert_memory_equal(out, in, 9 * 13 * 3);
    augment_grey(out, 9, 13);
    for (int i = 0; i < 9 * 13; i++) {
        assert_true(fabs(out[3 * i] - grey(in + 3 * i)) <= 0.51);
        assert_int_equal(out[3 * i + 1], out[3 * i]);
        assert_int_equal(out[3 * i + 2], out[3 * i]);
    }
    free(in);
    free(out);
}

/* Results of Pillow 12's ImageEnhance for two pixels, (200, 100, 50) and (10, 20, 30): mean grey 72. */
static void test_known_colours(void **state)
{
    (void)state;
    const uint8_t in[6] = {200, 100, 50, 10, 20, 30};
    const uint8_t bright[6] = {255, 130, 65, 13, 26, 39}, dull[6] = {161, 91, 56, 28, 35, 42},
                  pale[6] = {177, 107, 72, 12, 19, 26}, grey_pixels[6] = {124, 124, 124, 18, 18, 18};
    uint8_t out[6];
    memcpy(out, in, 6);
    augment_brightness(out, 1, 2, 1.3f);
    assert_memory_equal(out, bright, 6);
    memcpy(out, in, 6);
    augment_contrast(out, 1, 2, 0.7f);
    assert_memory_equal(out, dull, 6);
    memcpy(out, in, 6);
    augment_saturation(out, 1, 2, 0.7f);
    assert_memory_equal(out, pale, 6);
    memcpy(out, in, 6);
    augment_grey(out, 1, 2);
    assert_memory_equal(out, grey_pixels, 6);
}

/* ------------------------------------------------------------------ blur */

static int reflect(int i, int n)
{
    while (n > 1 && (i < 0 || i >= n)) i = i < 0 ? -i : 2 * (n - 1) - i;
    return n > 1 ? i : 0;
}

/* The two-dimensional sum, by definition. */
static double blurred(const uint8_t *in, int H, int W, int y, int x, int c, double sigma)
{
    int R = (int)ceil(3 * sigma);
    double sum = 0, weights = 0;
    for (int dy = -R; dy <= R; dy++)
        for (int dx = -R; dx <= R; dx++) {
            double w = exp(-(dx * dx + dy * dy) / (2 * sigma * sigma));
            sum += w * in[(reflect(y + dy, H) * W + reflect(x + dx, W)) * 3 + c];
            weights += w;
        }
    return sum / weights;
}

static void test_blur(void **state)
{
    (void)state;
    const double sigmas[] = {0.1, 0.4, 1, 2.3, 5, 10};
    for (int s = 0; s < SHAPES; s++)
        for (size_t k = 0; k < sizeof sigmas / sizeof *sigmas; k++) {
            int H = shapes[s][0], W = shapes[s][1];
            uint8_t *in = make_picture(H, W, 9), *out = make_picture(H, W, 9);
            assert_int_equal(augment_blur(out, H, W, sigmas[k]), GVM_OK);
            for (int i = 0; i<H * W * 3; i += H * W> 1000 ? 17 : 1) {
                double want = blurred(in, H, W, i / 3 / W, i / 3 % W, i % 3, sigmas[k]);
                if (fabs(out[i] - want) > 0.65)
                    fail_msg("%d x %d, sigma %g, at %d: %d, not %g", H, W, sigmas[k], i, out[i], want);
            }
            free(in);
            free(out);
        }
}

/* A uniform picture stays unchanged with the widest kernel, also at the darkest and brightest level. */
static void test_blur_plain(void **state)
{
    (void)state;
    uint8_t out[20 * 20 * 3], in[sizeof out];
    for (int value = 0; value < 256; value += 5)
        for (int k = 0; k < 3; k++) {
            memset(in, value, sizeof in);
            memset(out, value, sizeof out);
            assert_int_equal(augment_blur(out, 20, 20, k == 0 ? 0.05 : k == 1 ? 3 : 10), GVM_OK);
            assert_memory_equal(out, in, sizeof in);
        }
}

/* ------------------------------------------------------------------ a pair */

struct pair {
    uint8_t street[STREET_H * STREET_W * 3], strong[SIDE * SIDE * 3], weak[SIDE * SIDE * 3];
};

static const int sizes[4] = {STREET_H, STREET_W, SIDE, SIDE};

static void augment(struct pair *out, const uint8_t *street, const uint8_t *aerial, const struct augmentation *amounts,
                    uint64_t seed, uint64_t epoch, uint64_t index)
{
    assert_int_equal(
        augment_pair(out->street, out->strong, out->weak, street, aerial, sizes, amounts, seed, epoch, index), GVM_OK);
}

static void test_none(void **state)
{
    (void)state;
    uint8_t *street = make_picture(STREET_H, STREET_W, 2), *aerial = make_picture(SIDE, SIDE, 3);
    for (uint64_t i = 0; i < 8; i++) {
        struct pair p;
        augment(&p, street, aerial, &augmentation_none, 7, i, i);
        assert_memory_equal(p.street, street, sizeof p.street);
        assert_memory_equal(p.strong, aerial, sizeof p.strong);
        assert_memory_equal(p.weak, aerial, sizeof p.weak);
    }
    free(street);
    free(aerial);
}

/* The number of quarter turns of a picture; unambiguous because of the noise. */
static int quarters_of(const uint8_t *turned, const uint8_t *in)
{
    uint8_t out[SIDE * SIDE * 3];
    for (int q = 0; q < 4; q++) {
        augment_turn(out, in, SIDE, SIDE, q);
        if (memcmp(out, turned, sizeof out) == 0) return q;
    }
    fail_msg("the weak picture is none of the four turns");
    return 0;
}

/* Weak and strong turn alike, and the panorama with them; all four turns are equally likely. */
static void test_pairs_turn(void **state)
{
    (void)state;
    enum { N = 4000 };
    const struct augmentation amounts = {.turn = true};
    uint8_t *street = make_picture(STREET_H, STREET_W, 2), *aerial = make_picture(SIDE, SIDE, 3);
    int seen[4] = {0};
    for (uint64_t i = 0; i < N; i++) {
        struct pair p;
        uint8_t rolled[sizeof p.street];
        augment(&p, street, aerial, &amounts, 11, i / 1000, i % 1000);
        int q = quarters_of(p.weak, aerial);
        augment_roll(rolled, street, STREET_H, STREET_W, q);
        assert_memory_equal(p.street, rolled, sizeof rolled);
        assert_memory_equal(p.strong, p.weak, sizeof p.weak);
        seen[q]++;
    }
    for (int q = 0; q < 4; q++) assert_in_range(seen[q], N / 4 - 110, N / 4 + 110); /* four deviations of 27 */
    free(street);
    free(aerial);
}

/* East and west are swapped in both pictures or in neither: what is in the east is at the panorama's third quarter and
 * on the aerial picture's right. Only the street picture's colours vary. */
static void test_mirror(void **state)
{
    (void)state;
    enum { N = 1000 };
    const struct augmentation amounts = {.mirror = 0.5f}, colours = {.street = 0.5f};
    uint8_t street[STREET_H * STREET_W * 3] = {0}, aerial[SIDE * SIDE * 3] = {0};
    const size_t east = 3 * (STREET_W * 3 / 4), west = 3 * (STREET_W - 1 - STREET_W * 3 / 4);
    street[east] = aerial[3 * (SIDE - 1)] = 200;
    int mirrored = 0, varied = 0;
    for (uint64_t i = 0; i < N; i++) {
        struct pair p;
        augment(&p, street, aerial, &amounts, 5, 0, i);
        bool is = p.street[west] == 200;
        assert_true(p.street[is ? west : east] == 200 && p.weak[is ? 0 : 3 * (SIDE - 1)] == 200);
        assert_memory_equal(p.strong, p.weak, sizeof p.weak);
        mirrored += is;
        augment(&p, street, aerial, &colours, 5, 0, i);
        assert_memory_equal(p.strong, aerial, sizeof aerial);
        assert_memory_equal(p.weak, aerial, sizeof aerial);
        varied += p.street[east] != 200;
    }
    assert_in_range(mirrored, N / 2 - 64, N / 2 + 64);
    assert_true(varied > N * 9 / 10);
}

/* A non-square aerial picture can only turn by 180 degrees. */
static void test_not_square(void **state)
{
    (void)state;
    const int wide[4] = {STREET_H, STREET_W, 6, 20};
    const struct augmentation amounts = {.turn = true};
    uint8_t *street = make_picture(STREET_H, STREET_W, 2), *aerial = make_picture(6, 20, 3);
    uint8_t turned[6 * 20 * 3];
    int seen[2] = {0};
    augment_turn(turned, aerial, 6, 20, 2);
    for (uint64_t i = 0; i < 200; i++) {
        struct pair p;
        assert_int_equal(augment_pair(p.street, p.strong, p.weak, street, aerial, wide, &amounts, 1, 2, i), GVM_OK);
        bool same = memcmp(p.weak, aerial, sizeof turned) == 0;
        if (!same) assert_memory_equal(p.weak, turned, sizeof turned);
        seen[same]++;
    }
    assert_in_range(seen[0], 70, 130);
    free(street);
    free(aerial);
}

/* A strong picture of one colour shows the factors: brightness f multiplies a uniform grey by f. */
static void test_amounts(void **state)
{
    (void)state;
    enum { N = 2000 };
    const struct augmentation amounts = {.jitter = 0.3f};
    uint8_t *street = make_picture(STREET_H, STREET_W, 2), plain[SIDE * SIDE * 3];
    memset(plain, 150, sizeof plain);
    int lowest = 255, highest = 0;
    double sum = 0;
    for (uint64_t i = 0; i < N; i++) {
        struct pair p;
        augment(&p, street, plain, &amounts, 1, 0, i);
        sum += p.strong[0];
        if (p.strong[0] < lowest) lowest = p.strong[0];
        if (p.strong[0] > highest) highest = p.strong[0];
    }
    assert_in_range(lowest, 104, 107); /* 0.7 and 1.3 times 150 */
    assert_in_range(highest, 192, 195);
    assert_true(fabs(sum / N - 149.3) < 3);
    free(street);
}

/* Brightness, contrast, saturation, each with its own factor, in random order. The indices of the draws define the
 * results of a seed: an interrupted run continues with the same pictures. */
static void test_jitter(void **state)
{
    (void)state;
    static void (*const change[3])(uint8_t *, int, int, float) = {augment_brightness, augment_contrast,
                                                                  augment_saturation};
    const struct augmentation amounts = {.jitter = 0.3f};
    const char *const orders[6] = {"012", "021", "102", "120", "201", "210"};
    const uint64_t stream = UINT64_C(0x617567) << 40 | 8;
    uint8_t *street = make_picture(STREET_H, STREET_W, 2), *aerial = make_picture(SIDE, SIDE, 3);
    int seen[6] = {0};
    for (uint64_t i = 0; i < 120; i++) {
        struct pair p;
        uint8_t want[sizeof p.strong];
        int order = (int)(random_uniform(21, stream, 16 * i + 1) * 6);
        memcpy(want, aerial, sizeof want);
        for (int k = 0; k < 3; k++) {
            int which = orders[order][k] - '0';
            change[which](want, SIDE, SIDE, 0.7f + 0.6f * random_uniform(21, stream, 16 * i + 2 + (uint64_t)which));
        }
        augment(&p, street, aerial, &amounts, 21, 8, i);
        for (size_t k = 0; k < sizeof want; k++) /* factors differ in their last bit */
            if (abs(p.strong[k] - want[k]) > 1)
                fail_msg("pair %d, at %zu: %d, not %d", (int)i, k, p.strong[k], want[k]);
        seen[order]++;
    }
    for (int k = 0; k < 6; k++) assert_true(seen[k] > 5);
    free(street);
    free(aerial);
}

static bool is_grey(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i += 3)
        if (p[i] != p[i + 1] || p[i] != p[i + 2]) return false;
    return true;
}

/* Frequencies of grey and blur, with the paper's values. */
static void test_frequencies(void **state)
{
    (void)state;
    enum { N = 2000 };
    struct augmentation only_grey = {.grey = 0.2f}, only_blur = {.blur = 0.5f, .sigma = {0.8f, 5}};
    uint8_t *street = make_picture(STREET_H, STREET_W, 2), *aerial = make_picture(SIDE, SIDE, 3);
    int greys = 0, blurs = 0, both = 0;
    for (uint64_t i = 0; i < N; i++) {
        struct pair p;
        augment(&p, street, aerial, &only_grey, 1, 0, i);
        bool grey_one = is_grey(p.strong, sizeof p.strong);
        augment(&p, street, aerial, &only_blur, 1, 0, i);
        bool blurred_one = memcmp(p.strong, aerial, sizeof p.strong) != 0;
        assert_memory_equal(p.weak, aerial, sizeof p.weak);
        greys += grey_one;
        blurs += blurred_one;
        both += grey_one && blurred_one;
    }
    assert_in_range(greys, 400 - 72, 400 + 72);
    assert_in_range(blurs, 1000 - 90, 1000 + 90);
    assert_in_range(both, 200 - 54, 200 + 54); /* drawn apart */
    assert_true(augmentation_paper.turn && augmentation_paper.jitter == 0.3f && augmentation_paper.grey == 0.2f &&
                augmentation_paper.blur == 0.5f && augmentation_paper.sigma[0] == 0.1f &&
                augmentation_paper.sigma[1] == 5);
    free(street);
    free(aerial);
}

/* The same index gives the same pair, in any order; another seed, epoch or index gives another. */
static void test_draws(void **state)
{
    (void)state;
    enum { N = 40 };
    uint8_t *street = make_picture(STREET_H, STREET_W, 2), *aerial = make_picture(SIDE, SIDE, 3);
    struct pair *first = calloc(N, sizeof *first), p;
    for (uint64_t i = 0; i < N; i++) augment(&first[i], street, aerial, &augmentation_paper, 3, 4, i);
    for (uint64_t i = N; i-- > 0;) {
        augment(&p, street, aerial, &augmentation_paper, 3, 4, i);
        assert_memory_equal(&p, &first[i], sizeof p);
    }
    int same = 0;
    for (uint64_t i = 0; i < N; i++) {
        augment(&p, street, aerial, &augmentation_paper, 4, 4, i);
        same += memcmp(&p, &first[i], sizeof p) == 0;
        augment(&p, street, aerial, &augmentation_paper, 3, 5, i);
        same += memcmp(&p, &first[i], sizeof p) == 0;
        if (i > 0) same += memcmp(&first[i - 1], &first[i], sizeof p) == 0;
    }
    assert_int_equal(same, 0);
    free(first);
    free(street);
    free(aerial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_directions), cmocka_unit_test(test_turns),         cmocka_unit_test(test_roll_odd),
        cmocka_unit_test(test_colours),    cmocka_unit_test(test_known_colours), cmocka_unit_test(test_blur),
        cmocka_unit_test(test_blur_plain), cmocka_unit_test(test_none),          cmocka_unit_test(test_pairs_turn),
        cmocka_unit_test(test_not_square), cmocka_unit_test(test_amounts),       cmocka_unit_test(test_frequencies),
        cmocka_unit_test(test_draws),      cmocka_unit_test(test_jitter),        cmocka_unit_test(test_mirror),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
