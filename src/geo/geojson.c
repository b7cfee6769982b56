/* geojson.c - see geojson.h */
#include "geo/geojson.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

int geojson_cut(double boxes[2][4], const double box[4])
{
    double width = box[2] - box[0], south = fmax(-90, box[1]), north = fmin(90, box[3]);
    double west = box[0] - 360 * floor((box[0] + 180) / 360); /* -180 <= west < 180 */
    if (!(width < 360)) west = -180, width = 360;
    double east = west + width;
    memcpy(boxes[0], (const double[4]){west, south, fmin(180, east), north}, sizeof boxes[0]);
    if (east <= 180) return 1;
    memcpy(boxes[1], (const double[4]){-180, south, east - 360, north}, sizeof boxes[1]);
    return 2;
}

static json_t *box_rings(const double b[4])
{
    return json_pack("[[[ff][ff][ff][ff][ff]]]", b[0], b[1], b[2], b[1], b[2], b[3], b[0], b[3], b[0], b[1]);
}

json_t *geojson_box(const double box[4])
{
    double boxes[2][4];
    if (geojson_cut(boxes, box) == 1)
        return json_pack("{ss,so}", "type", "Polygon", "coordinates", box_rings(boxes[0]));
    return json_pack("{ss,s[oo]}", "type", "MultiPolygon", "coordinates", box_rings(boxes[0]), box_rings(boxes[1]));
}

/* Twice the area within a ring, more than 0 anticlockwise. */
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
        json_array_append_new(points, json_pack("[ff]", OGR_G_GetX(ring, k), OGR_G_GetY(ring, k)));
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
            json_array_append_new(rings, ring_points(OGR_G_GetGeometryRef(polygon, k), k > 0));
        json_array_append_new(all, rings);
    }
    return json_pack("{ss,so}", "type", "MultiPolygon", "coordinates", all);
}
