/* test_photo_weights.c - weights for photos through the public header: accepted pictures, and a panorama as its views.
 * The weights are random. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api_support.h"
#include "image_support.h"
#include "network/checkpoint.h"
#include "network/config_file.h"
#include "network/network.h"

enum { H = 48, W = 64, A = 64, K = GVM_PANORAMA_VIEWS, BYTES = H * W * 3 };

#define TILES "examples/demo/tiles.csv"

static gvm_model *photos;
static gvm_session *session;
static size_t D;

static int open_photos(void **state)
{
    struct config config;
    struct network *network;
    gvm_error err = {""};
    if (make_folder(state) != 0) return 1;
    expect_ok(config_preset(&config, "sample4geo-nano", &err), &err);
    config.views[GVM_STREET].projection = PROJECTION_PERSPECTIVE;
    config.views[GVM_STREET].resize = RESIZE_SKIMAGE;
    memcpy(config.views[GVM_STREET].size, (int[]){H, W}, sizeof(int[2]));
    memcpy(config.views[GVM_AERIAL].size, (int[]){A, A}, sizeof(int[2]));
    expect_ok(network_open(&network, &config, false, &err), &err);
    network_fresh(network, 3);
    const char *path = in_folder("photos.safetensors");
    expect_ok(checkpoint_save(network, path, false, &err), &err);
    network_free(network);
    photos = open_model(path);
    session = open_session(photos, 3);
    D = feature_length(photos);
    return 0;
}

static int close_photos(void **state)
{
    gvm_session_free(session);
    gvm_model_free(photos);
    return remove_folder(state);
}

static gvm_picture *open_picture(const char *path)
{
    const gvm_picture_options options = {.size = sizeof options, .path = path};
    gvm_picture *picture;
    gvm_error err = {""};
    expect_ok(gvm_picture_open(&picture, &options, &err), &err);
    return picture;
}

/* A photo (100 x 60), a picture of 2:1 that is not a panorama, and one that is. */
static const char *photo, *wide;
static const char *const panorama = "examples/demo/street/3.png";

static void write_photos(void)
{
    static char names[2][600];
    static uint8_t pixels[200 * 100 * 3];
    for (int i = 0; i < 200 * 100 * 3; i++) pixels[i] = (uint8_t)(i % 600 / 3 + i / 600 % 3 * 20 + i % 3 * 9);
    save("photo.png", pixels, 100, 60, 3, VIPS_FORMAT_UCHAR, (struct extra){0});
    save("wide.png", pixels, 200, 100, 3, VIPS_FORMAT_UCHAR, (struct extra){0});
    snprintf(names[0], sizeof names[0], "%s", in_folder("photo.png"));
    snprintf(names[1], sizeof names[1], "%s", in_folder("wide.png"));
    photo = names[0];
    wide = names[1];
}

/* ------------------------------------------------------------------ pictures */

static void expect_views(const char *path, int way, int count)
{
    gvm_picture *picture = open_picture(path);
    gvm_error err = {""};
    int views;
    expect_ok(gvm_picture_views(picture, photos, NULL, 0, NULL, way, &views, &err), &err);
    assert_int_equal(views, count);
    gvm_picture_free(picture);
}

static void what_is_taken(void **state)
{
    (void)state;
    write_photos();
    expect_views(photo, GVM_AS_FOUND, 1);
    expect_views(photo, GVM_AS_PANORAMA, K);
    expect_views(photo, GVM_AS_PHOTO, 1);
    expect_views(wide, GVM_AS_FOUND, 1);
    expect_views(panorama, GVM_AS_FOUND, K);
    expect_views(panorama, GVM_AS_PHOTO, 1);

    static unsigned char pixels[K * BYTES];
    gvm_error err = {""};
    gvm_part part;
    int views = 7, panoramas, inputs;
    gvm_picture *full = open_picture(panorama), *own = open_picture(photo), *odd = open_picture(wide);
    expect_failure(gvm_picture_views(full, photos, pixels, K - 1, NULL, 0, &views, &err), GVM_ARGUMENT, &err,
                   "8 views");
    assert_int_equal(views, 0);
    expect_failure(gvm_picture_views(full, photos, pixels, K, NULL, 3, &views, &err), GVM_ARGUMENT, &err, "0, 1 or 2");
    expect_failure(gvm_picture_views(full, photos, pixels, K, NULL, -1, &views, &err), GVM_ARGUMENT, &err, "-1");
    expect_failure(gvm_picture_fit(full, photos, GVM_STREET, pixels, NULL, 0, &err), GVM_ARGUMENT, &err, "8 views");
    expect_failure(gvm_picture_part(full, photos, GVM_STREET, &part, NULL, 0, &err), GVM_ARGUMENT, &err, "8 views");
    expect_ok(gvm_picture_fit(full, photos, GVM_STREET, pixels, NULL, GVM_AS_PHOTO, &err), &err);
    expect_ok(gvm_picture_part(own, photos, GVM_STREET, &part, NULL, 0, &err), &err);
    /* 60 rows become 38, and 10 of 48 are black */
    assert_true(part.turn == 0 && fabs(part.left) < 1e-9 && fabs(part.right - 100) < 1e-9);
    assert_true(fabs(part.top + 5 * 60.0 / 38) < 1e-9 && fabs(part.bottom - 60 - 5 * 60.0 / 38) < 1e-9);
    expect_ok(gvm_picture_suits(full, &panoramas, &inputs, &err), &err);
    assert_true(panoramas == 1 && inputs == K);
    expect_ok(gvm_picture_suits(own, &panoramas, &inputs, &err), &err);
    assert_true(panoramas == 0 && inputs == 1);
    expect_ok(gvm_picture_suits(odd, &panoramas, &inputs, &err), &err);
    assert_true(panoramas == 1 && inputs == 1); /* it has a data set's shape, but its edges do not join */
    gvm_picture_free(full);
    gvm_picture_free(own);
    gvm_picture_free(odd);

    gvm_model *circles = open_model(WEIGHTS); /* weights for panoramas */
    own = open_picture(photo);
    expect_failure(gvm_picture_fit(own, circles, GVM_STREET, pixels, NULL, GVM_AS_PHOTO, &err), GVM_PANORAMA, &err,
                   "those for any camera, such as nano-photo, or for photos, such as statewide, take it");
    assert_null(strstr(err.text, "--"));
    gvm_picture_free(own);
    gvm_model_free(circles);
}

static void ignored_options(void **state)
{
    (void)state;
    const gvm_picture_options wrong[] = {
        {.path = panorama, .byte_count = 3},
        {.path = panorama, .name = "x"},
        {.path = panorama, .max_pixels = 5},
        {.path = panorama, .seconds = 1},
        {.bytes = "abc", .byte_count = 3, .header_only = 1},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        gvm_picture_options options = wrong[i];
        gvm_picture *picture;
        gvm_error err;
        options.size = sizeof options;
        expect_failure(gvm_picture_open(&picture, &options, &err), GVM_ARGUMENT, &err, "to bytes");
        assert_null(picture);
    }
}

/* ------------------------------------------------------------------ features */

/* The mean of the features of all views, from gvm_embed_pixels. */
static float *mean_of(const char *path, int *views)
{
    static unsigned char pixels[K * BYTES];
    float *rows = malloc((size_t)K * D * sizeof *rows), *mean = calloc(D, sizeof *mean);
    gvm_picture *picture = open_picture(path);
    gvm_error err = {""};
    expect_ok(gvm_picture_views(picture, photos, pixels, K, NULL, 0, views, &err), &err);
    gvm_picture_free(picture);
    expect_ok(gvm_embed_pixels(session, GVM_STREET, rows, pixels, (size_t)*views, &err), &err);
    for (size_t i = 0; i < D; i++)
        for (int k = 0; k < *views; k++) mean[i] += rows[(size_t)k * D + i] / (float)*views;
    free(rows);
    return mean;
}

static double product(const float *a, const float *b)
{
    double sum = 0;
    for (size_t i = 0; i < D; i++) sum += (double)a[i] * b[i];
    return sum;
}

/* Photos and panoramas in one call, and one that fails: each gives the same as alone. */
static void embedded(void **state)
{
    (void)state;
    write_photos();
    const char *paths[] = {photo, panorama, "tests/nothing.png", streets[0], wide, streets[1]};
    enum { N = sizeof paths / sizeof *paths };
    float *features = malloc(N * D * sizeof *features);
    int views[N];
    gvm_error err = {""};
    const gvm_embed_job job = {
        .size = sizeof job, .view = GVM_STREET, .paths = paths, .count = N, .features = features, .views = views};
    assert_int_equal(gvm_embed_files(session, &job, &err), GVM_FILE);
    for (int i = 0; i < N; i++) {
        const float *row = features + (size_t)i * D;
        int count;
        if (i == 2) {
            assert_true(views[i] == 0 && product(row, row) == 0);
            continue;
        }
        float *mean = mean_of(paths[i], &count);
        assert_int_equal(views[i], count);
        for (size_t k = 0; k < D; k++) assert_true(fabsf(row[k] - mean[k]) < 1e-5);
        assert_true(count == 1 ? fabs(product(row, row) - 1) < 1e-5 : product(row, row) < 1);
        free(mean);
    }
    free(features);
}

static void note_located(void *user, size_t index, size_t count, const gvm_located *located)
{
    (void)count;
    ((int *)user)[index] = located->views;
    assert_true(isnan(located->heading) && located->turn == 0);
}

/* A panorama's score with a tile is the mean of its views'; no heading is returned. */
static void located(void **state)
{
    (void)state;
    enum { N = 3, TOP = 4 };
    write_photos();
    gvm_error err = {""};
    gvm_map *map;
    expect_ok(gvm_map_from_tiles(&map, session, TILES, NULL, NULL, &err), &err);
    const gvm_question questions[N] = {{.photo = panorama, .heading = NAN},
                                       {.photo = photo, .heading = INFINITY},
                                       {.photo = streets[3], .heading = 40, .panorama = GVM_AS_PHOTO}};
    gvm_hit hits[N * TOP], single[TOP];
    gvm_found found[N];
    int views[N], count;
    const gvm_locate_job job = {.size = sizeof job,
                                .questions = questions,
                                .count = N,
                                .max_hits = TOP,
                                .each_tile = 1,
                                .hits = hits,
                                .found = found,
                                .done = note_located,
                                .user = views};
    expect_ok(gvm_locate_files(session, map, &job, &err), &err);
    assert_true(views[0] == K && views[1] == 1 && views[2] == 1);
    float *tile = malloc(D * sizeof *tile), *mean = mean_of(panorama, &count);
    for (int i = 0; i < N; i++) {
        assert_true(found[i].count == TOP && found[i].heading_found == 0);
        for (int k = 0; k < TOP; k++) assert_true(isnan(hits[i * TOP + k].heading));
    }
    for (int k = 0; k < TOP; k++) {
        expect_ok(gvm_map_feature(map, hits[k].number, tile, &err), &err);
        assert_true(fabs(hits[k].score - product(tile, mean)) < 1e-4);
    }
    /* the mean as a custom query; a zero feature is not a query */
    const gvm_search search = {.size = sizeof search, .features = mean, .count = 1, .max_hits = TOP};
    expect_ok(gvm_map_search(map, photos, &search, single, &count, &err), &err);
    assert_true(count == TOP && single[0].number == hits[0].number && fabs(single[0].score - hits[0].score) < 1e-5);
    float *map_of = malloc(H * W * sizeof *map_of);
    static unsigned char pixels[BYTES];
    expect_ok(gvm_load_picture(photos, GVM_STREET, pixels, photo, NULL, 0, &err), &err);
    expect_ok(gvm_heatmap(session, GVM_STREET, 0, map_of, pixels, mean, &err), &err);
    free(map_of);
    for (size_t i = 0; i < D; i++) mean[i] *= 3;
    expect_failure(gvm_map_search(map, photos, &search, single, &count, &err), GVM_ARGUMENT, &err, "longer than 1");
    memset(mean, 0, D * sizeof *mean);
    expect_failure(gvm_map_search(map, photos, &search, single, &count, &err), GVM_ARGUMENT, &err, "row 0");
    free(tile);
    free(mean);
    gvm_map_free(map);
}

/* In memory, with room for a single picture. */
static void little_room(void **state)
{
    (void)state;
    static unsigned char pixels[K * BYTES];
    const gvm_question question = {.photo = panorama, .heading = NAN};
    gvm_located one = {.size = sizeof one, .question = &question, .pixels = pixels};
    gvm_picture *picture = open_picture(panorama);
    assert_int_equal(gvm_located_prepare(&one, picture, photos), GVM_ARGUMENT);
    assert_non_null(strstr(one.err.text, "8 views"));
    one.room = K;
    assert_int_equal(gvm_located_prepare(&one, picture, photos), GVM_OK);
    assert_int_equal(one.views, K);
    gvm_picture_free(picture);
}

/* A tile with its own picture file is returned as the network sees it, if the size is the same. */
static void tile_pictures(void **state)
{
    (void)state;
    static unsigned char shown[A * A * 3], taken[A * A * 3], small[A * A * 3];
    gvm_error err = {""};
    gvm_map *map;
    gvm_hit tile;
    expect_ok(gvm_map_from_tiles(&map, session, TILES, NULL, NULL, &err), &err);
    expect_ok(gvm_map_tile(map, 1, &tile, &err), &err);
    expect_ok(gvm_map_picture(map, &tile, shown, A, &err), &err);
    expect_ok(gvm_load_picture(photos, GVM_AERIAL, taken, "examples/demo/aerial/2.png", NULL, 0, &err), &err);
    assert_memory_equal(shown, taken, sizeof shown); /* without antialiasing */
    gvm_picture *picture = open_picture("examples/demo/aerial/2.png");
    expect_ok(gvm_picture_scale(picture, small, A, A, &err), &err);
    assert_memory_not_equal(shown, small, sizeof small);
    expect_ok(gvm_map_picture(map, &tile, shown, A - 1, &err), &err);
    expect_ok(gvm_picture_scale(picture, small, A - 1, A - 1, &err), &err);
    assert_memory_equal(shown, small, (A - 1) * (A - 1) * 3);
    gvm_picture_free(picture);
    gvm_map_free(map);
}

int main(int argc, char **argv)
{
    (void)argc;
    if (VIPS_INIT(argv[0]) != 0) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_taken), cmocka_unit_test(ignored_options), cmocka_unit_test(embedded),
        cmocka_unit_test(located),       cmocka_unit_test(little_room),     cmocka_unit_test(tile_pictures),
    };
    int failed = cmocka_run_group_tests_name("photo weights", tests, open_photos, close_photos);
    vips_shutdown();
    return failed;
}
