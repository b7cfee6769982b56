/* map_open.c - opens a map: reads its tiles and memory-maps its features. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/sized.h"
#include "geo/earth.h"
#include "map/map.h"
#include "map/map_file.h"
#include "map/map_job.h"
#include "network/session.h"

/* Number of places of the last job that are not processed yet; *complete: the job is finished. */
static size_t missing_places(bool *complete, const json_t *jobs)
{
    struct gvm_map_progress p;
    const json_t *job = json_array_get(jobs, json_array_size(jobs) - 1);
    json_int_t all = json_integer_value(json_object_get(json_object_get(job, "imagery"), "places"));
    job_read(&p, job, all > 0 ? (size_t)all : 0);
    *complete = job == NULL || job_is_complete(job);
    return !*complete && p.places > p.done ? p.places - p.done : 0;
}

static bool is_shared(const json_t *jobs)
{
    return json_is_true(json_object_get(json_object_get(json_array_get(jobs, 0), "imagery"), "share"));
}

static gvm_status take(gvm_map *m, const struct map_file *f, const gvm_model *model, bool empty, gvm_error *err)
{
    gvm_status status = model != NULL ? map_match(f->where, f->fingerprint, f->id.width, &model->info, err) : GVM_OK;
    if (model != NULL && status == GVM_OK) m->input = config_shape(&model->network->config, GVM_AERIAL);
    m->width = f->id.width;
    m->rows = f->rows;
    m->ground_m = f->ground_m;
    m->temperature = f->temperature;
    m->elsewhere = f->elsewhere;
    m->shared = is_shared(f->jobs);
    m->missing = missing_places(&m->complete, f->jobs);
    m->jobs = json_incref(f->jobs);
    m->path = strdup(f->path);
    if (status == GVM_OK && m->path == NULL)
        status = fail(err, GVM_MEMORY, "%s: cannot open it: out of memory", f->where);
    memcpy(m->fingerprint, f->fingerprint, sizeof m->fingerprint);
    if (status == GVM_OK) status = map_file_tiles(&m->tiles, f, err);
    if (status == GVM_OK && m->tiles.count == 0 && !empty)
        status = fail(err, GVM_FORMAT, "%s: the map has no tiles", f->where);
    if (status == GVM_OK) status = file_map(&m->file, f->features_path, err);
    if (status == GVM_OK) status = features_check(m->file.data, m->file.size, &f->id, f->rows, f->features_where, err);
    if (status == GVM_OK) m->features = (const uint16_t *)(const void *)(m->file.data + FEATURES_START);
    return status;
}

gvm_status gvm_map_open(gvm_map **map, const char *path, const gvm_model *model, unsigned flags, gvm_error *err)
{
    struct map_file *file;
    clear_error(err);
    *map = NULL;
    if ((flags & ~(unsigned)GVM_MAP_EMPTY) != 0)
        return fail(err, GVM_ARGUMENT, "%s: unknown flags %u; expected 0 or GVM_MAP_EMPTY", path_tail(path), flags);
    gvm_status status = map_file_open(&file, path, false, err);
    if (status != GVM_OK) return status;
    gvm_map *m = calloc(1, sizeof *m);
    status = m != NULL ? take(m, file, model, (flags & GVM_MAP_EMPTY) != 0, err)
                       : fail(err, GVM_MEMORY, "%s: cannot open it: out of memory", path_tail(path));
    map_file_close(file);
    if (status == GVM_OK)
        *map = m;
    else
        gvm_map_free(m);
    return status;
}

gvm_status gvm_map_remove(const char *path, const char *area, size_t *removed, gvm_error *err)
{
    struct map_file *file;
    clear_error(err);
    *removed = 0;
    gvm_status status = map_file_open(&file, path, true, err);
    if (status == GVM_OK) status = map_file_remove(file, removed, area, err);
    map_file_close(file);
    return status;
}

gvm_status gvm_map_about(const gvm_map *map, gvm_map_info *about, gvm_error *err)
{
    clear_error(err);
    gvm_map_info info = {.size = sizeof info,
                         .tiles = map->tiles.count,
                         .south = 90,
                         .north = -90,
                         .features = map->width,
                         .ground_m = map->ground_m,
                         .complete = map->complete,
                         .missing = map->missing,
                         .path = map->path,
                         .temperature = map->temperature,
                         .elsewhere = map->temperature > 0 ? map->elsewhere : NAN};
    memcpy(info.fingerprint, map->fingerprint, sizeof info.fingerprint);
    double west = 360, east = -360;
    for (size_t i = 0; i < map->tiles.count; i++) {
        const struct tile *tile = &map->tiles.items[i];
        double lon = lon_near(tile->lon, map->tiles.items[0].lon);
        west = fmin(west, lon);
        east = fmax(east, lon);
        info.south = fmin(info.south, tile->lat);
        info.north = fmax(info.north, tile->lat);
    }
    info.west = lon_normal(west);
    info.east = lon_normal(east);
    return sized_write(about, &info, sizeof info, err);
}
