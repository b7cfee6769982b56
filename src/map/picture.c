/* picture.c - what a map's imagery shows at a place: out of the raster that the tile was cut from, or the tile's own
 * file. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "image/panorama.h"
#include "map/earth.h"
#include "map/map.h"
#include "map/raster.h"

/* The job that built a tile: the one among whose rasters its source is, or NULL where it is a picture's file. */
static const json_t *raster_job(const gvm_map *map, const char *source)
{
    size_t i, k;
    json_t *job, *raster;
    json_array_foreach(map->jobs, i, job)
    {
        const json_t *imagery = json_object_get(job, "imagery");
        json_array_foreach(json_object_get(imagery, "sources"), k, raster)
        {
            const char *path = json_string_value(json_object_get(raster, "path"));
            if (path != NULL && strcmp(path, source) == 0) return imagery;
        }
    }
    return NULL;
}

/* The path if a file is there, else NULL; to be freed. Takes the path over. */
static char *if_there(char *path)
{
    if (path != NULL && access(path, R_OK) == 0) return path;
    free(path);
    return NULL;
}

/* Where a source lies: as it was named, beside the list that named it, or beside the map. NULL where it is gone. */
static char *find_source(const gvm_map *map, const char *source)
{
    char *path = if_there(strdup(source));
    size_t i;
    json_t *job;
    json_array_foreach(map->jobs, i, job)
    {
        const char *list = json_string_value(json_object_get(json_object_get(job, "imagery"), "source"));
        if (path == NULL && list != NULL) path = if_there(tiles_path(list, source));
    }
    if (path == NULL) path = if_there(tiles_path(map->path, source));
    const char *slash = strrchr(source, '/');
    if (path == NULL && slash != NULL) path = if_there(tiles_path(map->path, slash + 1));
    return path;
}

static void lay_over(unsigned char *rgb, const uint8_t *rgba, size_t n)
{
    for (size_t i = 0; i < n; i++, rgb += 3, rgba += 4)
        for (int k = 0; k < 3; k++) rgb[k] = (unsigned char)((rgba[k] * rgba[3] + 127) / 255);
}

static gvm_status read_box(unsigned char *pixels, int side, const gvm_hit *hit, const char *path, const char *crs,
                           gvm_error *err)
{
    struct raster *raster = NULL;
    struct raster_facts facts;
    double box[4], pixel_m = 2 * hit->radius_m / side;
    uint8_t *rgba = malloc((size_t)side * (size_t)side * 4);
    gvm_status status = rgba != NULL
                            ? raster_open(&raster, path, crs, pixel_m, err)
                            : fail(err, GVM_MEMORY, "%s: there is not enough memory for its tile", path_tail(path));
    if (status == GVM_OK) status = raster_describe(&facts, raster, err);
    if (status == GVM_OK) {
        tile_box(box, hit->lat, lon_near(hit->lon, (facts.box[0] + facts.box[2]) / 2), 2 * hit->radius_m);
        const double view[4] = {box[0], box[3], (box[2] - box[0]) / side, (box[3] - box[1]) / side};
        status = raster_read(rgba, side, side, raster, view, err);
    }
    if (status == GVM_OK) lay_over(pixels, rgba, (size_t)side * (size_t)side);
    raster_free(raster);
    free(rgba);
    return status;
}

gvm_status gvm_map_picture(const gvm_map *map, const gvm_hit *hit, unsigned char *pixels, int side, gvm_error *err)
{
    if (err != NULL) err->text[0] = '\0';
    if (side < 1 || side > 4096) return fail(err, GVM_ARGUMENT, "a picture of %d pixels a side is not made", side);
    const json_t *job = raster_job(map, hit->tile);
    char *path = find_source(map, hit->tile);
    if (path == NULL)
        return fail(err, GVM_FILE, "%s: it is no longer where it was when the map was made", path_tail(hit->tile));
    gvm_status status = job != NULL
                            ? read_box(pixels, side, hit, path, json_string_value(json_object_get(job, "crs")), err)
                            : aerial_load(pixels, side, side, path, err);
    free(path);
    return status;
}
