/* column.c - see column.h. The solids along a column's line are collected once, and each ray tests only those that its
 * slope can meet. */
#include "world/column.h"

#include <math.h>
#include <stdlib.h>

#include "world/render.h"

enum { GROUND_STEPS = 72, MAX_ALONG = 1024 };

/* A solid along a column's line: metres to its start, and its range of slopes. */
struct along {
    const struct solid *solid;
    float from, low, high;
};

struct column {
    const struct scene *scene;
    const struct view *view;
    float x, y, z, dx, dy, far, hill;
    float distance[GROUND_STEPS], height[GROUND_STEPS];
    struct along along[MAX_ALONG];
    int count;
    int *stamp, mark; /* (solids) stamp[solid] == mark: collected already */
    int step;         /* on the ground, reached by the last ray */
    float slope;      /* of the last ray */
};

static void add_along(struct column *c, const struct solid *s)
{
    float px = s->x - c->x, py = s->y - c->y, t = px * c->dx + py * c->dy, off = px * c->dy - py * c->dx;
    float chord = s->reach * s->reach - off * off;
    if (chord <= 0 || c->count == MAX_ALONG || !(s->when & c->view->when)) return;
    chord = sqrtf(chord);
    if (t + chord <= 0) return;
    float from = larger(t - chord, 0.05f), to = t + chord, low = s->z0 - c->z, high = s->z1 - c->z;
    struct along a = {s, from, low / (low < 0 ? from : to), high / (high > 0 ? from : to)};
    int k = c->count++;
    for (; k > 0 && c->along[k - 1].from > from; k--) c->along[k] = c->along[k - 1];
    c->along[k] = a;
}

/* Collect solids in the squares that the line crosses. */
static void gather(struct column *c)
{
    const struct scene *scene = c->scene;
    const struct solid *solids = scene->solids.items;
    const int *ids = scene->ids.items;
    int i = (int)floorf(c->x / SQUARE) - scene->left, j = (int)floorf(c->y / SQUARE) - scene->bottom;
    float next_x = c->dx != 0 ? ((float)(scene->left + i + (c->dx > 0)) * SQUARE - c->x) / c->dx : INFINITY;
    float next_y = c->dy != 0 ? ((float)(scene->bottom + j + (c->dy > 0)) * SQUARE - c->y) / c->dy : INFINITY;
    float width_x = SQUARE / fabsf(c->dx), width_y = SQUARE / fabsf(c->dy);
    c->count = 0;
    c->mark++;
    while (i >= 0 && j >= 0 && i < scene->side && j < scene->side && smaller(next_x, next_y) < c->far + SQUARE) {
        const struct square *q = scene->squares + (size_t)j * scene->side + i;
        for (int k = 0; k < q->solids; k++) {
            int id = ids[q->solid + k];
            if (c->stamp[id] == c->mark) continue;
            c->stamp[id] = c->mark;
            add_along(c, &solids[id]);
        }
        if (next_x < next_y) {
            next_x += width_x;
            i += c->dx < 0 ? -1 : 1;
        } else {
            next_y += width_y;
            j += c->dy < 0 ? -1 : 1;
        }
    }
}

static void measure_ground(struct column *c)
{
    float growth = powf(c->far / 1.5f, 1.0f / (GROUND_STEPS - 1)), d = 1.5f;
    for (int k = 0; k < GROUND_STEPS; k++, d *= growth) {
        c->distance[k] = d;
        c->height[k] = scene_height(c->scene, c->x + d * c->dx, c->y + d * c->dy) - c->z;
    }
}

/* Metres to where a ray meets the ground. A steeper ray meets it farther away than the last one, so the walk continues
 * from there. */
static float ground_distance(struct column *c, float slope)
{
    int k = slope < c->slope ? 0 : c->step;
    while (k < GROUND_STEPS && slope * c->distance[k] > c->height[k]) ++k;
    c->step = k;
    c->slope = slope;
    if (k == GROUND_STEPS) return INFINITY;
    if (k == 0) return slope < 0 ? c->height[0] / slope : c->distance[0];
    float d0 = c->distance[k - 1], d1 = c->distance[k];
    float above = slope * d0 - c->height[k - 1], below = c->height[k] - slope * d1;
    return d0 + (d1 - d0) * above / (above + below);
}

/* Slope of the horizon: hills and woods too far away to be built. */
static float far_hill(const struct column *c)
{
    float at = atan2f(c->dx, c->dy) * 9;
    return 0.012f + 0.03f * grain(at * 0.5f + 40, c->x * 0.002f, 51) + 0.012f * grain(at * 3 + 400, c->y * 0.004f, 52);
}

static struct colour far_land(const struct column *c, float slope, struct vector direction)
{
    if (slope > c->hill) return view_sky(c->view, direction);
    struct colour land = times(mix(c->view->meadow, srgb(70, 90, 66), 0.5f), 1.1f);
    return mix(land, c->view->air, 0.35f + 0.4f * c->view->haze);
}

struct colour column_look(struct column *c, float slope)
{
    float ground = ground_distance(c, slope), length = sqrtf(1 + slope * slope);
    struct ray ray = {c->x, c->y, c->z, c->dx, c->dy, slope};
    struct hit hit = {.t = ground, .normal = {0, 0, 1}};
    for (int k = 0; k < c->count && c->along[k].from < hit.t; k++)
        if (slope >= c->along[k].low && slope <= c->along[k].high) solid_hit(&hit, c->along[k].solid, &ray);
    struct vector direction = {c->dx / length, c->dy / length, slope / length};
    if (isinf(hit.t)) return far_land(c, slope, direction);
    struct vector p = {c->x + hit.t * c->dx, c->y + hit.t * c->dy, c->z + hit.t * slope};
    struct colour light = shade(c->scene, c->view, &hit, p, direction);
    return mix(light, c->view->air, 1 - expf(-hit.t * length * 1.6e-3f * c->view->haze));
}

void column_aim(struct column *c, float azimuth)
{
    c->dx = sinf(azimuth);
    c->dy = cosf(azimuth);
    c->hill = far_hill(c);
    c->step = 0;
    c->slope = -INFINITY;
    measure_ground(c);
    gather(c);
}

struct column *column_open(const struct scene *scene, const struct view *view, float x, float y, float above)
{
    struct column *c = calloc(1, sizeof *c);
    int *stamp = calloc((size_t)scene->solids.count + 1, sizeof *stamp);
    if (c == NULL || stamp == NULL) {
        free(c);
        free(stamp);
        return NULL;
    }
    c->scene = scene;
    c->view = view;
    c->stamp = stamp;
    c->x = x;
    c->y = y;
    c->z = scene_height(scene, x, y) + above;
    c->far = scene->site.reach - 2;
    return c;
}

void column_free(struct column *c)
{
    if (c != NULL) free(c->stamp);
    free(c);
}
