/* surface.c - colours of solids: facades, roofs, leaves, cars. */
#include <math.h>

#include "world/view.h"

static struct colour paint(const unsigned char *c)
{
    return srgb(c[0], c[1], c[2]);
}

static float part_of(float x)
{
    return x - floorf(x);
}

/* A place on an upright side: metres along it and up, its length, the number of the window column and storey. */
struct wall {
    float u, v, length, cell, cu, cv;
    int column, columns, floor, floors;
};

static struct wall wall_at(const struct solid *s, int face, float lx, float ly, float z, float pitch)
{
    struct wall w = {.length = 2 * (face < 2 ? s->hy : s->hx), .u = face < 2 ? ly + s->hy : lx + s->hx};
    w.v = z - s->base - 0.4f;
    w.columns = (int)(w.length / pitch);
    if (w.columns < 1) w.columns = 1;
    w.cell = w.length / (float)w.columns;
    w.column = (int)(w.u / w.cell);
    w.cu = w.u - ((float)w.column + 0.5f) * w.cell;
    w.floor = (int)floorf(w.v / s->storey);
    w.cv = w.v - (float)w.floor * s->storey;
    w.floors = (int)((s->z1 - s->base - 0.3f) / s->storey);
    return w;
}

static struct colour glass(const struct solid *s, const struct wall *w, float *shine)
{
    uint32_t h = hash(s->seed, (uint32_t)w->column, (uint32_t)w->floor);
    *shine = 0.34f;
    return (h & 7) == 0 ? srgb(196, 188, 170) : (h & 7) == 1 ? srgb(120, 112, 104) : srgb(38, 44, 52);
}

static struct colour wall_texture(const struct solid *s, const struct wall *w, struct colour c)
{
    float blotch = 0.94f + 0.1f * grain(w->u * 0.7f, w->v * 0.7f, s->seed);
    if (s->facade == FACADE_BRICK)
        blotch *= 0.9f + 0.2f * hash_unit((uint32_t)(w->u * 4 + 1000), (uint32_t)(w->v * 13 + 1000), 7);
    if (s->facade == FACADE_WOOD && part_of(w->v * 5) < 0.16f) blotch *= 0.78f;
    if (w->v < 0.25f) blotch *= 0.72f;
    return times(c, blotch);
}

static struct colour shop(const struct solid *s, const struct wall *w, struct colour c, float *shine)
{
    if (w->cv > 2.65f && w->cv < 3.05f) {
        uint32_t h = hash(s->seed, 77, (uint32_t)(w->column / 2));
        return srgb(60 + (int)(h & 127), 50 + (int)(h >> 8 & 127), 50 + (int)(h >> 16 & 127));
    }
    if (fabsf(w->cu) < 0.43f * w->cell && w->cv > 0.35f && w->cv < 2.55f) {
        *shine = 0.4f;
        return srgb(58, 60, 62);
    }
    return times(c, 0.8f);
}

static struct colour facade(const struct solid *s, int face, float lx, float ly, float z, float *shine)
{
    uint32_t seed = s->seed;
    struct wall w = wall_at(s, face, lx, ly, z, 2.3f + 0.25f * (float)(seed & 3));
    struct colour c = wall_texture(s, &w, paint(s->rgb)), frame = srgb(232, 230, 224);
    if (s->storey > 6) { /* a church: tall pointed windows */
        float width = 0.55f * (1 - fmaxf(0, w.v - 4) / 1.4f);
        if (fabsf(w.cu) < width && w.v > 1.6f && (int)(w.v / 7) < 1) *shine = 0.2f, c = srgb(48, 50, 66);
        if (face == 3 && fabsf(lx) < 1 && w.v < 2.6f) c = srgb(84, 58, 40);
        return c;
    }
    if (w.floor < 0 || w.floor >= w.floors) return w.v < 0 ? times(c, 0.85f) : c;
    if (w.floor == 0 && s->storey > 2.95f && (seed & 16) && face >= 2) return shop(s, &w, c, shine);
    if (w.floor == 0 && face == 3 && w.column == (int)(seed >> 5) % w.columns) {
        float side = fabsf(w.cu);
        if (side < 0.5f && w.cv < 2.05f) {
            static const unsigned char doors[5][3] = {
                {92, 58, 38}, {40, 66, 92}, {120, 36, 34}, {54, 78, 58}, {210, 206, 196}};
            return paint(doors[seed / 3 % 5]);
        }
        return side < 0.62f && w.cv < 2.2f ? frame : c;
    }
    bool end = face < 2 && (seed >> 9 & 3) == 0; /* a blind end wall */
    if (end) return c;
    if (s->facade == FACADE_BANDS) {
        bool balcony = (hash(seed, (uint32_t)w.column, 5) & 3) == 0 && face >= 2;
        if (w.cv < 1) return balcony ? times(frame, 0.75f) : times(c, 0.93f);
        if (fabsf(w.cu) > 0.45f * w.cell || w.cv > 2.35f) return c;
        return balcony && w.cv < 1.1f ? frame : glass(s, &w, shine);
    }
    float half = 0.52f + 0.13f * (float)(seed >> 7 & 3), low = 0.85f, high = s->storey - 0.62f;
    float across = fabsf(w.cu) - half, up = fmaxf(low - w.cv, w.cv - high);
    if (across < 0 && up < 0) {
        bool bar = fabsf(w.cu) < 0.045f || across > -0.08f || up > -0.08f;
        return bar ? frame : glass(s, &w, shine);
    }
    if ((seed >> 11 & 3) == 0 && across < 0.42f && across >= 0 && up < 0)
        return srgb(70 + (int)(seed >> 12 & 63), 86, 74);
    return across < 0.1f && up < 0.12f && up >= 0 ? times(frame, 0.8f) : c;
}

static struct colour hall(const struct solid *s, int face, float lx, float ly, float z, float *shine)
{
    struct wall w = wall_at(s, face, lx, ly, z, 6);
    struct colour c = times(paint(s->rgb), part_of(w.u * 1.6f) < 0.3f ? 0.86f : 1);
    if (fabsf(w.cu) < 1.9f && w.v < 3.9f && (hash(s->seed, (uint32_t)w.column, (uint32_t)face) & 3) == 0)
        return times(srgb(168, 170, 170), part_of(w.v * 2) < 0.15f ? 0.7f : 1);
    float top = s->z1 - z;
    if (top > 0.8f && top < 1.8f && (s->seed & 3) != 0) {
        *shine = 0.3f;
        return srgb(70, 78, 86);
    }
    return c;
}

static struct colour flat_top(const struct solid *s, float lx, float ly)
{
    struct colour c = paint(s->rgb2);
    float rim = fminf(s->hx - fabsf(lx), s->hy - fabsf(ly));
    if (s->hx > 2 && rim < 0.35f) return mix(c, srgb(210, 208, 202), 0.6f);
    if (s->surface == SURFACE_HALL && (s->seed & 4) && fabsf(part_of(lx / 5.5f) - 0.5f) < 0.09f && rim > 2)
        return srgb(190, 202, 206);
    float blotch = 0.82f + 0.25f * grain(lx * 0.35f, ly * 0.35f, s->seed) + 0.1f * grain(lx * 2, ly * 2, s->seed);
    return times(c, blotch);
}

static struct colour tiles(const struct solid *s, const struct hit *hit, float lx, float ly, float z)
{
    if (hit->face < 4) {
        struct colour c = paint(s->rgb2);
        float from = z - s->eave;
        bool hatch = fabsf(hit->face < 2 ? ly : lx) < 0.5f && from > 0.6f && from < 1.7f && s->z1 - s->eave > 3;
        return hatch ? srgb(46, 50, 58) : c;
    }
    if (hit->face == 5) return srgb(120, 110, 100);
    struct colour c = paint(s->rgb);
    bool y_side = hit->face >= 8;
    float along = y_side ? lx : ly, course = part_of((z - s->eave) * 2.6f);
    float fine = hash_unit((uint32_t)(along * 3 + 900), (uint32_t)((z - s->eave) * 2.6f + 90), s->seed);
    c = times(c,
              (0.86f + 0.16f * course) * (0.9f + 0.2f * fine) * (0.9f + 0.2f * grain(lx * 0.5f, ly * 0.5f, s->seed)));
    if (s->z1 - z < 0.12f) return times(c, 1.25f);
    float run = y_side ? s->hx : s->hy, rise = s->z1 - s->eave, t = (z - s->eave) / rise;
    if (s->seed % 6 == 1 && s->hx > 3 && hit->normal.y < 0 && fabsf(along) < 0.55f * run && t > 0.25f && t < 0.8f &&
        s->kx * s->ky == 0) {
        bool gap = part_of(along) < 0.06f || part_of(t * rise) < 0.07f;
        return gap ? srgb(120, 126, 132) : srgb(28, 34, 58);
    }
    if (s->seed % 5 == 2 && s->hx > 3 && fabsf(fabsf(along) - 0.4f * run) < 0.45f && t > 0.4f && t < 0.68f)
        return srgb(60, 70, 80);
    return c;
}

/* A tree's own tone, then lighter and darker leaves; in autumn each tree has its own colour. */
static struct colour leaves(const struct view *view, const struct solid *s, struct vector p)
{
    static const unsigned char seasons[4][3][3] = {{{116, 150, 66}, {98, 138, 62}, {134, 158, 84}},
                                                   {{70, 106, 48}, {84, 114, 54}, {62, 94, 50}},
                                                   {{86, 108, 54}, {98, 112, 58}, {76, 98, 50}},
                                                   {{170, 120, 50}, {150, 86, 44}, {118, 118, 56}}};
    uint32_t own = (s->seed & ~7u) >> 3;
    struct colour c = paint(seasons[view->season][own % 3]);
    if (s->surface == SURFACE_NEEDLE) c = srgb(52, 82, 54);
    if (s->surface == SURFACE_HEDGE) c = mix(srgb(66, 96, 48), times(view->grass, 0.6f), 0.4f);
    float scale = s->surface == SURFACE_HEDGE ? 4.2f : 2.1f, across = 0.8f * (p.x - p.y);
    float tuft = (grain(p.x * scale, p.y * scale, 3) + grain(across * scale, p.z * scale, 5)) / 2;
    float leaf = (grain(p.x * 5.5f, p.y * 5.5f, 4) + grain(across * 5.5f, p.z * 6.5f, 7)) / 2;
    float clump = grain(across * 0.9f + p.x, p.z * 0.9f, 6);
    float rise = s->surface == SURFACE_LEAF ? (p.z - s->z0) / (s->z1 - s->z0) : 0.6f;
    return times(c, (0.66f * tuft + 0.8f * leaf + 0.3f * clump) * (0.58f + 0.5f * rise));
}

struct colour surface_colour(const struct view *view, const struct hit *hit, struct vector p, float *shine)
{
    const struct solid *s = hit->solid;
    float dx = p.x - s->x, dy = p.y - s->y, lx = dx * s->c + dy * s->s, ly = dy * s->c - dx * s->s;
    *shine = 0;
    switch ((enum surface)s->surface) {
    case SURFACE_HOUSE:
        if (hit->face < 4) return facade(s, hit->face, lx, ly, p.z, shine);
        return flat_top(s, lx, ly);
    case SURFACE_HALL:
        if (hit->face < 4) return hall(s, hit->face, lx, ly, p.z, shine);
        return flat_top(s, lx, ly);
    case SURFACE_TILES: return tiles(s, hit, lx, ly, p.z);
    case SURFACE_PLAIN: return hit->face == 4 ? paint(s->rgb2) : paint(s->rgb);
    case SURFACE_LEAF:
    case SURFACE_NEEDLE:
    case SURFACE_HEDGE: return leaves(view, s, p);
    case SURFACE_FENCE:
        return times(paint(s->rgb), part_of(lx * 3.3f) < 0.2f ? 0.45f : 0.9f + 0.15f * grain(lx * 3, p.z, 5));
    case SURFACE_GLASS: *shine = 0.3f; return hit->face == 4 ? paint(s->rgb) : srgb(34, 38, 44);
    case SURFACE_CAR:
        *shine = 0.12f;
        if (hit->face < 2 && p.z - s->base > 0.55f && p.z - s->base < 0.78f && fabsf(ly) > 0.45f)
            return hit->face == 0 ? srgb(236, 236, 226) : srgb(190, 30, 26);
        return paint(s->rgb);
    }
    return srgb(128, 128, 128);
}
