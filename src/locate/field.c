/* field.c - see field.h
 *
 * Tiles are in rows of any direction; cells are in rows along parallels, and each row has its own origin and step in
 * longitude. A pixel takes the nearest tile within three quarters of a step. The grid's step in longitude is that of
 * the parallel nearest to the equator, the smallest, so that no cell is skipped. */
#include "locate/field.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/sized.h"
#include "base/top.h"
#include "geo/earth.h"
#include "locate/chance.h"

enum { PIXELS = 1 << 25, SAMPLE = 64 /* tiles whose nearest neighbours give the stride */ };

static const double REACH = 0.75; /* of a pixel's side: within it a tile gives a pixel its score */

/* State while the field is drawn: each pixel's tile. */
struct drawing {
    gvm_field *field;
    const gvm_map *map;
    const float *scores; /* (tiles) */
    float *off;          /* (height, width) distance of the tile's centre from the pixel's, in pixels; negative if the
                            tile's centre is in the pixel */
    size_t *tile;
};

/* ------------------------------------------------------------------ how large a pixel is */

static double metres(const struct tile *a, const struct tile *b)
{
    return metres_between(a->lat, a->lon, b->lat, b->lon);
}

/* Distance from a tile to the nearest one at another position; infinite if there is none. Tiles are in the order in
 * which they were cut, so most have a neighbour nearby in the list, and latitude rules out most others. */
static double nearest(const gvm_map *map, const float *scores, size_t i)
{
    const struct tile *tiles = map->tiles.items;
    double best = INFINITY;
    for (size_t k = 0; k < map->tiles.count; k++) {
        if (isnan(scores[k]) || fabs(tiles[k].lat - tiles[i].lat) * EARTH_ARC >= best) continue;
        double d = metres(&tiles[i], &tiles[k]);
        if (d > 0.01 && d < best) best = d;
    }
    return best;
}

/* Distance between neighbouring tiles in metres: the median over a sample; the tile's side if there is only one. */
static double stride(const gvm_map *map, const float *scores, double side)
{
    double found[SAMPLE];
    size_t count = map->tiles.count, step = count / SAMPLE + 1, n = 0;
    for (size_t i = 0; i < count && n < SAMPLE; i += step) {
        double d = isnan(scores[i]) ? INFINITY : nearest(map, scores, i);
        if (isfinite(d)) found[n++] = d;
    }
    return n > 0 ? fmin(median(found, n), side) : side;
}

/* ------------------------------------------------------------------ the grid */

/* Around all tiles with a score; false if there is none. */
static bool measure(struct drawing *d, double *lat_nearest, double *side)
{
    gvm_field_info *info = &d->field->info;
    const struct tile *first = NULL;
    double box[4] = BOX_OF_NOTHING;
    *lat_nearest = INFINITY;
    for (size_t i = 0; i < d->map->tiles.count; i++) {
        const struct tile *tile = &d->map->tiles.items[i];
        if (isnan(d->scores[i])) continue;
        if (first == NULL) first = tile;
        double lon = lon_near(tile->lon, first->lon);
        box_take_in(box, (double[]){lon, tile->lat, lon, tile->lat});
        *lat_nearest = fmin(*lat_nearest, fabs(tile->lat));
        info->score_low = fmin(info->score_low, d->scores[i]);
        info->score_high = fmax(info->score_high, d->scores[i]);
    }
    if (first == NULL) return false;
    *side = 2 * map_hit(d->map, (size_t)(first - d->map->tiles.items)).half_tile_m;
    info->west = box[0], info->south = box[1], info->east = box[2], info->north = box[3];
    return true;
}

/* The grid's pixels surround the centres of the outermost tiles; the southernmost centres are in the middle of theirs.
 */
static void lay(gvm_field *f, double pixel_m, double lat_nearest, size_t most)
{
    gvm_field_info *info = &f->info;
    double south = info->south, west = info->west, rows, columns;
    for (;; pixel_m *= 1.4) {
        f->step_lat = pixel_m / EARTH_ARC;
        f->step_lon = f->step_lat / fmax(0.01, cos(fmin(lat_nearest, 89) * EARTH_DEGREE));
        rows = floor((info->north - south) / f->step_lat + 0.5) + 1;
        columns = floor((info->east - west) / f->step_lon + 0.5) + 1;
        if (rows * columns <= (double)most || rows + columns <= 2) break;
    }
    info->height = (int)rows;
    info->width = (int)columns;
    info->pixel_m = pixel_m;
    info->south = south - f->step_lat / 2;
    info->north = info->south + rows * f->step_lat;
    info->west = west - f->step_lon / 2;
    info->east = info->west + columns * f->step_lon;
}

/* ------------------------------------------------------------------ drawing */

/* Assign a tile to a pixel unless the pixel has a better one. A tile with its centre in the pixel wins over any other;
 * of two such tiles the higher score wins, of two others the nearer one. */
static void offer(struct drawing *d, size_t tile, int row, int column, double off)
{
    const gvm_field_info *info = &d->field->info;
    if (row < 0 || column < 0 || row >= info->height || column >= info->width) return;
    size_t at = (size_t)row * (size_t)info->width + (size_t)column;
    bool better = off < 0 && d->off[at] < 0 ? d->scores[tile] > d->scores[d->tile[at]] : off < d->off[at];
    if (!better) return;
    d->off[at] = (float)off;
    d->tile[at] = tile;
}

static void draw_tile(struct drawing *d, size_t i)
{
    const gvm_field_info *info = &d->field->info;
    const struct tile *tile = &d->map->tiles.items[i];
    double y = (info->north - tile->lat) / d->field->step_lat;
    double x = (lon_near(tile->lon, (info->west + info->east) / 2) - info->west) / d->field->step_lon;
    double narrow =
        cos(tile->lat * EARTH_DEGREE) * d->field->step_lon / d->field->step_lat; /* a pixel's width, heights */
    int row = (int)floor(y), column = (int)floor(x), reach = (int)ceil(REACH / fmax(narrow, 0.01));
    for (int r = row - 1; r <= row + 1; r++)
        for (int c = column - reach; c <= column + reach; c++) {
            double off = hypot(r + 0.5 - y, narrow * (c + 0.5 - x));
            if (r == row && c == column)
                offer(d, i, r, c, -1);
            else if (off < REACH)
                offer(d, i, r, c, off);
        }
}

static void draw(struct drawing *d, const float *p)
{
    gvm_field *f = d->field;
    size_t pixels = (size_t)f->info.height * (size_t)f->info.width;
    for (size_t i = 0; i < pixels; i++) d->off[i] = INFINITY, d->tile[i] = 0;
    for (size_t i = 0; i < d->map->tiles.count; i++)
        if (!isnan(d->scores[i])) draw_tile(d, i);
    for (size_t i = 0; i < pixels; i++) {
        bool there = d->off[i] < INFINITY;
        f->scores[i] = there ? d->scores[d->tile[i]] : NAN;
        if (p == NULL) continue;
        f->p[i] = there ? p[d->tile[i]] : NAN;
        if (there) f->info.p_high = fmax(f->info.p_high, f->p[i]);
    }
}

/* Allocate the field and draw it. */
static bool fill(struct drawing *d, double score_scale)
{
    gvm_field *f = d->field;
    size_t pixels = (size_t)f->info.height * (size_t)f->info.width;
    float *p = NULL;
    bool ready = true;
    f->scores = malloc(pixels * sizeof *f->scores);
    d->off = malloc(pixels * sizeof *d->off);
    d->tile = malloc(pixels * sizeof *d->tile);
    if (f->info.has_p) {
        f->p = malloc(pixels * sizeof *f->p);
        p = malloc(d->map->tiles.count * sizeof *p);
        ready = f->p != NULL && p != NULL;
        if (ready) chance_all(p, d->scores, d->map, score_scale);
    }
    ready = ready && f->scores && d->off && d->tile;
    if (ready) draw(d, p);
    free(p);
    free(d->off);
    free(d->tile);
    return ready;
}

gvm_status gvm_field_open(gvm_field **field, const gvm_map *map, const gvm_field_options *given, gvm_error *err)
{
    gvm_field_options options;
    double lat_nearest, side;
    clear_error(err);
    *field = NULL;
    gvm_status status = sized_read(&options, sizeof options, given, err);
    if (status != GVM_OK) return status;
    gvm_field *f = calloc(1, sizeof *f);
    struct drawing d = {.field = f, .map = map, .scores = options.scores};
    if (f == NULL) return fail(err, GVM_MEMORY, "out of memory for the field of scores");
    f->info = (gvm_field_info){.has_p = options.score_scale > 0,
                               .calibrated = map->temperature > 0,
                               .score_low = INFINITY,
                               .score_high = -INFINITY};
    if (!measure(&d, &lat_nearest, &side)) {
        status = fail(err, GVM_ARGUMENT, "no tile has a score, so no field of scores can be made");
    } else {
        lay(f, stride(map, options.scores, side), lat_nearest, options.max_pixels > 0 ? options.max_pixels : PIXELS);
        if (!fill(&d, options.score_scale))
            status =
                fail(err, GVM_MEMORY, "out of memory for a field of %d x %d scores", f->info.height, f->info.width);
    }
    if (status == GVM_OK)
        *field = f;
    else
        gvm_field_free(f);
    return status;
}

void gvm_field_free(gvm_field *f)
{
    if (f == NULL) return;
    free(f->scores);
    free(f->p);
    free(f);
}

gvm_status gvm_field_about(const gvm_field *f, gvm_field_info *info, gvm_error *err)
{
    clear_error(err);
    return sized_write(info, &f->info, sizeof f->info, err);
}

const float *gvm_field_scores(const gvm_field *f)
{
    return f->scores;
}

const float *gvm_field_p(const gvm_field *f)
{
    return f->p;
}
