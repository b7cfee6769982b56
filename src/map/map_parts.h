/* map_parts.h - shared by map_file.c (both files), map_make.c (creating), map_table.c (the GeoPackage), map_write.c
 * (changes), map_job.c (jobs) and sources.c (source files). */
#ifndef GVM_MAP_MAP_PARTS_H
#define GVM_MAP_MAP_PARTS_H

#include "map/map_file.h"
#include "raster/gdal.h"

enum { ROW, SOURCE, LAT, LON, METRES, FIELDS }; /* of the layer `tiles` */
#define CELL_FIELD "cell"                       /* the last field, in a map of cells */

/* Create the GeoPackage `path` with the facts of a map without tiles. */
gvm_status map_table_create(const struct map_file *facts, const char *path, gvm_error *err);

/* Open file->path and read its facts. */
gvm_status map_table_open(struct map_file *file, bool write, gvm_error *err);
void map_table_close(struct map_file *file);

/* Returns true if GDAL or SQLite failed to read or write, which GDAL does not always report; completes the words. */
bool map_table_failed(const struct map_file *file, struct gdal_words *words);

/* Open the features file of a new map: creates it, or reuses one without rows, left by a killed process. Fails with
 * GVM_FILE if there is any other file. */
gvm_status map_make_features(struct map_file *file, gvm_error *err);

/* Write the header and the GeoPackage; the features must be locked and the facts filled in. Deletes its own files on
 * failure. Never overwrites or deletes other files. */
gvm_status map_make(struct map_file *file, gvm_error *err);

/* Add to a source, whose name is under `key`, its absolute path and its path relative to the map's folder. Does nothing
 * if there is no such key. Returns false if out of memory. */
bool source_put(json_t *source, const char *key, const char *map);

/* Returns true if two sources have the same name or the same absolute path. */
bool source_is(const json_t *a, const json_t *b, const char *key);

#endif
