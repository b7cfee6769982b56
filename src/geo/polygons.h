/* polygons.h - areas as GDAL geometries, and these as GeoJSON (geojson.h) */
#ifndef GVM_GEO_POLYGONS_H
#define GVM_GEO_POLYGONS_H

#include <jansson.h>
#include <ogr_api.h>

/* A box (west, south, east, north) as an anticlockwise polygon. The caller frees it. */
OGRGeometryH box_polygon(const double box[4]);

/* A MultiPolygon of polygons in [-180, 180]. NULL if out of memory. */
json_t *geojson_polygons(OGRGeometryH polygons);

#endif
