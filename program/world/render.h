/* render.h - pictures of a scene. */
#ifndef GVM_WORLD_RENDER_H
#define GVM_WORLD_RENDER_H

#include "world/view.h"

struct ray {
    float x, y, z, dx, dy, dz; /* start; direction of any length */
};

/* Whether the ray meets the solid before hit->t and after its start; then *hit is set. */
bool solid_hit(struct hit *hit, const struct solid *solid, const struct ray *ray);

/* Whether p is in the sun. */
bool sun_reaches(const struct scene *scene, const struct view *view, struct vector p);

/* Light from a hit solid, or from the ground if hit->solid is NULL, along a direction of length 1. */
struct colour shade(const struct scene *scene, const struct view *view, const struct hit *hit, struct vector p,
                    struct vector direction);

/* Positions of a pixel's four rays, as fractions from its upper left corner. */
extern const float pixel_rays[4][2];

/* One pixel from straight above: its rays go down at p. n is its number in its picture. */
void aerial_pixel(unsigned char *pixel, const struct scene *scene, const struct view *view, const struct point p[4],
                  uint32_t n);

/* The square of `metres` around (x, y) from straight above, north up.  pixels (size, size, 3) */
void aerial_render(unsigned char *pixels, int size, const struct scene *scene, const struct view *view, float x,
                   float y, float metres);

/* A panorama at (x, y), `above` metres above the ground: its centre column has the heading `heading`, degrees clockwise
 * from north; rows are elevations from 45 down to -45 degrees. pixels (height, width, 3). False if out of memory. */
bool panorama_render(unsigned char *pixels, int width, int height, const struct scene *scene, const struct view *view,
                     float x, float y, float above, double heading);

#endif
