/* raster.h - reads a georeferenced picture of any projection as boxes of latitude and longitude.
 *
 * Pictures have 8 or 16 bits (16 are stretched so that the middle 96% of the samples fill 8) and are grey, RGB, RGB
 * with further bands, or have a palette. Void pixels are those that no-data, a mask or alpha declare void, and those
 * that a mosaic does not cover. A raster is used only by the thread that opened it. */
#ifndef GVM_RASTER_RASTER_H
#define GVM_RASTER_RASTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geoviewmatch.h"

struct raster;

enum answer { NO, YES, LOOK /* find out */ };

/* How to read a file. */
struct raster_hints {
    const char *crs;   /* used if the file has no coordinate system, or a local one; NULL for none */
    enum answer alpha; /* whether the band marked as alpha is alpha, rather than a colour such as infrared */
    enum answer gaps;  /* whether parts of the raster are not covered */
};

/* Extent and resolution of a raster. */
struct raster_facts {
    double box[4];      /* west, south, east, north in WGS84 degrees; -540 < west < east < 540: if the box spans the
                         * antimeridian, west or east is beyond 180 */
    double pixel_m;     /* the side of its smallest pixel on the ground, metres */
    int width, height;  /* pixels */
    double (*parts)[4]; /* boxes around the covered parts, or NULL if all of `box` is covered; the caller frees it */
    size_t part_count;
};

/*   hints   NULL: no coordinate system, and LOOK for the rest
 *   reduce  1, or the factor by which to reduce the resolution first, from an overview if the file has one
 *
 * Fails with GVM_FILE if the file cannot be read, or GVM_FORMAT if it is not a raster, is not georeferenced, or has an
 * unsupported sample type. */
gvm_status raster_open(struct raster **raster, const char *path, const struct raster_hints *hints, int reduce,
                       gvm_error *err);
void raster_free(struct raster *raster); /* accepts NULL */

/* The hints with each LOOK resolved to YES or NO.
 *
 *   no_alpha  out: the number of a band that is marked as alpha but is none, or 0 */
struct raster_hints raster_found(int *no_alpha, const struct raster *raster);

/* Returns true if the file has overviews, so that large parts of it can be read quickly. */
bool raster_has_overviews(const struct raster *raster);

/* The files that the raster is read from, without side files such as statistics and overviews. Ends with NULL; the
 * caller frees it with CSLDestroy. NULL if GDAL does not report them. */
char **raster_files(const struct raster *raster);

/* facts->parts is NULL on failure, and for a raster without gaps. */
gvm_status raster_describe(struct raster_facts *facts, const struct raster *raster, gvm_error *err);

/* Read a box, north up: pixel (y, x) is at latitude north - (y + 1/2) step_lat, longitude west + (x + 1/2) step_lon.
 * Sampling is bilinear, so the steps should not be much coarser than the (reduced) raster's.
 *
 *   rgba  out: (H, W, 4); alpha 0 for void pixels
 *   view  west, north, step_lon, step_lat in degrees
 *
 * Fails with GVM_FILE if the file cannot be read there, or GVM_MEMORY. */
gvm_status raster_read(uint8_t *rgba, int H, int W, struct raster *raster, const double view[4], gvm_error *err);

#endif
