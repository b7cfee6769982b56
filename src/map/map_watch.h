/* map_watch.h - a map's features while they are used: they are read from their file as they are needed, so that whoever
 * writes into that file changes the answers, and whoever cuts it ends the process (SIGBUS). For programs: it takes that
 * signal for the whole process. */
#ifndef GVM_MAP_MAP_WATCH_H
#define GVM_MAP_MAP_WATCH_H

#include "map/map.h"

struct map_watch;

/* Watch a map from a file, which must outlive it; one from a list is never changed. One at a time in a process. From
 * then on pages that are gone are read as zeros. GVM_OK, GVM_FILE or GVM_MEMORY.
 *
 *   values   its values too, for which all are read once; else only whether they are there */
gvm_status map_watch_open(struct map_watch **watch, const gvm_map *map, bool values, gvm_error *err);
void map_watch_free(struct map_watch *watch); /* NULL is fine */

/* Whether all that was read up to now is the map as it was: GVM_OK, or GVM_FILE with a sentence. Rows that `index
 * --add` appends are no change. Any thread; with `values` reads the features again once the file was written to. */
gvm_status map_watch_check(struct map_watch *watch, gvm_error *err);

#endif
