/* test_neighbours.c - batches of neighbourhoods: the nearest tiles against a plain search, and the guarantees for an
 * epoch's order */
#include "data/neighbours.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "geo/earth.h"

/* `queries` on `tiles`, query q on tile q % tiles. */
static struct split make(int queries, int tiles)
{
    struct split split = {.query_count = queries, .tile_count = tiles};
    split.queries = calloc((size_t)queries, sizeof *split.queries);
    split.tiles = calloc((size_t)tiles, sizeof *split.tiles);
    assert_true(split.queries != NULL && split.tiles != NULL);
    for (int q = 0; q < queries; q++) split.queries[q].tile = q % tiles;
    return split;
}

static void release(struct split *split)
{
    free(split->queries);
    free(split->tiles);
}

/* ------------------------------------------------------------------ by place */

/* Towns of 2 km, one across the antimeridian and one around the pole, and isolated tiles; a third of them has no query.
 */
static void test_by_place(void **state)
{
    (void)state;
    enum { Q = 400, T = 600, MOST = 21 };
    static const double towns[6][2] = {{46.9, 7.4},   {-33, 179.995}, {89.99, 0},
                                       {46.92, 7.42}, {0, -180},      {-89.995, 50}};
    struct split split = make(Q, T);
    for (int q = 0; q < Q; q++) split.queries[q].tile = q / 4 * 6 + q % 4;
    for (int t = 0; t < T; t++) {
        double a = random_uniform(1, 1, (uint64_t)t) - 0.5, b = random_uniform(1, 2, (uint64_t)t) - 0.5;
        const double *town = towns[t % 6];
        bool lonely = t % 50 == 0;
        split.tiles[t].lat = lonely ? 150 * a : fmax(-90, fmin(90, town[0] + 0.02 * a));
        split.tiles[t].lon = lonely ? 360 * b : town[1] + (fabs(town[0]) > 80 ? 360 : 0.02) * b;
        if (t % 97 == 5) split.tiles[t] = split.tiles[t - 4]; /* at the same position */
    }
    assert_true(neighbours_have_places(&split));
    static int nearest[Q * MOST];
    assert_int_equal(neighbours_by_place(nearest, MOST, &split, NULL), GVM_OK);
    for (int q = 0; q < Q; q++) {
        const struct tile *own = &split.tiles[split.queries[q].tile];
        bool taken[T] = {false};
        double far = 0;
        for (int k = 0; k < MOST; k++) {
            int t = nearest[q * MOST + k];
            assert_true(t >= 0 && t < T && t % 6 < 4 && !taken[t]);
            double metres = metres_between(own->lat, own->lon, split.tiles[t].lat, split.tiles[t].lon);
            assert_true(metres > far - 1e-3);
            far = metres;
            taken[t] = true;
        }
        for (int t = 0; t < T; t++)
            if (t % 6 < 4 && !taken[t])
                assert_true(metres_between(own->lat, own->lon, split.tiles[t].lat, split.tiles[t].lon) > far - 1e-3);
    }
    split.tiles[3].lat = NAN;
    assert_false(neighbours_have_places(&split));
    split.tiles[3].lat = 0;
    split.tiles[4].lat = NAN; /* no query's */
    assert_true(neighbours_have_places(&split));
    release(&split);
}

/* Fewer tiles than requested. */
static void test_few_places(void **state)
{
    (void)state;
    struct split split = make(3, 3);
    split.tiles[1].lat = 1;
    split.tiles[2].lat = 1.5;
    int nearest[3 * 5];
    const int wanted[3 * 5] = {0, 1, 2, -1, -1, 1, 2, 0, -1, -1, 2, 1, 0, -1, -1};
    assert_int_equal(neighbours_by_place(nearest, 5, &split, NULL), GVM_OK);
    assert_memory_equal(nearest, wanted, sizeof wanted);
    release(&split);
}

/* ------------------------------------------------------------------ the batches */

enum { MOST = NEIGHBOURS + 1 };

/* Tiles on a ring: each one's own, then 1, 1, 2, 2, ... to both sides. */
static int *ring(const struct split *split)
{
    int *nearest = malloc((size_t)split->query_count * MOST * sizeof *nearest), T = split->tile_count;
    assert_non_null(nearest);
    for (int q = 0; q < split->query_count; q++)
        for (int k = 0; k < MOST; k++)
            nearest[q * MOST + k] = (split->queries[q].tile + T + (k % 2 ? 1 : -1) * ((k + 1) / 2)) % T;
    return nearest;
}

static int *order_of(int *batches, const int *nearest, int B, const struct split *split, uint64_t epoch)
{
    int *order = calloc((size_t)split->query_count, sizeof *order);
    assert_non_null(order);
    assert_int_equal(neighbours_order(order, batches, nearest, MOST, B, split, 7, epoch, NULL), GVM_OK);
    return order;
}

/* No query twice in the epoch, no tile twice in a batch. */
static void expect_once(const int *order, int batches, int B, const struct split *split)
{
    bool *used = calloc((size_t)split->query_count, sizeof *used);
    int *last = calloc((size_t)split->tile_count, sizeof *last);
    for (int i = 0; i < batches * B; i++) {
        int tile = split->queries[order[i]].tile;
        assert_false(used[order[i]]);
        assert_int_not_equal(last[tile], i / B + 1);
        used[order[i]] = true;
        last[tile] = i / B + 1;
    }
    free(used);
    free(last);
}

static int place_in(const int *row, int tile)
{
    for (int k = 0; k < MOST; k++)
        if (row[k] == tile) return k;
    return MOST;
}

/* The first batch, when everything is unused: a seed, its 32 nearest in order, 32 of the next 96, and again. Tiles
 * already in the batch are skipped, so the run of the second seed is shorter. */
static void test_first_batch(void **state)
{
    (void)state;
    enum { B = 128 };
    struct split split = make(5000, 5000);
    int *nearest = ring(&split), batches, drawn = 0;
    int *order = order_of(&batches, nearest, B, &split, 0);
    const int *row = nearest + (size_t)order[0] * MOST;
    for (int k = 1; k <= 32; k++) assert_int_equal(order[k], row[k]);
    for (int k = 33; k <= 64; k++) {
        int at = place_in(row, order[k]);
        assert_in_range(at, 33, 128);
        drawn += at;
    }
    assert_in_range(drawn / 32, 60, 101); /* mean 80.5, standard deviation 5 */
    const int *second = nearest + (size_t)order[65] * MOST;
    for (int k = 66, at = 0; k < B; k++) {
        int found = place_in(second, order[k]);
        assert_in_range(found, 1, 128);
        if (found <= 32) assert_true(found > at);
        at = found;
    }
    free(order);
    free(nearest);
    release(&split);
}

/* Most pairs of an epoch are used, in a different order each time; reproducible for the same seed. The reference in
 * Python also makes 39 batches of these 5,000. */
static void test_epochs(void **state)
{
    (void)state;
    struct split split = make(5000, 5000);
    int *nearest = ring(&split), batches[3], *orders[3];
    for (int i = 0; i < 3; i++) {
        orders[i] = order_of(&batches[i], nearest, 128, &split, i == 2 ? 1 : 0);
        assert_int_equal(batches[i], 39);
        expect_once(orders[i], batches[i], 128, &split);
    }
    assert_int_equal(batches[0], batches[1]);
    assert_memory_equal(orders[0], orders[1], sizeof(int) * 128 * (size_t)batches[0]);
    assert_memory_not_equal(orders[0], orders[2], sizeof(int) * 128);
    for (int i = 0; i < 3; i++) free(orders[i]);
    free(nearest);
    release(&split);
}

/* Queries that share a tile: the tile appears once in a batch, and each of its queries is equally likely to be used. */
static void test_shared_tiles(void **state)
{
    (void)state;
    enum { Q = 3000, T = 1000, B = 32 };
    struct split split = make(Q, T);
    int *nearest = ring(&split), batches, third[3] = {0};
    for (uint64_t epoch = 0; epoch < 5; epoch++) {
        int *order = order_of(&batches, nearest, B, &split, epoch);
        expect_once(order, batches, B, &split);
        assert_in_range(batches, 60, Q / B);
        for (int k = 1; k < B; k++) third[order[k] / T]++;
        free(order);
    }
    for (int i = 0; i < 3; i++) assert_in_range(third[i], 25, 80); /* of 155 */
    free(nearest);
    release(&split);
}

/* 1,024 seeds in a row that have to wait end the epoch; an incomplete batch is dropped. */
static void test_ends(void **state)
{
    (void)state;
    struct split split = make(2000, 4);
    int *nearest = ring(&split), order[2000], batches;
    gvm_error err;
    for (int i = 0; i < 2000 * MOST; i++) nearest[i] = i % MOST < 4 ? i % MOST : -1;
    assert_int_equal(neighbours_order(order, &batches, nearest, MOST, 4, &split, 1, 0, NULL), GVM_OK);
    assert_in_range(batches, 400, 500);
    expect_once(order, batches, 4, &split);
    assert_int_equal(neighbours_order(order, &batches, nearest, MOST, 5, &split, 1, 0, &err), GVM_ARGUMENT);
    assert_int_equal(batches, 0);
    assert_string_equal(err.text,
                        "2000 street pictures on 4 tiles do not fill one batch of size 5 with different places");
    free(nearest);
    release(&split);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_place), cmocka_unit_test(test_few_places),   cmocka_unit_test(test_first_batch),
        cmocka_unit_test(test_epochs),   cmocka_unit_test(test_shared_tiles), cmocka_unit_test(test_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
