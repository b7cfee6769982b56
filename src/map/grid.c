/* grid.c - see grid.h */
#include "map/grid.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "map/earth.h"

static const double most_places = 1e10;

/* How many tiles cover a length: the last may leave an eighth of a stride uncovered at each end. */
static double tiles_along(double metres, const struct grid *g)
{
    return fmax(0, ceil((metres - g->tile_m) / g->stride_m - 0.25)) + 1;
}

static size_t blocks_of(size_t columns)
{
    return (columns + GRID_SIDE - 1) / GRID_SIDE;
}

/* The columns of a band, by the parallel in its middle: over four rows of 64 m it changes by 10^-5. */
static void lay_columns(struct grid_band *band, const struct grid *g, const double box[4])
{
    double middle = (band->lat[0] + band->lat[band->rows - 1]) / 2, degree = metres_per_lon(middle);
    double columns = tiles_along((box[2] - box[0]) * degree, g);
    band->step = g->stride_m / degree;
    band->columns = columns < most_places ? (size_t)columns : (size_t)most_places;
    band->lon = (box[0] + box[2]) / 2 - band->step * (double)(band->columns - 1) / 2;
}

gvm_status grid_cover(struct grid *g, const double box[4], double tile_m, double stride_m, const char *where,
                      gvm_error *err)
{
    double middle = (box[1] + box[3]) / 2, height = (box[3] - box[1]) * metres_per_lat(middle);
    *g = (struct grid){.tile_m = tile_m, .stride_m = stride_m};
    double rows = tiles_along(height, g);
    size_t row_count = rows < most_places ? (size_t)rows : (size_t)most_places;
    if (rows * tiles_along((box[2] - box[0]) * metres_per_lon(middle), g) > most_places)
        return fail(
            err, GVM_FORMAT,
            "%s: it would be more than 10,000,000,000 tiles of %g m every %g m: take larger ones, further apart", where,
            tile_m, stride_m);
    g->band_count = blocks_of(row_count);
    g->bands = calloc(g->band_count, sizeof *g->bands);
    if (g->bands == NULL) return fail(err, GVM_MEMORY, "%s: there is not enough memory for its tiles", where);
    double lat = lat_north(middle, stride_m * (double)(row_count - 1) / 2);
    for (size_t b = 0; b < g->band_count; b++) {
        struct grid_band *band = &g->bands[b];
        for (size_t r = b * GRID_SIDE; r < row_count && band->rows < GRID_SIDE; r++) {
            band->lat[band->rows++] = lat;
            lat = lat_north(lat, -stride_m);
        }
        lay_columns(band, g, box);
        band->block = g->blocks;
        band->place = g->places;
        g->blocks += blocks_of(band->columns);
        g->places += band->columns * (size_t)band->rows;
    }
    return GVM_OK;
}

void grid_free(struct grid *g)
{
    free(g->bands);
    *g = (struct grid){.bands = NULL};
}

/* The last band that starts at or before a block (by_place: a place). */
static const struct grid_band *band_of(const struct grid *g, size_t number, int by_place)
{
    size_t low = 0, high = g->band_count;
    while (high - low > 1) {
        size_t half = (low + high) / 2;
        if ((by_place ? g->bands[half].place : g->bands[half].block) <= number)
            low = half;
        else
            high = half;
    }
    return &g->bands[low];
}

int grid_block(struct grid_place places[GRID_MOST], size_t *before, const struct grid *g, size_t block)
{
    const struct grid_band *band = band_of(g, block, 0);
    size_t from = (block - band->block) * GRID_SIDE, to = from + GRID_SIDE;
    int count = 0;
    if (to > band->columns) to = band->columns;
    for (int r = 0; r < band->rows; r++)
        for (size_t c = from; c < to; c++)
            places[count++] = (struct grid_place){band->lat[r], band->lon + band->step * (double)c};
    *before = band->place + from * (size_t)band->rows;
    return count;
}

size_t grid_find(const struct grid *g, size_t place)
{
    if (place >= g->places) return g->blocks;
    const struct grid_band *band = band_of(g, place, 1);
    return band->block + (place - band->place) / (size_t)band->rows / GRID_SIDE;
}
