/* pixels.h - reads a raster on its own pixel grid, without warping it to latitude and longitude: see raster.h. */
#ifndef GVM_RASTER_PIXELS_H
#define GVM_RASTER_PIXELS_H

#include "raster/raster.h"
#include "raster/rects.h"

/* The pixel grid: column x begins at west + x unit[0], row y at north - y unit[1]. */
struct raster_grid {
    const char *crs; /* of these coordinates, in WKT; lives as long as the raster */
    double west, north, unit[2];
    int width, height;
};

/* Make the grid north up with pixels that are square on the ground to within 3%: a raster that is not is read through a
 * view in UTM from now on. raster_describe keeps returning the original's facts. */
gvm_status raster_square(struct raster_grid *grid, struct raster *raster, gvm_error *err);

/* The parts of the grid that may hold valid pixels; the caller frees them with rects_free. Fails with GVM_MEMORY. */
gvm_status raster_parts(struct rects *parts, const struct raster *raster, gvm_error *err);

/* Read the pixels of a part of the raster: left, top, right, bottom.
 *
 *   rgba  out: (H, W, 4); alpha 0 for void pixels
 *
 * Fails with GVM_FILE if the file cannot be read there. */
gvm_status raster_read_pixels(uint8_t *rgba, struct raster *raster, const int part[4], gvm_error *err);

#endif
