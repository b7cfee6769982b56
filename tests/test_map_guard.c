/* test_map_guard.c - a map's features that are overwritten, truncated or appended to while they are mapped */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#undef fail /* cmocka's; base/error.h defines ours */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "map/features_file.h"
#include "map/map.h"

enum { ROWS = 40, WIDTH = 1000 };

static const size_t SIZE = FEATURES_START + ROWS * WIDTH * sizeof(uint16_t);
static char folder[] = "/tmp/watch-XXXXXX", path[64], features[64];

static void write_at(size_t at, const void *bytes, size_t size)
{
    FILE *file = fopen(features, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, (long)at, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* Each test has its own file, filled with ones. */
static int start(void **state)
{
    static gvm_map map;
    gvm_error err;
    FILE *file = fopen(features, "wb");
    if (file == NULL) return -1;
    for (size_t i = 0; i < SIZE; i++) fputc(1, file);
    fclose(file);
    map = (gvm_map){.width = WIDTH, .rows = ROWS, .path = path};
    *state = &map;
    return file_map(&map.file, features, &err) == GVM_OK ? 0 : -1;
}

static int end(void **state)
{
    gvm_map *map = *state;
    file_unmap(&map->file);
    return unlink(features);
}

static void test_written(void **state)
{
    gvm_map_guard *watch;
    gvm_error err;
    assert_int_equal(gvm_map_guard_open(&watch, *state, true, &err), GVM_OK);
    assert_int_equal(gvm_map_guard_check(watch, &err), GVM_OK);
    write_at(SIZE, "more", 4); /* after the last row */
    assert_int_equal(gvm_map_guard_check(watch, &err), GVM_OK);
    write_at(SIZE - 1, "2", 1);
    assert_int_equal(gvm_map_guard_check(watch, &err), GVM_FILE);
    assert_non_null(strstr(err.text, "map.features: it was modified"));
    assert_int_equal(gvm_map_guard_check(watch, &err), GVM_FILE);
    write_at(SIZE - 1, "\1", 1);
    assert_int_equal(gvm_map_guard_check(watch, &err), GVM_OK);
    struct stat before; /* as cp --preserve does */
    assert_int_equal(stat(features, &before), 0);
    write_at(SIZE - 1, "2", 1);
    const struct timespec times[2] = {before.st_atim, before.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, features, times, 0), 0);
    assert_int_equal(gvm_map_guard_check(watch, &err), GVM_FILE);
    gvm_map_guard_free(watch);
}

/* Missing pages are read as zeros; those before are unchanged. */
static void test_cut(void **state)
{
    const gvm_map *map = *state;
    gvm_map_guard *watch;
    gvm_error err;
    long page = sysconf(_SC_PAGESIZE);
    for (int values = 0; values < 2; values++) {
        assert_int_equal(truncate(features, (off_t)SIZE), 0);
        if (values == 0) {
            assert_int_equal(gvm_map_guard_open(&watch, map, false, &err), GVM_OK);
            assert_int_equal(truncate(features, 2 * page), 0);
            assert_int_equal(map->file.data[2 * page - 1], 1);
            assert_int_equal(map->file.data[2 * page], 0);
            assert_int_equal(map->file.data[SIZE - 1], 0);
            assert_int_equal(truncate(features, 0), 0);
            assert_int_equal(map->file.data[0], 0);
            assert_int_equal(truncate(features, (off_t)SIZE), 0); /* data read earlier is no less wrong */
        } else {
            assert_int_equal(gvm_map_guard_open(&watch, map, true, &err), GVM_OK);
            assert_int_equal(truncate(features, 0), 0);
        }
        assert_int_equal(gvm_map_guard_check(watch, &err), GVM_FILE);
        assert_non_null(strstr(err.text, "map.features: it was truncated"));
        gvm_map_guard_free(watch);
    }
}

static void test_other(void **state)
{
    gvm_map_guard *watch;
    gvm_error err;
    gvm_map list = {.path = path};
    (void)state;
    assert_int_equal(gvm_map_guard_open(&watch, &list, true, &err), GVM_OK); /* of a list: no file */
    assert_int_equal(gvm_map_guard_check(watch, &err), GVM_OK);
    gvm_map_guard_free(watch);
    gvm_map_guard_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_written, start, end),
        cmocka_unit_test_setup_teardown(test_cut, start, end),
        cmocka_unit_test_setup_teardown(test_other, start, end),
    };
    if (mkdtemp(folder) == NULL) return 1;
    snprintf(path, sizeof path, "%s/map.gpkg", folder);
    snprintf(features, sizeof features, "%s/map.features", folder);
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return failures;
}
