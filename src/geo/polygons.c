/* polygons.c - see polygons.h */
#include "geo/polygons.h"

#include <stdbool.h>

#include "base/json_put.h"

OGRGeometryH box_polygon(const double box[4])
{
    static const int corners[5][2] = {{0, 1}, {2, 1}, {2, 3}, {0, 3}, {0, 1}};
    OGRGeometryH polygon = OGR_G_CreateGeometry(wkbPolygon), ring = OGR_G_CreateGeometry(wkbLinearRing);
    for (int i = 0; i < 5; i++) OGR_G_AddPoint_2D(ring, box[corners[i][0]], box[corners[i][1]]);
    OGR_G_AddGeometryDirectly(polygon, ring);
    return polygon;
}

/* Twice the signed area of a ring, positive if it is anticlockwise. */
static double turn_of(OGRGeometryH ring)
{
    int n = OGR_G_GetPointCount(ring);
    double sum = 0, x0 = n > 0 ? OGR_G_GetX(ring, 0) : 0, y0 = n > 0 ? OGR_G_GetY(ring, 0) : 0;
    for (int i = 0; i + 1 < n; i++) {
        double x = OGR_G_GetX(ring, i) - x0, y = OGR_G_GetY(ring, i) - y0;
        sum += x * (OGR_G_GetY(ring, i + 1) - y0) - (OGR_G_GetX(ring, i + 1) - x0) * y;
    }
    return sum;
}

static json_t *ring_points(OGRGeometryH ring, bool hole)
{
    int n = OGR_G_GetPointCount(ring);
    bool turned = (turn_of(ring) < 0) != hole;
    json_t *points = json_array();
    for (int i = 0; i < n; i++) {
        int k = turned ? n - 1 - i : i;
        json_push(&points, json_pack("[ff]", OGR_G_GetX(ring, k), OGR_G_GetY(ring, k)));
    }
    return points;
}

json_t *geojson_polygons(OGRGeometryH polygons)
{
    json_t *all = json_array();
    for (int i = 0; i < OGR_G_GetGeometryCount(polygons); i++) {
        OGRGeometryH polygon = OGR_G_GetGeometryRef(polygons, i);
        json_t *rings = json_array();
        for (int k = 0; k < OGR_G_GetGeometryCount(polygon); k++)
            json_push(&rings, ring_points(OGR_G_GetGeometryRef(polygon, k), k > 0));
        json_push(&all, rings);
    }
    return json_pack("{ss,so}", "type", "MultiPolygon", "coordinates", all);
}
