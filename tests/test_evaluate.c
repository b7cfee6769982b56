/* test_evaluate.c - retrieval metrics against a plain implementation of their definitions */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/parallel.h"
#include "base/random.h"
#include "geo/earth.h"
#include "train/batch_plan.h"
#include "train/evaluate.h"
#include "train/evaluate_split.h"

struct task {
    struct retrieval r;
    float *queries, *gallery;
    double *lat, *lon;
};

/* Unit vectors near their tile's, `looks` for each query; positions within a few hundred metres. Query q has the
 * positives q and, if `two` is set, also (7 q + 3) % T. */
static struct task make_looks(int Q, int looks, int T, int D, int two, uint64_t seed)
{
    struct task t = {.r = {.Q = Q, .T = T, .D = D, .looks = looks}};
    t.queries = malloc((size_t)(Q * looks) * D * sizeof(float));
    t.gallery = malloc((size_t)T * D * sizeof(float));
    t.lat = malloc((size_t)T * sizeof(double));
    t.lon = malloc((size_t)T * sizeof(double));
    for (int i = 0; i < T; i++) {
        t.lat[i] = 45 + 0.004 * (double)random_uniform(seed, 1, (uint64_t)i);
        t.lon[i] = 8 + 0.004 * (double)random_uniform(seed, 2, (uint64_t)i);
    }
    for (int side = 0; side < 2; side++)
        for (int i = 0; i < (side ? Q * looks : T); i++) {
            float *row = side ? t.queries + (size_t)i * D : t.gallery + (size_t)i * D, square = 0;
            for (int d = 0; d < D; d++) {
                row[d] = (float)random_normal(seed, side ? 4 : 3, (uint64_t)(i * D + d));
                if (side) row[d] += 0.6f * t.gallery[(size_t)(i / looks % T) * D + d];
                square += row[d] * row[d];
            }
            for (int d = 0; d < D; d++) row[d] /= sqrtf(square);
        }
    t.r.right.first = malloc((size_t)(Q + 1) * sizeof(int));
    t.r.right.items = malloc((size_t)(2 * Q) * sizeof(int));
    int n = 0;
    for (int q = 0; q < Q; q++) {
        t.r.right.first[q] = n;
        t.r.right.items[n++] = q % T;
        if (two && (7 * q + 3) % T != q % T) t.r.right.items[n++] = (7 * q + 3) % T;
    }
    t.r.right.first[Q] = n;
    t.r.queries = t.queries;
    t.r.gallery = t.gallery;
    t.r.lat = t.lat;
    t.r.lon = t.lon;
    return t;
}

static struct task make(int Q, int T, int D, int two, uint64_t seed)
{
    struct task t = make_looks(Q, 1, T, D, two, seed);
    t.r.looks = 0;
    return t;
}

static void release(struct task *t)
{
    free(t->queries);
    free(t->gallery);
    free(t->lat);
    free(t->lon);
    free(t->r.right.first);
    free(t->r.right.items);
    free(t->r.near.first);
    free(t->r.near.items);
}

static double score(const struct retrieval *r, int q, int t)
{
    int looks = r->looks > 1 ? r->looks : 1;
    double best = -INFINITY;
    for (int l = q * looks; l < (q + 1) * looks; l++) {
        double sum = 0;
        for (int d = 0; d < r->D; d++)
            sum += (double)r->queries[(size_t)l * r->D + d] * r->gallery[(size_t)t * r->D + d];
        best = fmax(best, sum);
    }
    return best;
}

static int is_in(const struct truth *a, int q, int t)
{
    for (int i = a->first ? a->first[q] : 0; a->first && i < a->first[q + 1]; i++)
        if (a->items[i] == t) return 1;
    return 0;
}

static double nearest(const struct retrieval *r, int q, int t)
{
    double least = INFINITY;
    for (int i = r->right.first[q]; i < r->right.first[q + 1]; i++) {
        int a = r->right.items[i];
        least = fmin(least, metres_between(r->lat[t], r->lon[t], r->lat[a], r->lon[a]));
    }
    return least;
}

static int by_double(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Everything again, by sorting and counting in double. */
static void expect(const struct task *task, const struct evaluation *e, const struct ranking *rankings)
{
    const struct retrieval *r = &task->r;
    double recall[AT_COUNT] = {0}, within[AT_COUNT] = {0}, mean[AT_COUNT] = {0}, hits = 0, within_25m = 0;
    double *firsts = malloc((size_t)r->Q * sizeof *firsts), *s = malloc((size_t)r->T * sizeof *s);
    char *used = malloc((size_t)r->T);
    for (int q = 0; q < r->Q; q++) {
        double best = -INFINITY;
        for (int t = 0; t < r->T; t++) {
            s[t] = score(r, q, t);
            if (is_in(&r->right, q, t)) best = fmax(best, s[t]);
        }
        int rank = 0, above = 0;
        for (int t = 0; t < r->T; t++)
            if (!is_in(&r->right, q, t) && s[t] >= best) {
                rank++;
                above += !is_in(&r->near, q, t);
            }
        assert_int_equal(rankings[q].rank, rank);
        hits += above == 0;
        memset(used, 0, (size_t)r->T);
        double sum = 0;
        for (int k = 0; k < e->at[3] || k < 10; k++) {
            if (k >= r->T) break;
            int top = -1;
            for (int t = 0; t < r->T; t++)
                if (!used[t] && (top < 0 || s[t] > s[top])) top = t;
            used[top] = 1;
            if (k < TOP_KEPT) assert_int_equal(rankings[q].top[k], top);
            double metres = nearest(r, q, top);
            if (k == 0) {
                firsts[q] = metres;
                within_25m += rank == 0 || metres < 25;
                for (int i = 0; i < AT_COUNT; i++) within[i] += rank == 0 || (i > 0 && metres < within_m[i]);
            }
            sum += metres;
            for (int i = 0; i < AT_COUNT; i++)
                if (k + 1 == e->at[i]) mean[i] += sum / (k + 1);
        }
        for (int i = 0; i < AT_COUNT; i++) recall[i] += rank < e->at[i];
    }
    for (int i = 0; i < AT_COUNT; i++) {
        assert_true(fabs(e->recall[i] - 100 * recall[i] / r->Q) < 1e-9);
        assert_true(fabs(e->within[i] - 100 * within[i] / r->Q) < 1e-9);
        assert_true(fabs(e->mean_m[i] - mean[i] / r->Q) < 1e-6);
    }
    assert_true(fabs(e->within_25m - 100 * within_25m / r->Q) < 1e-9);
    assert_true(fabs(e->hit_rate - 100 * hits / r->Q) < 1e-9);
    qsort(firsts, (size_t)r->Q, sizeof *firsts, by_double);
    double middle = r->Q % 2 ? firsts[r->Q / 2] : (firsts[r->Q / 2 - 1] + firsts[r->Q / 2]) / 2;
    assert_true(fabs(e->median_m - middle) < 1e-9);
    free(firsts);
    free(s);
    free(used);
}

static void check(int Q, int looks, int T, int D, int two, int near)
{
    struct task t = make_looks(Q, looks, T, D, two, (uint64_t)(Q + T));
    if (near) {
        t.r.near.first = malloc((size_t)(Q + 1) * sizeof(int));
        t.r.near.items = malloc((size_t)(3 * Q) * sizeof(int));
        for (int q = 0; q <= Q; q++) t.r.near.first[q] = 3 * q;
        for (int i = 0; i < 3 * Q; i++) t.r.near.items[i] = (i * 5 + 1) % T;
    }
    struct ranking *rankings = calloc((size_t)Q, sizeof *rankings);
    struct evaluation e;
    gvm_error err;
    for (int threads = 1; threads <= 3; threads += 2) {
        parallel_set_threads(threads);
        if (evaluate(&e, rankings, &t.r, &err) != GVM_OK) fail_msg("%s", err.text);
        expect(&t, &e, rankings);
    }
    free(rankings);
    release(&t);
}

static void test_figures(void **state)
{
    (void)state;
    check(150, 1, 150, 24, 0, 0);
    check(333, 1, 250, 16, 0, 1);
    check(90, 1, 1030, 8, 1, 0);
    check(5, 1, 3, 4, 0, 0);
    check(1, 1, 1, 4, 0, 0);
    check(70, 7, 600, 12, 1, 1); /* several looks of each query */
    check(3, 100, 9, 6, 0, 0);
}

/* A network that returns the same feature for everything finds nothing, in whatever order the gallery is. */
static void test_collapsed(void **state)
{
    (void)state;
    struct task t = make(60, 60, 8, 0, 3);
    for (int i = 0; i < 60 * 8; i++) t.queries[i] = t.gallery[i] = i % 8 == 0;
    struct evaluation e;
    gvm_error err;
    assert_int_equal(evaluate(&e, NULL, &t.r, &err), GVM_OK);
    assert_true(e.recall[0] == 0 && e.recall[2] == 0 && e.within[0] == 0);
    for (int i = 0; i < 60 * 8; i++) t.queries[i] = NAN;
    assert_int_equal(evaluate(&e, NULL, &t.r, &err), GVM_OK);
    assert_true(e.recall[0] == 0);
    t.r.right.first[1] = 0;
    assert_int_equal(evaluate(&e, NULL, &t.r, &err), GVM_ARGUMENT);
    release(&t);
}

static void test_metres(void **state)
{
    (void)state;
    assert_true(fabs(metres_between(0, 0, 0, 1) - 111195.08) < 0.1); /* a degree of a circle of radius 6,371,008.8 m */
    assert_true(fabs(metres_between(60, 10, 60, 11) / metres_between(0, 10, 0, 11) - 0.5) < 1e-4);
    assert_true(metres_between(45, -30, 45, -30) == 0);
}

/* Positives found by latitude equal those from comparing every tile with every query. Some tiles share a position, some
 * queries are far from their own tile, one has no position. */
static void test_answers(void **state)
{
    (void)state;
    enum { Q = 300, T = 200 };
    struct query queries[Q] = {0};
    struct tile tiles[T] = {0};
    const double south[] = {-35.3, 0, 89.9996, -90}, reaches[] = {0, 5, 36, 1e3, 1e7};
    for (int place = 0; place < 4; place++) {
        for (int t = 0; t < T; t++) {
            double drawn = random_uniform(5, 1, (uint64_t)t / 2), east = random_uniform(5, 2, (uint64_t)t / 2);
            tiles[t].lat = south[place] + 0.0004 * drawn;
            tiles[t].lon = place < 3 ? 149 + 0.0008 * east : 360 * east - 180;
        }
        for (int q = 0; q < Q; q++) {
            queries[q].tile = q * 7 % T;
            const struct tile *t = &tiles[q % 5 == 0 ? q % T : queries[q].tile];
            queries[q].lat = t->lat + (q % 3 == 0 ? 0 : 4e-5 * random_uniform(5, 3, (uint64_t)q));
            queries[q].lon = t->lon;
        }
        queries[17].lat = queries[17].lon = NAN;
        struct split split = {.queries = queries, .query_count = Q, .tiles = tiles, .tile_count = T};
        for (int r = 0; r < 5; r++) {
            struct truth right;
            assert_true(truth_list(&right, &split, reaches[r]));
            int n = 0;
            for (int q = 0; q < Q; q++) {
                assert_int_equal(right.first[q], n);
                for (int t = 0; t < T; t++) {
                    if (!truth_holds(&split, q, t, reaches[r])) continue;
                    assert_true(n < right.first[Q]);
                    assert_int_equal(right.items[n++], t);
                }
            }
            assert_int_equal(right.first[Q], n);
            assert_true(reaches[r] > 0 ? n > Q : n == Q);
            truth_free(&right);
        }
    }
    tiles[3].lat = NAN; /* then only their own */
    struct split split = {.queries = queries, .query_count = Q, .tiles = tiles, .tile_count = T};
    struct truth right;
    assert_true(truth_list(&right, &split, 1e3));
    assert_int_equal(right.first[Q], Q);
    truth_free(&right);
}

/* Each query's best entries by a plain sort, and groups of similar queries. */
static void test_nearest(void **state)
{
    (void)state;
    enum { Q = 150, T = 90, D = 12, MOST = 7 };
    struct task t = make(Q, T, D, 0, 5);
    int best[Q * MOST];
    assert_int_equal(find_nearest(best, MOST, &t.r, NULL), GVM_OK);
    for (int q = 0; q < Q; q++) {
        bool taken[T] = {false};
        for (int k = 0; k < MOST; k++) {
            int top = -1;
            double high = -2;
            for (int i = 0; i < T; i++) {
                double score = 0;
                for (int d = 0; d < D; d++) score += (double)t.queries[q * D + d] * (double)t.gallery[i * D + d];
                if (!taken[i] && score > high + 1e-6) high = score, top = i;
            }
            taken[top] = true;
            assert_int_equal(best[q * MOST + k], top);
        }
    }
    release(&t);
}

static void test_hard_groups(void **state)
{
    (void)state;
    enum { Q = 60, T = 30, MOST = 4, GROUP = 4 };
    struct query queries[Q] = {0};
    struct tile tiles[T] = {0};
    struct split split = {.queries = queries, .query_count = Q, .tiles = tiles, .tile_count = T};
    int nearest[Q * MOST], sequence[Q], again[Q], where[Q], batches;
    /* Two queries per tile; tiles 2 i and 2 i + 1 are similar, so their four queries form a group. */
    for (int q = 0; q < Q; q++) {
        queries[q].tile = q % T;
        for (int k = 0; k < MOST; k++) nearest[q * MOST + k] = k < 2 ? (q % T / 2 * 2 + k) : (q + 5 * k) % T;
    }
    assert_int_equal(hard_groups(sequence, &batches, nearest, MOST, GROUP, &split, 3, 0, NULL), GVM_OK);
    for (int q = 0; q < Q; q++) where[q] = -1;
    for (int i = 0; i < Q; i++) {
        assert_int_equal(where[sequence[i]], -1);
        where[sequence[i]] = i;
    }
    for (int q = 0; q < Q; q++)
        for (int other = 0; other < Q; other++)
            if (q % T / 2 == other % T / 2) assert_int_equal(where[q] / GROUP, where[other] / GROUP);
    assert_int_equal(hard_groups(again, &batches, nearest, MOST, GROUP, &split, 3, 0, NULL), GVM_OK);
    assert_memory_equal(sequence, again, sizeof again);
    assert_int_equal(hard_groups(again, &batches, nearest, MOST, GROUP, &split, 3, 1, NULL), GVM_OK);
    assert_memory_not_equal(sequence, again, sizeof again);
    /* A group is limited in size: of 60 similar queries, each brings three. */
    for (int i = 0; i < Q * MOST; i++) nearest[i] = i % MOST;
    assert_int_equal(hard_groups(again, &batches, nearest, MOST, 2, &split, 3, 0, NULL), GVM_OK);
    bool seen[Q] = {false};
    for (int i = 0; i < Q; i++) {
        assert_false(seen[again[i]]);
        seen[again[i]] = true;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures), cmocka_unit_test(test_collapsed), cmocka_unit_test(test_metres),
        cmocka_unit_test(test_answers), cmocka_unit_test(test_nearest),   cmocka_unit_test(test_hard_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
