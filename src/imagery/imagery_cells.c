/* imagery_cells.c - imagery for weights with several zooms: a piece is a block of cells of the lattice (cells.h), and
 * pictures are cut from all rasters together (zooms.h). */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "imagery/imagery_parts.h"
#include "imagery/mosaic.h"
#include "network/model.h"

#define COARSE 1.05 /* warn if pixels are larger than this times the finest zoom; UTM's scale varies by less */
#define TOO_COARSE 8
#define PARTLY 0.1 /* void share of a cell's pictures from which it counts as partly covered */

static const struct view *aerial(const struct imagery *m)
{
    return &m->model->network->config.views[GVM_AERIAL];
}

gvm_status cells_plan(struct imagery *m, const gvm_map_options *o, gvm_error *err)
{
    const struct view *view = aerial(m);
    m->cell_sources = calloc(m->raster_count, sizeof *m->cell_sources);
    if (m->cell_sources == NULL) return fail(err, GVM_MEMORY, "out of memory for %zu rasters", m->raster_count);
    for (size_t i = 0; i < m->raster_count; i++)
        m->cell_sources[i] = (struct mosaic_source){m->rasters[i].path, m->rasters[i].hints};
    gvm_status status = mosaic_open(&m->mosaic, m->cell_sources, m->raster_count, view->zooms, view->zoom_count, err);
    for (size_t i = 0; status == GVM_OK && i < m->mosaic->layer_count; i++) {
        const struct layer *l = &m->mosaic->layers[i];
        if (l->pixel_m > TOO_COARSE * view->zooms[0])
            return fail(
                err, GVM_FORMAT,
                "%s: its ground sample distance, %.3g m, is too coarse for pictures of %g m a pixel; use finer imagery",
                path_tail(m->rasters[l->members[0].source].path), l->pixel_m, view->zooms[0]);
    }
    if (status == GVM_OK) status = cell_plan_make(&m->cells, m->mosaic, m->tile_m, o->share != 0, &m->area, err);
    m->pieces = m->cells.block_count;
    m->places = m->cells.count;
    if (status == GVM_OK && m->places == 0)
        status = o->within_m > 0 ? fail(err, GVM_ARGUMENT, "no imagery lies within %g m of %.6f,%.6f", m->area.metres,
                                        m->area.lat, m->area.lon)
                                 : fail(err, GVM_FORMAT, "%s: it covers no cell", path_tail(m->rasters[0].path));
    return status;
}

void cells_free(struct imagery *m)
{
    cell_plan_free(&m->cells);
    mosaic_free(m->mosaic);
    free(m->cell_sources);
}

/* ------------------------------------------------------------------ pieces */

/* Number of cells along each side that share a zoom's pictures. */
static int shared_side(const struct imagery *m, int zoom)
{
    int from_last = aerial(m)->zoom_count - 1 - zoom;
    return !m->cells.shared || from_last > 1 ? 1 : from_last == 1 ? 2 : 4;
}

static int32_t down_to(int32_t value, int side)
{
    return value - ((value % side) + side) % side;
}

/* A cell's position in the map, and the positions of its pictures. */
static void take_place(struct cut_tile *tile, struct zoom_place *place, double (*around)[2], const struct imagery *m,
                       struct cell cell)
{
    double size = m->cells.size;
    tile->status = GVM_OK;
    tile->place = (struct place){.metres = size, .source = m->rasters[0].path};
    (m->cells.shared ? shared_centre : cell_centre)(&tile->place.lat, &tile->place.lon, cell, size);
    (m->cells.shared ? shared_box : cell_box)(tile->place.box, cell, size);
    *place = (struct zoom_place){
        .lat = tile->place.lat, .lon = tile->place.lon, .bearing = aerial(m)->bearing, .pixels = tile->pixels};
    for (int k = 0; k < aerial(m)->zoom_count && m->cells.shared; k++) {
        int side = shared_side(m, k);
        tile->group[k] = (struct cell){down_to(cell.row, side), down_to(cell.col, side)};
        group_centre(&around[k][0], &around[k][1], cell, side, size);
    }
    if (m->cells.shared) place->around = (const double(*)[2])around;
}

/* Take over the results of cutting some of a piece's places. */
static void take_pictures(struct cut_tile *tiles, const struct zoom_place *places, int count, const struct imagery *m,
                          gvm_status status)
{
    for (int i = 0; i < count; i++) {
        tiles[i].place.source = m->rasters[places[i].source].path;
        tiles[i].status = status;
        tiles[i].empty = status == GVM_OK && places[i].empty >= 1;
        tiles[i].partly = status == GVM_OK && places[i].white > PARTLY;
    }
}

void cells_cut(struct piece *piece, struct cutter *c, const struct imagery *m, size_t number)
{
    const struct view *view = aerial(m);
    const struct cell_plan *plan = &m->cells;
    struct zoom_place places[CELL_MOST];
    double around[CELL_MOST][MAX_ZOOMS][2];
    size_t first = plan->first[number], end = number + 1 < plan->block_count ? plan->first[number + 1] : plan->count;
    piece->before = first;
    piece->count = (int)(end - first);
    assert(piece->count > 0 && piece->count <= CELL_MOST);
    for (int i = 0; i < piece->count; i++)
        take_place(&piece->tiles[i], &places[i], around[i], m, plan->cells[first + (size_t)i]);
    gvm_status status = GVM_OK;
    if (c->zooms == NULL) status = zoom_cutter_open(&c->zooms, m->mosaic, view, &piece->err);
    if (status == GVM_OK) status = zoom_cut(places, (size_t)piece->count, c->zooms, &piece->err);
    take_pictures(piece->tiles, places, piece->count, m, status);
    for (int i = piece->count; i-- > 0 && status == GVM_FILE;) /* cells outside the unreadable part are still good */
        take_pictures(&piece->tiles[i], &places[i], 1, m, zoom_cut(&places[i], 1, c->zooms, &piece->err));
    piece->source = places[0].source;
    for (int i = piece->count; i-- > 0;)
        if (piece->tiles[i].status != GVM_OK) piece->source = places[i].source;
}

/* Memory for a block's windows at each zoom's level, with pixels of a quarter to half the wanted size, and for a
 * blurred window. */
size_t cells_cut_bytes(const struct imagery *m)
{
    const struct view *view = aerial(m);
    double bytes = 0, most = 0;
    for (int k = 0; k < view->zoom_count; k++) {
        double metres = CELL_SIDE * m->cells.size + view->size[1] * view->zooms[k];
        double side = metres / fmax(view->zooms[k] / 3, m->mosaic->layers[0].pixel_m);
        bytes += 4 * side * side;
        most = fmax(most, 4 * side * side);
    }
    return (size_t)(bytes + most);
}

/* ------------------------------------------------------------------ notes */

bool raster_note_alpha(gvm_error *note, const struct imagery *m, const struct raster_source *r)
{
    if (r->no_alpha == 0 || m->alpha != 0) return false;
    fail(note, GVM_OK,
         "%s: band %d is marked as alpha but has many values; it is ignored as a colour band such as infrared (--alpha "
         "yes uses it as alpha)",
         path_tail(r->path), r->no_alpha);
    return true;
}

static bool note_coarse(gvm_error *note, const struct imagery *m, const struct layer *l)
{
    double finest = aerial(m)->zooms[0];
    if (l->pixel_m <= COARSE * finest) return false;
    fail(note, GVM_OK,
         "%s: its ground sample distance is %.3g m, but the weights were trained with %g m or finer; expect lower "
         "accuracy",
         path_tail(m->rasters[l->members[0].source].path), l->pixel_m, finest);
    return true;
}

bool cells_note(gvm_error *note, bool *warning, const struct imagery *m, size_t number)
{
    const struct layer *l = &m->mosaic->layers[0];
    const char *s = m->raster_count == 1 ? "" : "s";
    *warning = number > 0;
    if (number == 0) {
        fail(note, GVM_OK, "%zu raster%s, %.3g m a pixel: %zu cell%s of %g m", m->raster_count, s, l->pixel_m,
             m->places, m->places == 1 ? "" : "s", m->cells.size);
        return true;
    }
    for (size_t i = 0; i < m->raster_count; i++)
        if (raster_note_alpha(note, m, &m->rasters[i]) && --number == 0) return true;
    for (size_t i = 0; i < m->mosaic->layer_count; i++)
        if (note_coarse(note, m, &m->mosaic->layers[i]) && --number == 0) return true;
    return false;
}

/* The settings that, beside the sources, determine the pictures. */
void cells_describe(json_t **all, const struct imagery *m)
{
    const struct view *view = aerial(m);
    json_t *zooms = json_array(), *levels = json_array();
    for (int k = 0; k < view->zoom_count; k++) json_push(&zooms, json_real(view->zooms[k]));
    for (size_t i = 0; i < m->mosaic->layer_count; i++) {
        json_t *own = json_array();
        for (int k = 0; k < view->zoom_count; k++) json_push(&own, json_integer(m->mosaic->layers[i].levels[k]));
        json_push(&levels, own);
    }
    json_put(all, "zooms", zooms);
    json_put(all, "bearing", json_real(view->bearing));
    json_put(all, "levels", levels);
    if (m->cells.shared) json_put(all, "share", json_true());
}

json_t *cells_describe_box(const struct imagery *m, size_t source)
{
    const double *box = m->mosaic->boxes[source];
    return json_pack("[ffff]", box[0], box[1], box[2], box[3]);
}
