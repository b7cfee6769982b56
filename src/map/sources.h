/* sources.h - where the files lie that a map was built from: a map goes on working from another working folder, and if
 * it was moved together with them. */
#ifndef GVM_MAP_SOURCES_H
#define GVM_MAP_SOURCES_H

#include <jansson.h>
#include <stdbool.h>

/* Beside the name that a source has under a key, put down where it lies, and the way to it from the map's folder.
 * Nothing if there is no such key. */
void source_put(json_t *source, const char *key, const char *map);

/* Whether two are the same source: the same name, or the same place. */
bool source_is(const json_t *a, const json_t *b, const char *key);

#endif
