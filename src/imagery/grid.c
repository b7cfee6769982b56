/* grid.c - see grid.h */
#include "imagery/grid.h"

#include <math.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/error.h"
#include "geo/earth.h"

static const double most_places = 1e10, most_rows = 4e7 /* for a sparsely covered box */;

/* Number of tiles that cover a length; up to an eighth of a stride may stay uncovered at each end. */
static double tiles_along(double metres, const struct grid *g)
{
    return fmax(0, ceil((metres - g->tile_m) / g->stride_m - 0.25)) + 1;
}

/* Index of the last of `count` items, `each` bytes apart, that is at most `number`; the first item always is. */
static size_t last_before(const size_t *first, size_t each, size_t count, size_t number)
{
    size_t low = 0, high = count;
    while (high - low > 1) {
        size_t half = (low + high) / 2;
        if (*(const size_t *)(const void *)((const char *)first + half * each) <= number)
            low = half;
        else
            high = half;
    }
    return low;
}

/* The band that holds a block of the whole grid. */
static const struct grid_band *band_of(const struct grid *g, size_t block)
{
    return &g->bands[last_before(&g->bands->block, sizeof *g->bands, g->band_count, block)];
}

static size_t blocks_of(size_t columns)
{
    return (columns + GRID_SIDE - 1) / GRID_SIDE;
}

/* Columns of a band, spaced at its middle parallel: within four rows of 64 m the spacing varies by 10^-5. */
static void lay_columns(struct grid_band *band, const struct grid *g, const double box[4])
{
    double middle = (band->lat[0] + band->lat[band->rows - 1]) / 2, degree = metres_per_lon(middle);
    double columns = tiles_along((box[2] - box[0]) * degree, g);
    band->step = g->stride_m / degree;
    band->columns = columns < most_places ? (size_t)columns : (size_t)most_places;
    band->lon = (box[0] + box[2]) / 2 - band->step * (double)(band->columns - 1) / 2;
}

/* Number of places in a block. */
static size_t block_places(const struct grid_band *band, size_t number)
{
    size_t from = number * GRID_SIDE, left = band->columns - from;
    return (left < GRID_SIDE ? left : GRID_SIDE) * (size_t)band->rows;
}

static gvm_status lay_bands(struct grid *g, const double box[4], size_t row_count, const char *where, gvm_error *err)
{
    double lat = lat_north((box[1] + box[3]) / 2, g->stride_m * (double)(row_count - 1) / 2);
    g->band_count = blocks_of(row_count);
    g->bands = calloc(g->band_count, sizeof *g->bands);
    if (g->bands == NULL) return fail(err, GVM_MEMORY, "%s: out of memory for its tiles", where);
    for (size_t b = 0; b < g->band_count; b++) {
        struct grid_band *band = &g->bands[b];
        for (size_t r = b * GRID_SIDE; r < row_count && band->rows < GRID_SIDE; r++) {
            band->lat[band->rows++] = lat;
            lat = lat_north(lat, -g->stride_m);
        }
        lay_columns(band, g, box);
        band->block = g->blocks;
        band->place = g->places;
        g->blocks += blocks_of(band->columns);
        g->places += band->columns * (size_t)band->rows;
    }
    return GVM_OK;
}

/* ------------------------------------------------------------------ parts */

struct kept {
    size_t *blocks, count;
};

static bool keep(struct kept *k, size_t block)
{
    if (k->count > 0 && k->blocks[k->count - 1] == block) return true;
    size_t *blocks = array_room(k->blocks, k->count, sizeof *blocks);
    if (blocks != NULL) (k->blocks = blocks)[k->count++] = block;
    return blocks != NULL;
}

/* Keep the blocks of a band that have a tile touching a box. */
static bool keep_blocks(struct kept *k, const struct grid *g, const struct grid_band *band, const double box[4])
{
    double south = band->lat[band->rows - 1], half = g->tile_m / 2;
    if (lat_north(band->lat[0], half) < box[1] || lat_north(south, -half) > box[3]) return true;
    double reach = half / metres_per_lon(south);
    double first = floor((box[0] - reach - band->lon) / band->step),
           last = ceil((box[2] + reach - band->lon) / band->step);
    if (last < 0 || first >= (double)band->columns) return true;
    size_t from = first > 0 ? (size_t)first : 0, to = last < (double)band->columns ? (size_t)last : band->columns - 1;
    for (size_t b = from / GRID_SIDE; b <= to / GRID_SIDE; b++)
        if (!keep(k, band->block + b)) return false;
    return true;
}

static int compare(const void *a, const void *b)
{
    size_t p = *(const size_t *)a, q = *(const size_t *)b;
    return (p > q) - (p < q);
}

/* The band at or below a latitude. */
static size_t band_at(const struct grid *g, double lat)
{
    size_t low = 0, high = g->band_count;
    while (high - low > 1) {
        size_t half = (low + high) / 2;
        if (g->bands[half].lat[0] >= lat)
            low = half;
        else
            high = half;
    }
    return low;
}

static bool keep_parts(struct kept *k, const struct grid *g, const struct grid_parts *parts)
{
    for (size_t i = 0; i < parts->count; i++) {
        const double *box = parts->boxes[i];
        size_t b = band_at(g, lat_north(box[3], g->tile_m));
        for (; b < g->band_count && g->bands[b].lat[0] > lat_north(box[1], -g->tile_m); b++)
            if (!keep_blocks(k, g, &g->bands[b], box)) return false;
    }
    if (k->count > 0) qsort(k->blocks, k->count, sizeof *k->blocks, compare);
    size_t unique = 0;
    for (size_t i = 0; i < k->count; i++)
        if (unique == 0 || k->blocks[unique - 1] != k->blocks[i]) k->blocks[unique++] = k->blocks[i];
    k->count = unique;
    return true;
}

/* Keep the blocks that touch parts of the box. If all blocks do, no list is kept. */
static gvm_status take_parts(struct grid *g, const struct grid_parts *parts, const char *where, gvm_error *err)
{
    struct kept k = {.blocks = NULL};
    bool enough = keep_parts(&k, g, parts);
    if (enough && k.count == g->blocks) {
        free(k.blocks);
        return GVM_OK;
    }
    g->before = enough ? malloc((k.count + 1) * sizeof *g->before) : NULL;
    g->kept = k.blocks;
    if (g->before == NULL) return fail(err, GVM_MEMORY, "%s: out of memory for its tiles", where);
    g->places = 0;
    for (size_t i = 0; i < k.count; i++) {
        const struct grid_band *band = band_of(g, k.blocks[i]);
        g->before[i] = g->places;
        g->places += block_places(band, k.blocks[i] - band->block);
    }
    g->blocks = k.count;
    return GVM_OK;
}

gvm_status grid_cover(struct grid *g, const double box[4], const struct grid_parts *parts, double tile_m,
                      double stride_m, const char *where, gvm_error *err)
{
    double middle = (box[1] + box[3]) / 2, height = (box[3] - box[1]) * metres_per_lat(middle);
    *g = (struct grid){.tile_m = tile_m, .stride_m = stride_m};
    double rows = tiles_along(height, g), all = rows * tiles_along((box[2] - box[0]) * metres_per_lon(middle), g);
    gvm_status status = GVM_OK;
    bool fits = all <= most_places || (parts->count > 0 && rows <= most_rows);
    if (fits) status = lay_bands(g, box, (size_t)rows, where, err);
    if (fits && status == GVM_OK && parts->count > 0) status = take_parts(g, parts, where, err);
    if (fits && (double)g->places <= most_places) return status;
    return fail(err, GVM_FORMAT,
                "%s: more than 10,000,000,000 tiles of %g m every %g m; choose a larger tile size or stride", where,
                tile_m, stride_m);
}

void grid_free(struct grid *g)
{
    free(g->bands);
    free(g->kept);
    free(g->before);
    *g = (struct grid){.bands = NULL};
}

/* ------------------------------------------------------------------ one of them */

int grid_block(struct grid_place places[GRID_MOST], size_t *before, const struct grid *g, size_t block)
{
    size_t number = g->before != NULL ? g->kept[block] : block;
    const struct grid_band *band = band_of(g, number);
    size_t from = (number - band->block) * GRID_SIDE, to = from + GRID_SIDE;
    int count = 0;
    if (to > band->columns) to = band->columns;
    for (int r = 0; r < band->rows; r++)
        for (size_t c = from; c < to; c++)
            places[count++] = (struct grid_place){band->lat[r], band->lon + band->step * (double)c};
    *before = g->before != NULL ? g->before[block] : band->place + from * (size_t)band->rows;
    return count;
}

size_t grid_find(const struct grid *g, size_t place)
{
    if (place >= g->places) return g->blocks;
    if (g->before != NULL) return last_before(g->before, sizeof *g->before, g->blocks, place);
    const struct grid_band *band = &g->bands[last_before(&g->bands->place, sizeof *g->bands, g->band_count, place)];
    return band->block + (place - band->place) / (size_t)band->rows / GRID_SIDE;
}
