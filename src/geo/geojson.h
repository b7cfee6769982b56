/* geojson.h - areas as GeoJSON according to RFC 7946: outer rings anticlockwise, holes clockwise, longitudes in [-180,
 * 180], areas that cross the antimeridian are split there. */
#ifndef GVM_GEO_GEOJSON_H
#define GVM_GEO_GEOJSON_H

#include <jansson.h>

/* Split a box (west, south, east, north; any longitudes) at the antimeridian into one or two boxes in [-180, 180]. A
 * box around the whole Earth gives one. Returns the number of boxes. */
int geojson_cut(double boxes[2][4], const double box[4]);

/* A Polygon, or a MultiPolygon of two if it crosses the antimeridian. NULL if out of memory. */
json_t *geojson_box(const double box[4]);

#endif
