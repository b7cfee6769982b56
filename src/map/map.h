/* map.h - tiles with their features, in memory or mapped from a file. */
#ifndef GVM_MAP_MAP_H
#define GVM_MAP_MAP_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/file.h"
#include "image/panorama.h"
#include "imagery/tiles.h"

struct gvm_map {
    struct tiles tiles;       /* in the order of the list, or of the file */
    const uint16_t *features; /* (rows, width) float16, rows of length 1; that of a tile is its `row` */
    size_t rows;              /* not all need have a tile: what was removed leaves its row */
    int width;
    double ground_m;            /* of a tile whose list does not say */
    char fingerprint[17];       /* of the model that made the features */
    double temperature;         /* of the scores, fitted on photos of known places; 0: nobody has */
    double elsewhere;           /* fitted with it, the score of "not on this map"; NaN: none */
    bool shared;                /* its cells are on the lattice for shared pictures (imagery/cells.h) */
    bool complete;              /* not a file whose building was interrupted */
    size_t missing;             /* places that were not looked at yet */
    char *path;                 /* of the file, or of the list */
    struct picture_shape input; /* of a tile for the weights that it was opened with; zero: none */
    json_t *jobs;               /* what was built into it (map_job.h); NULL for a list */

    uint16_t *own;        /* the features of a map that is not a file's */
    struct file_map file; /* those of one that is */
};

/* GVM_MISMATCH if other weights made a map: the fingerprints are compared, and the width of its features, since
 * whoever changes a map's file can leave the fingerprint as it is. */
gvm_status map_match(const char *where, const char *fingerprint, int width, const gvm_model_info *info, gvm_error *err);

/* The map's name for sentences: its file's, without folders. */
const char *map_name(const gvm_map *map);

/* Where a source lies: where it was when the map was made, or as far from the map as then, or beside the map. NULL if
 * it is gone; to be freed. */
char *map_find_source(const gvm_map *map, const char *source);

/* A tile of the list, with no score. */
gvm_hit map_hit(const gvm_map *map, size_t number);

#endif
