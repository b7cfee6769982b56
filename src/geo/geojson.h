/* geojson.h - areas as GeoJSON after RFC 7946: outer rings anticlockwise and holes clockwise, longitudes from -180 to
 * 180, what crosses the antimeridian cut there. */
#ifndef GVM_GEO_GEOJSON_H
#define GVM_GEO_GEOJSON_H

#include <jansson.h>

/* Cut a box (west, south, east, north; any longitudes) at the antimeridian: one or two that lie within -180..180. A box
 * around the whole Earth is one. Returns how many. */
int geojson_cut(double boxes[2][4], const double box[4]);

/* A Polygon, or a MultiPolygon of two. NULL: no memory. */
json_t *geojson_box(const double box[4]);

#endif
