/* test_training_view.c - views of panoramas for training: their draws, and their pixels and visibility against the
 * cameras' projection */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "image/training_view.h"

enum { N = 20000, EPOCHS = 100 };

static struct training_draws draws_of(uint64_t epoch)
{
    return (struct training_draws){.tolerance = 9, .seed = 3, .epoch = epoch, .epochs = EPOCHS};
}

/* ------------------------------------------------------------------ draws */

static bool same_camera(const struct camera *a, const struct camera *b)
{
    return a->lens == b->lens && a->width == b->width && a->height == b->height && a->focal == b->focal &&
           a->heading == b->heading && a->pitch == b->pitch && a->roll == b->roll && a->full_width == b->full_width &&
           a->left == b->left;
}

static void test_pure(void **state)
{
    (void)state;
    const struct training_draws draws = draws_of(70), later = draws_of(71);
    int same = 0;
    for (uint64_t i = 0; i < 100; i++) {
        struct training_view a = training_view_draw(&draws, i), b = training_view_draw(&draws, i);
        struct training_view other = training_view_draw(&later, i), next = training_view_draw(&draws, i + 1);
        assert_true(same_camera(&a.taken, &b.taken) && same_camera(&a.believed, &b.believed));
        assert_true(training_view_turn(&draws, i) == training_view_turn(&draws, i));
        same += a.believed.pitch == other.believed.pitch || a.believed.pitch == next.believed.pitch;
    }
    assert_int_equal(same, 0);
}

/* The mean of n values is within 5 standard errors of the expected one, and so is their standard deviation. */
struct moments {
    double sum, square;
    int n;
};

static void add(struct moments *m, double x)
{
    m->sum += x;
    m->square += x * x;
    m->n++;
}

static void expect(const struct moments *m, double mean, double deviation)
{
    double found = m->sum / m->n, spread = sqrt(m->square / m->n - found * found);
    if (fabs(found - mean) > 5 * deviation / sqrt(m->n) || fabs(spread / deviation - 1) > 5 / sqrt(m->n))
        fail_msg("mean %g, deviation %g; expected %g, %g", found, spread, mean, deviation);
}

static double longer_fov(const struct camera *c)
{
    return 2 * atan(0.5 * fmax(c->width, c->height) / c->focal) * 180 / 3.14159265358979323846;
}

static double fov_of(const struct training_view *v, const struct camera *c)
{
    return v->kind == VIEW_PHOTO ? longer_fov(c) : camera_fov(c);
}

/* From 0.6 of the training on: kinds, fields of view, poses, and errors. */
static void test_distributions(void **state)
{
    (void)state;
    const struct training_draws draws = draws_of(80);
    struct moments fovs[3] = {{0}}, strip_error = {0}, pitch = {0}, roll = {0}, fov_error = {0}, heading_error = {0},
                   pitch_error = {0}, roll_error = {0}, heading = {0}, turn = {0};
    int kinds[3] = {0}, portrait = 0, still = 0;
    for (uint64_t i = 0; i < N; i++) {
        struct training_view v = training_view_draw(&draws, i);
        double fov = fov_of(&v, &v.taken), turned = training_view_turn(&draws, i);
        kinds[v.kind]++;
        add(&fovs[v.kind], fov);
        add(&heading_error, v.believed.heading - v.taken.heading);
        add(&pitch_error, v.believed.pitch - v.taken.pitch);
        add(&roll_error, v.believed.roll - v.taken.roll);
        assert_true(fabs(v.believed.heading - v.taken.heading) <= 9 && fabs(turned) <= 9);
        if (v.kind == VIEW_CIRCLE) assert_true(v.taken.heading == 0 && fov_of(&v, &v.believed) == 360);
        if (v.kind != VIEW_CIRCLE) add(&heading, v.taken.heading);
        if (v.kind == VIEW_STRIP) { /* its heading is its centre's, also of the believed one */
            const struct camera *c = &v.believed;
            assert_true(fabs(c->left + c->width / 2 - c->full_width / 2) < 1e-9 && c->width <= c->full_width + 1e-9);
            if (fov < 200) add(&strip_error, log(fov_of(&v, c) / fov));
        }
        if (turned == 0)
            still++;
        else
            add(&turn, turned);
        if (v.kind != VIEW_PHOTO) continue;
        add(&fov_error, log(fov_of(&v, &v.believed) / fov));
        add(&pitch, v.taken.pitch);
        add(&roll, v.taken.roll);
        portrait += v.taken.width < v.taken.height;
    }
    const double shares[3] = {0.2, 0.3, 0.5}, spread = sqrt(12);
    for (int k = 0; k < 3; k++) assert_true(fabs(kinds[k] - shares[k] * N) < 5 * sqrt(N * shares[k] * (1 - shares[k])));
    expect(&fovs[VIEW_STRIP], 205, 310 / spread);
    expect(&fovs[VIEW_PHOTO], 85, 70 / spread);
    expect(&pitch, 2, 5);
    expect(&roll, 0, 3);
    expect(&fov_error, 0, 0.06);
    expect(&strip_error, 0, 0.06);
    expect(&heading, 180, 360 / spread);
    expect(&heading_error, 0, 18 / spread);
    expect(&turn, 0, 18 / spread);
    expect(&pitch_error, 0, 3);
    expect(&roll_error, 0, 2);
    assert_true(fabs(portrait - 0.4 * kinds[VIEW_PHOTO]) < 5 * sqrt(0.24 * N));
    assert_true(fabs(still - 0.5 * N) < 5 * sqrt(0.25 * N));
}

/* No photos before 0.3 of the training; the narrowest strip falls from 360 to 50 degrees until 0.6. */
static void test_curriculum(void **state)
{
    (void)state;
    static const struct {
        uint64_t epoch;
        double narrowest;
        bool photos;
    } cases[] = {{0, 360, false}, {29, 360 - 310 * 29 / 60.0, false}, {30, 205, true}, {60, 50, true}, {99, 50, true}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const struct training_draws draws = draws_of(cases[c].epoch);
        double least = 360;
        int photos = 0;
        for (uint64_t i = 0; i < 2000; i++) {
            struct training_view v = training_view_draw(&draws, i);
            photos += v.kind == VIEW_PHOTO;
            if (v.kind == VIEW_STRIP) least = fmin(least, camera_fov(&v.taken));
        }
        assert_true(cases[c].photos == (photos > 0));
        assert_true(least >= cases[c].narrowest - 1e-9 && least < cases[c].narrowest + 10);
    }
}

/* ------------------------------------------------------------------ pixels */

static const struct picture_shape shape = {
    .height = 32, .width = 160, .elevation = {-40, 45}, .masked = true, .unseen = {124, 116, 104}};

static uint8_t *make_panorama(void)
{
    uint8_t *pixels = malloc(picture_bytes(&shape));
    assert_non_null(pixels);
    for (size_t i = 0; i < picture_bytes(&shape); i++) pixels[i] = (uint8_t)random_bits(1, 2, i);
    memset(picture_seen(pixels, &shape), 1, seen_bytes(&shape));
    return pixels;
}

/* Without errors the seen pixels are the panorama's own, and they are those that the camera projects into its picture.
 */
static void test_true_beliefs(void **state)
{
    (void)state;
    const struct training_draws draws = draws_of(80);
    const int W = shape.width;
    uint8_t *panorama = make_panorama(), *out = make_panorama();
    int seen_pixels = 0, unseen = 0;
    for (uint64_t k = 0; k < 60; k++) {
        struct training_view v = training_view_draw(&draws, k);
        v.believed = v.taken;
        training_view_render(out, panorama, &v, &shape);
        for (int i = 0; i < shape.height; i++)
            for (int j = 0; j < W; j++) {
                const size_t at = 3 * (size_t)(i * W + j);
                double x, y;
                bool in = camera_project(&x, &y, &v.taken, 360 * ((j + 0.5) / W - 0.5), 45 - 85 * (i + 0.5) / 32);
                if (in && v.kind == VIEW_CIRCLE) x = fmin(fmax(x, 0), v.taken.width * (1 - 1e-12));
                in = in && x >= 0 && x < v.taken.width && y >= 0 && y < v.taken.height;
                assert_memory_equal(out + at, in ? panorama + at : shape.unseen, 3);
                seen_pixels += in;
                unseen += !in;
            }
    }
    assert_true(seen_pixels > 10000 && unseen > 10000);
    free(panorama);
    free(out);
}

/* A patch is seen if at least half of its pixels are. */
static void test_visibility(void **state)
{
    (void)state;
    const struct training_draws draws = draws_of(80);
    const int W = shape.width, side = SEEN_PATCH;
    uint8_t *panorama = make_panorama(), *out = make_panorama();
    memset(panorama, 255, picture_bytes(&shape));
    int counts[2] = {0};
    for (uint64_t k = 0; k < 60; k++) {
        const struct training_view v = training_view_draw(&draws, k);
        training_view_render(out, panorama, &v, &shape);
        const uint8_t *seen = picture_seen(out, &shape);
        for (int p = 0; p < shape.height / side * (W / side); p++) {
            int count = 0, top = p / (W / side) * side, left = p % (W / side) * side;
            for (int i = 0; i < side * side; i++) count += out[3 * ((top + i / side) * W + left + i % side)] == 255;
            assert_int_equal(seen[p], count >= side * side / 2);
            counts[seen[p]]++;
        }
    }
    assert_true(counts[0] > 1000 && counts[1] > 1000);
    free(panorama);
    free(out);
}

/* A heading that is believed to be n columns further east moves the view by n columns, over the seam too. */
static void test_heading_error(void **state)
{
    (void)state;
    const int W = shape.width, columns = 12;
    uint8_t *panorama = make_panorama(), *right = make_panorama(), *wrong = make_panorama();
    for (uint64_t k = 0; k < 30; k++) {
        const struct training_draws draws = draws_of(80);
        struct training_view v = training_view_draw(&draws, k);
        v.believed = v.taken;
        training_view_render(right, panorama, &v, &shape);
        v.believed.heading += 360.0 * columns / W;
        training_view_render(wrong, panorama, &v, &shape);
        int differ = 0;
        for (int i = 0; i < shape.height; i++)
            for (int j = 0; j < W; j++) {
                int moved = (j + columns) % W;
                differ += memcmp(right + 3 * (i * W + j), wrong + 3 * (i * W + moved), 3) != 0;
            }
        assert_true(differ <= 2); /* at the picture's edge, by rounding */
    }
    free(panorama);
    free(right);
    free(wrong);
}

/* Errors of pose and field of view: each pixel shows the direction that the true camera sees there. The panorama's red
 * is its azimuth and its green its elevation. */
static void test_wrong_beliefs(void **state)
{
    (void)state;
    const struct training_draws draws = draws_of(80);
    const int W = shape.width, H = shape.height;
    uint8_t *panorama = make_panorama(), *out = make_panorama();
    for (int i = 0; i < H * W; i++) {
        panorama[3 * i] = (uint8_t)(1.5 * fabs(i % W + 0.5 - W / 2.0)); /* levels: 1.5 a column from north */
        panorama[3 * i + 1] = (uint8_t)(7 * (i / W));
    }
    int compared = 0;
    for (uint64_t k = 0; k < 40; k++) {
        const struct training_view v = training_view_draw(&draws, k);
        training_view_render(out, panorama, &v, &shape);
        for (int i = 0; i < H; i++)
            for (int j = 0; j < W; j++) {
                double x, y, azimuth, elevation;
                bool in = camera_project(&x, &y, &v.believed, 360 * ((j + 0.5) / W - 0.5), 45 - 85 * (i + 0.5) / H);
                if (!in || x < 0 || y < 0 || x >= v.taken.width || y >= v.taken.height) continue;
                assert_true(camera_direction(&azimuth, &elevation, &v.taken, x, y));
                double row = (45 - elevation) / 85 * H - 0.5, column = fabs(azimuth) / 360 * W;
                if (row < 0 || row > H - 1 || column < 1 || column > W / 2.0 - 1) continue;
                assert_true(fabs(out[3 * (i * W + j)] - 1.5 * column) < 2);
                assert_true(fabs(out[3 * (i * W + j) + 1] - 7 * row) < 2);
                compared++;
            }
    }
    assert_true(compared > 10000);
    free(panorama);
    free(out);
}

/* What the panorama does not show is unseen in its views. */
static void test_short_panorama(void **state)
{
    (void)state;
    const size_t across = (size_t)shape.width / SEEN_PATCH;
    uint8_t *panorama = make_panorama(), *out = make_panorama();
    struct training_view circle = {.kind = VIEW_CIRCLE};
    circle.taken = circle.believed =
        (struct camera){.lens = LENS_SPHERE, .width = 360, .height = 180, .full_width = 360, .full_height = 180};
    memset(picture_seen(panorama, &shape), 0, 2 * across);
    training_view_render(out, panorama, &circle, &shape);
    for (size_t k = 0; k < seen_bytes(&shape); k++) assert_int_equal(picture_seen(out, &shape)[k], k >= 2 * across);
    for (size_t i = 0; i < 8 * (size_t)shape.width; i++) assert_memory_equal(out + 3 * i, shape.unseen, 3);
    free(panorama);
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pure),          cmocka_unit_test(test_distributions),
        cmocka_unit_test(test_curriculum),    cmocka_unit_test(test_true_beliefs),
        cmocka_unit_test(test_visibility),    cmocka_unit_test(test_heading_error),
        cmocka_unit_test(test_wrong_beliefs), cmocka_unit_test(test_short_panorama),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
