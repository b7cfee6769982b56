/* places.h - what pairs and orthophotos share about places in the town. */
#ifndef GVM_WORLD_PLACES_H
#define GVM_WORLD_PLACES_H

#include <glib.h>

#include "world/town.h"
#include "world/world.h"

/* The inverse of world_degrees: metres east and north of the town's middle, of the nearer way round the globe. */
void world_metres(double *x, double *y, const struct world_options *options, double lat, double lon);

enum { PLACE_TEXT = 2 * G_ASCII_DTOSTR_BUF_SIZE };

/* "LAT,LON" of a point of the town, in any locale. */
void place_text(char text[PLACE_TEXT], const struct world_options *options, double x, double y);

#define PLACES_EVERY_M 46.0f /* metres of road to a camera, unless asked for otherwise */

/* Set `test` of the most eastern ones, options' share. GVM_OK or GVM_MEMORY. */
gvm_status places_split(struct place *places, const struct world_options *options, gvm_error *err);

/* A draw of options->pairs cameras that stand in a convex piece of ground, `margin` metres or more from its border.
 *
 *   corner   counter-clockwise
 *   every    metres of road to a camera
 *   found    out: for how many there is room; places are set where these are enough
 *
 * GVM_OK or GVM_MEMORY. */
gvm_status places_within(struct place *places, int *found, const struct world_options *options,
                         const struct point corner[4], float margin, float every, gvm_error *err);

#endif
