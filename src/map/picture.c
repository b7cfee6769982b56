/* picture.c - a tile's picture, from the raster that it was cut from or from its own file; a cell's picture, from all
 * rasters around it. */
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

/* The imagery of a tile's job, and the hints for its raster; NULL if the tile is a picture file. */
static const json_t *find_imagery(struct raster_hints *hints, const gvm_map *map, const char *source)
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
            return imagery;
        }
    }
    return NULL;
}

/* Cut it in the same way as for the index, so that it shows the network's input. */
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
        memset(pixels, 112, (size_t)side * (size_t)side * 3); /* void */
        tile_box(tile.place.box, hit->lat, lon_near(hit->lon, (facts.box[0] + facts.box[2]) / 2), 2 * hit->half_tile_m);
        status = cut_block(&tile, 1, &cutter, &source, (const int[2]){side, side}, err);
    }
    cutter_close(&cutter);
    free(facts.parts);
    return status;
}

/* Returns true if a source's box may overlap another box. */
static bool is_near(const json_t *source, const double box[4])
{
    const json_t *list = json_object_get(source, "box");
    double own[4];
    for (size_t i = 0; i < 4; i++) own[i] = json_number_value(json_array_get(list, i));
    return boxes_touch(own, box);
}

/* The existing sources around a cell; the caller frees their paths. NULL if out of memory. */
static struct mosaic_source *sources_around(size_t *count, const gvm_map *map, const json_t *imagery,
                                            const double box[4])
{
    const json_t *source, *all = json_object_get(imagery, "sources");
    struct mosaic_source *sources = calloc(json_array_size(all) + 1, sizeof *sources);
    *count = 0;
    for (size_t i = 0; sources != NULL && (source = json_array_get(all, i)) != NULL; i++) {
        const char *name = json_string_value(json_object_get(source, "path"));
        char *path = name != NULL && is_near(source, box) ? map_find_source(map, name) : NULL;
        if (path != NULL) sources[(*count)++] = (struct mosaic_source){path, hints_of_job(imagery, source)};
    }
    return sources;
}

/* The ground of a cell's finest picture, north up; void pixels are white. */
static gvm_status show_cell(unsigned char *pixels, int side, const gvm_map *map, const gvm_hit *hit,
                            const json_t *imagery, gvm_error *err)
{
    const struct view view = {.size = {side, side}, .zoom_count = 1, .zooms = {map->ground_m / side}};
    double box[4];
    size_t count;
    struct mosaic *mosaic = NULL;
    struct zoom_cutter *cutter = NULL;
    tile_box(box, hit->lat, hit->lon, 2 * map->ground_m);
    struct mosaic_source *sources = sources_around(&count, map, imagery, box);
    gvm_status status = sources != NULL ? mosaic_open(&mosaic, sources, count, view.zooms, 1, err)
                                        : fail(err, GVM_MEMORY, "out of memory for a picture");
    if (status == GVM_OK) status = zoom_cutter_open(&cutter, mosaic, &view, err);
    if (status == GVM_OK) status = zoom_tile_cut(pixels, cutter, hit->lat, hit->lon, 0, err);
    zoom_cutter_free(cutter);
    mosaic_free(mosaic);
    for (size_t i = 0; sources != NULL && i < count; i++) free((char *)sources[i].path);
    free(sources);
    return status;
}

gvm_status gvm_map_source(const gvm_map *map, char **path, const char *source, gvm_error *err)
{
    if (err != NULL) err->text[0] = '\0';
    *path = map_find_source(map, source);
    if (*path != NULL) return GVM_OK;
    return fail(err, GVM_FILE, "%s: not found where it was when %s was built; put it back, or beside the map",
                path_tail(source), map_name(map));
}

gvm_status gvm_map_picture(const gvm_map *map, const gvm_hit *hit, unsigned char *pixels, int side, gvm_error *err)
{
    if (err != NULL) err->text[0] = '\0';
    if (side < 1 || side > 4096) return fail(err, GVM_ARGUMENT, "invalid side of %d pixels; expected 1 to 4096", side);
    struct raster_hints hints;
    const json_t *imagery = find_imagery(&hints, map, hit->tile);
    const char *kind = json_string_value(json_object_get(imagery, "kind"));
    char *path;
    gvm_status status = gvm_map_source(map, &path, hit->tile, err);
    if (status != GVM_OK) return status;
    struct picture_shape shape = {.height = side, .width = side};
    if (side == map->input.height && side == map->input.width) shape.resize = map->input.resize;
    status = imagery == NULL                              ? aerial_load(pixels, &shape, path, err)
             : kind != NULL && strcmp(kind, "cells") == 0 ? show_cell(pixels, side, map, hit, imagery, err)
                                                          : cut(pixels, side, hit, path, &hints, err);
    free(path);
    return status;
}
