/* map_routes.c - the map itself: what it is, its imagery, its tiles. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json_text.h"
#include "base/number.h"
#include "geo/geojson.h"
#include "image/image.h"
#include "map/outline.h"
#include "server/address.h"
#include "server/service.h"

enum { SIDE = 256 /* of a picture, pixels */, LISTED = 2000 /* tiles */ };

/* Its file's name, without the folders. */
static json_t *name_of(const gvm_map *map)
{
    const char *slash = strrchr(map->path, '/');
    return json_text(slash != NULL ? slash + 1 : map->path);
}

char *map_facts(const struct service *s, bool imagery)
{
    const gvm_model_info *i = &s->info;
    const struct serve_options *o = s->options;
    double box[4] = {-180, -60, 180, 70}, metres = s->map->ground_m; /* of an empty map: the world's streets */
    if (s->map->tiles.count > 0) {
        map_box(box, s->map);
        metres = 2 * map_hit(s->map, 0).half_tile_m;
    }
    json_t *json =
        json_pack("{so,s[ffff],sI,sf,s{ss,s[ii],s[ii]},sb,sb,so?,s{sI,sI,si},ss}", "name", name_of(s->map), "extent",
                  box[0], box[1], box[2], box[3], "tiles", (json_int_t)s->map->tiles.count, "tile_metres", metres,
                  "weights", "fingerprint", i->fingerprint, "street", i->street_height, i->street_width, "aerial",
                  i->aerial_height, i->aerial_width, "complete", s->map->complete, "imagery", imagery, "footprint",
                  map_outline(s->map), "limits", "body_bytes", (json_int_t)o->body_bytes, "pixels",
                  (json_int_t)o->pixels, "top", SERVE_TOP, "version", gvm_version());
    char *text = json != NULL ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(10)) : NULL;
    json_decref(json);
    return text;
}

enum MHD_Result map_get(struct request *r)
{
    const char *text = r->service->facts[drawing_is_there(r->service->drawing)];
    return reply_static(r, "application/json", text, strlen(text), NULL);
}

/* A picture (SIDE, SIDE, 3) as the answer; frees it. */
static enum MHD_Result reply_picture(struct request *r, unsigned char *rgb)
{
    size_t size = 0;
    void *jpeg = image_encode_jpeg(&size, rgb, SIDE, SIDE);
    free(rgb);
    return reply_owned(r, "image/jpeg", jpeg, size, r->service->tag);
}

/* The imagery (SIDE, SIDE, 4) as the answer; frees it. A photograph takes a fifth of the bytes as a JPEG, which cannot
 * be transparent. */
static enum MHD_Result reply_imagery(struct request *r, uint8_t *rgba, bool whole)
{
    size_t size = 0;
    if (whole) {
        for (size_t i = 0; i < SIDE * SIDE; i++) memmove(rgba + 3 * i, rgba + 4 * i, 3);
        return reply_picture(r, rgba);
    }
    void *png = image_encode_png_alpha(&size, rgba, SIDE, SIDE);
    free(rgba);
    return reply_owned(r, "image/png", png, size, r->service->tag);
}

enum MHD_Result imagery_get(struct request *r)
{
    long zoom, x, y;
    if (!read_square(&zoom, &x, &y, r->tail))
        return reply_problem(r, 404, "The map's imagery has the addresses {zoom}/{x}/{y}.jpg.");
    if (is_known(r, r->service->tag)) return reply_static(r, NULL, "", 0, r->service->tag);
    gvm_error err;
    enum drawn drawn = DRAWN_NOTHING;
    uint8_t *rgba = malloc(SIDE * SIDE * 4);
    gvm_status status = GVM_MEMORY;
    if (rgba != NULL && work_enter(r)) {
        status = drawing_tile(rgba, &drawn, r->service->drawing, zoom, x, y, SIDE, &err);
        gate_leave(&r->service->decoders);
    }
    if (drawn != DRAWN_NOTHING) return reply_imagery(r, rgba, drawn == DRAWN_WHOLE);
    free(rgba);
    if (r->refused) return reply_refused(r);
    if (status == GVM_MEMORY) return reply_problem(r, 503, "There is not enough memory for the tile.");
    if (status == GVM_OK) return reply_nothing(r);
    if (status == GVM_ARGUMENT) return reply_problem(r, 404, "There is no square %ld/%ld/%ld.", zoom, x, y);
    return reply_problem(r, 404, "The imagery at %ld/%ld/%ld is no longer there, or cannot be read.", zoom, x, y);
}

enum MHD_Result tile_get(struct request *r)
{
    size_t number;
    gvm_error err;
    if (!read_tile(&number, r, r->tail, ".jpg"))
        return reply_problem(r, 404, "The map has no such tile; it has %zu, from 0.jpg on.",
                             r->service->map->tiles.count);
    if (is_known(r, r->service->tag)) return reply_static(r, NULL, "", 0, r->service->tag);
    unsigned char *rgb = malloc(SIDE * SIDE * 3);
    gvm_status status = GVM_MEMORY;
    gvm_hit hit = map_hit(r->service->map, number);
    if (rgb != NULL && work_enter(r)) {
        status = gvm_map_picture(r->service->map, &hit, rgb, SIDE, &err);
        gate_leave(&r->service->decoders);
    }
    if (status == GVM_OK) return reply_picture(r, rgb);
    free(rgb);
    if (r->refused) return reply_refused(r);
    if (status == GVM_MEMORY) return reply_problem(r, 503, "There is not enough memory for the tile.");
    return reply_problem(r, 404, "The imagery of tile %zu is no longer there, or cannot be read.", number);
}

static json_t *tile_feature(const double b[4], size_t number)
{
    return json_pack("{ss,sI,so,s{}}", "type", "Feature", "id", (json_int_t)number, "geometry", geojson_box(b),
                     "properties");
}

enum MHD_Result tiles_get(struct request *r)
{
    const gvm_map *map = r->service->map;
    const char *text = parameter(r, BBOX);
    double all[4] = {-720, -90, 720, 90}, box[4];
    if (text != NULL && !read_box(all, text))
        return reply_problem(r, 400, "The parameter bbox takes WEST,SOUTH,EAST,NORTH in degrees, not '%.60s'.", text);
    json_t *features = json_array();
    bool truncated = false;
    for (size_t i = 0; i < map->tiles.count && !truncated; i++) {
        map_tile_box(box, map, i);
        if (!boxes_touch(all, box)) continue;
        truncated = json_array_size(features) == LISTED;
        if (!truncated) json_array_append_new(features, tile_feature(box, i));
    }
    return reply_json(
        r, "application/geo+json",
        json_pack("{ss,so,sb}", "type", "FeatureCollection", "features", features, "truncated", truncated));
}
