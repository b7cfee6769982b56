/* town_support.c - see town_support.h */
#include "town_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

void plain_with_box(struct scene *scene, float x, float y)
{
    *scene = (struct scene){.site = {.reach = 100}, .left = -12, .bottom = -12, .side = 24};
    int squares = scene->side * scene->side, corners = (scene->side + 1) * (scene->side + 1);
    scene->squares = calloc((size_t)squares, sizeof *scene->squares);
    scene->height = calloc((size_t)corners, sizeof(float));
    scene->river = calloc((size_t)corners, sizeof(float));
    for (int n = 0; n < corners; n++) scene->river[n] = 1000;
    scene->ids.items = calloc(1, sizeof(int));
    struct solid *box = scene_add_solid(scene);
    *box = (struct solid){.x = x,
                          .y = y,
                          .c = 1,
                          .hx = 3,
                          .hy = 3,
                          .z1 = 6,
                          .reach = 4.3f,
                          .shape = SHAPE_BOX,
                          .surface = SURFACE_PLAIN,
                          .when = WHEN_BOTH,
                          .rgb = {250, 0, 250},
                          .rgb2 = {250, 0, 250}};
    for (int n = 0; n < squares; n++) {
        scene->squares[n].solids = 1;
        scene->squares[n].ceiling = 6;
        scene->squares[n].block = -1;
    }
}

void purple(double *u, double *v, const unsigned char *pixels, int width, int height)
{
    double count = 0;
    *u = *v = 0;
    for (int n = 0; n < width * height; n++) {
        if (pixels[3 * n] < pixels[3 * n + 1] + 60) continue;
        *u += (n % width + 0.5) / width;
        *v += (n / width + 0.5) / height;
        count++;
    }
    assert_true(count > 4);
    *u /= count;
    *v /= count;
}
