/* column.h - rays from a camera in one direction of the compass: they run over the same line on the map. */
#ifndef GVM_WORLD_COLUMN_H
#define GVM_WORLD_COLUMN_H

#include "world/view.h"

struct column;

/* For a camera `above` metres above the ground at (x, y). NULL without memory; to be freed with column_free, for which
 * NULL is fine. Scene and view must outlive it. */
struct column *column_open(const struct scene *scene, const struct view *view, float x, float y, float above);
void column_free(struct column *column);

/* Turn it to an azimuth: radians clockwise from north. */
void column_aim(struct column *column, float azimuth);

/* Light from where a ray of that slope goes: metres up to a metre ahead. Fastest if slopes rise from call to call. */
struct colour column_look(struct column *column, float slope);

#endif
