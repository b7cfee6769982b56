/* lots.c - see lots.h. */
#include "world/lots.h"

#include <math.h>

struct frontage lots_frontage(const struct lots *lots, int side, float along)
{
    const struct edge *edge = &lots->block->edge[side];
    /* The block lies to the left of its south and east edges, which run east and north, to the right of the others. */
    float tx, ty, inwards = side < 2 ? 1 : -1;
    struct frontage f = {.off = edge->half + edge->walk};
    f.at = edge_at(edge, along, 0, &tx, &ty);
    f.c = inwards * tx; /* +y is +x turned left */
    f.s = inwards * ty;
    return f;
}

struct point frontage_point(const struct frontage *f, float u, float v)
{
    v += f->off;
    return (struct point){f->at.x + u * f->c - v * f->s, f->at.y + u * f->s + v * f->c};
}

struct footprint frontage_footprint(const struct frontage *f, float back, float hx, float hy)
{
    return (struct footprint){frontage_point(f, 0, back + hy), f->c, f->s, hx, hy};
}

/* Separating axes: whether b lies wholly beyond one of a's four sides. */
static bool beyond(const struct footprint *a, const struct footprint *b, float gap)
{
    float dx = b->at.x - a->at.x, dy = b->at.y - a->at.y;
    float u = dx * a->c + dy * a->s, v = dy * a->c - dx * a->s;
    float c = fabsf(a->c * b->c + a->s * b->s), s = fabsf(a->c * b->s - a->s * b->c);
    return fabsf(u) > a->hx + c * b->hx + s * b->hy + gap || fabsf(v) > a->hy + s * b->hx + c * b->hy + gap;
}

bool lots_take(struct lots *lots, const struct footprint *f, float margin)
{
    if (lots->count == MAX_FOOTPRINTS) return false;
    for (int k = 0; k < 9; k++) {
        int column = k % 3 - 1, row = k / 3 - 1;
        struct point p = footprint_point(f, f->hx * (float)column, f->hy * (float)row);
        if (!block_holds(lots->block, p.x, p.y, margin) || scene_river(lots->scene, p.x, p.y) < 4) return false;
    }
    for (int k = 0; k < lots->count; k++)
        if (!beyond(f, &lots->taken[k], 0.1f) && !beyond(&lots->taken[k], f, 0.1f)) return false;
    lots->taken[lots->count++] = *f;
    return true;
}

bool lots_free(const struct lots *lots, struct point p, float radius, float margin)
{
    if (!block_holds(lots->block, p.x, p.y, margin) || scene_river(lots->scene, p.x, p.y) < 2) return false;
    for (int k = 0; k < lots->count; k++) {
        const struct footprint *f = &lots->taken[k];
        float dx = p.x - f->at.x, dy = p.y - f->at.y;
        float u = fabsf(dx * f->c + dy * f->s) - f->hx, v = fabsf(dy * f->c - dx * f->s) - f->hy;
        if (u < radius && v < radius) return false;
    }
    return true;
}

bool lots_point(struct lots *lots, struct point *p, float radius, float margin)
{
    struct point m = lots->block->middle;
    for (int k = 0; k < 6; k++) {
        p->x = m.x + dice_roll(&lots->dice, -0.6f, 0.6f) * TOWN_PITCH;
        p->y = m.y + dice_roll(&lots->dice, -0.6f, 0.6f) * TOWN_PITCH;
        if (lots_free(lots, *p, radius, margin)) return true;
    }
    return false;
}
