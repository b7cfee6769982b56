/* map_file.h - a map on disk: MAP.gpkg, a GeoPackage with a polygon for each tile and a table of facts, and
 * MAP.features.
 *
 * A tile exists once its row in the GeoPackage is committed; its features are synced to disk before that. So a process
 * killed at any moment leaves the map of the last commit, and the table of facts holds the progress of the job. */
#ifndef GVM_MAP_MAP_FILE_H
#define GVM_MAP_MAP_FILE_H

#include <gdal.h>
#include <jansson.h>
#include <stdbool.h>

#include "imagery/imagery.h"
#include "imagery/tiles.h"
#include "map/features_file.h"

struct map_file {
    struct features_facts id;
    char fingerprint[17]; /* of the weights that made the features */
    double ground_m;      /* of tiles without a size of their own */
    double temperature;   /* as in struct gvm_map */
    double elsewhere;
    size_t rows;  /* committed rows, including those of removed tiles */
    json_t *jobs; /* the jobs built into it: map_job.h */

    char *path, *features_path;
    const char *where, *features_where; /* the paths in error messages */
    GDALDatasetH data;
    OGRLayerH tiles;
    int features; /* file descriptor; -1 if opened for reading */
    bool made;    /* the features file was created by us, and is deleted if creating the map fails */
    size_t end;   /* rows in the file, including those not committed yet */
    bool refuse;  /* commits are refused: within a transaction, and after one that failed */

    struct row_range {
        size_t from, end;
    } * replaced; /* rows whose tiles are deleted by the next commit */
    size_t replaced_count;
};

/* The path MAP.features for MAP.gpkg. Fails with GVM_ARGUMENT if the path does not end in .gpkg. */
gvm_status map_features_path(char **features, const char *path, gvm_error *err);

/* Create a map without tiles if there is none, and open it for writing. If several processes do so at once, one creates
 * it and the others get GVM_FILE or the map that it made. Takes ownership of the jobs, also on failure. */
gvm_status map_file_create(struct map_file **file, const char *path, const gvm_model_info *info, double ground_m,
                           json_t *jobs, gvm_error *err);

/* Open a map and check that both files belong together. For writing it is locked (GVM_FILE if another process has it),
 * and rows that were not committed are truncated. The caller closes it with map_file_close. */
gvm_status map_file_open(struct map_file **file, const char *path, bool write, gvm_error *err);
void map_file_close(struct map_file *file); /* accepts NULL */

/* Delete a GeoPackage and SQLite's side files; does nothing if there are none. */
gvm_status map_file_unlink(const char *path, gvm_error *err);

/* The tiles, in the order of their rows. */
gvm_status map_file_tiles(struct tiles *tiles, const struct map_file *file, gvm_error *err);

/* Append n features (n, width). They become valid with map_file_commit. */
gvm_status map_file_append(struct map_file *file, const float *features, size_t n, gvm_error *err);

/* Delete the tiles of the rows from `from` up to, not including, `end` with the next commit. */
gvm_status map_file_replace(struct map_file *file, size_t from, size_t end, gvm_error *err);

/* Count the tiles in these rows. */
gvm_status map_file_count(size_t *count, const struct map_file *file, size_t from, size_t end, gvm_error *err);

/* Commit the places of all n appended rows, and the jobs. */
gvm_status map_file_commit(struct map_file *file, const struct place *places, size_t n, gvm_error *err);

/* Remove the tiles with their centre in an area: "W,S,E,N" in degrees (W > E: across 180 degrees), or a WKT polygon.
 * Fails with GVM_ARGUMENT if it is neither. */
gvm_status map_file_remove(struct map_file *file, size_t *removed, const char *area, gvm_error *err);

#endif
