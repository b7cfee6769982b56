/* zooms.c - see zooms.h: cuts the pictures of places from the layers. */
#include "imagery/zooms.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "geo/earth.h"
#include "imagery/mosaic.h"

struct zoom_cutter {
    const struct mosaic *mosaic;
    const struct view *view;
    struct opened *opened;
    struct way *ways; /* (layers) */
    uint8_t *picture; /* (H, W, 3) */
};

/* State of the pictures of some places. */
struct pictures {
    struct aim *aims;   /* (places, zooms) in the current layer */
    struct shown *best; /* (places, zooms) of the best picture so far; white < 0: none yet */
};

gvm_status zoom_cutter_open(struct zoom_cutter **cutter, const struct mosaic *mosaic, const struct view *view,
                            gvm_error *err)
{
    struct zoom_cutter *c = *cutter = calloc(1, sizeof *c);
    if (c != NULL) {
        *c = (struct zoom_cutter){.mosaic = mosaic, .view = view, .opened = opened_new(mosaic)};
        c->ways = calloc(mosaic->layer_count + 1, sizeof *c->ways);
        c->picture = malloc((size_t)view->size[0] * (size_t)view->size[1] * 3);
        bool enough = c->opened != NULL && c->ways != NULL && c->picture != NULL;
        for (size_t i = 0; i < mosaic->layer_count && enough; i++)
            enough = way_open(&c->ways[i], mosaic->layers[i].crs);
        if (enough) return GVM_OK;
        zoom_cutter_free(c);
        *cutter = NULL;
    }
    return fail(err, GVM_MEMORY, "cannot cut tiles: out of memory");
}

void zoom_cutter_free(struct zoom_cutter *c)
{
    if (c == NULL) return;
    for (size_t i = 0; i < c->mosaic->layer_count && c->ways != NULL; i++) way_close(&c->ways[i]);
    opened_free(c->opened);
    free(c->ways);
    free(c->picture);
    free(c);
}

/* ------------------------------------------------------------------ position in a layer */

/* The angle from the layer's north to true north, anticlockwise. */
static bool convergence(double *angle, const struct way *w, double lat, double lon)
{
    const double step = 0.0001;
    double x = lat, y = lon, u = lat + step, v = lon;
    if (!way_there(w, &x, &y) || !way_there(w, &u, &v)) return false;
    *angle = atan2(v - y, u - x) - M_PI / 2;
    return true;
}

/* Fill in how a picture is sampled from its level; returns false if the position has no coordinates in the layer. */
static bool take_aim(struct aim *a, const struct layer *l, const struct way *w, const struct zoom_place *p, int zoom,
                     double metres)
{
    double lat = p->around != NULL ? p->around[zoom][0] : p->lat, lon = p->around != NULL ? p->around[zoom][1] : p->lon;
    double d[2], x = lat, y = lon, turn, side = exp2(l->levels[zoom]);
    if (!way_there(w, &x, &y) || !layer_density(d, l, w, lat, lon, l->levels[zoom]) || !convergence(&turn, w, lat, lon))
        return false;
    *a = (struct aim){.row = (l->north - y) / (l->unit[1] * side), .col = (x - l->west) / (l->unit[0] * side)};
    a->scale = metres * (d[0] + d[1]) / 2;
    a->angle = -p->bearing * EARTH_DEGREE + turn;
    a->radius = blur_kernel(a->kernel, (a->scale - 1) / 2);
    return fabs(a->row) < 1e9 && fabs(a->col) < 1e9;
}

static struct window widened(struct window w, int by)
{
    return (struct window){w.x0 - by, w.y0 - by, w.x1 + by, w.y1 + by, NULL};
}

/* Returns true if a window of a level touches the layer. */
static bool touches(const struct layer *l, const struct window *w, int level)
{
    double side = exp2(level);
    return w->x1 > 0 && w->y1 > 0 && (double)w->x0 * side < l->width && (double)w->y0 * side < l->height;
}

/* The raster that contains a position, or else the nearest one. */
static size_t find_source(const struct zoom_cutter *c, double lat, double lon)
{
    double least = INFINITY;
    size_t source = 0;
    for (size_t i = 0; i < c->mosaic->layer_count; i++) {
        const struct layer *l = &c->mosaic->layers[i];
        double x = lat, y = lon;
        if (!way_there(&c->ways[i], &x, &y)) continue;
        double col = (x - l->west) / l->unit[0], row = (l->north - y) / l->unit[1];
        for (size_t k = 0; k < l->member_count; k++) {
            const struct member *m = &l->members[k];
            double across = fmax(0, fmax(m->x - col, col - m->x - m->width));
            double down = fmax(0, fmax(m->y - row, row - m->y - m->height)), off = hypot(across, down) * l->pixel_m;
            if (off >= least) continue;
            least = off;
            source = m->source;
        }
    }
    return source;
}

/* ------------------------------------------------------------------ pictures */

/* Cut the pictures of a zoom from a window of its level. Neighbours share the blurred window as long as they have the
 * same kernel; it depends on the pixel density, which changes once in several kilometres. */
static gvm_status cut_zoom(struct zoom_place *places, size_t count, struct zoom_cutter *c, struct pictures *all,
                           const struct window *level, int zoom, gvm_error *err)
{
    int zooms = c->mosaic->zoom_count;
    size_t bytes = (size_t)c->view->size[0] * (size_t)c->view->size[1] * 3;
    const struct aim *last = NULL;
    struct window need = {0, 0, 0, 0, NULL};
    for (size_t i = 0; i < count; i++) {
        struct window one = aim_window(&all->aims[i * (size_t)zooms + (size_t)zoom], c->view->size);
        window_take_in(&need, &one);
    }
    assert(window_pixels(&need) > 0);
    size_t across = (size_t)(need.x1 - need.x0 + BLUR_MOST);
    need.rgba = malloc(4 * window_pixels(&need));
    uint32_t *row = malloc(8 * across * sizeof *row);
    bool enough = need.rgba != NULL && row != NULL;
    for (size_t i = 0; i < count && enough; i++) {
        size_t number = i * (size_t)zooms + (size_t)zoom;
        const struct aim *a = &all->aims[number];
        bool same = last != NULL && last->radius == a->radius &&
                    memcmp(last->kernel, a->kernel, (size_t)(2 * a->radius + 1) * sizeof *a->kernel) == 0;
        if (!same) blur(&need, level, a->kernel, a->radius, row);
        last = a;
        struct shown shown = sample(c->picture, &need, a, c->view->size);
        if (shown.alpha == 0 || (all->best[number].white >= 0 && shown.white >= all->best[number].white)) continue;
        all->best[number] = shown;
        memcpy(places[i].pixels + (size_t)zoom * bytes, c->picture, bytes);
    }
    free(need.rgba);
    free(row);
    return enough ? GVM_OK : fail(err, GVM_MEMORY, "cannot cut tiles: out of memory");
}

static gvm_status cut_layer(struct zoom_place *places, size_t count, struct zoom_cutter *c, struct pictures *all,
                            size_t layer, gvm_error *err)
{
    const struct mosaic *m = c->mosaic;
    const struct layer *l = &m->layers[layer];
    struct window windows[MAX_LEVELS] = {{0, 0, 0, 0, NULL}};
    bool there = false;
    for (size_t i = 0; i < count; i++)
        for (int k = 0; k < m->zoom_count; k++) {
            struct aim *a = &all->aims[i * (size_t)m->zoom_count + (size_t)k];
            if (!take_aim(a, l, &c->ways[layer], &places[i], k, m->zooms[k])) return GVM_OK;
            struct window w = widened(aim_window(a, c->view->size), BLUR_MOST / 2);
            window_take_in(&windows[l->levels[k]], &w);
            there = there || touches(l, &w, l->levels[k]);
        }
    if (!there) return GVM_OK;
    gvm_status status = levels_read(windows, c->opened, layer, err);
    for (int k = 0; k < m->zoom_count && status == GVM_OK; k++)
        status = cut_zoom(places, count, c, all, &windows[l->levels[k]], k, err);
    for (int i = 0; i < MAX_LEVELS; i++) free(windows[i].rgba);
    return status;
}

gvm_status zoom_cut(struct zoom_place *places, size_t count, struct zoom_cutter *c, gvm_error *err)
{
    const struct mosaic *m = c->mosaic;
    size_t n = count * (size_t)m->zoom_count, pixels = (size_t)c->view->size[0] * (size_t)c->view->size[1];
    struct pictures all = {calloc(n + 1, sizeof *all.aims), malloc((n + 1) * sizeof *all.best)};
    gvm_status status =
        all.aims != NULL && all.best != NULL ? GVM_OK : fail(err, GVM_MEMORY, "cannot cut tiles: out of memory");
    for (size_t i = 0; i < count && status == GVM_OK; i++)
        memset(places[i].pixels, 255, pixels * 3 * (size_t)m->zoom_count);
    for (size_t i = 0; i < n && status == GVM_OK; i++) all.best[i] = (struct shown){0, -1};
    for (size_t i = 0; i < count; i++) places[i].source = find_source(c, places[i].lat, places[i].lon);
    for (size_t i = 0; i < m->layer_count && status == GVM_OK; i++) status = cut_layer(places, count, c, &all, i, err);
    for (size_t i = 0; i < count && status == GVM_OK; i++) {
        double sum = 0;
        for (int k = 0; k < m->zoom_count; k++) {
            double shown = (double)all.best[i * (size_t)m->zoom_count + (size_t)k].alpha / (255.0 * (double)pixels);
            if (k == 0) places[i].empty = 1 - shown;
            sum += 1 - shown;
        }
        places[i].white = sum / m->zoom_count;
    }
    free(all.aims);
    free(all.best);
    return status;
}

gvm_status zoom_tile_cut(uint8_t *pixels, struct zoom_cutter *c, double lat, double lon, double bearing, gvm_error *err)
{
    struct zoom_place place = {.lat = lat, .lon = lon, .bearing = bearing, .pixels = pixels};
    return zoom_cut(&place, 1, c, err);
}
