/* cells.c - see cells.h */
#include "imagery/cells.h"

void cell_centre(double *lat, double *lon, struct cell cell, double size)
{
    double north = (double)cell.row * size / CELL_RADIUS;
    *lat = north / EARTH_DEGREE;
    *lon = (double)cell.col * size / (CELL_RADIUS * cos(north)) / EARTH_DEGREE;
}

/* On a sphere of any radius the same cell is nearest. */
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
            cell_centre(&to_lat, &to_lon, (struct cell){i, j}, size);
            double metres = walk(lat, lon, to_lat, to_lon);
            if (metres >= least) continue;
            least = metres;
            best = (struct cell){i, j};
        }
    }
    return best;
}
