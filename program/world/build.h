/* build.h - a piece of the practice city, built. */
#ifndef GVM_WORLD_BUILD_H
#define GVM_WORLD_BUILD_H

#include "geoviewmatch.h"
#include "world/scene.h"

/* GVM_OK or GVM_MEMORY. To be freed with scene_free. */
gvm_status scene_open(struct scene *scene, const struct site *site, gvm_error *err);

/* The same of what a street camera at (x, y) sees: no car stands close before it. */
gvm_status scene_open_street(struct scene *scene, uint64_t seed, float x, float y, gvm_error *err);

#endif
