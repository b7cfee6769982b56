/* polygons.h - areas as GDAL's geometries, and those as GeoJSON: see geojson.h. */
#ifndef GVM_GEO_POLYGONS_H
#define GVM_GEO_POLYGONS_H

#include <jansson.h>
#include <ogr_api.h>

/* A box (west, south, east, north) as a polygon, anticlockwise. */
OGRGeometryH box_polygon(const double box[4]);

/* A MultiPolygon of polygons that lie within -180..180. NULL: no memory. */
json_t *geojson_polygons(OGRGeometryH polygons);

#endif
