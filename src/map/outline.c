/* outline.c - the area covered by a map's tiles: touching tiles of a row become strips, and GEOS, through GDAL, unites
 * the strips. Strips are cut at the antimeridian first, so that each polygon is on one side of it. */
#include <math.h>
#include <ogr_api.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json_put.h"
#include "geo/earth.h"
#include "geo/geojson.h"
#include "geo/polygons.h"
#include "map/map.h"
#include "network/session.h"
#include "raster/gdal.h"

enum { CELLS = 64, STRIPS = 20000 /* if there are more, a CELLS x CELLS raster of the extent replaces the tiles */ };

struct box {
    double side[4]; /* west, south, east, north */
};

/* A tile's box: west, south, east, north. Longitudes are wrapped to the map's first tile and may exceed 180. */
static void map_tile_box(double box[4], const gvm_map *map, size_t number)
{
    const struct tile *tile = &map->tiles.items[number];
    tile_box(box, tile->lat, lon_near(tile->lon, map->tiles.items[0].lon),
             tile->metres > 0 ? tile->metres : map->ground_m);
}

/* Close hairline gaps: cells are spaced on a sphere, but their sides are measured on the ellipsoid. */
static void widen(double box[4])
{
    double x = (box[2] - box[0]) / 200, y = (box[3] - box[1]) / 200;
    box[0] -= x;
    box[1] = fmax(-90, box[1] - y);
    box[2] += x;
    box[3] = fmin(90, box[3] + y);
}

/* By row, then from west to east. */
static int compare(const void *a, const void *b)
{
    const double *p = ((const struct box *)a)->side, *q = ((const struct box *)b)->side;
    if (p[1] != q[1]) return p[1] < q[1] ? -1 : 1;
    if (p[3] != q[3]) return p[3] < q[3] ? -1 : 1;
    return (p[0] > q[0]) - (p[0] < q[0]);
}

/* Join the tiles of each row into strips; returns the number of strips. */
static size_t join_rows(struct box *boxes, size_t count)
{
    size_t kept = 0;
    qsort(boxes, count, sizeof *boxes, compare);
    for (size_t i = 0; i < count; i++) {
        double *last = kept > 0 ? boxes[kept - 1].side : NULL, *own = boxes[i].side;
        if (last != NULL && last[1] == own[1] && last[3] == own[3] && own[0] <= last[2] + 1e-9)
            last[2] = fmax(last[2], own[2]);
        else
            boxes[kept++] = boxes[i];
    }
    return kept;
}

/* Replace the tiles by the occupied cells of a CELLS x CELLS raster over the extent. */
static size_t take_cells(struct box *boxes, const gvm_map *map)
{
    bool taken[CELLS][CELLS] = {{false}};
    double all[4] = BOX_OF_NOTHING, own[4];
    size_t count = 0;
    for (size_t i = 0; i < map->tiles.count; i++) {
        map_tile_box(own, map, i);
        box_take_in(all, own);
    }
    double wide = (all[2] - all[0]) / CELLS, high = (all[3] - all[1]) / CELLS;
    for (size_t i = 0; i < map->tiles.count; i++) {
        map_tile_box(own, map, i);
        int x = (int)(((own[0] + own[2]) / 2 - all[0]) / wide), y = (int)(((own[1] + own[3]) / 2 - all[1]) / high);
        if (x < 0 || y < 0 || x >= CELLS || y >= CELLS || taken[y][x]) continue;
        taken[y][x] = true;
        boxes[count++] =
            (struct box){{all[0] + x * wide, all[1] + y * high, all[0] + (x + 1) * wide, all[1] + (y + 1) * high}};
    }
    return count;
}

/* Cut the boxes at the antimeridian; there is room for twice as many. */
static size_t cut_all(struct box *boxes, size_t count)
{
    size_t all = count;
    for (size_t i = 0; i < count; i++) {
        double parts[2][4];
        int n = geojson_cut(parts, boxes[i].side);
        memcpy(boxes[i].side, parts[0], sizeof parts[0]);
        if (n > 1) memcpy(boxes[all++].side, parts[1], sizeof parts[1]);
    }
    return all;
}

static OGRGeometryH polygons_of(const struct box *boxes, size_t count)
{
    OGRGeometryH all = OGR_G_CreateGeometry(wkbMultiPolygon);
    for (size_t i = 0; i < count; i++) OGR_G_AddGeometryDirectly(all, box_polygon(boxes[i].side));
    return all;
}

/* United and simplified if GDAL was built with GEOS; else unchanged. */
static OGRGeometryH joined(OGRGeometryH polygons, double tolerance)
{
    OGRGeometryH all = OGR_G_UnionCascaded(polygons);
    if (all == NULL) return polygons;
    OGR_G_DestroyGeometry(polygons);
    OGRGeometryH plain = OGR_G_SimplifyPreserveTopology(all, tolerance);
    if (plain != NULL) {
        OGR_G_DestroyGeometry(all);
        all = plain;
    }
    return OGR_G_ForceToMultiPolygon(all);
}

/* A GeoJSON MultiPolygon (RFC 7946) around all tiles, accurate to a twentieth of a tile, or to a 64th of the extent if
 * the map has very many pieces. NULL if out of memory. */
static json_t *outline_of(const gvm_map *map)
{
    size_t count = map->tiles.count;
    if (count == 0) return json_pack("{ss,s[]}", "type", "MultiPolygon", "coordinates");
    struct box *boxes = malloc(2 * count * sizeof *boxes); /* each may be cut in two */
    if (boxes == NULL) return NULL;
    for (size_t i = 0; i < count; i++) {
        map_tile_box(boxes[i].side, map, i);
        widen(boxes[i].side);
    }
    double tolerance = (boxes[0].side[3] - boxes[0].side[1]) / 20;
    count = join_rows(boxes, count);
    if (count > STRIPS) count = join_rows(boxes, take_cells(boxes, map));
    count = cut_all(boxes, count);
    struct gdal_words words;
    gdal_listen(&words);
    OGRGeometryH all = joined(polygons_of(boxes, count), tolerance);
    json_t *json = geojson_polygons(all);
    OGR_G_DestroyGeometry(all);
    gdal_ignore();
    free(boxes);
    return json;
}

gvm_status gvm_map_outline(const gvm_map *map, char **geojson, gvm_error *err)
{
    clear_error(err);
    json_t *outline = outline_of(map);
    *geojson = outline != NULL ? json_write(outline, JSON_COMPACT) : NULL;
    json_decref(outline);
    if (*geojson != NULL) return GVM_OK;
    return fail(err, GVM_MEMORY, "%s: out of memory for its outline", map_name(map));
}
