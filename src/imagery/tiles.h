/* tiles.h - tiles and their places, and the list that a map can be made of: a CSV file with the header
 * image,lat,lon[,metres]. */
#ifndef GVM_IMAGERY_TILES_H
#define GVM_IMAGERY_TILES_H

#include <stddef.h>

#include "geoviewmatch.h"
#include "imagery/names.h"

#define TILE_LEAST 1e-3 /* metres of a tile's side */

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

/* Read a list from memory. UTF-8, with or without a byte order mark; lines end in LF or CRLF, empty ones do not
 * count; fields may stand in quotes, in which "" is a quote. The columns come in any order, each once; metres may
 * be left out, or empty in a line. `where` names the file in the sentence, which has the line's number too.
 * GVM_FORMAT or GVM_MEMORY; *tiles is empty then. */
gvm_status tiles_parse(struct tiles *tiles, const char *text, size_t size, const char *where, gvm_error *err);

/* The same from a file; GVM_FILE where it cannot be read. */
gvm_status tiles_read(struct tiles *tiles, const char *path, gvm_error *err);

/* A tile's path is relative to its list's folder. To be freed; NULL where there is no memory. */
char *tiles_path(const char *list, const char *image);

void tiles_free(struct tiles *tiles); /* leaves it empty */

#endif
