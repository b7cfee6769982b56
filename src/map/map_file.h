/* map_file.h - a map on the disk: MAP.gpkg, a GeoPackage with a polygon for each tile and a table of facts, and
 * MAP.features beside it.
 *
 * A tile counts once its row in the GeoPackage is committed, and its features are on the disk before that. So a
 * process that ends at any moment leaves a map that holds what was committed last; its table of facts says how far
 * the job that was at work had come. */
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
    double ground_m;      /* of a tile that does not say */
    double temperature;   /* as in struct gvm_map */
    double elsewhere;
    size_t rows;  /* committed, those of removed tiles among them */
    json_t *jobs; /* what was built into it: map_job.h */

    char *path, *features_path;
    const char *where, *features_where; /* the same for sentences */
    GDALDatasetH data;
    OGRLayerH tiles;
    int features; /* the file; -1 if it is opened to read */
    bool made;    /* the file of features is our own, and goes if the making fails */
    size_t end;   /* rows in the file, those that are not committed among them */

    struct row_range {
        size_t from, end;
    } * replaced; /* rows whose tiles go with the next commit */
    size_t replaced_count;
};

/* MAP.features for MAP.gpkg; GVM_ARGUMENT for another name. */
gvm_status map_features_path(char **features, const char *path, gvm_error *err);

/* Make a map without tiles where there is none, and open it to write. Of several processes that do so at once, one
 * makes it, and the others have GVM_FILE, or its map. The jobs are taken over, also on failure. */
gvm_status map_file_create(struct map_file **file, const char *path, const gvm_model_info *info, double ground_m,
                           json_t *jobs, gvm_error *err);

/* Open a map and see that both files belong together. To write: alone, or GVM_FILE; what was not committed is cut
 * off. To be freed with map_file_close. */
gvm_status map_file_open(struct map_file **file, const char *path, bool write, gvm_error *err);
void map_file_close(struct map_file *file); /* accepts NULL */

/* Delete a GeoPackage with what SQLite leaves beside it; fine where there is none. */
gvm_status map_file_unlink(const char *path, gvm_error *err);

/* The tiles, in the order of their rows. */
gvm_status map_file_tiles(struct tiles *tiles, const struct map_file *file, gvm_error *err);

/* Put n features (n, width) behind the others. They count once map_file_commit has their places. */
gvm_status map_file_append(struct map_file *file, const float *features, size_t n, gvm_error *err);

/* Let the tiles of the rows from `from` up to `end` go with the next commit. */
gvm_status map_file_replace(struct map_file *file, size_t from, size_t end, gvm_error *err);

/* How many tiles there are of those rows. */
gvm_status map_file_count(size_t *count, const struct map_file *file, size_t from, size_t end, gvm_error *err);

/* Commit the places of all rows that were appended, n, and the jobs as they are now. */
gvm_status map_file_commit(struct map_file *file, const struct place *places, size_t n, gvm_error *err);

/* Take the tiles out whose centres lie in an area: "W,S,E,N" in degrees (W > E: across 180 degrees), or a polygon in
 * WKT. GVM_ARGUMENT where it is neither. */
gvm_status map_file_remove(struct map_file *file, size_t *removed, const char *area, gvm_error *err);

#endif
