/* garden.c - trees and gardens. */
#include <math.h>
#include <stddef.h>

#include "world/lots.h"

float frontage_angle(const struct frontage *f)
{
    return atan2f(f->s, f->c);
}

static enum species any_species(struct dice *d)
{
    float draw = dice_roll(d, 0, 1);
    return draw < 0.66f ? TREE_ROUND : draw < 0.78f ? TREE_TALL : TREE_CONIFER;
}

void plant(struct lots *lots, struct point p, float low, float high)
{
    float height = dice_roll(&lots->dice, low, high);
    tree_build(lots->scene, p, height, any_species(&lots->dice), &lots->dice);
}

void scatter_trees(struct lots *lots, int count, float low, float high)
{
    struct dice *d = &lots->dice;
    for (int k = 0; k < count; k++) {
        struct point p;
        float height = dice_roll(d, low, high);
        if (lots_point(lots, &p, 1.5f + 0.12f * height, 1.5f + 0.1f * height))
            tree_build(lots->scene, p, height, any_species(d), d);
    }
}

void cover(struct lots *lots, enum cover kind, struct point at, float angle, float hx, float hy, bool round)
{
    struct patch *p = scene_add_patch(lots->scene, kind, at, angle, hx, hy);
    if (p == NULL) return;
    p->round = round;
    p->seed = (uint32_t)dice_pick(&lots->dice, 1 << 30);
}

/* A hedge or fence on the lot's border with the road, open at the drive, and down one side. */
static void fence_lot(struct lots *lots, const struct frontage *f, float half, float deep, float drive)
{
    struct dice *d = &lots->dice;
    bool fence = dice_chance(d, 0.45f);
    float draw = dice_roll(d, 0, 1), v = 0.5f;
    if (draw < 0.62f) {
        hedge_build(lots->scene, frontage_point(f, -half, v), frontage_point(f, drive - 1.7f, v), fence, d);
        hedge_build(lots->scene, frontage_point(f, drive + 1.7f, v), frontage_point(f, half, v), fence, d);
    }
    for (float from = 0.5f; from < deep; from += 6) {
        struct point a = frontage_point(f, half, from), b = frontage_point(f, half, fminf(from + 6, deep));
        if (draw < 0.8f && block_holds(lots->block, a.x, a.y, 0.3f) && block_holds(lots->block, b.x, b.y, 0.3f))
            hedge_build(lots->scene, a, b, draw > 0.4f, d);
    }
}

void garden_build(struct lots *lots, const struct frontage *f, const struct footprint *house, float half, float back)
{
    struct dice *d = &lots->dice;
    float drive = (house->hx + 1.8f) * (dice_chance(d, 0.5f) ? 1.0f : -1.0f), deep = back + 2 * house->hy,
          angle = frontage_angle(f);
    static const unsigned char drives[] = {COVER_GRAVEL, COVER_PAVING, COVER_ASPHALT};
    enum cover stone = (enum cover)drives[dice_pick(d, 3)];
    cover(lots, stone, frontage_point(f, drive, deep / 2 - 1.5f), angle, 1.5f, deep / 2 + 0.2f, false);
    cover(lots, COVER_PAVING, frontage_point(f, 0, back / 2), angle, 0.6f, back / 2, false);
    if (dice_chance(d, 0.7f)) {
        float u = dice_roll(d, -2, 2), wide = dice_roll(d, 2, 4);
        cover(lots, COVER_PAVING, frontage_point(f, u, deep + 1.8f), angle, wide, 2, false);
    }
    if (dice_chance(d, 0.16f)) {
        struct point p = frontage_point(f, dice_roll(d, -3, 3), deep + 8);
        if (lots_free(lots, p, 4, 5)) {
            bool round = dice_chance(d, 0.3f);
            cover(lots, COVER_PAVING, p, angle, 5.2f, 3.4f, round);
            cover(lots, COVER_POOL, p, angle, 4.2f, 2.3f, round);
        }
    } else if (dice_chance(d, 0.2f)) {
        float u = dice_roll(d, -3, 3), wide = dice_roll(d, 2, 4), high = dice_roll(d, 1.5f, 3);
        cover(lots, COVER_SOIL, frontage_point(f, u, deep + 9), angle, wide, high, false);
    }
    fence_lot(lots, f, half, deep + 12, drive);
    if (dice_chance(d, 0.45f)) {
        struct footprint shed = frontage_footprint(f, deep + dice_roll(d, 6, 11), 1.6f, 1.3f);
        shed.at = footprint_point(&shed, dice_roll(d, -0.6f, 0.6f) * half, 0);
        if (lots_take(lots, &shed, 0.5f)) shed_build(lots->scene, &shed, d);
    }
    int trees = 2 + dice_pick(d, 5);
    for (int k = 0; k < trees; k++) {
        bool front = dice_chance(d, 0.3f);
        float u = dice_roll(d, -1, 1) * (half - 1);
        float v = front ? dice_roll(d, 1.5f, fmaxf(2, back - 2)) : deep + dice_roll(d, 4, 16);
        struct point p = frontage_point(f, u, v);
        float height = dice_roll(d, 2.5f, front ? 6.5f : 11.5f);
        if (lots_free(lots, p, 1 + 0.12f * height, 1)) tree_build(lots->scene, p, height, any_species(d), d);
    }
    for (int k = dice_pick(d, 6); k > 0; k--) {
        float u = dice_roll(d, -1, 1) * half, v = dice_roll(d, 1, back);
        struct point p = frontage_point(f, u, v);
        if (lots_free(lots, p, 0.8f, 0.8f)) tree_build(lots->scene, p, dice_roll(d, 0.6f, 1.7f), TREE_BUSH, d);
    }
    struct point p = frontage_point(f, drive, dice_roll(d, 3, fmaxf(4, deep - 5)));
    for (int when = WHEN_STREET; when <= WHEN_AERIAL; when++)
        if (dice_chance(d, 0.4f))
            car_build(lots->scene, p, -f->s, f->c, (enum when)when, (uint32_t)dice_pick(d, 1 << 30));
}
