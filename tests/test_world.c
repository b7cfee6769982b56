/* test_world.c - the drawn town: what determines its pictures, positions in them, the content of its files */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vips/vips.h>

#include <cmocka.h>

#include "image/image.h"
#include "image/panorama.h"
#include "town_support.h"
#include "world/build.h"
#include "world/picture.h"
#include "world/render.h"
#include "world/world.h"

enum { STREET = 640 * 160 * 3, AERIAL = 256 * 256 * 3 };

static struct world_options options_of(int pairs, uint64_t seed)
{
    struct world_options options = world_defaults;
    options.pairs = pairs;
    options.seed = seed;
    return options;
}

/* ------------------------------------------------------------------ what determines a picture */

struct pair {
    unsigned char street[STREET], aerial[AERIAL];
};

static struct pair *make(int pairs, uint64_t seed, int number)
{
    struct world_options options = options_of(pairs, seed);
    struct place *places = calloc((size_t)pairs, sizeof *places);
    struct pair *pair = malloc(sizeof *pair);
    assert_int_equal(world_places(places, &options, NULL), GVM_OK);
    assert_int_equal(world_pair(pair->street, pair->aerial, &options, &places[number], number, NULL), GVM_OK);
    free(places);
    return pair;
}

static void test_same_bytes(void **state)
{
    (void)state;
    struct pair *a = make(9, 5, 4), *b = make(9, 5, 4), *other = make(9, 6, 4), *next = make(9, 5, 5);
    assert_memory_equal(a, b, sizeof *a);
    assert_memory_not_equal(a->street, other->street, STREET);
    assert_memory_not_equal(a->aerial, other->aerial, AERIAL);
    assert_memory_not_equal(a->street, next->street, STREET);
    free(a), free(b), free(other), free(next);
}

/* Two overlapping pieces of the town are the same in the overlap. */
static void test_pieces_agree(void **state)
{
    (void)state;
    struct site here = {7, 30, -20, 100, 0}, there = {7, 75, 10, 100, 0};
    struct scene a, b;
    assert_int_equal(scene_open(&a, &here, NULL), GVM_OK);
    assert_int_equal(scene_open(&b, &there, NULL), GVM_OK);
    struct view view;
    view_draw(&view, WHEN_AERIAL, 7, 0);
    unsigned char *p = malloc(64 * 64 * 3), *q = malloc(64 * 64 * 3);
    aerial_render(p, 64, &a, &view, 50, -5, 32);
    aerial_render(q, 64, &b, &view, 50, -5, 32);
    int unlike = 0;
    for (int n = 0; n < 64 * 64 * 3; n++) unlike += abs(p[n] - q[n]) > 2;
    assert_true(unlike < 64); /* lists in another order may decide a tie */
    free(p), free(q);
    scene_free(&a), scene_free(&b);
}

/* ------------------------------------------------------------------ positions in a picture */

/* Where a box appears in a panorama whose centre looks to `heading`. */
static void check_direction(float east, float north, double heading, double column)
{
    struct scene scene;
    struct view view;
    double u, v;
    unsigned char *pixels = malloc(320 * 80 * 3);
    plain_with_box(&scene, 2 + east, 5 + north);
    view_draw(&view, WHEN_STREET, 1, 0);
    assert_true(panorama_render(pixels, 320, 80, &scene, &view, 2, 5, WORLD_CAMERA_M, heading));
    purple(&u, &v, pixels, 320, 80);
    assert_true(fabs(u - column) < 0.004);
    /* from 2.5 m below to 3.5 m above the camera */
    double far = sqrt(east * east + north * north) - 3,
           middle = (atan2(3.5, far) - atan2(2.5, far)) / 2 * 180 / 3.14159;
    assert_true(fabs(v - (45 - middle) / 90) < 0.02);
    aerial_render(pixels, 64, &scene, &view, 2, 5, 64);
    purple(&u, &v, pixels, 64, 64);
    assert_true(fabs((u - 0.5) * 64 - east) < 0.6 && fabs((0.5 - v) * 64 - north) < 0.6);
    scene_free(&scene);
    free(pixels);
}

static void test_directions(void **state)
{
    (void)state;
    check_direction(0, 20, 0, 0.5);
    check_direction(20, 0, 0, 0.75);
    check_direction(-20, 0, 0, 0.25);
    check_direction(14, 14, 0, 0.625);
    check_direction(-14, -14, 0, 0.125);
    check_direction(20, 0, 90, 0.5);
    check_direction(0, 20, 90, 0.25);
    check_direction(0, 20, 225, 0.875);
    check_direction(14, 14, 350, 55 / 360.0 + 0.5);
}

static void test_shadow(void **state)
{
    (void)state;
    struct scene scene;
    plain_with_box(&scene, 0, 0);
    struct view view;
    view_draw(&view, WHEN_AERIAL, 1, 0);
    float flat = sqrtf(view.sun.x * view.sun.x + view.sun.y * view.sun.y), x = view.sun.x / flat, y = view.sun.y / flat;
    float length = 6 * flat / view.sun.z; /* of the shadow */
    struct vector in = {-x * length * 0.9f, -y * length * 0.9f, 0}, beyond = {-x * (length + 7), -y * (length + 7), 0};
    assert_false(sun_reaches(&scene, &view, in));
    assert_true(sun_reaches(&scene, &view, beyond));
    assert_true(sun_reaches(&scene, &view, (struct vector){x * 7, y * 7, 0}));
    scene_free(&scene);
}

/* ------------------------------------------------------------------ places */

static void test_places(void **state)
{
    (void)state;
    enum { COUNT = 500 };
    struct world_options options = options_of(COUNT, 9);
    options.offset_m = 20;
    options.test = 0.3;
    struct place places[COUNT];
    assert_int_equal(world_places(places, &options, NULL), GVM_OK);
    int test = 0;
    float east_of_train = -1e9f, west_of_test = 1e9f;
    double square = 0;
    for (int n = 0; n < COUNT; n++) {
        const struct place *p = &places[n];
        double dx = p->x - p->tile_x, dy = p->y - p->tile_y;
        assert_true(dx * dx + dy * dy <= 20.01 * 20.01);
        square += dx * dx + dy * dy;
        test += p->test;
        if (p->test)
            west_of_test = fminf(west_of_test, p->x);
        else
            east_of_train = fmaxf(east_of_train, p->x);
        for (int m = 0; m < n; m++) assert_true(fabsf(p->x - places[m].x) > 4 || fabsf(p->y - places[m].y) > 4);
    }
    assert_int_equal(test, 150);
    assert_true(east_of_train <= west_of_test);
    assert_true(fabs(square / COUNT - 200) < 30); /* uniform in the disc: half the radius squared */
    options.offset_m = 0;
    assert_int_equal(world_places(places, &options, NULL), GVM_OK);
    for (int n = 0; n < COUNT; n++) assert_true(places[n].x == places[n].tile_x && places[n].y == places[n].tile_y);
}

/* A degree of latitude at 45 degrees is 111,132 m, of longitude 78,847 m (WGS84). */
static void test_degrees(void **state)
{
    (void)state;
    struct world_options options = options_of(1, 1);
    double lat, lon;
    world_degrees(&lat, &lon, &options, 788.47, -1111.32);
    assert_true(fabs(lat - 44.99) < 1e-6 && fabs(lon + 29.99) < 1e-6);
    options.lon = 180;
    world_degrees(&lat, &lon, &options, 788.47, 0);
    assert_true(fabs(lon + 179.99) < 1e-6);
}

/* ------------------------------------------------------------------ colour alone is not enough to match */

static void mean_of(double mean[3], const unsigned char *pixels, int count)
{
    mean[0] = mean[1] = mean[2] = 0;
    for (int n = 0; n < 3 * count; n++) mean[n % 3] += pixels[n] / (double)count;
}

enum { MATCHED = 200 };

/* Subtract each view's mean and divide by its standard deviation: the best that such a simple match can do. */
static void standardise(double (*x)[3])
{
    for (int k = 0; k < 3; k++) {
        double sum = 0, square = 0;
        for (int n = 0; n < MATCHED; n++) sum += x[n][k] / MATCHED;
        for (int n = 0; n < MATCHED; n++) square += (x[n][k] - sum) * (x[n][k] - sum) / MATCHED;
        for (int n = 0; n < MATCHED; n++) x[n][k] = (x[n][k] - sum) / sqrt(square);
    }
}

static int found_first(double (*query)[3], double (*tile)[3])
{
    int right = 0;
    for (int q = 0; q < MATCHED; q++) {
        int best = 0;
        double least = INFINITY;
        for (int t = 0; t < MATCHED; t++) {
            double d = 0;
            for (int k = 0; k < 3; k++) d += (query[q][k] - tile[t][k]) * (query[q][k] - tile[t][k]);
            if (d < least) least = d, best = t;
        }
        right += best == q;
    }
    return right;
}

static void test_mean_colour(void **state)
{
    (void)state;
    static double street[MATCHED][3], below[MATCHED][3], aerial[MATCHED][3];
    struct world_options options = options_of(MATCHED, 21);
    static struct place places[MATCHED];
    unsigned char *pixels = malloc(160 * 40 * 3);
    assert_int_equal(world_places(places, &options, NULL), GVM_OK);
    for (int n = 0; n < MATCHED; n++) {
        struct site site = {options.seed, places[n].x, places[n].y, 110, 7};
        struct scene scene;
        struct view view;
        assert_int_equal(scene_open(&scene, &site, NULL), GVM_OK);
        view_draw(&view, WHEN_STREET, options.seed, (uint64_t)n);
        assert_true(panorama_render(pixels, 120, 30, &scene, &view, site.x, site.y, WORLD_CAMERA_M, 0));
        mean_of(street[n], pixels, 120 * 30);
        mean_of(below[n], pixels + 120 * 15 * 3, 120 * 15);
        view_draw(&view, WHEN_AERIAL, options.seed, (uint64_t)n);
        aerial_render(pixels, 48, &scene, &view, site.x, site.y, (float)WORLD_TILE_M);
        mean_of(aerial[n], pixels, 48 * 48);
        scene_free(&scene);
    }
    int raw = found_first(street, aerial);
    standardise(street), standardise(below), standardise(aerial);
    int whole = found_first(street, aerial), half = found_first(below, aerial);
    print_message("mean colour: %d of %d right, %d standardised, %d from below the horizon\n", raw, MATCHED, whole,
                  half);
    assert_true(raw < MATCHED / 20 && whole < MATCHED / 20 && half < MATCHED / 20);
    free(pixels);
}

/* ------------------------------------------------------------------ files */

static void says(const VipsImage *image, const char *field, const char *text)
{
    const char *value;
    assert_int_equal(vips_image_get_string(image, field, &value), 0);
    if (strncmp(value, text, strlen(text)) != 0) fail_msg("%s is '%s', not '%s'", field, value, text);
}

static void test_files(void **state)
{
    (void)state;
    char street[] = "/tmp/gvm-street-XXXXXX", aerial[] = "/tmp/gvm-aerial-XXXXXX";
    close(mkstemp(street)), close(mkstemp(aerial));
    assert_int_equal(picture_start(NULL), GVM_OK);
    struct pair *pair = make(3, 5, 1);
    const struct shot shot = {.lat = -45.5075, .lon = 12.25, .altitude = 31.5, .heading = 203.05};
    assert_int_equal(panorama_save(street, pair->street, 640, 160, &shot, NULL), GVM_OK);
    assert_int_equal(aerial_save(aerial, pair->aerial, 256, 256, NULL), GVM_OK);

    VipsImage *image = vips_image_new_from_file(street, NULL);
    assert_non_null(image);
    says(image, "exif-ifd3-GPSLatitudeRef", "S");
    says(image, "exif-ifd3-GPSLatitude", "45/1 30/1 270000/10000");
    says(image, "exif-ifd3-GPSLongitudeRef", "E");
    says(image, "exif-ifd3-GPSLongitude", "12/1 15/1 0/10000");
    says(image, "exif-ifd3-GPSAltitude", "3150/100");
    says(image, "exif-ifd3-GPSImgDirection", "20305/100");
    g_object_unref(image);

    struct image loaded;
    assert_int_equal(image_load(&loaded, street, NULL), GVM_OK);
    const struct gpano *g = &loaded.gpano;
    assert_true(loaded.width == 640 && loaded.height == 160 && g->equirectangular && g->has_heading &&
                g->heading == 203.05);
    assert_true(g->full_width == 640 && g->full_height == 320 && g->left == 0 && g->top == 80 && g->width == 640 &&
                g->height == 160);
    image_free(&loaded);

    /* The network gets what was rendered, up to JPEG compression. */
    const struct picture_shape strip = {.height = 160, .width = 640, .elevation = {-45, 45}},
                               square = {.height = 256, .width = 256};
    const double as_it_lies = 0;
    unsigned char *pixels = malloc(STREET);
    assert_int_equal(panorama_load(pixels, &strip, &as_it_lies, CIRCLE_CHECKED, street, NULL), GVM_OK);
    double off = 0;
    for (int n = 0; n < STREET; n++) off += abs(pixels[n] - pair->street[n]) / (double)STREET;
    assert_true(off < 6);
    assert_int_equal(aerial_load(pixels, &square, aerial, NULL), GVM_OK);
    off = 0;
    for (int n = 0; n < AERIAL; n++) off += abs(pixels[n] - pair->aerial[n]) / (double)AERIAL;
    assert_true(off < 6);

    gvm_error err;
    assert_int_equal(aerial_save("/nowhere/a.jpg", pair->aerial, 256, 256, &err), GVM_FILE);
    assert_non_null(strstr(err.text, "/nowhere/a.jpg: cannot create it"));
    free(pixels), free(pair);
    unlink(street), unlink(aerial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bytes),  cmocka_unit_test(test_pieces_agree), cmocka_unit_test(test_directions),
        cmocka_unit_test(test_shadow),      cmocka_unit_test(test_places),       cmocka_unit_test(test_degrees),
        cmocka_unit_test(test_mean_colour), cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
