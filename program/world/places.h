/* places.h - places in the town, shared by pairs and orthophotos. */
#ifndef GVM_WORLD_PLACES_H
#define GVM_WORLD_PLACES_H

#include <glib.h>

#include "world/town.h"
#include "world/world.h"

/* The inverse of world_degrees: metres east and north of the town's centre, the shorter way round the globe. */
void world_metres(double *x, double *y, const struct world_options *options, double lat, double lon);

enum { PLACE_TEXT = 2 * G_ASCII_DTOSTR_BUF_SIZE };

/* "LAT,LON" of a point of the town, in any locale. */
void place_text(char text[PLACE_TEXT], const struct world_options *options, double x, double y);

#define PLACES_EVERY_M 46.0f /* default metres of road per camera */

/* Set `test` for options' share of the easternmost places. GVM_OK or GVM_MEMORY. */
gvm_status places_split(struct place *places, const struct world_options *options, gvm_error *err);

/* Choose options->pairs random cameras in a convex area, at least `margin` metres from its border.
 *
 *   corner  counter-clockwise
 *   every   metres of road per camera
 *   found   out: the number there is room for; places are set only if it suffices
 *
 * GVM_OK or GVM_MEMORY. */
gvm_status places_within(struct place *places, int *found, const struct world_options *options,
                         const struct point corner[4], float margin, float every, gvm_error *err);

#endif
