/* map_support.c - see map_support.h */
#include "map_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "folder_support.h"
#include "geo/earth.h"
#include "map/map.h"
#include "map/map_file.h"

void expect_status(gvm_status got, gvm_status status, const gvm_error *err, const char *words)
{
    if (got != status || strstr(err->text, words) == NULL)
        fail_msg("status %d: %s (wanted: %s)", got, err->text, words);
}

float value_of(size_t row, int k)
{
    return (float)(((double)(row * 7 + (size_t)k) - 50) / 64);
}

struct place place_of(size_t row)
{
    struct place p = {.lat = 50 + 0.001 * (double)row, .lon = 179.9985 + 0.001 * (double)row, .metres = 64};
    p.source = row < 3 ? "a.tif" : "b.tif";
    p.lon = lon_normal(p.lon);
    tile_box(p.box, p.lat, p.lon, p.metres);
    return p;
}

void append_rows(struct map_file *file, size_t n)
{
    float *features = malloc(n * WIDTH * sizeof *features);
    gvm_error err;
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < WIDTH; k++) features[i * WIDTH + (size_t)k] = value_of(file->end + i, k);
    if (map_file_append(file, features, n, &err) != GVM_OK) fail_msg("%s", err.text);
    free(features);
}

struct map_file *open_to_write(void)
{
    struct map_file *file;
    gvm_error err;
    if (map_file_open(&file, in_folder("m.gpkg"), true, &err) != GVM_OK) fail_msg("%s", err.text);
    return file;
}

void commit_rows(struct map_file *file, size_t n)
{
    struct place places[16];
    gvm_error err;
    for (size_t i = 0; i < n; i++) places[i] = place_of(file->rows + i);
    if (map_file_commit(file, places, n, &err) != GVM_OK) fail_msg("%s", err.text);
}

void make_map(void)
{
    gvm_error err;
    struct map_file *file;
    if (map_file_create(&file, in_folder("m.gpkg"), &info, 64,
                        json_pack("[{sb,si,s{si}}]", "complete", 0, "done", 7, "imagery", "places", 40),
                        &err) != GVM_OK)
        fail_msg("%s", err.text);
    append_rows(file, 3);
    append_rows(file, 2);
    commit_rows(file, 5);
    append_rows(file, 2);
    map_file_close(file);
}

gvm_map *open_map(void)
{
    gvm_map *map;
    gvm_error err;
    if (gvm_map_open(&map, in_folder("m.gpkg"), NULL, 0, &err) != GVM_OK) fail_msg("%s", err.text);
    return map;
}

double ask_sql(const char *sql)
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

void check_index(size_t count)
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
