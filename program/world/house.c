/* house.c - buildings out of boxes and roofs. */
#include <math.h>

#include "world/parts.h"

static const float OVERHANG = 0.4f;

typedef unsigned char rgb[3];

static const rgb plasters[] = {{226, 218, 202}, {214, 196, 164}, {232, 228, 220}, {204, 176, 148}, {190, 198, 190},
                               {222, 206, 150}, {206, 160, 130}, {180, 190, 204}, {236, 224, 196}};
static const rgb bricks[] = {{142, 90, 74}, {160, 108, 86}, {126, 84, 74}, {174, 138, 110}, {186, 166, 138}};
static const rgb woods[] = {{176, 186, 190}, {120, 132, 120}, {138, 70, 60},
                            {210, 206, 190}, {196, 186, 160}, {110, 92, 76}};
static const rgb concretes[] = {{190, 186, 178}, {206, 200, 188}, {172, 172, 170}, {214, 206, 186}};
static const rgb tiles[] = {{142, 82, 64}, {156, 98, 74}, {120, 70, 58}, {92, 88, 88},
                            {74, 76, 82},  {112, 86, 70}, {94, 74, 64},  {134, 118, 104}};
static const rgb flats[] = {{132, 128, 122}, {104, 104, 106}, {170, 166, 156}, {86, 88, 92}, {150, 138, 120}};
static const rgb metals[] = {{164, 170, 174}, {120, 136, 150}, {196, 198, 196}, {116, 128, 112}, {150, 104, 90}};

static void paint(unsigned char *to, const rgb *palette, int count, struct dice *d)
{
    const unsigned char *from = palette[dice_pick(d, count)];
    float shade = dice_roll(d, 0.92f, 1.06f);
    for (int k = 0; k < 3; k++) to[k] = (unsigned char)fminf(255, (float)from[k] * shade);
}

#define PAINT(to, palette, d) paint(to, palette, (int)(sizeof(palette) / sizeof *(palette)), d)

struct point footprint_point(const struct footprint *f, float u, float v)
{
    return (struct point){f->at.x + u * f->c - v * f->s, f->at.y + u * f->s + v * f->c};
}

/* A part of a footprint, centred at (u, v) of it. */
static struct footprint part(const struct footprint *f, float u, float v, float hx, float hy)
{
    return (struct footprint){footprint_point(f, u, v), f->c, f->s, hx, hy};
}

static struct solid *box(struct scene *scene, const struct footprint *f, enum surface surface, float z0, float z1)
{
    struct solid *b = scene_add_solid(scene);
    if (b == NULL) return NULL;
    *b = (struct solid){.x = f->at.x,
                        .y = f->at.y,
                        .c = f->c,
                        .s = f->s,
                        .hx = f->hx,
                        .hy = f->hy,
                        .z0 = z0,
                        .z1 = z1,
                        .base = z0,
                        .storey = 2.9f,
                        .shape = SHAPE_BOX,
                        .when = WHEN_BOTH,
                        .surface = (unsigned char)surface,
                        .reach = sqrtf(f->hx * f->hx + f->hy * f->hy)};
    return b;
}

/* The lowest ground under a footprint. */
static float ground(const struct scene *scene, const struct footprint *f)
{
    float z = INFINITY;
    for (int k = 0; k < 4; k++) {
        struct point p = footprint_point(f, k & 1 ? f->hx : -f->hx, k & 2 ? f->hy : -f->hy);
        z = fminf(z, scene_height(scene, p.x, p.y));
    }
    return z;
}

struct look {
    rgb wall, roof;
    enum facade facade;
    uint32_t seed;
    float storey;
};

static struct solid *walls(struct scene *scene, const struct footprint *f, float base, float top,
                           const struct look *look)
{
    struct solid *b = box(scene, f, SURFACE_HOUSE, base, top);
    if (b == NULL) return NULL;
    b->facade = (unsigned char)look->facade;
    b->storey = look->storey;
    b->seed = look->seed;
    for (int k = 0; k < 3; k++) b->rgb[k] = look->wall[k], b->rgb2[k] = look->roof[k];
    return b;
}

enum roof { ROOF_GABLE_X, ROOF_GABLE_Y, ROOF_HIP, ROOF_SHED, ROOF_MANSARD };

/* On walls that end at `top`. The planes pass through the walls' upper edge, so the eaves hang below it. */
static float roof(struct scene *scene, const struct footprint *f, float top, enum roof kind, float slope, float over,
                  const struct look *look)
{
    struct footprint g = *f;
    g.hx += over;
    g.hy += over;
    float run = kind == ROOF_GABLE_Y ? g.hx
                : kind == ROOF_HIP   ? fminf(g.hx, g.hy)
                : kind == ROOF_SHED  ? 2 * g.hy
                                     : g.hy;
    float eave = top - over * slope, ridge = eave + slope * run;
    if (kind == ROOF_MANSARD) ridge = fminf(ridge, eave + 3.1f);
    struct solid *b = box(scene, &g, SURFACE_TILES, eave - 0.15f, ridge);
    if (b == NULL) return ridge;
    b->eave = eave;
    b->kx = kind == ROOF_GABLE_Y || kind == ROOF_HIP || kind == ROOF_MANSARD ? slope : 0;
    b->ky = kind == ROOF_GABLE_X || kind == ROOF_HIP || kind == ROOF_MANSARD ? slope : 0;
    if (kind == ROOF_SHED) b->ky = -slope;
    b->seed = look->seed;
    for (int k = 0; k < 3; k++) b->rgb[k] = look->roof[k], b->rgb2[k] = look->wall[k];
    return ridge;
}

static void plain(struct scene *scene, const struct footprint *f, float z0, float z1, const unsigned char *side,
                  const unsigned char *top)
{
    struct solid *b = box(scene, f, SURFACE_PLAIN, z0, z1);
    if (b == NULL) return;
    for (int k = 0; k < 3; k++) b->rgb[k] = side[k], b->rgb2[k] = top[k];
}

static void chimney(struct scene *scene, const struct footprint *f, float u, float v, float top)
{
    static const rgb brick = {140, 84, 68}, dark = {60, 54, 52};
    struct footprint g = part(f, u, v, 0.35f, 0.35f);
    plain(scene, &g, top - 3, top + 0.7f, brick, dark);
}

static void draw_look(struct look *look, struct dice *d, bool modern)
{
    float draw = dice_roll(d, 0, 1);
    look->facade = modern ? FACADE_BANDS : draw < 0.55f ? FACADE_PLASTER : draw < 0.8f ? FACADE_BRICK : FACADE_WOOD;
    if (modern)
        PAINT(look->wall, concretes, d);
    else if (look->facade == FACADE_PLASTER)
        PAINT(look->wall, plasters, d);
    else if (look->facade == FACADE_BRICK)
        PAINT(look->wall, bricks, d);
    else
        PAINT(look->wall, woods, d);
    PAINT(look->roof, tiles, d);
    look->seed = (uint32_t)dice_pick(d, 1 << 30);
    look->storey = 2.9f;
}

/* A wing, a porch or a garage beside the main house. */
static void annex(struct scene *scene, const struct footprint *f, float base, float top, float slope, struct look *look,
                  struct dice *d)
{
    float side = dice_chance(d, 0.5f) ? 1.0f : -1.0f, draw = dice_roll(d, 0, 1);
    if (draw < 0.35f) { /* a wing to the back */
        float hx = f->hx * dice_roll(d, 0.4f, 0.55f), hy = dice_roll(d, 2, 3.2f);
        struct footprint g = part(f, side * (f->hx - hx), f->hy + hy - 0.1f, hx, hy);
        walls(scene, &g, base, top, look);
        g = part(f, side * (f->hx - hx), hy, hx, f->hy + hy);
        roof(scene, &g, top, ROOF_GABLE_Y, slope, OVERHANG, look);
    } else if (draw < 0.6f) { /* a gable to the road */
        float hx = f->hx * dice_roll(d, 0.3f, 0.42f), hy = dice_roll(d, 0.7f, 1.4f);
        struct footprint g = part(f, side * (f->hx - hx) * 0.8f, -f->hy - hy + 0.1f, hx, hy);
        walls(scene, &g, base, top, look);
        g = part(f, side * (f->hx - hx) * 0.8f, -f->hy / 2 - hy, hx, f->hy / 2 + hy);
        roof(scene, &g, top, ROOF_GABLE_Y, slope, 0.3f, look);
    } else if (draw < 0.85f) { /* a garage with a flat top */
        static const rgb grey = {120, 116, 110};
        struct footprint g = part(f, side * (f->hx + 1.7f), f->hy * dice_roll(d, -0.3f, 0.6f), 1.75f, 3);
        plain(scene, &g, base, base + 3.9f, look->wall, grey);
    }
}

void house_build(struct scene *scene, const struct footprint *f, struct dice *d)
{
    struct look look;
    draw_look(&look, d, false);
    float z = ground(scene, f), base = z - 0.2f;
    int storeys = dice_chance(d, 0.45f) ? 2 : 1;
    float top = base + 0.5f + (float)storeys * look.storey;
    walls(scene, f, base, top, &look);
    float draw = dice_roll(d, 0, 1), slope = dice_roll(d, 0.55f, 1.05f);
    if (draw < 0.1f) { /* modern: flat, or leaning to one side */
        if (dice_chance(d, 0.5f)) roof(scene, f, top, ROOF_SHED, 0.2f, OVERHANG, &look);
        return;
    }
    enum roof kind = draw < 0.55f ? ROOF_GABLE_X : draw < 0.72f ? ROOF_GABLE_Y : ROOF_HIP;
    float ridge = roof(scene, f, top, kind, slope, OVERHANG, &look);
    annex(scene, f, base, top, slope, &look, d);
    float u = f->hx * dice_roll(d, -0.5f, 0.5f), v = f->hy * dice_roll(d, -0.2f, 0.2f);
    if (dice_chance(d, 0.7f)) chimney(scene, f, u, v, ridge);
}

void shed_build(struct scene *scene, const struct footprint *f, struct dice *d)
{
    struct look look;
    draw_look(&look, d, false);
    PAINT(look.wall, woods, d);
    float z = ground(scene, f);
    plain(scene, f, z, z + 2.2f, look.wall, look.roof);
    roof(scene, f, z + 2.2f, dice_chance(d, 0.5f) ? ROOF_GABLE_X : ROOF_SHED, 0.3f, 0.2f, &look);
}

/* One house of a row: what `row` decides is the same for all of it. */
void terrace_build(struct scene *scene, const struct footprint *f, struct dice *d, uint32_t row)
{
    struct look look;
    struct dice shared = {.seed = d->seed, .stream = d->stream ^ row, .index = 1 << 20};
    draw_look(&look, &shared, false);
    int storeys = 2 + dice_pick(&shared, 2);
    float slope = dice_roll(&shared, 0.6f, 0.9f), z = ground(scene, f) - 0.2f;
    if (look.facade == FACADE_PLASTER) PAINT(look.wall, plasters, d);
    look.seed = (uint32_t)dice_pick(d, 1 << 30);
    float top = z + 0.4f + (float)storeys * look.storey;
    walls(scene, f, z, top, &look);
    struct footprint g = *f;
    g.hx -= 0.3f;
    float ridge = roof(scene, &g, top, ROOF_GABLE_X, slope, 0.3f, &look);
    chimney(scene, f, f->hx - 0.4f, 0, ridge);
}

static void on_flat_top(struct scene *scene, const struct footprint *f, float top, struct dice *d)
{
    int count = dice_pick(d, 4);
    rgb grey;
    for (int k = 0; k < count; k++) {
        float hx = dice_roll(d, 0.6f, 1.9f), hy = dice_roll(d, 0.6f, 1.7f);
        float u = (f->hx - hx - 0.8f) * dice_roll(d, -1, 1), v = (f->hy - hy - 0.8f) * dice_roll(d, -1, 1);
        struct footprint g = part(f, u, v, hx, hy);
        PAINT(grey, metals, d);
        plain(scene, &g, top - 0.1f, top + dice_roll(d, 0.8f, 2.4f), grey, grey);
    }
}

void city_house_build(struct scene *scene, const struct footprint *f, struct dice *d)
{
    struct look look;
    draw_look(&look, d, dice_chance(d, 0.2f));
    look.storey = dice_roll(d, 3, 3.5f);
    int storeys = 3 + dice_pick(d, 4);
    float z = ground(scene, f) - 0.2f, top = z + 0.3f + (float)storeys * look.storey, draw = dice_roll(d, 0, 1);
    if (draw < 0.4f) PAINT(look.roof, flats, d);
    walls(scene, f, z, top, &look);
    if (draw < 0.4f) {
        on_flat_top(scene, f, top, d);
    } else if (draw < 0.65f) {
        struct footprint g = *f;
        roof(scene, &g, top, ROOF_MANSARD, 1.9f, 0, &look);
    } else {
        struct footprint g = *f;
        g.hx -= 0.2f;
        float ridge = roof(scene, &g, top, ROOF_GABLE_X, dice_roll(d, 0.5f, 0.8f), 0.2f, &look);
        chimney(scene, f, f->hx * dice_roll(d, -0.7f, 0.7f), 0.5f, ridge);
    }
}

void slab_build(struct scene *scene, const struct footprint *f, struct dice *d)
{
    struct look look;
    draw_look(&look, d, dice_chance(d, 0.75f));
    PAINT(look.roof, flats, d);
    int storeys = 4 + dice_pick(d, 6);
    float z = ground(scene, f) - 0.2f, top = z + 0.6f + (float)storeys * look.storey;
    walls(scene, f, z, top, &look);
    on_flat_top(scene, f, top, d);
    if (dice_chance(d, 0.5f)) { /* a stair tower */
        struct footprint g = part(f, f->hx * dice_roll(d, -0.6f, 0.6f), -f->hy - 1, 2.2f, 1.4f);
        look.seed++;
        walls(scene, &g, z, top + 2, &look);
    }
}

void hall_build(struct scene *scene, const struct footprint *f, struct dice *d)
{
    struct look look;
    draw_look(&look, d, true);
    PAINT(look.wall, metals, d);
    PAINT(look.roof, flats, d);
    float z = ground(scene, f) - 0.2f, top = z + dice_roll(d, 5, 10);
    struct solid *b = walls(scene, f, z, top, &look);
    if (b != NULL) b->surface = SURFACE_HALL;
    float draw = dice_roll(d, 0, 1);
    if (draw < 0.3f) {
        roof(scene, f, top, ROOF_GABLE_X, 0.22f, 0.2f, &look);
    } else if (draw < 0.55f) { /* a saw-tooth roof */
        int count = (int)(f->hy / 3.2f) + 1;
        float deep = f->hy / (float)count;
        for (int k = 0; k < count; k++) {
            struct footprint g = part(f, 0, -f->hy + deep * (float)(2 * k + 1), f->hx, deep);
            roof(scene, &g, top, ROOF_SHED, 0.45f, 0, &look);
        }
    } else {
        on_flat_top(scene, f, top, d);
    }
}

/* The nave along y, the tower at its front. */
void church_build(struct scene *scene, const struct footprint *f, struct dice *d)
{
    struct look look;
    draw_look(&look, d, false);
    look.storey = 7;
    float z = ground(scene, f) - 0.2f, top = z + 8, tall = z + dice_roll(d, 18, 26);
    walls(scene, f, z, top, &look);
    roof(scene, f, top, ROOF_GABLE_Y, 1.2f, 0.3f, &look);
    struct footprint tower = part(f, 0, -f->hy - 1.5f, 2.6f, 2.6f);
    walls(scene, &tower, z, tall, &look);
    roof(scene, &tower, tall, ROOF_HIP, dice_chance(d, 0.6f) ? 3.2f : 1, 0.2f, &look);
    struct footprint choir = part(f, 0, f->hy + 2, f->hx * 0.6f, 2.2f);
    walls(scene, &choir, z, top - 2, &look);
    roof(scene, &choir, top - 2, ROOF_HIP, 1, 0.2f, &look);
}
