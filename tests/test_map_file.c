/* test_map_file.c - a map on the disk: what is committed is there, what is not is not, and a file that is not ours or
 * not whole is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/half.h"
#include "folder_support.h"
#include "geo/earth.h"
#include "map/map.h"
#include "map/map_file.h"
#include "map/map_job.h"
#include "map/outline.h"
#include "network/session.h"

enum { WIDTH = 24 };

static const gvm_model_info info = {.features = WIDTH, .fingerprint = "0123456789abcdef"};

static void expect(gvm_status got, gvm_status status, const gvm_error *err, const char *words)
{
    if (got != status || strstr(err->text, words) == NULL)
        fail_msg("status %d: %s (wanted: %s)", got, err->text, words);
}

/* ------------------------------------------------------------------ making maps */

static float value(size_t row, int k)
{
    return (float)(((double)(row * 7 + (size_t)k) - 50) / 64);
}

static struct place place_of(size_t row)
{
    struct place p = {.lat = 50 + 0.001 * (double)row, .lon = 179.9985 + 0.001 * (double)row, .metres = 64};
    p.source = row < 3 ? "a.tif" : "b.tif";
    p.lon = lon_normal(p.lon);
    tile_box(p.box, p.lat, p.lon, p.metres);
    return p;
}

static void append(struct map_file *file, size_t n)
{
    float *features = malloc(n * WIDTH * sizeof *features);
    gvm_error err;
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < WIDTH; k++) features[i * WIDTH + (size_t)k] = value(file->end + i, k);
    if (map_file_append(file, features, n, &err) != GVM_OK) fail_msg("%s", err.text);
    free(features);
}

static struct map_file *open_to_write(void)
{
    struct map_file *file;
    gvm_error err;
    if (map_file_open(&file, in_folder("m.gpkg"), true, &err) != GVM_OK) fail_msg("%s", err.text);
    return file;
}

static void commit(struct map_file *file, size_t n)
{
    struct place places[16];
    gvm_error err;
    for (size_t i = 0; i < n; i++) places[i] = place_of(file->rows + i);
    if (map_file_commit(file, places, n, &err) != GVM_OK) fail_msg("%s", err.text);
}

/* Five tiles, and two more whose features are there but not their rows. */
static void make_map(void)
{
    gvm_error err;
    struct map_file *file;
    if (map_file_create(&file, in_folder("m.gpkg"), &info, 64,
                        json_pack("[{sb,si,s{si}}]", "complete", 0, "done", 7, "imagery", "places", 40),
                        &err) != GVM_OK)
        fail_msg("%s", err.text);
    append(file, 3);
    append(file, 2);
    commit(file, 5);
    append(file, 2);
    map_file_close(file);
}

static gvm_map *open_map(void)
{
    gvm_map *map;
    gvm_error err;
    if (gvm_map_open(&map, in_folder("m.gpkg"), NULL, 0, &err) != GVM_OK) fail_msg("%s", err.text);
    return map;
}

static void run_sql(const char *sql)
{
    sqlite3 *base;
    char *message = NULL;
    assert_int_equal(sqlite3_open(in_folder("m.gpkg"), &base), SQLITE_OK);
    if (sqlite3_exec(base, sql, NULL, NULL, &message) != SQLITE_OK) fail_msg("%s: %s", sql, message);
    sqlite3_close(base);
}

static double ask_sql(const char *sql)
{
    sqlite3 *base;
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_open(in_folder("m.gpkg"), &base), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(base, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    double answer = sqlite3_column_double(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(base);
    return answer;
}

/* ------------------------------------------------------------------ what is there */

static void check_tiles(const gvm_map *map, size_t count)
{
    assert_int_equal(gvm_map_count(map), count);
    for (size_t i = 0; i < count; i++) {
        const struct tile *tile = &map->tiles.items[i];
        struct place p = place_of(tile->row);
        assert_true(tile->lat == p.lat && tile->lon == p.lon && tile->metres == 64);
        assert_string_equal(tile->image, p.source);
        for (int k = 0; k < WIDTH; k++)
            assert_true(float_from_f16(map->features[tile->row * WIDTH + (size_t)k]) == value(tile->row, k));
    }
}

static void check_index(size_t count)
{
    assert_true(ask_sql("SELECT count(*) FROM tiles") == (double)count);
    assert_true(ask_sql("SELECT count(*) FROM rtree_tiles_geom") == (double)count);
    assert_true(
        ask_sql("SELECT count(*) FROM tiles JOIN rtree_tiles_geom ON fid = id WHERE abs((miny + maxy) / 2 - lat) "
                "+ abs((minx + maxx) / 2 - lon) < 1e-4") == (double)count);
    assert_true(fabs(ask_sql("SELECT min_x - (SELECT min(minx) FROM rtree_tiles_geom) FROM gpkg_contents WHERE "
                             "table_name = 'tiles'")) < 1e-4);
    assert_true(ask_sql("SELECT ifnull(feature_count, (SELECT count(*) FROM tiles)) FROM gpkg_ogr_contents WHERE "
                        "table_name = 'tiles'") == (double)count);
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
    struct map_file *file = open_to_write(); /* what was not committed goes */
    assert_int_equal(stat(in_folder("m.features"), &st), 0);
    assert_int_equal(st.st_size, FEATURES_START + 5 * WIDTH * 2);
    append(file, 4);
    commit(file, 4);
    map_file_close(file);
    map = open_map();
    check_tiles(map, 9);
    gvm_map_free(map);
    check_index(9);
}

/* A map that is open stays as it was while another process adds and removes. */
/* The tiles of a map across the antimeridian in GeoJSON as RFC 7946 has it. */
static void test_outline(void **state)
{
    (void)state;
    make_map();
    gvm_map *map = open_map();
    json_t *outline = map_outline(map), *polygon, *ring, *point;
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

static void test_shared(void **state)
{
    (void)state;
    make_map();
    gvm_map *map = open_map();
    struct map_file *file = open_to_write(), *second;
    append(file, 1);
    gvm_error err;
    expect(map_file_open(&second, in_folder("m.gpkg"), true, &err), GVM_FILE, &err,
           "m.gpkg: another process is building or changing this map");
    commit(file, 1);
    map_file_close(file);
    size_t removed;
    assert_int_equal(gvm_map_remove(in_folder("m.gpkg"), "-180,-90,180,90", &removed, &err), GVM_OK);
    assert_int_equal(removed, 6);
    check_tiles(map, 5);
    gvm_map_free(map);
    expect(gvm_map_open(&map, in_folder("m.gpkg"), NULL, 0, &err), GVM_FORMAT, &err, "m.gpkg: the map holds no tile");
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
            struct map_file *file = open_to_write(); /* rows go on behind the holes */
            append(file, 1);
            commit(file, 1);
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
        expect(gvm_map_remove(in_folder("m.gpkg"), bad[i], &removed, &err), GVM_ARGUMENT, &err, "is no area: give");
    }
    check_index(5);
}

/* ------------------------------------------------------------------ what is refused */

static void expect_bad_map(gvm_status status, const char *words)
{
    gvm_map *map;
    gvm_error err;
    expect(gvm_map_open(&map, in_folder("m.gpkg"), NULL, 0, &err), status, &err, words);
    assert_null(map);
    empty_folder(NULL);
}

static void test_foreign(void **state)
{
    (void)state;
    gvm_map *map;
    gvm_error err;
    expect_bad_map(GVM_FILE, "m.gpkg: cannot open it");
    put_text("m.gpkg", "no package");
    expect_bad_map(GVM_FORMAT, "m.gpkg: it is not a GeoPackage");
    make_map();
    assert_int_equal(truncate(in_folder("m.gpkg"), 8192), 0);
    expect_bad_map(GVM_FILE, "m.gpkg: it cannot be opened");
    make_map();
    run_sql("DROP TABLE geoviewmatch; DELETE FROM gpkg_contents WHERE table_name = 'geoviewmatch'");
    expect_bad_map(GVM_FORMAT, "m.gpkg: it is a GeoPackage, but none that `geoviewmatch index` made");
    make_map();
    run_sql("UPDATE geoviewmatch SET value = '2' WHERE key = 'version'");
    expect_bad_map(GVM_FORMAT, "m.gpkg: it is a map from a newer GeoViewMatch (version 2, this one reads 1)");
    static const char *const facts[] = {"version", "id", "fingerprint", "width", "ground_m", "rows", "jobs"};
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        char sql[100];
        make_map();
        snprintf(sql, sizeof sql, "UPDATE geoviewmatch SET value = '-x' WHERE key = '%s'", facts[i]);
        run_sql(sql);
        expect_bad_map(GVM_FORMAT, "m.gpkg: the table `geoviewmatch` in it is damaged");
    }
    make_map();
    run_sql("UPDATE geoviewmatch SET value = '4' WHERE key = 'rows'");
    expect_bad_map(GVM_FORMAT, "m.gpkg: the layer `tiles` in it is damaged");
    make_map();
    run_sql("PRAGMA writable_schema = 1; DELETE FROM sqlite_master WHERE type = 'trigger'");
    run_sql("UPDATE tiles SET metres = 5e-324 WHERE row = 2");
    expect_bad_map(GVM_FORMAT, "m.gpkg: tile 3 in it is damaged");
    make_map();
    const gvm_model model = {.info = {.features = WIDTH, .fingerprint = "fedcba9876543210"}};
    expect(gvm_map_open(&map, in_folder("m.gpkg"), &model, 0, &err), GVM_MISMATCH, &err,
           "made with other weights (fingerprint 0123456789abcdef) than these (fedcba9876543210)");
    empty_folder(NULL);
    struct map_file *file;
    expect(map_file_create(&file, in_folder("m.zip"), &info, 64, json_array(), &err), GVM_ARGUMENT, &err,
           "m.zip: a map's name ends in .gpkg; `index` makes one of imagery");
}

/* The fingerprint as it was, but features of another width, in both files: no network may meet them. */
static void test_width(void **state)
{
    (void)state;
    static const int widths[] = {1, WIDTH / 2, 2 * WIDTH};
    const gvm_model model = {.info = info};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        gvm_map *map;
        gvm_error err;
        char sql[300];
        make_map();
        snprintf(sql, sizeof sql,
                 "UPDATE geoviewmatch SET value = '%d' WHERE key = 'width'; UPDATE geoviewmatch SET value = '2' WHERE "
                 "key = 'rows'; DELETE FROM rtree_tiles_geom; DROP TRIGGER rtree_tiles_geom_delete; DELETE FROM tiles "
                 "WHERE row > 1",
                 widths[i]);
        run_sql(sql);
        uint8_t width[4] = {(uint8_t)widths[i]};
        FILE *file = fopen(in_folder("m.features"), "r+b");
        assert_non_null(file);
        assert_int_equal(fseek(file, 12, SEEK_SET), 0);
        assert_int_equal(fwrite(width, 1, 4, file), 4);
        fclose(file);
        map = open_map(); /* whoever only looks may */
        assert_int_equal(map->width, widths[i]);
        gvm_hit hit;
        int count;
        float query[2 * WIDTH] = {1};
        const gvm_search search = {.size = sizeof search, .features = query, .count = 1, .max_hits = 1};
        expect(gvm_map_search(map, &model, &search, &hit, &count, &err), GVM_MISMATCH, &err,
               "m.gpkg: its features have");
        gvm_map_free(map);
        expect(gvm_map_open(&map, in_folder("m.gpkg"), &model, 0, &err), GVM_MISMATCH, &err,
               "but these weights make features of 24: the file was changed");
        assert_null(map);
        empty_folder(NULL);
    }
    make_map();
    run_sql("UPDATE geoviewmatch SET value = '24.5' WHERE key = 'width'");
    expect_bad_map(GVM_FORMAT, "m.gpkg: the table `geoviewmatch` in it is damaged");
}

/* What could run more than our own SQL, or open other files, is refused before GDAL sees it. */
static void test_hostile(void **state)
{
    (void)state;
    static const char *const views[] = {
        "ALTER TABLE geoviewmatch RENAME TO g; CREATE VIEW geoviewmatch AS SELECT * FROM g",
        ("DROP TABLE geoviewmatch; CREATE VIEW geoviewmatch AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 "
         "FROM c) SELECT x AS fid, 'x' AS key, 'y' AS value FROM c"),
        "CREATE VIEW gpkg_extensions_ AS SELECT 1",
    };
    for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
        make_map();
        run_sql(views[i]);
        expect_bad_map(GVM_FORMAT, "m.gpkg: the view \"");
    }
    make_map();
    run_sql(
        "PRAGMA writable_schema = 1; INSERT INTO sqlite_master VALUES ('table', 'other', 'other', 0, 'CREATE VIRTUAL "
        "TABLE other USING VirtualOGR(''/etc/passwd'')')");
    expect_bad_map(GVM_FORMAT, "m.gpkg: the virtual table \"other\" in it is not of a map");
    static const char *const texts[][2] = {
        /* put in by hand, to be taken for something else */
        {"table", "CREATE VIRTUAL TABLE other USING VirtualOGR(''/etc/passwd'', 0, ''x USING rtree('')"},
        {"table", "CREATE VIRTUAL TABLE \"other\" USING rtree(id, a, b) -- )"},
        {"table", "CREATE/**/VIRTUAL TABLE other USING VirtualOGR(''/etc/passwd'')"},
        {"table", "CREATE  VIRTUAL TABLE other USING VirtualOGR(''/etc/passwd'')"},
        {"table", "create virtual table other using VirtualOGR(''/etc/passwd'')"},
        {"TABLE", "CREATE VIRTUAL TABLE other USING VirtualOGR(''/etc/passwd'')"},
        {"VIEW", "CREATE VIEW other AS SELECT 1"},
        {"view", "CREATE TEMP VIEW other AS SELECT 1"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char sql[400];
        make_map();
        snprintf(sql, sizeof sql,
                 "PRAGMA writable_schema = 1; INSERT INTO sqlite_master VALUES ('%s', 'other', 'other', 0, '%s')",
                 texts[i][0], texts[i][1]);
        run_sql(sql);
        expect_bad_map(GVM_FORMAT, "\"other\" in it is not of a map");
    }
    static const char *const triggers[] = {
        "CREATE TRIGGER t AFTER INSERT ON tiles BEGIN SELECT ogr_geocode('x'); END",
        "CREATE TRIGGER rtree_tiles_geom_insert2 AFTER INSERT ON tiles BEGIN SELECT load_extension('x'); END",
        "CREATE TRIGGER t AFTER DELETE ON tiles BEGIN SELECT \"gdal_get_pixel_value\"('x', 1, 'georef', 1, 1); END",
        "CREATE TABLE x (a DEFAULT (OGR_layer_FeatureCount('y')))",
    };
    for (size_t i = 0; i < sizeof triggers / sizeof *triggers; i++) {
        gvm_error err;
        size_t removed;
        make_map();
        run_sql(triggers[i]);
        expect(gvm_map_remove(in_folder("m.gpkg"), "-180,-90,180,90", &removed, &err), GVM_FORMAT, &err,
               "and may be there to do harm");
        empty_folder(NULL);
    }
    make_map(); /* a user's own table does no harm */
    run_sql(
        "CREATE TABLE notes (text); CREATE VIEW short AS SELECT text FROM notes; INSERT INTO notes VALUES ('x');"
        "create table if not exists main.[my notes](a unique, b); create unique index \"a \"\"b\"\"\" on [my notes](b);"
        "CREATE TABLE ä$1(x) ; create temp view v as select 1; create  virtual table r2 using rtree(id, a, b);"
        "CREATE TRIGGER IF NOT EXISTS main.'t''1' AFTER INSERT ON notes BEGIN SELECT 1; END;"
        "ALTER TABLE notes RENAME TO \"the notes\"; CREATE TABLE copied AS SELECT * FROM \"the notes\"");
    gvm_map_free(open_map());
    struct map_file *file = open_to_write();
    append(file, 1);
    commit(file, 1);
    map_file_close(file);
    check_index(6);
}

static void make_over(gvm_status status, const char *words)
{
    struct map_file *file;
    gvm_error err = {""};
    expect(map_file_create(&file, in_folder("m.gpkg"), &info, 64, json_array(), &err), status, &err, words);
    map_file_close(file);
}

static void expect_text(const char *name, const char *text)
{
    char got[64] = "";
    FILE *file = fopen(in_folder(name), "rb");
    assert_non_null(file);
    size_t n = fread(got, 1, sizeof got - 1, file);
    fclose(file);
    assert_int_equal(n, strlen(text));
    assert_string_equal(got, text);
}

/* Files of other programs under the names that a map takes stay as they are. */
static void test_strangers(void **state)
{
    (void)state;
    static const char *const names[] = {"m.features", "m.features.tmp.gpkg", "m.gpkg-journal", "m.gpkg-wal",
                                        "m.features.tmp.gpkg-journal"};
    static const char *const texts[] = {"my notes, one day of work", "G", "GVMFEATURES of my own", "SQLite"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
            put_text(names[i], texts[k]);
            make_over(GVM_FILE, "not of a map: move it away");
            expect_text(names[i], texts[k]);
            assert_int_equal(access(in_folder("m.gpkg"), F_OK), -1);
            if (i > 0) assert_int_equal(access(in_folder("m.features"), F_OK), -1);
            empty_folder(NULL);
        }
    for (int dangling = 0; dangling < 2; dangling++) {
        if (!dangling) put_text("victim", "alias x=y");
        assert_int_equal(symlink("victim", in_folder("m.features")), 0);
        make_over(GVM_FILE, "m.features: it is a symbolic link: move it away");
        if (!dangling) expect_text("victim", "alias x=y");
        assert_int_equal(access(in_folder("victim"), F_OK), dangling ? -1 : 0);
        empty_folder(NULL);
        if (!dangling) put_text("victim", "SQLite format 3");
        assert_int_equal(symlink("victim", in_folder("m.features.tmp.gpkg")), 0);
        make_over(GVM_FILE, "m.features.tmp.gpkg: it is in the way");
        if (!dangling) expect_text("victim", "SQLite format 3");
        empty_folder(NULL);
    }
    assert_int_equal(symlink("gone.gpkg", in_folder("m.gpkg")), 0);
    make_over(GVM_FILE, "m.gpkg: cannot make it: File exists");
    assert_int_equal(access(in_folder("gone.gpkg"), F_OK), -1);
    empty_folder(NULL);

    static uint8_t header[FEATURES_START]; /* what a killed making leaves */
    features_header(header, &(struct features_facts){"0123456789abcdef0123456789abcdef", 7});
    for (size_t size = 0; size <= FEATURES_START; size += FEATURES_START / 2) {
        put_bytes("m.features", header, size);
        make_map();
        gvm_map_free(open_map());
        empty_folder(NULL);
    }
    assert_int_equal(mkdir(in_folder("m.features"), 0777), 0);
    make_over(GVM_FILE, "m.features: cannot make it");
    rmdir(in_folder("m.features"));
}

/* No number of a job's that a file gives leads beyond its rows. */
static void test_jobs(void **state)
{
    (void)state;
    make_map();
    run_sql(
        "UPDATE geoviewmatch SET value = '[{\"imagery\":{},\"tiles\":9223372036854775807,\"done\":"
        "9223372036854775807,\"complete\":true},{\"imagery\":{},\"tiles\":9223372036854775807}]' WHERE key = 'jobs'");
    struct map_file *file = open_to_write();
    gvm_error err;
    const json_t *job = json_array_get(file->jobs, 1);
    struct gvm_map_progress progress;
    job_read(&progress, job, 9);
    assert_int_equal(job_count(&progress, file, job, &err), GVM_OK);
    assert_int_equal(job_replace(file, job, &err), GVM_OK);
    for (size_t i = 0; i < file->replaced_count; i++) assert_in_range(file->replaced[i].end, 0, 5);
    commit(file, 0);
    map_file_close(file);
}

static void test_features(void **state)
{
    (void)state;
    make_map();
    unlink(in_folder("m.features"));
    expect_bad_map(GVM_FILE, "m.features: cannot open it");
    make_map();
    put_text("m.features", "no features");
    expect_bad_map(GVM_FORMAT, "m.features: it is not the features of a map");
    make_map();
    assert_int_equal(truncate(in_folder("m.features"), FEATURES_START + 5 * WIDTH * 2 - 1), 0);
    expect_bad_map(GVM_FORMAT, "m.features: it is cut off: 4 of its 5 rows are there");
    make_map();
    rename(in_folder("m.features"), in_folder("old"));
    unlink(in_folder("m.gpkg"));
    make_map();
    rename(in_folder("old"), in_folder("m.features"));
    expect_bad_map(GVM_MISMATCH, "m.features: it belongs to another map");
    make_map();
    unlink(in_folder("m.gpkg"));
    gvm_error err;
    struct map_file *file;
    expect(map_file_create(&file, in_folder("m.gpkg"), &info, 64, json_array(), &err), GVM_FILE, &err,
           "m.features: it lies there without its .gpkg");
}

/* A journal as a process leaves it that is killed in a commit: the deleted map's, which the new one must not take up,
 * under the map's name and under the one that it is made as. */
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

/* A disk that is full in the middle of a commit: what was committed before is there, and it goes on once there is room.
 */
static void test_full(void **state)
{
    (void)state;
    static char source[9000];
    struct rlimit limit, small;
    struct stat st;
    make_map();
    memset(source, 'x', sizeof source - 1);
    struct map_file *file = open_to_write();
    append(file, 4);
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
    expect(status, GVM_FILE, &err, "m.gpkg: it cannot be written");
    map_file_close(file);
    gvm_map *map = open_map();
    check_tiles(map, 5);
    gvm_map_free(map);
    check_index(5);
    file = open_to_write();
    append(file, 4);
    commit(file, 4);
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
    expect(features_check(header, FEATURES_START + 139, &facts, 10, "f", &err), GVM_FORMAT, &err, "9 of its 10 rows");
    expect(features_check(header, FEATURES_START, &facts, SIZE_MAX, "f", &err), GVM_FORMAT, &err, "it is cut off");
    facts.width = 8;
    expect(features_check(header, 9999, &facts, 1, "f", &err), GVM_FORMAT, &err, "rows have 7 numbers where");
    header[8] = 2;
    expect(features_check(header, 9999, &facts, 1, "f", &err), GVM_FORMAT, &err, "newer GeoViewMatch (version 2");
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
        assert_int_equal(f16_from_float(half), h + (h & 1));                       /* to the even one */
        assert_int_equal(f16_from_float(nextafterf(half, x)), h);
        assert_int_equal(f16_from_float(nextafterf(half, next)), h + 1);
    }
    assert_int_equal(f16_from_float(65519.99f), 0x7bff);
    assert_int_equal(f16_from_float(65520), 0x7c00);
    assert_int_equal(f16_from_float(-1e30f), 0xfc00);
    assert_int_equal(f16_from_float(-1e-30f), 0x8000);
}

/* The sanitizer does not see what GDAL holds. */
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
        cmocka_unit_test_teardown(test_width, empty_folder),
        cmocka_unit_test_teardown(test_hostile, empty_folder),
        cmocka_unit_test_teardown(test_strangers, empty_folder),
        cmocka_unit_test_teardown(test_jobs, empty_folder),
        cmocka_unit_test_teardown(test_foreign, empty_folder),
        cmocka_unit_test_teardown(test_features, empty_folder),
        cmocka_unit_test_teardown(test_journal, empty_folder),
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_halves),
        cmocka_unit_test(test_all_closed),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
