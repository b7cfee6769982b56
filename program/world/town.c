/* town.c - see town.h. */
#include "world/town.h"

#include <math.h>

#include "base/random.h"

/* Streams: a use in the top byte, then two coordinates of 28 bits. */
struct dice dice_for(uint64_t seed, enum use use, int i, int j)
{
    uint64_t a = (uint64_t)(i + (1 << 27)) & 0xfffffff, b = (uint64_t)(j + (1 << 27)) & 0xfffffff;
    return (struct dice){.seed = seed, .stream = (uint64_t)(use + 1) << 56 | a << 28 | b};
}

float dice_roll(struct dice *d, float low, float high)
{
    return low + (high - low) * random_uniform(d->seed, d->stream, d->index++);
}

int dice_pick(struct dice *d, int n)
{
    return (int)((random_bits(d->seed, d->stream, d->index++) >> 32) * (uint64_t)n >> 32);
}

bool dice_chance(struct dice *d, float p)
{
    return random_uniform(d->seed, d->stream, d->index++) < p;
}

/* ------------------------------------------------------------------ noise, terrain, river */

static float corner(uint64_t seed, int layer, int i, int j)
{
    uint64_t index = (uint64_t)(uint32_t)i << 32 | (uint32_t)j;
    return random_uniform(seed, UINT64_C(0x80) << 56 | (uint64_t)layer, index);
}

static float smooth(float t)
{
    return t * t * (3 - 2 * t);
}

/* Smooth noise in [0, 1) with features of about `scale` metres. */
static float noise(uint64_t seed, int layer, float x, float y, float scale)
{
    float u = x / scale, v = y / scale, fu = floorf(u), fv = floorf(v);
    int i = (int)fu, j = (int)fv;
    float s = smooth(u - fu), t = smooth(v - fv);
    float a = corner(seed, layer, i, j), b = corner(seed, layer, i + 1, j);
    float c = corner(seed, layer, i, j + 1), d = corner(seed, layer, i + 1, j + 1);
    return a + (b - a) * s + (c - a) * t + (a - b - c + d) * s * t;
}

enum { LAYER_WARP_X = 1, LAYER_WARP_Y, LAYER_HILL, LAYER_KNOLL, LAYER_RIVER, LAYER_DENSE };

float town_height(uint64_t seed, float x, float y)
{
    return 14 * noise(seed, LAYER_HILL, x, y, 380) + 3 * noise(seed, LAYER_KNOLL, x, y, 120);
}

/* The river follows a level line of a slow noise; the slope there is about 1 in 700 m. */
float town_river(uint64_t seed, float x, float y)
{
    float n = noise(seed, LAYER_RIVER, x, y, 760) - 0.5f;
    float e = 2;
    float gx = (noise(seed, LAYER_RIVER, x + e, y, 760) - 0.5f - n) / e;
    float gy = (noise(seed, LAYER_RIVER, x, y + e, 760) - 0.5f - n) / e;
    return fabsf(n) / fmaxf(sqrtf(gx * gx + gy * gy), 5e-4f) - 8;
}

/* ------------------------------------------------------------------ roads */

static struct point lattice(uint64_t seed, int i, int j)
{
    struct dice d = dice_for(seed, USE_JUNCTION, i, j);
    float x = ((float)i + dice_roll(&d, -0.19f, 0.19f)) * TOWN_PITCH;
    float y = ((float)j + dice_roll(&d, -0.19f, 0.19f)) * TOWN_PITCH;
    float wx = noise(seed, LAYER_WARP_X, x, y, 520), wy = noise(seed, LAYER_WARP_Y, x, y, 520);
    return (struct point){x + 130 * (wx - 0.5f), y + 130 * (wy - 0.5f)};
}

/* About every fourth line of the lattice is a main street. */
static bool is_main(uint64_t seed, int line, int dir)
{
    struct dice d = dice_for(seed, USE_LINE, line, dir);
    return dice_chance(&d, 0.27f);
}

static enum road road_of(uint64_t seed, int i, int j, int dir)
{
    if (is_main(seed, dir == 0 ? j : i, dir)) return ROAD_MAIN;
    struct dice d = dice_for(seed, USE_EDGE, 2 * i + dir, j);
    float draw = dice_roll(&d, 0, 1);
    return draw < 0.17f ? ROAD_NONE : draw < 0.30f ? ROAD_LANE : ROAD_STREET;
}

static const float half_width[] = {0, 2.4f, 3.7f, 5.4f}, walk_width[] = {0, 0, 1.9f, 3.1f};

void town_junction(struct junction *junction, uint64_t seed, int i, int j)
{
    enum road road[4] = {road_of(seed, i, j, 0), road_of(seed, i, j, 1), road_of(seed, i - 1, j, 0),
                         road_of(seed, i, j - 1, 1)};
    int mains = 0;
    *junction = (struct junction){.p = lattice(seed, i, j)};
    for (int k = 0; k < 4; k++) {
        junction->roads += road[k] != ROAD_NONE;
        mains += road[k] == ROAD_MAIN;
        junction->radius = fmaxf(junction->radius, half_width[road[k]]);
        junction->walk = fmaxf(junction->walk, walk_width[road[k]]);
    }
    if (junction->roads >= 3) junction->radius *= 1.35f;
    struct dice d = dice_for(seed, USE_JUNCTION, i, j);
    d.index = 2;
    if (mains >= 3 && dice_chance(&d, 0.6f)) {
        junction->radius = 15;
        junction->island = 7.5f;
    }
}

/* Catmull-Rom spline through the lattice's points. */
void town_edge(struct edge *edge, uint64_t seed, int i, int j, int dir)
{
    int di = dir == 0, dj = dir == 1;
    struct point q[4];
    for (int k = 0; k < 4; k++) q[k] = lattice(seed, i + (k - 1) * di, j + (k - 1) * dj);
    enum road road = road_of(seed, i, j, dir);
    *edge = (struct edge){.i = i, .j = j, .dir = dir, .road = road, .half = half_width[road], .walk = walk_width[road]};
    for (int k = 0; k <= CURVE; k++) {
        float t = (float)k / CURVE, t2 = t * t, t3 = t2 * t;
        float a = -t3 + 2 * t2 - t, b = 3 * t3 - 5 * t2 + 2, c = -3 * t3 + 4 * t2 + t, d = t3 - t2;
        edge->p[k].x = 0.5f * (a * q[0].x + b * q[1].x + c * q[2].x + d * q[3].x);
        edge->p[k].y = 0.5f * (a * q[0].y + b * q[1].y + c * q[2].y + d * q[3].y);
        if (k == 0) continue;
        float dx = edge->p[k].x - edge->p[k - 1].x, dy = edge->p[k].y - edge->p[k - 1].y;
        edge->start[k] = edge->start[k - 1] + sqrtf(dx * dx + dy * dy);
    }
    edge->length = edge->start[CURVE];
    for (int end = 0; end < 2; end++) {
        struct junction junction;
        town_junction(&junction, seed, i + end * di, j + end * dj);
        edge->clear[end] = junction.radius;
    }
}

struct point edge_at(const struct edge *edge, float along, float left, float *tx, float *ty)
{
    int k = 0;
    while (k < CURVE - 1 && along > edge->start[k + 1]) k++;
    float piece = edge->start[k + 1] - edge->start[k], t = (along - edge->start[k]) / piece;
    float dx = (edge->p[k + 1].x - edge->p[k].x) / piece, dy = (edge->p[k + 1].y - edge->p[k].y) / piece;
    *tx = dx;
    *ty = dy;
    return (struct point){edge->p[k].x + t * piece * dx - left * dy, edge->p[k].y + t * piece * dy + left * dx};
}

static float piece_distance2(struct point a, struct point b, float x, float y)
{
    float dx = b.x - a.x, dy = b.y - a.y, px = x - a.x, py = y - a.y;
    float t = fminf(fmaxf((px * dx + py * dy) / (dx * dx + dy * dy), 0), 1);
    px -= t * dx;
    py -= t * dy;
    return px * px + py * py;
}

/* Metres from a point to the edge's line. */
static float edge_distance(const struct edge *edge, float x, float y)
{
    float least = INFINITY;
    for (int k = 0; k < CURVE; k++) least = fminf(least, piece_distance2(edge->p[k], edge->p[k + 1], x, y));
    return sqrtf(least);
}

/* ------------------------------------------------------------------ blocks */

static enum block_kind kind_of(uint64_t seed, struct point p, struct dice *d)
{
    /* Percentage of each kind, from the fields outside to the centre of a town. */
    static const unsigned char share[4][BLOCK_KINDS] = {{46, 6, 0, 2, 14, 8, 18, 2, 4},
                                                        {60, 16, 0, 6, 5, 6, 2, 2, 3},
                                                        {30, 28, 15, 12, 4, 6, 0, 3, 2},
                                                        {4, 18, 54, 8, 2, 7, 0, 6, 1}};
    float dense = noise(seed, LAYER_DENSE, p.x, p.y, 620);
    int level = dense < 0.28f ? 0 : dense < 0.52f ? 1 : dense < 0.68f ? 2 : 3;
    int draw = dice_pick(d, 100), kind = 0;
    while (kind < BLOCK_KINDS - 1 && draw >= share[level][kind]) draw -= share[level][kind++];
    return (enum block_kind)kind;
}

void town_block(struct block *block, uint64_t seed, int i, int j)
{
    *block = (struct block){.i = i, .j = j};
    town_edge(&block->edge[0], seed, i, j, 0);
    town_edge(&block->edge[1], seed, i + 1, j, 1);
    town_edge(&block->edge[2], seed, i, j + 1, 0);
    town_edge(&block->edge[3], seed, i, j, 1);
    for (int k = 0; k < 4; k++) {
        const struct point *p = &block->edge[k].p[k < 2 ? 0 : CURVE];
        block->middle.x += p->x / 4;
        block->middle.y += p->y / 4;
    }
    struct dice d = dice_for(seed, USE_BLOCK, i, j);
    block->kind = kind_of(seed, block->middle, &d);
}

/* Crossings of a ray to the east with the four curves, and the distance to each. */
bool block_holds(const struct block *block, float x, float y, float margin)
{
    bool inside = false;
    for (int k = 0; k < 4; k++) {
        const struct edge *edge = &block->edge[k];
        for (int n = 0; n < CURVE; n++) {
            struct point a = edge->p[n], b = edge->p[n + 1];
            if ((a.y > y) != (b.y > y) && x < a.x + (y - a.y) * (b.x - a.x) / (b.y - a.y)) inside = !inside;
        }
        if (edge_distance(edge, x, y) < edge->half + edge->walk + margin) return false;
    }
    return inside;
}
