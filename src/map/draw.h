/* draw.h - a map's imagery as the tiles of a web map. */
#ifndef GVM_MAP_DRAW_H
#define GVM_MAP_DRAW_H

#include <stdbool.h>
#include <stdint.h>

#include "map/map.h"

struct drawing;

/* Find the sources of a map: its rasters, each opened once to see where it lies, or its pictures. One that is gone or
 * cannot be read is left out. GVM_OK or GVM_MEMORY. The map must outlive it. Any number of threads share it. */
gvm_status drawing_open(struct drawing **drawing, const gvm_map *map, gvm_error *err);
void drawing_free(struct drawing *drawing); /* NULL is fine */

/* Whether any of them is there, now. */
bool drawing_is_there(const struct drawing *drawing);

/* How much of a tile the imagery covers. */
enum drawn { DRAWN_NOTHING, DRAWN_PART, DRAWN_WHOLE };

/* The web-mercator tile x, y of a zoom.
 *
 *   rgba   out: (side, side, 4) sRGB, transparent if the imagery has nothing there
 *   drawn  out: how much of it is there; nothing, too, if it would take too long, as the tile spans more of rasters
 *          without overviews, or more pictures, than are read at once
 *
 * GVM_OK, GVM_ARGUMENT (there is no such tile), GVM_FILE or GVM_MEMORY. */
gvm_status drawing_tile(uint8_t *rgba, enum drawn *drawn, const struct drawing *drawing, long zoom, long x, long y,
                        int side, gvm_error *err);

#endif
