/* map.c - makes a map in memory from a list of tiles. */
#include "map/map.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/half.h"
#include "base/json_put.h"
#include "network/session.h"

/* Records which tiles are readable, then calls the caller's callback. */
struct watcher {
    bool *good; /* (count) */
    gvm_file_done *done;
    void *user;
};

static void watch(void *user, size_t index, size_t count, gvm_status status, const gvm_error *err)
{
    struct watcher *w = user;
    w->good[index] = status == GVM_OK;
    if (w->done != NULL) w->done(w->user, index, count, status, err);
}

/* Drop unreadable tiles and their features; convert the features to float16. */
static void keep_good(gvm_map *map, const float *features, const bool *good)
{
    size_t kept = 0, D = (size_t)map->width;
    for (size_t i = 0; i < map->tiles.count; i++) {
        if (!good[i]) continue;
        map->tiles.items[kept] = map->tiles.items[i];
        map->tiles.items[kept].row = kept;
        for (size_t k = 0; k < D; k++) map->own[kept * D + k] = f16_from_float(features[i * D + k]);
        kept++;
    }
    map->tiles.count = map->rows = kept;
}

/* Embed all tiles of the map's list. */
static gvm_status embed_tiles(gvm_map *map, gvm_session *session, const char *list, gvm_file_done *done, void *user,
                              gvm_error *err)
{
    size_t n = map->tiles.count;
    char **paths = calloc(n, sizeof *paths);
    struct watcher watcher = {calloc(n, sizeof *watcher.good), done, user};
    float *features = calloc(n, (size_t)map->width * sizeof *features);
    map->features = map->own = calloc(n, (size_t)map->width * sizeof *map->own);
    bool enough = paths != NULL && watcher.good != NULL && features != NULL && map->own != NULL;
    for (size_t i = 0; i < n && enough; i++) enough = (paths[i] = tiles_path(list, map->tiles.items[i].image)) != NULL;
    gvm_status status;
    if (enough) {
        gvm_error first;
        const gvm_embed_job job = {.size = sizeof job,
                                   .view = GVM_AERIAL,
                                   .paths = (const char *const *)paths,
                                   .count = n,
                                   .features = features,
                                   .done = watch,
                                   .user = &watcher};
        status = gvm_embed_files(session, &job, &first);
        keep_good(map, features, watcher.good);
        if (map->tiles.count > 0)
            status = GVM_OK;
        else if (status == GVM_MEMORY)
            fail(err, status, "%s", first.text);
        else
            status = fail(err, GVM_IMAGE, "%s: none of its %zu tiles can be used; the first error: %s", path_tail(list),
                          n, first.text);
    } else {
        status = fail(err, GVM_MEMORY, "%s: out of memory for the features of %zu tiles", path_tail(list), n);
    }
    for (size_t i = 0; i < n && paths != NULL; i++) free(paths[i]);
    free(paths);
    free(features);
    free(watcher.good);
    return status;
}

gvm_status gvm_map_from_tiles(gvm_map **map, gvm_session *session, const char *tiles, gvm_file_done *done, void *user,
                              gvm_error *err)
{
    clear_error(err);
    *map = NULL;
    gvm_map *m = calloc(1, sizeof *m);
    if (m == NULL) return fail(err, GVM_MEMORY, "%s: out of memory for a map", path_tail(tiles));
    const gvm_model_info *info = &session->model->info;
    m->width = info->features;
    m->ground_m = session->model->views[GVM_AERIAL].ground_m;
    m->complete = true;
    m->input = config_shape(&session->model->network->config, GVM_AERIAL);
    memcpy(m->fingerprint, info->fingerprint, sizeof m->fingerprint);
    m->path = strdup(tiles);
    gvm_status status =
        m->path != NULL ? tiles_read(&m->tiles, tiles, err) : fail(err, GVM_MEMORY, "out of memory for a map");
    if (status == GVM_OK) status = embed_tiles(m, session, tiles, done, user, err);
    if (status == GVM_OK)
        *map = m;
    else
        gvm_map_free(m);
    return status;
}

void gvm_map_free(gvm_map *map)
{
    if (map == NULL) return;
    tiles_free(&map->tiles);
    free(map->own);
    free(map->path);
    json_decref(map->jobs);
    file_unmap(&map->file);
    free(map);
}

size_t gvm_map_count(const gvm_map *map)
{
    return map->tiles.count;
}

static gvm_status check_number(const gvm_map *map, size_t number, gvm_error *err)
{
    if (number < map->tiles.count) return GVM_OK;
    return fail(err, GVM_ARGUMENT, "tile %zu does not exist: the map has %zu, counted from 0", number,
                map->tiles.count);
}

gvm_status gvm_map_tile(const gvm_map *map, size_t number, gvm_hit *tile, gvm_error *err)
{
    clear_error(err);
    gvm_status status = check_number(map, number, err);
    *tile = status == GVM_OK ? map_hit(map, number) : (gvm_hit){.tile = NULL};
    return status;
}

/* Normalised again, since rounding to float16 changes the length. */
gvm_status gvm_map_feature(const gvm_map *map, size_t number, float *feature, gvm_error *err)
{
    clear_error(err);
    gvm_status status = check_number(map, number, err);
    if (status != GVM_OK) return status;
    size_t D = (size_t)map->width;
    const uint16_t *row = map->features + map->tiles.items[number].row * D;
    double square = 0;
    for (size_t i = 0; i < D; i++) {
        feature[i] = float_from_f16(row[i]);
        square += (double)feature[i] * feature[i];
    }
    for (size_t i = 0; i < D && square > 0; i++) feature[i] /= (float)sqrt(square);
    return GVM_OK;
}

gvm_status gvm_map_jobs(const gvm_map *map, char **json, gvm_error *err)
{
    clear_error(err);
    *json = map->jobs != NULL ? json_write(map->jobs, JSON_COMPACT) : strdup("[]");
    return *json != NULL ? GVM_OK : fail(err, GVM_MEMORY, "%s: out of memory for its jobs", map_name(map));
}

gvm_hit map_hit(const gvm_map *map, size_t number)
{
    const struct tile *tile = &map->tiles.items[number];
    double side = tile->metres > 0 ? tile->metres : map->ground_m;
    return (gvm_hit){
        .lat = tile->lat, .lon = tile->lon, .half_tile_m = side / 2, .tile = tile->image, .number = number};
}
