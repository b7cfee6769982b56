/* test_strip.c - strips of panoramas: DSM's draws, turning and cutting; and the figures of a network on them */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mersenne.h"
#include "base/random.h"
#include "image/strip.h"
#include "network/checkpoint.h"
#include "network/config_file.h"
#include "network/place.h"
#include "small_set.h"
#include "train/evaluate_fov.h"

/* numpy.random.seed(2019), then for each of the first pictures ((j - int(rand() * 512)) % 512)[:int(fov / 360 * 512)]:
 * the shifts are 462, 201, 319, 326. */
static void test_draws(void **state)
{
    (void)state;
    static const int shifts[] = {462, 201, 319, 326};
    struct mersenne random;
    mersenne_seed(&random, 2019);
    for (int i = 0; i < 4; i++) {
        double draw = mersenne_rand(&random);
        struct strip strip = strip_of(draw, 70, 360, 512), whole = strip_of(draw, 360, 360, 512);
        assert_int_equal(strip.first, 512 - shifts[i]);
        assert_int_equal(strip.count, 99);
        assert_int_equal(whole.count, 512);
        assert_int_equal(strip_of(draw, 70, 0, 512).first, 0);
    }
    assert_int_equal(strip_of(0, 360, 360, 512).first, 0);
    assert_int_equal(strip_of(0.5, 0.1, 360, 512).count, 1);
}

enum { H = 8, W = 40 };

static const struct picture_shape shape = {.height = H, .width = W, .masked = true, .unseen = {124, 116, 104}};

/* Each column has its number; all is seen. */
static void number(uint8_t *pixels)
{
    for (int i = 0; i < H * W * 3; i++) pixels[i] = (uint8_t)(i / 3 % W);
    memset(picture_seen(pixels, &shape), 1, seen_bytes(&shape));
}

static void test_cut(void **state)
{
    (void)state;
    uint8_t pixels[H * W * 3 + H * W / SEEN_PATCH / SEEN_PATCH];
    assert_int_equal(sizeof pixels, picture_bytes(&shape));
    for (int first = 0; first < W; first++)
        for (int count = 1; count <= W; count++) {
            number(pixels);
            strip_cut(pixels, (struct strip){first, count}, &shape);
            int kept = 0;
            for (int j = 0; j < W; j++) {
                int in = (j - first + W) % W < count;
                for (int i = 0; i < H; i++) {
                    const uint8_t own[3] = {(uint8_t)j, (uint8_t)j, (uint8_t)j};
                    assert_memory_equal(pixels + 3 * (i * W + j), in ? own : shape.unseen, 3);
                }
                kept += in;
                if (j % SEEN_PATCH < SEEN_PATCH - 1) continue;
                for (int y = 0; y < H / SEEN_PATCH; y++)
                    assert_int_equal(picture_seen(pixels, &shape)[y * (W / SEEN_PATCH) + j / SEEN_PATCH], kept >= 2);
                kept = 0;
            }
        }
}

/* The strip's middle column goes to the panorama's middle, or 90 degrees to its right. */
static void test_turn(void **state)
{
    (void)state;
    uint8_t pixels[H * W * 3 + H * W / SEEN_PATCH / SEEN_PATCH];
    for (int first = 0; first < W; first++)
        for (int quarter = 0; quarter < 4; quarter++) {
            const struct strip strip = {first, 11};
            number(pixels);
            struct strip turned = strip_turn(pixels, strip, 90 * quarter, &shape);
            assert_int_equal(turned.count, strip.count);
            assert_int_equal((turned.first + 5) % W, (W / 2 + quarter * W / 4) % W);
            for (int k = 0; k < strip.count; k++)
                assert_int_equal(pixels[3 * ((turned.first + k) % W)], (first + k) % W);
        }
}

/* A whole panorama with a known heading is the usual evaluation; the best of all headings cannot be told from the same
 * features in another order. */
static void test_evaluate(void **state)
{
    (void)state;
    static const struct fov_task tasks[] = {{360, FOV_KNOWN}, {90, FOV_KNOWN}, {360, FOV_TRIALS}, {90, FOV_ONE_LOOK}};
    struct small_set set;
    struct network *network;
    struct evaluation e[4], again[4], usual;
    gvm_error err;
    if (checkpoint_load(&network, NULL, false, &err) != GVM_OK) fail_msg("%s", err.text);
    small_set_make(&set, NULL, 9, 7);
    pictures_close(&set.pictures);
    if (pictures_open(&set.pictures, &set.data, &network->config, &err) != GVM_OK) fail_msg("%s", err.text);
    assert_int_equal(network_place(network, &err), GVM_OK);
    const struct split *test = &set.data.test;
    assert_int_equal(evaluate_split(&usual, NULL, network, &set.pictures, test, false, NULL, NULL, &err), GVM_OK);
    for (int i = 0; i < 2; i++)
        if (evaluate_fov(i ? again : e, tasks, 4, 2019, network, &set.pictures, test, NULL, NULL, &err) != GVM_OK)
            fail_msg("%s", err.text);
    for (int k = 0; k < AT_COUNT; k++) {
        assert_true(e[0].recall[k] == usual.recall[k]);
        for (int i = 0; i < 4; i++) assert_true(e[i].recall[k] == again[i].recall[k] && e[i].queries == usual.queries);
    }
    assert_int_equal(network_headings(network), 16);
    network->config.tolerance = 9;
    assert_int_equal(network_headings(network), 20);
    network->config.tolerance = 7;
    network->views[GVM_STREET].turns = 5; /* not evaluated any more */
    assert_int_equal(network_headings(network), 25);
    network->config.tolerance = 180;
    assert_int_equal(network_headings(network), 1);
    network_free(network);
    small_set_remove(&set);
}

static void turn_by_fifths(const void *user, uint8_t *out, const uint8_t *picture, int query, int look)
{
    const struct picture_shape *street = user;
    (void)query;
    memcpy(out, picture, picture_bytes(street));
    strip_cut(out, (struct strip){30, 100}, street);
    panorama_turn(out, street, 72.0 * look);
}

/* A network for photos gives five turns of a strip in one pass, and they are those of five passes. */
static void test_turns(void **state)
{
    (void)state;
    struct small_set set;
    struct config config;
    struct network *network;
    gvm_error err;
    bool stopped;
    if (config_preset(&config, "nano-photo", &err) != GVM_OK) fail_msg("%s", err.text);
    if (network_open(&network, &config, false, &err) != GVM_OK) fail_msg("%s", err.text);
    network_fresh(network, 1);
    for (size_t i = 0; i < network->floats; i++) network->weights[i] += 0.05f * (float)random_normal(3, 4, i);
    small_set_make(&set, NULL, 9, 7);
    if (pictures_open(&set.pictures, &set.data, &config, &err) != GVM_OK) fail_msg("%s", err.text);
    assert_int_equal(network_place(network, &err), GVM_OK);
    assert_int_equal(network->views[GVM_STREET].turns, 5);
    const size_t numbers = 5 * (size_t)set.data.test.query_count * (size_t)network->views[0].features;
    float *each = malloc(numbers * sizeof *each), *turned = malloc(numbers * sizeof *turned);
    const struct looks five = {.count = 5, .see = turn_by_fifths, .user = &set.pictures.street};
    struct looks one = five;
    one.count = 1;
    one.turned = true;
    for (int i = 0; i < 2; i++)
        if (features_street(i ? turned : each, &stopped, network, &set.pictures, &set.data.test, i ? &one : &five, NULL,
                            NULL, &err) != GVM_OK)
            fail_msg("%s", err.text);
    double off = 0, apart = 0;
    for (size_t i = 0; i < numbers; i++) {
        off = fmax(off, fabs((double)each[i] - (double)turned[i]));
        apart = fmax(apart, fabs((double)each[i] - (double)each[i % (size_t)network->views[0].features]));
    }
    assert_true(off < 1e-5 && apart > 1e-3);
    free(each);
    free(turned);
    network_free(network);
    small_set_remove(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_draws),    cmocka_unit_test(test_cut),   cmocka_unit_test(test_turn),
        cmocka_unit_test(test_evaluate), cmocka_unit_test(test_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
