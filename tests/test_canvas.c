/* test_canvas.c - pictures of any camera on a panorama's canvas: colours and visibility against a scene whose colour is
 * a formula of the direction, fine patterns, full panoramas, refusals */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "image/canvas.h"

enum { H = 64, W = 320, PATCHES = H * W / 16 };

static const double DEGREE = 180 / M_PI;
static const struct picture_shape shape = {
    .height = H, .width = W, .elevation = {-45, 45}, .masked = true, .unseen = {120, 110, 100}};
static uint8_t out[H * W * 3 + PATCHES + 1], visible[H * W];

/* ------------------------------------------------------------------ the scene */

/* Smooth, without symmetry. */
static void scene(double colour[3], double azimuth, double elevation)
{
    double a = azimuth / DEGREE, e = elevation / DEGREE, x = cos(e) * sin(a), y = cos(e) * cos(a), z = sin(e);
    colour[0] = 128 + 30 * x + 30 * sin(12 * z + 1) + 30 * sin(9 * y);
    colour[1] = 128 + 60 * y + 50 * sin(10 * x + 2 * z);
    colour[2] = 128 + 80 * z + 30 * sin(4 * x + 1);
}

/* The picture that the camera takes of it; grey where the lens shows nothing. */
static struct image take(const struct camera *c)
{
    struct image image = {.width = (int)c->width, .height = (int)c->height};
    image.pixels = malloc((size_t)image.width * (size_t)image.height * 3);
    uint8_t *pixel = image.pixels;
    for (int y = 0; y < image.height; y++)
        for (int x = 0; x < image.width; x++, pixel += 3) {
            double azimuth, elevation, colour[3] = {128, 128, 128};
            if (camera_direction(&azimuth, &elevation, c, x + 0.5, y + 0.5)) scene(colour, azimuth, elevation);
            for (int k = 0; k < 3; k++) pixel[k] = (uint8_t)lrint(colour[k]);
        }
    return image;
}

static double column_azimuth(double j)
{
    return 360 * (j / W - 0.5);
}

static double row_elevation(double i)
{
    return 45 - 90 * i / H;
}

/* Share of a pixel that lies in the picture, of 12 x 12 positions. */
static double share_of(const struct camera *c, int i, int j)
{
    int count = 0;
    for (int k = 0; k < 144; k++) {
        double x, y;
        if (camera_project(&x, &y, c, column_azimuth(j + (k % 12 + 0.5) / 12), row_elevation(i + (k / 12 + 0.5) / 12)))
            count += x >= 0 && x < c->width && y >= 0 && y < c->height;
    }
    return count / 144.0;
}

/* The canvas of a camera's picture shows the scene's colours, and as much of each pixel as it should. least: percent of
 * the canvas that is seen */
static void expect_scene(const struct camera *c, double least)
{
    struct image image = take(c);
    double sum = 0, worst = 0, rough = 0;
    int seen = 0;
    assert_int_equal(canvas_fill(out, visible, &shape, c, &image, "a", NULL), GVM_OK);
    for (int n = 0; n < H * W; n++) {
        double colour[3];
        if (n % 3 == 0) rough = fmax(rough, fabs(share_of(c, n / W, n % W) - visible[n] / 255.0));
        if (visible[n] == 0) assert_memory_equal(out + 3 * n, shape.unseen, 3);
        if (visible[n] < 255) continue;
        scene(colour, column_azimuth(n % W + 0.5), row_elevation(n / W + 0.5));
        for (int k = 0; k < 3; k++) {
            double off = fabs(out[3 * n + k] - colour[k]);
            worst = fmax(worst, off);
            sum += off / 3;
        }
        seen++;
    }
    print_message("lens %d: %.1f%% seen, %.2f levels off, at most %.2f; visibility within %.2f\n", (int)c->lens,
                  100.0 * seen / (H * W), sum / seen, worst, rough);
    assert_true(100.0 * seen >= least * H * W && sum / seen < 0.4 && worst < 2 && rough < 0.35);
    free(image.pixels);
}

static void test_lenses(void **state)
{
    (void)state;
    struct camera c = {.width = 640, .height = 480, .focal = 500, .heading = 40, .pitch = 4, .roll = -7};
    expect_scene(&c, 9);
    c.k1 = -0.12, c.k2 = 0.02;
    expect_scene(&c, 9);
    c = (struct camera){.width = 480, .height = 640, .focal = 420, .heading = 175, .pitch = -8, .roll = 3};
    expect_scene(&c, 9);                                                             /* over the canvas's seam */
    c = (struct camera){.width = 900, .height = 500, .focal = 300, .heading = -100}; /* 113 degrees */
    expect_scene(&c, 15);
    c = (struct camera){.lens = LENS_FISHEYE, .width = 600, .height = 600, .focal = 200, .heading = 20, .pitch = 15};
    expect_scene(&c, 30);
    c = (struct camera){.lens = LENS_CYLINDER, .width = 1200, .height = 360, .focal = 300, .heading = 300, .roll = 4};
    expect_scene(&c, 30);
    c = (struct camera){.lens = LENS_SPHERE,
                        .width = 500,
                        .height = 300,
                        .full_width = 1000,
                        .full_height = 500,
                        .left = 700,
                        .top = 100,
                        .heading = 60};
    expect_scene(&c, 40);
    c = (struct camera){.lens = LENS_SPHERE,
                        .width = 1000,
                        .height = 500,
                        .full_width = 1000,
                        .full_height = 500,
                        .heading = 60,
                        .pitch = 12,
                        .roll = 20};
    expect_scene(&c, 99.9);
    c.height = 200, c.top = 150, c.pitch = 0; /* tilted and short */
    expect_scene(&c, 60);
}

/* Stripes `wide` pixels wide, along a diagonal. */
static struct image stripes(const struct camera *c, int wide)
{
    struct image image = {.width = (int)c->width, .height = (int)c->height};
    image.pixels = malloc((size_t)image.width * (size_t)image.height * 3);
    for (int y = 0; y < image.height; y++)
        for (int x = 0; x < image.width; x++)
            memset(image.pixels + 3 * ((size_t)y * (size_t)image.width + (size_t)x), (x + y) / wide % 2 ? 255 : 0, 3);
    return image;
}

/* A pattern finer than the canvas's pixels is averaged, however large the picture is. At the borders of a wide photo,
 * where a pixel of the canvas is more of the picture's, this holds for a pattern that is coarse at its centre. */
static void test_fine_pattern(void **state)
{
    (void)state;
    static const struct {
        struct camera camera;
        int wide, off; /* pixels; degrees from the centre */
    } cases[] = {
        {{.width = 3000, .height = 2000, .focal = 1200, .pitch = 5, .roll = 10}, 4, 0}, /* 103 degrees */
        {{.width = 3000, .height = 600, .focal = 600}, 12, 52},                         /* 136 degrees */
        {{.width = 900, .height = 700, .focal = 800}, 3, 0},
        {{.lens = LENS_SPHERE, .width = 3000, .height = 1500, .full_width = 3000, .full_height = 1500, .pitch = 9},
         2,
         0},
        {{.lens = LENS_FISHEYE, .width = 2000, .height = 2000, .focal = 640}, 2, 0}};
    for (int k = 0; k < 5; k++) {
        struct image image = stripes(&cases[k].camera, cases[k].wide);
        int worst = 0, count = 0;
        assert_int_equal(canvas_fill(out, visible, &shape, &cases[k].camera, &image, "a", NULL), GVM_OK);
        for (int n = 0; n < H * W; n++) {
            int off = abs(out[3 * n] - 127);
            if (visible[n] < 255 || fabs(column_azimuth(n % W + 0.5)) < cases[k].off) continue;
            count++;
            worst = off > worst ? off : worst;
        }
        print_message("camera %d: at most %d levels off in %d pixels\n", k, worst, count);
        assert_true(worst < 25 && count > 300);
        free(image.pixels);
    }
}

/* ------------------------------------------------------------------ patches */

static void test_patches(void **state)
{
    (void)state;
    static uint8_t pixels[8][12], seen[2][3];
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 12; j++) pixels[i][j] = j < 4 ? 255 : j < 8 ? (i % 2 ? 255 : 0) : (i < 4 ? 127 : 128);
    assert_int_equal(canvas_patches(&seen[0][0], &pixels[0][0], 8, 12), 5);
    const uint8_t expected[2][3] = {{1, 1, 0}, {1, 1, 1}};
    assert_memory_equal(seen, expected, 6);
}

static void test_input(void **state)
{
    (void)state;
    const struct camera c = {.width = 640, .height = 480, .focal = 500, .heading = 10};
    struct image image = take(&c);
    memset(out, 7, sizeof out);
    assert_int_equal(photo_canvas_fit(out, &shape, &c, false, &image, "a", NULL), GVM_OK);
    const uint8_t *seen = picture_seen(out, &shape);
    int count = 0;
    for (int n = 0; n < PATCHES; n++) {
        double x, y, e = row_elevation(n / (W / 4) * 4 + 2), a = column_azimuth(n % (W / 4) * 4 + 2);
        bool in = camera_project(&x, &y, &c, a, e) && x > 0 && x < 640 && y > 0 && y < 480;
        bool far = in && x > 20 && x < 620 && y > 20 && y < 460;
        if (!in || far) assert_true(seen[n] == in || fabs(x - 320) < 345);
        count += seen[n];
    }
    assert_int_equal(out[sizeof out - 1], 7);
    assert_true(count > PATCHES / 12 && count < PATCHES / 6);
    static uint8_t plain[H * W * 3];
    struct picture_shape unmasked = shape;
    unmasked.masked = false;
    assert_int_equal(photo_canvas_fit(plain, &unmasked, &c, false, &image, "a", NULL), GVM_OK);
    assert_memory_equal(plain, out, sizeof plain);
    free(image.pixels);
}

/* ------------------------------------------------------------------ full panoramas */

static void expect_panorama(const struct camera *c, const struct picture_shape *s)
{
    static uint8_t plain[sizeof out];
    struct image image = take(c);
    if (c->height != c->full_height)
        image.gpano = (struct gpano){.full_width = c->full_width,
                                     .full_height = c->full_height,
                                     .top = c->top,
                                     .width = c->width,
                                     .height = c->height,
                                     .equirectangular = true};
    assert_int_equal(panorama_fit(plain, s, &c->heading, CIRCLE_GIVEN, &image, "a", NULL), GVM_OK);
    assert_int_equal(photo_canvas_fit(out, s, c, false, &image, "a", NULL), GVM_OK);
    assert_memory_equal(out, plain, picture_bytes(s));
    free(image.pixels);
}

/* A full level panorama has the bits of panorama_fit. The rows that a short one lacks are unseen, and without
 * visibility repeat its border. The warp of the same panorama, turned by whole columns, agrees with it. */
static void test_panoramas(void **state)
{
    (void)state;
    struct camera c = {
        .lens = LENS_SPHERE, .width = 1200, .height = 600, .full_width = 1200, .full_height = 600, .heading = 33};
    struct picture_shape unmasked = shape;
    unmasked.masked = false;
    expect_panorama(&c, &shape);
    expect_panorama(&c, &unmasked);
    const uint8_t *seen = picture_seen(out, &shape);
    c.height = 200, c.top = 200; /* 30 to -30 degrees */
    expect_panorama(&c, &unmasked);
    assert_memory_not_equal(out, shape.unseen, 3);
    expect_panorama(&c, &shape);
    for (int n = 0; n < PATCHES; n++) {
        int row = n / (W / 4); /* of 5.625 degrees: 10 2/3 of 16 are seen */
        assert_int_equal(seen[n], row >= 3 && row < 13);
    }
    for (int n = 0; n < H * W; n++)
        if (n / W < 10 || n / W >= 54) assert_memory_equal(out + 3 * n, shape.unseen, 3);
    assert_memory_not_equal(out + 3 * 11 * W, shape.unseen, 3);

    struct camera turned = c;
    turned.heading = 36; /* 32 columns */
    struct image image = take(&turned);
    static uint8_t warped[H * W * 3], strip[sizeof out];
    assert_int_equal(canvas_fill(warped, visible, &shape, &turned, &image, "a", NULL), GVM_OK);
    assert_int_equal(photo_canvas_fit(strip, &shape, &turned, false, &image, "a", NULL), GVM_OK);
    for (int n = 0; n < H * W * 3; n++)
        if (visible[n / 3] == 255) assert_true(abs(warped[n] - strip[n]) <= 2);
    free(image.pixels);
}

/* ------------------------------------------------------------------ refusals */

static void expect_refused(const struct camera *c, const struct image *image, const char *part)
{
    gvm_error err = {""};
    assert_int_equal(photo_canvas_fit(out, &shape, c, false, image, "b.jpg", &err), GVM_IMAGE);
    if (strncmp(err.text, "b.jpg: ", 7) != 0 || strstr(err.text, part) == NULL || strchr(err.text, '\n') != NULL)
        fail_msg("%s", err.text);
}

static void test_refusals(void **state)
{
    (void)state;
    struct camera c = {.width = 640, .height = 480, .focal = 1500};
    struct image image = take(&c);
    expect_refused(&c, &image, "a field of view of 24.1 degrees is too narrow");
    assert_int_equal(photo_canvas_fit(out, &shape, &c, true, &image, "b.jpg", NULL), GVM_OK);
    c.focal = 700, c.pitch = 80;
    expect_refused(&c, &image, "it shows nothing between -45 and 45 degrees");
    c.pitch = 0;
    memset(image.pixels, 90, (size_t)640 * 480 * 3);
    expect_refused(&c, &image, "no content");
    c.width = 480, c.height = 640;
    expect_refused(&c, &image, "it has 640 x 480 pixels, but its camera's pictures have 480 x 640");
    struct picture_shape wrong = shape;
    wrong.elevation[0] = 50;
    assert_int_equal(photo_canvas_fit(out, &wrong, &c, false, &image, "b.jpg", NULL), GVM_ARGUMENT);
    free(image.pixels);
}

/* Any numbers give a picture or a sentence, and nothing is written outside of the picture. */
static void test_absurd(void **state)
{
    (void)state;
    static const double values[] = {NAN, INFINITY, -INFINITY, 1e300, -1e300, 1e-300, 0, -1, 1, 40, 90, 360, 4000};
    struct image image = {.width = 40, .height = 30, .pixels = malloc((size_t)40 * 30 * 3)};
    int taken = 0;
    for (int n = 0; n < 40 * 30 * 3; n++) image.pixels[n] = (uint8_t)random_bits(3, 1, (uint64_t)n);
    for (int n = 0; n < 6000; n++) {
        struct camera c = {.lens = (enum lens)(n % 4),
                           .width = 40,
                           .height = 30,
                           .focal = 30,
                           .full_width = 80,
                           .full_height = 40,
                           .heading = 10};
        double *const fields[] = {&c.width, &c.height, &c.focal,      &c.k1,          &c.k2,   &c.heading,
                                  &c.pitch, &c.roll,   &c.full_width, &c.full_height, &c.left, &c.top};
        for (uint64_t k = 0; k < 2; k++)
            *fields[random_bits(4, k, (uint64_t)n) % 12] = values[random_bits(5, k, (uint64_t)n) % 13];
        gvm_error err = {""};
        out[sizeof out - 1] = 7;
        gvm_status status = photo_canvas_fit(out, &shape, &c, n % 2, &image, "b.jpg", &err);
        assert_true(status == GVM_OK || status == GVM_IMAGE);
        assert_int_equal(status == GVM_OK, err.text[0] == '\0');
        assert_int_equal(out[sizeof out - 1], 7);
        taken += status == GVM_OK;
    }
    print_message("%d of 6000 are cameras\n", taken);
    assert_true(taken > 1000 && taken < 5000);
    free(image.pixels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lenses), cmocka_unit_test(test_fine_pattern), cmocka_unit_test(test_patches),
        cmocka_unit_test(test_input),  cmocka_unit_test(test_panoramas),    cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_absurd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
