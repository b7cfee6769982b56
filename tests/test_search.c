/* test_search.c - search against a plain loop in double: odd sizes, ties, near ties, rows without a tile, parts of a
 * map, any number of threads */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/half.h"
#include "base/parallel.h"
#include "base/random.h"
#include "geo/earth.h"
#include "layer_support.h"
#include "network/session.h"
#include "search/search.h"

/* ------------------------------------------------------------------ a map, and the reference */

static const char fingerprint[] = "0123456789abcdef";

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

/* T tiles, some of them equal and some very similar. They use every second row, from the last; the rows between contain
 * features that would beat every tile. */
static gvm_map make_map(int T, int D)
{
    gvm_map map = {
        .tiles = {.items = calloc((size_t)T, sizeof(struct tile)), .count = (size_t)T}, .width = D, .ground_m = 64};
    memcpy(map.fingerprint, fingerprint, sizeof fingerprint);
    size_t rows = 2 * (size_t)T, width = (size_t)D;
    float *wide = malloc((size_t)T * width * sizeof *wide);
    map.features = map.own = malloc(rows * width * sizeof *map.own);
    random_rows(wide, T, D, 1);
    for (size_t i = 0; i < rows * width; i++) map.own[i] = 0x7bff; /* 65504, the largest */
    for (int t = 0; t < T; t++) {
        size_t row = 2 * (size_t)(T - 1 - t);
        map.tiles.items[t] = (struct tile){.lat = 0, .lon = 1e-3 * t, .image = (char *)"x", .row = row};
        uint16_t *to = map.own + row * width, *third = to + 6 * width;
        for (int k = 0; k < D; k++) to[k] = f16_from_float(wide[(size_t)t * width + (size_t)k]);
        if (t % 5 == 4) memcpy(to, third, width * sizeof *to); /* tile t - 3 again */
        if (t % 7 == 6) to[D / 2] ^= 1;                        /* the next float16 */
    }
    free(wide);
    return map;
}

static void free_map(gvm_map *map)
{
    free(map->own);
    free(map->tiles.items);
}

static double cosine(const gvm_map *map, const float *query, size_t tile)
{
    const uint16_t *row = map->features + map->tiles.items[tile].row * (size_t)map->width;
    double sum = 0;
    for (int k = 0; k < map->width; k++) sum += (double)query[k] * float_from_f16(row[k]);
    return sum;
}

/* Number of tiles (all, or those in items) that rank before one. */
static int tiles_before(const gvm_map *map, const float *query, const size_t *items, size_t count, size_t tile)
{
    int before = 0;
    double own = cosine(map, query, tile);
    for (size_t i = 0; i < count; i++) {
        size_t other = items != NULL ? items[i] : i;
        double score = cosine(map, query, other);
        before += score > own + 1e-13 || (fabs(score - own) <= 1e-13 && other < tile); /* the order of summation */
    }
    return before;
}

static void check_hits(const gvm_map *map, const gvm_hit *hits, int count, const float *query, const size_t *items,
                       size_t item_count)
{
    for (int k = 0; k < count; k++) {
        size_t tile = (size_t)lround(hits[k].lon * 1e3);
        int before = tiles_before(map, query, items, item_count, tile);
        if (before != k) fail_msg("%zu tiles: tile %zu is at %d, not %d", item_count, tile, k, before);
        assert_true(fabs(hits[k].score - cosine(map, query, tile)) < 1e-13);
        assert_true(hits[k].half_tile_m == 32);
    }
}

static gvm_status find(const gvm_map *map, const gvm_model *model, gvm_hit *hits, int max_hits, int *count,
                       const float *queries, size_t n, double lat, double lon, double within_m)
{
    const gvm_search search = {.size = sizeof search,
                               .features = queries,
                               .count = n,
                               .max_hits = max_hits,
                               .lat = lat,
                               .lon = lon,
                               .within_m = within_m};
    return gvm_map_search(map, model, &search, hits, count, NULL);
}

/* n queries; threads 0: the default; step > 0: only every step-th tile. */
static void check_search(int T, int n, int D, int max_hits, int threads, int step)
{
    gvm_map map = make_map(T, D);
    gvm_model model = {.info = {.features = D}};
    memcpy(model.info.fingerprint, fingerprint, sizeof fingerprint);
    float *queries = malloc((size_t)n * (size_t)D * sizeof *queries);
    random_rows(queries, n, D, 2);
    size_t *items = step > 0 ? malloc((size_t)T * sizeof *items) : NULL, item_count = step > 0 ? 0 : (size_t)T;
    for (int t = step; step > 0 && t < T; t += step) items[item_count++] = (size_t)t;
    gvm_hit *hits = calloc((size_t)n * (size_t)max_hits, sizeof *hits);
    gvm_error err;
    int count, before = parallel_threads();
    if (threads > 0) parallel_set_threads(threads);
    const struct search_among among = {.items = items, .count = item_count};
    if (map_search(hits, max_hits, &count, &map, &model, &among, queries, (size_t)n, &err) != GVM_OK)
        fail_msg("%s", err.text);
    if (threads > 0) parallel_set_threads(before);
    assert_int_equal(count, (size_t)max_hits < item_count ? max_hits : (int)item_count);
    for (int q = 0; q < n; q += 1 + n / 9)
        check_hits(&map, hits + q * max_hits, count, queries + (size_t)q * (size_t)D, items, item_count);
    free(hits);
    free(items);
    free(queries);
    free_map(&map);
}

static void test_search(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 3; threads++) {
        check_search(1, 1, 7, 1, threads, 0);
        check_search(1, 3, 16, 5, threads, 0);
        check_search(97, 1, 33, 10, threads, 0);
        check_search(97, 13, 33, 200, threads, 0);
        check_search(97, 2, 1030, 10, threads, 0);
        check_search(700, 65, 65, 7, threads, 0); /* the second round has one query */
        check_search(700, 150, 300, 7, threads, 0);
    }
}

static void test_part_of_a_map(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 3; threads += 2) {
        check_search(97, 1, 33, 10, threads, 3);
        check_search(400, 40, 33, 10, threads, 7);
        check_search(97, 5, 33, 10, threads, 50); /* one tile */
        check_search(97, 5, 33, 10, threads, 97); /* none */
    }
}

/* ------------------------------------------------------------------ options of a search */

static void test_near(void **state)
{
    enum { T = 50, D = 24 };
    gvm_map map = make_map(T, D);
    gvm_model model = {.info = {.features = D}};
    memcpy(model.info.fingerprint, fingerprint, sizeof fingerprint);
    float queries[2 * D];
    gvm_hit hits[2 * T];
    int count;
    (void)state;
    random_rows(queries, 2, D, 2);
    double step = metres_between(0, 0, 0, 1e-3); /* from tile to tile */
    const struct {
        double lon, within;
        size_t from, to; /* tiles */
    } cases[] = {{0.02, 3.5 * step, 17, 24}, {0, 1e-9, 0, 1}, {0.0205, 0.4 * step, 0, 0}, {-20, INFINITY, 0, T}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t items[T], inside = cases[i].to - cases[i].from;
        for (size_t k = 0; k < inside; k++) items[k] = cases[i].from + k;
        assert_int_equal(find(&map, &model, hits, T, &count, queries, 2, 0, cases[i].lon, cases[i].within), GVM_OK);
        assert_int_equal(count, inside);
        for (int q = 0; q < 2; q++) check_hits(&map, hits + q * T, count, queries + q * D, items, inside);
    }
    static const double wrong[][3] = {{91, 0, 1}, {0, -181, 1}, {NAN, 0, 1}, {0, 0, -1}, {0, 0, NAN}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        count = 7;
        assert_int_equal(find(&map, &model, hits, T, &count, queries, 2, wrong[i][0], wrong[i][1], wrong[i][2]),
                         GVM_ARGUMENT);
        assert_int_equal(count, 0);
    }
    free_map(&map);
}

/* A row with invalid numbers ranks last and affects nothing else. */
static void test_broken_rows(void **state)
{
    enum { T = 60, D = 40 };
    static const uint16_t broken[] = {0x7e00, 0xfe00, 0xfc00}; /* NaN, minus infinity */
    gvm_map map = make_map(T, D);
    gvm_model model = {.info = {.features = D}};
    memcpy(model.info.fingerprint, fingerprint, sizeof fingerprint);
    float queries[3 * D];
    gvm_hit hits[3 * T];
    int count;
    (void)state;
    random_rows(queries, 3, D, 2);
    for (int q = 0; q < 3; q++) queries[q * D + 5] = fabsf(queries[q * D + 5]);
    for (int i = 0; i < 3; i++) map.own[map.tiles.items[10 * i].row * D + 5] = broken[i];
    for (size_t n = 1; n <= 3; n += 2) {
        assert_int_equal(find(&map, &model, hits, T, &count, queries, n, 0, 0, 0), GVM_OK);
        for (size_t q = 0; q < n; q++)
            for (int k = 0; k < T; k++) {
                long tile = lround(hits[q * T + (size_t)k].lon * 1e3);
                bool is_broken = tile == 0 || tile == 10 || tile == 20;
                assert_true(is_broken == (k >= T - 3));
            }
    }
    free_map(&map);
}

static void test_refusals(void **state)
{
    gvm_map map = make_map(3, 8);
    gvm_model model = {.info = {.features = 8}};
    float query[8] = {1};
    gvm_hit hit;
    int count = 7;
    (void)state;
    assert_int_equal(find(&map, &model, &hit, 1, &count, query, 1, 0, 0, 0), GVM_MISMATCH);
    assert_int_equal(find(&map, NULL, &hit, 1, &count, query, 1, 0, 0, 0), GVM_OK); /* whoever made the map */
    memcpy(model.info.fingerprint, fingerprint, sizeof fingerprint);
    assert_int_equal(find(&map, &model, &hit, 0, &count, query, 1, 0, 0, 0), GVM_ARGUMENT);
    query[1] = 1;
    assert_int_equal(find(&map, &model, &hit, 1, &count, query, 1, 0, 0, 0), GVM_ARGUMENT);
    assert_int_equal(count, 0);
    assert_int_equal(find(&map, &model, &hit, 1, &count, query, 0, 0, 0, 0), GVM_OK);
    free_map(&map);
}

/* ------------------------------------------------------------------ threads */

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

/* A search allocates memory for the number of threads: changing that number waits until the search ends. */
static void test_search_and_threads(void **state)
{
    (void)state;
    struct changer changer = {false, 0, 0};
    pthread_t thread;
    int before = parallel_threads();
    assert_int_equal(pthread_create(&thread, NULL, change_threads, &changer), 0);
    for (int i = 0; i < 40 || changer.changes < 40 || changer.refusals < 1; i++) check_search(97, 13, 33, 10, 0, 0);
    changer.stop = true;
    pthread_join(thread, NULL);
    parallel_set_threads(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_search),   cmocka_unit_test(test_part_of_a_map),
        cmocka_unit_test(test_near),     cmocka_unit_test(test_broken_rows),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_search_and_threads),
    };
    return run_layer_tests(tests, sizeof tests / sizeof *tests);
}
