/* map_parts.h - what map_file.c (both files), map_make.c (made), map_table.c (the GeoPackage), map_write.c
 * (changed), map_job.c and sources.c (what it was built from) share. */
#ifndef GVM_MAP_MAP_PARTS_H
#define GVM_MAP_MAP_PARTS_H

#include "map/map_file.h"

enum { ROW, SOURCE, LAT, LON, METRES, FIELDS }; /* of the layer `tiles` */
#define CELL_FIELD "cell"                       /* behind them, in a map of cells */

/* Make `path` a GeoPackage with the facts of a map that has no tile yet. */
gvm_status map_table_create(const struct map_file *facts, const char *path, gvm_error *err);

/* Open file->path and read its facts. */
gvm_status map_table_open(struct map_file *file, bool write, gvm_error *err);
void map_table_close(struct map_file *file);

/* Open the file of features of a map that is to be made: a new one, or what a making that was killed left, which has
 * no row. GVM_FILE if anything else lies there: it is somebody's. */
gvm_status map_make_features(struct map_file *file, gvm_error *err);

/* The features are held and the facts are filled in: write the header and the GeoPackage. Deletes what it made if it
 * fails. Nothing that was not ours is overwritten or deleted. */
gvm_status map_make(struct map_file *file, gvm_error *err);

/* Beside the name that a source has under a key, put down where it lies, and the way to it from the map's folder.
 * Nothing if there is no such key. False without memory. */
bool source_put(json_t *source, const char *key, const char *map);

/* Whether two are the same source: the same name, or the same place. */
bool source_is(const json_t *a, const json_t *b, const char *key);

#endif
