/* geojson.c - see geojson.h */
#include "geo/geojson.h"

#include <math.h>
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
