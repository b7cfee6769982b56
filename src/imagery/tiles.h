/* tiles.h - tiles with their positions, and the list from which a map can be made: a CSV file with the header
 * image,lat,lon[,metres]. */
#ifndef GVM_IMAGERY_TILES_H
#define GVM_IMAGERY_TILES_H

#include <stddef.h>

#include "geoviewmatch.h"

#define TILE_LEAST 1e-3 /* metres of a tile's side */

/* A pool of strings that are freed together: the paths of a map's pictures. A string equal to the one added before it
 * is stored once, so a million tiles of one raster share its path. */
struct names {
    struct name_block *blocks; /* newest first */
    const char *last;
};

/* A copy that lives until names_free; NULL if out of memory. */
const char *names_add(struct names *names, const char *text);

void names_free(struct names *names); /* leaves it empty */

struct tile {
    const char *image; /* path of its picture or raster, as in the list; owned by the names */
    double lat, lon;   /* of its centre, WGS84 degrees */
    double metres;     /* side on the ground; 0 if the list does not give it */
    size_t row;        /* of the map's features */
};

struct tiles {
    struct tile *items;
    size_t count;
    struct names names;
};

/* Parse a list in any form that csv.h reads. Columns may be in any order, each once; metres may be missing, or empty in
 * a line. `where` is the file's name in error messages, which also give the line number. Fails with GVM_FORMAT or
 * GVM_MEMORY, and leaves *tiles empty. */
gvm_status tiles_parse(struct tiles *tiles, const char *text, size_t size, const char *where, gvm_error *err);

/* Parse a list from a file; also fails with GVM_FILE if it cannot be read. */
gvm_status tiles_read(struct tiles *tiles, const char *path, gvm_error *err);

/* Resolve a tile's path, which is relative to its list's folder. The caller frees it; NULL if out of memory. */
char *tiles_path(const char *list, const char *image);

void tiles_free(struct tiles *tiles); /* leaves it empty */

#endif
