/* tiles.h - tiles and their places, and the list that a map can be made of: a CSV file with the header
 * image,lat,lon[,metres]. */
#ifndef GVM_IMAGERY_TILES_H
#define GVM_IMAGERY_TILES_H

#include <stddef.h>

#include "geoviewmatch.h"

#define TILE_LEAST 1e-3 /* metres of a tile's side */

/* Texts that live together: the paths of a map's pictures. One that follows its like is kept once, so a million tiles
 * out of one raster share its path. */
struct names {
    struct name_block *blocks; /* the newest first */
    const char *last;
};

/* A copy that lives until names_free; NULL where there is no memory. */
const char *names_add(struct names *names, const char *text);

void names_free(struct names *names); /* leaves it empty */

struct tile {
    const char *image; /* path of what it is out of, as the list gives it; among the names */
    double lat, lon;   /* of its centre, WGS84 degrees */
    double metres;     /* of its side on the ground; 0 where the list does not say */
    size_t row;        /* of the map's features */
};

struct tiles {
    struct tile *items;
    size_t count;
    struct names names;
};

/* Read a list from memory, in any form that csv.h reads. The columns come in any order, each once; metres may be left
 * out, or empty in a line. `where` names the file in the sentence, which has the line's number too.
 * GVM_FORMAT or GVM_MEMORY; *tiles is empty then. */
gvm_status tiles_parse(struct tiles *tiles, const char *text, size_t size, const char *where, gvm_error *err);

/* The same from a file; GVM_FILE where it cannot be read. */
gvm_status tiles_read(struct tiles *tiles, const char *path, gvm_error *err);

/* A tile's path is relative to its list's folder. To be freed; NULL where there is no memory. */
char *tiles_path(const char *list, const char *image);

void tiles_free(struct tiles *tiles); /* leaves it empty */

#endif
