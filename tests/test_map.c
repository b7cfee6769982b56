/* test_map.c - lists of tiles, and search against a plain loop in double. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/half.h"
#include "base/parallel.h"
#include "base/random.h"
#include "map/map.h"
#include "model/session.h"

/* ------------------------------------------------------------------ lists */

static void expect_list(const char *text, size_t count)
{
    struct tiles tiles;
    gvm_error err;
    if (tiles_parse(&tiles, text, strlen(text), "list", &err) != GVM_OK) fail_msg("%s: %s", text, err.text);
    assert_int_equal(tiles.count, count);
    for (size_t i = 0; i < count; i++) {
        char image[32];
        snprintf(image, sizeof image, "%zu.png", i);
        assert_string_equal(tiles.items[i].image, image);
        assert_true(tiles.items[i].lat == 51.25 && tiles.items[i].lon == -0.5 - (double)i);
        assert_true(tiles.items[i].metres == (i == 1 ? 72.5 : 0));
    }
    tiles_free(&tiles);
}

static void test_good_lists(void **state)
{
    (void)state;
    expect_list("image,lat,lon\n0.png,51.25,-0.5\n", 1);
    expect_list("image,lat,lon\n0.png,51.25,-0.5", 1);
    expect_list("\xef\xbb\xbfimage,lat,lon\r\n0.png,51.25,-0.5\r\n\r\n", 1);
    expect_list("lon,metres,image,lat\n-.5,,0.png,51.25\n-15e-1,72.5,1.png,+51.25\n", 2);
    expect_list(
        "\n \"image\" , lat,\tlon ,metres\n\n  0.png ,51.25 , -0.5,\n\"1.png\",\"51.25\",\"-1.5\",\"72.5\"\n  \n", 2);

    struct tiles tiles;
    gvm_error err;
    const char odd[] = "image,lat,lon\n\"a \"\"b\"\", c.png\",90,180\n\xc3\xa4 b.png,-90,-180\n";
    assert_int_equal(tiles_parse(&tiles, odd, sizeof odd - 1, "list", &err), GVM_OK);
    assert_string_equal(tiles.items[0].image, "a \"b\", c.png");
    assert_string_equal(tiles.items[1].image, "\xc3\xa4 b.png");
    tiles_free(&tiles);
}

static void test_bad_lists(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"", "list: the list is empty"},
        {"\n \r\n", "list: the list is empty"},
        {"image,lat,lon\n", "list: the list has a header and no tiles"},
        {"image,lat\na,1\n", "list, line 1: the header lacks \"lon\""},
        {"\nimage,lat,long\na,1,2\n", "list, line 2: the header's \"long\" is none of"},
        {"image,lat,lat\na,1,2\n", "list, line 1: the header has \"lat\" twice"},
        {"a.png,1,2\n", "list, line 1: the header's \"a.png\" is none of"},
        {"image;lat;lon\n", "line 1: the header's \"image;lat;lon\" is none of"},
        {"image,lat,lon,metres,id\n", "line 1: it has more than the 4 fields"},
        {"image,lat,lon\na,1\n", "line 2: it has 2 fields where the header has 3"},
        {"image,lat,lon\na\n", "line 2: it has 1 field where"},
        {"image,lat,lon\na,1,2,3\n", "line 2: it has 4 fields where the header has 3"},
        {"image,lat,lon\n\na,1,2\n,1,2\n", "line 4: the image's name is empty"},
        {"image,lat,lon\na,x,2\n", "line 2: lat \"x\" is not a number"},
        {"image,lat,lon\na,,2\n", "line 2: lat \"\" is not a number"},
        {"image,lat,lon\na,1,0x10\n", "line 2: lon \"0x10\" is not a number"},
        {"image,lat,lon\na,nan,2\n", "line 2: lat \"nan\" is not a number"},
        {"image,lat,lon\na,1e999,2\n", "line 2: lat \"1e999\" is not a number"},
        {"image,lat,lon\na,1 2,2\n", "line 2: lat \"1 2\" is not a number"},
        {"image,lat,lon\na,90.1,2\n", "line 2: lat 90.1 is not in the range of -90 to 90"},
        {"image,lat,lon\na,1,-181\n", "line 2: lon -181 is not in the range of -180 to 180"},
        {"image,lat,lon,metres\na,1,2,0\n", "line 2: metres 0 is not in the range of 0 to 100000"},
        {"image,lat,lon,metres\na,1,2,-3\n", "line 2: metres -3 is not in the range"},
        {"image,lat,lon\n\"a,1,2\n", "line 2: a quote is opened and not closed"},
        {"image,lat,lon\n\"a\"b,1,2\n", "line 2: something follows a closing quote"},
        {"image,lat,lon\na\rb,1,2\n", "line 2: it holds a control character (code 13)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tiles tiles = {.count = 7};
        gvm_error err;
        gvm_status status = tiles_parse(&tiles, cases[i].text, strlen(cases[i].text), "list", &err);
        if (status != GVM_FORMAT || strstr(err.text, cases[i].words) == NULL)
            fail_msg("%s: status %d, %s (wanted: %s)", cases[i].text, status, err.text, cases[i].words);
        assert_int_equal(tiles.count, 0);
        assert_null(tiles.items);
    }
    struct tiles tiles;
    gvm_error err;
    assert_int_equal(tiles_parse(&tiles, "image,\0lat,lon", 14, "list", &err), GVM_FORMAT);
    assert_non_null(strstr(err.text, "control character (code 0)"));
}

/* ------------------------------------------------------------------ search */

static void random_rows(float *x, int n, int D, uint64_t stream)
{
    for (int i = 0; i < n; i++, x += D) {
        double square = 0;
        for (int k = 0; k < D; k++) {
            x[k] = (float)random_normal(3, stream, (uint64_t)i * (uint64_t)D + (uint64_t)k);
            square += (double)x[k] * x[k];
        }
        for (int k = 0; k < D; k++) x[k] = (float)(x[k] / sqrt(square));
    }
}

static double cosine(const float *x, const uint16_t *y, int D)
{
    double sum = 0;
    for (int k = 0; k < D; k++) sum += (double)x[k] * float_from_f16(y[k]);
    return sum;
}

/* The place of tile t in the answer: how many come before it. */
static int place(const float *query, const gvm_map *map, int t)
{
    int D = map->width, before = 0;
    double own = cosine(query, map->features + (size_t)t * (size_t)D, D);
    for (int i = 0; i < (int)map->tiles.count; i++) {
        double score = cosine(query, map->features + (size_t)i * (size_t)D, D);
        before += score > own || (score == own && i < t);
    }
    return before;
}

/* T tiles, some of them the same and some very near to each other, n queries; threads 0: as many as there are. */
static void check_search(int T, int n, int D, int max_hits, int threads)
{
    struct tile *items = calloc((size_t)T, sizeof *items);
    gvm_map map = {
        .tiles = {.items = items, .count = (size_t)T}, .width = D, .ground_m = 64, .fingerprint = "0123456789abcdef"};
    gvm_model model = {.info = {.features = D, .fingerprint = "0123456789abcdef"}};
    float *features = malloc((size_t)T * (size_t)D * sizeof *features);
    float *queries = malloc((size_t)n * (size_t)D * sizeof *queries);
    map.features = map.own = malloc((size_t)T * (size_t)D * sizeof *map.own);
    map.rows = (size_t)T;
    random_rows(features, T, D, 1);
    random_rows(queries, n, D, 2);
    for (int t = 0; t < T; t++) {
        items[t] = (struct tile){.lat = t, .image = "x", .row = (size_t)t};
        uint16_t *row = map.own + (size_t)t * (size_t)D;
        for (int k = 0; k < D; k++) row[k] = f16_from_float(features[(size_t)t * (size_t)D + (size_t)k]);
        if (t % 5 == 4) memcpy(row, row - 3 * D, (size_t)D * sizeof *row);
        if (t % 7 == 6) row[0]++;
    }
    gvm_hit *hits = calloc((size_t)n * (size_t)max_hits, sizeof *hits);
    gvm_error err;
    int count, before = parallel_threads();
    if (threads > 0) parallel_set_threads(threads);
    if (gvm_map_search(&map, &model, hits, max_hits, &count, queries, (size_t)n, &err) != GVM_OK)
        fail_msg("%s", err.text);
    if (threads > 0) parallel_set_threads(before);
    assert_int_equal(count, max_hits < T ? max_hits : T);
    for (int q = 0; q < n; q += 1 + n / 9)
        for (int k = 0; k < count; k++) {
            const gvm_hit *hit = &hits[q * max_hits + k];
            int t = (int)hit->lat, at = place(queries + (size_t)q * (size_t)D, &map, t);
            if (at != k) fail_msg("%d tiles, %d queries: tile %d is at %d, not %d", T, n, t, k, at);
            assert_true(hit->score == cosine(queries + (size_t)q * (size_t)D, map.features + (size_t)t * (size_t)D, D));
            assert_true(hit->radius_m == 32);
        }
    free(hits);
    free(queries);
    free(features);
    free(map.own);
    free(items);
}

static void test_search(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 3; threads++) {
        check_search(1, 1, 7, 1, threads);
        check_search(1, 3, 16, 5, threads);
        check_search(97, 1, 33, 10, threads);
        check_search(97, 13, 33, 200, threads);
        check_search(1500, 40, 65, 7, threads);
    }
    check_search(700, 30000, 8, 3, 2); /* more than one turn of queries */
}

struct changer {
    atomic_bool stop;
    atomic_int changes, refusals;
};

static void *change_threads(void *argument)
{
    struct changer *c = argument;
    for (int i = 0; !c->stop; i++) {
        gvm_status status = gvm_set_threads(1 + i % 7, NULL);
        c->changes += status == GVM_OK;
        c->refusals += status == GVM_ARGUMENT;
        sched_yield();
    }
    return NULL;
}

/* A search takes memory for so many threads: another number waits until it is done. */
static void test_search_and_threads(void **state)
{
    (void)state;
    struct changer changer = {false, 0, 0};
    pthread_t thread;
    int before = parallel_threads();
    assert_int_equal(pthread_create(&thread, NULL, change_threads, &changer), 0);
    for (int i = 0; i < 40 || changer.changes < 40 || changer.refusals < 1; i++) check_search(97, 13, 33, 10, 0);
    changer.stop = true;
    pthread_join(thread, NULL);
    parallel_set_threads(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_lists),
        cmocka_unit_test(test_bad_lists),
        cmocka_unit_test(test_search),
        cmocka_unit_test(test_search_and_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
