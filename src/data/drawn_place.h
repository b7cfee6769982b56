/* drawn_place.h - the random position of a photo's aerial pictures in training, and the mask of photos and places that
 * count in the loss (docs/model.md). */
#ifndef GVM_DATA_DRAWN_PLACE_H
#define GVM_DATA_DRAWN_PLACE_H

#include <stdint.h>

#include "data/dataset.h"

#define APART_M 30.0 /* metres: a place within this distance of a photo is neither positive nor negative */

struct drawn_place {
    double lat, lon; /* WGS84 degrees */
    double bearing;  /* direction that points up, degrees clockwise from north, 0..540 */
};

/* A random bearing, and a random position in a square of `side` metres around a place; the square is rotated by the
 * bearing. The result depends only on the arguments. */
struct drawn_place draw_place(double lat, double lon, double side, uint64_t seed, uint64_t epoch, uint64_t index);

/* allowed, out: (B, B), 1 if place j is photo i's own or farther than APART_M from the photo, by great circles on the
 * sphere of the lattice of cells. queries: (B) indices in the split; places: (B) of these queries. */
void places_allowed(uint8_t *allowed, const struct split *split, const int *queries, const struct drawn_place *places,
                    int B);

#endif
