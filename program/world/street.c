/* street.c - solids along the roads: lamp posts, trees, parked and moving cars. Traffic keeps to the right. */
#include <math.h>

#include "world/parts.h"

/* The contents of a slot are drawn for each of the two pictures; sometimes both have the same car. */
static void slot(struct scene *scene, const struct edge *edge, int number, struct point at, float c, float s,
                 float share, bool may_stay)
{
    uint64_t seed = scene->site.seed;
    struct dice street = dice_for(seed, USE_CAR_STREET, 2 * edge->i + edge->dir, edge->j);
    struct dice aerial = dice_for(seed, USE_CAR_AERIAL, 2 * edge->i + edge->dir, edge->j);
    street.index = aerial.index = (uint64_t)number * 8;
    bool now = dice_chance(&street, share), then = dice_chance(&aerial, share);
    uint32_t car = (uint32_t)dice_pick(&street, 1 << 30), other = (uint32_t)dice_pick(&aerial, 1 << 30);
    if (may_stay && dice_chance(&street, 0.35f)) then = now, other = car;
    if (now) car_build(scene, at, c, s, WHEN_STREET, car);
    if (then) car_build(scene, at, c, s, WHEN_AERIAL, other);
}

static void cars(struct scene *scene, const struct edge *edge, float from, float to, struct dice *d)
{
    float tx, ty, share = dice_roll(d, 0.15f, 0.75f), side = dice_chance(d, 0.5f) ? 1.0f : -1.0f;
    int number = 0;
    if (edge->road == ROAD_STREET)
        for (float s = from + 3; s < to - 3; s += 6, number++) {
            struct point p = edge_at(edge, s, side * (edge->half - 0.98f), &tx, &ty);
            slot(scene, edge, number, p, -side * tx, -side * ty, share, true);
        }
    float passing = edge->road == ROAD_MAIN ? 0.16f : edge->road == ROAD_STREET ? 0.05f : 0;
    for (int lane = -1; lane <= 1; lane += 2) {
        if (edge->road == ROAD_STREET && (float)lane == side) continue;
        for (float s = from + 4; s < to - 4; s += 11, number++) {
            struct point p = edge_at(edge, s, (float)lane * edge->half * 0.48f, &tx, &ty);
            slot(scene, edge, number, p, (float)-lane * tx, (float)-lane * ty, passing, false);
        }
    }
}

static void trees(struct scene *scene, const struct edge *edge, float from, float to, struct dice *d)
{
    float share = edge->road == ROAD_MAIN ? 0.7f : edge->road == ROAD_STREET ? 0.33f : 0.25f, tx, ty;
    float step = dice_roll(d, 8.5f, 15), height = dice_roll(d, 6.5f, 11);
    enum species species = dice_chance(d, 0.15f) ? TREE_TALL : TREE_ROUND;
    for (int side = -1; side <= 1; side += 2) {
        bool planted = dice_chance(d, share);
        float off = edge->half + (edge->walk > 0 ? 0.75f : 2.2f);
        for (float s = from + dice_roll(d, 2, 8); s < to; s += step * dice_roll(d, 0.9f, 1.15f)) {
            struct point p = edge_at(edge, s, (float)side * off, &tx, &ty);
            if (!planted || dice_chance(d, 0.12f) || scene_river(scene, p.x, p.y) < 2) continue;
            tree_build(scene, p, height * dice_roll(d, 0.8f, 1.2f), species, d);
        }
    }
}

void street_build(struct scene *scene, const struct edge *edge)
{
    struct dice d = dice_for(scene->site.seed, USE_STREET_SIDE, 2 * edge->i + edge->dir, edge->j);
    float from = edge->clear[0] + 3, to = edge->length - edge->clear[1] - 3, tx, ty;
    cars(scene, edge, from + 4, to - 4, &d);
    trees(scene, edge, from + 2, to - 2, &d);
    if (edge->road == ROAD_LANE) return;
    float side = dice_chance(&d, 0.5f) ? 1.0f : -1.0f, height = edge->road == ROAD_MAIN ? 8 : 5.5f;
    for (float s = from + 1; s < to; s += edge->road == ROAD_MAIN ? 22 : 29) {
        struct point p = edge_at(edge, s, side * (edge->half + 0.4f), &tx, &ty);
        lamp_build(scene, p, side * ty, -side * tx, height);
        if (edge->road == ROAD_MAIN) side = -side;
    }
}

void junction_build(struct scene *scene, const struct junction *junction)
{
    if (junction->island == 0) return;
    struct dice d = dice_for(scene->site.seed, USE_ISLAND, (int)floorf(junction->p.x), (int)floorf(junction->p.y));
    int trees = dice_pick(&d, 4);
    for (int k = 0; k < trees; k++) {
        float u = dice_roll(&d, -3.5f, 3.5f), v = dice_roll(&d, -3.5f, 3.5f), height = dice_roll(&d, 4, 9);
        struct point p = {junction->p.x + u, junction->p.y + v};
        tree_build(scene, p, height, dice_chance(&d, 0.3f) ? TREE_CONIFER : TREE_ROUND, &d);
    }
    for (int k = 0; k < 6; k++) {
        float u = dice_roll(&d, -5, 5), v = dice_roll(&d, -5, 5);
        struct point p = {junction->p.x + u, junction->p.y + v};
        tree_build(scene, p, dice_roll(&d, 0.5f, 1), TREE_BUSH, &d);
    }
}
