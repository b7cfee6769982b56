/* test_grid.c - rectangles, grids of positions, and areas as GeoJSON */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "folder_support.h"
#include "geo/earth.h"
#include "geo/geojson.h"
#include "geo/polygons.h"
#include "imagery/imagery_parts.h"
#include "raster/raster_parts.h"

static void test_rects(void **state)
{
    (void)state;
    enum { N = 40 };
    uint32_t random = 1;
    for (int round = 0; round < 300; round++) {
        struct rects r = {.width = N, .height = N};
        static int want[N][N], got[N][N];
        memset(want, 0, sizeof want);
        memset(got, 0, sizeof got);
        for (int i = 0; i < round % 12; i++) {
            int v[4];
            for (int k = 0; k < 4; k++) v[k] = (int)((random = random * 1664525 + 1013904223) >> 16) % (N + 20) - 10;
            rects_add(&r, v[0], v[1], v[2], v[3]);
            for (int y = 0; y < N; y++)
                for (int x = 0; x < N; x++) want[y][x] |= x >= v[0] && x < v[2] && y >= v[1] && y < v[3];
        }
        rects_add(&r, NAN, 0, 5, 5);
        rects_join(&r);
        for (size_t i = 0; i < r.count; i++)
            for (int y = r.items[i].y0; y < r.items[i].y1; y++)
                for (int x = r.items[i].x0; x < r.items[i].x1; x++) got[y][x]++;
        assert_memory_equal(got, want, sizeof got); /* all of it, once */
        rects_free(&r);
    }
    struct rects r = {.width = N, .height = N};
    for (int y = 0; y < N; y += 10)
        for (int x = 0; x < N; x += 8) rects_add(&r, x - 0.3, y, x + 8.2, y + 11);
    rects_join(&r);
    assert_true(rects_are_all(&r));
    rects_free(&r);
}

/* The blocks of the whole grid that touch a part are kept, with their positions in order. */
static void test_grid(void **state)
{
    (void)state;
    static const double box[4] = {10, 50, 10.2, 50.15},
                        parts[][4] = {{10.01, 50.01, 10.011, 50.011}, {10.15, 50.1, 10.16, 50.13}};
    struct grid all, some;
    gvm_error err;
    assert_int_equal(grid_cover(&all, box, &(struct grid_parts){NULL, 0}, 64, 32, "g", &err), GVM_OK);
    assert_int_equal(grid_cover(&some, box, &(struct grid_parts){parts, 2}, 64, 32, "g", &err), GVM_OK);
    assert_true(some.blocks > 0 && some.blocks < all.blocks / 20);
    size_t next = 0, places = 0;
    for (size_t b = 0; b < all.blocks; b++) {
        struct grid_place p[GRID_MOST], q[GRID_MOST];
        size_t before, own;
        int n = grid_block(p, &before, &all, b);
        bool touches = false;
        for (int i = 0; i < n; i++)
            for (int k = 0; k < 2; k++) {
                double tile[4];
                tile_box(tile, p[i].lat, p[i].lon, 64);
                touches = touches || (tile[0] < parts[k][2] && tile[2] > parts[k][0] && tile[1] < parts[k][3] &&
                                      tile[3] > parts[k][1]);
            }
        int m = next < some.blocks ? grid_block(q, &own, &some, next) : 0;
        bool is_kept = m == n && memcmp(p, q, (size_t)n * sizeof *p) == 0;
        if (touches) assert_true(is_kept);
        if (!is_kept) continue;
        assert_int_equal(own, places);
        for (int i = 0; i < m; i++) assert_int_equal(grid_find(&some, places + (size_t)i), next);
        places += (size_t)m;
        next++;
    }
    assert_int_equal(next, some.blocks);
    assert_int_equal(places, some.places);
    assert_int_equal(grid_find(&some, places), some.blocks);
    grid_free(&all);
    grid_free(&some);
    static const double world[4] = {-180, -85, 180, 85};
    assert_int_equal(grid_cover(&all, world, &(struct grid_parts){NULL, 0}, 64, 32, "g", &err), GVM_FORMAT);
    grid_free(&all);
    assert_int_equal(grid_cover(&all, world, &(struct grid_parts){parts, 2}, 64, 32, "g", &err), GVM_OK);
    assert_in_range(all.places, 1, 20000);
    grid_free(&all);
}

static void test_geojson(void **state)
{
    (void)state;
    static const struct {
        double box[4];
        int count;
        double want[2][4];
    } cases[] = {{{10, 1, 11, 2}, 1, {{10, 1, 11, 2}}},
                 {{179, 1, 181, 2}, 2, {{179, 1, 180, 2}, {-180, 1, -179, 2}}},
                 {{-181, 1, -179, 2}, 2, {{179, 1, 180, 2}, {-180, 1, -179, 2}}},
                 {{180, 1, 181, 2}, 1, {{-180, 1, -179, 2}}},
                 {{179, 1, 180, 2}, 1, {{179, 1, 180, 2}}},
                 {{539, 1, 541, 2}, 2, {{179, 1, 180, 2}, {-180, 1, -179, 2}}},
                 {{-200, 89, 160, 91}, 1, {{-180, 89, 180, 90}}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double got[2][4];
        assert_int_equal(geojson_cut(got, cases[i].box), cases[i].count);
        for (int k = 0; k < cases[i].count; k++) assert_memory_equal(got[k], cases[i].want[k], sizeof got[k]);
        json_t *json = geojson_box(cases[i].box);
        assert_string_equal(json_string_value(json_object_get(json, "type")),
                            cases[i].count == 1 ? "Polygon" : "MultiPolygon");
        json_decref(json);
    }
    char *text = (char *)"MULTIPOLYGON(((0 0,0 9,9 9,9 0,0 0),(1 1,2 1,2 2,1 2,1 1)),((20 0,29 0,29 9,20 0)))";
    OGRGeometryH geometry;
    assert_int_equal(OGR_G_CreateFromWkt(&text, NULL, &geometry), OGRERR_NONE);
    json_t *json = geojson_polygons(geometry);
    char *dump = json_dumps(json_object_get(json, "coordinates"), JSON_COMPACT | JSON_REAL_PRECISION(4));
    assert_string_equal(
        dump, "[[[[0.0,0.0],[9.0,0.0],[9.0,9.0],[0.0,9.0],[0.0,0.0]],[[1.0,1.0],[1.0,2.0],[2.0,2.0],[2.0,1.0],"
              "[1.0,1.0]]],[[[20.0,0.0],[29.0,0.0],[29.0,9.0],[20.0,0.0]]]]");
    free(dump);
    json_decref(json);
    OGR_G_DestroyGeometry(geometry);
    double pole[4];
    tile_box(pole, 90, 12, 64);
    assert_true(pole[3] == 90 && pole[2] - pole[0] == 360);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rects),
        cmocka_unit_test(test_grid),
        cmocka_unit_test(test_geojson),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
