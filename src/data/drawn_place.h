/* drawn_place.h - where a photo's aerial pictures are taken from in training, and which photos and places a loss may
 * tell apart (docs/model.md). */
#ifndef GVM_DATA_DRAWN_PLACE_H
#define GVM_DATA_DRAWN_PLACE_H

#include <stdint.h>

#include "data/dataset.h"

#define APART_M 30.0 /* metres: a place that is not farther from a photo is neither right nor wrong for it */

struct drawn_place {
    double lat, lon; /* WGS84 degrees */
    double bearing;  /* degrees clockwise from north that point up, 0..540 */
};

/* Anywhere in a square of `side` metres around a place, which is turned like the picture, at any bearing; a function of
 * its arguments. */
struct drawn_place draw_place(double lat, double lon, double side, uint64_t seed, uint64_t epoch, uint64_t index);

/* allowed, out: (B, B), 1 where place j is photo i's own or farther from where it was taken than APART_M, by great
 * circles of the sphere that cells lie on. queries: (B) of the split, places: theirs. */
void places_allowed(uint8_t *allowed, const struct split *split, const int *queries, const struct drawn_place *places,
                    int B);

#endif
