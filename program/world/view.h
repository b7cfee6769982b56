/* view.h - the conditions of a picture (sun, season, air, sensor) and the colours under them. */
#ifndef GVM_WORLD_VIEW_H
#define GVM_WORLD_VIEW_H

#include "world/scene.h"

struct vector {
    float x, y, z;
};

struct view {
    enum when when;
    uint32_t seed;
    struct vector sun; /* towards it, length 1 */
    struct colour sunlight, skylight, air, zenith;
    float haze; /* share of the air's colour after 1,000 m */
    float clouds;
    int season; /* 0..3: spring, summer, late summer, autumn */
    struct colour grass, meadow;
    struct colour gain; /* of the sensor */
    float contrast, noise;
};

/* Random conditions for one picture of a pair. */
void view_draw(struct view *view, enum when when, uint64_t seed, uint64_t pair);

/* 8-bit sRGB of light, with the sensor's noise for pixel n. */
void view_develop(unsigned char *pixel, const struct view *view, struct colour light, uint32_t n);

/* Light from the sky in a direction of length 1. */
struct colour view_sky(const struct view *view, struct vector d);

/* Light from a surface of this colour; lit: 0 in the shadow, 1 in the sun. */
struct colour view_light(const struct view *view, struct colour surface, struct vector normal, float lit);

/* ------------------------------------------------------------------ surfaces */

struct hit {
    float t; /* along the ray */
    struct vector normal;
    int face; /* of a box: 0..3 its +x, -x, +y, -y sides, 4 its top, 5 its bottom, 6..9 sloping parts */
    const struct solid *solid;
};

/* Colour of a solid's surface at p, and of the ground. *shine: share of the sky that is reflected. */
struct colour surface_colour(const struct view *view, const struct hit *hit, struct vector p, float *shine);
struct colour ground_colour(const struct scene *scene, const struct view *view, float x, float y, float *shine);

/* ------------------------------------------------------------------ helpers */

/* fmaxf and fminf without NaN, because the originals are library calls. */
static inline float larger(float a, float b)
{
    return a > b ? a : b;
}

static inline float smaller(float a, float b)
{
    return a < b ? a : b;
}

static inline struct colour mix(struct colour a, struct colour b, float t)
{
    return (struct colour){a.r + t * (b.r - a.r), a.g + t * (b.g - a.g), a.b + t * (b.b - a.b)};
}

static inline struct colour times(struct colour a, float k)
{
    return (struct colour){a.r * k, a.g * k, a.b * k};
}

static inline struct colour srgb(int r, int g, int b)
{
    return (struct colour){(float)(r * r) / 65025, (float)(g * g) / 65025, (float)(b * b) / 65025};
}

static inline uint32_t hash(uint32_t x, uint32_t y, uint32_t z)
{
    uint32_t h = x * 0x8da6b343u ^ y * 0xd8163841u ^ z * 0xcb1ab31fu;
    h = (h ^ h >> 15) * 0x2c1b3c6du;
    h = (h ^ h >> 12) * 0x297a2d39u;
    return h ^ h >> 15;
}

static inline float hash_unit(uint32_t x, uint32_t y, uint32_t z)
{
    return (float)(hash(x, y, z) >> 8) * 0x1p-24f;
}

/* Smooth noise 0..1 with features of one unit. */
float grain(float x, float y, uint32_t seed);

#endif
