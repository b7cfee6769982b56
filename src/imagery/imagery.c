/* imagery.c - see imagery.h: lists the places and their order. */
#include "imagery/imagery.h"

#include <cpl_string.h>
#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json_text.h"
#include "geo/earth.h"
#include "imagery/imagery_parts.h"
#include "network/session.h"

enum { PIXELS_LEAST = 16 /* fewest raster pixels along a tile's side */ };

/* ------------------------------------------------------------------ rasters */

void raster_source_steps(struct raster_source *source, double own_m, double wanted_m)
{
    source->reduce = (int)fmax(1, round(wanted_m / 2 / own_m));
    source->pixel_m = fmin(wanted_m, source->reduce * own_m);
}

/* Add a file's size and modification time to the hash, or that it is missing. Adds the size to *bytes. */
static gvm_status stamp_file(GChecksum *sum, long long *bytes, const char *path, gvm_error *err)
{
    int64_t stamp[3];
    gvm_status status = file_stamp(stamp, path, err);
    g_checksum_update(sum, (const guchar *)stamp, sizeof stamp);
    if (stamp[0] > 0) *bytes += stamp[0];
    return status;
}

static void stamp_end(char stamp[STAMP + 1], GChecksum *sum)
{
    g_strlcpy(stamp, g_checksum_get_string(sum), STAMP + 1);
    g_checksum_free(sum);
}

/* Includes a VRT's sources and a picture's world file. */
static gvm_status stamp_raster(struct raster_source *source, const struct raster *raster, gvm_error *err)
{
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    char **files = raster_files(raster);
    bool listed = CSLFindString(files, source->path) >= 0; /* GDAL leaves out what it cannot look at */
    gvm_status status = listed ? GVM_OK : stamp_file(sum, &source->bytes, source->path, err);
    for (char **file = files; file != NULL && *file != NULL && status == GVM_OK; file++)
        status = stamp_file(sum, &source->bytes, *file, err);
    stamp_end(source->stamp, sum);
    CSLDestroy(files);
    return status;
}

/* The intersections of a box, or of its covered parts, with another box. NULL if out of memory. */
static double (*parts_within(size_t *count, const double box[4], const struct grid_parts *parts,
                             const struct cell_area *area))[4]
{
    double around[4], (*kept)[4] = malloc((parts->count + 1) * sizeof *kept);
    tile_box(around, area->lat, lon_near(area->lon, (box[0] + box[2]) / 2), 2 * area->metres);
    *count = 0;
    for (size_t i = 0; kept != NULL && i < (parts->count > 0 ? parts->count : 1); i++) {
        const double *part = parts->count > 0 ? parts->boxes[i] : box;
        const double common[4] = {fmax(part[0], around[0]), fmax(part[1], around[1]), fmin(part[2], around[2]),
                                  fmin(part[3], around[3])};
        if (common[0] <= common[2] && common[1] <= common[3]) memcpy(kept[(*count)++], common, sizeof common);
    }
    return kept;
}

/* Lay the grid over all of the raster, or the part near a position. */
static gvm_status lay_grid(struct imagery *m, struct raster_source *source, const struct raster_facts *facts,
                           gvm_error *err)
{
    struct grid_parts parts = {(const double(*)[4])facts->parts, facts->part_count};
    const char *where = path_tail(source->path);
    if (m->area.metres <= 0) return grid_cover(&source->grid, facts->box, &parts, m->tile_m, m->stride_m, where, err);
    double(*near)[4] = parts_within(&parts.count, facts->box, &parts, &m->area);
    gvm_status status = near != NULL ? GVM_OK : fail(err, GVM_MEMORY, "%s: out of memory for its tiles", where);
    parts.boxes = (const double(*)[4])near;
    if (parts.count > 0) status = grid_cover(&source->grid, facts->box, &parts, m->tile_m, m->stride_m, where, err);
    free(near);
    return status;
}

static gvm_status plan_raster(struct imagery *m, struct raster_source *source, gvm_error *err)
{
    struct raster *raster;
    struct raster_facts facts = {.parts = NULL};
    const struct raster_hints hints = {m->crs, m->alpha > 0 ? YES : m->alpha < 0 ? NO : LOOK, LOOK};
    gvm_status status = raster_open(&raster, source->path, &hints, 1, err);
    if (status == GVM_OK) {
        source->hints = raster_found(&source->no_alpha, raster);
        status = stamp_raster(source, raster, err);
        if (status == GVM_OK) status = raster_describe(&facts, raster, err);
    }
    raster_free(raster);
    if (status != GVM_OK) return status;
    source->width = facts.width;
    source->height = facts.height;
    source->own_m = facts.pixel_m;
    if (m->by_cells) {
        free(facts.parts);
        return GVM_OK;
    }
    raster_source_steps(source, facts.pixel_m, m->tile_m / view_size(m->model, GVM_AERIAL)[0]);
    source->pieces = m->pieces;
    source->places = m->places;
    if (m->tile_m < PIXELS_LEAST * facts.pixel_m)
        status = fail(err, GVM_FORMAT,
                      "%s: its ground sample distance, %.3g m, is too coarse for tiles of %g m; use finer imagery or "
                      "larger tiles (--tile-metres)",
                      path_tail(source->path), facts.pixel_m, m->tile_m);
    else
        status = lay_grid(m, source, &facts, err);
    free(facts.parts);
    m->pieces += source->grid.blocks;
    m->places += source->grid.places;
    return status;
}

/* Returns true if both names are the same file. */
static bool same_file(const char *a, const char *b)
{
    struct stat p, q;
    return strcmp(a, b) == 0 || (stat(a, &p) == 0 && stat(b, &q) == 0 && p.st_dev == q.st_dev && p.st_ino == q.st_ino);
}

static gvm_status plan_rasters(struct imagery *m, const gvm_map_options *options, gvm_error *err)
{
    gvm_status status = GVM_OK;
    m->kind = m->by_cells ? "cells" : "raster";
    m->raster_count = options->raster_count;
    m->rasters = calloc(m->raster_count, sizeof *m->rasters);
    if (options->crs != NULL) m->crs = names_add(&m->names, options->crs);
    if (m->rasters == NULL || (options->crs != NULL && m->crs == NULL))
        return fail(err, GVM_MEMORY, "out of memory for %zu rasters", options->raster_count);
    for (size_t i = 0; i < m->raster_count && status == GVM_OK; i++) {
        m->rasters[i].path = names_add(&m->names, options->rasters[i]);
        if (m->rasters[i].path == NULL)
            return fail(err, GVM_MEMORY, "out of memory for %zu rasters", options->raster_count);
        for (size_t k = 0; k < i; k++)
            if (same_file(m->rasters[k].path, m->rasters[i].path))
                return fail(err, GVM_ARGUMENT, "%s: it is given twice", path_tail(m->rasters[i].path));
        status = plan_raster(m, &m->rasters[i], err);
    }
    if (status == GVM_OK && m->by_cells) return cells_plan(m, options, err);
    if (status == GVM_OK && m->places == 0)
        return fail(err, GVM_ARGUMENT, "no imagery lies within %g m of %.6f,%.6f", m->area.metres, m->area.lat,
                    m->area.lon);
    return status;
}

size_t imagery_raster(const struct imagery *m, size_t number, bool by_place)
{
    size_t i = m->raster_count - 1;
    while (i > 0 && (by_place ? m->rasters[i].places : m->rasters[i].pieces) > number) i--;
    return i;
}

/* ------------------------------------------------------------------ pictures that are a tile each */

static gvm_status stamp_pictures(struct imagery *m, const void *list, size_t size, gvm_error *err)
{
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    gvm_status status = GVM_OK;
    long long bytes = 0;
    g_checksum_update(sum, list, (gssize)size);
    for (size_t i = 0; i < m->file_count && status == GVM_OK; i++) {
        const char *source = m->files[i].source;
        g_checksum_update(sum, (const guchar *)source, (gssize)strlen(source) + 1);
        status = stamp_file(sum, &bytes, m->paths != NULL ? m->paths[i] : source, err);
    }
    stamp_end(m->stamp, sum);
    return status;
}

static gvm_status plan_list(struct imagery *m, const char *list, gvm_error *err)
{
    struct tiles tiles;
    struct file_map file;
    m->kind = "tiles";
    gvm_status status = file_map(&file, list, err);
    if (status != GVM_OK) return status;
    status = tiles_parse(&tiles, (const char *)file.data, file.size, path_tail(list), err);
    if (status != GVM_OK) {
        file_unmap(&file);
        return status;
    }
    m->file_count = tiles.count;
    m->files = calloc(tiles.count, sizeof *m->files);
    m->paths = calloc(tiles.count, sizeof *m->paths);
    bool enough = m->files != NULL && m->paths != NULL;
    for (size_t i = 0; i < tiles.count && enough; i++) {
        const struct tile *tile = &tiles.items[i];
        struct place *place = &m->files[i];
        *place =
            (struct place){.lat = tile->lat, .lon = tile->lon, .metres = tile->metres > 0 ? tile->metres : m->tile_m};
        tile_box(place->box, place->lat, place->lon, place->metres);
        place->source = names_add(&m->names, tile->image);
        m->paths[i] = tiles_path(list, tile->image);
        enough = place->source != NULL && m->paths[i] != NULL;
    }
    status = enough ? stamp_pictures(m, file.data, file.size, err)
                    : fail(err, GVM_MEMORY, "%s: out of memory for its tiles", path_tail(list));
    tiles_free(&tiles);
    file_unmap(&file);
    return status;
}

static gvm_status plan_xyz(struct imagery *m, const char *folder, bool tms, gvm_error *err)
{
    m->kind = "xyz";
    m->tms = tms;
    gvm_status status = tms ? GVM_OK : tms_find(&m->tms, folder, err);
    if (status == GVM_OK) status = xyz_list(&m->files, &m->file_count, &m->names, folder, m->tms, m->tile_m, err);
    return status == GVM_OK ? stamp_pictures(m, "", 0, err) : status;
}

/* ------------------------------------------------------------------ all */

static gvm_status check_area(const gvm_map_options *o, gvm_error *err)
{
    if (o->within_m == 0 && (o->near_lat != 0 || o->near_lon != 0))
        return fail(err, GVM_ARGUMENT, "a place to index near needs a radius in metres, above 0");
    if (!(o->within_m >= 0 && o->within_m <= 1e7 && fabs(o->near_lat) <= 85 && fabs(o->near_lon) <= 360))
        return fail(err, GVM_ARGUMENT, "invalid area: %g m around %g,%g", o->within_m, o->near_lat, o->near_lon);
    if (o->within_m > 0 && o->raster_count == 0)
        return fail(err, GVM_ARGUMENT, "only rasters can be limited to an area");
    return GVM_OK;
}

static gvm_status check_cells(const gvm_map_options *o, const struct imagery *m, gvm_error *err)
{
    if (m->by_cells && o->raster_count == 0)
        return fail(err, GVM_ARGUMENT,
                    "these weights need several zooms of each place, cut from georeferenced rasters: GeoTIFF, VRT or "
                    "MBTiles, not single tiles");
    if (o->share && !(m->by_cells && m->model->network->config.views[GVM_AERIAL].zoom_count >= 3))
        return fail(err, GVM_ARGUMENT, "sharing pictures needs weights with three or four zooms");
    if (m->by_cells && (o->tile_m > 0 || o->stride_m > 0))
        return fail(err, GVM_ARGUMENT, "these weights have a fixed cell size; tile size and stride do not apply");
    return GVM_OK;
}

static gvm_status check_options(const gvm_map_options *o, const struct imagery *m, gvm_error *err)
{
    int kinds = (o->raster_count > 0) + (o->tiles != NULL) + (o->xyz != NULL);
    if (kinds != 1)
        return fail(err, GVM_ARGUMENT,
                    "a map is built from exactly one of: rasters, a list of tiles, a folder of web-map tiles");
    gvm_status status = check_area(o, err);
    if (status == GVM_OK) status = check_cells(o, m, err);
    if (status != GVM_OK) return status;
    if (!(m->tile_m >= 1 && m->tile_m <= 20000))
        return fail(err, GVM_ARGUMENT, "tile size %g m is out of range; expected 1 to 20000 m", m->tile_m);
    if (!(m->stride_m >= m->tile_m / 100 && m->stride_m <= 100000))
        return fail(err, GVM_ARGUMENT, "stride %g m is out of range; expected %g m (a hundredth of a tile) to 100000 m",
                    m->stride_m, m->tile_m / 100);
    if (o->raster_count == 0 && (o->tile_m > 0 || o->stride_m > 0 || o->crs != NULL || o->alpha != 0))
        return fail(err, GVM_ARGUMENT, "tile size, stride, coordinate system and alpha apply to rasters only");
    if (o->tms && o->xyz == NULL)
        return fail(err, GVM_ARGUMENT, "the row order (TMS) applies to folders of web-map tiles only");
    return GVM_OK;
}

gvm_status imagery_open(struct imagery **imagery, const gvm_map_options *options, const gvm_model *model,
                        gvm_error *err)
{
    *imagery = NULL;
    struct imagery *m = calloc(1, sizeof *m);
    if (m == NULL) return fail(err, GVM_MEMORY, "out of memory for a map");
    m->model = model;
    const struct config *config = &model->network->config;
    m->by_cells = config->views[GVM_AERIAL].zoom_count > 0;
    m->tile_m = options->tile_m > 0 ? options->tile_m
                : m->by_cells       ? config->cell_m
                                    : model->views[GVM_AERIAL].ground_m;
    m->stride_m = options->stride_m > 0 ? options->stride_m : m->by_cells ? m->tile_m : m->tile_m / 2;
    m->area = (struct cell_area){options->near_lat, lon_normal(options->near_lon), options->within_m};
    m->alpha = options->alpha;
    gvm_status status = check_options(options, m, err);
    if (status == GVM_OK && options->raster_count > 0) {
        status = plan_rasters(m, options, err);
    } else if (status == GVM_OK) {
        const char *path = options->tiles != NULL ? options->tiles : options->xyz;
        status = options->tiles != NULL ? plan_list(m, path, err) : plan_xyz(m, path, options->tms != 0, err);
        m->pieces = m->places = m->file_count;
        if (status == GVM_OK && (m->path = names_add(&m->names, path)) == NULL)
            status = fail(err, GVM_MEMORY, "%s: out of memory for its tiles", path_tail(path));
    }
    if (status == GVM_OK)
        *imagery = m;
    else
        imagery_free(m);
    return status;
}

void imagery_free(struct imagery *m)
{
    if (m == NULL) return;
    cells_free(m);
    for (size_t i = 0; i < m->raster_count && m->rasters != NULL; i++) grid_free(&m->rasters[i].grid);
    for (size_t i = 0; i < m->file_count && m->paths != NULL; i++) free(m->paths[i]);
    free(m->rasters);
    free(m->files);
    free(m->paths);
    names_free(&m->names);
    free(m);
}

size_t imagery_places(const struct imagery *m)
{
    return m->places;
}

static void note_raster(gvm_error *note, bool *warning, const struct imagery *m, const struct raster_source *r)
{
    *warning = raster_note_alpha(note, m, r);
    if (!*warning)
        fail(note, GVM_OK, "%s: %d x %d pixels of %.3g m%s: %zu place%s for tiles of %g m, every %g m",
             path_tail(r->path), r->width, r->height, r->own_m, r->hints.gaps == YES ? ", partly covered" : "",
             r->grid.places, r->grid.places == 1 ? "" : "s", m->tile_m, m->stride_m);
}

bool imagery_note(gvm_error *note, bool *warning, const struct imagery *m, size_t number)
{
    *warning = false;
    if (m->by_cells) return cells_note(note, warning, m, number);
    if (number < m->raster_count) {
        note_raster(note, warning, m, &m->rasters[number]);
        return true;
    }
    if (m->raster_count > 0 || number > 0) return false;
    fail(note, GVM_OK, "%s: %zu picture%s, one tile each%s", path_tail(m->path), m->file_count,
         m->file_count == 1 ? "" : "s", m->tms ? ", rows counted from the south" : "");
    return true;
}

struct raster_hints hints_of_job(const json_t *imagery, const json_t *source)
{
    return (struct raster_hints){json_string_value(json_object_get(imagery, "crs")),
                                 json_is_false(json_object_get(source, "alpha")) ? NO : YES,
                                 json_is_true(json_object_get(source, "gaps")) ? YES : NO};
}

size_t imagery_pieces(const struct imagery *m)
{
    return m->pieces;
}

int imagery_piece_most(const struct imagery *m)
{
    return m->by_cells ? CELL_MOST : m->rasters != NULL ? GRID_MOST : 1;
}

bool imagery_is_shared(const struct imagery *m)
{
    return m->cells.shared;
}

size_t imagery_cut_bytes(const struct imagery *m)
{
    return m->by_cells ? cells_cut_bytes(m) : 0;
}

size_t imagery_find(const struct imagery *m, size_t place)
{
    if (m->by_cells) return cell_plan_find(&m->cells, place);
    if (m->rasters == NULL || place >= m->places) return place < m->places ? place : m->pieces;
    const struct raster_source *source = &m->rasters[imagery_raster(m, place, true)];
    return source->pieces + grid_find(&source->grid, place - source->places);
}

json_t *imagery_describe(const struct imagery *m)
{
    json_t *all = json_pack("{ss,sI,sf}", "kind", m->kind, "places", (json_int_t)m->places, "tile_m", m->tile_m);
    if (m->rasters == NULL) {
        json_put(&all, "source", json_text(m->path));
        json_put(&all, "stamp", json_string(m->stamp));
        if (m->tms) json_put(&all, "tms", json_true());
        return all;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < m->raster_count; i++) {
        const struct raster_source *r = &m->rasters[i];
        json_t *source =
            json_pack("{so,sI,ss}", "path", json_text(r->path), "bytes", (json_int_t)r->bytes, "stamp", r->stamp);
        if (r->no_alpha > 0) json_put(&source, "alpha", json_false());
        if (r->hints.gaps == YES) json_put(&source, "gaps", json_true());
        if (m->by_cells) json_put(&source, "box", cells_describe_box(m, i));
        json_push(&list, source);
    }
    if (m->alpha != 0) json_put(&all, "alpha", json_boolean(m->alpha > 0));
    json_put(&all, "stride_m", json_real(m->stride_m));
    if (m->by_cells) cells_describe(&all, m);
    if (m->area.metres > 0) json_put(&all, "near", json_pack("[fff]", m->area.lat, m->area.lon, m->area.metres));
    json_put(&all, "sources", list);
    if (m->crs != NULL) json_put(&all, "crs", json_text(m->crs));
    return all;
}
