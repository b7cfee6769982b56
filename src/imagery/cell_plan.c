/* cell_plan.c - lists the cells that imagery covers, in blocks: see cells.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"
#include "geo/geojson.h"
#include "imagery/cells.h"
#include "imagery/mosaic.h"

/* A row of blocks, or of the squares of shared pictures. */
struct band {
    long row;                   /* the first row, or the row of the squares */
    double south, north, width; /* degrees */
    double offset;              /* of the block edges from Greenwich, in block widths */
};

/* Blocks of a band, [from, to). */
struct span {
    long from, to;
};

static struct band band_at(long number, double size, bool shared)
{
    int side = shared ? SHARED_SIDE : CELL_SIDE;
    double row = size / CELL_RADIUS / EARTH_DEGREE, first = (double)(number * side) - (shared ? side / 2.0 : 0.5);
    double middle = first + side / 2.0; /* of squares and of blocks */
    return (struct band){shared ? number : number * side, first * row, (first + side) * row,
                         side * row / cos(middle * row * EARTH_DEGREE), shared ? 0.5 : 0};
}

/* The box around an area: west, south, east, north. */
static void area_box(double box[4], const struct cell_area *area)
{
    memcpy(box, (double[4]){-INFINITY, -90, INFINITY, 90}, 4 * sizeof *box);
    if (area->metres > 0) tile_box(box, area->lat, area->lon, 2.02 * area->metres);
}

static int by_start(const void *a, const void *b)
{
    const struct span *p = a, *q = b;
    return (p->from > q->from) - (p->from < q->from);
}

/* The blocks of a band that touch both a raster's box and the area's box; their longitudes may differ by 360 degrees.
 * Writes ascending spans that do not touch and returns how many. */
static size_t find_spans(struct span *spans, const struct band *band, const struct mosaic *m,
                         const struct cell_area *area)
{
    double around[4], margin = band->width / CELL_SIDE, shift = band->offset;
    size_t count = 0, kept = 0;
    area_box(around, area);
    for (size_t i = 0; i < m->source_count; i++) {
        double boxes[2][4];
        int parts = geojson_cut(boxes, m->boxes[i]), turns = area->metres > 0 ? 1 : 0;
        for (int k = 0; k < parts; k++) {
            if (boxes[k][1] > band->north || boxes[k][3] < band->south) continue;
            for (int turn = -turns; turn <= turns; turn++) {
                double west = fmax(boxes[k][0] - margin, around[0] + 360 * turn);
                double east = fmin(boxes[k][2] + margin, around[2] + 360 * turn);
                if (west <= east)
                    spans[count++] = (struct span){(long)floor(west / band->width + shift),
                                                   (long)floor(east / band->width + shift) + 1};
            }
        }
    }
    if (count > 0) qsort(spans, count, sizeof *spans, by_start);
    for (size_t i = 0; i < count; i++)
        if (kept > 0 && spans[i].from <= spans[kept - 1].to)
            spans[kept - 1].to = spans[i].to > spans[kept - 1].to ? spans[i].to : spans[kept - 1].to;
        else
            spans[kept++] = spans[i];
    return kept;
}

static bool add_cell(struct cell_plan *plan, struct cell cell)
{
    struct cell *cells = array_room(plan->cells, plan->count, sizeof *cells);
    if (cells != NULL) (plan->cells = cells)[plan->count++] = cell;
    return cells != NULL;
}

/* Cells from both sides overlap at 180 degrees: a cell counts only on its own side. */
static bool is_in_area(double lat, double lon, const struct cell_area *area)
{
    if (!(lon >= -180 && lon < 180)) return false;
    return area->metres <= 0 || metres_between(lat, lon, area->lat, area->lon) <= area->metres;
}

/* Add the cells of a row whose centres are in a block. */
static bool add_row(struct cell_plan *plan, long row, double west, double east, const struct mosaic *m,
                    const struct cell_area *area)
{
    double step = plan->size / CELL_RADIUS / EARTH_DEGREE, lat = (double)row * step,
           across = step / cos(lat * EARTH_DEGREE);
    bool left[2] = {false, false}, first = true;
    for (long col = (long)ceil(west / across); (double)col * across < east; col++) {
        bool right[2];
        for (int k = 0; k < 2; k++) {
            double edge = ((double)row - 0.5 + k) * step;
            if (first) left[k] = mosaic_covers(m, edge, ((double)col - 0.5) * across);
            right[k] = mosaic_covers(m, edge, ((double)col + 0.5) * across);
        }
        bool covered = left[0] || left[1] || right[0] || right[1];
        bool near = is_in_area(lat, (double)col * across, area);
        if (covered && near && !add_cell(plan, (struct cell){(int32_t)row, (int32_t)col})) return false;
        memcpy(left, right, sizeof left);
        first = false;
    }
    return true;
}

/* The cells added since `before` become a block. */
static bool end_block(struct cell_plan *plan, size_t before)
{
    if (plan->count == before) return true;
    size_t *first = array_room(plan->first, plan->block_count, sizeof *first);
    if (first != NULL) (plan->first = first)[plan->block_count++] = before;
    return first != NULL;
}

static bool add_block(struct cell_plan *plan, const struct band *band, long number, const struct mosaic *m,
                      const struct cell_area *area)
{
    size_t before = plan->count;
    for (int i = 0; i < CELL_SIDE; i++)
        if (!add_row(plan, band->row + i, (double)number * band->width, (double)(number + 1) * band->width, m, area))
            return false;
    return end_block(plan, before);
}

/* Add a cell of the lattice for shared pictures if it is covered and in the area. */
static bool add_shared(struct cell_plan *plan, struct cell cell, const struct mosaic *m, const struct cell_area *area)
{
    double lat, lon, box[4];
    shared_centre(&lat, &lon, cell, plan->size);
    if (!is_in_area(lat, lon, area)) return true;
    shared_box(box, cell, plan->size);
    for (int i = 0; i < 4; i++)
        if (mosaic_covers(m, box[i / 2 ? 3 : 1], box[i % 2 ? 2 : 0])) return add_cell(plan, cell);
    return true;
}

/* Add the blocks of a square; each block is four groups of 4 x 4 cells. */
static bool add_square(struct cell_plan *plan, const struct band *band, long number, const struct mosaic *m,
                       const struct cell_area *area)
{
    enum { GROUP = 4, ACROSS = SHARED_SIDE / CELL_SIDE, EACH = CELL_SIDE / GROUP };
    bool enough = true;
    for (int b = 0; b < ACROSS * ACROSS && enough; b++) {
        size_t before = plan->count;
        for (int n = 0; n < CELL_SIDE * CELL_SIDE && enough; n++) {
            int g = n / (GROUP * GROUP), i = n % (GROUP * GROUP);
            long row = b / ACROSS * CELL_SIDE + g / EACH * GROUP + i / GROUP;
            long col = b % ACROSS * CELL_SIDE + g % EACH * GROUP + i % GROUP;
            const struct cell cell = {(int32_t)(band->row * SHARED_SIDE + row), (int32_t)(number * SHARED_SIDE + col)};
            enough = add_shared(plan, cell, m, area);
        }
        enough = enough && end_block(plan, before);
    }
    return enough;
}

gvm_status cell_plan_make(struct cell_plan *plan, const struct mosaic *m, double size, bool shared,
                          const struct cell_area *area, gvm_error *err)
{
    double box[4] = BOX_OF_NOTHING, around[4], rows = EARTH_DEGREE * CELL_RADIUS / size;
    struct span *spans = malloc((6 * m->source_count + 1) * sizeof *spans);
    bool enough = spans != NULL;
    int side = shared ? SHARED_SIDE : CELL_SIDE;
    *plan = (struct cell_plan){.size = size, .shared = shared};
    area_box(around, area);
    for (size_t i = 0; i < m->source_count; i++) box_take_in(box, m->boxes[i]);
    double south = fmax(box[1], around[1]) * rows, north = fmin(box[3], around[3]) * rows;
    for (long b = (long)floor(south / side) - 1; (double)((b - 1) * side) <= north + 1 && enough; b++) {
        struct band band = band_at(b, size, shared);
        size_t count = find_spans(spans, &band, m, area);
        for (size_t i = 0; i < count; i++)
            for (long k = spans[i].from; k < spans[i].to && enough; k++)
                enough = shared ? add_square(plan, &band, k, m, area) : add_block(plan, &band, k, m, area);
    }
    free(spans);
    if (enough) return GVM_OK;
    cell_plan_free(plan);
    return fail(err, GVM_MEMORY, "out of memory for the map's cells");
}

void cell_plan_free(struct cell_plan *plan)
{
    free(plan->cells);
    free(plan->first);
    *plan = (struct cell_plan){.cells = NULL};
}

size_t cell_plan_find(const struct cell_plan *plan, size_t number)
{
    if (number >= plan->count) return plan->block_count;
    size_t low = 0, high = plan->block_count;
    while (high - low > 1) {
        size_t half = (low + high) / 2;
        if (plan->first[half] <= number)
            low = half;
        else
            high = half;
    }
    return low;
}
