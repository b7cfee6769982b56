/* test_metres.c - recall in metres over a map: which tile is right, which queries count, the level of chance */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "geo/earth.h"
#include "imagery/cells.h"
#include "map/map.h"
#include "train/metres.h"

enum { ROWS = 12, COLUMNS = 30, TILES = ROWS * COLUMNS };

static struct tile items[TILES];

/* Cells at Boston, with a gap at the one that is left out. */
static gvm_map cells(long left_out)
{
    size_t n = 0;
    struct cell first = cell_of(42.36, -71.06, 30);
    for (long r = 0; r < ROWS; r++)
        for (long c = 0; c < COLUMNS; c++) {
            struct tile *tile = &items[n];
            *tile = (struct tile){.image = (char *)"x", .metres = 30, .row = n};
            cell_centre(&tile->lat, &tile->lon, (struct cell){first.row + r, first.col + c}, 30);
            n += r * COLUMNS + c != left_out;
        }
    return (gvm_map){.tiles = {.items = items, .count = n}, .ground_m = 30};
}

static double away(double lat, double lon, size_t tile)
{
    return EARTH_A / EARTH_RADIUS * metres_between(lat, lon, items[tile].lat, items[tile].lon);
}

static void test_right_cell(void **state)
{
    gvm_map map = cells(-1);
    struct metre_truth truth;
    (void)state;
    for (int i = 0; i < 200; i++) { /* positions all over the inner cells */
        double lat = items[2 * COLUMNS].lat + i * 1e-5, lon = items[2 * COLUMNS + 14].lon + (i * 37 % 90) * 1e-5;
        struct cell cell = cell_of(lat, lon, 30);
        double cell_lat, cell_lon;
        cell_centre(&cell_lat, &cell_lon, cell, 30);
        assert_true(metres_truth(&truth, &map, 30, lat, lon));
        assert_true(items[truth.right].lat == cell_lat && items[truth.right].lon == cell_lon);
        size_t near[METRE_RADII] = {1};
        for (size_t k = 0; k < TILES; k++)
            for (int r = 1; r < METRE_RADII; r++) near[r] += away(lat, lon, k) < metre_radii[r];
        for (int r = 0; r < METRE_RADII; r++) assert_int_equal(truth.near[r], near[r]);
    }
    size_t middle = 5 * COLUMNS + 7;
    double lat = items[middle].lat, lon = items[middle].lon;
    assert_true(metres_truth(&truth, &map, 30, lat, lon) && truth.right == middle);
    map = cells((long)middle);
    assert_false(metres_truth(&truth, &map, 30, lat, lon)); /* the cell is not in the map, though all around it are */
    assert_false(metres_truth(&truth, &map, 30, 42.3, -71.06));
}

/* On the lattice for shared pictures, the right cell is one of that lattice. */
static void test_right_shared_cell(void **state)
{
    struct cell first = shared_cell_of(42.36, -71.06, 30);
    struct metre_truth truth;
    (void)state;
    for (int i = 0; i < TILES; i++) {
        items[i] = (struct tile){.image = (char *)"x", .metres = 30, .row = (size_t)i};
        shared_centre(&items[i].lat, &items[i].lon, (struct cell){first.row + i / COLUMNS, first.col + i % COLUMNS},
                      30);
    }
    gvm_map map = {.tiles = {.items = items, .count = TILES}, .ground_m = 30, .shared = true};
    for (size_t i = COLUMNS; i < TILES - COLUMNS; i++) {
        const double step = 14 / EARTH_ARC;
        assert_true(metres_truth(&truth, &map, 30, items[i].lat + step, items[i].lon - step) && truth.right == i);
    }
    assert_false(metres_truth(&truth, &map, 30, items[0].lat - 20 / EARTH_ARC, items[0].lon));
}

/* Overlapping tiles: the nearest one is right; positions in no tile are outside. */
static void test_right_tile(void **state)
{
    struct metre_truth truth;
    (void)state;
    for (size_t i = 0; i < 10; i++)
        items[i] = (struct tile){.lat = 0, .lon = 32 / EARTH_ARC * (double)i, .image = (char *)"x", .metres = 64};
    gvm_map map = {.tiles = {.items = items, .count = 10}, .ground_m = 64};
    assert_true(metres_truth(&truth, &map, 0, 10 / EARTH_ARC, 70 / EARTH_ARC) && truth.right == 2);
    assert_true(metres_truth(&truth, &map, 0, 31 / EARTH_ARC, -31 / EARTH_ARC) && truth.right == 0);
    assert_false(metres_truth(&truth, &map, 0, 33 / EARTH_ARC, 70 / EARTH_ARC));
    assert_false(metres_truth(&truth, &map, 0, 0, -33 / EARTH_ARC));
    assert_false(metres_truth(&truth, &map, 0, 0, 180));
}

static void test_counts(void **state)
{
    gvm_map map = cells(-1);
    double off[3];
    struct metres m = {.tiles = TILES, .off = off};
    struct metre_truth truth;
    gvm_hit hits[METRE_MOST];
    size_t middle = 5 * COLUMNS + 7;
    (void)state;
    assert_true(metres_truth(&truth, &map, 30, items[middle].lat, items[middle].lon));
    for (int k = 0; k < METRE_MOST; k++) hits[k] = map_hit(&map, 0); /* far away */
    hits[0] = map_hit(&map, middle + 2);                             /* 60 m */
    hits[3] = map_hit(&map, middle + 1);                             /* 30 m */
    hits[60] = map_hit(&map, middle);
    metres_add(&m, &truth, hits, METRE_MOST);
    hits[0] = map_hit(&map, middle);
    metres_add(&m, &truth, hits, METRE_MOST);
    metres_add(&m, &truth, hits + 10, 20); /* nothing near */
    double chance = m.chance[0][0] / 3, ten = m.chance[1][2] / 3;
    metres_end(&m);
    static const double want[METRE_RADII][METRE_BESTS] = {{1, 1, 1, 2}, {1, 1, 1, 2}, {1, 2, 2, 2}, {2, 2, 2, 2}};
    for (int r = 0; r < METRE_RADII; r++)
        for (int b = 0; b < METRE_BESTS; b++) assert_true(fabs(m.recall[r][b] - want[r][b] * 100 / 3) < 1e-9);
    assert_true(fabs(chance - 1.0 / TILES) < 1e-12);
    assert_int_equal(truth.near[1], 1);
    assert_true(fabs(ten - 10.0 / TILES) < 1e-12);
    double none = 1; /* one of 100 among those within 100 m */
    for (int i = 0; i < 100; i++) none *= fmax(0, (double)(TILES - truth.near[3] - (size_t)i) / (TILES - i));
    assert_true(truth.near[3] > 20 && fabs(m.chance[3][3] - 100 * (1 - none)) < 1e-9);
    assert_true(fabs(m.median_m - away(truth.lat, truth.lon, middle + 2)) < 1e-9); /* of 60, 0 and far */
    assert_int_equal(m.photos, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_right_cell), cmocka_unit_test(test_right_shared_cell),
                                       cmocka_unit_test(test_right_tile), cmocka_unit_test(test_counts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
