/* test_api_locate.c - the library through its public header: maps, and photos located in them */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api_support.h"
#include "geoviewmatch.h"

static gvm_map *open_map(gvm_session *session, const char *tiles)
{
    gvm_map *map;
    gvm_error err;
    expect_ok(gvm_map_from_tiles(&map, session, tiles, NULL, NULL, &err), &err);
    return map;
}

static char *demo_path(char path[1100], const char *name)
{
    char folder[1024];
    assert_non_null(getcwd(folder, sizeof folder));
    snprintf(path, 1100, "%s/examples/demo/%s", folder, name);
    return path;
}

struct seen {
    size_t next;
    int failures;
};

static void count_questions(void *user, size_t index, size_t count, const gvm_located *photo)
{
    struct seen *seen = user;
    assert_int_equal(index, seen->next++);
    assert_int_equal(count, 4);
    assert_int_equal(photo->status != GVM_OK, photo->err.text[0] != '\0');
    seen->failures += photo->status != GVM_OK;
}

/* Questions of all kinds in one call: each fails alone. */
static void test_questions(void **state)
{
    (void)state;
    gvm_model *model = open_model(WEIGHTS);
    gvm_session *session = open_session(model, 3);
    gvm_map *map = open_map(session, "examples/demo/tiles.csv");
    const gvm_question questions[4] = {
        {.photo = streets[0], .heading = INFINITY},
        {.photo = streets[1], .heading = -90, .lat = 45.0003593, .lon = -30.0007622, .within_m = 1},
        {.photo = streets[2], .heading = NAN, .lat = 10, .lon = 10, .within_m = 1},
        {.photo = "examples/demo/tiles.csv", .heading = NAN},
    };
    gvm_hit hits[4][3];
    gvm_found found[4];
    gvm_error err;
    struct seen seen = {0, 0};
    const gvm_locate_job job = {.size = sizeof job,
                                .questions = questions,
                                .count = 4,
                                .max_hits = 3,
                                .each_tile = 1,
                                .hits = hits[0],
                                .found = found,
                                .done = count_questions,
                                .user = &seen};
    expect_failure(gvm_locate_files(session, map, &job, &err), GVM_ARGUMENT, &err,
                   "3.png: no tile of the map lies within 1 m");
    assert_true(seen.next == 4 && seen.failures == 2);
    assert_true(found[0].count == 3 && found[0].heading_found && isfinite(found[0].margin));
    assert_true(found[1].count == 1 && !found[1].heading_found && isnan(found[1].margin));
    assert_true(hits[1][0].heading == 270 && fabs(hits[1][0].lat - 45.0003593) < 1e-9);
    assert_true(found[2].count == 0 && found[2].info.has_heading && found[3].count == 0);
    gvm_map_free(map);
    gvm_session_free(session);
    gvm_model_free(model);
}

static void test_locate(void **state)
{
    (void)state;
    gvm_model *model = open_model(WEIGHTS);
    gvm_session *session = open_session(model, 3);
    gvm_map *map = open_map(session, "examples/demo/tiles.csv");
    assert_int_equal(gvm_map_count(map), 4);
    size_t D = feature_length(model);
    float *x = malloc(4 * D * sizeof *x);
    gvm_hit hits[4][6], single[6];
    gvm_error err;
    int count;
    expect_ok(embed_streets(session, x, streets, NULL, 4, NULL, NULL, &err), &err);
    expect_ok(search_map(map, model, hits[0], 6, &count, x, 4, &err), &err);
    assert_int_equal(count, 4);
    for (int i = 0; i < 4; i++) {
        const double north = 0; /* the third has a heading, the others are assumed to look north */
        expect_ok(gvm_locate(session, map, streets[i], i == 2 ? NULL : &north, single, 6, &count, &err), &err);
        assert_int_equal(count, 4);
        for (int k = 0; k < 4; k++) {
            const gvm_hit *h = &hits[i][k];
            assert_string_equal(single[k].tile, h->tile);
            assert_true(fabs(single[k].score - h->score) < 1e-6);
            assert_true(single[k].lat == h->lat && single[k].lon == h->lon && h->half_tile_m == 32);
            assert_true(k == 0 || h->score <= h[-1].score);
            assert_true(fabs(h->score) <= 1);
            if (strcmp(h->tile, "aerial/3.png") == 0) assert_true(h->lat == 44.9996317 && h->lon == -30.0005844);
        }
    }
    expect_ok(gvm_locate(session, map, streets[0], &(double){0}, single, 2, &count, &err), &err);
    assert_int_equal(count, 2);
    assert_string_equal(single[0].tile, hits[0][0].tile);

    unsigned char shown[2][200 * 200 * 3];
    gvm_hit other_place = {.tile = "aerial/gone.png", .half_tile_m = 32};
    expect_ok(gvm_map_picture(map, &single[0], shown[0], 200, &err), &err);
    expect_ok(gvm_map_picture(map, &single[1], shown[1], 200, &err), &err);
    assert_memory_not_equal(shown[0], shown[1], sizeof shown[0]);
    expect_failure(gvm_map_picture(map, &other_place, shown[0], 200, &err), GVM_FILE, &err, "gone.png");
    expect_failure(gvm_map_picture(map, &single[0], shown[0], 0, &err), GVM_ARGUMENT, &err, "0 pixels");

    expect_failure(gvm_locate(session, map, "tests/nothing", NULL, single, 2, &count, &err), GVM_FILE, &err, "nothing");
    assert_int_equal(count, 0);
    expect_failure(gvm_locate(session, map, "examples/demo/aerial/1.png", NULL, single, 2, &count, &err), GVM_PANORAMA,
                   &err, "panorama");
    expect_failure(search_map(map, model, single, 0, &count, x, 1, &err), GVM_ARGUMENT, &err, "at least 1");
    for (size_t k = 0; k < D; k++) x[D + k] *= 2;
    expect_failure(search_map(map, model, hits[0], 6, &count, x, 4, &err), GVM_ARGUMENT, &err, "row 1");
    memset(x + 2 * D, 0, D * sizeof *x);
    expect_failure(search_map(map, model, hits[0], 6, &count, x + 2 * D, 1, &err), GVM_ARGUMENT, &err, "row 0");
    gvm_model *other = open_model(OTHER_WEIGHTS);
    expect_failure(search_map(map, other, single, 1, &count, x, 1, &err), GVM_MISMATCH, &err, "made with weights of");
    assert_int_equal(count, 0);
    free(x);
    gvm_map_free(map);
    gvm_session_free(session);
    gvm_model_free(other);
    gvm_model_free(model);
}

/* Unreadable tiles are omitted and reported; the others keep their order. */
static void test_some_tiles(void **state)
{
    (void)state;
    char good[1100], list[4000];
    int length =
        snprintf(list, sizeof list, "lat,metres,image,lon\n1,,/nothing.png,2\n3,20,\"%s\",4\n5,9,\"/a,b.png\",6\n",
                 demo_path(good, "aerial/1.png"));
    gvm_model *model = open_model(WEIGHTS);
    gvm_session *session = open_session(model, 2);
    gvm_map *map;
    gvm_error err;
    gvm_hit hit;
    int found;
    struct calls calls = {0};
    const char *path = temporary(list, (size_t)length);
    expect_ok(gvm_map_from_tiles(&map, session, path, note_file, &calls, &err), &err);
    remove(path);
    assert_int_equal(calls.next, 3);
    assert_int_equal(calls.statuses[0], GVM_FILE);
    assert_int_equal(calls.statuses[1], GVM_OK);
    assert_non_null(strstr(calls.texts[2], "/a,b.png: "));
    assert_int_equal(gvm_map_count(map), 1);
    gvm_session_free(session); /* the map stays valid */
    session = open_session(model, 1);
    expect_ok(gvm_locate(session, map, streets[0], NULL, &hit, 1, &found, &err), &err);
    assert_true(hit.lat == 3 && hit.lon == 4 && hit.half_tile_m == 10);
    assert_string_equal(hit.tile, good);
    gvm_map_free(map);

    path = temporary("image,lat,lon\nnothing.png,1,2\n", 30);
    expect_failure(gvm_map_from_tiles(&map, session, path, NULL, NULL, &err), GVM_IMAGE, &err, "nothing.png");
    assert_null(map);
    remove(path);
    path = temporary("image,lat,lon\nnothing.png,91,2\n", 31);
    expect_failure(gvm_map_from_tiles(&map, session, path, NULL, NULL, &err), GVM_FORMAT, &err, "line 2");
    remove(path);
    expect_failure(gvm_map_from_tiles(&map, session, "tests", NULL, NULL, &err), GVM_FILE, &err, "tests: ");
    gvm_session_free(session);
    gvm_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_locate),
        cmocka_unit_test(test_questions),
        cmocka_unit_test(test_some_tiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
