/* test_visibility.c - which patches of a picture are seen: all of a panorama; moved with the pixels by turns and by
 * augmentation */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "image/augment.h"
#include "image/panorama.h"
#include "image_support.h"

enum { H = 16, W = 80 };

static const struct picture_shape plain_shape = {.height = H, .width = W, .elevation = {-45, 45}};

/* A full panorama, smooth also across its edges: (2 W, 4 W, 3). */
static const uint8_t *scene(void)
{
    static uint8_t pixels[2 * W * 4 * W * 3];
    for (int i = 0; i < 2 * W * 4 * W; i++) {
        int x = i % (4 * W), y = i / (4 * W);
        pixels[3 * i] = (uint8_t)(510 * (x < 2 * W ? x : 4 * W - x) / (4 * W));
        pixels[3 * i + 1] = (uint8_t)(255 * y / (2 * W));
    }
    return pixels;
}

/* All of a full panorama is seen; its other bytes stay the same. Turning it in place moves the visibility by whole
 * patches, rounded. */
static void of_panoramas(void **state)
{
    (void)state;
    enum { SEEN = H * W / 16, ACROSS = W / 4 };
    static uint8_t plain[H * W * 3], out[H * W * 3 + SEEN + 1];
    struct picture_shape masked = plain_shape;
    gvm_error err = {""};
    masked.masked = true;
    save("2to1.png", scene(), 4 * W, 2 * W, 3, VIPS_FORMAT_UCHAR, (struct extra){.xmp = NULL});
    assert_int_equal(picture_bytes(&plain_shape), sizeof plain);
    assert_int_equal(picture_bytes(&masked), sizeof out - 1);
    memset(out, 7, sizeof out);
    const double heading = 31;
    assert_int_equal(panorama_load(plain, &plain_shape, &heading, CIRCLE_CHECKED, in_folder("2to1.png"), &err), GVM_OK);
    assert_int_equal(panorama_load(out, &masked, &heading, CIRCLE_CHECKED, in_folder("2to1.png"), &err), GVM_OK);
    assert_memory_equal(out, plain, sizeof plain);
    uint8_t *seen = picture_seen(out, &masked);
    for (int i = 0; i < SEEN; i++) assert_int_equal(seen[i], 1);
    assert_int_equal(seen[SEEN], 7);
    static const struct {
        double degrees;
        int patches;
    } turns[] = {{0, 0}, {18, 1}, {6, 0}, {9, 1}, {24, 1}, {26, 2}, {-18, ACROSS - 1}, {355.5, 0}, {180, ACROSS / 2}};
    for (size_t t = 0; t < sizeof turns / sizeof *turns; t++) {
        uint8_t before[SEEN];
        for (int i = 0; i < SEEN; i++) before[i] = seen[i] = i * i % 5 < 2;
        panorama_turn(out, &masked, turns[t].degrees);
        for (int i = 0; i < SEEN; i++)
            assert_int_equal(seen[i / ACROSS * ACROSS + (i + turns[t].patches) % ACROSS], before[i]);
        assert_int_equal(seen[SEEN], 7);
    }
}

/* A panorama of a few rows covers half of no patch, so the network would see nothing. Without visibility its rows are
 * repeated. */
static void too_thin(void **state)
{
    (void)state;
    static uint8_t out[H * W * 3 + H * W / 16];
    struct picture_shape masked = plain_shape;
    gvm_error err = {""};
    masked.masked = true;
    save("thin.png", scene(), 4 * W, 4, 3, VIPS_FORMAT_UCHAR, (struct extra){.xmp = NULL});
    assert_int_equal(panorama_load(out, &plain_shape, NULL, CIRCLE_GIVEN, in_folder("thin.png"), &err), GVM_OK);
    assert_int_equal(panorama_load(out, &masked, NULL, CIRCLE_GIVEN, in_folder("thin.png"), &err), GVM_IMAGE);
    assert_non_null(strstr(err.text, "thin.png: it spans elevations of -2.2 to 2.2 degrees, too few"));
}

/* The visibility moves with the pixels: each patch of the picture is white if it is seen, else black. */
static void augmented(void **state)
{
    (void)state;
    enum { HS = 8, WS = 32, SIDE = 33, P = SEEN_PATCH, SEEN = HS / P * (WS / P) };
    const int small[4] = {HS, WS, SIDE, SIDE};
    const struct augmentation amounts = {.turn = true, .mirror = 0.5f, .spin = 0.5f};
    uint8_t street[HS * WS * 3], out[sizeof street], seen[SEEN], moved[SEEN], aerial[SIDE * SIDE * 3] = {0};
    uint8_t strong[sizeof aerial], weak[sizeof aerial];
    int same = 0;
    for (int i = 0; i < SEEN; i++) seen[i] = i % 3 == 0 || i == 4;
    for (int i = 0; i < HS * WS * 3; i++) street[i] = seen[i / 3 / WS / P * (WS / P) + i / 3 % WS / P] ? 255 : 0;
    for (uint64_t i = 0; i < 200; i++) {
        assert_int_equal(augment_pair(out, strong, weak, street, aerial, small, &amounts, 1, 2, i), GVM_OK);
        augment_seen(moved, seen, small, &amounts, 1, 2, i);
        for (int k = 0; k < HS * WS * 3; k++)
            assert_int_equal(out[k], moved[k / 3 / WS / P * (WS / P) + k / 3 % WS / P] ? 255 : 0);
        same += memcmp(seen, moved, sizeof seen) == 0;
    }
    assert_in_range(same, 10, 100);
}

int main(int argc, char **argv)
{
    (void)argc;
    if (VIPS_INIT(argv[0]) != 0) return 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(of_panoramas), cmocka_unit_test(too_thin),
                                       cmocka_unit_test(augmented)};
    int failed = cmocka_run_group_tests(tests, make_folder, remove_folder);
    vips_shutdown();
    return failed;
}
