/* pictures.c - see pictures.h. */
#include "data/pictures.h"

#include <glib.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/cache_file.h"
#include "imagery/zooms.h"

/* ------------------------------------------------------------------ aerial pictures from rasters */

gvm_status rasters_open(struct rasters *rasters, const struct dataset *dataset, const double *zooms, int zoom_count,
                        gvm_error *err)
{
    size_t count = g_strv_length(dataset->rasters);
    *rasters = (struct rasters){.sources = calloc(count, sizeof *rasters->sources)};
    if (rasters->sources == NULL)
        return fail(err, GVM_MEMORY, "%s: out of memory for its rasters", path_tail(dataset->root));
    for (size_t i = 0; i < count; i++)
        rasters->sources[i] =
            (struct mosaic_source){.path = dataset->rasters[i], .hints = {.alpha = LOOK, .gaps = LOOK}};
    return mosaic_open(&rasters->mosaic, rasters->sources, count, zooms, zoom_count, err);
}

void rasters_close(struct rasters *rasters)
{
    mosaic_free(rasters->mosaic);
    free(rasters->sources);
    *rasters = (struct rasters){0};
}

static const double KEPT_PART = 0.25; /* share of the available memory for imagery */

/* A pool of cutters: a thread owns a cutter while it cuts, so there are as many as threads that ever cut at once. */
struct cutters {
    struct rasters rasters;
    struct view view;
    pthread_mutex_t lock;
    struct zoom_cutter **idle;
    int idle_count, count;
};

static void cutters_free(struct cutters *c)
{
    if (c == NULL) return;
    for (int i = 0; i < c->idle_count; i++) zoom_cutter_free(c->idle[i]);
    free(c->idle);
    rasters_close(&c->rasters);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static gvm_status cutters_open(struct cutters **cutters, const struct dataset *data, const struct view *view,
                               gvm_error *err)
{
    struct cutters *c = *cutters = calloc(1, sizeof *c);
    if (c == NULL) return fail(err, GVM_MEMORY, "%s: out of memory for its rasters", path_tail(data->root));
    pthread_mutex_init(&c->lock, NULL);
    c->view = *view;
    return rasters_open(&c->rasters, data, view->zooms, view->zoom_count, err);
}

/* Take a free cutter or open a new one; reserves the space to return it. */
static gvm_status take_cutter(struct zoom_cutter **cutter, struct cutters *c, gvm_error *err)
{
    *cutter = NULL;
    pthread_mutex_lock(&c->lock);
    if (c->idle_count > 0) *cutter = c->idle[--c->idle_count];
    struct zoom_cutter **more = *cutter ? c->idle : realloc(c->idle, ((size_t)c->count + 1) * sizeof *more);
    if (more != NULL && *cutter == NULL) {
        c->idle = more;
        c->count++;
    }
    pthread_mutex_unlock(&c->lock);
    if (*cutter != NULL) return GVM_OK;
    if (more == NULL) return fail(err, GVM_MEMORY, "cannot cut aerial pictures: out of memory");
    return zoom_cutter_open(cutter, c->rasters.mosaic, &c->view, err);
}

static void give_back(struct cutters *c, struct zoom_cutter *cutter)
{
    pthread_mutex_lock(&c->lock);
    c->idle[c->idle_count++] = cutter;
    pthread_mutex_unlock(&c->lock);
}

gvm_status pictures_cut(uint8_t *pixels, const struct pictures *p, double lat, double lon, double bearing,
                        gvm_error *err)
{
    struct zoom_cutter *cutter;
    gvm_status status = take_cutter(&cutter, p->cutters, err);
    if (status != GVM_OK) return status;
    status = zoom_tile_cut(pixels, cutter, lat, lon, bearing, err);
    give_back(p->cutters, cutter);
    return status;
}

/* ------------------------------------------------------------------ matching data set and network */

gvm_status pictures_check(const struct dataset *data, const struct config *c, gvm_error *err)
{
    const struct view *aerial = &c->views[GVM_AERIAL];
    bool cells = aerial->zoom_count > 0;
    if (cells && data->rasters == NULL)
        return fail(err, GVM_ARGUMENT,
                    "%s: its aerial pictures are files, but this network takes several pictures of a place, of %g to "
                    "%g m a pixel, cut from orthophotos; make a data set of photos: a folder with photos.csv "
                    "(image,lat,lon) and the rasters in imagery/",
                    path_tail(data->root), aerial->zooms[0], aerial->zooms[aerial->zoom_count - 1]);
    if (!cells && data->rasters != NULL)
        return fail(err, GVM_ARGUMENT,
                    "%s: it is a data set of photos, whose aerial pictures are cells of several zooms, but this "
                    "network takes one picture of a place; make a data set of pairs: a folder with pairs.csv",
                    path_tail(data->root));
    if (cells && c->cell_m != data->ground_m)
        return fail(err, GVM_ARGUMENT, "%s: it was read with cells of %g m, but this network expects %g m",
                    path_tail(data->root), data->ground_m, c->cell_m);
    return GVM_OK;
}

gvm_status pictures_open(struct pictures *p, const struct dataset *data, const struct config *config, gvm_error *err)
{
    *p = (struct pictures){
        .data = data, .street = config_shape(config, GVM_STREET), .aerial = config_shape(config, GVM_AERIAL)};
    gvm_status status = pictures_check(data, config, err);
    if (status == GVM_OK && data->rasters != NULL)
        status = cutters_open(&p->cutters, data, &config->views[GVM_AERIAL], err);
    return status;
}

gvm_status pictures_keep(struct pictures *p, double needed, gvm_error *err)
{
    double available = memory_available();
    if (p->cutters == NULL) return GVM_OK;
    return mosaic_keep(p->cutters->rasters.mosaic, fmin(KEPT_PART * available, available - needed), err);
}

void pictures_close(struct pictures *p)
{
    cutters_free(p->cutters);
    p->cutters = NULL;
}

/* ------------------------------------------------------------------ reading */

void pictures_inner(struct pictures *p, double inner)
{
    if (p->cutters != NULL || inner >= 1) return;
    p->whole = p->aerial;
    p->whole.height = (int)lround(p->aerial.height / inner);
    p->whole.width = (int)lround(p->aerial.width / inner);
}

gvm_status pictures_read_part(const uint8_t **pixels, uint8_t *room, const struct pictures *p,
                              const struct split *split, int i, const double at[2], gvm_error *err)
{
    const struct picture_shape *whole = &p->whole, *part = &p->aerial;
    const char *path = split->tiles[i].path;
    const uint8_t *from = p->cache != NULL ? cache_picture(p->cache, split, GVM_AERIAL, i) : NULL;
    uint8_t *read = from == NULL ? malloc(picture_bytes(whole)) : NULL;
    gvm_status status = GVM_OK;
    if (from == NULL)
        status = read != NULL ? cache_load(read, whole, GVM_AERIAL, path, NAN, err)
                              : fail(err, GVM_MEMORY, "%s: cannot read it: out of memory", path_tail(path));
    if (from == NULL) from = read;
    size_t top = (size_t)lround(at[1] * (whole->height - part->height)), row = 3 * (size_t)part->width;
    size_t left = (size_t)lround(at[0] * (whole->width - part->width));
    for (size_t y = 0; y < (size_t)part->height && status == GVM_OK; y++)
        memcpy(room + y * row, from + ((top + y) * (size_t)whole->width + left) * 3, row);
    free(read);
    *pixels = room;
    return status;
}

gvm_status pictures_read(const uint8_t **pixels, uint8_t *room, const struct pictures *p, const struct split *split,
                         gvm_view view, int i, gvm_error *err)
{
    static const double middle[2] = {0.5, 0.5};
    if (view == GVM_AERIAL && p->whole.height > 0) return pictures_read_part(pixels, room, p, split, i, middle, err);
    *pixels = p->cache != NULL ? cache_picture(p->cache, split, view, i) : NULL;
    if (*pixels != NULL) return GVM_OK;
    *pixels = room;
    if (view == GVM_STREET)
        return cache_load(room, &p->street, view, split->queries[i].path, split->queries[i].heading, err);
    const struct tile *t = &split->tiles[i];
    if (p->cutters != NULL) return pictures_cut(room, p, t->lat, t->lon, p->aerial.bearing, err);
    return cache_load(room, &p->aerial, view, t->path, NAN, err);
}
