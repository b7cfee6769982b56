/* test_sampler.c - the order of queries in an epoch */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/random.h"
#include "data/sampler.h"
#include "small_set.h"

enum { MANY = 5000 };

/* Queries on random tiles, each with its neighbours as near tiles. skewed: most queries on one tile. */
static struct split make_split(int queries, int tiles, int near, bool skewed)
{
    struct split split = {.query_count = queries, .tile_count = tiles};
    split.queries = calloc((size_t)queries, sizeof *split.queries);
    assert_non_null(split.queries);
    for (int i = 0; i < queries; i++) {
        struct query *q = &split.queries[i];
        q->tile = (int)(random_bits(1, 2, (uint64_t)i) % (uint64_t)tiles);
        if (skewed && i % 10 != 0) q->tile = 0;
        q->near_count = near;
        for (int k = 0; k < near; k++) q->near[k] = (q->tile + k + 1) % tiles;
    }
    return split;
}

static void expect_permutation(const int *order, int n)
{
    bool *seen = calloc((size_t)n, sizeof *seen);
    for (int i = 0; i < n; i++) {
        assert_in_range(order[i], 0, n - 1);
        assert_false(seen[order[i]]);
        seen[order[i]] = true;
    }
    free(seen);
}

static void test_conflict(void **state)
{
    (void)state;
    const struct query a = {.tile = 1, .near = {2, 3}, .near_count = 2}, b = {.tile = 3}, c = {.tile = 4},
                       d = {.tile = 1}, e = {.tile = 7, .near = {2}, .near_count = 1};
    assert_true(sampler_conflict(&a, &d)); /* a tile shared */
    assert_true(sampler_conflict(&a, &b)); /* one's own tile is near the other's, in both directions */
    assert_true(sampler_conflict(&b, &a));
    assert_false(sampler_conflict(&a, &c));
    assert_false(sampler_conflict(&a, &e)); /* a tile that is only near both is neither's own */
}

/* With squares, a batch has pictures of few neighbourhoods, different ones in each epoch, and each query appears once.
 */
static void test_clusters(void **state)
{
    (void)state;
    enum { N = 400, B = 20 }; /* 20 x 20 places, 50 m apart */
    static struct query queries[N];
    struct split split = {.queries = queries, .query_count = N, .tile_count = N};
    int order[2][N], batches;
    for (int i = 0; i < N; i++)
        queries[i] = (struct query){.tile = i, .lat = 60 + i / 20 * 50 / 111320.0, .lon = 10 + i % 20 * 50 / 55660.0};
    for (uint64_t epoch = 0; epoch < 2; epoch++) {
        int near = 0;
        assert_int_equal(sampler_epoch(order[epoch], &batches, &split, B, true, 250, 3, epoch, NULL), GVM_OK);
        assert_int_equal(batches, N / B);
        expect_permutation(order[epoch], N);
        for (int i = 0; i < N; i++)
            for (int k = i / B * B; k < i / B * B + B; k++) {
                const struct query *q = &queries[order[epoch][i]], *o = &queries[order[epoch][k]];
                near += fabs(o->lat - q->lat) * 111320 < 249 && fabs(o->lon - q->lon) * 55660 < 249;
            }
        assert_true(near / N > B / 3); /* of a batch; 4 if only shuffled */
    }
    assert_memory_not_equal(order[0], order[1], sizeof order[0]);
    for (int i = 0; i < N; i++) queries[i].lat = NAN;
    assert_int_equal(sampler_epoch(order[0], &batches, &split, B, true, 250, 3, 0, NULL), GVM_OK);
    expect_permutation(order[0], N);
}

static void test_order(void **state)
{
    (void)state;
    const int shapes[][4] = {{MANY, 1500, 0, 32}, {MANY, 1500, 3, 32}, {MANY, 40, 3, 8}, {MANY, 5, 3, 2},
                             {64, 64, 0, 16},     {7, 7, 0, 8},        {1, 1, 0, 1},     {0, 0, 0, 4}};
    int *order = calloc(MANY, sizeof *order), *again = calloc(MANY, sizeof *again);
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        int n = shapes[s][0], T = shapes[s][1], B = shapes[s][3], batches, count;
        struct split split = make_split(n, T > 0 ? T : 1, shapes[s][2], false);
        for (uint64_t epoch = 0; epoch < 3; epoch++) {
            assert_int_equal(sampler_epoch(order, &batches, &split, B, true, 0, 9, epoch, NULL), GVM_OK);
            assert_in_range(batches, 0, n / B);
            expect_permutation(order, n);
            expect_no_conflict(&split, order, batches, B);
            assert_int_equal(sampler_epoch(again, &count, &split, B, true, 0, 9, epoch, NULL), GVM_OK);
            assert_int_equal(count, batches);
            assert_memory_equal(again, order, (size_t)n * sizeof *order);
            sampler_epoch(again, &count, &split, B, true, 0, 9, epoch + 1, NULL);
            if (n > 7) assert_memory_not_equal(again, order, (size_t)n * sizeof *order);
            sampler_epoch(again, &count, &split, B, true, 0, 10, epoch, NULL);
            if (n > 7) assert_memory_not_equal(again, order, (size_t)n * sizeof *order);
            if (s < 2) assert_in_range(batches, n / B - 2, n / B); /* conflicts cost almost nothing */
            if (s == 3) assert_int_equal(batches, 0);              /* any two of five tiles are near each other */
        }
        free(split.queries);
    }
    free(order);
    free(again);
}

/* In the list's order, except those that must wait. */
static void test_unshuffled(void **state)
{
    (void)state;
    struct query queries[8] = {{.tile = 0}, {.tile = 0}, {.tile = 1}, {.tile = 0},
                               {.tile = 2}, {.tile = 3}, {.tile = 4}, {.tile = 5, .near = {4}, .near_count = 1}};
    const struct split split = {.queries = queries, .query_count = 8, .tile_count = 6};
    const int want[8] = {0, 2, 1, 4, 3, 5, 6, 7};
    int order[8], batches;
    assert_int_equal(sampler_epoch(order, &batches, &split, 2, false, 0, 1, 5, NULL), GVM_OK);
    assert_int_equal(batches, 3); /* the last two are in conflict */
    assert_memory_equal(order, want, sizeof want);
}

/* Nine of ten on one tile: one batch for each of the others, found quickly. */
static void test_skewed(void **state)
{
    (void)state;
    enum { N = 60000 };
    int *order = calloc(N, sizeof *order), batches;
    struct split split = make_split(N, 20000, 0, true);
    assert_int_equal(sampler_epoch(order, &batches, &split, 2, true, 0, 1, 0, NULL), GVM_OK);
    expect_permutation(order, N);
    expect_no_conflict(&split, order, batches, 2);
    assert_in_range(batches, N / 10 - 200, N / 10);
    free(split.queries);
    free(order);
}

/* Each query is equally likely at each position. */
static void test_shuffle_is_fair(void **state)
{
    (void)state;
    enum { N = 6, EPOCHS = 6000 };
    int seen[N][N] = {{0}}, order[N], batches;
    struct query queries[N] = {{.tile = 0}, {.tile = 1}, {.tile = 2}, {.tile = 3}, {.tile = 4}, {.tile = 5}};
    const struct split split = {.queries = queries, .query_count = N, .tile_count = N};
    for (uint64_t epoch = 0; epoch < EPOCHS; epoch++) {
        sampler_epoch(order, &batches, &split, 3, true, 0, 1, epoch, NULL);
        for (int i = 0; i < N; i++) seen[i][order[i]]++;
    }
    for (int i = 0; i < N; i++)
        for (int q = 0; q < N; q++) assert_in_range(seen[i][q], 1000 - 130, 1000 + 130); /* 4.5 deviations of 29 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conflict), cmocka_unit_test(test_order),  cmocka_unit_test(test_unshuffled),
        cmocka_unit_test(test_clusters), cmocka_unit_test(test_skewed), cmocka_unit_test(test_shuffle_is_fair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
