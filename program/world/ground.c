/* ground.c - colours of the ground: roads with markings, pavements, lawns, fields, water. */
#include <math.h>

#include "world/view.h"

static float part_of(float x)
{
    return x - floorf(x);
}

/* Position of a point on the road network. */
struct spot {
    float edge; /* metres to the roadway's edge, negative on it */
    float walk; /* width of the pavement there */
    float along, off, length, half;
    const struct edge *road; /* NULL: a junction, or two roads at once */
    const struct piece *junction;
    float from_middle; /* of the junction */
    int block;
};

static void find_spot(struct spot *spot, const struct scene *scene, const struct square *q, float x, float y)
{
    const struct piece *pieces = scene->pieces.items;
    const int *ids = scene->ids.items;
    float nearest = 1e9f, reach = -1e9f;
    *spot = (struct spot){.edge = 1e9f, .block = q->block};
    for (int k = 0; k < q->pieces; k++) {
        const struct piece *p = &pieces[ids[q->piece + k]];
        float px = x - p->x, py = y - p->y;
        if (p->edge == NULL) {
            float d = sqrtf(px * px + py * py) - p->half;
            if (d < p->walk) spot->junction = p, spot->from_middle = d + p->half;
            if (d < spot->edge) spot->edge = d, spot->road = NULL, spot->walk = p->walk;
            if (d < 0) reach = 1;
            continue;
        }
        float t = px * p->dx + py * p->dy, off = py * p->dx - px * p->dy;
        float over = t < 0 ? -t : t > p->length ? t - p->length : 0;
        float line = sqrtf(off * off + over * over);
        if (line < nearest) {
            nearest = line;
            spot->block = off > 0 ? p->left : p->right;
        }
        if (p->half == 0) continue;
        float d = line - p->half;
        if (d < spot->edge) {
            bool crossing = spot->edge < 0 && spot->road != NULL && spot->road != p->edge;
            *spot = (struct spot){.edge = d,
                                  .walk = p->walk,
                                  .along = p->along + t,
                                  .off = off,
                                  .half = p->half,
                                  .road = p->edge,
                                  .length = p->edge->length,
                                  .junction = spot->junction,
                                  .from_middle = spot->from_middle,
                                  .block = spot->block};
            if (crossing) reach = 1;
        } else if (d < 0 && spot->road != NULL && spot->road != p->edge) {
            reach = 1;
        }
    }
    if (reach > 0) spot->road = NULL;
}

static struct colour asphalt(float x, float y, float worn)
{
    float tone = 0.86f + 0.16f * grain(x * 0.3f, y * 0.3f, 11) + 0.1f * grain(x * 5, y * 5, 12) - 0.1f * worn;
    return times(srgb(112, 112, 115), tone);
}

/* Road markings: 1 if the point is white. */
static bool is_marked(const struct spot *s)
{
    const struct edge *e = s->road;
    float off = fabsf(s->off), from = s->along - e->clear[0], to = s->length - e->clear[1] - s->along;
    float end = fminf(from, to);
    if (e->road == ROAD_LANE || end < 0.4f) return false;
    uint32_t h = hash((uint32_t)e->i, (uint32_t)e->j, (uint32_t)e->dir + (from < to ? 2 : 0));
    bool zebra = e->road == ROAD_MAIN ? (h & 3) != 0 : (h & 3) == 0;
    if (zebra && end > 1.5f && end < 4.7f) return part_of(s->off + 0.25f) < 0.5f && off < s->half - 0.3f;
    float stop = zebra ? 5.6f : 1.2f;
    bool incoming = (from < to) == (s->off > 0); /* traffic on the right comes towards this end on that side */
    if (end > stop && end < stop + 0.45f) return incoming && off > 0.15f && off < s->half - 0.3f && (h & 12) != 0;
    if (end < stop) return false;
    if (e->road == ROAD_MAIN) {
        if (off > s->half - 0.42f && off < s->half - 0.27f) return true;
        if (end < 16) return off < 0.09f;
        return off < 0.09f && part_of(s->along / 6) < 0.5f;
    }
    return (h & 48) != 0 && off < 0.07f && part_of(s->along / 5) < 0.4f;
}

static struct colour roadway(const struct spot *s, float x, float y)
{
    const struct piece *j = s->junction;
    if (j != NULL && j->island > 0 && s->from_middle < j->half) {
        float d = s->from_middle - j->island;
        if (d > 0.9f && d < 1.1f) return srgb(214, 212, 206);
        if (s->from_middle > j->half - 0.5f && s->from_middle < j->half - 0.35f) return srgb(214, 212, 206);
        return asphalt(x, y, 0);
    }
    if (s->road == NULL) return asphalt(x, y, 0);
    if (s->road->road == ROAD_LANE) {
        struct colour c =
            hash((uint32_t)s->road->i, (uint32_t)s->road->j, 9) & 1 ? srgb(158, 146, 124) : srgb(120, 118, 116);
        return times(c, 0.85f + 0.3f * grain(x * 1.5f, y * 1.5f, 13));
    }
    if (is_marked(s)) return times(srgb(222, 220, 212), 0.8f + 0.25f * grain(x * 3, y * 3, 14));
    float track = fabsf(fabsf(fabsf(s->off) - s->half * 0.5f) - 0.75f); /* wheel tracks */
    struct colour c = asphalt(x, y, track < 0.3f ? 0.7f : 0);
    float patch = grain(s->along * 0.11f, s->off * 0.4f, (uint32_t)s->road->j + 31);
    return s->edge > -0.3f ? times(c, 0.85f) : patch > 0.8f ? times(c, 0.72f) : c;
}

static struct colour pavement(const struct spot *s, float x, float y)
{
    if (s->edge < 0.16f) return srgb(186, 184, 178);
    float joint = part_of(x * 1.25f) < 0.07f || part_of(y * 1.25f) < 0.07f ? 0.86f : 1;
    return times(srgb(164, 158, 150), joint * (0.86f + 0.18f * grain(x * 0.8f, y * 0.8f, 15)));
}

static struct colour lawn(struct colour c, float x, float y, uint32_t seed, float rough)
{
    float big = grain(x * 0.11f, y * 0.11f, seed), mid = grain(x * 0.6f, y * 0.6f, seed + 1),
          small = grain(x * 4, y * 4, seed + 2);
    c = times(c, 0.6f + 0.3f * big + (rough + 0.12f) * mid + 0.26f * small);
    c.r *= 0.86f + 0.34f * big * mid + 0.12f * mid;
    return c;
}

static struct colour crop(const struct view *view, float lx, float ly, uint32_t seed)
{
    static const unsigned char colours[6][3] = {{176, 160, 98}, {104, 140, 60}, {128, 104, 78},
                                                {150, 150, 82}, {92, 122, 58},  {140, 116, 88}};
    const unsigned char *c = colours[hash(seed, (uint32_t)view->season, 3) % 6];
    float row = part_of(ly / 1.5f), tramline = part_of(ly / 18);
    float tone = (row < 0.35f ? 0.85f : 1) * (tramline < 0.03f || (tramline > 0.1f && tramline < 0.13f) ? 0.75f : 1);
    return times(srgb(c[0], c[1], c[2]),
                 tone * (0.8f + 0.3f * grain(lx * 0.2f, ly * 0.2f, seed) + 0.15f * grain(lx * 3, ly * 3, seed)));
}

static struct colour water(const struct view *view, float x, float y, float *shine)
{
    *shine = 0.38f + 0.1f * grain(x * 0.9f, y * 0.9f, view->seed);
    return times(srgb(52, 74, 76), 0.9f + 0.25f * grain(x * 0.5f, y * 0.5f, 17));
}

static struct colour pitch(const struct view *view, const struct patch *p, float lx, float ly)
{
    float ax = fabsf(lx), ay = fabsf(ly), x1 = p->hx - 2, y1 = p->hy - 2, line = 0.09f;
    bool hard = (p->seed & 3) == 0;
    float centre = fabsf(sqrtf(lx * lx + ly * ly) - 5);
    bool white = (fabsf(ax - x1) < line && ay < y1) || (fabsf(ay - y1) < line && ax < x1) || (ax < line && ay < y1) ||
                 centre < line || (fabsf(ax - x1 + 7) < line && ay < 9) ||
                 (fabsf(ay - 9) < line && ax > x1 - 7 && ax < x1);
    if (white) return srgb(226, 228, 222);
    struct colour c = hard ? srgb(150, 82, 62) : times(view->grass, part_of(lx / 9) < 0.5f ? 1.02f : 0.86f);
    return times(c, 0.9f + 0.2f * grain(lx, ly, p->seed));
}

static struct colour parking(float lx, float ly, float hy, float x, float y)
{
    float deep = hy - fabsf(ly); /* from the outer edge */
    bool line = deep < 5 && deep > 0.15f && part_of((lx) / 2.5f) < 0.045f;
    return line ? srgb(206, 204, 198) : times(asphalt(x, y, 0), 0.95f);
}

static struct colour patch_colour(const struct view *view, const struct patch *p, float lx, float ly, float x, float y,
                                  float *shine)
{
    switch ((enum cover)p->cover) {
    case COVER_GRASS: return lawn(view->grass, x, y, 21, 0.12f);
    case COVER_MEADOW: return lawn(view->meadow, x, y, 22, 0.35f);
    case COVER_CROP: return crop(view, lx, ly, p->seed);
    case COVER_GRAVEL:
        return times(srgb(170, 158, 138),
                     0.78f + 0.25f * grain(x * 0.7f, y * 0.7f, 23) + 0.15f * grain(x * 7, y * 7, 24));
    case COVER_PAVING: {
        float joint = part_of(lx * 1.6f) < 0.09f || part_of(ly * 1.6f) < 0.09f ? 0.85f : 1;
        struct colour c = p->seed & 1 ? srgb(172, 164, 152) : srgb(168, 142, 124);
        return times(c, joint * (0.85f + 0.22f * grain(x * 0.6f, y * 0.6f, 25)));
    }
    case COVER_ASPHALT: return times(asphalt(x, y, 0), 1.05f);
    case COVER_PARKING: return parking(lx, ly, p->hy, x, y);
    case COVER_WATER: return water(view, x, y, shine);
    case COVER_POOL: *shine = 0.2f; return times(srgb(92, 186, 206), 0.9f + 0.2f * grain(x * 2, y * 2, view->seed));
    case COVER_SAND: return times(srgb(206, 190, 152), 0.85f + 0.2f * grain(x * 2, y * 2, 26));
    case COVER_PITCH: return pitch(view, p, lx, ly);
    case COVER_SOIL:
        return times(srgb(112, 88, 68),
                     (part_of(ly * 1.4f) < 0.4f ? 0.75f : 1) * (0.8f + 0.4f * grain(x * 3, y * 3, 27)));
    }
    return view->grass;
}

/* The last patch that covers the point. */
static const struct patch *patch_at(const struct scene *scene, const struct square *q, float x, float y, int block,
                                    float *lx, float *ly)
{
    const struct patch *patches = scene->patches.items;
    const int *ids = scene->ids.items;
    for (int k = q->patches - 1; k >= 0; k--) {
        const struct patch *p = &patches[ids[q->patch + k]];
        if (p->block != block) continue;
        float dx = x - p->x, dy = y - p->y, u = dx * p->c + dy * p->s, v = dy * p->c - dx * p->s;
        bool in = p->round ? u * u * p->hy * p->hy + v * v * p->hx * p->hx < p->hx * p->hx * p->hy * p->hy
                           : fabsf(u) < p->hx && fabsf(v) < p->hy;
        if (!in) continue;
        *lx = u;
        *ly = v;
        return p;
    }
    return NULL;
}

struct colour ground_colour(const struct scene *scene, const struct view *view, float x, float y, float *shine)
{
    *shine = 0;
    const struct square *q = scene_square(scene, x, y);
    if (q == NULL) return view->meadow;
    struct spot spot;
    find_spot(&spot, scene, q, x, y);
    if (spot.edge < 0) {
        const struct piece *j = spot.junction;
        if (j == NULL || j->island == 0 || spot.from_middle > j->island) return roadway(&spot, x, y);
        if (spot.from_middle > j->island - 0.5f) return srgb(188, 186, 180);
        return lawn(view->grass, x, y, 21, 0.12f);
    }
    if (spot.edge < spot.walk) return pavement(&spot, x, y);
    float river = scene_river(scene, x, y) + 1.6f * grain(x * 0.2f, y * 0.2f, 28);
    if (river < 0) return water(view, x, y, shine);
    float lx, ly;
    const struct patch *p = patch_at(scene, q, x, y, spot.block, &lx, &ly);
    if (river < 1.6f) return times(srgb(150, 138, 108), 0.8f + 0.3f * grain(x * 2, y * 2, 29));
    if (p != NULL) return patch_colour(view, p, lx, ly, x, y, shine);
    return lawn(view->grass, x, y, 21, 0.12f);
}
