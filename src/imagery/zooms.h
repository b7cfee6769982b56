/* zooms.h - cuts the pictures of a place at several zooms from rasters: picture k has view->zooms[k] metres a pixel;
 * all have view->size pixels, are centred on the place and have the same bearing pointing up. docs/model.md has the
 * steps.
 *
 * Rasters with the same coordinate system and pixel size that hardly overlap form a layer, which is read as one
 * picture. If there are several layers, each picture is cut from the one that leaves the fewest pixels white. Ground
 * that no raster covers is white. */
#ifndef GVM_IMAGERY_ZOOMS_H
#define GVM_IMAGERY_ZOOMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "network/config.h"
#include "raster/raster.h"

/* The opened rasters, grouped into layers; read-only, so any number of threads may share it. */
struct mosaic;

struct mosaic_source {
    const char *path; /* must outlive the mosaic, as must the hints' strings */
    struct raster_hints hints;
};

/*   zooms, zoom_count  of the pictures; they determine the pyramid levels
 *
 * The caller frees the mosaic with mosaic_free, after its cutters. Fails with GVM_FILE, GVM_FORMAT (raster_open) or
 * GVM_MEMORY. */
gvm_status mosaic_open(struct mosaic **mosaic, const struct mosaic_source *sources, size_t count, const double *zooms,
                       int zoom_count, gvm_error *err);
void mosaic_free(struct mosaic *mosaic); /* accepts NULL */

/* Read all needed levels into memory, for callers such as training that cut many places all over the imagery. Does
 * nothing if that takes more than `bytes`. Call it before any cutter is opened. Fails with GVM_FILE or GVM_MEMORY. */
gvm_status mosaic_keep(struct mosaic *mosaic, double bytes, gvm_error *err);

/* Returns true if a raster covers a position (longitudes from -180 to 180). One thread at a time. */
bool mosaic_covers(const struct mosaic *mosaic, double lat, double lon);

/* A thread's open files and buffers; one thread at a time. Opening fails with GVM_MEMORY. */
struct zoom_cutter;
gvm_status zoom_cutter_open(struct zoom_cutter **cutter, const struct mosaic *mosaic, const struct view *view,
                            gvm_error *err);
void zoom_cutter_free(struct zoom_cutter *cutter); /* accepts NULL */

struct zoom_place {
    double lat, lon;           /* WGS84 degrees */
    double bearing;            /* direction that points up, degrees clockwise from north */
    uint8_t *pixels;           /* out: (zoom_count, H, W, 3) */
    const double (*around)[2]; /* (zoom_count) latitude and longitude of each picture's centre; NULL: the place */
    double empty;              /* out: void share of the finest picture's pixels, 0..1 */
    double white;              /* out: void share of all pictures' pixels, 0..1 */
    size_t source; /* out, also on failure: index of the raster that contains the place, or else the nearest one */
};

/* Cut the pictures of neighbouring places, such as a block of cells; the ground that they share is read once. A place's
 * pictures do not depend on the places that it is cut with. Fails with GVM_FILE if a raster cannot be read there, or
 * GVM_MEMORY. */
gvm_status zoom_cut(struct zoom_place *places, size_t count, struct zoom_cutter *cutter, gvm_error *err);

/* Cut a single place, for training: pixels (zoom_count, H, W, 3). */
gvm_status zoom_tile_cut(uint8_t *pixels, struct zoom_cutter *cutter, double lat, double lon, double bearing,
                         gvm_error *err);

#endif
