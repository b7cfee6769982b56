/* map.h - tiles with their features, in memory. */
#ifndef GVM_MAP_MAP_H
#define GVM_MAP_MAP_H

#include "map/tiles.h"

struct gvm_map {
    struct tiles tiles; /* those that could be read, in the list's order */
    float *features;    /* (tiles.count, width), rows of length 1 */
    int width;
    double ground_m;      /* of a tile whose list does not say */
    char fingerprint[17]; /* of the model that made the features */
};

#endif
