/* test_cells.c - the lattice of cells: names and positions, which cell is right for a photo, and the cells of given
 * imagery */
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
#include "imagery/cells.h"
#include "imagery/mosaic.h"
#include "raster_support.h"

static const double R = 6378137, degree = M_PI / 180;

/* ------------------------------------------------------------------ names */

/* Numbers from the lattice of statewide's authors. */
static void test_names(void **state)
{
    (void)state;
    static const struct {
        double lat, lon;
        struct cell cell;
        double at[2];
    } known[] = {{42.36, -71.06, {157183, -194839}, {42.359967391128, -71.059936259753}},
                 {-33.865, 151.209, {-125661, 465898}, {-33.864959075323, 151.209127549715}},
                 {1e-5, 2e-5, {0, 0}, {0, 0}},
                 {69.65, 18.96, {258447, 24466}, {69.650067070451, 18.960172063553}},
                 {51.4778, -0.0001, {191016, 0}, {51.477777693412, 0}}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        double lat, lon, box[4];
        struct cell cell = cell_of(known[i].lat, known[i].lon, 30);
        assert_int_equal(cell.row, known[i].cell.row);
        assert_int_equal(cell.col, known[i].cell.col);
        cell_centre(&lat, &lon, cell, 30);
        assert_true(fabs(lat - known[i].at[0]) < 1e-11 && fabs(lon - known[i].at[1]) < 1e-11);
        cell_box(box, cell, 30);
        assert_true(fabs((box[0] + box[2]) / 2 - lon) < 1e-12 && fabs((box[1] + box[3]) / 2 - lat) < 1e-12);
        assert_true(fabs((box[3] - box[1]) * degree * R - 30) < 1e-6);
        assert_true(fabs((box[2] - box[0]) * degree * R * cos(lat * degree) - 30) < 1e-6);
    }
}

static double arc(double lat1, double lon1, double lat2, double lon2)
{
    double s = sin((lat2 - lat1) * degree / 2), t = sin((lon2 - lon1) * degree / 2);
    return 2 * R * asin(sqrt(s * s + cos(lat1 * degree) * cos(lat2 * degree) * t * t));
}

/* Of all cells around a position the right one has the smallest sum of metres north-south and east-west. */
static void test_right_cell(void **state)
{
    (void)state;
    uint32_t random = 7;
    for (int i = 0; i < 400; i++) {
        double at[2];
        for (int k = 0; k < 2; k++) at[k] = ((random = random * 1664525 + 1013904223) >> 8) / (double)(1 << 24);
        double lat = -70 + 140 * at[0], lon = -179.9 + 359.8 * at[1], least = INFINITY, size = i % 2 ? 30 : 7.5;
        struct cell got = cell_of(lat, lon, size), best = {0, 0};
        for (int32_t row = got.row - 4; row <= got.row + 4; row++)
            for (int32_t step = -4; step <= 4; step++) {
                double p = row * size / R, q;
                int32_t col = (int32_t)lround(R * cos(p) * lon * degree / size) + step;
                q = col * size / (R * cos(p)) / degree;
                p /= degree;
                double metres = arc(lat, lon, p, lon) + arc(lat, lon, lat, q);
                if (metres >= least) continue;
                least = metres;
                best = (struct cell){row, col};
            }
        assert_int_equal(got.row, best.row);
        assert_int_equal(got.col, best.col);
        assert_true(least <= 1.01 * size);
    }
}

/* Squares of 32 x 32 cells, 960 m apart, whose cells are numbered by columns and rows; groups have their centres
 * between cells. */
static void test_shared(void **state)
{
    (void)state;
    for (int32_t row = 157000; row < 157100; row += 7)
        for (int32_t col = -194870; col < -194790; col += 9) {
            const struct cell cell = {row, col}, east = {row, col + 1}, north = {row + 1, col};
            const struct cell square = {(int32_t)floor(row / 32.0), (int32_t)floor(col / 32.0)};
            double lat, lon, a, b, box[4], other[4], middle[2];
            shared_centre(&lat, &lon, cell, 30);
            cell_centre(&middle[0], &middle[1], square, 960);
            double parallel = cos(middle[0] * degree), i = row - 32 * square.row - 15.5,
                   j = col - 32 * square.col - 15.5;
            assert_true(fabs(lat - middle[0] - i * 30 / R / degree) < 1e-12);
            assert_true(fabs(lon - middle[1] - j * 30 / R / degree / parallel) < 1e-11);
            struct cell back = shared_cell_of(lat, lon, 30);
            assert_true(back.row == row && back.col == col);
            shared_box(box, cell, 30);
            shared_box(other, east, 30);
            assert_true(fabs(box[2] - other[0]) < 1e-11); /* the next square's columns are as far from Greenwich */
            shared_box(other, north, 30);
            assert_true(fabs(box[3] - other[1]) < 1e-11 && box[0] < lon && lon < box[2] && box[1] < lat &&
                        lat < box[3]);
            double sum[2] = {0, 0};
            for (int k = 0; k < 16; k++) {
                shared_centre(&a, &b, (struct cell){row - (row & 3) + k / 4, col - (col & 3) + k % 4}, 30);
                sum[0] += a / 16;
                sum[1] += b / 16;
            }
            group_centre(&a, &b, cell, 4, 30);
            assert_true(fabs(a - sum[0]) < 1e-11 && fabs(b - sum[1]) < 1e-11);
        }
}

/* ------------------------------------------------------------------ of imagery */

struct open {
    struct mosaic_source sources[2];
    char paths[2][512];
    struct mosaic *mosaic;
};

/* A raster of 2.5 km around a town, and one of 3 km beside it or, in another projection, partly over it. */
static void open_imagery(struct open *o, bool other)
{
    const double zoom = 60;
    struct raster_recipe r = {.crs = "EPSG:32619"};
    gvm_error err;
    place_raster(r.place, 330000, 4690000, 21, 0);
    make_raster("a.tif", &r);
    if (other) r.crs = "EPSG:3857";
    place_raster(r.place, other ? -7915000 : 336000, other ? 5217000 : 4691000, 25, 0);
    make_raster("b.tif", &r);
    for (int i = 0; i < 2; i++) {
        strcpy(o->paths[i], in_folder(i ? "b.tif" : "a.tif"));
        o->sources[i] = (struct mosaic_source){o->paths[i], {NULL, LOOK, LOOK}};
    }
    if (mosaic_open(&o->mosaic, o->sources, 2, &zoom, 1, &err) != GVM_OK) fail_msg("%s", err.text);
}

static bool wanted(const struct mosaic *m, struct cell cell, const struct cell_area *area)
{
    double lat, lon, step = 30 / R / degree, parallel;
    bool corner = false;
    cell_centre(&lat, &lon, cell, 30);
    parallel = cos(lat * degree);
    for (int i = 0; i < 4; i++)
        corner = corner || mosaic_covers(m, (cell.row + (i / 2 ? 0.5 : -0.5)) * step,
                                         (cell.col + (i % 2 ? 0.5 : -0.5)) * step / parallel);
    return corner && (area->metres == 0 || metres_between(lat, lon, area->lat, area->lon) <= area->metres);
}

/* Blocks are small and consecutive; indices lead to them. */
static void check_blocks(const struct cell_plan *plan)
{
    for (size_t b = 0; b < plan->block_count; b++) {
        size_t end = b + 1 < plan->block_count ? plan->first[b + 1] : plan->count;
        double a[2], z[2];
        assert_true(end > plan->first[b] && end - plan->first[b] <= CELL_MOST);
        for (size_t i = plan->first[b]; i < end; i++) {
            assert_int_equal(cell_plan_find(plan, i), b);
            cell_centre(&a[0], &a[1], plan->cells[i], 30);
            cell_centre(&z[0], &z[1], plan->cells[plan->first[b]], 30);
            assert_true(arc(a[0], a[1], z[0], z[1]) < 30 * CELL_SIDE * 1.5);
        }
    }
    assert_int_equal(plan->first[0], 0);
    assert_int_equal(cell_plan_find(plan, plan->count), plan->block_count);
}

/* Every cell with a covered corner is present once, and no other. */
static void test_plan(void **state)
{
    (void)state;
    for (int round = 0; round < 4; round++) {
        struct open o;
        struct cell_plan plan;
        gvm_error err;
        const struct cell_area area = {42.345, -71.063, round % 2 ? 700 : 0};
        open_imagery(&o, round >= 2);
        assert_int_equal(cell_plan_make(&plan, o.mosaic, 30, false, &area, &err), GVM_OK);
        check_blocks(&plan);
        enum { ROWS = 400, COLS = 900 };
        static uint8_t there[ROWS][COLS];
        const struct cell middle = cell_of(42.345, -71.03, 30);
        memset(there, 0, sizeof there);
        for (size_t i = 0; i < plan.count; i++) {
            int32_t y = plan.cells[i].row - middle.row + ROWS / 2, x = plan.cells[i].col - middle.col + COLS / 2;
            assert_true(y >= 0 && x >= 0 && y < ROWS && x < COLS);
            assert_int_equal(there[y][x]++, 0);
        }
        for (int32_t y = 0; y < ROWS; y++)
            for (int32_t x = 0; x < COLS; x++) {
                const struct cell cell = {middle.row + y - ROWS / 2, middle.col + x - COLS / 2};
                if (there[y][x] != wanted(o.mosaic, cell, &area)) fail_msg("cell %d %d", cell.row, cell.col);
            }
        assert_true(round % 2 ? plan.count > 1500 && plan.count < 1800 : plan.count > 10000);
        cell_plan_free(&plan);
        mosaic_free(o.mosaic);
        empty_folder(state);
    }
}

/* On the lattice for shared pictures too, group by group. */
static void test_shared_plan(void **state)
{
    (void)state;
    struct open o;
    struct cell_plan plan;
    gvm_error err;
    const struct cell_area area = {42.345, -71.063, 900};
    open_imagery(&o, false);
    assert_int_equal(cell_plan_make(&plan, o.mosaic, 30, true, &area, &err), GVM_OK);
    size_t groups = 1, count = 0;
    for (size_t i = 1; i < plan.count; i++) {
        const struct cell *p = &plan.cells[i - 1], *q = &plan.cells[i];
        groups += (p->row & ~3) != (q->row & ~3) || (p->col & ~3) != (q->col & ~3);
        assert_true(p->row != q->row || p->col != q->col);
    }
    const struct cell middle = shared_cell_of(area.lat, area.lon, 30);
    for (int y = 0; y < 64; y++)
        for (int x = 0; x < 256; x++) {
            const struct cell cell = {middle.row + y - 32, middle.col + x - 128};
            double lat, lon, box[4];
            bool covered = false;
            shared_centre(&lat, &lon, cell, 30);
            shared_box(box, cell, 30);
            for (int i = 0; i < 4; i++)
                covered = covered || mosaic_covers(o.mosaic, box[i / 2 ? 3 : 1], box[i % 2 ? 2 : 0]);
            bool want = covered && metres_between(lat, lon, area.lat, area.lon) <= area.metres, got = false;
            for (size_t i = 0; i < plan.count; i++)
                got = got || (plan.cells[i].row == cell.row && plan.cells[i].col == cell.col);
            assert_int_equal(got, want);
            count += want;
        }
    assert_int_equal(count, plan.count);
    assert_true(groups < plan.count / 10);
    cell_plan_free(&plan);
    mosaic_free(o.mosaic);
}

static void open_one(struct open *o, const char *crs, const double place[3])
{
    const double zoom = 2 * place[2];
    struct raster_recipe r = {.crs = crs};
    gvm_error err;
    place_raster(r.place, place[0], place[1], place[2], 0);
    make_raster("c.tif", &r);
    strcpy(o->paths[0], in_folder("c.tif"));
    o->sources[0] = (struct mosaic_source){o->paths[0], {NULL, LOOK, LOOK}};
    if (mosaic_open(&o->mosaic, o->sources, 1, &zoom, 1, &err) != GVM_OK) fail_msg("%s", err.text);
}

/* Imagery around the whole Earth, such as from a tile service, at any position. */
static void test_whole_earth(void **state)
{
    (void)state;
    static const double at[] = {-179, -100, -1, 0, 1, 100, 179, 180};
    struct open o;
    gvm_error err;
    open_one(&o, "EPSG:3857", (double[]){0, 0, 2 * M_PI * 6378137 / RASTER_SIDE});
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        struct cell_plan plan;
        const struct cell_area area = {-30, at[i], 500};
        assert_int_equal(cell_plan_make(&plan, o.mosaic, 30, false, &area, &err), GVM_OK);
        double cells = M_PI * 500 * 500 / (30 * 30);
        if (fabs((double)plan.count - cells) > 0.05 * cells) fail_msg("%zu cells at %g", plan.count, at[i]);
        cell_plan_free(&plan);
    }
    mosaic_free(o.mosaic);
    const double all[4] = {-180, -90, 180, 90}, east[4] = {179, 0, 181, 1}, west[4] = {-179.5, 0, -179, 1};
    assert_true(boxes_touch(all, (double[4]){10, 0, 11, 1}) && boxes_touch((double[4]){-170, 0, -169, 1}, all));
    assert_true(boxes_touch(east, west) && boxes_touch(west, east));
    assert_false(boxes_touch(east, (double[4]){-178.9, 0, -178, 1}) || boxes_touch(west, (double[4]){-179.2, 2, 0, 3}));
}

static void test_nowhere(void **state)
{
    (void)state;
    struct open o;
    struct cell_plan plan;
    gvm_error err;
    open_imagery(&o, false);
    assert_int_equal(cell_plan_make(&plan, o.mosaic, 30, false, &(struct cell_area){10, -71, 500}, &err), GVM_OK);
    assert_int_equal(plan.count, 0);
    cell_plan_free(&plan);
    mosaic_free(o.mosaic);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_right_cell),
        cmocka_unit_test(test_shared),
        cmocka_unit_test(test_plan),
        cmocka_unit_test_teardown(test_shared_plan, empty_folder),
        cmocka_unit_test_teardown(test_whole_earth, empty_folder),
        cmocka_unit_test_teardown(test_nowhere, empty_folder),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
