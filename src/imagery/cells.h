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

#include "geo/earth.h"

/* The lattice of the statewide paper (Fervers et al., ECCV 2024) is on the sphere of web Mercator, not on the mean one
 * that distances are measured on: its rows are 0.1% farther apart. */
#define CELL_RADIUS EARTH_A

struct cell {
    long row, col;
};

/* Degrees. */
void cell_centre(double *lat, double *lon, struct cell cell, double size);

/* The cell that is right for a place: whose centre is nearest to it, as metres along the meridian plus metres along the
 * parallel. */
struct cell cell_of(double lat, double lon, double size);

#endif
