/* column.h - rays from a camera in one azimuth, which follow the same line on the map. */
#ifndef GVM_WORLD_COLUMN_H
#define GVM_WORLD_COLUMN_H

#include "world/view.h"

struct column;

/* For a camera `above` metres above the ground at (x, y). NULL if out of memory. Free it with column_free, which
 * accepts NULL. Scene and view must outlive it. */
struct column *column_open(const struct scene *scene, const struct view *view, float x, float y, float above);
void column_free(struct column *column);

/* Turn it to an azimuth: radians clockwise from north. */
void column_aim(struct column *column, float azimuth);

/* Light along a ray of that slope: metres up per metre ahead. Fastest if slopes rise from call to call. */
struct colour column_look(struct column *column, float slope);

#endif
