/* cells.h - the lattice of cells that maps of zooms are made of. A cell is a name: row and column are whole numbers,
 * counted from the equator and from Greenwich on the sphere that the lattice lies on, so that two maps have the same
 * cells wherever both lie.
 *
 *   latitude of its centre   row * size / R            (radians)
 *   longitude                col * size / (R cos lat)
 *
 * It reaches half a row to the north and the south, half a column to the east and the west. */
#ifndef GVM_IMAGERY_CELLS_H
#define GVM_IMAGERY_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geo/earth.h"
#include "geoviewmatch.h"

struct mosaic;

/* The lattice of the statewide paper (Fervers et al., ECCV 2024) is on the sphere of web Mercator, not on the mean one
 * that distances are measured on: its rows are 0.1% farther apart. */
#define CELL_RADIUS EARTH_A

struct cell {
    int32_t row, col;
};

/* Degrees. */
void cell_centre(double *lat, double *lon, struct cell cell, double size);

/* The cell that is right for a place: whose centre is nearest to it, as metres along the meridian plus metres along the
 * parallel. */
struct cell cell_of(double lat, double lon, double size);

/* West, south, east, north, degrees. */
void cell_box(double box[4], struct cell cell, double size);

/* Another lattice, for cells that share their coarse pictures, which needs squares: SHARED_SIDE x SHARED_SIDE cells
 * around the centre of each cell of the lattice above for SHARED_SIDE times the size, their columns all as far apart as
 * there. So no cell is missing, and none overlaps another by more than tan(latitude) * 4 cm. Row and column count cells
 * through the squares.
 *
 * A group of `side` x `side` cells (1, 2, 4) that begins at a multiple of `side` has its middle where group_centre
 * says. */
enum { SHARED_SIDE = 32 };
void shared_centre(double *lat, double *lon, struct cell cell, double size);
struct cell shared_cell_of(double lat, double lon, double size); /* whose centre this is, or lies near it */
void shared_box(double box[4], struct cell cell, double size);
void group_centre(double *lat, double *lon, struct cell cell, int side, double size);

enum {
    CELL_SIDE = 8,                          /* rows of a block; it is about as wide as high */
    CELL_MOST = CELL_SIDE * (CELL_SIDE + 1) /* cells of one */
};

/* The cells of some imagery, in blocks whose pictures share most of their ground: from the south to the north, in a row
 * of blocks from the west to the east, and so within a block. */
struct cell_plan {
    double size;
    bool shared; /* on the lattice for shared pictures; then a block has CELL_SIDE x CELL_SIDE cells, group after group
                  */
    struct cell *cells;
    size_t count;
    size_t *first; /* (block_count) cells before each */
    size_t block_count;
};

/* Where cells are wanted; metres 0: everywhere. */
struct cell_area {
    double lat, lon, metres; /* around a place */
};

/* The cells one of whose corners the mosaic covers, and whose centres lie in the area. GVM_MEMORY; to be freed with
 * cell_plan_free. */
gvm_status cell_plan_make(struct cell_plan *plan, const struct mosaic *mosaic, double size, bool shared,
                          const struct cell_area *area, gvm_error *err);
void cell_plan_free(struct cell_plan *plan); /* leaves it empty */

/* The block in which a cell lies, by its number; block_count beyond the last. */
size_t cell_plan_find(const struct cell_plan *plan, size_t number);

#endif
