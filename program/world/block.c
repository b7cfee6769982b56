/* block.c - fills a block by its kind. */
#include <math.h>

#include "world/lots.h"

static void cover_block(struct lots *lots, enum cover kind)
{
    struct point m = lots->block->middle;
    cover(lots, kind, m, 0, 0.75f * TOWN_PITCH, 0.75f * TOWN_PITCH, false);
}

static void houses(struct lots *lots)
{
    struct dice *d = &lots->dice;
    float usual = dice_roll(d, 3.5f, 8);
    for (int side = 0; side < 4; side++) {
        const struct edge *edge = &lots->block->edge[side];
        if (edge->road == ROAD_NONE) continue;
        for (float s = 8; s < edge->length - 8;) {
            float half = dice_roll(d, 8, 12.5f), hx = dice_roll(d, 4.2f, fminf(7, half - 3)),
                  hy = dice_roll(d, 3.8f, 5.6f);
            struct frontage f = lots_frontage(lots, side, s + half);
            float back = usual + dice_roll(d, -1, 1.5f);
            struct footprint house = frontage_footprint(&f, back, hx, hy), room = house;
            room.hx += 1.5f;
            room.hy += 1;
            if (s + half < edge->length - 6 && !dice_chance(d, 0.07f) && lots_take(lots, &room, 1.5f)) {
                house_build(lots->scene, &house, d);
                garden_build(lots, &f, &house, half, back);
                s += 2 * half;
            } else {
                s += 4;
            }
        }
    }
    scatter_trees(lots, 16, 5, 13);
}

static void terraces(struct lots *lots)
{
    struct dice *d = &lots->dice;
    float back = dice_roll(d, 1.5f, 5);
    for (int side = 0; side < 4; side++) {
        const struct edge *edge = &lots->block->edge[side];
        if (edge->road == ROAD_NONE) continue;
        int left = 0;
        uint32_t row = 0;
        for (float s = 7; s < edge->length - 7; s += 6) {
            if (left == 0) {
                left = 4 + dice_pick(d, 6);
                row = (uint32_t)dice_pick(d, 1 << 20) << 8;
                if (s > 8) s += 3.5f;
            }
            struct frontage f = lots_frontage(lots, side, s + 3);
            struct footprint house = frontage_footprint(&f, back, 3.05f, 4.8f), room = house;
            room.hx = 2.7f;
            left--;
            if (!lots_take(lots, &room, 0.5f)) continue;
            terrace_build(lots->scene, &house, d, row);
            float angle = frontage_angle(&f);
            cover(lots, COVER_PAVING, frontage_point(&f, -1.8f, back / 2), angle, 0.6f, back / 2, false);
            cover(lots, COVER_PAVING, frontage_point(&f, 0, back + 11), angle, 2.8f, 1.4f, false);
            struct point a = frontage_point(&f, 3, back + 9.8f), b = frontage_point(&f, 3, back + 19);
            if (block_holds(lots->block, b.x, b.y, 1) && lots_free(lots, b, 0.2f, 0.5f))
                hedge_build(lots->scene, a, b, true, d);
            if (back > 2.5f && dice_chance(d, 0.6f))
                hedge_build(lots->scene, frontage_point(&f, -0.9f, 0.3f), frontage_point(&f, 3, 0.3f),
                            dice_chance(d, 0.3f), d);
            if (dice_chance(d, 0.5f)) {
                struct point p = frontage_point(&f, 0, back + dice_roll(d, 13, 18));
                if (lots_free(lots, p, 1.5f, 2)) plant(lots, p, 2.5f, 6.5f);
            }
        }
    }
    scatter_trees(lots, 12, 4, 11);
}

/* Houses wall to wall around a yard. */
static void city(struct lots *lots)
{
    struct dice *d = &lots->dice;
    float deep = dice_roll(d, 5.2f, 6.8f);
    cover_block(lots, dice_chance(d, 0.5f) ? COVER_PAVING : COVER_GRASS);
    for (int side = 0; side < 4; side++) {
        const struct edge *edge = &lots->block->edge[side];
        if (edge->road == ROAD_NONE) continue;
        for (float s = 4; s < edge->length - 4;) {
            float hx = dice_roll(d, 5.5f, 11);
            struct frontage f = lots_frontage(lots, side, s + hx);
            struct footprint house = frontage_footprint(&f, 0.15f, hx, deep), room = house;
            room.hx -= 0.5f;
            room.at = footprint_point(&room, 0, 0.25f); /* it may touch a street that bends outwards */
            room.hy -= 0.35f;
            if (s + hx < edge->length && !dice_chance(d, 0.08f) && lots_take(lots, &room, 0)) {
                city_house_build(lots->scene, &house, d);
                s += 2 * hx;
            } else {
                s += 3;
            }
        }
    }
    for (int k = 0; k < 5; k++) {
        struct point p;
        if (!lots_point(lots, &p, 5, 6)) continue;
        struct footprint f = {p, lots->block->edge[0].p[1].x > lots->block->edge[0].p[0].x ? 1 : -1, 0, 3.5f, 2.4f};
        if (dice_chance(d, 0.5f) && lots_take(lots, &f, 3)) shed_build(lots->scene, &f, d);
    }
    scatter_trees(lots, 8, 4, 10);
}

/* A car park, with cars in some of its bays. */
static void parking(struct lots *lots, const struct footprint *f)
{
    struct dice *d = &lots->dice;
    if (!lots_take(lots, f, 1)) return;
    cover(lots, COVER_PARKING, f->at, atan2f(f->s, f->c), f->hx, f->hy, false);
    float share = dice_roll(d, 0.2f, 0.8f);
    for (int row = -1; row <= 1; row += 2)
        for (float u = -f->hx + 1.25f; u < f->hx - 1; u += 2.5f)
            for (int when = WHEN_STREET; when <= WHEN_AERIAL; when++) {
                uint32_t seed = (uint32_t)dice_pick(d, 1 << 30);
                struct point p = footprint_point(f, u, (float)row * (f->hy - 2.5f));
                if (dice_chance(d, share))
                    car_build(lots->scene, p, -(float)row * f->s, (float)row * f->c, (enum when)when, seed);
            }
}

static void slabs(struct lots *lots)
{
    struct dice *d = &lots->dice;
    int main_side = dice_pick(d, 4);
    struct frontage f = lots_frontage(lots, main_side, lots->block->edge[main_side].length / 2);
    float back = dice_roll(d, 4, 9), hx = dice_roll(d, 15, 27), hy = dice_roll(d, 5.5f, 7);
    for (int k = 0; k < 3; k++) {
        struct footprint slab = frontage_footprint(&f, back, hx * dice_roll(d, 0.75f, 1), hy);
        slab.at = footprint_point(&slab, dice_roll(d, -8, 8), 0);
        if (dice_chance(d, 0.25f)) slab = (struct footprint){slab.at, -slab.s, slab.c, slab.hx * 0.6f, slab.hy};
        if (lots_take(lots, &slab, 3)) slab_build(lots->scene, &slab, d);
        back += 2 * hy + dice_roll(d, 14, 20);
        struct footprint park = frontage_footprint(&f, back - 15, hx * 0.6f, 7.5f);
        park.at = footprint_point(&park, dice_roll(d, -9, 9), 0);
        parking(lots, &park);
        cover(lots, COVER_PAVING, frontage_point(&f, dice_roll(d, -12, 12), back / 2), frontage_angle(&f), 0.9f,
              back / 2 + 3, false);
    }
    scatter_trees(lots, 34, 5, 14);
}

static void works(struct lots *lots)
{
    struct dice *d = &lots->dice;
    cover_block(lots, dice_chance(d, 0.6f) ? COVER_ASPHALT : COVER_GRAVEL);
    int main_side = dice_pick(d, 4);
    struct frontage f = lots_frontage(lots, main_side, lots->block->edge[main_side].length / 2);
    for (int k = 0; k < 14; k++) {
        float hx = dice_roll(d, 8, 22), hy = dice_roll(d, 6, 15);
        struct footprint hall = frontage_footprint(&f, dice_roll(d, 4, 60), hx, hy);
        hall.at = footprint_point(&hall, dice_roll(d, -25, 25), 0);
        if (lots_take(lots, &hall, 3)) hall_build(lots->scene, &hall, d);
    }
    for (int k = 0; k < 3; k++) {
        float back = dice_roll(d, 2, 50), hx = dice_roll(d, 7, 15);
        struct footprint park = frontage_footprint(&f, back, hx, 7.5f);
        park.at = footprint_point(&park, dice_roll(d, -25, 25), 0);
        parking(lots, &park);
    }
    for (int k = 0; k < 14; k++) { /* containers */
        struct point p;
        if (!lots_point(lots, &p, 4, 4)) continue;
        struct footprint box = {p, f.c, f.s, 3, 1.25f};
        if (lots_take(lots, &box, 2)) shed_build(lots->scene, &box, d);
    }
    scatter_trees(lots, 6, 4, 9);
}

static void paths(struct lots *lots, int count)
{
    struct dice *d = &lots->dice;
    struct point m = lots->block->middle;
    float turn = dice_roll(d, 0, PI);
    for (int k = 0; k < count; k++) {
        float a = turn + PI * (float)k / (float)count + dice_roll(d, -0.3f, 0.3f);
        float u = dice_roll(d, -8, 8), v = dice_roll(d, -8, 8);
        struct point p = {m.x + u, m.y + v};
        cover(lots, dice_chance(d, 0.6f) ? COVER_GRAVEL : COVER_ASPHALT, p, a, 65, 1.2f, false);
    }
}

static void park(struct lots *lots)
{
    struct dice *d = &lots->dice;
    struct point p, m = lots->block->middle;
    float ring = dice_roll(d, 12, 24);
    paths(lots, 1 + dice_pick(d, 3));
    cover(lots, COVER_GRAVEL, m, dice_roll(d, 0, PI), ring + 1.3f, 0.8f * ring + 1.3f, true);
    float angle = dice_roll(d, 0, PI);
    if (dice_chance(d, 0.55f)) {
        cover(lots, COVER_SAND, m, angle, 0.8f * ring + 1, 0.6f * ring + 1, true);
        cover(lots, COVER_WATER, m, angle, 0.8f * ring, 0.6f * ring, true);
        struct footprint pond = {m, cosf(angle), sinf(angle), 0.8f * ring, 0.6f * ring};
        lots_take(lots, &pond, 0);
    } else {
        cover(lots, COVER_GRASS, m, angle, 0.9f * ring, 0.7f * ring, true);
    }
    if (lots_point(lots, &p, 6, 6)) cover(lots, COVER_SAND, p, angle, 6, 4.5f, dice_chance(d, 0.5f));
    for (int k = 0; k < 2; k++)
        if (lots_point(lots, &p, 4, 4)) {
            struct footprint f = {p, cosf(angle), sinf(angle), 3, 2.4f};
            if (lots_take(lots, &f, 3)) shed_build(lots->scene, &f, d);
        }
    scatter_trees(lots, 56, 4, 15);
    for (int k = 0; k < 12; k++)
        if (lots_point(lots, &p, 1, 1)) tree_build(lots->scene, p, dice_roll(d, 0.7f, 1.8f), TREE_BUSH, d);
}

static void field(struct lots *lots)
{
    struct dice *d = &lots->dice;
    int side = dice_pick(d, 4);
    struct frontage f = lots_frontage(lots, side, lots->block->edge[side].length / 2);
    float angle = frontage_angle(&f), split = dice_roll(d, -25, 25);
    cover_block(lots, dice_chance(d, 0.7f) ? COVER_CROP : COVER_MEADOW);
    struct point p = frontage_point(&f, split + 60, 50);
    float turn = dice_chance(d, 0.5f) ? PI / 2 : 0;
    cover(lots, dice_chance(d, 0.6f) ? COVER_CROP : COVER_MEADOW, p, angle + turn, 60, 60, false);
    cover(lots, COVER_MEADOW, frontage_point(&f, split, 50), angle, 1.4f, 70, false);
    if (dice_chance(d, 0.35f)) {
        struct frontage g = lots_frontage(lots, side, lots->block->edge[side].length * dice_roll(d, 0.3f, 0.7f));
        struct footprint farm = frontage_footprint(&g, 9, 7, 5), barn = frontage_footprint(&g, 26, 11, 6);
        cover(lots, COVER_GRAVEL, frontage_point(&g, 0, 18), frontage_angle(&g), 15, 18, false);
        if (lots_take(lots, &farm, 3)) house_build(lots->scene, &farm, d);
        if (lots_take(lots, &barn, 3)) hall_build(lots->scene, &barn, d);
    }
    for (float v = 4; v < 90; v += dice_roll(d, 5, 22)) {
        struct point t = frontage_point(&f, split + dice_roll(d, -0.7f, 0.7f), v);
        if (lots_free(lots, t, 2, 2)) plant(lots, t, 3, 11);
    }
    for (int k = 0; k < 4; k++) {
        const struct edge *edge = &lots->block->edge[k];
        if (dice_chance(d, 0.6f)) continue;
        for (float s = 8; s < edge->length - 8; s += dice_roll(d, 2.5f, 9)) {
            struct frontage g = lots_frontage(lots, k, s);
            struct point t = frontage_point(&g, 0, dice_roll(d, 1.5f, 3));
            float height = dice_roll(d, 1.2f, 7);
            enum species species = dice_chance(d, 0.5f) ? TREE_BUSH : TREE_ROUND;
            if (lots_free(lots, t, 1, 1))
                tree_build(lots->scene, t, species == TREE_BUSH ? height / 3 : height, species, d);
        }
    }
}

static void plaza(struct lots *lots)
{
    struct dice *d = &lots->dice;
    int side = dice_pick(d, 4);
    struct frontage f = lots_frontage(lots, side, lots->block->edge[side].length / 2);
    cover_block(lots, COVER_PAVING);
    float back = dice_roll(d, 10, 20), hx = dice_roll(d, 6, 8), hy = dice_roll(d, 11, 16);
    struct footprint church = frontage_footprint(&f, back, hx, hy), room = church;
    room.hy += 4;
    if (lots_take(lots, &room, 2)) church_build(lots->scene, &church, d);
    for (int k = 0; k < 4; k++) {
        struct point p;
        if (lots_point(lots, &p, 9, 7))
            cover(lots, k == 0 ? COVER_POOL : COVER_GRASS, p, frontage_angle(&f), k == 0 ? 4 : 8, k == 0 ? 4 : 5,
                  k == 0);
    }
    for (int row = 0; row < 2; row++)
        for (float s = 10; s < lots->block->edge[side].length - 10; s += 8) {
            struct frontage g = lots_frontage(lots, side, s);
            struct point p = frontage_point(&g, 0, 4 + 7 * (float)row);
            if (lots_free(lots, p, 2, 2)) tree_build(lots->scene, p, dice_roll(d, 6, 8), TREE_ROUND, d);
        }
    for (int k = 0; k < 4; k++) {
        struct footprint park = frontage_footprint(&f, dice_roll(d, 40, 60), 12, 7.5f);
        park.at = footprint_point(&park, dice_roll(d, -20, 20), 0);
        if (k == 0) parking(lots, &park);
    }
    scatter_trees(lots, 12, 5, 11);
}

static void sport(struct lots *lots)
{
    struct dice *d = &lots->dice;
    int side = dice_pick(d, 4);
    struct frontage f = lots_frontage(lots, side, lots->block->edge[side].length / 2);
    struct footprint pitch = frontage_footprint(&f, 10, 30, 19), club;
    if (!lots_take(lots, &pitch, 2)) {
        pitch.hx = 21;
        pitch.hy = 13;
        lots_take(lots, &pitch, 1);
    }
    cover(lots, COVER_PITCH, pitch.at, frontage_angle(&f), pitch.hx, pitch.hy, false);
    for (int k = 0; k < 4; k++)
        lamp_build(
            lots->scene,
            footprint_point(&pitch, (k & 1 ? 1.0f : -1.0f) * pitch.hx * 0.7f, (k & 2 ? 1.0f : -1.0f) * (pitch.hy + 1)),
            -pitch.s * (k & 2 ? -1.0f : 1.0f), pitch.c * (k & 2 ? -1.0f : 1.0f), 13);
    club = frontage_footprint(&f, 10 + 2 * pitch.hy + 3, 9, 3.5f);
    if (lots_take(lots, &club, 1)) hall_build(lots->scene, &club, d);
    for (int k = 0; k < 3; k++) {
        struct footprint car_park = frontage_footprint(&f, dice_roll(d, 1, 70), 10, 7.5f);
        car_park.at = footprint_point(&car_park, dice_roll(d, -35, 35), 0);
        parking(lots, &car_park);
    }
    scatter_trees(lots, 26, 5, 12);
}

void block_build(struct scene *scene, const struct block *block)
{
    static void (*const build[BLOCK_KINDS])(struct lots *) = {houses, terraces, city,  slabs, works,
                                                              park,   field,    plaza, sport};
    struct lots lots = {.scene = scene, .block = block};
    lots.dice = dice_for(scene->site.seed, USE_LOT, block->i, block->j);
    build[block->kind](&lots);
}
