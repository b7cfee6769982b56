/* town_support.h - a scene in which it is known where things are. */
#ifndef GVM_TESTS_TOWN_SUPPORT_H
#define GVM_TESTS_TOWN_SUPPORT_H

#include "world/scene.h"

/* An empty plain with one glaring box, 6 m wide and high; for scene_free. */
void plain_with_box(struct scene *scene, float x, float y);

/* The middle of what is more purple than green, in parts of width and height. */
void purple(double *u, double *v, const unsigned char *pixels, int width, int height);

#endif
