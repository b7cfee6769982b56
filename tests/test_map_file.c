/* test_map_file.c - a map on disk: exactly what is committed is there */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/half.h"
#include "folder_support.h"
#include "map/map.h"
#include "map/map_file.h"
#include "map_support.h"

/* ------------------------------------------------------------------ committed tiles */

static void check_tiles(const gvm_map *map, size_t count)
{
    assert_int_equal(gvm_map_count(map), count);
    for (size_t i = 0; i < count; i++) {
        const struct tile *tile = &map->tiles.items[i];
        struct place p = place_of(tile->row);
        assert_true(tile->lat == p.lat && tile->lon == p.lon && tile->metres == 64);
        assert_string_equal(tile->image, p.source);
        for (int k = 0; k < WIDTH; k++)
            assert_true(float_from_f16(map->features[tile->row * WIDTH + (size_t)k]) == value_of(tile->row, k));
    }
}

static void test_written(void **state)
{
    (void)state;
    make_map();
    gvm_map *map = open_map();
    check_tiles(map, 5);
    assert_ptr_equal(map->tiles.items[0].image, map->tiles.items[2].image);
    gvm_map_info about = {.size = sizeof about};
    assert_int_equal(gvm_map_about(map, &about, NULL), GVM_OK);
    assert_int_equal(about.tiles, 5);
    assert_int_equal(about.features, WIDTH);
    assert_string_equal(about.fingerprint, info.fingerprint);
    assert_true(about.ground_m == 64 && about.south == 50 && about.north == 50 + 0.001 * 4 && !about.complete);
    assert_int_equal(about.missing, 33);
    assert_float_equal(about.west, 179.9985, 1e-9);
    assert_float_equal(about.east, -179.9975, 1e-9);
    gvm_map_free(map);
    check_index(5);

    struct stat st;
    assert_int_equal(stat(in_folder("m.features"), &st), 0);
    assert_int_equal(st.st_size, FEATURES_START + 7 * WIDTH * 2);
    struct map_file *file = open_to_write(); /* drops what was not committed */
    assert_int_equal(stat(in_folder("m.features"), &st), 0);
    assert_int_equal(st.st_size, FEATURES_START + 5 * WIDTH * 2);
    append_rows(file, 4);
    commit_rows(file, 4);
    map_file_close(file);
    map = open_map();
    check_tiles(map, 9);
    gvm_map_free(map);
    check_index(9);
}

/* An open map stays unchanged while another process adds and removes tiles. */
static void test_outline(void **state)
{
    (void)state;
    make_map();
    gvm_map *map = open_map();
    char *text;
    assert_int_equal(gvm_map_outline(map, &text, NULL), GVM_OK);
    json_t *outline = json_loads(text, 0, NULL), *polygon, *ring, *point;
    free(text);
    size_t i, k, p, rings = 0;
    assert_string_equal(json_string_value(json_object_get(outline, "type")), "MultiPolygon");
    json_array_foreach(json_object_get(outline, "coordinates"), i, polygon) json_array_foreach(polygon, k, ring)
    {
        double area = 0, x0 = 0, y0 = 0;
        json_array_foreach(ring, p, point)
        {
            double x = json_real_value(json_array_get(point, 0)), y = json_real_value(json_array_get(point, 1));
            assert_true(fabs(x) <= 180 && fabs(y) <= 90);
            if (p > 0) area += x0 * y - x * y0;
            x0 = x;
            y0 = y;
        }
        assert_true(k == 0 ? area > 0 : area < 0);
        rings++;
    }
    assert_int_equal(rings, 5);
    json_decref(outline);
    gvm_map_free(map);
}

/* Cells are on a lattice of a sphere, but their sides are the ellipsoid's: gaps of a hair between neighbours must not
 * appear in the outline. */
static void test_outline_of_cells(void **state)
{
    (void)state;
    enum { SIDE = 6 };
    const double metre = 180 / (3.14159265358979 * 6378137);
    struct tile tiles[SIDE * SIDE];
    for (int i = 0; i < SIDE * SIDE; i++) {
        double lat = (139772 + i / SIDE) * 30 * metre, first = round(128.6577 / (30 * metre) * cos(lat / 57.2957795));
        tiles[i] =
            (struct tile){.lat = lat, .metres = 30, .lon = (first + i % SIDE) * 30 * metre / cos(lat / 57.2957795)};
    }
    gvm_map map = {.tiles = {.items = tiles, .count = SIDE * SIDE}};
    char *text;
    assert_int_equal(gvm_map_outline(&map, &text, NULL), GVM_OK);
    json_t *outline = json_loads(text, 0, NULL), *polygons = json_object_get(outline, "coordinates");
    free(text);
    assert_int_equal(json_array_size(polygons), 1);
    assert_int_equal(json_array_size(json_array_get(polygons, 0)), 1);
    assert_in_range(json_array_size(json_array_get(json_array_get(polygons, 0), 0)), 5, 4 * SIDE + 1);
    json_decref(outline);
}

static void test_shared(void **state)
{
    (void)state;
    make_map();
    gvm_map *map = open_map();
    struct map_file *file = open_to_write(), *second;
    append_rows(file, 1);
    gvm_error err;
    expect_status(map_file_open(&second, in_folder("m.gpkg"), true, &err), GVM_FILE, &err,
                  "m.gpkg: another process is building or changing this map");
    commit_rows(file, 1);
    map_file_close(file);
    size_t removed;
    assert_int_equal(gvm_map_remove(in_folder("m.gpkg"), "-180,-90,180,90", &removed, &err), GVM_OK);
    assert_int_equal(removed, 6);
    check_tiles(map, 5);
    gvm_map_free(map);
    expect_status(gvm_map_open(&map, in_folder("m.gpkg"), NULL, 0, &err), GVM_FORMAT, &err,
                  "m.gpkg: the map has no tiles");
}

static void test_removed(void **state)
{
    (void)state;
    static const struct {
        const char *area;
        size_t removed;
    } cases[] = {
        {"179.99,49,180,50.0005", 1},
        {"179.99,49,-179.99,50.0015", 2},
        {"-180,49,-179.9,51", 3},
        {"179.9,50.0009,180.1,51", 4},
        {"0,49,10,51", 0},
        {"-181,49,-179.9,51", 5},
        {"POLYGON((179 49,179 51,180 51,180 49,179 49))", 2},
        {"POLYGON((179 49,179 51,181 51,181 49,179 49))", 5},
        {"POLYGON((-181 49,-181 51,-180 51,-180 49,-181 49))", 2},
        {"MULTIPOLYGON(((179 49,179 50.0005,180 50.0005,180 49,179 49)),((-180 50.0035,-179 50.0035,-179 51,-180 "
         "50.0035)))",
         2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gvm_error err;
        size_t removed;
        make_map();
        if (gvm_map_remove(in_folder("m.gpkg"), cases[i].area, &removed, &err) != GVM_OK) fail_msg("%s", err.text);
        if (removed != cases[i].removed) fail_msg("%s: %zu removed", cases[i].area, removed);
        if (removed < 5) {
            gvm_map *map = open_map();
            check_tiles(map, 5 - removed);
            gvm_map_free(map);
            check_index(5 - removed);
            struct map_file *file = open_to_write(); /* rows are appended after the holes */
            append_rows(file, 1);
            commit_rows(file, 1);
            map_file_close(file);
            map = open_map();
            check_tiles(map, 6 - removed);
            assert_int_equal(map->tiles.items[5 - removed].row, 5);
            gvm_map_free(map);
        }
        empty_folder(NULL);
    }
    static const char *const bad[] = {"",
                                      "1,2,3",
                                      "1,2,3,4,5",
                                      "1,4,3,2",
                                      "1,2,3,91",
                                      "POINT(1 2)",
                                      "POLYGON((1 2))",
                                      "1,2,1,4",
                                      "LINESTRING(1 2,3 4)",
                                      "nan,1,2,3"};
    make_map();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        gvm_error err;
        size_t removed;
        expect_status(gvm_map_remove(in_folder("m.gpkg"), bad[i], &removed, &err), GVM_ARGUMENT, &err,
                      "expected W,S,E,N");
    }
    check_index(5);
}

/* ------------------------------------------------------------------ what is refused */

/* A journal as left by a process killed during a commit, of a map that was then deleted. The new map must not apply it,
 * neither under its final name nor under its temporary one. */
static void test_journal(void **state)
{
    (void)state;
    static uint8_t journal[1 << 20];
    sqlite3 *base;
    make_map();
    assert_int_equal(sqlite3_open(in_folder("m.gpkg"), &base), SQLITE_OK);
    const char *change = "BEGIN; UPDATE geoviewmatch SET value = value || zeroblob(100000)";
    assert_int_equal(sqlite3_exec(base, change, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_db_cacheflush(base), SQLITE_OK);
    FILE *file = fopen(in_folder("m.gpkg-journal"), "rb");
    assert_non_null(file);
    size_t size = fread(journal, 1, sizeof journal, file);
    fclose(file);
    sqlite3_close(base);
    assert_in_range(size, 1024, sizeof journal - 1);
    assert_true(journal[0] == 0xd9 && journal[11] > 0); /* pages that SQLite would play back */

    for (int i = 0; i < 2; i++) {
        unlink(in_folder("m.gpkg"));
        unlink(in_folder("m.features"));
        put_bytes(i == 0 ? "m.gpkg-journal" : "m.features.tmp.gpkg-journal", journal, size);
        put_text("m.features.tmp.gpkg", "SQLite format 3, of a process that was killed");
        make_map();
        assert_int_equal(access(in_folder("m.features.tmp.gpkg"), F_OK), -1);
        assert_int_equal(access(in_folder("m.gpkg-journal"), F_OK), -1);
        gvm_map *map = open_map();
        check_tiles(map, 5);
        gvm_map_free(map);
        check_index(5);
    }
}

/* A disk that is full in the middle of a commit: earlier commits are kept, and writing continues once there is room. */
static void test_full(void **state)
{
    (void)state;
    static char source[9000];
    struct rlimit limit, small;
    struct stat st;
    make_map();
    memset(source, 'x', sizeof source - 1);
    struct map_file *file = open_to_write();
    append_rows(file, 4);
    assert_int_equal(stat(in_folder("m.gpkg"), &st), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, SIG_IGN);
    small = limit;
    small.rlim_cur = (rlim_t)st.st_size;
    struct place places[4];
    for (size_t i = 0; i < 4; i++) places[i] = place_of(file->rows + i);
    for (size_t i = 0; i < 4; i++) places[i].source = source;
    gvm_error err = {""};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    gvm_status status = map_file_commit(file, places, 4, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    expect_status(status, GVM_FILE, &err, "m.gpkg: it cannot be written");
    map_file_close(file);
    gvm_map *map = open_map();
    check_tiles(map, 5);
    gvm_map_free(map);
    check_index(5);
    file = open_to_write();
    append_rows(file, 4);
    commit_rows(file, 4);
    map_file_close(file);
    map = open_map();
    check_tiles(map, 9);
    gvm_map_free(map);
    check_index(9);
}

static void test_header(void **state)
{
    (void)state;
    struct features_facts facts = {"0123456789abcdef0123456789abcdef", 7};
    uint8_t header[FEATURES_START];
    gvm_error err;
    features_header(header, &facts);
    assert_int_equal(features_check(header, FEATURES_START + 140, &facts, 10, "f", &err), GVM_OK);
    expect_status(features_check(header, FEATURES_START + 139, &facts, 10, "f", &err), GVM_FORMAT, &err,
                  "9 of 10 rows");
    expect_status(features_check(header, FEATURES_START, &facts, SIZE_MAX, "f", &err), GVM_FORMAT, &err,
                  "it is truncated");
    facts.width = 8;
    expect_status(features_check(header, 9999, &facts, 1, "f", &err), GVM_FORMAT, &err,
                  "rows have 7 numbers, expected 8");
    header[8] = 2;
    expect_status(features_check(header, 9999, &facts, 1, "f", &err), GVM_FORMAT, &err,
                  "f: unsupported version 2 of a map's features; this program reads version 1");
}

static void test_halves(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 0x10000; h++) {
        float x = float_from_f16((uint16_t)h);
        if (isnan(x))
            assert_true(isnan(float_from_f16(f16_from_float(x))));
        else
            assert_int_equal(f16_from_float(x), h);
        if ((h & 0x7fff) >= 0x7bff) continue;
        float next = float_from_f16((uint16_t)(h + 1)), half = x + (next - x) / 2; /* exact in float32 */
        assert_int_equal(f16_from_float(half), h + (h & 1));                       /* ties to even */
        assert_int_equal(f16_from_float(nextafterf(half, x)), h);
        assert_int_equal(f16_from_float(nextafterf(half, next)), h + 1);
    }
    assert_int_equal(f16_from_float(65519.99f), 0x7bff);
    assert_int_equal(f16_from_float(65520), 0x7c00);
    assert_int_equal(f16_from_float(-1e30f), 0xfc00);
    assert_int_equal(f16_from_float(-1e-30f), 0x8000);
}

/* GDAL's objects are not seen by the leak sanitizer. */
static void test_all_closed(void **state)
{
    (void)state;
    GDALDatasetH *open;
    int count;
    GDALGetOpenDatasets(&open, &count);
    assert_int_equal(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_written, empty_folder),
        cmocka_unit_test_teardown(test_shared, empty_folder),
        cmocka_unit_test_teardown(test_removed, empty_folder),
        cmocka_unit_test_teardown(test_full, empty_folder),
        cmocka_unit_test_teardown(test_outline, empty_folder),
        cmocka_unit_test(test_outline_of_cells),
        cmocka_unit_test_teardown(test_journal, empty_folder),
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_halves),
        cmocka_unit_test(test_all_closed),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
