/* raster.h - a georeferenced picture of any projection, read as boxes of latitude and longitude.
 *
 * Pictures: 8 or 16 bits (16 are stretched so that the middle 96% of the samples fill 8), grey, RGB, RGB with further
 * bands, or a palette; what no-data, mask or alpha declare void is so, and what a mosaic does not cover. A raster
 * belongs to the thread that opened it. */
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
    const char *crs;   /* of a raster that does not say, or says one that is none of the Earth's; NULL for none */
    enum answer alpha; /* whether the band that is marked as alpha is one, or a colour like infrared */
    enum answer gaps;  /* whether parts of it are covered by nothing */
};

/* What lies where. */
struct raster_facts {
    double box[4];      /* west, south, east, north in WGS84 degrees; -540 < west < east < 540: where it spans the
                         * antimeridian, one of them is beyond 180 */
    double pixel_m;     /* the side of its smallest pixel on the ground, metres */
    int width, height;  /* pixels */
    double (*parts)[4]; /* boxes around what it covers, if that is not all of `box`; to be freed */
    size_t part_count;
};

/*   hints   NULL: nothing is known, and LOOK
 *   reduce  1, or how many of its pixels a side are to be taken together first, from an overview where it has one
 *
 * GVM_FILE where it cannot be read, GVM_FORMAT where it is no raster, lies nowhere, or has samples of another type. */
gvm_status raster_open(struct raster **raster, const char *path, const struct raster_hints *hints, int reduce,
                       gvm_error *err);
void raster_free(struct raster *raster); /* NULL is fine */

/* What was found out of what was to be: no LOOK is left. The number of the band that is marked as alpha and is none, or
 * 0. */
struct raster_hints raster_found(int *no_alpha, const struct raster *raster);

/* Whether it holds itself at lower resolutions too, so that much of it is read fast. */
bool raster_has_overviews(const struct raster *raster);

/* The files that it is read from, without those that programs put beside them (statistics, overviews); ends with NULL,
 * to be freed with CSLDestroy. NULL where GDAL does not tell. */
char **raster_files(const struct raster *raster);

/* facts->parts is NULL on failure, and for a raster without gaps. */
gvm_status raster_describe(struct raster_facts *facts, const struct raster *raster, gvm_error *err);

/* Pixels of a box, north up: pixel (y, x) lies at latitude north - (y + 1/2) step_lat, longitude
 * west + (x + 1/2) step_lon. Bilinear, so the steps should be about those of the raster, reduced, or
 * finer.
 *
 *   rgba  out: (H, W, 4); alpha 0 where there is nothing
 *   view  west, north, step_lon, step_lat in degrees
 *
 * GVM_FILE where the file cannot be read there, or GVM_MEMORY. */
gvm_status raster_read(uint8_t *rgba, int H, int W, struct raster *raster, const double view[4], gvm_error *err);

#endif
