/* parts.h - builders of a scene's parts, by file. */
#ifndef GVM_WORLD_PARTS_H
#define GVM_WORLD_PARTS_H

#include "world/scene.h"

/* ------------------------------------------------------------------ block.c, street.c */

void block_build(struct scene *scene, const struct block *block);
void street_build(struct scene *scene, const struct edge *edge);
void junction_build(struct scene *scene, const struct junction *junction);

/* ------------------------------------------------------------------ house.c */

struct footprint {
    struct point at;
    float c, s, hx, hy;
};

/* Buildings; their front, with the door, faces their own -y. */
void house_build(struct scene *scene, const struct footprint *f, struct dice *d);
void terrace_build(struct scene *scene, const struct footprint *f, struct dice *d, uint32_t row);
void city_house_build(struct scene *scene, const struct footprint *f, struct dice *d);
void slab_build(struct scene *scene, const struct footprint *f, struct dice *d);
void hall_build(struct scene *scene, const struct footprint *f, struct dice *d);
void church_build(struct scene *scene, const struct footprint *f, struct dice *d);
void shed_build(struct scene *scene, const struct footprint *f, struct dice *d);

/* A box's corner points and further ones on its sides, in the plane: those to keep clear. */
struct point footprint_point(const struct footprint *f, float u, float v);

/* ------------------------------------------------------------------ green.c */

enum species { TREE_ROUND, TREE_TALL, TREE_CONIFER, TREE_BUSH };
void tree_build(struct scene *scene, struct point at, float height, enum species species, struct dice *d);
void hedge_build(struct scene *scene, struct point from, struct point to, bool fence, struct dice *d);
void car_build(struct scene *scene, struct point at, float c, float s, enum when when, uint32_t seed);
void lamp_build(struct scene *scene, struct point at, float c, float s, float height);

#endif
