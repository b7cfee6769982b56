/* scene.h - a piece of the generated town as solids on a ground, with a grid for lookup.
 *
 * Metres and axes as in town.h. Colours are linear, 0..1; the pictures' own curve is a square root. */
#ifndef GVM_WORLD_SCENE_H
#define GVM_WORLD_SCENE_H

#include "world/town.h"

#include <stddef.h>

struct colour {
    float r, g, b;
};

/* When a solid is present: cars differ between the two pictures. */
enum when { WHEN_STREET = 1, WHEN_AERIAL = 2, WHEN_BOTH = 3 };

enum shape {
    SHAPE_BOX,  /* hx by hy, turned, under up to four sloping planes */
    SHAPE_CONE, /* upright, radius hx at the bottom and hy at the top */
    SHAPE_BALL  /* ellipsoid, radius hx, from z0 to z1 */
};

enum surface {
    SURFACE_HOUSE, /* windows and doors in rgb, flat top in rgb2 */
    SURFACE_HALL,  /* industrial walls in rgb, flat top in rgb2 */
    SURFACE_TILES, /* sloping parts in rgb, upright ones in rgb2 */
    SURFACE_PLAIN, /* rgb on the sides, rgb2 on top */
    SURFACE_GLASS,
    SURFACE_LEAF,
    SURFACE_NEEDLE,
    SURFACE_HEDGE,
    SURFACE_FENCE,
    SURFACE_CAR
};

enum facade { FACADE_PLASTER, FACADE_BRICK, FACADE_WOOD, FACADE_BANDS, FACADES };

struct solid {
    float x, y, c, s;     /* middle; cosine and sine of its turn */
    float hx, hy, z0, z1; /* half sizes, bottom, top */
    float eave, kx, ky;   /* z <= eave + kx (hx - |x|), and for y; 0: no plane. ky < 0: one plane, high at -y */
    float base;           /* height of the ground at its foot */
    float reach;          /* radius of its bounding circle */
    float storey;         /* metres a floor */
    uint32_t seed;
    unsigned char shape, surface, facade, when;
    unsigned char rgb[3], rgb2[3]; /* 8-bit sRGB */
};

enum cover {
    COVER_GRASS,
    COVER_MEADOW,
    COVER_CROP,
    COVER_GRAVEL,
    COVER_PAVING,
    COVER_ASPHALT,
    COVER_PARKING,
    COVER_WATER,
    COVER_POOL,
    COVER_SAND,
    COVER_PITCH,
    COVER_SOIL
};

/* Something flat on the ground: a rectangle or an ellipse. */
struct patch {
    float x, y, c, s, hx, hy;
    uint32_t seed;
    unsigned char cover, round;
    int block; /* clipped to that block */
};

/* The area built: within this many metres of (x, y). */
struct site {
    uint64_t seed;
    float x, y, reach;
    float clear; /* no car of the street picture nearer to (x, y) */
};

enum { SQUARE = 8 /* metres of the grid */ };

/* One square of the grid: ranges of the scene's lists. */
struct square {
    int solid, solids, patch, patches, piece, pieces;
    int block;     /* the block that contains it, or -1 */
    float ceiling; /* top of the highest solid */
};

/* A straight piece of an edge, or a junction (edge NULL). */
struct piece {
    float x, y, dx, dy, length, along; /* start, direction, metres, metres along the edge before it */
    float half, walk, island;
    const struct edge *edge;
    int left, right; /* blocks */
};

struct list {
    void *items;
    int count, room;
};

struct scene {
    struct site site;
    int left, bottom, side;              /* the grid's first square, and how many each way */
    struct square *squares;              /* (side, side) */
    float *height, *river;               /* (side + 1, side + 1) at the squares' corners: as town_height, town_river */
    struct list solids, patches, pieces; /* struct solid, struct patch, struct piece */
    struct list ids;                     /* int: numbers listed by the squares */
    struct edge *edges;                  /* (2 blocks blocks) */
    unsigned char *kinds;                /* (blocks, blocks) enum block_kind */
    int first_i, first_j, blocks;        /* block number k is (first_i + k % blocks, first_j + k / blocks) */
    int building;                        /* number of the block being built */
    bool short_of_memory;
};

void scene_free(struct scene *scene); /* accepts a zero scene */

float scene_height(const struct scene *scene, float x, float y);
float scene_river(const struct scene *scene, float x, float y);

/* NULL outside the grid. */
const struct square *scene_square(const struct scene *scene, float x, float y);

/* A new last item of a list, zeroed; NULL, with the list short_of_memory, if out of memory. */
struct solid *scene_add_solid(struct scene *scene);
struct piece *scene_add_piece(struct scene *scene);
struct patch *scene_add_patch(struct scene *scene, enum cover cover, struct point at, float angle, float hx, float hy);

#endif
