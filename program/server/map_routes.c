/* map_routes.c - the map's description, imagery and tiles. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"
#include "base/number.h"
#include "geo/earth.h"
#include "geo/geojson.h"
#include "image/encode.h"
#include "server/address.h"
#include "server/service.h"

enum { SIDE = 256 /* of a picture, pixels */, LISTED = 2000 /* tiles */ };

/* West, south, east, north of a tile; the longitudes are near `lon` and may pass 180. */
static void area_of(double box[4], const gvm_hit *tile, double lon)
{
    tile_box(box, tile->lat, lon_near(tile->lon, lon), 2 * tile->half_tile_m);
}

/* The box around all tiles, and the first tile's side. Of an empty map: the inhabited world. */
static double extent_of(double box[4], const struct service *s)
{
    const double world[4] = {-180, -60, 180, 70};
    gvm_hit tile, first = {.half_tile_m = s->map_info.ground_m / 2};
    memcpy(box, world, sizeof world);
    for (size_t i = 0; i < s->map_info.tiles; i++) {
        double own[4];
        gvm_map_tile(s->map, i, &tile, NULL);
        if (i == 0) first = tile;
        area_of(own, &tile, first.lon);
        for (int k = 0; k < 4; k++) box[k] = i == 0 ? own[k] : k < 2 ? fmin(box[k], own[k]) : fmax(box[k], own[k]);
    }
    return 2 * first.half_tile_m;
}

char *map_facts(const struct service *s, bool imagery)
{
    const gvm_view_info *street = &s->views[GVM_STREET], *aerial = &s->views[GVM_AERIAL];
    const struct serve_options *o = s->options;
    const char *path = s->map_info.path, *slash = strrchr(path, '/');
    char *outline;
    if (gvm_map_outline(s->map, &outline, NULL) != GVM_OK) return NULL;
    double box[4], metres = extent_of(box, s);
    json_t *json = json_pack(
        "{so,s[ffff],sI,sf,s{ss,s[ii],s[ii],sb,sb,si},sb,sb,so,s{sI,sI,si},ss}", "name",
        json_text(slash != NULL ? slash + 1 : path), "extent", box[0], box[1], box[2], box[3], "tiles",
        (json_int_t)s->map_info.tiles, "tile_metres", metres, "weights", "fingerprint", s->info.fingerprint, "street",
        street->height, street->width, "aerial", aerial->height, aerial->width, "photos", takes_photos(s), "cameras",
        street->masked, "pictures", aerial->zoom_count > 0 ? aerial->zoom_count : 1, "complete", s->map_info.complete,
        "imagery", imagery, "footprint", json_loads(outline, 0, NULL), "limits", "body_bytes",
        (json_int_t)o->body_bytes, "pixels", (json_int_t)o->pixels, "top", SERVE_TOP, "version", gvm_version());
    gvm_free(outline);
    char *text = json != NULL ? json_write(json, JSON_COMPACT | JSON_REAL_PRECISION(10)) : NULL;
    json_decref(json);
    return text;
}

enum MHD_Result map_get(struct request *r)
{
    const char *text = r->service->facts[gvm_imagery_exists(r->service->imagery)];
    return reply_static(r, "application/json", text, strlen(text), NULL);
}

/* Answer with a picture (SIDE, SIDE, 3), and free it. */
static enum MHD_Result reply_picture(struct request *r, unsigned char *rgb)
{
    size_t size = 0;
    void *jpeg = image_encode(&size, JPEG, rgb, 3, SIDE, SIDE);
    free(rgb);
    return reply_owned(r, "image/jpeg", jpeg, size, r->service->tag);
}

/* Answer with imagery (SIDE, SIDE, 4), and free it. JPEG takes a fifth of the bytes but cannot be transparent. */
static enum MHD_Result reply_imagery(struct request *r, uint8_t *rgba, bool whole)
{
    size_t size = 0;
    if (whole) {
        for (size_t i = 0; i < (size_t)SIDE * SIDE; i++) memmove(rgba + 3 * i, rgba + 4 * i, 3);
        return reply_picture(r, rgba);
    }
    void *png = image_encode(&size, PNG, rgba, 4, SIDE, SIDE);
    free(rgba);
    return reply_owned(r, "image/png", png, size, r->service->tag);
}

enum MHD_Result imagery_get(struct request *r)
{
    long zoom, x, y;
    if (!read_square(&zoom, &x, &y, r->tail))
        return reply_problem(r, 404, "Not found; the paths of the map's imagery are {zoom}/{x}/{y}.jpg.");
    if (is_known(r, r->service->tag)) return reply_static(r, NULL, "", 0, r->service->tag);
    gvm_error err;
    gvm_coverage coverage = GVM_COVERS_NOTHING;
    uint8_t *rgba = malloc((size_t)SIDE * SIDE * 4);
    gvm_status status = GVM_MEMORY;
    if (rgba != NULL && work_enter(r)) {
        status = gvm_imagery_tile(r->service->imagery, rgba, &coverage, zoom, x, y, SIDE, &err);
        work_leave(r);
    }
    if (coverage != GVM_COVERS_NOTHING) return reply_imagery(r, rgba, coverage == GVM_COVERS_ALL);
    free(rgba);
    if (r->refused) return reply_refused(r);
    if (status == GVM_MEMORY) return reply_problem(r, 503, "Out of memory for the tile.");
    if (status == GVM_OK) return reply_nothing(r);
    if (status == GVM_ARGUMENT) return reply_problem(r, 404, "Tile %ld/%ld/%ld does not exist.", zoom, x, y);
    return reply_problem(r, 404, "The imagery at %ld/%ld/%ld is missing or unreadable.", zoom, x, y);
}

enum MHD_Result tile_get(struct request *r)
{
    size_t number;
    gvm_error err;
    if (!read_tile(&number, r, r->tail, ".jpg"))
        return reply_problem(r, 404, "The map has no such tile; it has %zu, numbered from 0.jpg.",
                             r->service->map_info.tiles);
    if (is_known(r, r->service->tag)) return reply_static(r, NULL, "", 0, r->service->tag);
    unsigned char *rgb = malloc((size_t)SIDE * SIDE * 3);
    gvm_status status = GVM_MEMORY;
    gvm_hit hit;
    gvm_map_tile(r->service->map, number, &hit, NULL);
    if (rgb != NULL && work_enter(r)) {
        status = gvm_map_picture(r->service->map, &hit, rgb, SIDE, &err);
        work_leave(r);
    }
    if (status == GVM_OK) return reply_picture(r, rgb);
    free(rgb);
    if (r->refused) return reply_refused(r);
    if (status == GVM_MEMORY) return reply_problem(r, 503, "Out of memory for the tile.");
    return reply_problem(r, 404, "The imagery of tile %zu is missing or unreadable.", number);
}

static json_t *tile_feature(const double b[4], size_t number)
{
    return json_pack("{ss,sI,so,s{}}", "type", "Feature", "id", (json_int_t)number, "geometry", geojson_box(b),
                     "properties");
}

enum MHD_Result tiles_get(struct request *r)
{
    const struct service *s = r->service;
    const char *text = parameter(r, BBOX);
    double all[4] = {-720, -90, 720, 90}, box[4];
    if (text != NULL && !read_box(all, text))
        return reply_problem(r, 400, "The parameter bbox takes WEST,SOUTH,EAST,NORTH in degrees, got '%.60s'.", text);
    json_t *features = json_array();
    bool truncated = false;
    gvm_hit tile, first = {.lon = 0};
    for (size_t i = 0; i < s->map_info.tiles && !truncated; i++) {
        gvm_map_tile(s->map, i, &tile, NULL);
        if (i == 0) first = tile;
        area_of(box, &tile, first.lon);
        if (!boxes_touch(all, box)) continue;
        truncated = json_array_size(features) == LISTED;
        if (!truncated) json_push(&features, tile_feature(box, i));
    }
    return reply_json(
        r, "application/geo+json",
        json_pack("{ss,so,sb}", "type", "FeatureCollection", "features", features, "truncated", truncated));
}
