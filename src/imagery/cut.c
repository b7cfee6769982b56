/* cut.c - the pixels of tiles. A block of neighbours is read from its raster at once, north up, and each tile is
 * resized from that to the network's input as a picture file would be. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "geo/earth.h"
#include "image/image.h"
#include "imagery/imagery_parts.h"
#include "network/session.h"

/* Void pixels get ImageNet's mean colour, which is zero after normalisation. */
static const uint8_t mean[3] = {124, 116, 104};

enum { MARGIN = 2 /* pixels around a block for the resize at its edges */ };

/* A part of a raster, in memory: (H, W, 4) and then (H, W, 3). */
struct window {
    double view[4]; /* west, north, step_lon, step_lat */
    int H, W;
};

static struct window window_around(const struct cut_tile *tiles, int count, double pixel_m)
{
    double box[4] = BOX_OF_NOTHING;
    for (int i = 0; i < count; i++) box_take_in(box, tiles[i].place.box);
    double middle = (box[1] + box[3]) / 2;
    double step_lon = pixel_m / metres_per_lon(middle), step_lat = pixel_m / metres_per_lat(middle);
    return (struct window){{box[0] - MARGIN * step_lon, box[3] + MARGIN * step_lat, step_lon, step_lat},
                           (int)ceil((box[3] - box[1]) / step_lat) + 2 * MARGIN,
                           (int)ceil((box[2] - box[0]) / step_lon) + 2 * MARGIN};
}

static bool make_room(struct cutter *c, size_t pixels)
{
    if (pixels <= c->room) return true;
    uint8_t *rgba = realloc(c->rgba, 4 * pixels), *rgb = rgba != NULL ? realloc(c->rgb, 3 * pixels) : NULL;
    if (rgba != NULL) c->rgba = rgba;
    if (rgb != NULL) c->rgb = rgb;
    if (rgb != NULL) c->room = pixels;
    return rgb != NULL;
}

/* Composite over the mean colour. */
static void flatten(uint8_t *rgb, const uint8_t *rgba, size_t n)
{
    for (size_t i = 0; i < n; i++, rgb += 3, rgba += 4)
        for (int k = 0; k < 3; k++) rgb[k] = (uint8_t)((rgba[k] * rgba[3] + mean[k] * (255 - rgba[3]) + 127) / 255);
}

/* Whether at least half of a box's pixels are valid. */
static bool half_valid(const uint8_t *rgba, int W, const int box[4])
{
    size_t valid = 0, all = (size_t)(box[2] - box[0]) * (size_t)(box[3] - box[1]);
    for (int y = box[1]; y < box[3]; y++)
        for (int x = box[0]; x < box[2]; x++) valid += rgba[4 * ((size_t)y * (size_t)W + (size_t)x) + 3] >= 128;
    return 2 * valid >= all;
}

static gvm_status cut_tile(struct cut_tile *tile, const struct cutter *c, const struct window *w, const int size[2])
{
    const double *b = tile->place.box, *v = w->view;
    double box[4] = {(b[0] - v[0]) / v[2], (v[1] - b[3]) / v[3], (b[2] - v[0]) / v[2], (v[1] - b[1]) / v[3]};
    int whole[4];
    for (int i = 0; i < 4; i++) whole[i] = (int)lround(box[i]);
    tile->empty = !half_valid(c->rgba, w->W, whole);
    if (tile->empty) return GVM_OK;
    return image_resize(tile->pixels, size[0], size[1], c->rgb, w->H, w->W, box);
}

gvm_status cut_block(struct cut_tile *tiles, int count, struct cutter *c, const struct raster_source *source,
                     const int size[2], gvm_error *err)
{
    struct window w = window_around(tiles, count, source->pixel_m);
    size_t pixels = (size_t)w.H * (size_t)w.W;
    const char *where = path_tail(source->path);
    if (!make_room(c, pixels)) return fail(err, GVM_MEMORY, "%s: cannot cut tiles: out of memory", where);
    gvm_status status = raster_read(c->rgba, w.H, w.W, c->raster, w.view, err);
    if (status == GVM_OK) flatten(c->rgb, c->rgba, pixels);
    for (int i = 0; i < count && status == GVM_OK; i++) {
        status = cut_tile(&tiles[i], c, &w, size);
        if (status != GVM_OK) fail(err, status, "%s: cannot cut tiles: out of memory", where);
    }
    return status;
}

static gvm_status open_source(struct cutter *c, const struct imagery *m, size_t number, gvm_error *err)
{
    if (c->raster != NULL && c->source == number) return GVM_OK;
    raster_free(c->raster);
    c->source = number;
    return raster_open(&c->raster, m->rasters[number].path, &m->rasters[number].hints, m->rasters[number].reduce, err);
}

static void cut_raster(struct piece *piece, struct cutter *c, const struct imagery *m, size_t number)
{
    piece->source = imagery_raster(m, number, false);
    const struct raster_source *source = &m->rasters[piece->source];
    const int *size = view_size(m->model, GVM_AERIAL);
    struct grid_place places[GRID_MOST];
    piece->count = grid_block(places, &piece->before, &source->grid, number - source->pieces);
    piece->before += source->places;
    for (int i = 0; i < piece->count; i++) {
        struct cut_tile *tile = &piece->tiles[i];
        tile->place = (struct place){places[i].lat, lon_normal(places[i].lon), m->tile_m, {0}, source->path};
        tile->status = GVM_OK;
        tile_box(tile->place.box, places[i].lat, places[i].lon, m->tile_m);
    }
    gvm_status status = open_source(c, m, piece->source, &piece->err);
    bool together = m->stride_m <= m->tile_m; /* else most of the ground between the tiles is not needed */
    if (status == GVM_OK && together) status = cut_block(piece->tiles, piece->count, c, source, size, &piece->err);
    if (status != GVM_OK || !together) /* if a part is unreadable, tiles outside of it are still good */
        for (int i = piece->count; i-- > 0;)
            piece->tiles[i].status = c->raster != NULL && status != GVM_MEMORY /* alone, its pixels differ slightly */
                                         ? cut_block(&piece->tiles[i], 1, c, source, size, &piece->err)
                                         : status;
    for (int i = 0; i < piece->count; i++) { /* from the raster's longitudes to the tile's */
        struct place *place = &piece->tiles[i].place;
        double turn = place->lon - places[i].lon;
        place->box[0] += turn;
        place->box[2] += turn;
    }
}

void imagery_cut(struct piece *piece, struct cutter *c, const struct imagery *m, size_t number)
{
    piece->err.text[0] = '\0';
    if (m->by_cells) {
        cells_cut(piece, c, m, number);
        return;
    }
    if (m->rasters != NULL) {
        cut_raster(piece, c, m, number);
        return;
    }
    struct cut_tile *tile = &piece->tiles[0];
    piece->count = 1;
    piece->before = piece->source = number;
    tile->place = m->files[number];
    tile->empty = false;
    tile->status =
        gvm_load_picture(m->model, GVM_AERIAL, tile->pixels,
                         m->paths != NULL ? m->paths[number] : m->files[number].source, NULL, 0, &piece->err);
}

void cutter_close(struct cutter *c)
{
    raster_free(c->raster);
    zoom_cutter_free(c->zooms);
    free(c->rgba);
    free(c->rgb);
    *c = (struct cutter){.raster = NULL};
}
