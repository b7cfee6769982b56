/* test_clusters.c - batches of pairs with similar features: against a plain reference, and the guarantees for an
 * epoch's order if pairs conflict */
#include "data/clusters.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/parallel.h"
#include "base/random.h"
#include "data/drawn_place.h"
#include "data/sampler.h"
#include "imagery/cells.h"

enum { D = 19, SEED = 5 };

/* `queries` on `tiles`, query q on tile q % tiles, in squares of 300 metres a side. Features are integers, whose sums
 * are exact in any order. */
static struct split make(float **street, float **aerial, int queries, int tiles)
{
    struct split split = {.query_count = queries, .tile_count = tiles};
    split.queries = calloc((size_t)queries, sizeof *split.queries);
    split.tiles = calloc((size_t)tiles, sizeof *split.tiles);
    *street = malloc((size_t)queries * D * sizeof(float));
    *aerial = malloc((size_t)tiles * D * sizeof(float));
    for (int q = 0; q < queries; q++) {
        split.queries[q].tile = q % tiles;
        split.queries[q].lat = 46 + 0.0027 * (double)random_uniform(SEED, 1, (uint64_t)q);
        split.queries[q].lon = 7 + 0.0039 * (double)random_uniform(SEED, 2, (uint64_t)q);
    }
    for (int t = 0; t < tiles; t++) {
        split.tiles[t].lat = split.queries[t].lat + 1e-4 * ((double)random_uniform(SEED, 3, (uint64_t)t) - 0.5);
        split.tiles[t].lon = split.queries[t].lon + 1e-4 * ((double)random_uniform(SEED, 4, (uint64_t)t) - 0.5);
    }
    for (int i = 0; i < queries * D; i++) (*street)[i] = (float)(int)(random_bits(SEED, 5, (uint64_t)i) % 9) - 4;
    for (int i = 0; i < tiles * D; i++) (*aerial)[i] = (float)(int)(random_bits(SEED, 6, (uint64_t)i) % 9) - 4;
    return split;
}

static void release(struct split *split, float *street, float *aerial)
{
    free(split->queries);
    free(split->tiles);
    free(street);
    free(aerial);
}

static double metres(const struct query *q, const struct tile *t)
{
    return metres_between(q->lat, q->lon, t->lat, t->lon) * (CELL_RADIUS / EARTH_RADIUS);
}

/* Similarity of a candidate to the k queries of a batch: the sum, or less than any sum if it is too near one of them.
 */
static double worth(const struct split *split, const struct pair_features *f, const int *batch, int k, int candidate)
{
    const struct query *q = &split->queries[candidate];
    double sum = 0;
    bool near = false;
    for (int i = 0; i < k; i++) {
        near = near || metres(&split->queries[batch[i]], &split->tiles[q->tile]) <= APART_M;
        for (int d = 0; d < f->D; d++) sum += (double)f->street[batch[i] * f->D + d] * f->aerial[q->tile * f->D + d];
    }
    return near ? sum - 1e5 : sum;
}

/* The batches of a pool, each chosen from all that is left; no two of its queries share a tile. Returns their number.
 */
static int plainly(int *order, const struct split *split, const struct pair_features *f, const int *pool, int count,
                   int B)
{
    int n = 0;
    bool *used = calloc((size_t)split->query_count, sizeof *used);
    for (; n < count / B; n++)
        for (int k = 0; k < B; k++) {
            int best = -1;
            for (int i = 0; i < count; i++) {
                if (used[pool[i]]) continue;
                if (best < 0 || worth(split, f, order + n * B, k, pool[i]) > worth(split, f, order + n * B, k, best))
                    best = pool[i];
            }
            used[best] = true;
            order[n * B + k] = best;
        }
    free(used);
    return n;
}

static void check(int N, int B, int pool, int batches)
{
    float *street, *aerial;
    struct split split = make(&street, &aerial, N, N);
    struct pair_features f = {street, aerial, D};
    int *order = malloc((size_t)N * sizeof *order), *want = malloc((size_t)N * sizeof *want), count, n = 0;
    int *drawn = malloc((size_t)N * sizeof *drawn);
    for (int q = 0; q < N; q++) drawn[q] = q;
    sampler_shuffle(drawn, N, SEED, 3);
    for (int first = 0; first < N; first += pool * B)
        n += plainly(want + n * B, &split, &f, drawn + first, N - first < pool * B ? N - first : pool * B, B);
    for (int threads = 1; threads < 4; threads += 2) {
        parallel_set_threads(threads);
        assert_int_equal(clusters_order(order, &count, &f, pool, B, &split, SEED, 3, NULL), GVM_OK);
        assert_int_equal(count, batches);
        assert_int_equal(n, batches);
        assert_memory_equal(order, want, (size_t)(n * B) * sizeof *order);
    }
    for (int i = 0; i < B && pool > 1 && N > 2 * B; i++) /* while there are others */
        for (int j = 0; j < i; j++)
            assert_true(metres(&split.queries[order[j]], &split.tiles[split.queries[order[i]].tile]) > APART_M);
    free(order);
    free(want);
    free(drawn);
    release(&split, street, aerial);
}

static void test_plainly(void **state)
{
    (void)state;
    check(97, 8, 100, 12); /* one pool, one query left over */
    check(97, 8, 5, 12);   /* pools of 40, 40 and 17 */
    check(97, 8, 1, 12);
    check(30, 30, 4, 1);
    check(240, 12, 7, 20);
}

/* Without features the drawn order decides, except for pairs that are near each other. */
static void test_first(void **state)
{
    enum { N = 60, B = 6 };
    float *street, *aerial;
    struct split split = make(&street, &aerial, N, N);
    int order[N], drawn[N], count;
    (void)state;
    for (int q = 0; q < N; q++) split.queries[q].lat = split.tiles[q].lat = q;
    for (int q = 0; q < N; q++) drawn[q] = q;
    sampler_shuffle(drawn, N, SEED, 0);
    assert_int_equal(clusters_order(order, &count, NULL, 1, B, &split, SEED, 0, NULL), GVM_OK);
    assert_int_equal(count, N / B);
    assert_memory_equal(order, drawn, sizeof order);
    for (int q = 0; q < N; q++) split.queries[q].lat = split.tiles[q].lat = NAN; /* without positions nothing is near */
    assert_int_equal(clusters_order(order, &count, NULL, 1, B, &split, SEED, 0, NULL), GVM_OK);
    assert_memory_equal(order, drawn, sizeof order);
    release(&split, street, aerial);
}

/* Several queries on each tile: never two of them in a batch, and none twice in an epoch. */
static void test_conflicts(void **state)
{
    enum { N = 90, TILES = 30, B = 9 };
    float *street, *aerial;
    struct split split = make(&street, &aerial, N, TILES);
    struct pair_features f = {street, aerial, D};
    int order[N], count;
    gvm_error err;
    (void)state;
    for (int pool = 1; pool < 12; pool += 5) {
        bool used[N] = {false};
        assert_int_equal(clusters_order(order, &count, &f, pool, B, &split, SEED, 1, NULL), GVM_OK);
        assert_true(count >= N / B - 2 && count <= N / B); /* the rest of a pool goes into the next */
        for (int i = 0; i < count * B; i++) {
            assert_false(used[order[i]]);
            used[order[i]] = true;
            for (int j = i / B * B; j < i; j++)
                assert_true(split.queries[order[i]].tile != split.queries[order[j]].tile);
        }
    }
    for (int q = 0; q < N; q++) split.queries[q].tile = q % 8;
    assert_int_equal(clusters_order(order, &count, &f, 4, B, &split, SEED, 1, &err), GVM_ARGUMENT);
    assert_string_equal(err.text,
                        "90 street pictures on 30 tiles do not fill one batch of size 9 with different places");
    release(&split, street, aerial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_plainly), cmocka_unit_test(test_first),
                                       cmocka_unit_test(test_conflicts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
