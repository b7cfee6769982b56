/* render.c - see render.h. Four rays a pixel. */
#include "world/render.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "world/column.h"

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

/* ------------------------------------------------------------------ panoramas */

/* Colours of one column, from the lowest row up, so that the ground is walked once. slopes: (height) of each row's
 * rays. */
static void render_column(struct colour *sums, int height, struct column *c, const float (*slopes)[4], int first)
{
    for (int row = height - 1; row >= 0; row--)
        for (int k = first + 2; k >= first; k -= 2) { /* the lower of the two first */
            struct colour light = column_look(c, slopes[row][k]);
            sums[row].r += light.r;
            sums[row].g += light.g;
            sums[row].b += light.b;
        }
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
    assert(width > 0 && height > 0);
    struct column *c = column_open(scene, view, x, y, above);
    struct colour *sums = malloc((size_t)height * sizeof *sums);
    float(*slopes)[4] = malloc((size_t)height * sizeof *slopes);
    float turn = (float)(heading / 180) * PI;
    bool enough = c != NULL && sums != NULL && slopes != NULL;
    if (enough) find_slopes(slopes, height);
    for (int column = 0; enough && column < width; column++) {
        for (int row = 0; row < height; row++) sums[row] = (struct colour){0, 0, 0};
        for (int half = 0; half < 2; half++) {
            column_aim(c, (((float)column + 0.25f + 0.5f * (float)half) / (float)width * 2 - 1) * PI + turn);
            render_column(sums, height, c, slopes, half);
        }
        for (int row = 0; row < height; row++)
            view_develop(pixels + 3 * ((size_t)row * (size_t)width + (size_t)column), view, times(sums[row], 0.25f),
                         (uint32_t)(row * width + column));
    }
    free(slopes);
    free(sums);
    column_free(c);
    return enough;
}
