/* metres.h - recalls in metres over a map: how often one of the k best tiles lies near where a photo was taken, as the
 * statewide paper (Fervers et al., ECCV 2024) counts. Distances are on its sphere, of radius 6,378,137 m. */
#ifndef GVM_TRAIN_METRES_H
#define GVM_TRAIN_METRES_H

#include <stdbool.h>

#include "geoviewmatch.h"

enum { METRE_RADII = 4, METRE_BESTS = 4, METRE_MOST = 100 /* tiles of a photo that count */ };

extern const double metre_radii[METRE_RADII]; /* 0, which stands for the right tile; 25, 50, 100 */
extern const int metre_bests[METRE_BESTS];    /* 1, 5, 10, 100 */

/* Where a photo was taken, on a map. */
struct metre_truth {
    double lat, lon;
    size_t right;             /* the tile that is right for it */
    size_t near[METRE_RADII]; /* how many tiles would count: the right one, and those nearer than each radius */
};

struct metres {
    size_t tiles, photos;
    double recall[METRE_RADII][METRE_BESTS]; /* sums over photos of 1 for one that is right, until metres_end */
    double chance[METRE_RADII][METRE_BESTS]; /* the same for tiles in any order */
    double *off;                             /* (photos) metres of the best one; the caller's */
    double median_m;
};

/* Find the right tile of a place: on a map of cells, cell_m wide, the cell that it lies in; on others (cell_m 0) the
 * one whose centre is nearest, as metres along the meridian plus metres along the parallel. False where the map has
 * none: the place lies outside of it. */
bool metres_truth(struct metre_truth *truth, const gvm_map *map, double cell_m, double lat, double lon);

/* Count a photo by its hits, best first, each tile once; m->off has room. */
void metres_add(struct metres *m, const struct metre_truth *truth, const gvm_hit *hits, int count);

/* Sums become percent, and the median is found; NaN without photos. */
void metres_end(struct metres *m);

#endif
