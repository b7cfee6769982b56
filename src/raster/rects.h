/* rects.h - parts of a raster, as rectangles of its pixels that do not overlap. */
#ifndef GVM_RASTER_RECTS_H
#define GVM_RASTER_RECTS_H

#include <stdbool.h>
#include <stddef.h>

struct rect {
    int x0, y0, x1, y1; /* x1, y1: the first beyond it */
};

struct rects {
    int width, height; /* of the raster */
    struct rect *items;
    size_t count;
    bool short_of_memory; /* some are missing */
};

/* Add a rectangle, clipped to the raster; an empty one, or one with NaN, adds nothing. */
void rects_add(struct rects *rects, double x0, double y0, double x1, double y1);

/* Replace overlapping rectangles by a few that do not overlap: horizontal strips, with equal ones below each other
 * joined. */
void rects_join(struct rects *rects);

/* Returns true if the joined rectangles cover the whole raster. */
bool rects_are_all(const struct rects *rects);

void rects_free(struct rects *rects); /* leaves it empty */

#endif
