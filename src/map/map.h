/* map.h - a map: tiles with their features, in memory or memory-mapped from a file. */
#ifndef GVM_MAP_MAP_H
#define GVM_MAP_MAP_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/file.h"
#include "image/panorama.h"
#include "imagery/tiles.h"

struct gvm_map {
    struct tiles tiles;       /* in the order of the list or the file */
    const uint16_t *features; /* (rows, width) float16 unit vectors; tile t has row t.row */
    size_t rows;              /* includes rows of removed tiles */
    int width;
    double ground_m;            /* of tiles without a size of their own */
    char fingerprint[17];       /* of the model that made the features */
    double temperature;         /* of the scores, calibrated on photos with known positions; 0: not calibrated */
    double elsewhere;           /* calibrated score of "not on this map"; NaN: none */
    bool shared;                /* its cells are on the lattice for shared pictures (imagery/cells.h) */
    bool complete;              /* false if building was interrupted */
    size_t missing;             /* places that are not processed yet */
    char *path;                 /* of the file or the list */
    struct picture_shape input; /* of a tile for the model that the map was opened with; zero: no model */
    json_t *jobs;               /* the jobs built into it (map_job.h); NULL for a list */

    uint16_t *own;        /* the features of a map in memory */
    struct file_map file; /* the features of a map in a file */
};

/* Fails with GVM_MISMATCH if the map was made with other weights. Compares the fingerprint, and the width too, since an
 * edited map file may keep the right fingerprint. */
gvm_status map_match(const char *where, const char *fingerprint, int width, const gvm_model_info *info, gvm_error *err);

/* The map's name for error messages: the file's name without folders. */
const char *map_name(const gvm_map *map);

/* Find a source file: at its original path, at its original path relative to the map, or in the map's folder. NULL if
 * it is gone; the caller frees the path. */
char *map_find_source(const gvm_map *map, const char *source);

/* The hit for a tile, without a score. */
gvm_hit map_hit(const gvm_map *map, size_t number);

#endif
