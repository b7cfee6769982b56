/* build.h - builds a piece of the generated town. */
#ifndef GVM_WORLD_BUILD_H
#define GVM_WORLD_BUILD_H

#include "geoviewmatch.h"
#include "world/scene.h"

/* GVM_OK or GVM_MEMORY. Free it with scene_free. */
gvm_status scene_open(struct scene *scene, const struct site *site, gvm_error *err);

/* The same for a street camera at (x, y): no car is close in front of it. */
gvm_status scene_open_street(struct scene *scene, uint64_t seed, float x, float y, gvm_error *err);

#endif
