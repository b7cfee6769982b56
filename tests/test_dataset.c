/* test_dataset.c - readers of data sets on folders that the test writes, and on invalid labels: lists of pairs, CVUSA
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "data/dataset.h"
#include "dataset_support.h"
#include "folder_support.h"

/* ------------------------------------------------------------------ pairs */

static void put_pairs_pictures(void)
{
    static const char *const names[] = {"street/1.png", "street/2.png", "street/3, \"x\".png", "aerial/1.png",
                                        "aerial/2.png"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) put_picture(names[i]);
}

static void test_pairs(void **state)
{
    (void)state;
    put_pairs_pictures();
    put_deep("pairs.csv", "\xef\xbb\xbfid,street,aerial,lat,lon,heading\r\n"
                          "1,street/1.png,aerial/1.png,51.5,-0.25,12.5\r\n"
                          "\r\n"
                          "\"two, 2\" , street/2.png,\"aerial/2.png\",-33,151,\r\n"
                          "3,\"street/3, \"\"x\"\".png\",aerial/1.png,,,-90\r\n"
                          "4,street/4.png,aerial/1.png,51.5,-0.25,0\r\n"
                          "5,street/1.png,aerial/5.png,51.5,-0.25,0");
    struct dataset *d = open_folder(NULL);
    assert_string_equal(d->format, "pairs");
    assert_true(d->undivided && d->left_out == 2 && d->hit_m == 0 && d->ground_m == 64);
    assert_true(d->elevation[0] == -45 && d->elevation[1] == 45);
    expect_path(d->missing, "street/4.png");
    const struct split *splits[] = {&d->train, &d->test};
    for (int s = 0; s < 2; s++) {
        const struct query *q = splits[s]->queries;
        const struct tile *t = splits[s]->tiles;
        assert_int_equal(splits[s]->query_count, 3);
        assert_int_equal(splits[s]->tile_count, 2);
        assert_string_equal(q[1].id, "two, 2");
        expect_path(q[0].path, "street/1.png");
        expect_path(q[2].path, "street/3, \"x\".png");
        expect_path(t[1].path, "aerial/2.png");
        assert_true(q[0].tile == 0 && q[1].tile == 1 && q[2].tile == 0 && q[0].near_count == 0);
        assert_true(q[0].lat == 51.5 && q[0].lon == -0.25 && t[0].lat == 51.5 && t[1].lon == 151);
        assert_true(isnan(q[2].lat) && isnan(q[2].lon));
        assert_true(q[0].heading == 12.5 && isnan(q[1].heading) && q[2].heading == -90);
    }
    dataset_free(d);
}

static void test_pairs_splits(void **state)
{
    (void)state;
    put_pairs_pictures();
    put_deep("pairs.csv", "split,lon,lat,aerial,street,id,aerial_lat,aerial_lon\n"
                          "train,2,1,aerial/1.png,street/1.png,a,1.001,2.001\n"
                          "test,4,3,aerial/2.png,street/2.png,b,,\n"
                          "val,6,5,aerial/1.png,street/2.png,c,,\n");
    const char *const tests[] = {NULL, "val", "test"};
    for (int i = 0; i < 3; i++) {
        struct dataset *d = open_folder(&(struct dataset_options){.test = tests[i], .ground_m = 100});
        assert_true(!d->undivided && d->ground_m == 100);
        assert_string_equal(d->test_name, i == 2 ? "test" : "val");
        assert_true(d->train.query_count == 1 && d->test.query_count == 1);
        assert_true(d->train.tiles[0].lat == 1.001 && d->train.queries[0].lat == 1);
        assert_true(isnan(d->train.queries[0].heading));
        assert_string_equal(d->test.queries[0].id, i == 2 ? "b" : "c");
        assert_true(d->test.tiles[0].lat == (i == 2 ? 3 : 5));
        dataset_free(d);
    }
    put_deep("pairs.csv", "id,street,aerial,lat,lon,split\n"
                          "a,street/1.png,aerial/1.png,,,test\nb,street/2.png,aerial/1.png,1,2,test\n");
    struct dataset *d = open_folder(NULL);
    assert_string_equal(d->test_name, "test");
    assert_true(d->train.query_count == 0 && d->test.query_count == 2 && d->test.tile_count == 1);
    assert_true(isnan(d->test.queries[0].lat) && d->test.tiles[0].lat == 1 && d->test.tiles[0].lon == 2);
    dataset_free(d);
}

static void test_pairs_that_lie(void **state)
{
    (void)state;
    put_pairs_pictures();
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"\n", "pairs.csv: the list is empty"},
        {"id,street,aerial,lat,lon\n", "its labels list no pairs"},
        {"id,street,aerial,lat\na,b,c,1\n", "pairs.csv, line 1: the header lacks the column \"lon\""},
        {"id,street,aerial,lat,lon,headng\n", "line 1: unknown column \"headng\" in the header; expected id, street,"},
        {"id,street,aerial,lat,lon,aerial_lat\n",
         "line 1: the header has only one of aerial_lat and aerial_lon; expected both or none"},
        {"id,street,aerial,lat,lon\n1,s,a,1\n", "line 2: got 4 fields, expected 5 as in the header"},
        {"id,street,aerial,lat,lon\n1,s,a,1,2,3\n", "line 2: got 6 fields, expected 5 as in the header"},
        {"id,street,aerial,lat,lon\n,s,a,1,2\n", "line 2: its id is empty"},
        {"id,street,aerial,lat,lon\n1,,a,1,2\n", "line 2: its street is empty"},
        {"id,street,aerial,lat,lon\n1,s,a,1,\n", "line 2: only one of latitude and longitude"},
        {"id,street,aerial,lat,lon\n1,s,a,north,2\n", "line 2: lat \"north\" is not a number"},
        {"id,street,aerial,lat,lon\n1,s,a,91,2\n", "line 2: latitude 91, longitude 2 is out of range"},
        {"id,street,aerial,lat,lon\n1,s,a,1,-180.5\n", "line 2: latitude 1, longitude -180.5 is out of range"},
        {"id,street,aerial,lat,lon,heading\n1,s,a,1,2,361\n", "line 2: heading 361 is outside"},
        {"id,street,aerial,lat,lon,split\n1,s,a,1,2,dev\n",
         "line 2: unknown split \"dev\"; expected train, val or test"},
        {"id,street,aerial,lat,lon\n\n1,../s,a,1,2\n", "line 3: '../s' is outside the data set's folder"},
        {"id,street,aerial,lat,lon\n1,street/../../s,a,1,2\n", "line 2: 'street/../../s' is outside"},
        {"id,street,aerial,lat,lon\n1,street/1.png,/etc/a,1,2\n", "line 2: '/etc/a' is outside"},
        {"id,street,aerial,lat,lon\n1,s,aerial/..,1,2\n", "line 2: 'aerial/..' is outside"},
        {"id,street,aerial,lat,lon\n1,\"s,a,1,2\n", "line 2: a quoted field is not closed"},
        {"id,street,aerial,lat,lon\n1,s,a,1,2\n2,..s,..,1,2\n", "line 3: '..' is outside"},
        {"id,street,aerial,lat,lon\n1,s,..a,1,2\n", "none of its 1 pairs has both pictures; the first missing one is"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_deep("pairs.csv", cases[i].text);
        expect_refused(strstr(cases[i].words, "has both pictures") ? GVM_FILE : GVM_FORMAT, NULL, cases[i].words);
    }
    put_deep("pairs.csv", "id,street,aerial,lat,lon\n1,street/1.png,aerial/9.png,91,2\n");
    struct dataset *d = open_folder(&(struct dataset_options){.as_listed = true}); /* as much as can be read */
    assert_true(d->train.query_count == 1 && d->train.queries[0].lat == 91 && d->left_out == 0);
    dataset_free(d);
    put_deep("pairs.csv", "id,street,aerial,lat,lon\n1,street/1.png,aerial/1.png,1,2\n");
    expect_refused(GVM_ARGUMENT, &(struct dataset_options){.test = "val"}, "has no column `split`");
    expect_refused(GVM_ARGUMENT, &(struct dataset_options){.test = "dev"}, "test split is val or test, not 'dev'");
    expect_refused(GVM_ARGUMENT, &(struct dataset_options){.format = "COCO"}, "unknown data set format 'COCO'");
    expect_refused(GVM_ARGUMENT, &(struct dataset_options){.ground_m = NAN}, "invalid ground size");
    expect_refused(GVM_ARGUMENT, &(struct dataset_options){.elevation = (double[2]){45, -45}},
                   "invalid elevation range");
    expect_refused(GVM_FILE, &(struct dataset_options){.format = "cvact"}, "ACT_data.mat: cannot open it");
    expect_refused(GVM_FILE, &(struct dataset_options){.format = "CVUSA"}, "val-19zl.csv: cannot open it");
    expect_refused(GVM_FILE, &(struct dataset_options){.format = "VIGOR"}, "no folder of a VIGOR city");
    put_deep("ACT_data.mat", "");
    expect_refused(GVM_ARGUMENT, NULL, "it has the labels of both CVACT and pairs");
    clear_folder(NULL);
    expect_refused(GVM_FILE, NULL, "no data set found");
    struct dataset *none;
    gvm_error err;
    assert_int_equal(dataset_open(&none, in_folder("nowhere"), NULL, &err), GVM_FILE);
    assert_non_null(strstr(err.text, "nowhere: cannot open it"));
}

/* ------------------------------------------------------------------ CVUSA */

static void put_cvusa(const char *places)
{
    for (int i = 1; i <= 4; i++) {
        char name[60];
        snprintf(name, sizeof name, "bingmap/19/%07d.jpg", i);
        put_picture(name);
        snprintf(name, sizeof name, "streetview/panos/%07d.jpg", i);
        if (i != 3) put_picture(name);
    }
    put_deep("splits/train-19zl.csv", "bingmap/19/0000002.jpg,streetview/panos/0000002.jpg\n"
                                      "bingmap/19/0000003.jpg,streetview/panos/0000003.jpg\n"
                                      "bingmap/19/0000001.jpg,streetview/panos/0000001.jpg\n");
    put_deep("splits/val-19zl.csv",
             "bingmap/19/0000004.jpg,streetview/panos/0000004.jpg,streetview/annotations/0000004.png\r\n");
    if (places != NULL) put_deep(places, "10,20,10.5,20.5,7\n11,21,11.5,21.5,7\n12,22,12.5,22.5,7\n13,23,13.5,23.5\n");
}

static void test_cvusa(void **state)
{
    static const char *const places[] = {"split_locations/all.csv", "all.csv", NULL};
    for (int i = 0; i < 3; i++) {
        put_cvusa(places[i]);
        struct dataset *d = open_folder(NULL);
        assert_string_equal(d->format, "CVUSA");
        assert_string_equal(d->test_name, "val");
        assert_true(d->train.query_count == 2 && d->train.tile_count == 2 && d->test.query_count == 1);
        assert_true(d->left_out == 1 && !d->undivided);
        expect_path(d->missing, "panos/0000003.jpg");
        const struct query *q = &d->train.queries[0];
        assert_string_equal(q->id, "0000002");
        expect_path(q->path, "streetview/panos/0000002.jpg");
        expect_path(d->train.tiles[q->tile].path, "bingmap/19/0000002.jpg");
        assert_true(q->heading == 0);
        if (places[i] == NULL) {
            assert_true(isnan(q->lat) && isnan(d->test.tiles[0].lon));
            assert_non_null(strstr(d->note, "positions are unknown"));
        } else {
            assert_true(q->lat == 11.5 && q->lon == 21.5 && d->train.tiles[q->tile].lat == 11);
            assert_true(d->test.queries[0].lon == 23.5 && d->test.tiles[0].lon == 23);
            assert_string_equal(d->note, "");
        }
        assert_true(fabs(d->elevation[1] - d->elevation[0] - 65.4545) < 1e-3 && d->elevation[0] == -d->elevation[1]);
        assert_true(d->ground_m > 150 && d->ground_m < 200);
        dataset_free(d);
        clear_folder(state);
    }
}

static void test_cvusa_that_lies(void **state)
{
    (void)state;
    put_cvusa("all.csv");
    static const struct {
        const char *name, *text, *words;
    } cases[] = {
        {"splits/val-19zl.csv", "bingmap/19/0000004.jpg\n", "splits/val-19zl.csv, line 1: got one field"},
        {"splits/val-19zl.csv", "a,b,c,d\n", "splits/val-19zl.csv, line 1: it has more than 3 fields"},
        {"splits/val-19zl.csv", "\n../a,b,c\n", "splits/val-19zl.csv, line 2: '../a' is outside"},
        {"splits/val-19zl.csv", "a,0000005.jpg\n", "line 1: image 5 is out of range for the 4 lines of all.csv"},
        {"splits/val-19zl.csv", "a,\n", "line 1: a picture's name is empty"},
        {"all.csv", "1,2,3\n", "all.csv, line 1: got 3 fields, expected the four or five"},
        {"all.csv", "1,2,3,4\n\n1,2,3,4\n", "all.csv, line 2: it is empty"},
        {"all.csv", "1,2,3,north\n", "all.csv, line 1: \"north\" is not a number"},
        {"all.csv", "1,2,3,4\n1,2,3,181\n1,2,3,4\n1,2,3,4\n", "line 1: latitude 3, longitude 181 is out of range"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_cvusa("all.csv");
        put_deep(cases[i].name, cases[i].text);
        expect_refused(GVM_FORMAT, NULL, cases[i].words);
    }
    put_cvusa("all.csv");
    expect_refused(GVM_ARGUMENT, &(struct dataset_options){.test = "test"}, "a CVUSA data set's test split is val");
}

/* ------------------------------------------------------------------ long lists */

/* Reads a list of `lines` pairs twice; returns the CPU seconds of the process. */
static double read_list(int lines)
{
    FILE *file = fopen(in_folder("pairs.csv"), "w");
    assert_non_null(file);
    fputs("id,street,aerial,lat,lon,split\n", file);
    for (int i = 0; i < lines; i++)
        fprintf(file, "%d,street/%d.png,aerial/%d.png,%.6f,%.6f,%s\n", i, i % 2 + 1, i, i * 1e-4, i * 1e-3,
                i % 10 == 0 ? "test" : "train");
    fclose(file);
    clock_t start = clock();
    struct dataset *d = open_folder(&(struct dataset_options){.as_listed = true});
    assert_int_equal(d->train.query_count, lines / 10 * 9);
    assert_int_equal(d->test.tile_count, lines / 10);
    dataset_free(d);
    d = open_folder(NULL); /* all but two are missing */
    assert_int_equal(d->left_out, lines - 2);
    dataset_free(d);
    return (double)(clock() - start) / CLOCKS_PER_SEC;
}

/* Time grows linearly with the lines, not quadratically: for ten times the lines ten times the time, not a hundred. */
static void test_long_list(void **state)
{
    (void)state;
    put_pairs_pictures();
    double few = read_list(10000), many = read_list(100000);
    if (many > 40 * few) fail_msg("10,000 lines took %.2f s, 100,000 %.2f s", few, many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_pairs, clear_folder),
        cmocka_unit_test_teardown(test_pairs_splits, clear_folder),
        cmocka_unit_test_teardown(test_pairs_that_lie, clear_folder),
        cmocka_unit_test_teardown(test_cvusa, clear_folder),
        cmocka_unit_test_teardown(test_cvusa_that_lies, clear_folder),
        cmocka_unit_test_teardown(test_long_list, clear_folder),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
