/* map.h - tiles with their features. */
#ifndef GVM_MAP_MAP_H
#define GVM_MAP_MAP_H

#include <stdint.h>

#include "map/tiles.h"

struct gvm_map {
    struct tiles tiles; /* those that could be read, in the list's order */
    /* (rows, width) float16, rows of length 1. A tile's row is tiles.items[i].row; there may be more rows than tiles.
     */
    const uint16_t *features;
    uint16_t *own; /* what features points to where the map has made it itself, else NULL */
    int width;
    double ground_m;      /* of a tile whose list does not say */
    char fingerprint[17]; /* of the model that made the features */
};

#endif
