/* draw.c - draws a map's imagery as web-map tiles. A raster is read in latitude and longitude with twice the tile's
 * height, and its rows are then resampled to Mercator; tiles that are picture files are pasted at their position. The
 * background is transparent, so the page shows through void pixels. */
#include "map/map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/error.h"
#include "geo/earth.h"
#include "imagery/imagery_parts.h"

enum {
    PICTURES = 64, /* largest number of pictures in one tile */
    FINER = 2      /* rows read for each row of the tile */
};

static const double MOST = 64e6; /* largest number of pixels read for one tile from a raster without overviews */

struct sheet_source {
    struct raster_hints hints; /* from the map's jobs */
    char *path;
    struct raster_facts facts;
    bool overviews;
};

struct gvm_imagery {
    const gvm_map *map;
    struct sheet_source *sources;
    size_t count;
    bool pictures; /* some tiles are picture files */
};

/* ------------------------------------------------------------------ sources */

/* Skips a source that can no longer be read. Returns false if out of memory. */
static bool add_source(gvm_imagery *d, const char *name, struct raster_hints hints)
{
    struct sheet_source source = {.hints = hints, .path = map_find_source(d->map, name)};
    struct raster *raster = NULL;
    struct sheet_source *sources = array_room(d->sources, d->count, sizeof *sources);
    if (sources != NULL) d->sources = sources;
    if (sources != NULL && source.path != NULL && raster_open(&raster, source.path, &hints, 1, NULL) == GVM_OK &&
        raster_describe(&source.facts, raster, NULL) == GVM_OK) {
        free(source.facts.parts);
        source.overviews = raster_has_overviews(raster);
        d->sources[d->count++] = source;
        source.path = NULL;
    }
    raster_free(raster);
    free(source.path);
    return sources != NULL;
}

gvm_status gvm_imagery_open(gvm_imagery **imagery, const gvm_map *map, gvm_error *err)
{
    gvm_imagery *d = calloc(1, sizeof *d);
    size_t i, k;
    json_t *job, *raster;
    bool enough = d != NULL;
    if (enough) *d = (gvm_imagery){.map = map, .pictures = map->jobs == NULL};
    json_array_foreach(map->jobs, i, job)
    {
        const json_t *cut = json_object_get(job, "imagery"), *rasters = json_object_get(cut, "sources");
        if (enough && rasters == NULL) d->pictures = true;
        json_array_foreach(rasters, k, raster)
        {
            const char *path = json_string_value(json_object_get(raster, "path"));
            if (enough && path != NULL) enough = add_source(d, path, hints_of_job(cut, raster));
        }
    }
    if (!enough) gvm_imagery_free(d);
    *imagery = enough ? d : NULL;
    return enough ? GVM_OK : fail(err, GVM_MEMORY, "out of memory for the map's imagery");
}

void gvm_imagery_free(gvm_imagery *d)
{
    if (d == NULL) return;
    for (size_t i = 0; i < d->count; i++) free(d->sources[i].path);
    free(d->sources);
    free(d);
}

int gvm_imagery_exists(const gvm_imagery *d)
{
    for (size_t i = 0; i < d->count; i++)
        if (access(d->sources[i].path, R_OK) == 0) return true;
    if (!d->pictures || d->map->tiles.count == 0) return false;
    char *path = map_find_source(d->map, d->map->tiles.items[0].image);
    bool there = path != NULL;
    free(path);
    return there;
}

/* ------------------------------------------------------------------ rasters */

/* Number of raster pixels within a box. */
static double pixels_within(const struct sheet_source *s, const double box[4], double lat)
{
    double west = fmax(box[0], s->facts.box[0]), east = fmin(box[2], s->facts.box[2]);
    double south = fmax(box[1], s->facts.box[1]), north = fmin(box[3], s->facts.box[3]);
    if (west >= east || south >= north) return 0;
    return (east - west) * metres_per_lon(lat) * (north - south) * metres_per_lat(lat) /
           (s->facts.pixel_m * s->facts.pixel_m);
}

/* Composite one RGBA pixel over another, with straight alpha: a = a1 + a2 (1 - a1), c = (c1 a1 + c2 a2 (1 - a1)) / a */
static void lay_pixel(uint8_t out[4], const uint8_t in[4])
{
    int over = 255 * in[3], under = out[3] * (255 - in[3]), sum = over + under;
    if (over == 0) return;
    for (int k = 0; k < 3; k++) out[k] = (uint8_t)((in[k] * over + out[k] * under + sum / 2) / sum);
    out[3] = (uint8_t)((sum + 127) / 255);
}

/* Composite a raster over the tile. sheet: scratch (FINER side, side, 4). */
static gvm_status lay_raster(uint8_t *rgba, uint8_t *sheet, const struct sheet_source *s, const struct place *tile,
                             long zoom, long y, int side, gvm_error *err)
{
    double box[4], middle = (s->facts.box[0] + s->facts.box[2]) / 2;
    double turn = lon_near(tile->lon, middle) - tile->lon;
    memcpy(box, tile->box, sizeof box);
    box[0] += turn;
    box[2] += turn;
    double pixels = pixels_within(s, box, tile->lat);
    if (pixels == 0 || (pixels > MOST && !s->overviews)) return GVM_OK;
    struct raster *raster;
    struct raster_source steps = {.path = s->path};
    raster_source_steps(&steps, s->facts.pixel_m, tile->metres / side);
    int H = FINER * side;
    const double view[4] = {box[0], box[3], (box[2] - box[0]) / side, (box[3] - box[1]) / H};
    gvm_status status = raster_open(&raster, s->path, &s->hints, steps.reduce, err);
    if (status == GVM_OK) status = raster_read(sheet, H, side, raster, view, err);
    raster_free(raster);
    for (int r = 0; r < side && status == GVM_OK; r++) {
        double lat = xyz_lat((double)y + (r + 0.5) / side, (double)(1L << zoom));
        int row = (int)fmax(0, fmin(H - 1, floor((box[3] - lat) / view[3])));
        const uint8_t *in = sheet + (size_t)row * (size_t)side * 4;
        uint8_t *out = rgba + (size_t)r * (size_t)side * 4;
        for (int c = 0; c < side; c++, in += 4, out += 4) lay_pixel(out, in);
    }
    return status;
}

/* ------------------------------------------------------------------ pictures */

/* A picture's rectangle in the tile, pixels: left, top, right, bottom. Returns false if it is outside of the tile. */
static bool place_within(int at[4], const struct tile *t, double metres, const struct place *tile, long zoom, long y,
                         int side)
{
    double box[4], n = (double)(1L << zoom);
    tile_box(box, t->lat, lon_near(t->lon, tile->lon), metres);
    if (box[0] >= tile->box[2] || box[2] <= tile->box[0] || box[1] >= tile->box[3] || box[3] <= tile->box[1])
        return false;
    double across = side / (tile->box[2] - tile->box[0]);
    for (size_t i = 0; i < 2; i++) {
        double lat = box[i == 0 ? 3 : 1] * EARTH_DEGREE;
        at[2 * i] = (int)lround((box[2 * i] - tile->box[0]) * across);
        at[2 * i + 1] = (int)lround(((1 - asinh(tan(lat)) / M_PI) / 2 * n - (double)y) * side);
    }
    return at[2] > at[0] && at[3] > at[1];
}

static gvm_status lay_picture(uint8_t *rgba, const gvm_imagery *d, size_t number, const int at[4], int side,
                              gvm_error *err)
{
    int w = at[2] - at[0], h = at[3] - at[1], size = w > h ? w : h;
    if (size > 4 * side) size = 4 * side;
    unsigned char *picture = malloc((size_t)size * (size_t)size * 3);
    if (picture == NULL) return fail(err, GVM_MEMORY, "out of memory for a tile");
    gvm_hit hit = map_hit(d->map, number);
    if (gvm_map_picture(d->map, &hit, picture, size, NULL) == GVM_OK)
        for (int y = at[1] > 0 ? at[1] : 0; y < side && y < at[3]; y++)
            for (int x = at[0] > 0 ? at[0] : 0; x < side && x < at[2]; x++) {
                long u = (long)(x - at[0]) * size / w, v = (long)(y - at[1]) * size / h;
                uint8_t *out = rgba + 4 * ((size_t)y * (size_t)side + (size_t)x);
                memcpy(out, picture + 3 * (v * size + u), 3);
                out[3] = 255;
            }
    free(picture);
    return GVM_OK;
}

static gvm_status lay_pictures(uint8_t *rgba, const gvm_imagery *d, const struct place *tile, long zoom, long y,
                               int side, gvm_error *err)
{
    size_t numbers[PICTURES];
    int count = 0, at[PICTURES][4];
    for (size_t i = 0; i < d->map->tiles.count; i++) {
        const struct tile *t = &d->map->tiles.items[i];
        double metres = t->metres > 0 ? t->metres : d->map->ground_m;
        int where[4];
        if (!place_within(where, t, metres, tile, zoom, y, side)) continue;
        if (count == PICTURES) return GVM_OK;
        memcpy(at[count], where, sizeof where);
        numbers[count++] = i;
    }
    gvm_status status = GVM_OK;
    for (int i = 0; i < count && status == GVM_OK; i++) status = lay_picture(rgba, d, numbers[i], at[i], side, err);
    return status;
}

/* ------------------------------------------------------------------ a tile */

static gvm_coverage coverage_of(const uint8_t *rgba, size_t pixels)
{
    bool some = false, all = true;
    for (size_t i = 0; i < pixels; i++) {
        some = some || rgba[4 * i + 3] > 0;
        all = all && rgba[4 * i + 3] == 255;
    }
    return all ? GVM_COVERS_ALL : some ? GVM_COVERS_PART : GVM_COVERS_NOTHING;
}

gvm_status gvm_imagery_tile(const gvm_imagery *d, unsigned char *rgba, gvm_coverage *coverage, long zoom, long x,
                            long y, int side, gvm_error *err)
{
    struct place tile;
    size_t pixels = (size_t)side * (size_t)side;
    *coverage = GVM_COVERS_NOTHING;
    if (!xyz_place(&tile, zoom, x, y)) return fail(err, GVM_ARGUMENT, "tile %ld/%ld/%ld does not exist", zoom, x, y);
    uint8_t *sheet = malloc(FINER * pixels * 4);
    if (sheet == NULL) return fail(err, GVM_MEMORY, "out of memory for a tile");
    memset(rgba, 0, pixels * 4);
    gvm_status status = GVM_OK;
    for (size_t i = 0; i < d->count && status == GVM_OK; i++)
        status = lay_raster(rgba, sheet, &d->sources[i], &tile, zoom, y, side, err);
    if (status == GVM_OK && d->pictures) status = lay_pictures(rgba, d, &tile, zoom, y, side, err);
    free(sheet);
    if (status == GVM_OK) *coverage = coverage_of(rgba, pixels);
    return status;
}
