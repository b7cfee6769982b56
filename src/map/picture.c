/* picture.c - what a map's imagery shows at a place: out of the raster that the tile was cut from, or the tile's own
 * file. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "geo/earth.h"
#include "image/panorama.h"
#include "imagery/imagery_parts.h"
#include "map/map.h"

/* How the raster is read that a tile is out of; false if it is a picture's file. */
static bool find_hints(struct raster_hints *hints, const gvm_map *map, const char *source)
{
    size_t i, k;
    json_t *job, *raster;
    json_array_foreach(map->jobs, i, job)
    {
        const json_t *imagery = json_object_get(job, "imagery");
        json_array_foreach(json_object_get(imagery, "sources"), k, raster)
        {
            const char *path = json_string_value(json_object_get(raster, "path"));
            if (path == NULL || strcmp(path, source) != 0) continue;
            *hints = hints_of_job(imagery, raster);
            return true;
        }
    }
    return false;
}

/* As the map's own tiles are cut, so that it shows what the network saw. */
static gvm_status cut(unsigned char *pixels, int side, const gvm_hit *hit, const char *path,
                      const struct raster_hints *hints, gvm_error *err)
{
    struct raster_facts facts = {.parts = NULL};
    struct raster_source source = {.path = path};
    struct cutter cutter = {.raster = NULL};
    struct cut_tile tile = {.pixels = pixels};
    gvm_status status = raster_open(&cutter.raster, path, hints, 1, err);
    if (status == GVM_OK) status = raster_describe(&facts, cutter.raster, err);
    if (status == GVM_OK) {
        raster_free(cutter.raster);
        cutter.raster = NULL;
        raster_source_steps(&source, facts.pixel_m, 2 * hit->half_tile_m / side);
        status = raster_open(&cutter.raster, path, hints, source.reduce, err);
    }
    if (status == GVM_OK) {
        memset(pixels, 112, (size_t)side * (size_t)side * 3); /* where there is nothing */
        tile_box(tile.place.box, hit->lat, lon_near(hit->lon, (facts.box[0] + facts.box[2]) / 2), 2 * hit->half_tile_m);
        status = cut_block(&tile, 1, &cutter, &source, (const int[2]){side, side}, err);
    }
    cutter_close(&cutter);
    free(facts.parts);
    return status;
}

gvm_status gvm_map_source(const gvm_map *map, char **path, const char *source, gvm_error *err)
{
    if (err != NULL) err->text[0] = '\0';
    *path = map_find_source(map, source);
    if (*path != NULL) return GVM_OK;
    return fail(err, GVM_FILE, "%s: it is no longer where it was when %s was made: put it back, or beside the map",
                path_tail(source), map_name(map));
}

gvm_status gvm_map_picture(const gvm_map *map, const gvm_hit *hit, unsigned char *pixels, int side, gvm_error *err)
{
    if (err != NULL) err->text[0] = '\0';
    if (side < 1 || side > 4096) return fail(err, GVM_ARGUMENT, "a picture of %d pixels a side is not made", side);
    struct raster_hints hints;
    bool raster = find_hints(&hints, map, hit->tile);
    char *path;
    gvm_status status = gvm_map_source(map, &path, hit->tile, err);
    if (status != GVM_OK) return status;
    const struct picture_shape shape = {.height = side, .width = side};
    status = raster ? cut(pixels, side, hit, path, &hints, err) : aerial_load(pixels, &shape, path, err);
    free(path);
    return status;
}
