/* grid.h - the grid of tiles over a raster: rows of equal latitude one stride apart, tiles one stride apart along a
 * row, centred in the raster's box. Tiles are cut in blocks of up to GRID_SIDE x GRID_SIDE neighbours, which share most
 * of their pixels. If the raster covers only parts of its box, only the blocks that touch these are kept. */
#ifndef GVM_IMAGERY_GRID_H
#define GVM_IMAGERY_GRID_H

#include <stdbool.h>
#include <stddef.h>

#include "geoviewmatch.h"

enum { GRID_SIDE = 4, GRID_MOST = GRID_SIDE * GRID_SIDE };

/* GRID_SIDE rows with the same columns; the last band may have fewer rows. */
struct grid_band {
    double lat[GRID_SIDE];
    double lon, step; /* of the first column, and to the next, degrees */
    int rows;
    size_t columns;
    size_t block, place; /* blocks and places before it */
};

struct grid {
    double tile_m, stride_m;
    struct grid_band *bands;
    size_t band_count;
    size_t blocks, places; /* of those that are kept */

    size_t *kept;   /* (blocks) ascending block numbers of the whole grid; NULL: all are kept */
    size_t *before; /* (blocks) places before each kept block */
};

struct grid_place {
    double lat, lon;
};

/* The covered boxes (west, south, east, north, degrees) within another; count 0: all of it is covered. */
struct grid_parts {
    const double (*boxes)[4];
    size_t count;
};

/* Lay the grid over a box or its covered parts; the caller frees it with grid_free. `where` is the raster's name in
 * error messages. Fails with GVM_FORMAT if there are more than 10^10 tiles, or GVM_MEMORY. */
gvm_status grid_cover(struct grid *grid, const double box[4], const struct grid_parts *parts, double tile_m,
                      double stride_m, const char *where, gvm_error *err);
void grid_free(struct grid *grid);

/* The centres of a block's tiles, row by row from the north, and the number of places before it. Returns how many. */
int grid_block(struct grid_place places[GRID_MOST], size_t *before, const struct grid *grid, size_t block);

/* The block that holds place number `place`; the number of blocks if `place` is beyond the last. */
size_t grid_find(const struct grid *grid, size_t place);

#endif
