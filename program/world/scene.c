/* scene.c - see scene.h */
#include "world/scene.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ lists */

static void *list_add(struct scene *scene, struct list *list, size_t size)
{
    if (list->count == list->room) {
        int room = list->room > 0 ? 2 * list->room : 256;
        void *items = realloc(list->items, (size_t)room * size);
        if (items == NULL) {
            scene->short_of_memory = true;
            return NULL;
        }
        list->items = items;
        list->room = room;
    }
    void *item = (char *)list->items + (size_t)list->count++ * size;
    memset(item, 0, size);
    return item;
}

struct solid *scene_add_solid(struct scene *scene)
{
    return list_add(scene, &scene->solids, sizeof(struct solid));
}

struct piece *scene_add_piece(struct scene *scene)
{
    return list_add(scene, &scene->pieces, sizeof(struct piece));
}

struct patch *scene_add_patch(struct scene *scene, enum cover cover, struct point at, float angle, float hx, float hy)
{
    struct patch *p = list_add(scene, &scene->patches, sizeof *p);
    if (p == NULL) return NULL;
    *p = (struct patch){.x = at.x,
                        .y = at.y,
                        .c = cosf(angle),
                        .s = sinf(angle),
                        .hx = hx,
                        .hy = hy,
                        .cover = (unsigned char)cover,
                        .block = scene->building};
    return p;
}

/* ------------------------------------------------------------------ the ground */

static float between(const struct scene *scene, const float *grid, float x, float y)
{
    float u = x / SQUARE - (float)scene->left, v = y / SQUARE - (float)scene->bottom, most = (float)scene->side - 1e-3f;
    u = u < 0 ? 0 : u > most ? most : u; /* not fminf, which is a library call */
    v = v < 0 ? 0 : v > most ? most : v;
    int i = (int)u, j = (int)v, row = scene->side + 1;
    const float *h = grid + (size_t)j * row + i;
    float s = u - (float)i, t = v - (float)j;
    float low = h[0] + s * (h[1] - h[0]), high = h[row] + s * (h[row + 1] - h[row]);
    return low + t * (high - low);
}

float scene_height(const struct scene *scene, float x, float y)
{
    return between(scene, scene->height, x, y);
}

float scene_river(const struct scene *scene, float x, float y)
{
    return between(scene, scene->river, x, y);
}

const struct square *scene_square(const struct scene *scene, float x, float y)
{
    int i = (int)floorf(x / SQUARE) - scene->left, j = (int)floorf(y / SQUARE) - scene->bottom;
    if (i < 0 || j < 0 || i >= scene->side || j >= scene->side) return NULL;
    return scene->squares + (size_t)j * scene->side + i;
}

void scene_free(struct scene *scene)
{
    free(scene->squares);
    free(scene->height);
    free(scene->river);
    free(scene->solids.items);
    free(scene->patches.items);
    free(scene->pieces.items);
    free(scene->ids.items);
    free(scene->edges);
    free(scene->kinds);
    *scene = (struct scene){0};
}
