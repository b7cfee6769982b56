/* test_chance.c - p over tiles against a plain loop; radii; positions of cells; the effect of a fitted temperature */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/parallel.h"
#include "base/random.h"
#include "geo/earth.h"
#include "locate/chance.h"

enum { ROWS = 23, COLUMNS = 31, TILES = ROWS * COLUMNS };

static const double CELL = 30;

/* Cells at Boston in sheared rows, as in a map of cells. */
static struct tile items[TILES];
static float scores[TILES];

static gvm_map make(double temperature, double elsewhere)
{
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLUMNS; c++) {
            double lat = (157000 + r) * CELL / EARTH_A / EARTH_DEGREE;
            double lon = (-195000 + c) * CELL / (EARTH_A * cos(lat * EARTH_DEGREE)) / EARTH_DEGREE;
            int i = r * COLUMNS + c;
            items[i] = (struct tile){.lat = lat, .lon = lon, .image = (char *)"x", .metres = CELL, .row = (size_t)i};
            scores[i] = (float)(0.5 + 0.1 * random_normal(1, 2, (uint64_t)i));
        }
    return (gvm_map){.tiles = {.items = items, .count = TILES},
                     .ground_m = CELL,
                     .temperature = temperature,
                     .elsewhere = elsewhere};
}

static gvm_hit hit(const gvm_map *map, size_t number)
{
    gvm_hit h = map_hit(map, number);
    h.score = scores[number];
    return h;
}

static double metres(const gvm_hit *a, size_t tile)
{
    return metres_between(a->lat, a->lon, items[tile].lat, items[tile].lon);
}

static size_t best_tile(void)
{
    size_t best = 0;
    for (size_t i = 0; i < TILES; i++)
        if (scores[i] > scores[best]) best = i;
    return best;
}

static void check(double temperature, double elsewhere, double scale)
{
    gvm_map map = make(temperature, elsewhere);
    struct score_field field = {.map = &map, .scores = scores, .count = TILES};
    gvm_hit hits[2] = {hit(&map, best_tile()), hit(&map, (best_tile() + 1) % TILES)};
    gvm_chance chance;
    gvm_error err;
    double p[2], own[TILES], total = 0, T = temperature > 0 ? temperature : 1, answers[2] = {0};
    chance_scale(&field, &map, scale);
    assert_int_equal(chance_find(&chance, p, hits, 2, 45, &field, &err), GVM_OK);
    assert_true(chance.known && chance.calibrated == (temperature > 0));
    for (size_t i = 0; i < TILES; i++) total += own[i] = exp(scale * scores[i] / T);
    if (temperature > 0 && !isnan(elsewhere)) total += exp(elsewhere / T);
    double within[3] = {0}, radius = INFINITY;
    for (size_t i = 0; i < TILES; i++) {
        double away = metres(&hits[0], i), inside = 0;
        own[i] /= total;
        for (int r = 0; r < 3; r++) within[r] += away <= 25 << r ? own[i] : 0;
        int answer = away < 45 ? 0 : metres(&hits[1], i) < 45 ? 1 : 2;
        if (answer < 2) answers[answer] += own[i];
        for (size_t k = 0; k < TILES; k++) inside += metres(&hits[0], k) <= away ? exp(scale * scores[k] / T) : 0;
        if (inside / total >= 0.9 - 1e-12) radius = fmin(radius, away);
    }
    for (int r = 0; r < 3; r++) assert_true(fabs(chance.within[r] - within[r]) < 1e-12);
    for (int k = 0; k < 2; k++) assert_true(fabs(p[k] - answers[k]) < 1e-12);
    if (isinf(radius))
        assert_true(isnan(chance.radius_90));
    else
        assert_true(fabs(chance.radius_90 - radius) < 1e-6);
}

static void test_against_a_loop(void **state)
{
    (void)state;
    check(0, NAN, 36);
    check(0, NAN, 3);
    check(2.5, NAN, 36);
    check(2.5, 20, 36);
    check(1, 60, 36); /* most of it elsewhere */
    check(0, 60, 36); /* counts once T is fitted */
    int before = parallel_threads();
    for (int threads = 1; threads <= 3; threads++) {
        parallel_set_threads(threads);
        check(0, NAN, 36);
    }
    parallel_set_threads(before);
}

/* No probability unless the weights were trained with a scale. */
static void test_none(void **state)
{
    gvm_map map = make(0, NAN);
    struct score_field field = {.map = &map, .scores = scores, .count = TILES};
    gvm_hit best = hit(&map, best_tile());
    gvm_chance chance;
    gvm_error err;
    double p;
    (void)state;
    chance_scale(&field, &map, 0);
    assert_int_equal(chance_find(&chance, &p, &best, 1, 45, &field, &err), GVM_OK);
    assert_true(!chance.known && !chance.calibrated && isnan(p) && isnan(chance.within[2]) && isnan(chance.radius_90));
}

/* Some of the tiles; one tile with all of the probability. */
static void test_part(void **state)
{
    gvm_map map = make(0, NAN);
    size_t some[] = {3, 4, 5, 40};
    float of_some[] = {0.1f, 0.9f, 0.1f, 0.1f};
    struct score_field field = {.map = &map, .scores = of_some, .items = some, .count = 4};
    gvm_hit best = hit(&map, 4);
    gvm_chance chance;
    gvm_error err;
    double p;
    (void)state;
    chance_scale(&field, &map, 200);
    assert_int_equal(chance_find(&chance, &p, &best, 1, 0, &field, &err), GVM_OK);
    assert_true(p > 1 - 1e-12 && chance.within[0] > 1 - 1e-12 && chance.radius_90 == 0);
    assert_int_equal(chance_find(&chance, NULL, &best, 1, 0, &field, &err), GVM_OK);
}

/* The position is the mean of the centres within 45 m, weighted by p. */
static void test_places(void **state)
{
    gvm_map map = make(0, NAN);
    struct score_field field = {.map = &map, .scores = scores, .count = TILES};
    size_t best = best_tile();
    gvm_hit answer = hit(&map, best), was = answer;
    double lat = 0, lon = 0, weights = 0;
    (void)state;
    chance_scale(&field, &map, 36);
    chance_places(&answer, 1, 45, &field);
    for (size_t i = 0; i < TILES; i++) {
        if (metres(&was, i) >= 45) continue;
        double weight = exp(36 * ((double)scores[i] - scores[best]));
        weights += weight;
        lat += weight * items[i].lat;
        lon += weight * items[i].lon;
    }
    assert_true(fabs(answer.lat - lat / weights) < 1e-10 && fabs(answer.lon - lon / weights) < 1e-10);
    assert_true(answer.lat != was.lat && answer.number == best && answer.half_tile_m == CELL / 2);
}

/* p of all tiles at once; a tile that was not searched has none. */
static void test_all(void **state)
{
    gvm_map map = make(0, NAN);
    float p[TILES];
    double sum = 0, total = 0;
    (void)state;
    scores[7] = NAN;
    chance_all(p, scores, &map, 36);
    for (size_t i = 0; i < TILES; i++) total += i == 7 ? 0 : exp(36.0 * scores[i]);
    for (size_t i = 0; i < TILES; i++) {
        if (i == 7) continue;
        sum += p[i];
        assert_true(fabs(p[i] - exp(36.0 * scores[i]) / total) < 1e-7);
    }
    assert_true(isnan(p[7]) && fabs(sum - 1) < 1e-5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_against_a_loop), cmocka_unit_test(test_none),
                                       cmocka_unit_test(test_part), cmocka_unit_test(test_places),
                                       cmocka_unit_test(test_all)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
