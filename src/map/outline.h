/* outline.h - the area that a map's tiles cover. */
#ifndef GVM_MAP_OUTLINE_H
#define GVM_MAP_OUTLINE_H

#include <jansson.h>

#include "map/map.h"

/* West, south, east, north of a tile; the longitudes are near those of the map's first tile and may pass 180. */
void map_tile_box(double box[4], const gvm_map *map, size_t number);

/* The same around all tiles, of which there is one at least. */
void map_box(double box[4], const gvm_map *map);

/* A GeoJSON MultiPolygon (RFC 7946) around all tiles, to within a twentieth of one; of a map in very many pieces to
 * within a 64th of its extent. NULL: no memory. */
json_t *map_outline(const gvm_map *map);

#endif
