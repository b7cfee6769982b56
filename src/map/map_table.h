/* map_table.h - the GeoPackage of a map, for map_file.c. */
#ifndef GVM_MAP_MAP_TABLE_H
#define GVM_MAP_MAP_TABLE_H

#include "map/map_file.h"

enum { ROW, SOURCE, LAT, LON, METRES, FIELDS }; /* of the layer `tiles` */

/* Make `path` a GeoPackage with the facts of a map that has no tile yet. */
gvm_status map_table_create(const struct map_file *facts, const char *path, gvm_error *err);

/* Open file->path and read its facts. */
gvm_status map_table_open(struct map_file *file, bool write, gvm_error *err);
void map_table_close(struct map_file *file);

#endif
