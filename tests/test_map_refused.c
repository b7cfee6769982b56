/* test_map_refused.c - maps that are foreign, incomplete or malicious are refused */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder_support.h"
#include "map/map.h"
#include "map/map_file.h"
#include "map/map_job.h"
#include "map_support.h"
#include "network/session.h"

/* ------------------------------------------------------------------ making maps */

static void run_sql(const char *sql)
{
    sqlite3 *base;
    char *message = NULL;
    assert_int_equal(sqlite3_open(in_folder("m.gpkg"), &base), SQLITE_OK);
    if (sqlite3_exec(base, sql, NULL, NULL, &message) != SQLITE_OK) fail_msg("%s: %s", sql, message);
    sqlite3_close(base);
}

/* ------------------------------------------------------------------ what is refused */

static void expect_bad_map(gvm_status status, const char *words)
{
    gvm_map *map;
    gvm_error err;
    expect_status(gvm_map_open(&map, in_folder("m.gpkg"), NULL, 0, &err), status, &err, words);
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
    expect_bad_map(GVM_FORMAT, "m.gpkg: it is a GeoPackage, but not one made by `geoviewmatch index`");
    make_map();
    run_sql("UPDATE geoviewmatch SET value = '2' WHERE key = 'version'");
    expect_bad_map(GVM_FORMAT, "m.gpkg: unsupported map version 2; this program reads version 1");
    static const char *const facts[] = {"version", "id", "fingerprint", "width", "ground_m", "rows", "jobs"};
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        char sql[100];
        make_map();
        snprintf(sql, sizeof sql, "UPDATE geoviewmatch SET value = '-x' WHERE key = '%s'", facts[i]);
        run_sql(sql);
        expect_bad_map(GVM_FORMAT, "m.gpkg: its table `geoviewmatch` is corrupt");
    }
    make_map();
    run_sql("UPDATE geoviewmatch SET value = '4' WHERE key = 'rows'");
    expect_bad_map(GVM_FORMAT, "m.gpkg: its layer `tiles` is corrupt");
    make_map();
    run_sql("PRAGMA writable_schema = 1; DELETE FROM sqlite_master WHERE type = 'trigger'");
    run_sql("UPDATE tiles SET metres = 5e-324 WHERE row = 2");
    expect_bad_map(GVM_FORMAT, "m.gpkg: its tile 3 is corrupt");
    make_map();
    const gvm_model model = {.info = {.features = WIDTH, .fingerprint = "fedcba9876543210"}};
    expect_status(gvm_map_open(&map, in_folder("m.gpkg"), &model, 0, &err), GVM_MISMATCH, &err,
                  "made with weights of fingerprint 0123456789abcdef, got fedcba9876543210");
    empty_folder(NULL);
    struct map_file *file;
    expect_status(map_file_create(&file, in_folder("m.zip"), &info, 64, json_array(), &err), GVM_ARGUMENT, &err,
                  "m.zip: expected a map's name, which ends in .gpkg; make one with `index`");
}

/* The right fingerprint, but features of another width, in both files: no network may read them. */
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
        map = open_map(); /* reading is allowed */
        assert_int_equal(map->width, widths[i]);
        gvm_hit hit;
        int count;
        float query[2 * WIDTH] = {1};
        const gvm_search search = {.size = sizeof search, .features = query, .count = 1, .max_hits = 1};
        expect_status(gvm_map_search(map, &model, &search, &hit, &count, &err), GVM_MISMATCH, &err,
                      "m.gpkg: its features have");
        gvm_map_free(map);
        expect_status(gvm_map_open(&map, in_folder("m.gpkg"), &model, 0, &err), GVM_MISMATCH, &err,
                      "expected 24 from these weights; the file is corrupt");
        assert_null(map);
        empty_folder(NULL);
    }
    make_map();
    run_sql("UPDATE geoviewmatch SET value = '24.5' WHERE key = 'width'");
    expect_bad_map(GVM_FORMAT, "m.gpkg: its table `geoviewmatch` is corrupt");
}

/* Anything that could run other SQL than ours, or open other files, is refused before GDAL opens it. */
static void test_hostile_tables(void **state)
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
        expect_bad_map(GVM_FORMAT, "m.gpkg: unexpected view \"");
    }
    make_map();
    run_sql(
        "PRAGMA writable_schema = 1; INSERT INTO sqlite_master VALUES ('table', 'other', 'other', 0, 'CREATE VIRTUAL "
        "TABLE other USING VirtualOGR(''/etc/passwd'')')");
    expect_bad_map(GVM_FORMAT, "m.gpkg: unexpected virtual table \"other\"; a map");
    static const char *const texts[][2] = {
        /* inserted by hand, to be mistaken for something else */
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
        expect_bad_map(GVM_FORMAT, "\"other\"; a map has none such");
    }
}

static void test_hostile_triggers(void **state)
{
    (void)state;
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
        expect_status(gvm_map_remove(in_folder("m.gpkg"), "-180,-90,180,90", &removed, &err), GVM_FORMAT, &err,
                      "it may be malicious");
        empty_folder(NULL);
    }
}

/* A user's own tables are accepted. */
static void test_own_tables(void **state)
{
    (void)state;
    make_map();
    run_sql(
        "CREATE TABLE notes (text); CREATE VIEW short AS SELECT text FROM notes; INSERT INTO notes VALUES ('x');"
        "create table if not exists main.[my notes](a unique, b); create unique index \"a \"\"b\"\"\" on [my notes](b);"
        "CREATE TABLE ä$1(x) ; create temp view v as select 1; create  virtual table r2 using rtree(id, a, b);"
        "CREATE TRIGGER IF NOT EXISTS main.'t''1' AFTER INSERT ON notes BEGIN SELECT 1; END;"
        "ALTER TABLE notes RENAME TO \"the notes\"; CREATE TABLE copied AS SELECT * FROM \"the notes\"");
    gvm_map_free(open_map());
    struct map_file *file = open_to_write();
    append_rows(file, 1);
    commit_rows(file, 1);
    map_file_close(file);
    check_index(6);
}

static void make_over(gvm_status status, const char *words)
{
    struct map_file *file;
    gvm_error err = {""};
    expect_status(map_file_create(&file, in_folder("m.gpkg"), &info, 64, json_array(), &err), status, &err, words);
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

/* Other programs' files under the names that a map uses are left unchanged. */
static void test_strangers(void **state)
{
    (void)state;
    static const char *const names[] = {"m.features", "m.features.tmp.gpkg", "m.gpkg-journal", "m.gpkg-wal",
                                        "m.features.tmp.gpkg-journal"};
    static const char *const texts[] = {"my notes, one day of work", "G", "GVMFEATURES of my own", "SQLite"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
            put_text(names[i], texts[k]);
            make_over(GVM_FILE, "does not belong to a map; move it away");
            expect_text(names[i], texts[k]);
            assert_int_equal(access(in_folder("m.gpkg"), F_OK), -1);
            if (i > 0) assert_int_equal(access(in_folder("m.features"), F_OK), -1);
            empty_folder(NULL);
        }
    for (int dangling = 0; dangling < 2; dangling++) {
        if (!dangling) put_text("victim", "alias x=y");
        assert_int_equal(symlink("victim", in_folder("m.features")), 0);
        make_over(GVM_FILE, "m.features: it is a symbolic link; move it away");
        if (!dangling) expect_text("victim", "alias x=y");
        assert_int_equal(access(in_folder("victim"), F_OK), dangling ? -1 : 0);
        empty_folder(NULL);
        if (!dangling) put_text("victim", "SQLite format 3");
        assert_int_equal(symlink("victim", in_folder("m.features.tmp.gpkg")), 0);
        make_over(GVM_FILE, "m.features.tmp.gpkg: it exists and does not belong to a map");
        if (!dangling) expect_text("victim", "SQLite format 3");
        empty_folder(NULL);
    }
    assert_int_equal(symlink("gone.gpkg", in_folder("m.gpkg")), 0);
    make_over(GVM_FILE, "m.gpkg: cannot make it: File exists");
    assert_int_equal(access(in_folder("gone.gpkg"), F_OK), -1);
    empty_folder(NULL);

    static uint8_t header[FEATURES_START]; /* left by a killed build */
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

/* No number in a job from a file leads beyond its rows. */
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
    commit_rows(file, 0);
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
    expect_bad_map(GVM_FORMAT, "m.features: it is not a map's features file");
    make_map();
    assert_int_equal(truncate(in_folder("m.features"), FEATURES_START + 5 * WIDTH * 2 - 1), 0);
    expect_bad_map(GVM_FORMAT, "m.features: it is truncated: it has 4 of 5 rows");
    make_map();
    rename(in_folder("m.features"), in_folder("old"));
    unlink(in_folder("m.gpkg"));
    make_map();
    rename(in_folder("old"), in_folder("m.features"));
    expect_bad_map(GVM_MISMATCH, "m.features: it does not belong to");
    make_map();
    unlink(in_folder("m.gpkg"));
    gvm_error err;
    struct map_file *file;
    expect_status(map_file_create(&file, in_folder("m.gpkg"), &info, 64, json_array(), &err), GVM_FILE, &err,
                  "m.features: it exists without its .gpkg");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_width, empty_folder),
        cmocka_unit_test_teardown(test_hostile_tables, empty_folder),
        cmocka_unit_test_teardown(test_hostile_triggers, empty_folder),
        cmocka_unit_test_teardown(test_own_tables, empty_folder),
        cmocka_unit_test_teardown(test_strangers, empty_folder),
        cmocka_unit_test_teardown(test_jobs, empty_folder),
        cmocka_unit_test_teardown(test_foreign, empty_folder),
        cmocka_unit_test_teardown(test_features, empty_folder),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
