/* map_make.h - a map's two files are made, for map_file.c. */
#ifndef GVM_MAP_MAP_MAKE_H
#define GVM_MAP_MAP_MAKE_H

#include "map/map_file.h"

/* Open the file of features of a map that is to be made: a new one, or what a making that was killed left, which has
 * no row. GVM_FILE if anything else lies there: it is somebody's. */
gvm_status map_make_features(struct map_file *file, gvm_error *err);

/* The features are held and the facts are filled in: write the header and the GeoPackage. Deletes what it made if it
 * fails. Nothing that was not ours is overwritten or deleted. */
gvm_status map_make(struct map_file *file, gvm_error *err);

#endif
