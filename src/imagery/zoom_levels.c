/* zoom_levels.c - fills windows of a layer's pyramid levels: the layer's pixels are read once, in strips from the
 * north, composited over white and halved until the coarsest window is filled. A pixel of level l + 1 is the mean of 2
 * x 2 pixels of level l, rounded half up. Takes the memory of the windows and two strips. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "imagery/mosaic.h"
#include "raster/pixels.h"

enum {
    OPEN_MOST = 16, /* open rasters of a thread */
    STRIP = 256     /* rows of a strip, or more if the coarsest level needs them */
};

struct opened {
    const struct mosaic *mosaic;
    struct {
        struct raster *raster; /* NULL: free */
        size_t source;
        unsigned long used;
    } slots[OPEN_MOST];
    unsigned long clock;
};

struct opened *opened_new(const struct mosaic *mosaic)
{
    struct opened *o = calloc(1, sizeof *o);
    if (o != NULL) o->mosaic = mosaic;
    return o;
}

void opened_free(struct opened *o)
{
    for (int i = 0; o != NULL && i < OPEN_MOST; i++) raster_free(o->slots[i].raster);
    free(o);
}

/* Open a raster; closes the least recently used one if there are OPEN_MOST. */
static gvm_status open_member(struct raster **raster, struct opened *o, size_t source, gvm_error *err)
{
    const struct mosaic_source *from = &o->mosaic->sources[source];
    struct raster_grid grid;
    int oldest = 0;
    for (int i = 0; i < OPEN_MOST; i++) {
        if (o->slots[i].raster != NULL && o->slots[i].source == source) {
            o->slots[i].used = ++o->clock;
            *raster = o->slots[i].raster;
            return GVM_OK;
        }
        if (o->slots[i].used < o->slots[oldest].used) oldest = i;
    }
    raster_free(o->slots[oldest].raster);
    o->slots[oldest].raster = NULL;
    o->slots[oldest].used = 0;
    gvm_status status = raster_open(raster, from->path, &from->hints, 1, err);
    if (status == GVM_OK) status = raster_square(&grid, *raster, err);
    if (status != GVM_OK) {
        raster_free(*raster);
        return status;
    }
    o->slots[oldest].raster = *raster;
    o->slots[oldest].source = source;
    o->slots[oldest].used = ++o->clock;
    return GVM_OK;
}

/* ------------------------------------------------------------------ pixels */

static bool is_white(const uint8_t *p)
{
    return p[0] > 240 && p[1] > 240 && p[2] > 240;
}

/* Composite a raster below the pixels drawn so far: it shows through pixels that are void or white, since many rasters
 * have a white border. */
static void lay_below(uint8_t *out, const uint8_t *in, size_t n)
{
    for (size_t i = 0; i < n; i++, out += 4, in += 4) {
        if (in[3] == 0 || (out[3] > 0 && !is_white(out))) continue;
        for (int k = 0; k < 3; k++) out[k] = (uint8_t)((in[k] * in[3] + 255 * (255 - in[3]) + 127) / 255);
        out[3] = in[3];
    }
}

static void clear(uint8_t *rgba, size_t n)
{
    static const uint8_t nothing[4] = {255, 255, 255, 0};
    for (size_t i = 0; i < n; i++) memcpy(rgba + 4 * i, nothing, sizeof nothing);
}

/* Read a strip of the layer's pixels; `part` is a buffer of the same size. */
static gvm_status read_strip(struct window *strip, uint8_t *part, struct opened *o, const struct layer *layer,
                             gvm_error *err)
{
    size_t across = (size_t)(strip->x1 - strip->x0);
    clear(strip->rgba, window_pixels(strip));
    for (size_t i = 0; i < layer->member_count; i++) {
        const struct member *m = &layer->members[i];
        long x0 = strip->x0 > m->x ? strip->x0 : m->x, y0 = strip->y0 > m->y ? strip->y0 : m->y;
        long x1 = m->x + (long)m->width, y1 = m->y + (long)m->height;
        if (x1 > strip->x1) x1 = strip->x1;
        if (y1 > strip->y1) y1 = strip->y1;
        if (x0 >= x1 || y0 >= y1) continue;
        struct raster *raster;
        const int box[4] = {(int)(x0 - m->x), (int)(y0 - m->y), (int)(x1 - m->x), (int)(y1 - m->y)};
        gvm_status status = open_member(&raster, o, m->source, err);
        if (status == GVM_OK) status = raster_read_pixels(part, raster, box, err);
        if (status != GVM_OK) return status;
        for (long y = y0; y < y1; y++)
            lay_below(strip->rgba + 4 * ((size_t)(y - strip->y0) * across + (size_t)(x0 - strip->x0)),
                      part + 4 * (size_t)(y - y0) * (size_t)(x1 - x0), (size_t)(x1 - x0));
    }
    return GVM_OK;
}

/* Halve a window in place: writes stay behind reads. */
static void halve(struct window *w)
{
    size_t across = 4 * (size_t)(w->x1 - w->x0);
    w->x0 /= 2, w->x1 /= 2, w->y0 /= 2, w->y1 /= 2;
    size_t W = (size_t)(w->x1 - w->x0), H = (size_t)(w->y1 - w->y0);
    uint8_t *out = w->rgba;
    for (size_t y = 0; y < H; y++) {
        const uint8_t *p = w->rgba + 2 * y * across, *q = p + across;
        for (size_t x = 0; x < W; x++, p += 8, q += 8, out += 4)
            for (int k = 0; k < 4; k++) out[k] = (uint8_t)((p[k] + p[k + 4] + q[k] + q[k + 4] + 2) >> 2);
    }
}

static void copy_rows(struct window *to, const struct window *from)
{
    long x0 = to->x0 > from->x0 ? to->x0 : from->x0, x1 = to->x1 < from->x1 ? to->x1 : from->x1;
    long y0 = to->y0 > from->y0 ? to->y0 : from->y0, y1 = to->y1 < from->y1 ? to->y1 : from->y1;
    for (long y = y0; y < y1 && x0 < x1; y++)
        memcpy(to->rgba + 4 * ((y - to->y0) * (to->x1 - to->x0) + x0 - to->x0),
               from->rgba + 4 * ((y - from->y0) * (from->x1 - from->x0) + x0 - from->x0), 4 * (size_t)(x1 - x0));
}

/* ------------------------------------------------------------------ all */

static long down_to(long value, long step)
{
    return value - ((value % step) + step) % step;
}

/* The layer's pixels needed for the windows, and the deepest level among these. */
static struct window pixels_of(int *deepest, const struct window *windows)
{
    struct window all = {0, 0, 0, 0, NULL};
    for (int l = 0; l < MAX_LEVELS; l++) {
        const struct window *w = &windows[l];
        long side = 1L << l;
        if (window_pixels(w) > 0) *deepest = l;
        window_take_in(&all, &(struct window){w->x0 * side, w->y0 * side, w->x1 * side, w->y1 * side, NULL});
    }
    long step = 1L << *deepest;
    return (struct window){down_to(all.x0, step), down_to(all.y0, step), down_to(all.x1 + step - 1, step),
                           down_to(all.y1 + step - 1, step), NULL};
}

static gvm_status fill_windows(struct window *windows, struct opened *o, const struct layer *layer, gvm_error *err)
{
    int deepest = 0;
    struct window all = pixels_of(&deepest, windows);
    long step = 1L << deepest, rows = step > STRIP ? step : STRIP;
    for (int l = 0; l <= deepest; l++) clear(windows[l].rgba, window_pixels(&windows[l]));
    all.x0 = all.x0 > 0 ? all.x0 : 0; /* clip to the layer */
    all.y0 = all.y0 > 0 ? all.y0 : 0;
    all.x1 = all.x1 < layer->width ? all.x1 : down_to(layer->width + step - 1, step);
    all.y1 = all.y1 < layer->height ? all.y1 : down_to(layer->height + step - 1, step);
    if (all.x0 >= all.x1 || all.y0 >= all.y1) return GVM_OK;
    size_t bytes = 4 * (size_t)rows * (size_t)(all.x1 - all.x0);
    uint8_t *buffer = malloc(bytes), *part = malloc(bytes);
    gvm_status status =
        buffer != NULL && part != NULL ? GVM_OK : fail(err, GVM_MEMORY, "cannot cut tiles: out of memory");
    for (long y = all.y0; y < all.y1 && status == GVM_OK; y += rows) {
        struct window strip = {all.x0, y, all.x1, y + rows < all.y1 ? y + rows : all.y1, buffer};
        status = read_strip(&strip, part, o, layer, err);
        for (int l = 0; l <= deepest && status == GVM_OK; l++) {
            if (l > 0) halve(&strip);
            if (window_pixels(&windows[l]) > 0) copy_rows(&windows[l], &strip);
        }
    }
    free(buffer);
    free(part);
    return status;
}

gvm_status levels_read(struct window *windows, struct opened *o, size_t layer, gvm_error *err)
{
    gvm_status status = GVM_OK;
    for (int l = 0; l < MAX_LEVELS && status == GVM_OK; l++) {
        size_t pixels = window_pixels(&windows[l]);
        windows[l].rgba = pixels > 0 ? malloc(4 * pixels) : NULL;
        if (pixels > 0 && windows[l].rgba == NULL) status = fail(err, GVM_MEMORY, "cannot cut tiles: out of memory");
    }
    const struct layer *from = &o->mosaic->layers[layer];
    for (int l = 0; l < MAX_LEVELS && status == GVM_OK && from->kept != NULL; l++) {
        if (windows[l].rgba == NULL) continue;
        clear(windows[l].rgba, window_pixels(&windows[l]));
        copy_rows(&windows[l], &from->kept[l]);
    }
    if (status == GVM_OK && from->kept == NULL) status = fill_windows(windows, o, from, err);
    for (int l = 0; l < MAX_LEVELS && status != GVM_OK; l++) {
        free(windows[l].rgba);
        windows[l].rgba = NULL;
    }
    return status;
}

/* ------------------------------------------------------------------ whole levels */

void windows_free(struct window *windows)
{
    for (int l = 0; windows != NULL && l < MAX_LEVELS; l++) free(windows[l].rgba);
    free(windows);
}

/* The whole levels that pictures of a layer are sampled from. Returns their number of pixels. */
static double whole_levels(struct window windows[MAX_LEVELS], const struct layer *layer, int zoom_count)
{
    double pixels = 0;
    memset(windows, 0, MAX_LEVELS * sizeof *windows);
    for (int k = 0; k < zoom_count; k++) {
        long side = 1L << layer->levels[k];
        struct window *w = &windows[layer->levels[k]];
        if (window_pixels(w) > 0) continue;
        *w = (struct window){0, 0, (layer->width + side - 1) / side, (layer->height + side - 1) / side, NULL};
        pixels += (double)window_pixels(w);
    }
    return pixels;
}

gvm_status mosaic_keep(struct mosaic *m, double bytes, gvm_error *err)
{
    struct window windows[MAX_LEVELS];
    double need = 0, strips = 0;
    for (size_t i = 0; i < m->layer_count; i++) {
        need += 4 * whole_levels(windows, &m->layers[i], m->zoom_count);
        strips = fmax(strips, 2 * 4.0 * STRIP * m->layers[i].width);
    }
    if (need + strips > bytes) return GVM_OK;
    struct opened *opened = opened_new(m);
    gvm_status status = opened != NULL ? GVM_OK : fail(err, GVM_MEMORY, "out of memory for the rasters");
    for (size_t i = 0; i < m->layer_count && status == GVM_OK; i++) {
        struct window *kept = malloc(MAX_LEVELS * sizeof *kept);
        if (kept == NULL) {
            status = fail(err, GVM_MEMORY, "out of memory for the rasters");
            break;
        }
        whole_levels(kept, &m->layers[i], m->zoom_count);
        status = levels_read(kept, opened, i, err);
        if (status == GVM_OK)
            m->layers[i].kept = kept;
        else
            free(kept);
    }
    opened_free(opened);
    return status;
}
