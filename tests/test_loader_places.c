/* test_loader_places.c - batches of photos and of the pictures of their places, cut from a raster; their augmentation
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/cache.h"
#include "data/drawn_place.h"
#include "data/loader.h"
#include "dataset_support.h"
#include "folder_support.h"
#include "imagery/cells.h"
#include "raster_support.h"
#include "small_set.h"

enum { PHOTOS = 14, B = 3, BATCHES = 9, HS = 48, WS = 40, HA = 20, WA = 24, ZOOMS = 2 };

static const size_t street_bytes = (size_t)HS * WS * 3, aerial_bytes = (size_t)ZOOMS * HA * WA * 3;

struct town {
    struct dataset *data;
    struct pictures pictures;
};

static struct config config(void)
{
    return (struct config){
        .views =
            {{.projection = PROJECTION_PERSPECTIVE, .size = {HS, WS}, .resize = RESIZE_SKIMAGE},
             {.projection = PROJECTION_NADIR, .size = {HA, WA}, .zoom_count = ZOOMS, .zooms = {1, 2}, .bearing = 180}},
        .cell_m = 30};
}

/* Photos along a street of 130 m, with two in most cells, on a raster of 2 m per pixel whose colours encode the
 * position. */
static int set_up(void **state)
{
    double place[6];
    char list[2000] = "image,lat,lon\n";
    place_raster(place, 700000, 5000000, 2, 0);
    make_raster("ortho.tif",
                &(struct raster_recipe){.crs = "EPSG:32631",
                                        .place = {place[0], place[1], place[2], place[3], place[4], place[5]}});
    for (int i = 0; i < PHOTOS; i++) {
        char name[20];
        snprintf(name, sizeof name, "%d.png", i);
        small_set_write(in_folder(name), 40, 36, 700 + (unsigned)i);
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s,%.7f,5.5431\n", name, 45.12457 + 0.00009 * i);
    }
    put_text("photos.csv", list);
    struct town *t = calloc(1, sizeof *t);
    struct config c = config();
    gvm_error err;
    t->data = open_folder(NULL);
    if (pictures_open(&t->pictures, t->data, &c, &err) != GVM_OK) fail_msg("%s", err.text);
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct town *t = *state;
    pictures_close(&t->pictures);
    dataset_free(t->data);
    free(t);
    return empty_folder(state);
}

static struct loader_options usual(int workers)
{
    return (struct loader_options){.batch = B,
                                   .workers = workers,
                                   .shuffle = true,
                                   .single = true,
                                   .seed = 5,
                                   .amounts = {.colour = 1, .shift = 0.15f, .hue = 0.1f, .around = 20}};
}

static struct loader *open_loader(const struct town *t, const struct loader_options *options)
{
    struct loader *loader;
    gvm_error err;
    if (loader_open(&loader, &t->pictures, &t->data->train, options, &err) != GVM_OK) fail_msg("%s", err.text);
    return loader;
}

static uint64_t sum_of(const struct batch *b)
{
    uint64_t h = b->epoch * 100 + (uint64_t)b->index;
    for (size_t i = 0; i < B * street_bytes; i++) h = h * 1000003 + b->street[i];
    for (size_t i = 0; i < B * aerial_bytes; i++) h = h * 1000003 + b->aerial[i];
    for (int i = 0; i < B * B; i++) h = h * 1000003 + b->allowed[i];
    return h;
}

static void take(uint64_t *sums, int n, const struct town *t, const struct loader_options *options)
{
    struct loader *loader = open_loader(t, options);
    for (int i = 0; i < n; i++) {
        struct batch batch;
        gvm_error err;
        if (loader_next(loader, &batch, &err) != GVM_OK) fail_msg("%s", err.text);
        sums[i] = sum_of(&batch);
    }
    loader_free(loader);
}

/* ------------------------------------------------------------------ batches */

/* Neither shuffled nor augmented: photos and cells as in an evaluation, south up. */
static void test_plain(void **state)
{
    const struct town *t = *state;
    struct loader_options options = usual(2);
    uint8_t room[6000];
    const uint8_t *want;
    struct batch batch;
    options.shuffle = false;
    options.amounts = augmentation_none;
    struct loader *loader = open_loader(t, &options);
    for (int n = 0; n < 2; n++) {
        assert_int_equal(loader_next(loader, &batch, NULL), GVM_OK);
        struct drawn_place places[B];
        uint8_t allowed[B * B];
        for (int b = 0; b < B; b++) {
            const struct query *q = &t->data->train.queries[batch.queries[b]];
            const struct tile *cell = &t->data->train.tiles[q->tile];
            assert_int_equal(
                pictures_read(&want, room, &t->pictures, &t->data->train, GVM_STREET, batch.queries[b], NULL), GVM_OK);
            assert_memory_equal(batch.street + b * street_bytes, want, street_bytes);
            assert_int_equal(pictures_read(&want, room, &t->pictures, &t->data->train, GVM_AERIAL, q->tile, NULL),
                             GVM_OK);
            assert_memory_equal(batch.aerial + b * aerial_bytes, want, aerial_bytes);
            places[b] = (struct drawn_place){cell->lat, cell->lon, 180};
        }
        places_allowed(allowed, &t->data->train, batch.queries, places, B);
        assert_memory_equal(batch.allowed, allowed, sizeof allowed);
    }
    /* South is up, and red grows to the east: it decreases to the right. Green grows to the south: it decreases
     * downwards. */
    const uint8_t *first = batch.aerial, *right = first + 3 * (WA - 1), *below = first + (size_t)(HA - 1) * WA * 3;
    assert_true(first[0] > right[0] + 5 && first[1] > below[1] + 5);
    loader_free(loader);
}

/* The place that is drawn is the one that is cut. */
static void test_drawn(void **state)
{
    const struct town *t = *state;
    struct loader_options options = usual(1);
    uint8_t want[6000];
    struct batch batch;
    options.amounts = (struct augmentation){.around = 20};
    struct loader *loader = open_loader(t, &options);
    struct drawn_place places[B];
    uint8_t allowed[B * B];
    assert_int_equal(loader_next(loader, &batch, NULL), GVM_OK);
    for (int b = 0; b < B; b++) {
        const struct query *q = &t->data->train.queries[batch.queries[b]];
        places[b] = draw_place(q->lat, q->lon, 20, 5, 0, (uint64_t)batch.queries[b]);
        assert_int_equal(pictures_cut(want, &t->pictures, places[b].lat, places[b].lon, places[b].bearing, NULL),
                         GVM_OK);
        assert_memory_equal(batch.aerial + b * aerial_bytes, want, aerial_bytes);
    }
    places_allowed(allowed, &t->data->train, batch.queries, places, B);
    assert_memory_equal(batch.allowed, allowed, sizeof allowed);
    loader_free(loader);
}

static void test_workers_resume_and_cache(void **state)
{
    struct town *t = *state;
    uint64_t want[BATCHES], got[BATCHES];
    struct loader_options options = usual(1);
    take(want, BATCHES, t, &options);
    for (int i = 0; i < BATCHES; i++)
        for (int k = 0; k < i; k++) assert_true(want[i] != want[k]);
    options.workers = 3;
    take(got, BATCHES, t, &options);
    assert_memory_equal(got, want, sizeof want);
    options.first = 2;
    take(got, BATCHES - 2, t, &options);
    assert_memory_equal(got, want + 2, (BATCHES - 2) * sizeof *want);
    options.first = 0;

    struct cache *cache; /* of the photos only */
    const struct cache_options making = {.workers = 2};
    assert_int_equal(cache_open(&cache, in_folder("cache"), &t->pictures, &making, NULL), GVM_OK);
    t->pictures.cache = cache;
    assert_null(cache_picture(cache, &t->data->train, GVM_AERIAL, 0));
    for (int i = 0; i < PHOTOS; i++) assert_int_equal(remove(t->data->train.queries[i].path), 0);
    take(got, BATCHES, t, &options);
    assert_memory_equal(got, want, sizeof want);
    t->pictures.cache = NULL;
    cache_free(cache);
}

/* Imagery is kept in memory only if enough is left for other needs. */
static void test_keep(void **state)
{
    const struct town *t = *state;
    struct pictures p;
    struct config c = config();
    gvm_error err;
    for (int i = 0; i < 2; i++) {
        uint8_t pixels[ZOOMS * HA * WA * 3];
        char raster[512], away[512];
        strcpy(raster, in_folder("ortho.tif"));
        strcpy(away, in_folder("away.tif"));
        assert_int_equal(pictures_open(&p, t->data, &c, &err), GVM_OK);
        assert_int_equal(pictures_keep(&p, i ? 1e18 : 0, &err), GVM_OK);
        assert_int_equal(rename(raster, away), 0);
        assert_int_equal(pictures_cut(pixels, &p, 45.12457, 5.5431, 30, &err), i ? GVM_FILE : GVM_OK);
        assert_int_equal(rename(away, raster), 0);
        pictures_close(&p);
    }
}

/* ------------------------------------------------------------------ what fits together */

static void test_mismatch(void **state)
{
    const struct town *t = *state;
    struct pictures p;
    struct config c = config();
    struct dataset pairs = *t->data;
    gvm_error err;
    pairs.rasters = NULL;
    assert_int_equal(pictures_open(&p, &pairs, &c, &err), GVM_ARGUMENT);
    assert_non_null(strstr(err.text, "photos.csv (image,lat,lon) and the rasters in imagery/"));
    pictures_close(&p);
    c.cell_m = 20;
    assert_int_equal(pictures_open(&p, t->data, &c, &err), GVM_ARGUMENT);
    assert_non_null(strstr(err.text, "cells of 30 m, but this network expects 20 m"));
    pictures_close(&p);
    c.views[GVM_AERIAL].zoom_count = 0;
    assert_int_equal(pictures_open(&p, t->data, &c, &err), GVM_ARGUMENT);
    assert_non_null(strstr(err.text, "a folder with pairs.csv"));
    pictures_close(&p);
}

/* ------------------------------------------------------------------ colours */

enum { H = 12, W = 10, PIXELS = H * W * 3 };

static void fill(uint8_t *pixels, unsigned seed)
{
    for (int i = 0; i < PIXELS; i++) pixels[i] = (uint8_t)(60 + (unsigned)i * seed % 140);
}

/* Black borders of a photo stay and have no effect; the pictures of a place change alike, unlike the photo. */
static void test_colours(void **state)
{
    const struct augmentation colours = {.colour = 1, .shift = 0.15f, .hue = 0.1f};
    const int sizes[4] = {H, W, H, W}, small[4] = {H - 6, W, H, W};
    uint8_t photo[PIXELS], alone[PIXELS], places[2 * PIXELS], one[PIXELS];
    int changed = 0;
    (void)state;
    for (uint64_t index = 0; index < 20; index++) {
        fill(photo, 7);
        memcpy(alone, photo + 9 * W, sizeof alone - 18 * W);
        memset(photo, 0, 9 * W);
        memset(photo + PIXELS - 9 * W, 0, 9 * W);
        for (int i = 0; i < 2; i++) memcpy(places + i * PIXELS, (fill(one, 11), one), PIXELS);
        assert_int_equal(augment_place(photo, places, sizes, 2, &colours, 3, 1, index), GVM_OK);
        assert_int_equal(augment_place(alone, one, small, 1, &colours, 3, 1, index), GVM_OK);
        for (int i = 0; i < 9 * W; i++) assert_true(photo[i] == 0 && photo[PIXELS - 1 - i] == 0);
        assert_memory_equal(photo + 9 * W, alone, PIXELS - 18 * W); /* as without black borders */
        assert_memory_equal(places, places + PIXELS, PIXELS);
        assert_memory_equal(places, one, PIXELS);
        fill(alone, 11);
        changed += memcmp(places, alone, PIXELS) != 0;
    }
    assert_int_equal(changed, 20);
    for (int turn = 0; turn < 2; turn++) { /* black columns; an entirely black photo */
        memset(photo, 0, sizeof photo);
        for (int y = 0; turn == 0 && y < H; y++) memset(photo + (y * W + 3) * 3, 100, 9);
        assert_int_equal(augment_place(photo, places, sizes, 1, &colours, 3, 1, 4), GVM_OK);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) assert_true((photo[(y * W + x) * 3] > 0) == (turn == 0 && x >= 3 && x < 6));
    }
    fill(photo, 7);
    memcpy(alone, photo, PIXELS);
    assert_int_equal(augment_place(photo, places, sizes, 1, &augmentation_none, 3, 1, 4), GVM_OK);
    assert_memory_equal(photo, alone, PIXELS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_plain, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_drawn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_workers_resume_and_cache, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_keep, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mismatch, set_up, tear_down),
        cmocka_unit_test(test_colours),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
