/* ortho.h - the generated town as one orthophoto with street panoramas. */
#ifndef GVM_WORLD_ORTHO_H
#define GVM_WORLD_ORTHO_H

#include "world/world.h"

#define ORTHO_PIXEL_M 0.25 /* on the ground, if world_options' scale is 1 */

enum {
    ORTHO_LEAST_M = 200,
    ORTHO_MOST_M = 4000, /* a side, in pixels of ORTHO_PIXEL_M; smaller pixels, fewer metres */
    ORTHO_MOST_PIXELS = 16000
};

enum ortho_grid {
    ORTHO_MERCATOR, /* web mercator, EPSG:3857 */
    ORTHO_UTM       /* the zone of the town's centre, WGS84 */
};

struct ortho_options {
    double metres; /* side of the square on the ground; in Web Mercator up to 0.3% off */
    enum ortho_grid projection;
    bool turn;    /* random headings instead of north */
    double pixel; /* metres on the ground; 0: ORTHO_PIXEL_M / scale */
};

struct frame;

/* Write a GeoTIFF of the whole `frame` under one view: that of view_draw for WHEN_AERIAL and pair 0. GVM_OK, GVM_FILE
 * or GVM_MEMORY. */
gvm_status ortho_draw(const char *path, const struct frame *frame, const struct world_options *options,
                      struct progress *progress, gvm_error *err);

/* Write `folder`: ortho.tif, a GeoTIFF around the town's centre (ortho_draw); street/ with options->pairs panoramas, at
 * least 40 m from its border; and, last, photos.csv (image,lat,lon,heading). options' offset_m and test are not used.
 *
 *   pixels  out: of the orthophoto's side
 *
 * Returns as world_write, and GVM_ARGUMENT if the roads have no room for the panoramas. The bytes do not depend on the
 * number of threads. */
gvm_status ortho_write(const char *folder, int *pixels, const struct world_options *options,
                       const struct ortho_options *ortho, bool force, struct progress *progress, gvm_error *err);

#endif
