/* town_support.h - a scene with known positions */
#ifndef GVM_TESTS_TOWN_SUPPORT_H
#define GVM_TESTS_TOWN_SUPPORT_H

#include "world/scene.h"

/* An empty plain with one bright box, 6 m wide and high. Free it with scene_free. */
void plain_with_box(struct scene *scene, float x, float y);

/* The centre of pixels that are more purple than green, as fractions of width and height. */
void purple(double *u, double *v, const unsigned char *pixels, int width, int height);

#endif
