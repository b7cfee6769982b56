/* town.h - the plan of the generated town: terrain, river, road network and use of each block. It is unbounded: every
 * part is a function of the seed and its own numbers, so any piece can be generated alone and neighbours agree.
 *
 * Metres, x to the east, y to the north, z up. Junctions are on a jittered and bent lattice; edge (i, j, 0) runs from
 * junction (i, j) to (i+1, j), edge (i, j, 1) to (i, j+1); block (i, j) has junction (i, j) at its south-west corner.
 */
#ifndef GVM_WORLD_TOWN_H
#define GVM_WORLD_TOWN_H

#include <stdbool.h>
#include <stdint.h>

#define PI 3.14159265f
#define TOWN_PITCH 104.0f /* metres from junction to junction, on average */

enum { CURVE = 8 /* straight pieces of an edge */ };

struct point {
    float x, y;
};

/* Consecutive draws from a stream of their own. */
struct dice {
    uint64_t seed, stream, index;
};

enum use {
    USE_JUNCTION,
    USE_EDGE,
    USE_BLOCK,
    USE_LINE,
    USE_STREET_SIDE,
    USE_CAR_STREET,
    USE_CAR_AERIAL,
    USE_LOT,
    USE_CAMERA,
    USE_ISLAND,
    USE_HEADING,
    USE_PHOTO,
    USE_TILT
};

struct dice dice_for(uint64_t seed, enum use use, int i, int j);
float dice_roll(struct dice *d, float low, float high); /* [low, high) */
int dice_pick(struct dice *d, int n);                   /* 0..n-1 */
bool dice_chance(struct dice *d, float p);

float town_height(uint64_t seed, float x, float y); /* of the ground */
float town_river(uint64_t seed, float x, float y);  /* approximate metres to the river's bank, negative on the water */

enum road { ROAD_NONE, ROAD_LANE, ROAD_STREET, ROAD_MAIN };

/* A piece of road, or only the border of two blocks (ROAD_NONE). */
struct edge {
    int i, j, dir;
    enum road road;
    float half, walk;               /* metres: half the roadway, one pavement */
    float length, start[CURVE + 1]; /* metres along to each point */
    struct point p[CURVE + 1];
    float clear[2]; /* metres at either end that belong to the junction */
};

struct junction {
    struct point p;
    int roads;    /* that meet here */
    float radius; /* of the roadway; 0 without roads */
    float walk;
    float island; /* radius of a roundabout's island; 0 for none */
};

enum block_kind {
    BLOCK_HOUSES,
    BLOCK_TERRACE,
    BLOCK_CITY,
    BLOCK_SLABS,
    BLOCK_WORKS,
    BLOCK_PARK,
    BLOCK_FIELD,
    BLOCK_SQUARE,
    BLOCK_SPORT,
    BLOCK_KINDS
};

struct block {
    int i, j;
    enum block_kind kind;
    struct edge edge[4]; /* south, east, north, west, each in its own direction */
    struct point middle;
};

void town_junction(struct junction *junction, uint64_t seed, int i, int j);
void town_edge(struct edge *edge, uint64_t seed, int i, int j, int dir);
void town_block(struct block *block, uint64_t seed, int i, int j);

/* The point `along` metres from an edge's start and `left` metres to its left; *tx, *ty its direction there. */
struct point edge_at(const struct edge *edge, float along, float left, float *tx, float *ty);

/* Whether a point lies in the block, `margin` metres or more from its pavements and other borders. */
bool block_holds(const struct block *block, float x, float y, float margin);

#endif
