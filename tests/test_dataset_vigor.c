/* test_dataset_vigor.c - the reader of VIGOR. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "data/dataset.h"
#include "dataset_support.h"
#include "folder_support.h"

static const char *const cities[] = {"NewYork", "Seattle", "SanFrancisco", "Chicago"};

static const char *const tiles[] = {"satellite_40.70_-73.99.png", "satellite_40.71_-73.99.png",
                                    "satellite_40.70_-73.98.png", "satellite_40.71_-73.98.png",
                                    "satellite_40.72_-73.97.png"};

static const char gallery[] = "satellite_40.70_-73.99.png\nsatellite_40.71_-73.99.png\r\nsatellite_40.70_-73.98.png\n"
                              "satellite_40.71_-73.98.png\nsatellite_40.72_-73.97.png\n";

/* Labels of one panorama with the tiles first, first + 1, ... of the gallery. */
static const char *vigor_line(const char *panorama, int first)
{
    static char line[600];
    int n = snprintf(line, sizeof line, "%s", panorama);
    for (int i = 0; i < 4; i++)
        n += snprintf(line + n, sizeof line - (size_t)n, " %s %.1f -141.0", tiles[(first + i) % 5], -71.0 + i);
    snprintf(line + n, sizeof line - (size_t)n, "\r\n");
    return line;
}

static void put_vigor_city(const char *city, const char *folder, const char *suffix, bool by_view)
{
    char name[200];
    static const char *const lists[] = {"same_area_balanced_train", "same_area_balanced_test", "pano_label_balanced"};
    snprintf(name, sizeof name, "%s/%s/satellite_list.txt", folder, city);
    put_deep(name, gallery);
    for (int i = 0; i < 3; i++) {
        char lines[1200], panorama[60];
        snprintf(panorama, sizeof panorama, "-x_%d,40.705,-73.985,.jpg", i);
        snprintf(lines, sizeof lines, "%s", vigor_line(panorama, i));
        snprintf(lines + strlen(lines), sizeof lines - strlen(lines), "%s", vigor_line("gone,40.705,-73.985,.jpg", 0));
        snprintf(name, sizeof name, "%s/%s/%s%s.txt", folder, city, lists[i], suffix);
        put_deep(name, lines);
        snprintf(name, sizeof name, "%s/%s/%s", by_view ? "ground" : city, by_view ? city : "panorama", panorama);
        put_picture(name);
    }
    for (int i = 0; i < 4; i++) { /* not the fifth */
        snprintf(name, sizeof name, "%s/%s/%s", by_view ? "satellite" : city, by_view ? city : "satellite", tiles[i]);
        put_picture(name);
    }
}

static void expect_vigor_query(const struct split *split, int i, const char *id, int tile, int near_count)
{
    const struct query *q = &split->queries[i];
    assert_string_equal(q->id, id);
    assert_true(q->lat == 40.705 && q->lon == -73.985 && q->heading == 0);
    expect_path(split->tiles[q->tile].path, tiles[tile]);
    assert_int_equal(q->near_count, near_count);
    for (int k = 0, next = tile + 1; k < near_count; k++, next++) {
        if (next == 4) next++; /* this one is missing */
        expect_path(split->tiles[q->near[k]].path, tiles[next % 5]);
    }
}

static void test_vigor(void **state)
{
    for (int layout = 0; layout < 2; layout++) {
        for (int c = 0; c < 4; c++) put_vigor_city(cities[c], "splits", layout ? "" : "__corrected", layout);
        struct dataset *d = open_folder(NULL);
        assert_string_equal(d->format, "VIGOR");
        assert_string_equal(d->test_name, "same-area");
        assert_string_equal(d->note, "");
        assert_true(d->train.query_count == 4 && d->test.query_count == 4);
        assert_true(d->train.tile_count == 16 && d->test.tile_count == 16);
        assert_true(d->left_out == 8 && d->tiles_left_out == 8);
        for (int c = 0; c < 4; c++) {
            expect_vigor_query(&d->train, c, "-x_0", 0, 3);
            expect_vigor_query(&d->test, c, "-x_1", 1, 2); /* the last tile is missing */
            assert_non_null(strstr(d->test.queries[c].path, cities[c]));
            assert_int_equal(d->test.queries[c].tile, 4 * c + 1);
        }
        assert_true(d->train.tiles[1].lat == 40.71 && d->train.tiles[1].lon == -73.99);
        dataset_free(d);
        d = open_folder(&(struct dataset_options){.test = "cross-area"});
        assert_true(d->train.query_count == 2 && d->test.query_count == 2 && d->train.tile_count == 8);
        assert_non_null(strstr(d->train.queries[0].path, "NewYork"));
        assert_non_null(strstr(d->train.queries[1].path, "Seattle"));
        assert_non_null(strstr(d->test.queries[0].path, "SanFrancisco"));
        assert_non_null(strstr(d->test.tiles[7].path, "Chicago"));
        expect_vigor_query(&d->test, 1, "-x_2", 2, 2);
        dataset_free(d);
        clear_folder(state);
    }
}

/* Corrected labels take precedence, recognised by their folder and their name. */
static void test_vigor_corrected(void **state)
{
    (void)state;
    put_vigor_city("Chicago", "splits", "", false);
    put_vigor_city("Chicago", "splits", "__corrected", false);
    put_deep("splits/Chicago/same_area_balanced_train.txt", "not looked at");
    struct dataset *d = open_folder(NULL);
    assert_true(d->train.query_count == 1 && d->train.tile_count == 4);
    assert_non_null(strstr(d->note, "has no labels of NewYork, Seattle, SanFrancisco"));
    dataset_free(d);
    put_deep("splits__corrected/Chicago/satellite_list.txt", "satellite_40.70_-73.99.png");
    expect_refused(GVM_FILE, NULL, "splits__corrected/Chicago/same_area_balanced_train.txt: cannot open it");
}

static void test_vigor_that_lies(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *words;
    } cases[] = {
        {"satellite_list", "satellite_40.70_-73.99.png 3\n", "splits/Chicago/satellite_list.txt, line 1: got 2 fields"},
        {"satellite_list", "\nsatellite_x_-73.99.png\n", "line 2: 'satellite_x_-73.99.png' has no latitude"},
        {"satellite_list", "_.00\n", "line 1: '_.00' has no"},
        {"satellite_list", "satellite.png\n", "line 1: 'satellite.png' has no latitude"},
        {"satellite_list", "../satellite_40.70_-73.99.png\n", "is not a picture's name in Chicago/satellite"},
        {"satellite_list", "satellite_90.70_-73.99.png\n", "latitude 90.7, longitude -73.99 is out of range"},
        {"same_area_balanced_test", "a,1,2,.jpg\n", "same_area_balanced_test.txt, line 1: got 1 fields, expected 13"},
        {"same_area_balanced_test", "a b c d e f g h i j k l m n\n", "line 1: it has more than 13 fields"},
        {"same_area_balanced_test",
         "a,1,2,.jpg satellite_1_2.png 1 2 satellite_1_2.png 1 2 satellite_1_2.png 1 2 satellite_1_2.png 1 2\n",
         "line 1: the tile 'satellite_1_2.png' is not in the city's satellite_list.txt"},
        {"same_area_balanced_test",
         "a,1,.jpg satellite_1_2.png 1 2 satellite_1_2.png 1 2 satellite_1_2.png 1 2 satellite_1_2.png 1 2\n",
         "line 1: 'a,1,.jpg' has no latitude"},
        {"same_area_balanced_test",
         "a,1,2,.jpg satellite_40.70_-73.99.png 1 2 satellite_40.70_-73.99.png x 2 t 1 2 t 1 2\n",
         "line 1: the offset \"x\" is not a number"},
        {"same_area_balanced_test", "../a,1,2,.jpg t 1 2 t 1 2 t 1 2 t 1 2\n",
         "line 1: '../a,1,2,.jpg' is not a picture's name in Chicago/panorama"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[100];
        put_vigor_city("Chicago", "splits", "", false);
        snprintf(name, sizeof name, "splits/Chicago/%s.txt", cases[i].name);
        put_deep(name, cases[i].text);
        expect_refused(GVM_FORMAT, NULL, cases[i].words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_vigor, clear_folder),
        cmocka_unit_test_teardown(test_vigor_corrected, clear_folder),
        cmocka_unit_test_teardown(test_vigor_that_lies, clear_folder),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
