/* build.c - see build.h. Everything near the site is built first, block by block; then it is entered into the grid. */
#include "world/build.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "world/parts.h"

static const float BORDER = 110;                         /* greatest distance of a block's parts from its centre */
static const float STREET_REACH = 230, STREET_CLEAR = 7; /* metres around a street camera */

/* ------------------------------------------------------------------ the ground */

static bool lay_ground(struct scene *scene)
{
    const struct site *site = &scene->site;
    scene->left = (int)floorf((site->x - site->reach) / SQUARE);
    scene->bottom = (int)floorf((site->y - site->reach) / SQUARE);
    scene->side = (int)ceilf(2 * site->reach / SQUARE) + 1;
    int row = scene->side + 1;
    scene->height = malloc((size_t)row * row * sizeof(float));
    scene->river = malloc((size_t)row * row * sizeof(float));
    scene->squares = calloc((size_t)scene->side * scene->side, sizeof(struct square));
    if (scene->height == NULL || scene->river == NULL || scene->squares == NULL) return false;
    for (int j = 0; j < row; j++)
        for (int i = 0; i < row; i++) {
            float x = (float)(scene->left + i) * SQUARE, y = (float)(scene->bottom + j) * SQUARE;
            scene->height[j * row + i] = town_height(site->seed, x, y);
            scene->river[j * row + i] = town_river(site->seed, x, y);
        }
    return true;
}

/* ------------------------------------------------------------------ solids */

static bool is_near(const struct scene *scene, struct point p)
{
    const struct site *site = &scene->site;
    float most = site->reach + BORDER;
    return fabsf(p.x - site->x) < most && fabsf(p.y - site->y) < most;
}

static int block_number(const struct scene *scene, int i, int j)
{
    i -= scene->first_i;
    j -= scene->first_j;
    return i < 0 || j < 0 || i >= scene->blocks || j >= scene->blocks ? -1 : j * scene->blocks + i;
}

static void add_pieces(struct scene *scene, const struct edge *edge)
{
    for (int k = 0; k < CURVE; k++) {
        struct piece *p = scene_add_piece(scene);
        if (p == NULL) return;
        float length = edge->start[k + 1] - edge->start[k];
        *p = (struct piece){.x = edge->p[k].x,
                            .y = edge->p[k].y,
                            .length = length,
                            .along = edge->start[k],
                            .half = edge->half,
                            .walk = edge->walk,
                            .edge = edge};
        p->dx = (edge->p[k + 1].x - p->x) / length;
        p->dy = (edge->p[k + 1].y - p->y) / length;
        p->left = block_number(scene, edge->i - edge->dir, edge->j);
        p->right = block_number(scene, edge->i, edge->j - (edge->dir == 0));
        if (edge->dir == 0) p->left = block_number(scene, edge->i, edge->j);
    }
}

static void add_junction(struct scene *scene, const struct junction *junction)
{
    struct piece *p = junction->roads > 0 ? scene_add_piece(scene) : NULL;
    if (p == NULL) return;
    *p = (struct piece){.x = junction->p.x,
                        .y = junction->p.y,
                        .half = junction->radius,
                        .walk = junction->walk,
                        .island = junction->island};
}

static bool build(struct scene *scene)
{
    const struct site *site = &scene->site;
    int margin = (int)(BORDER / TOWN_PITCH) + 1;
    scene->first_i = (int)floorf((site->x - site->reach) / TOWN_PITCH) - margin;
    scene->first_j = (int)floorf((site->y - site->reach) / TOWN_PITCH) - margin;
    scene->blocks = (int)ceilf(2 * site->reach / TOWN_PITCH) + 2 * margin + 1;
    size_t count = (size_t)scene->blocks * scene->blocks;
    scene->edges = calloc(2 * count, sizeof(struct edge));
    scene->kinds = calloc(count, 1);
    if (scene->edges == NULL || scene->kinds == NULL) return false;
    struct edge *edge = scene->edges;
    for (int k = 0; k < (int)count; k++) {
        int i = scene->first_i + k % scene->blocks, j = scene->first_j + k / scene->blocks;
        struct block block;
        struct junction junction;
        town_junction(&junction, site->seed, i, j);
        if (!is_near(scene, junction.p)) continue;
        town_block(&block, site->seed, i, j);
        scene->kinds[k] = (unsigned char)block.kind;
        add_junction(scene, &junction);
        junction_build(scene, &junction);
        for (int dir = 0; dir < 2; dir++, edge++) {
            *edge = block.edge[dir == 0 ? 0 : 3];
            add_pieces(scene, edge);
            if (edge->road != ROAD_NONE) street_build(scene, edge);
        }
        scene->building = k;
        block_build(scene, &block);
    }
    return true;
}

/* ------------------------------------------------------------------ the grid */

struct extent {
    int i0, j0, i1, j1;
};

static struct extent extent_of(const struct scene *scene, float x, float y, float reach)
{
    int most = scene->side - 1;
    struct extent e = {
        (int)floorf((x - reach) / SQUARE) - scene->left, (int)floorf((y - reach) / SQUARE) - scene->bottom,
        (int)floorf((x + reach) / SQUARE) - scene->left, (int)floorf((y + reach) / SQUARE) - scene->bottom};
    if (e.i0 < 0) e.i0 = 0;
    if (e.j0 < 0) e.j0 = 0;
    if (e.i1 > most) e.i1 = most;
    if (e.j1 > most) e.j1 = most;
    return e;
}

/* Whether a piece of road reaches into or near a square. */
static bool piece_meets(const struct piece *p, float x, float y)
{
    float px = x - p->x, py = y - p->y, t = fminf(fmaxf(px * p->dx + py * p->dy, 0), p->length);
    px -= t * p->dx;
    py -= t * p->dy;
    float most = p->half + p->walk + 0.75f * SQUARE;
    return px * px + py * py < most * most;
}

static float patch_reach(const struct patch *p)
{
    return sqrtf(p->hx * p->hx + p->hy * p->hy);
}

/* One pass over everything: the first counts, the second writes the numbers. */
static void fill(struct scene *scene, int *ids)
{
    const struct solid *solids = scene->solids.items;
    const struct patch *patches = scene->patches.items;
    const struct piece *pieces = scene->pieces.items;
    for (int n = 0; n < scene->solids.count; n++) {
        struct extent e = extent_of(scene, solids[n].x, solids[n].y, solids[n].reach);
        for (int j = e.j0; j <= e.j1; j++)
            for (int i = e.i0; i <= e.i1; i++) {
                struct square *q = scene->squares + (size_t)j * scene->side + i;
                if (ids != NULL) ids[q->solid + q->solids] = n;
                q->solids++;
                q->ceiling = fmaxf(q->ceiling, solids[n].z1);
            }
    }
    for (int n = 0; n < scene->patches.count; n++) {
        struct extent e = extent_of(scene, patches[n].x, patches[n].y, patch_reach(&patches[n]));
        for (int j = e.j0; j <= e.j1; j++)
            for (int i = e.i0; i <= e.i1; i++) {
                struct square *q = scene->squares + (size_t)j * scene->side + i;
                if (ids != NULL) ids[q->patch + q->patches] = n;
                q->patches++;
            }
    }
    for (int n = 0; n < scene->pieces.count; n++) {
        const struct piece *p = &pieces[n];
        struct extent e = extent_of(scene, p->x, p->y, p->length + p->half + p->walk + SQUARE);
        for (int j = e.j0; j <= e.j1; j++)
            for (int i = e.i0; i <= e.i1; i++) {
                struct square *q = scene->squares + (size_t)j * scene->side + i;
                float x = ((float)(scene->left + i) + 0.5f) * SQUARE, y = ((float)(scene->bottom + j) + 0.5f) * SQUARE;
                if (!piece_meets(p, x, y)) continue;
                if (ids != NULL) ids[q->piece + q->pieces] = n;
                q->pieces++;
            }
    }
}

static bool lay_grid(struct scene *scene)
{
    int squares = scene->side * scene->side, total = 0;
    fill(scene, NULL);
    for (int n = 0; n < squares; n++) {
        struct square *q = scene->squares + n;
        q->solid = total;
        q->patch = q->solid + q->solids;
        q->piece = q->patch + q->patches;
        total = q->piece + q->pieces;
        q->solids = q->patches = q->pieces = 0;
    }
    scene->ids.items = malloc((size_t)(total > 0 ? total : 1) * sizeof(int));
    if (scene->ids.items == NULL) return false;
    scene->ids.count = total;
    fill(scene, scene->ids.items);
    return true;
}

/* A border between two blocks passes near its squares, so squares without pieces lie in one block. */
static void name_blocks(struct scene *scene)
{
    for (int j = 0; j < scene->side; j++)
        for (int i = 0; i < scene->side; i++) {
            struct square *q = scene->squares + (size_t)j * scene->side + i;
            q->block = -1;
            if (q->pieces > 0) continue;
            if (i > 0 && q[-1].pieces == 0) {
                q->block = q[-1].block;
                continue;
            }
            float x = ((float)(scene->left + i) + 0.5f) * SQUARE, y = ((float)(scene->bottom + j) + 0.5f) * SQUARE;
            int ci = (int)floorf(x / TOWN_PITCH), cj = (int)floorf(y / TOWN_PITCH);
            for (int k = 0; k < 9 && q->block < 0; k++) {
                static const int order[9] = {4, 1, 3, 5, 7, 0, 2, 6, 8};
                struct block block;
                town_block(&block, scene->site.seed, ci + order[k] % 3 - 1, cj + order[k] / 3 - 1);
                for (int e = 0; e < 4; e++) block.edge[e].half = block.edge[e].walk = 0;
                if (block_holds(&block, x, y, 0)) q->block = block_number(scene, block.i, block.j);
            }
        }
}

gvm_status scene_open(struct scene *scene, const struct site *site, gvm_error *err)
{
    *scene = (struct scene){.site = *site};
    if (lay_ground(scene) && build(scene) && !scene->short_of_memory && lay_grid(scene)) {
        name_blocks(scene);
        return GVM_OK;
    }
    scene_free(scene);
    return fail(err, GVM_MEMORY, "out of memory for a piece of the town");
}

gvm_status scene_open_street(struct scene *scene, uint64_t seed, float x, float y, gvm_error *err)
{
    struct site site = {seed, x, y, STREET_REACH, STREET_CLEAR};
    return scene_open(scene, &site, err);
}
