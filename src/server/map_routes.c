/* map_routes.c - the map itself: what it is, its imagery, its tiles. */
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json_text.h"
#include "base/number.h"
#include "image/image.h"
#include "map/outline.h"
#include "server/service.h"

enum { SIDE = 256 /* of a picture, pixels */, KEPT = 3600 /* seconds, by a browser */, LISTED = 2000 /* tiles */ };

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
        metres = 2 * map_hit(s->map, 0).radius_m;
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
    return reply_owned(r, "image/jpeg", jpeg, size, KEPT);
}

/* A whole number, and what comes behind it. */
static bool read_part(long *number, const char **text, char end)
{
    char *rest;
    if (**text < '0' || **text > '9') return false;
    *number = strtol(*text, &rest, 10);
    if (rest - *text > 9 || *rest != end) return false;
    *text = rest + 1;
    return true;
}

enum MHD_Result imagery_get(struct request *r)
{
    long zoom, x, y;
    const char *text = r->tail;
    if (!read_part(&zoom, &text, '/') || !read_part(&x, &text, '/') || !read_part(&y, &text, '.') ||
        strcmp(text, "jpg") != 0)
        return reply_problem(r, 404, "The map's imagery has the addresses {zoom}/{x}/{y}.jpg.");
    gvm_error err;
    bool empty = true;
    unsigned char *rgb = malloc(SIDE * SIDE * 3);
    gvm_status status = GVM_MEMORY;
    if (rgb != NULL) {
        budget_take(&r->service->decoders, 1);
        status = drawing_tile(rgb, &empty, r->service->drawing, zoom, x, y, SIDE, &err);
        budget_give_back(&r->service->decoders, 1);
    }
    if (status == GVM_OK && !empty) return reply_picture(r, rgb);
    free(rgb);
    if (status == GVM_MEMORY) return reply_problem(r, 503, "There is not enough memory for the tile.");
    return reply_problem(r, 404, "The map's imagery shows nothing at %ld/%ld/%ld.", zoom, x, y);
}

enum MHD_Result tile_get(struct request *r)
{
    size_t number;
    gvm_error err;
    if (!read_tile(&number, r, r->tail, ".jpg"))
        return reply_problem(r, 404, "The map has no such tile; it has %zu, from 0.jpg on.",
                             r->service->map->tiles.count);
    unsigned char *rgb = malloc(SIDE * SIDE * 3);
    gvm_status status = GVM_MEMORY;
    gvm_hit hit = map_hit(r->service->map, number);
    if (rgb != NULL) {
        budget_take(&r->service->decoders, 1);
        status = gvm_map_picture(r->service->map, &hit, rgb, SIDE, &err);
        budget_give_back(&r->service->decoders, 1);
    }
    if (status == GVM_OK) return reply_picture(r, rgb);
    free(rgb);
    if (status == GVM_MEMORY) return reply_problem(r, 503, "There is not enough memory for the tile.");
    return reply_problem(r, 404, "The imagery of tile %zu is no longer there, or cannot be read.", number);
}

/* "W,S,E,N" */
static bool read_box(double box[4], const char *text)
{
    static const double most[4] = {720, 90, 720, 90};
    gchar **parts = g_strsplit(text, ",", 5);
    bool good = g_strv_length(parts) == 4;
    for (int i = 0; i < 4 && good; i++) good = read_double(&box[i], parts[i], -most[i], most[i]);
    g_strfreev(parts);
    return good && box[0] <= box[2] && box[1] <= box[3];
}

static json_t *tile_feature(const double b[4], size_t number)
{
    return json_pack("{ss,sI,s{ss,s[[[ff][ff][ff][ff][ff]]]},s{}}", "type", "Feature", "id", (json_int_t)number,
                     "geometry", "type", "Polygon", "coordinates", b[0], b[1], b[2], b[1], b[2], b[3], b[0], b[3], b[0],
                     b[1], "properties");
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
        if (box[0] > all[2] || box[2] < all[0] || box[1] > all[3] || box[3] < all[1]) continue;
        truncated = json_array_size(features) == LISTED;
        if (!truncated) json_array_append_new(features, tile_feature(box, i));
    }
    return reply_json(
        r, "application/geo+json",
        json_pack("{ss,so,sb}", "type", "FeatureCollection", "features", features, "truncated", truncated));
}
