/* metres.h - recall in metres on a map, as in the statewide paper (Fervers et al., ECCV 2024): how often one of the k
 * best tiles is within a radius of the photo's position. Distances are on that paper's sphere of radius 6,378,137 m. */
#ifndef GVM_TRAIN_METRES_H
#define GVM_TRAIN_METRES_H

#include <stdbool.h>

#include "geoviewmatch.h"

enum { METRE_RADII = 4, METRE_BESTS = 4, METRE_MOST = 100 /* largest k */ };

extern const double metre_radii[METRE_RADII]; /* 0 (the right tile itself), 25, 50, 100 */
extern const int metre_bests[METRE_BESTS];    /* 1, 5, 10, 100 */

/* A photo's true position on a map. */
struct metre_truth {
    double lat, lon;
    size_t right;             /* index of the right tile */
    size_t near[METRE_RADII]; /* number of tiles that count for each radius; the right one only for radius 0 */
};

struct metres {
    size_t tiles, photos;
    double recall[METRE_RADII][METRE_BESTS]; /* number of photos with a hit; percent after metres_end */
    double chance[METRE_RADII][METRE_BESTS]; /* the expected value for tiles in random order */
    double *off;                             /* (photos) error of the best tile in metres; owned by the caller */
    double median_m;
};

/* Find the right tile of a position: on a map of cells (cell_m wide) the cell that contains it; on other maps (cell_m
 * 0) the tile with the nearest centre, by metres along the meridian plus metres along the parallel. Returns false if
 * the position is outside of the map. */
bool metres_truth(struct metre_truth *truth, const gvm_map *map, double cell_m, double lat, double lon);

/* Add a photo with its hits, best first, each tile once; m->off must have room for it. */
void metres_add(struct metres *m, const struct metre_truth *truth, const gvm_hit *hits, int count);

/* Convert sums to percent and compute the median; NaN if there are no photos. */
void metres_end(struct metres *m);

#endif
