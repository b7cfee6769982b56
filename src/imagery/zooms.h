/* zooms.h - the pictures of a place at several zooms, out of rasters: picture k has view->zooms[k] metres a pixel, all
 * have view->size pixels and lie around the place, with a bearing pointing up. docs/model.md has the steps.
 *
 * Rasters of one coordinate system and pixel size that hardly overlap are a layer: they are read as one picture. Of
 * several layers, each picture is out of the one that leaves the fewest pixels of it white. What no raster covers is
 * white. */
#ifndef GVM_IMAGERY_ZOOMS_H
#define GVM_IMAGERY_ZOOMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "network/config.h"
#include "raster/raster.h"

/* Rasters that were looked at, read-only after opening: any number of threads share it. */
struct mosaic;

struct mosaic_source {
    const char *path; /* lives as long as the mosaic, as do the hints' words */
    struct raster_hints hints;
};

/*   zooms, zoom_count  of the pictures, which decide from which levels they are made
 *
 * GVM_FILE, GVM_FORMAT (raster_open), GVM_MEMORY. To be freed with mosaic_free, after its cutters. */
gvm_status mosaic_open(struct mosaic **mosaic, const struct mosaic_source *sources, size_t count, const double *zooms,
                       int zoom_count, gvm_error *err);
void mosaic_free(struct mosaic *mosaic); /* NULL is fine */

/* Read all levels that pictures are made of into memory, for those who cut many places all over the imagery, such as
 * training. Nothing happens if that takes more than so many bytes. Before any cutter is open. GVM_FILE, GVM_MEMORY. */
gvm_status mosaic_keep(struct mosaic *mosaic, double bytes, gvm_error *err);

/* Whether some raster covers a place (longitudes from -180 to 180). One thread at a time. */
bool mosaic_covers(const struct mosaic *mosaic, double lat, double lon);

/* What a thread has open while it cuts; one thread at a time. GVM_MEMORY. */
struct zoom_cutter;
gvm_status zoom_cutter_open(struct zoom_cutter **cutter, const struct mosaic *mosaic, const struct view *view,
                            gvm_error *err);
void zoom_cutter_free(struct zoom_cutter *cutter); /* NULL is fine */

struct zoom_place {
    double lat, lon;           /* WGS84 degrees */
    double bearing;            /* that points up, degrees clockwise from north */
    uint8_t *pixels;           /* out: (zoom_count, H, W, 3) */
    const double (*around)[2]; /* (zoom_count) latitude and longitude of each picture's middle; NULL: all the place's */
    double empty;              /* out: the part of the finest picture's pixels where nothing is, 0..1 */
    double white;              /* out: the same of all pictures */
    size_t source; /* out, also on failure: the mosaic's raster that holds the place, or else is nearest to it */
};

/* Cut the pictures of places that lie together, such as a block of cells: the ground that they share is read once. The
 * pictures of a place are the same bytes whatever places it is cut with. GVM_FILE if a raster cannot be read there,
 * GVM_MEMORY. */
gvm_status zoom_cut(struct zoom_place *places, size_t count, struct zoom_cutter *cutter, gvm_error *err);

/* One place, as training draws it: pixels (zoom_count, H, W, 3). */
gvm_status zoom_tile_cut(uint8_t *pixels, struct zoom_cutter *cutter, double lat, double lon, double bearing,
                         gvm_error *err);

#endif
