/* world.h - the generated town as a folder of pairs.
 *
 * A town is generated from a seed; a pair is a street panorama and the aerial picture of 64 m around it, taken at
 * another time. */
#ifndef GVM_WORLD_WORLD_H
#define GVM_WORLD_WORLD_H

#include "geoviewmatch.h"
#include "terminal/progress.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORLD_TILE_M 64.0   /* side of an aerial picture */
#define WORLD_CAMERA_M 2.5f /* height of a street camera above the road */

enum { WORLD_MAX_PAIRS = 200000 };

struct world_options {
    int pairs;       /* 1..WORLD_MAX_PAIRS */
    uint64_t seed;   /* the scene and the pictures */
    double offset_m; /* greatest distance of a tile's centre from its camera, metres: 0..30 */
    double test;     /* share of the pairs whose split is "test": the town's eastern part */
    double lat, lon; /* of the town's centre, degrees; lat within -80..80 */
    int scale;       /* 1: aerial 256 x 256, panorama 640 x 160; 2: twice that, ... 4 */
};

extern const struct world_options world_defaults; /* all except pairs */

/* The place of a pair: metres east and north of the town's centre. */
struct place {
    float x, y;           /* of the camera, over a road's right lane */
    float tile_x, tile_y; /* of the tile's centre */
    bool test;
    double heading; /* of the panorama's centre column: degrees clockwise from north, in hundredths */
};

/* places: (options->pairs). GVM_OK or GVM_MEMORY. */
gvm_status world_places(struct place *places, const struct world_options *options, gvm_error *err);

/* Bytes of a panorama. */
size_t world_street_bytes(const struct world_options *options);

/* One pair's pictures: street (160 scale, 640 scale, 3), aerial (256 scale, 256 scale, 3) or NULL. Depends only on
 * options, place and number. */
gvm_status world_pair(unsigned char *street, unsigned char *aerial, const struct world_options *options,
                      const struct place *place, int number, gvm_error *err);

/* Write a panorama to `folder`/street, with its place and heading. GVM_OK, GVM_FILE, GVM_IMAGE or GVM_MEMORY. */
gvm_status world_save_street(const char *folder, const struct world_options *options, const struct place *place,
                             int number, const unsigned char *street, gvm_error *err);

/* WGS84 degrees of a point of the town. */
void world_degrees(double *lat, double *lon, const struct world_options *options, double x, double y);

/* Write `folder`: street/ and aerial/ with a JPEG for each pair, tiles.csv (image,lat,lon,metres: the tiles' centres)
 * and, last, pairs.csv (the cameras, and the tiles' centres). The folder must be new or empty, unless force is set; an
 * old pairs.csv is deleted first.
 *
 * GVM_OK, GVM_FILE (also a folder that is not empty), GVM_IMAGE or GVM_MEMORY. On every thread of parallel.h. */
gvm_status world_write(const char *folder, const struct world_options *options, bool force, struct progress *progress,
                       gvm_error *err);

#endif
