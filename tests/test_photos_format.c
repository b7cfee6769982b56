/* test_photos_format.c - data sets of photos: the list, the rasters, the cells of the photos; the places that training
 * draws around them, and which of these a loss may use as negatives */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/dataset.h"
#include "data/drawn_place.h"
#include "dataset_support.h"
#include "folder_support.h"
#include "imagery/cells.h"

/* ------------------------------------------------------------------ the list */

static void put_photos(const char *list)
{
    for (int i = 1; i <= 4; i++) {
        char name[20];
        snprintf(name, sizeof name, "p/%d.jpg", i);
        put_picture(name);
    }
    put_picture("imagery/a.tif");
    put_deep("photos.csv", list);
}

/* 2 and 3 are in the same cell; 5 is missing. */
static const char good[] = "image,lat,lon,heading,hfov,split\n"
                           "p/1.jpg,45,-30,350.5,60,train\n"
                           "p/2.jpg,45.001,-30,,60,train\n"
                           "p/3.jpg,45.00101,-30.00001,12,60,train\n"
                           "p/4.jpg,45.01,-30,0,60,test\n"
                           "p/5.jpg,45.02,-30,0,60,test\n";

static void test_list(void **state)
{
    (void)state;
    put_photos(good);
    struct dataset *d = open_folder(NULL);
    const struct split *train = &d->train, *test = &d->test;
    assert_string_equal(d->format, "photos");
    assert_string_equal(d->test_name, "test");
    assert_true(!d->undivided && d->left_out == 1 && d->ground_m == 30 && d->hit_m == 0);
    expect_path(d->missing, "p/5.jpg");
    assert_true(train->query_count == 3 && train->tile_count == 2 && test->query_count == 1 && test->tile_count == 1);
    assert_string_equal(train->queries[0].id, "p/1.jpg");
    expect_path(train->queries[2].path, "p/3.jpg");
    assert_true(train->queries[0].heading == 350.5 && isnan(train->queries[1].heading));
    assert_true(train->queries[0].tile == 0 && train->queries[1].tile == 1 && train->queries[2].tile == 1);
    for (int i = 0; i < 3; i++) {
        const struct query *q = &train->queries[i];
        const struct tile *t = &train->tiles[q->tile];
        struct cell cell = cell_of(q->lat, q->lon, 30);
        double lat, lon;
        char name[40];
        cell_centre(&lat, &lon, cell, 30);
        snprintf(name, sizeof name, "cell %d,%d", cell.row, cell.col);
        assert_string_equal(t->path, name);
        assert_true(t->lat == lat && t->lon == lon);
        assert_true(metres_between(q->lat, q->lon, t->lat, t->lon) < 22);
    }
    dataset_free(d);
    d = open_folder(&(struct dataset_options){.ground_m = 200}); /* cells of another size */
    assert_true(d->ground_m == 200 && d->train.tile_count == 1);
    dataset_free(d);
}

static void test_undivided(void **state)
{
    (void)state;
    put_photos("lat,id,lon,file\n45,one,-30,p/1.jpg\n45.01,,-30,p/2.jpg\n");
    struct dataset *d = open_folder(NULL);
    assert_true(d->undivided && d->train.query_count == 2 && d->test.queries == d->train.queries);
    assert_string_equal(d->test_name, "all");
    assert_string_equal(d->train.queries[0].id, "one");
    assert_string_equal(d->train.queries[1].id, "p/2.jpg");
    dataset_free(d);
}

static void test_refused(void **state)
{
    static const struct {
        const char *list, *words;
    } bad[] = {
        {"image,lat\np/1.jpg,45\n", "lon"},
        {"image,lat,lon\np/1.jpg,45,\n", "photos.csv, line 2: its lon is empty"},
        {"image,lat,lon\n,45,7\n", "line 2: its image is empty"},
        {"image,lat,lon\np/1.jpg,45,east\n", "lon \"east\" is not a number"},
        {"image,lat,lon\np/1.jpg,95,7\n", "is out of range"},
        {"image,lat,lon\n../1.jpg,45,7\n", "is outside the data set's folder"},
        {"image,lat,lon,heading\np/1.jpg,45,7,400\n", "heading 400 is outside"},
        {"image,lat,lon,heading\np/1.jpg,45,7,north\n", "heading \"north\" is not a number"},
        {"image,lat,lon,split\np/1.jpg,45,7,dev\n", "unknown split \"dev\"; expected train, val or test"},
        {"image,lat,lon\n", "its labels list no pairs"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put_photos(bad[i].list);
        expect_refused(GVM_FORMAT, NULL, bad[i].words);
    }
    put_photos("image,lat,lon\np/7.jpg,45,7\n");
    expect_refused(GVM_FILE, NULL, "none of its 1 pairs has both pictures");
    expect_refused(GVM_ARGUMENT, &(struct dataset_options){.test = "val"}, "no column `split`");
}

/* As `check` reads it. */
static void test_as_listed(void **state)
{
    (void)state;
    put_photos("image,lat,lon\np/1.jpg,95,7\np/9.jpg,45,7\n");
    struct dataset *d = open_folder(&(struct dataset_options){.as_listed = true});
    assert_int_equal(d->train.query_count, 2);
    assert_string_equal(d->train.tiles[0].path, "no cell");
    assert_true(isnan(d->train.tiles[0].lat) && d->train.tiles[1].lat > 44);
    dataset_free(d);
}

/* ------------------------------------------------------------------ the rasters */

static void expect_rasters(const struct dataset_options *options, const char *const *names)
{
    struct dataset *d = open_folder(options);
    int count = 0;
    for (; names[count] != NULL; count++) {
        assert_non_null(d->rasters[count]);
        expect_path(d->rasters[count], names[count]);
    }
    assert_null(d->rasters[count]);
    dataset_free(d);
}

static void test_rasters(void **state)
{
    (void)state;
    put_deep("photos.csv", good);
    put_picture("p/1.jpg");
    put_picture("p/x.tif"); /* a photo, perhaps */
    expect_refused(GVM_FILE, NULL, "no raster (.tif, .tiff or .vrt) found");
    put_picture("b.TIF");
    expect_rasters(NULL, (const char *const[]){"b.TIF", NULL});
    put_picture("imagery/z.tiff");
    put_picture("imagery/deep/er/a.vrt");
    put_picture("imagery/notes.txt");
    expect_rasters(NULL, (const char *const[]){"imagery/deep/er/a.vrt", "imagery/z.tiff", NULL});
    put_picture("else/where.tif");
    char folder[400], file[400];
    snprintf(folder, sizeof folder, "%s", in_folder("else"));
    snprintf(file, sizeof file, "%s", in_folder("b.TIF"));
    expect_rasters(&(struct dataset_options){.imagery = folder}, (const char *const[]){"else/where.tif", NULL});
    expect_rasters(&(struct dataset_options){.imagery = file}, (const char *const[]){"b.TIF", NULL});
    expect_refused(GVM_FILE, &(struct dataset_options){.imagery = "/nowhere/at/all"}, "cannot open");
    put_deep("pairs.csv", "id,street,aerial,lat,lon\n1,p/1.jpg,p/x.tif,1,2\n");
    expect_refused(GVM_ARGUMENT, NULL, "it has the labels of both pairs and photos");
    expect_refused(GVM_ARGUMENT, &(struct dataset_options){.format = "pairs", .imagery = folder},
                   "whose aerial pictures are files");
}

static uint64_t fingerprint(const struct dataset *d)
{
    gvm_error err;
    uint64_t h;
    assert_int_equal(dataset_fingerprint(&h, d, &err), GVM_OK);
    return h;
}

/* A run continues only with the rasters that it started with. */
static void test_fingerprint(void **state)
{
    (void)state;
    put_photos(good);
    struct dataset *d = open_folder(NULL);
    uint64_t before = fingerprint(d);
    assert_true(before == fingerprint(d));
    put_deep("imagery/a.tif", "other imagery");
    assert_true(before != fingerprint(d));
    dataset_free(d);
}

/* ------------------------------------------------------------------ places */

/* Approximate metres north and east of a place. */
static void offset(double *north, double *east, const struct drawn_place *p, double lat, double lon)
{
    *north = (p->lat - lat) * EARTH_DEGREE * CELL_RADIUS;
    *east = (p->lon - lon) * EARTH_DEGREE * CELL_RADIUS * cos(lat * EARTH_DEGREE);
}

/* In a square rotated like the picture: at most 10 m along it and across it, equally often on each side. */
static void test_draw(void **state)
{
    enum { DRAWN = 4000 };
    const double lat = 45.3, lon = -71.2, side = 20;
    double sums[4] = {0}, farthest = 0;
    (void)state;
    for (uint64_t i = 0; i < DRAWN; i++) {
        struct drawn_place p = draw_place(lat, lon, side, 3, 1, i);
        double north, east, turn = (p.bearing - 180) * EARTH_DEGREE;
        offset(&north, &east, &p, lat, lon);
        double along = north * cos(turn) + east * sin(turn), across = east * cos(turn) - north * sin(turn);
        assert_true(p.bearing >= 180 && p.bearing < 540);
        assert_true(fabs(along) < 10.001 && fabs(across) < 10.001);
        farthest = fmax(farthest, hypot(along, across));
        sums[0] += along;
        sums[1] += across;
        sums[2] += cos(turn);
        sums[3] += sin(turn);
    }
    for (int k = 0; k < 4; k++) assert_true(fabs(sums[k] / DRAWN) < (k < 2 ? 0.4 : 0.05));
    assert_true(farthest > 12 && farthest < 14.15); /* the corners */
    struct drawn_place a = draw_place(lat, lon, side, 3, 1, 7), b = draw_place(lat, lon, side, 3, 1, 7);
    assert_memory_equal(&a, &b, sizeof a);
    const uint64_t others[3][3] = {{4, 1, 7}, {3, 2, 7}, {3, 1, 8}};
    for (int k = 0; k < 3; k++) {
        b = draw_place(lat, lon, side, others[k][0], others[k][1], others[k][2]);
        assert_true(a.lat != b.lat && a.lon != b.lon && a.bearing != b.bearing);
    }
    b = draw_place(10, 179.99999, 1000, 3, 1, 0);
    assert_true(b.lon >= -180 && b.lon < 180);
}

static void test_allowed(void **state)
{
    enum { B = 4 };
    const double metre = 1 / (EARTH_DEGREE * CELL_RADIUS); /* degrees of latitude */
    (void)state;
    struct query queries[6] = {{.lat = 0, .lon = 0}, {.lat = 29.99 * metre}, {.lat = 60 * metre}, {.lat = 60 * metre}};
    const struct split split = {.queries = queries, .query_count = 6};
    const struct drawn_place places[B] = {{0, 0, 0}, {60.1 * metre, 0, 0}, {30.01 * metre, 0, 0}, {1, 2, 0}};
    const int batch[B] = {0, 1, 2, 3};
    uint8_t allowed[B * B];
    places_allowed(allowed, &split, batch, places, B);
    const uint8_t want[B * B] = {1, 1, 1, 1, /**/ 0, 1, 0, 1, /**/ 1, 0, 1, 1, /**/ 1, 0, 0, 1};
    assert_memory_equal(allowed, want, sizeof want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_list, clear_folder),
        cmocka_unit_test_teardown(test_undivided, clear_folder),
        cmocka_unit_test_teardown(test_refused, clear_folder),
        cmocka_unit_test_teardown(test_as_listed, clear_folder),
        cmocka_unit_test_teardown(test_rasters, clear_folder),
        cmocka_unit_test_teardown(test_fingerprint, clear_folder),
        cmocka_unit_test(test_draw),
        cmocka_unit_test(test_allowed),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
