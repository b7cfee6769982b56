/* render.h - pictures of a scene. */
#ifndef GVM_WORLD_RENDER_H
#define GVM_WORLD_RENDER_H

#include "world/view.h"

struct ray {
    float x, y, z, dx, dy, dz; /* start; direction of any length */
};

/* Whether the ray meets the solid before hit->t and after its start; then *hit is set. */
bool solid_hit(struct hit *hit, const struct solid *solid, const struct ray *ray);

/* Whether the way from p to the sun is free. */
bool sun_reaches(const struct scene *scene, const struct view *view, struct vector p);

/* Light that comes from a hit solid, or from the ground where hit->solid is NULL, along a direction of length 1. */
struct colour shade(const struct scene *scene, const struct view *view, const struct hit *hit, struct vector p,
                    struct vector direction);

/* The square of `metres` around (x, y) from straight above, north up.  pixels (size, size, 3) */
void aerial_render(unsigned char *pixels, int size, const struct scene *scene, const struct view *view, float x,
                   float y, float metres);

/* All around (x, y), `above` metres above the ground: north in the middle, east to the right, elevations from 45 to
 * -45 degrees downwards.  pixels (height, width, 3). False without memory. */
bool panorama_render(unsigned char *pixels, int width, int height, const struct scene *scene, const struct view *view,
                     float x, float y, float above);

#endif
