/* lots.h - free space in a block: built footprints, and lots along its roads. */
#ifndef GVM_WORLD_LOTS_H
#define GVM_WORLD_LOTS_H

#include "world/parts.h"

enum { MAX_FOOTPRINTS = 160 };

struct lots {
    struct scene *scene;
    const struct block *block;
    struct dice dice;
    struct footprint taken[MAX_FOOTPRINTS];
    int count;
};

/* A place along one of the block's roads, seen from the pavement's inner edge. */
struct frontage {
    struct point at; /* on the road's line */
    float c, s;      /* orientation of a building there: its +y points into the block */
    float off;       /* metres from the line to the pavement's inner edge */
};

struct frontage lots_frontage(const struct lots *lots, int side, float along);

/* A footprint `back` metres behind the pavement. */
struct footprint frontage_footprint(const struct frontage *f, float back, float hx, float hy);

/* A point `u` along the road and `v` behind the pavement's inner edge. */
struct point frontage_point(const struct frontage *f, float u, float v);

/* Take the footprint if it lies in the block, `margin` from its borders, off the river and off all others. */
bool lots_take(struct lots *lots, const struct footprint *f, float margin);

/* Whether a circle is free of buildings, borders and river. */
bool lots_free(const struct lots *lots, struct point p, float radius, float margin);

/* A random point of the block; false if none was found. */
bool lots_point(struct lots *lots, struct point *p, float radius, float margin);

/* ------------------------------------------------------------------ garden.c */

/* A tree of any species. */
void plant(struct lots *lots, struct point p, float low, float high);
void scatter_trees(struct lots *lots, int count, float low, float high);

/* A flat patch, clipped to the block. */
void cover(struct lots *lots, enum cover kind, struct point at, float angle, float hx, float hy, bool round);

/* The garden of a house `back` metres behind the pavement, on a lot 2 half wide: drive, paths, hedges, trees, a shed.
 */
void garden_build(struct lots *lots, const struct frontage *f, const struct footprint *house, float half, float back);

float frontage_angle(const struct frontage *f);

#endif
