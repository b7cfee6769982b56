/* cells.c - see cells.h */
#include "imagery/cells.h"

void cell_centre(double *lat, double *lon, struct cell cell, double size)
{
    double north = cell.row * size / CELL_RADIUS;
    *lat = north / EARTH_DEGREE;
    *lon = cell.col * size / (CELL_RADIUS * cos(north)) / EARTH_DEGREE;
}

/* Distance on the unit sphere; the nearest cell does not depend on the radius. */
static double walk(double lat, double lon, double to_lat, double to_lon)
{
    return metres_between(to_lat, lon, lat, lon) + metres_between(lat, to_lon, lat, lon);
}

struct cell cell_of(double lat, double lon, double size)
{
    struct cell best = {0, 0};
    double least = INFINITY;
    long row = lround(CELL_RADIUS * lat * EARTH_DEGREE / size);
    for (long i = row - 1; i <= row + 1; i++) {
        double parallel = CELL_RADIUS * cos((double)i * size / CELL_RADIUS);
        long col = lround(parallel * lon * EARTH_DEGREE / size);
        for (long j = col - 1; j <= col + 1; j++) {
            double to_lat, to_lon;
            struct cell cell = {(int32_t)i, (int32_t)j};
            cell_centre(&to_lat, &to_lon, cell, size);
            double metres = walk(lat, lon, to_lat, to_lon);
            if (metres >= least) continue;
            least = metres;
            best = cell;
        }
    }
    return best;
}

void cell_box(double box[4], struct cell cell, double size)
{
    double north = size / CELL_RADIUS / EARTH_DEGREE, parallel = cos(cell.row * size / CELL_RADIUS);
    box[0] = (cell.col - 0.5) * north / parallel;
    box[1] = (cell.row - 0.5) * north;
    box[2] = (cell.col + 0.5) * north / parallel;
    box[3] = (cell.row + 0.5) * north;
}

/* ------------------------------------------------------------------ shared pictures */

/* The square of a row or column, and the offset within the square. */
static int32_t square_of(int32_t number, int *within)
{
    *within = (int)(((number % SHARED_SIDE) + SHARED_SIDE) % SHARED_SIDE);
    return (number - *within) / SHARED_SIDE;
}

/* The position `down` and `across` cells from the square's south-western cell. */
static void in_square(double *lat, double *lon, int32_t row, int32_t col, double down, double across, double size)
{
    double middle = (SHARED_SIDE - 1) / 2.0, step = size / CELL_RADIUS / EARTH_DEGREE;
    cell_centre(lat, lon, (struct cell){row, col}, SHARED_SIDE * size);
    *lon += (across - middle) * step / cos(*lat * EARTH_DEGREE);
    *lat += (down - middle) * step;
}

void shared_centre(double *lat, double *lon, struct cell cell, double size)
{
    group_centre(lat, lon, cell, 1, size);
}

void group_centre(double *lat, double *lon, struct cell cell, int side, double size)
{
    int i, j;
    int32_t row = square_of(cell.row, &i), col = square_of(cell.col, &j);
    int up = i / side * side, right = j / side * side; /* of the group's first */
    double middle = (side - 1) / 2.0;
    in_square(lat, lon, row, col, up + middle, right + middle, size);
}

struct cell shared_cell_of(double lat, double lon, double size)
{
    double step = size / CELL_RADIUS / EARTH_DEGREE;
    int within;
    int32_t row = (int32_t)lround(lat / step + (SHARED_SIDE - 1) / 2.0);
    double north = square_of(row, &within) * SHARED_SIDE * size / CELL_RADIUS;
    return (struct cell){row, (int32_t)lround(lon / step * cos(north) + (SHARED_SIDE - 1) / 2.0)};
}

void shared_box(double box[4], struct cell cell, double size)
{
    double lat, lon;
    int i, j;
    int32_t row = square_of(cell.row, &i), col = square_of(cell.col, &j);
    in_square(&box[1], &box[0], row, col, i - 0.5, j - 0.5, size);
    in_square(&lat, &lon, row, col, i + 0.5, j + 0.5, size);
    box[2] = lon;
    box[3] = lat;
}
