/* pixels.h - a raster read by its own pixels, for whoever lays out the ground himself: see raster.h. */
#ifndef GVM_RASTER_PIXELS_H
#define GVM_RASTER_PIXELS_H

#include "raster/raster.h"
#include "raster/rects.h"

/* Where its pixels lie: column x begins at west + x unit[0], row y at north - y unit[1]. */
struct raster_grid {
    const char *crs; /* of these coordinates, in WKT; lives as long as the raster */
    double west, north, unit[2];
    int width, height;
};

/* Have a raster lie on a grid whose rows go from north to south, and whose pixels are as high as wide on the ground, to
 * 3%: one that does not is read from now on by a view in UTM. What raster_describe says of it is of before. */
gvm_status raster_square(struct raster_grid *grid, struct raster *raster, gvm_error *err);

/* The parts of that grid where something may be. GVM_MEMORY; to be freed with rects_free. */
gvm_status raster_parts(struct rects *parts, const struct raster *raster, gvm_error *err);

/* Pixels of a part within the raster: left, top, right, bottom.
 *
 *   rgba  out: (H, W, 4); alpha 0 where there is nothing
 *
 * GVM_FILE if the file cannot be read there. */
gvm_status raster_read_pixels(uint8_t *rgba, struct raster *raster, const int part[4], gvm_error *err);

#endif
