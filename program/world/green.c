/* green.c - trees, hedges and fences, cars, lamp posts. */
#include <math.h>

#include "world/parts.h"

static void set_rgb(unsigned char *to, float r, float g, float b)
{
    to[0] = (unsigned char)r;
    to[1] = (unsigned char)g;
    to[2] = (unsigned char)b;
}

static struct solid *ball(struct scene *scene, struct point at, float z0, float z1, float radius, uint32_t seed)
{
    struct solid *b = scene_add_solid(scene);
    if (b == NULL) return NULL;
    *b = (struct solid){.x = at.x,
                        .y = at.y,
                        .c = 1,
                        .hx = radius,
                        .hy = radius,
                        .z0 = z0,
                        .z1 = z1,
                        .base = z0,
                        .reach = radius,
                        .seed = seed,
                        .shape = SHAPE_BALL,
                        .surface = SURFACE_LEAF,
                        .when = WHEN_BOTH};
    return b;
}

static struct solid *cone(struct scene *scene, struct point at, float z0, float z1, float low, float high)
{
    struct solid *b = scene_add_solid(scene);
    if (b == NULL) return NULL;
    *b = (struct solid){.x = at.x,
                        .y = at.y,
                        .c = 1,
                        .hx = low,
                        .hy = high,
                        .z0 = z0,
                        .z1 = z1,
                        .base = z0,
                        .reach = fmaxf(low, high),
                        .shape = SHAPE_CONE,
                        .surface = SURFACE_PLAIN,
                        .when = WHEN_BOTH};
    set_rgb(b->rgb, 92, 74, 58);
    set_rgb(b->rgb2, 92, 74, 58);
    return b;
}

void tree_build(struct scene *scene, struct point at, float height, enum species species, struct dice *d)
{
    uint32_t seed = (uint32_t)dice_pick(d, 1 << 30);
    float z = scene_height(scene, at.x, at.y), thick = 0.1f + 0.016f * height;
    if (species == TREE_BUSH) {
        ball(scene, at, z - 0.3f, z + height, height * dice_roll(d, 0.6f, 0.9f), seed);
        return;
    }
    if (species == TREE_CONIFER) {
        float wide = height * dice_roll(d, 0.17f, 0.24f);
        cone(scene, at, z - 0.3f, z + 0.2f * height, thick, thick);
        for (int k = 0; k < 3; k++) { /* storeys of branches */
            float low = 0.12f + 0.26f * (float)k, high = k == 2 ? 1 : low + 0.48f;
            struct solid *b =
                cone(scene, at, z + low * height, z + high * height, wide * (1 - 0.27f * (float)k), 0.08f);
            if (b == NULL) return;
            b->surface = SURFACE_NEEDLE;
            b->seed = seed;
        }
        return;
    }
    cone(scene, at, z - 0.3f, z + 0.55f * height, thick, 0.6f * thick);
    if (species == TREE_TALL) {
        ball(scene, at, z + 0.14f * height, z + height, height * dice_roll(d, 0.13f, 0.18f), seed);
        return;
    }
    /* A crown: one large ball and some around it. */
    float wide = height * dice_roll(d, 0.3f, 0.4f), low = z + height * dice_roll(d, 0.26f, 0.34f);
    ball(scene, at, low + 0.1f * height, z + height, 0.8f * wide, seed);
    int lobes = height > 4 ? 4 + dice_pick(d, 2) : 2;
    float turn = dice_roll(d, 0, 6.28f);
    for (int k = 0; k < lobes; k++) {
        float a = turn + 6.28f * (float)k / (float)lobes, r = wide * dice_roll(d, 0.4f, 0.62f);
        float own = wide * dice_roll(d, 0.42f, 0.58f), mid = low + height * dice_roll(d, 0.14f, 0.4f);
        struct point p = {at.x + r * cosf(a), at.y + r * sinf(a)};
        ball(scene, p, mid - own * 0.85f, mid + own * 0.85f, own, seed + (uint32_t)k + 1);
    }
}

/* Straight, in pieces that follow the ground. */
void hedge_build(struct scene *scene, struct point from, struct point to, bool fence, struct dice *d)
{
    float dx = to.x - from.x, dy = to.y - from.y, length = sqrtf(dx * dx + dy * dy);
    if (length < 0.8f) return;
    int count = (int)(length / 8) + 1;
    float high = fence ? dice_roll(d, 0.9f, 1.6f) : dice_roll(d, 0.8f, 1.7f),
          wide = fence ? 0.05f : dice_roll(d, 0.3f, 0.5f);
    float shade = dice_roll(d, 0.8f, 1.15f);
    bool pale = dice_chance(d, 0.3f);
    for (int k = 0; k < count; k++) {
        float t = ((float)k + 0.5f) / (float)count;
        struct solid *b = scene_add_solid(scene);
        if (b == NULL) return;
        *b = (struct solid){.x = from.x + t * dx,
                            .y = from.y + t * dy,
                            .c = dx / length,
                            .s = dy / length,
                            .hx = length / (float)count / 2,
                            .hy = wide,
                            .shape = SHAPE_BOX,
                            .when = WHEN_BOTH};
        b->base = scene_height(scene, b->x, b->y);
        b->z0 = b->base - 0.3f;
        b->z1 = b->base + high;
        b->reach = sqrtf(b->hx * b->hx + b->hy * b->hy);
        b->surface = fence ? SURFACE_FENCE : SURFACE_HEDGE;
        b->seed = (uint32_t)(1000 * shade);
        if (pale)
            set_rgb(b->rgb, 200 * shade, 198 * shade, 190 * shade);
        else
            set_rgb(b->rgb, 130 * shade, 104 * shade, 78 * shade);
        for (int n = 0; n < 3; n++) b->rgb2[n] = b->rgb[n];
    }
}

/* Along (c, s): body, cabin of glass, roof, wheels. */
void car_build(struct scene *scene, struct point at, float c, float s, enum when when, uint32_t seed)
{
    static const unsigned char paints[][3] = {{226, 226, 224}, {44, 46, 50},   {150, 154, 158}, {96, 100, 106},
                                              {150, 32, 30},   {40, 66, 120},  {60, 90, 70},    {196, 190, 170},
                                              {24, 26, 30},    {200, 150, 40}, {232, 232, 230}, {112, 120, 130}};
    const struct site *site = &scene->site;
    float ax = at.x - site->x, ay = at.y - site->y;
    if ((when & WHEN_STREET) && ax * ax + ay * ay < site->clear * site->clear) when &= ~WHEN_STREET;
    if (when == 0) return;
    const unsigned char *paint = paints[seed % 12];
    bool van = seed / 16 % 9 == 0;
    float z = scene_height(scene, at.x, at.y), half = van ? 2.5f : 2.15f, wide = van ? 0.95f : 0.86f;
    float roof_height = van ? 2.1f : 1.48f, shoulder = van ? 1.1f : 0.92f;
    struct {
        float u, hx, hy, z0, z1, kx, ky;
        enum surface surface;
    } parts[] = {{0, half, wide, 0.28f, shoulder, 0, 0, SURFACE_CAR},
                 {van ? -0.25f : -0.2f, van ? 2.2f : 1.3f, wide - 0.04f, shoulder, roof_height, 1.5f, 6, SURFACE_GLASS},
                 {van ? -0.4f : -0.2f, van ? 1.75f : 0.8f, wide - 0.14f, roof_height - 0.02f, roof_height + 0.05f, 0, 0,
                  SURFACE_CAR},
                 {0.62f * half, 0.32f, wide + 0.02f, 0, 0.64f, 0, 0, SURFACE_PLAIN},
                 {-0.62f * half, 0.32f, wide + 0.02f, 0, 0.64f, 0, 0, SURFACE_PLAIN}};
    for (int k = 0; k < 5; k++) {
        struct solid *b = scene_add_solid(scene);
        if (b == NULL) return;
        *b = (struct solid){.x = at.x + parts[k].u * c,
                            .y = at.y + parts[k].u * s,
                            .c = c,
                            .s = s,
                            .hx = parts[k].hx,
                            .hy = parts[k].hy,
                            .z0 = z + parts[k].z0,
                            .z1 = z + parts[k].z1,
                            .base = z,
                            .eave = z + shoulder,
                            .kx = parts[k].kx,
                            .ky = parts[k].ky,
                            .seed = seed,
                            .shape = SHAPE_BOX,
                            .surface = (unsigned char)parts[k].surface,
                            .when = (unsigned char)when};
        b->reach = sqrtf(b->hx * b->hx + b->hy * b->hy);
        for (int n = 0; n < 3; n++) b->rgb[n] = b->rgb2[n] = k < 3 ? paint[n] : 24;
    }
}

/* (c, s) is the direction of the post's arm. */
void lamp_build(struct scene *scene, struct point at, float c, float s, float height)
{
    float z = scene_height(scene, at.x, at.y);
    struct solid *post = cone(scene, at, z - 0.3f, z + height, 0.09f, 0.06f);
    if (post == NULL) return;
    set_rgb(post->rgb, 108, 112, 114);
    for (int k = 0; k < 2; k++) {
        struct solid *b = scene_add_solid(scene);
        if (b == NULL) return;
        float along = k == 0 ? 0.7f : 1.5f;
        *b = (struct solid){.x = at.x + along * c,
                            .y = at.y + along * s,
                            .c = c,
                            .s = s,
                            .hx = k == 0 ? 0.7f : 0.35f,
                            .hy = k == 0 ? 0.04f : 0.13f,
                            .z0 = z + height - 0.12f,
                            .z1 = z + height,
                            .base = z,
                            .shape = SHAPE_BOX,
                            .surface = SURFACE_PLAIN,
                            .when = WHEN_BOTH,
                            .reach = 0.8f};
        set_rgb(b->rgb, 120, 124, 126);
        set_rgb(b->rgb2, 150, 154, 156);
    }
}
