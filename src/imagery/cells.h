/* cells.h - the global lattice of cells, used by maps of weights with several zooms. A cell is identified by its row
 * and column, whole numbers counted from the equator and from Greenwich, so overlapping maps have the same cells.
 *
 *   latitude of its centre   row * size / R            (radians)
 *   longitude                col * size / (R cos lat)
 *
 * A cell extends half a row to the north and the south, and half a column to the east and the west. */
#ifndef GVM_IMAGERY_CELLS_H
#define GVM_IMAGERY_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geo/earth.h"
#include "geoviewmatch.h"

struct mosaic;

/* The lattice of the statewide paper (Fervers et al., ECCV 2024) uses the sphere of web Mercator. Its radius is 0.1%
 * larger than the mean radius used for distances. */
#define CELL_RADIUS EARTH_A

struct cell {
    int32_t row, col;
};

/* Latitude and longitude of a cell's centre, degrees. */
void cell_centre(double *lat, double *lon, struct cell cell, double size);

/* The cell of a position: the one with the nearest centre, by metres along the meridian plus metres along the
 * parallel. */
struct cell cell_of(double lat, double lon, double size);

/* West, south, east, north, degrees. */
void cell_box(double box[4], struct cell cell, double size);

/* The lattice for cells that share their coarse pictures. It is made of squares of SHARED_SIDE x SHARED_SIDE cells, one
 * around the centre of each cell of the lattice above with SHARED_SIDE times the size; all columns of a square have the
 * spacing at its centre. No ground is left out, and cells overlap by at most tan(latitude) * 4 cm. Rows and columns
 * count cells across the squares.
 *
 * group_centre returns the middle of a group of `side` x `side` cells (1, 2, 4) that begins at a multiple of `side`. */
enum { SHARED_SIDE = 32 };
void shared_centre(double *lat, double *lon, struct cell cell, double size);
struct cell shared_cell_of(double lat, double lon, double size); /* the cell with its centre here or near here */
void shared_box(double box[4], struct cell cell, double size);
void group_centre(double *lat, double *lon, struct cell cell, int side, double size);

enum {
    CELL_SIDE = 8,                          /* rows of a block; it is about as wide as high */
    CELL_MOST = CELL_SIDE * (CELL_SIDE + 1) /* cells of a block at most */
};

/* The cells that imagery covers, in blocks of neighbours that share most of their ground. Order: south to north, then
 * west to east, both of the blocks and within a block. */
struct cell_plan {
    double size;
    bool shared; /* on the lattice for shared pictures; then a block has CELL_SIDE x CELL_SIDE cells, group after group
                  */
    struct cell *cells;
    size_t count;
    size_t *first; /* (block_count) cells before each */
    size_t block_count;
};

/* The area to index; metres 0: everywhere. */
struct cell_area {
    double lat, lon, metres; /* around a place */
};

/* List the cells in the area that have a corner covered by the mosaic; the caller frees them with cell_plan_free. Fails
 * with GVM_MEMORY. */
gvm_status cell_plan_make(struct cell_plan *plan, const struct mosaic *mosaic, double size, bool shared,
                          const struct cell_area *area, gvm_error *err);
void cell_plan_free(struct cell_plan *plan); /* leaves it empty */

/* The block that holds cell `number`; block_count if it is beyond the last. */
size_t cell_plan_find(const struct cell_plan *plan, size_t number);

#endif
