/* grid.h - where the tiles of a raster lie: rows of equal latitude, every so many metres, and along a row every so
 * many metres, in the middle of the raster's box. They are cut in blocks of up to GRID_SIDE x GRID_SIDE neighbours,
 * which share most of their pixels. If the raster covers parts of its box only, the blocks that touch these are kept.
 */
#ifndef GVM_IMAGERY_GRID_H
#define GVM_IMAGERY_GRID_H

#include <stdbool.h>
#include <stddef.h>

#include "geoviewmatch.h"

enum { GRID_SIDE = 4, GRID_MOST = GRID_SIDE * GRID_SIDE };

/* GRID_SIDE rows or, the last, fewer. Their columns stand one below the other. */
struct grid_band {
    double lat[GRID_SIDE];
    double lon, step; /* of the first column, and to the next, degrees */
    int rows;
    size_t columns;
    size_t block, place; /* how many come before it */
};

struct grid {
    double tile_m, stride_m;
    struct grid_band *bands;
    size_t band_count;
    size_t blocks, places; /* of those that are kept */

    size_t *kept;   /* (blocks) rising, those of the whole grid; NULL: all */
    size_t *before; /* (blocks) places before each that is kept */
};

struct grid_place {
    double lat, lon;
};

/* Boxes (west, south, east, north, degrees) within another; count 0: all of it. */
struct grid_parts {
    const double (*boxes)[4];
    size_t count;
};

/* Cover a box, or parts of it. GVM_FORMAT if that takes more than 10^10 tiles, GVM_MEMORY. To be freed with grid_free.
 * `where` names the raster. */
gvm_status grid_cover(struct grid *grid, const double box[4], const struct grid_parts *parts, double tile_m,
                      double stride_m, const char *where, gvm_error *err);
void grid_free(struct grid *grid);

/* The centres of a block's tiles, row by row from the north, and the number of places before it. Returns how many. */
int grid_block(struct grid_place places[GRID_MOST], size_t *before, const struct grid *grid, size_t block);

/* The block in which a place lies; blocks for places. */
size_t grid_find(const struct grid *grid, size_t place);

#endif
