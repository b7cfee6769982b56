/* render.c - see render.h. Four rays a pixel.
 *
 * All rays of a panorama's column run over the same line on the map, so what stands along it is gathered once and
 * each ray only looks at what its slope can meet. */
#include "world/render.h"

#include <math.h>
#include <stdlib.h>

/* A turned square. */
const float pixel_rays[4][2] = {{0.125f, 0.375f}, {0.625f, 0.125f}, {0.375f, 0.875f}, {0.875f, 0.625f}};

/* ------------------------------------------------------------------ from above */

static struct colour look_down(const struct scene *scene, const struct view *view, float x, float y)
{
    const struct solid *solids = scene->solids.items;
    const int *ids = scene->ids.items;
    const struct square *q = scene_square(scene, x, y);
    const float from = 200;
    float ground = scene_height(scene, x, y);
    struct ray ray = {x, y, ground + from, 0, 0, -1};
    struct hit hit = {.t = from, .normal = {0, 0, 1}};
    for (int k = 0; q != NULL && k < q->solids; k++) {
        const struct solid *s = &solids[ids[q->solid + k]];
        float dx = s->x - x, dy = s->y - y;
        if ((s->when & view->when) && dx * dx + dy * dy < s->reach * s->reach) solid_hit(&hit, s, &ray);
    }
    struct vector p = {x, y, ray.z - hit.t};
    struct colour light = shade(scene, view, &hit, p, (struct vector){0, 0, -1});
    return mix(light, view->air, 0.1f * view->haze);
}

void aerial_pixel(unsigned char *pixel, const struct scene *scene, const struct view *view, const struct point p[4],
                  uint32_t n)
{
    struct colour sum = {0, 0, 0};
    for (int k = 0; k < 4; k++) {
        struct colour c = look_down(scene, view, p[k].x, p[k].y);
        sum.r += c.r, sum.g += c.g, sum.b += c.b;
    }
    view_develop(pixel, view, times(sum, 0.25f), n);
}

void aerial_render(unsigned char *pixels, int size, const struct scene *scene, const struct view *view, float x,
                   float y, float metres)
{
    float pixel = metres / (float)size;
    for (int row = 0; row < size; row++)
        for (int column = 0; column < size; column++, pixels += 3) {
            struct point p[4];
            for (int k = 0; k < 4; k++) {
                p[k].x = x - metres / 2 + ((float)column + pixel_rays[k][0]) * pixel;
                p[k].y = y + metres / 2 - ((float)row + pixel_rays[k][1]) * pixel;
            }
            aerial_pixel(pixels, scene, view, p, (uint32_t)(row * size + column));
        }
}

/* ------------------------------------------------------------------ all around */

enum { GROUND_STEPS = 72, MAX_ALONG = 1024 };

/* A solid along a column's line: metres to where it begins, and the slopes between which it lies. */
struct along {
    const struct solid *solid;
    float from, low, high;
};

struct column {
    const struct scene *scene;
    const struct view *view;
    float x, y, z, dx, dy, far, hill;
    const float (*slopes)[4]; /* (height) of each row's rays */
    float distance[GROUND_STEPS], height[GROUND_STEPS];
    struct along along[MAX_ALONG];
    int count;
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

/* Solids whose squares the line crosses; stamp[solid] == mark: already seen. */
static void gather(struct column *c, int *stamp, int mark)
{
    const struct scene *scene = c->scene;
    const struct solid *solids = scene->solids.items;
    const int *ids = scene->ids.items;
    int i = (int)floorf(c->x / SQUARE) - scene->left, j = (int)floorf(c->y / SQUARE) - scene->bottom;
    float next_x = c->dx != 0 ? ((float)(scene->left + i + (c->dx > 0)) * SQUARE - c->x) / c->dx : INFINITY;
    float next_y = c->dy != 0 ? ((float)(scene->bottom + j + (c->dy > 0)) * SQUARE - c->y) / c->dy : INFINITY;
    float width_x = SQUARE / fabsf(c->dx), width_y = SQUARE / fabsf(c->dy);
    c->count = 0;
    while (i >= 0 && j >= 0 && i < scene->side && j < scene->side && smaller(next_x, next_y) < c->far + SQUARE) {
        const struct square *q = scene->squares + j * scene->side + i;
        for (int k = 0; k < q->solids; k++) {
            int id = ids[q->solid + k];
            if (stamp[id] == mark) continue;
            stamp[id] = mark;
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

/* Metres to where a ray of that slope goes under the ground, from step *k on; rays rise from call to call. */
static float ground_distance(const struct column *c, int *k, float slope)
{
    while (*k < GROUND_STEPS && slope * c->distance[*k] > c->height[*k]) ++*k;
    if (*k == GROUND_STEPS) return INFINITY;
    if (*k == 0) return slope < 0 ? c->height[0] / slope : c->distance[0];
    float d0 = c->distance[*k - 1], d1 = c->distance[*k];
    float above = slope * d0 - c->height[*k - 1], below = c->height[*k] - slope * d1;
    return d0 + (d1 - d0) * above / (above + below);
}

/* How steep the horizon rises: hills and woods that are too far away to be built. */
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

static struct colour look_along(const struct column *c, int *ground_step, float slope)
{
    float ground = ground_distance(c, ground_step, slope), length = sqrtf(1 + slope * slope);
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

/* Colours of one column, from the lowest row up, so that the ground is walked once. */
static void render_column(struct colour *sums, int height, struct column *c, int first)
{
    int step = 0;
    for (int row = height - 1; row >= 0; row--)
        for (int k = first + 2; k >= first; k -= 2) { /* the lower of the two first */
            struct colour light = look_along(c, &step, c->slopes[row][k]);
            sums[row].r += light.r;
            sums[row].g += light.g;
            sums[row].b += light.b;
        }
}

static void aim_column(struct column *c, float azimuth)
{
    c->dx = sinf(azimuth);
    c->dy = cosf(azimuth);
    c->hill = far_hill(c);
    measure_ground(c);
}

static void find_slopes(float (*slopes)[4], int height)
{
    for (int row = 0; row < height; row++)
        for (int k = 0; k < 4; k++)
            slopes[row][k] = tanf((0.25f - 0.5f * ((float)row + pixel_rays[k][1]) / (float)height) * PI);
}

bool panorama_render(unsigned char *pixels, int width, int height, const struct scene *scene, const struct view *view,
                     float x, float y, float above, double heading)
{
    struct column *c = calloc(1, sizeof *c);
    struct colour *sums = malloc((size_t)height * sizeof *sums);
    float(*slopes)[4] = malloc((size_t)height * sizeof *slopes);
    int *stamp = calloc((size_t)scene->solids.count + 1, sizeof *stamp);
    float turn = (float)(heading / 180) * PI;
    bool enough = c != NULL && sums != NULL && slopes != NULL && stamp != NULL;
    if (enough) {
        find_slopes(slopes, height);
        *c = (struct column){.scene = scene, .view = view, .slopes = slopes, .x = x, .y = y};
        c->z = scene_height(scene, x, y) + above;
        c->far = scene->site.reach - 2;
    }
    for (int column = 0; enough && column < width; column++) {
        for (int row = 0; row < height; row++) sums[row] = (struct colour){0, 0, 0};
        for (int half = 0; half < 2; half++) {
            aim_column(c, (((float)column + 0.25f + 0.5f * (float)half) / (float)width * 2 - 1) * PI + turn);
            gather(c, stamp, 2 * column + half + 1);
            render_column(sums, height, c, half);
        }
        for (int row = 0; row < height; row++)
            view_develop(pixels + 3 * ((size_t)row * (size_t)width + (size_t)column), view, times(sums[row], 0.25f),
                         (uint32_t)(row * width + column));
    }
    free(stamp);
    free(slopes);
    free(sums);
    free(c);
    return enough;
}
