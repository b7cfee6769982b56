/* test_photo.c - photos fitted to a network for photos, and views of panoramas, against scikit-image and against rays
 * rotated by matrices (tools/make_golden_photo.py, with the same scenes) */
#include "image/photo.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/safetensors.h"
#include "image/views.h"
#include "image_support.h"

enum { H = 48, W = 64 };

static const struct picture_shape shape = {
    .height = H, .width = W, .resize = RESIZE_SKIMAGE, .projection = PROJECTION_PERSPECTIVE};

/* (h, w, 3), no value below low; the caller frees it */
static uint8_t *scene(int h, int w, int low)
{
    uint8_t *pixels = malloc((size_t)h * (size_t)w * 3), *p = pixels;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int c = 0; c < 3; c++) {
                int a = x / 5, b = y / 5;
                int value = (73 * a + 151 * b + 29 * c + 17 * a * b) % 200 + (7 * x + 11 * y + 5 * c) % 56;
                *p++ = (uint8_t)(low + value * (255 - low) / 254);
            }
    return pixels;
}

static struct image picture(int h, int w, int low)
{
    return (struct image){.height = h, .width = w, .pixels = scene(h, w, low)};
}

static const uint8_t *golden(struct safetensors *st, const char *name, size_t bytes)
{
    const struct safetensors_tensor *t = safetensors_find(st, name);
    if (t == NULL) fail_msg("no '%s'", name);
    assert_int_equal(t->bytes, bytes);
    return t->data;
}

static struct safetensors *golden_file(void)
{
    struct safetensors *st;
    gvm_error err;
    if (safetensors_open(&st, "tests/golden/photo.safetensors", &err) != GVM_OK) fail_msg("%s", err.text);
    return st;
}

/* ------------------------------------------------------------------ photos */

static void as_skimage(void **state)
{
    (void)state;
    static const int sizes[][3] = {{48, 64, 0},   {37, 51, 0},   {96, 128, 0}, {301, 403, 0},
                                   {130, 97, 30}, {50, 211, 90}, {64, 48, 0},  {33, 320, 0}};
    struct safetensors *st = golden_file();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t out[H * W * 3];
        char name[40];
        gvm_error err;
        struct image image = picture(sizes[i][0], sizes[i][1], sizes[i][2]);
        snprintf(name, sizeof name, "photo.%dx%d.%d", sizes[i][0], sizes[i][1], sizes[i][2]);
        if (photo_fit(out, &shape, &image, in_folder("x.jpg"), &err) != GVM_OK) fail_msg("%s", err.text);
        assert_memory_equal(out, golden(st, name, sizeof out), sizeof out);
        free(image.pixels);
    }
    safetensors_close(st);
}

/* The resize rule applied literally to the whole picture, without shortcuts. */
static void literally(uint8_t *out, int h, int w, const uint8_t *in, int ih, int iw)
{
    size_t n = (size_t)ih * (size_t)iw * 3;
    float *x = malloc(n * sizeof *x), *blurred = malloc(n * sizeof *blurred);
    double low = 255, high = 0;
    for (size_t i = 0; i < n; i++) {
        x[i] = in[i];
        low = fmin(low, in[i]);
        high = fmax(high, in[i]);
    }
    for (int axis = 0; axis < 2; axis++) {
        double sigma = (axis == 0 ? (double)ih / h : (double)iw / w) / 2 - 0.5, sum = 0;
        if (sigma <= 0) continue;
        int reach = (int)(4 * sigma + 0.5);
        for (int k = -reach; k <= reach; k++) sum += exp(-k * k / (2 * sigma * sigma));
        for (int i = 0; i < (int)n; i++) {
            int y = i / 3 / iw, column = i / 3 % iw;
            double value = 0;
            for (int k = -reach; k <= reach; k++) {
                int at = (axis == 0 ? y : column) + k;
                if (at < 0 || at >= (axis == 0 ? ih : iw)) continue;
                value += exp(-k * k / (2 * sigma * sigma)) / sum * x[i + (axis == 0 ? 3 * iw : 3) * k];
            }
            blurred[i] = (float)value;
        }
        memcpy(x, blurred, n * sizeof *x);
    }
    for (int i = 0; i < h * w * 3; i++) {
        double r = (i / 3 / w + 0.5) * ((double)ih / h) - 0.5, c = (i / 3 % w + 0.5) * ((double)iw / w) - 0.5, sum = 0;
        for (int k = 0; k < 4; k++) {
            int y = (int)floor(r) + k / 2, column = (int)floor(c) + k % 2;
            if (y < 0 || y >= ih || column < 0 || column >= iw) continue;
            sum += (1 - fabs(r - y)) * (1 - fabs(c - column)) * x[(y * iw + column) * 3 + i % 3];
        }
        out[i] = (uint8_t)fmin(fmax((float)sum, low), high);
    }
    free(x);
    free(blurred);
}

static void as_it_says(void **state)
{
    (void)state;
    static const int sizes[][4] = {{17, 23, 1, 1},   {1, 1, 5, 4},     {9, 700, 31, 3}, {500, 9, 3, 31},
                                   {40, 60, 39, 61}, {64, 64, 64, 64}, {3, 3, 40, 2},   {211, 130, 60, 50}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int ih = sizes[i][0], iw = sizes[i][1], h = sizes[i][2], w = sizes[i][3];
        uint8_t *in = scene(ih, iw, i % 2 == 0 ? 0 : 40);
        uint8_t *out = malloc((size_t)h * (size_t)w * 3), *other = malloc((size_t)h * (size_t)w * 3);
        assert_int_equal(image_resize_skimage(out, h, w, in, ih, iw, (double[]){0, 0, iw, ih}), GVM_OK);
        literally(other, h, w, in, ih, iw);
        assert_memory_equal(out, other, (size_t)h * (size_t)w * 3);
        free(in);
        free(out);
        free(other);
    }
}

/* Beyond a box there is black, as beyond a picture, but the filters see the pixels around it. */
static void boxes(void **state)
{
    (void)state;
    uint8_t *in = scene(40, 60, 0), out[20 * 30 * 3], wide[20 * 40 * 3];
    assert_int_equal(image_resize_skimage(out, 20, 30, in, 40, 60, (double[]){0, 0, 60, 40}), GVM_OK);
    assert_int_equal(image_resize_skimage(wide, 20, 40, in, 40, 60, (double[]){-12, 0, 68, 40}), GVM_OK);
    for (int y = 0; y < 20; y++) {
        for (int x = 0; x < 4; x++) assert_int_equal(wide[(y * 40 + x) * 3], 0);
        assert_memory_equal(out + y * 90, wide + (y * 40 + 6) * 3, 90);
    }
    free(in);
}

static void places(void **state)
{
    (void)state;
    static const struct picture_shape full = {.height = 480, .width = 640};
    static const int sizes[][6] = {{480, 640, 0, 0, 480, 640},     {3000, 4000, 0, 0, 480, 640},
                                   {4000, 3000, 0, 140, 480, 360}, {768, 1024, 0, 0, 480, 640},
                                   {1080, 1920, 60, 0, 360, 640},  {33, 320, 207, 0, 66, 640},
                                   {481, 640, 0, 1, 480, 638}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct photo_place p = photo_place(&full, sizes[i][0], sizes[i][1]);
        const int got[4] = {p.top, p.left, p.height, p.width};
        for (int k = 0; k < 4; k++) assert_int_equal(got[k], sizes[i][k + 2]);
    }
}

static void expect_refused(int h, int w, const char *part)
{
    uint8_t out[H * W * 3];
    gvm_error err = {""};
    struct image image = picture(h, w, 0);
    assert_int_equal(photo_fit(out, &shape, &image, in_folder("x.jpg"), &err), GVM_IMAGE);
    expect_sentence(&err, "x.jpg", part);
    free(image.pixels);
}

static void refused(void **state)
{
    (void)state;
    uint8_t out[H * W * 3];
    gvm_error err = {""};
    expect_refused(31, 200, "200 x 31 pixels are too few; expected at least 32 a side");
    expect_refused(200, 31, "too few");
    expect_refused(32, 321, "321 x 32 is too elongated for a photo; expected a side of at most 10 times the other");
    expect_refused(321, 32, "too elongated");
    struct image dark = picture(100, 100, 0);
    memset(dark.pixels, 90, 30000);
    assert_int_equal(photo_fit(out, &shape, &dark, in_folder("x.jpg"), &err), GVM_IMAGE);
    expect_sentence(&err, "x.jpg", "of one colour"); /* the black around it is no content */
    free(dark.pixels);
}

/* Grey becomes three channels, orientation is applied, other resize rules work too. */
static void files(void **state)
{
    (void)state;
    static const enum resize rules[] = {RESIZE_SKIMAGE, RESIZE_OWN, RESIZE_OPENCV};
    uint8_t *pixels = scene(80, 60, 0), out[H * W * 3];
    gvm_error err;
    save("grey.png", pixels, 60, 80, 1, VIPS_FORMAT_UCHAR, (struct extra){.orientation = 0});
    save("lying.jpg", pixels, 80, 60, 3, VIPS_FORMAT_UCHAR, (struct extra){.orientation = 6});
    for (int i = 0; i < 3; i++) {
        struct picture_shape by = shape;
        by.resize = rules[i];
        if (photo_load(out, &by, in_folder("grey.png"), &err) != GVM_OK) fail_msg("%s", err.text);
        for (int k = 0; k < H * W; k++) {
            assert_true(out[3 * k] == out[3 * k + 1] && out[3 * k] == out[3 * k + 2]);
            if (k % W < 14 || k % W >= 14 + 36) assert_int_equal(out[3 * k], 0);
        }
        if (photo_load(out, &by, in_folder("lying.jpg"), &err) != GVM_OK) fail_msg("%s", err.text);
        int lit[2] = {0};
        for (int y = 0; y < H; y++) {
            lit[0] += out[(y * W + 13) * 3] + out[(y * W + 50) * 3];
            lit[1] += out[(y * W + 15) * 3];
        }
        assert_true(lit[0] == 0 && lit[1] > 0);
    }
    free(pixels);
}

/* ------------------------------------------------------------------ views */

static void views(void **state)
{
    (void)state;
    enum { VH = 24, VW = 32, ALL = 8 };
    static const int wanted[][2] = {{0, 0}, {45, 0}, {180, 0}, {-90, 20}, {315, 5}};
    struct safetensors *st = golden_file();
    struct image panorama = picture(64, 128, 0);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        static uint8_t out[ALL][VH * VW * 3];
        char name[40];
        const struct view_lens lens = {.width = 75, .pitch = wanted[i][1]};
        views_cut(out[0], ALL, VH, VW, &lens, &panorama);
        snprintf(name, sizeof name, "view.%d.%d", wanted[i][0], wanted[i][1]);
        const uint8_t *seen = out[(wanted[i][0] + 360) % 360 / 45], *right = golden(st, name, sizeof out[0]);
        for (size_t k = 0; k < sizeof out[0]; k++) assert_true(abs(seen[k] - right[k]) <= 1);
    }
    free(panorama.pixels);
    safetensors_close(st);
}

/* A band's first and last rows are repeated, and no pixel of a large panorama is skipped. */
static void odd_panoramas(void **state)
{
    (void)state;
    enum { VH = 24, VW = 32 };
    static uint8_t out[PANORAMA_VIEWS][VH][VW][3];
    const struct picture_shape small = {.height = VH, .width = VW, .projection = PROJECTION_PERSPECTIVE};
    gvm_error err;
    struct image band = {.height = 10, .width = 2000, .pixels = malloc(60000)};
    for (int i = 0; i < 60000; i++) band.pixels[i] = (uint8_t)(i < 6000 ? 200 : i >= 54000 ? 20 : i / 3 % 2 * 200);
    if (views_fit(&out[0][0][0][0], &small, CIRCLE_GIVEN, &band, in_folder("x.jpg"), &err) != GVM_OK)
        fail_msg("%s", err.text);
    for (int v = 0; v < PANORAMA_VIEWS; v++)
        for (int x = 0; x < VW; x++) {
            assert_int_equal(out[v][0][x][0], 200);
            assert_int_equal(out[v][VH - 1][x][0], 20);
        }
    free(band.pixels);
    struct image fine = {
        .height = 4, .width = 3000, .pixels = malloc(36000)}; /* stripes, of which one in 50 is white */
    for (int i = 0; i < 36000; i++) fine.pixels[i] = i / 3 % 50 == 0 ? 250 : 0;
    const struct view_lens lens = {.width = 75};
    views_cut(&out[0][0][0][0], PANORAMA_VIEWS, VH, VW, &lens, &fine);
    int seen = 0;
    for (int v = 0; v < PANORAMA_VIEWS; v++)
        for (int x = 0; x < VW; x++) seen += out[v][VH / 2][x][0];
    assert_in_range(seen / (PANORAMA_VIEWS * VW), 4, 6); /* 250 / 50 on average */
    free(fine.pixels);
    struct image one = {.height = 1, .width = 2, .pixels = (uint8_t[]){1, 2, 3, 1, 2, 3}};
    assert_int_equal(views_fit(&out[0][0][0][0], &small, CIRCLE_GIVEN, &one, in_folder("x.jpg"), &err), GVM_IMAGE);
    expect_sentence(&err, "x.jpg", "of one colour");
    struct image photo = picture(64, 100, 0);
    assert_int_equal(views_fit(&out[0][0][0][0], &small, CIRCLE_CHECKED, &photo, in_folder("x.jpg"), &err),
                     GVM_PANORAMA);
    free(photo.pixels);
}

/* If photos are expected, neither a data set's shape nor joined edges alone make a panorama. */
static void doubted(void **state)
{
    (void)state;
    enum { FW = 700, FH = 350 };
    static uint8_t pixels[FH * FW * 3];
    struct image image = {.height = FH, .width = FW, .pixels = pixels};
    gvm_error err = {""};
    for (int foot = 0; foot < 2; foot++) {
        for (int i = 0; i < FH * FW * 3; i++)
            pixels[i] = (uint8_t)(128 + 100 * sin(2 * M_PI * (i / 3 % FW) / FW + i % 3));
        if (foot) memset(pixels + (FH - 6) * FW * 3, 90, 6 * FW * 3);
        assert_int_equal(circle_check(&image, CIRCLE_CHECKED, "x.jpg", &err), GVM_OK);
        gvm_status status = circle_check(&image, CIRCLE_DOUBTED, "x.jpg", &err);
        if (status != (foot ? GVM_OK : GVM_PANORAMA)) fail_msg("foot %d: %s", foot, err.text);
        if (!foot) assert_non_null(strstr(err.text, "its bottom row is not a single point"));
    }
    image.height = FH - 100;
    assert_int_equal(circle_check(&image, CIRCLE_CHECKED, "x.jpg", &err), GVM_OK);
    assert_int_equal(circle_check(&image, CIRCLE_DOUBTED, "x.jpg", &err), GVM_PANORAMA);
    assert_non_null(strstr(err.text, "700 x 250 is not the shape of a full panorama"));
}

int main(int argc, char **argv)
{
    (void)argc;
    if (VIPS_INIT(argv[0]) != 0) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_skimage), cmocka_unit_test(as_it_says),    cmocka_unit_test(boxes),
        cmocka_unit_test(places),     cmocka_unit_test(refused),       cmocka_unit_test(files),
        cmocka_unit_test(views),      cmocka_unit_test(odd_panoramas), cmocka_unit_test(doubted),
    };
    int failed = cmocka_run_group_tests_name("photo", tests, make_folder, remove_folder);
    vips_shutdown();
    return failed;
}
