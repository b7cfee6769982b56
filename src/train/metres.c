/* metres.c - see metres.h */
#include "train/metres.h"

#include <math.h>

#include "base/top.h"
#include "geo/earth.h"
#include "imagery/cells.h"
#include "map/map.h"

const double metre_radii[METRE_RADII] = {0, 25, 50, 100};
const int metre_bests[METRE_BESTS] = {1, 5, 10, 100};

static const double STRETCH = CELL_RADIUS / EARTH_RADIUS;

static double metres(double lat, double lon, double to_lat, double to_lon)
{
    return STRETCH * metres_between(lat, lon, to_lat, to_lon);
}

/* Distance along the meridian plus distance along the parallel, metres. */
static double walk(double lat, double lon, const struct tile *tile, double *north, double *east)
{
    *north = metres(lat, lon, tile->lat, lon);
    *east = metres(tile->lat, lon, tile->lat, tile->lon);
    return *north + *east;
}

/* The tile nearest to a position by this distance; -1 if it is farther than `most`. */
static long nearest(const gvm_map *map, double lat, double lon, double most, double *north, double *east)
{
    long found = -1;
    for (size_t i = 0; i < map->tiles.count; i++) {
        const struct tile *tile = &map->tiles.items[i];
        double y, x;
        if (fabs(tile->lat - lat) * EARTH_ARC > most) continue;
        double way = walk(lat, lon, tile, &y, &x);
        if (way > most || (found >= 0 && way == most)) continue;
        found = (long)i;
        most = way;
        *north = y;
        *east = x;
    }
    return found;
}

bool metres_truth(struct metre_truth *truth, const gvm_map *map, double cell_m, double lat, double lon)
{
    double north = 0, east = 0, cell_lat, cell_lon;
    long right;
    *truth = (struct metre_truth){.lat = lat, .lon = lon};
    if (cell_m > 0) {
        struct cell cell = (map->shared ? shared_cell_of : cell_of)(lat, lon, cell_m);
        (map->shared ? shared_centre : cell_centre)(&cell_lat, &cell_lon, cell, cell_m);
        right = nearest(map, cell_lat, cell_lon, cell_m / 10, &north, &east);
    } else {
        right = nearest(map, lat, lon, INFINITY, &north, &east);
        double half = right >= 0 ? map_hit(map, (size_t)right).half_tile_m : 0;
        if (north > half || east > half) right = -1;
    }
    if (right < 0) return false;
    truth->right = (size_t)right;
    truth->near[0] = 1;
    for (size_t i = 0; i < map->tiles.count; i++) {
        const struct tile *tile = &map->tiles.items[i];
        if (fabs(tile->lat - lat) * EARTH_ARC > metre_radii[METRE_RADII - 1]) continue;
        double away = metres(lat, lon, tile->lat, tile->lon);
        for (int r = 1; r < METRE_RADII; r++) truth->near[r] += away < metre_radii[r];
    }
    return true;
}

/* Probability that at least one of k tiles drawn at random from `all` is one of the `near`. */
static double by_chance(size_t near, size_t all, int k)
{
    double none = 1;
    for (int i = 0; i < k && none > 0; i++)
        none *= near + (size_t)i < all ? 1 - (double)near / (double)(all - (size_t)i) : 0;
    return 1 - none;
}

void metres_add(struct metres *m, const struct metre_truth *truth, const gvm_hit *hits, int count)
{
    int first[METRE_RADII]; /* rank of the first hit within each radius */
    for (int r = 0; r < METRE_RADII; r++) first[r] = METRE_MOST;
    for (int k = 0; k < count && k < METRE_MOST; k++) {
        double away = metres(truth->lat, truth->lon, hits[k].lat, hits[k].lon);
        for (int r = 0; r < METRE_RADII; r++) {
            bool right = r == 0 ? hits[k].number == truth->right : away < metre_radii[r];
            if (right && k < first[r]) first[r] = k;
        }
    }
    for (int r = 0; r < METRE_RADII; r++)
        for (int b = 0; b < METRE_BESTS; b++) {
            m->recall[r][b] += first[r] < metre_bests[b];
            m->chance[r][b] += by_chance(truth->near[r], m->tiles, metre_bests[b]);
        }
    m->off[m->photos++] = count > 0 ? metres(truth->lat, truth->lon, hits->lat, hits->lon) : INFINITY;
}

void metres_end(struct metres *m)
{
    for (int r = 0; r < METRE_RADII; r++)
        for (int b = 0; b < METRE_BESTS; b++) {
            m->recall[r][b] *= 100 / (double)m->photos;
            m->chance[r][b] *= 100 / (double)m->photos;
        }
    m->median_m = median(m->off, m->photos);
}
