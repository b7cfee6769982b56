/* test_doors.c - functions that programs use besides gvm_locate: pictures in memory, a map's tiles and imagery,
 * pictures located together; and structs that grow */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "geoviewmatch.h"

#define WEIGHTS "tests/golden/net_narrow.safetensors"
#define TILES "examples/demo/tiles.csv"

enum { STREETS = 4, H = 32, W = 160, A = 64, D = 168, TOP = 3 };

static const char *const streets[STREETS] = {"examples/demo/street/1.png", "examples/demo/street/2.png",
                                             "examples/demo/street/3.png", "examples/demo/street/4.png"};

static gvm_model *model;
static gvm_session *session;
static gvm_map *map;

static int open_all(void **state)
{
    (void)state;
    gvm_error err = {""};
    bool good = gvm_model_open(&model, WEIGHTS, &err) == GVM_OK &&
                gvm_session_open(&session, model, STREETS, &err) == GVM_OK &&
                gvm_map_from_tiles(&map, session, TILES, NULL, NULL, &err) == GVM_OK;
    if (!good) fprintf(stderr, "%s\n", err.text);
    return good ? 0 : 1;
}

static int free_all(void **state)
{
    (void)state;
    gvm_map_free(map);
    gvm_session_free(session);
    gvm_model_free(model);
    return 0;
}

static void expect(gvm_status got, gvm_status want, const gvm_error *err, const char *words)
{
    if (got != want || strstr(err->text, words) == NULL)
        fail_msg("status %d (not %d): %s (wanted: %s)", got, want, err->text, words);
}

/* ------------------------------------------------------------------ structs that grow */

/* Programs that were compiled with an older header, with a newer one, and one that did not set the size. */
static void test_sizes(void **state)
{
    (void)state;
    gvm_error err = {""};
    struct {
        gvm_model_info info;
        char after[16];
    } newer;
    struct {
        size_t size;
        int features, padding;
        long long after;
    } older = {.size = offsetof(gvm_model_info, parameters), .after = 7};
    assert_int_equal(gvm_model_about(model, (gvm_model_info *)(void *)&older, &err), GVM_OK);
    assert_true(older.features == D && older.after == 7);
    memset(&newer, 0xff, sizeof newer);
    newer.info.size = sizeof newer;
    assert_int_equal(gvm_model_about(model, &newer.info, &err), GVM_OK);
    assert_true(newer.info.features == D && newer.info.size == sizeof newer && newer.after[15] == 0);
    newer.info.size = 0;
    expect(gvm_model_about(model, &newer.info, &err), GVM_ARGUMENT, &err, "size is 0");

    gvm_picture *picture;
    struct {
        gvm_picture_options options;
        int unknown;
    } later = {{.size = sizeof later, .path = streets[0]}, 0};
    assert_int_equal(gvm_picture_open(&picture, &later.options, &err), GVM_OK); /* a member that is not used */
    gvm_picture_free(picture);
    later.unknown = 1;
    expect(gvm_picture_open(&picture, &later.options, &err), GVM_ARGUMENT, &err, "unknown to this version");
    assert_null(picture);
    const gvm_picture_options first = {.size = offsetof(gvm_picture_options, bytes), .path = streets[0]};
    assert_int_equal(gvm_picture_open(&picture, &first, &err), GVM_OK); /* as in the first version */
    gvm_picture_free(picture);
    gvm_picture_free(NULL);

    const char *version = gvm_version();
    char mine[32];
    snprintf(mine, sizeof mine, "%d.%d.%d", GVM_VERSION_MAJOR, GVM_VERSION_MINOR, GVM_VERSION_PATCH);
    assert_string_equal(version, mine);
}

/* ------------------------------------------------------------------ pictures */

static char *read_file(size_t *size, const char *path)
{
    char *bytes = malloc(1 << 22);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    *size = fread(bytes, 1, 1 << 22, file);
    fclose(file);
    return bytes;
}

static int stop_at_once(void *user)
{
    ++*(int *)user;
    return 1;
}

/* From memory as from a file, for both views. */
static void test_memory(void **state)
{
    (void)state;
    static unsigned char file[H * W * 3 > A * A * 3 ? H * W * 3 : A * A * 3], memory[sizeof file];
    static const struct {
        gvm_view view;
        const char *path;
        size_t bytes;
    } cases[] = {{GVM_STREET, "examples/demo/street/3.png", H * W * 3},
                 {GVM_AERIAL, "examples/demo/aerial/2.png", A * A * 3}};
    gvm_error err;
    gvm_picture *picture;
    for (int i = 0; i < 2; i++) {
        size_t size;
        char *bytes = read_file(&size, cases[i].path);
        const gvm_picture_options options = {.size = sizeof options, .bytes = bytes, .byte_count = size};
        assert_int_equal(gvm_picture_open(&picture, &options, &err), GVM_OK);
        free(bytes);
        assert_int_equal(gvm_picture_fit(picture, model, cases[i].view, memory, NULL, 0, &err), GVM_OK);
        assert_int_equal(gvm_load_picture(model, cases[i].view, file, cases[i].path, NULL, 0, &err), GVM_OK);
        assert_memory_equal(file, memory, cases[i].bytes);
        gvm_picture_free(picture);
    }
    size_t size;
    int asked = 0;
    char *bytes = read_file(&size, streets[0]);
    gvm_picture_options o = {.size = sizeof o, .bytes = bytes, .byte_count = size, .name = "mine", .max_pixels = 10};
    expect(gvm_picture_open(&picture, &o, &err), GVM_IMAGE, &err, "mine: ");
    o.max_pixels = 0;
    o.stop = stop_at_once;
    o.user = &asked;
    expect(gvm_picture_open(&picture, &o, &err), GVM_IMAGE, &err, "mine: ");
    assert_true(asked > 0);
    o.byte_count = 40;
    o.stop = NULL;
    expect(gvm_picture_open(&picture, &o, &err), GVM_IMAGE, &err, "mine: ");
    o.path = streets[0];
    expect(gvm_picture_open(&picture, &o, &err), GVM_ARGUMENT, &err, "one of path and bytes");
    o = (gvm_picture_options){.size = sizeof o, .path = "tests/nothing.png"};
    expect(gvm_picture_open(&picture, &o, &err), GVM_FILE, &err, "nothing.png");
    assert_null(picture);
    free(bytes);
}

static void test_camera(void **state)
{
    (void)state;
    gvm_error err;
    gvm_picture *picture;
    gvm_camera camera = {.size = sizeof camera}, no_size = {.size = 0};
    double heading = 12;
    gvm_camera_options options = {.size = sizeof options, .fov = 90, .heading = &heading, .lens = GVM_LENS_PINHOLE};
    const gvm_picture_options street = {.size = sizeof street, .path = streets[2]};
    assert_int_equal(gvm_picture_open(&picture, &street, &err), GVM_OK);
    assert_int_equal(gvm_picture_camera(picture, NULL, &camera, &err), GVM_OK);
    assert_true(camera.lens == GVM_LENS_SPHERE && camera.fov == 360 && camera.heading == 90);
    assert_true(camera.size == sizeof camera && camera.heading_from != GVM_SOURCE_NONE);
    assert_int_equal(gvm_picture_camera(picture, &options, &camera, &err), GVM_OK);
    assert_true(camera.lens == GVM_LENS_PINHOLE && fabs(camera.fov - 90) < 1e-9 && camera.heading == 12);
    assert_string_equal(gvm_source_name(camera.fov_from), "option");
    assert_string_equal(gvm_source_name(GVM_SOURCE_ASSUMED), "assumed");
    assert_string_equal(gvm_source_name((gvm_source)99), "unknown");
    expect(gvm_picture_camera(picture, NULL, &no_size, &err), GVM_ARGUMENT, &err, "size");
    options.fov = 1000;
    expect(gvm_picture_camera(picture, &options, &camera, &err), GVM_ARGUMENT, &err, "field of view");
    options.size = 0;
    expect(gvm_picture_camera(picture, &options, &camera, &err), GVM_ARGUMENT, &err, "size");
    gvm_picture_free(picture);
}

/* Its metadata, its parts, and other sizes. */
static void test_picture(void **state)
{
    (void)state;
    gvm_error err;
    gvm_picture *picture;
    gvm_picture_info info = {.size = sizeof info};
    gvm_part part, turned;
    const gvm_picture_options street = {.size = sizeof street, .path = streets[2]};
    const gvm_picture_options aerial = {.size = sizeof aerial, .path = "examples/demo/aerial/1.png"};
    assert_int_equal(gvm_picture_open(&picture, &street, &err), GVM_OK);
    assert_int_equal(gvm_picture_about(picture, &info, &err), GVM_OK);
    assert_true(info.photo.has_heading && info.photo.heading == 90 && !info.photo.has_place);
    assert_int_equal(gvm_picture_part(picture, model, GVM_STREET, &part, NULL, 0, &err), GVM_OK);
    assert_int_equal(part.turn, W * 90 / 360); /* it looks east */
    assert_int_equal(gvm_picture_part(picture, model, GVM_STREET, &turned, &(double){0}, 0, &err), GVM_OK);
    assert_int_equal(turned.turn, 0);
    assert_true(part.left == 0 && part.right == info.width && part.top >= 0 && part.bottom <= info.height);
    unsigned char *same = malloc((size_t)info.height * (size_t)info.width * 3), pixel[3];
    assert_int_equal(gvm_picture_scale(picture, same, info.height, info.width, &err), GVM_OK);
    assert_int_equal(gvm_picture_scale(picture, pixel, 1, 1, &err), GVM_OK);
    expect(gvm_picture_scale(picture, pixel, 0, 1, &err), GVM_ARGUMENT, &err, "invalid size of 1 x 0");
    free(same);
    gvm_picture_free(picture);

    static unsigned char pixels[H * W * 3];
    const gvm_picture_options header = {.size = sizeof header, .path = streets[2], .header_only = 1};
    gvm_picture_info read = {.size = sizeof read};
    assert_int_equal(gvm_picture_open(&picture, &header, &err), GVM_OK);
    assert_int_equal(gvm_picture_about(picture, &read, &err), GVM_OK);
    assert_true(read.width == info.width && read.height == info.height && read.photo.heading == 90);
    expect(gvm_picture_fit(picture, model, GVM_STREET, pixels, NULL, 0, &err), GVM_ARGUMENT, &err, "no pixels");
    expect(gvm_picture_scale(picture, pixel, 1, 1, &err), GVM_ARGUMENT, &err, "no pixels");
    gvm_picture_free(picture);

    assert_int_equal(gvm_picture_open(&picture, &aerial, &err), GVM_OK);
    expect(gvm_picture_fit(picture, model, GVM_STREET, pixels, NULL, 0, &err), GVM_PANORAMA, &err, "full panorama");
    assert_null(strstr(err.text, "--"));
    expect(gvm_picture_part(picture, model, GVM_STREET, &part, NULL, 0, &err), GVM_PANORAMA, &err, "full panorama");
    assert_int_equal(gvm_picture_fit(picture, model, GVM_STREET, pixels, NULL, 1, &err), GVM_OK);
    assert_int_equal(gvm_picture_part(picture, model, GVM_AERIAL, &part, NULL, 0, &err), GVM_OK);
    assert_true(part.right - part.left == part.bottom - part.top && part.turn == 0);
    gvm_picture_free(picture);
}

/* ------------------------------------------------------------------ maps */

static void test_tiles(void **state)
{
    (void)state;
    gvm_error err;
    gvm_hit tile;
    float feature[D], exact[D];
    unsigned char pixels[A * A * 3];
    gvm_map_info info = {.size = sizeof info};
    char *text;
    assert_int_equal(gvm_map_about(map, &info, &err), GVM_OK);
    assert_string_equal(info.path, TILES);
    for (size_t i = 0; i < gvm_map_count(map); i++) {
        char path[64];
        double square = 0, product = 0;
        assert_int_equal(gvm_map_tile(map, i, &tile, &err), GVM_OK);
        assert_true(tile.number == i && tile.half_tile_m == 32 && tile.score == 0);
        assert_int_equal(gvm_map_feature(map, i, feature, &err), GVM_OK);
        snprintf(path, sizeof path, "examples/demo/%s", tile.tile);
        assert_int_equal(gvm_load_picture(model, GVM_AERIAL, pixels, path, NULL, 0, &err), GVM_OK);
        assert_int_equal(gvm_embed_pixels(session, GVM_AERIAL, exact, pixels, 1, &err), GVM_OK);
        for (int k = 0; k < D; k++) {
            square += (double)feature[k] * feature[k];
            product += (double)feature[k] * exact[k];
        }
        assert_true(fabs(square - 1) < 1e-6 && product > 0.99999);
        assert_int_equal(gvm_map_source(map, &text, tile.tile, &err), GVM_OK);
        assert_string_equal(text, path);
        gvm_free(text);
    }
    expect(gvm_map_tile(map, gvm_map_count(map), &tile, &err), GVM_ARGUMENT, &err, "tile 4 does not exist");
    expect(gvm_map_feature(map, 77, feature, &err), GVM_ARGUMENT, &err, "tile 77 does not exist");
    expect(gvm_map_source(map, &text, "gone.png", &err), GVM_FILE, &err, "gone.png");
    assert_null(text);
    assert_int_equal(gvm_map_outline(map, &text, &err), GVM_OK);
    assert_non_null(strstr(text, "MultiPolygon"));
    gvm_free(text);
    assert_int_equal(gvm_map_jobs(map, &text, &err), GVM_OK);
    assert_string_equal(text, "[]");
    gvm_free(text);
    gvm_map *none;
    expect(gvm_map_open(&none, "m.gpkg", NULL, 2, &err), GVM_ARGUMENT, &err, "flags");
    assert_null(none);
}

static void test_imagery(void **state)
{
    (void)state;
    enum { SIDE = 64 };
    gvm_error err;
    gvm_hit tile;
    gvm_imagery *imagery;
    gvm_coverage coverage;
    static unsigned char rgba[SIDE * SIDE * 4];
    assert_int_equal(gvm_map_tile(map, 0, &tile, &err), GVM_OK);
    assert_int_equal(gvm_imagery_open(&imagery, map, &err), GVM_OK);
    assert_int_equal(gvm_imagery_exists(imagery), 1);
    const long zoom = 17, n = 1L << zoom;
    double lat = tile.lat * 3.14159265358979 / 180;
    long x = (long)floor((tile.lon / 360 + 0.5) * (double)n);
    long y = (long)floor((1 - asinh(tan(lat)) / 3.14159265358979) / 2 * (double)n);
    assert_int_equal(gvm_imagery_tile(imagery, rgba, &coverage, zoom, x, y, SIDE, &err), GVM_OK);
    assert_int_equal(coverage, GVM_COVERS_PART);
    assert_int_equal(gvm_imagery_tile(imagery, rgba, &coverage, zoom, 0, 0, SIDE, &err), GVM_OK);
    assert_int_equal(coverage, GVM_COVERS_NOTHING);
    expect(gvm_imagery_tile(imagery, rgba, &coverage, 2, 9, 0, SIDE, &err), GVM_ARGUMENT, &err, "2/9/0");
    gvm_imagery_free(imagery);
    gvm_imagery_free(NULL);
}

/* ------------------------------------------------------------------ pictures located together */

struct watched {
    int opened[STREETS], done;
    double scores[STREETS];
    unsigned char pixels[STREETS][H * W * 3];
    float features[STREETS][D];
};

static void opened(void *user, size_t index, const gvm_picture *picture)
{
    struct watched *w = user;
    gvm_picture_info info = {.size = sizeof info};
    assert_int_equal(gvm_picture_about(picture, &info, NULL), GVM_OK);
    w->opened[index]++;
}

/* The session may be used in the callback. The feature is that of the pixels, and its product with the best tile's
 * feature, which is stored as float16, is the score. */
static void done(void *user, size_t index, size_t count, const gvm_located *photo)
{
    struct watched *w = user;
    gvm_error err;
    float own[D], tile[D];
    double score = 0;
    assert_true(count == STREETS && index == (size_t)w->done++);
    if (photo->status != GVM_OK) fail_msg("%s", photo->err.text);
    assert_int_equal(gvm_embed_pixels(session, GVM_STREET, own, photo->pixels, 1, &err), GVM_OK);
    assert_int_equal(gvm_map_feature(map, photo->hits->number, tile, &err), GVM_OK);
    for (int k = 0; k < D; k++) {
        assert_true(fabsf(own[k] - photo->feature[k]) < 1e-5f);
        score += (double)photo->feature[k] * tile[k];
    }
    assert_true(fabs(score - photo->hits->score) < 1e-3);
    assert_true(photo->tile_count == 4 && photo->tiles[0].number == photo->hits->number);
    memcpy(w->pixels[index], photo->pixels, H * W * 3);
    memcpy(w->features[index], photo->feature, sizeof own);
    w->scores[index] = photo->hits->score;
}

/* Files, each opened once, and the same pictures from memory: the same answers, with known and unknown headings. */
static void test_located(void **state)
{
    (void)state;
    static struct watched w;
    gvm_hit hits[STREETS][TOP];
    gvm_found found[STREETS];
    gvm_question questions[STREETS];
    gvm_error err;
    for (int i = 0; i < STREETS; i++)
        questions[i] = (gvm_question){.photo = streets[i], .heading = i == 0 ? INFINITY : i == 1 ? 30 : NAN};
    const gvm_locate_job job = {.size = sizeof job,
                                .questions = questions,
                                .count = STREETS,
                                .max_hits = TOP,
                                .hits = hits[0],
                                .found = found,
                                .opened = opened,
                                .done = done,
                                .user = &w};
    assert_int_equal(gvm_locate_files(session, map, &job, &err), GVM_OK);
    assert_true(w.done == STREETS && found[0].heading_found && !found[1].heading_found);
    for (int i = 0; i < STREETS; i++) assert_int_equal(w.opened[i], 1);

    gvm_locator *locator;
    gvm_located photos[STREETS], *pointers[STREETS];
    static unsigned char pixels[STREETS][H * W * 3];
    gvm_hit again[STREETS][TOP];
    assert_int_equal(gvm_locator_open(&locator, session, map, TOP, &err), GVM_OK);
    for (int i = 0; i < STREETS; i++) {
        size_t size;
        char *bytes = read_file(&size, streets[i]);
        const gvm_picture_options options = {.size = sizeof options, .bytes = bytes, .byte_count = size};
        gvm_picture *picture;
        photos[i] = (gvm_located){.size = sizeof photos[i],
                                  .question = &questions[i],
                                  .pixels = pixels[i],
                                  .hits = again[i],
                                  .found = &found[i]};
        pointers[i] = &photos[i];
        assert_int_equal(gvm_picture_open(&picture, &options, &err), GVM_OK);
        assert_int_equal(gvm_located_prepare(&photos[i], picture, model), GVM_OK);
        gvm_picture_free(picture);
        free(bytes);
    }
    assert_int_equal(gvm_locator_run(locator, pointers, STREETS, TOP, 0, &err), GVM_OK);
    for (int i = 0; i < STREETS; i++) {
        assert_int_equal(photos[i].status, GVM_OK);
        assert_true(again[i][0].lat == hits[i][0].lat && again[i][0].score == w.scores[i]);
        assert_memory_equal(pixels[i], w.pixels[i], H * W * 3);
    }
    expect(gvm_locator_run(locator, pointers, STREETS, TOP + 1, 0, &err), GVM_ARGUMENT, &err, "1 to 3");
    expect(gvm_locator_run(locator, pointers, STREETS + 1, TOP, 0, &err), GVM_ARGUMENT, &err, "batch size of 4");
    photos[1].size = 0;
    expect(gvm_locator_run(locator, pointers, STREETS, TOP, 0, &err), GVM_ARGUMENT, &err, "size is 0");
    gvm_locator_free(locator);
    gvm_locator_free(NULL);
}

/* Around a picture's GPS position, which the demo's pictures do not have. */
static void test_own_place(void **state)
{
    (void)state;
    gvm_error err;
    gvm_hit hits[TOP];
    gvm_found found;
    const gvm_question question = {.photo = streets[1], .heading = 0, .lat = NAN, .lon = NAN, .within_m = 100};
    const gvm_locate_job job = {
        .size = sizeof job, .questions = &question, .count = 1, .max_hits = TOP, .hits = hits, .found = &found};
    expect(gvm_locate_files(session, map, &job, &err), GVM_ARGUMENT, &err, "2.png: it has no GPS position");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),   cmocka_unit_test(test_memory),    cmocka_unit_test(test_camera),
        cmocka_unit_test(test_picture), cmocka_unit_test(test_tiles),     cmocka_unit_test(test_imagery),
        cmocka_unit_test(test_located), cmocka_unit_test(test_own_place),
    };
    return cmocka_run_group_tests(tests, open_all, free_all);
}
