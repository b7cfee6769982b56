/* outline.h - the area that a map's tiles cover. */
#ifndef GVM_MAP_OUTLINE_H
#define GVM_MAP_OUTLINE_H

#include <jansson.h>

#include "map/map.h"

/* A GeoJSON MultiPolygon (RFC 7946) around all tiles, to within a twentieth of one; of a map in very many pieces to
 * within a 64th of its extent. NULL: no memory. */
json_t *map_outline(const gvm_map *map);

#endif
