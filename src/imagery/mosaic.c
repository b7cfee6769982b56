/* mosaic.c - groups rasters into layers that are read as one picture: see zooms.h. */
#include "imagery/mosaic.h"

#include <cpl_conv.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"
#include "base/file.h"
#include "geo/earth.h"
#include "imagery/cells.h"
#include "raster/gdal.h"
#include "raster/pixels.h"

#define OVERLAP 0.25    /* largest overlap of two rasters of a layer, as a share of the smaller one */
#define OFF_PIXEL 0.5   /* largest drift against the layer's pixels over a raster's width or height, pixels */
#define PIXELS_MOST 1e9 /* of a layer's width or height */

/* ------------------------------------------------------------------ coordinates */

bool way_open(struct way *w, const char *crs)
{
    struct gdal_words words;
    gdal_listen(&words);
    OGRSpatialReferenceH world = OSRNewSpatialReference(NULL), own = OSRNewSpatialReference(NULL);
    OSRImportFromEPSG(world, 4326);
    OSRSetFromUserInput(own, crs);
    OSRSetAxisMappingStrategy(world, OAMS_TRADITIONAL_GIS_ORDER);
    OSRSetAxisMappingStrategy(own, OAMS_TRADITIONAL_GIS_ORDER);
    *w = (struct way){OCTNewCoordinateTransformation(world, own), OCTNewCoordinateTransformation(own, world)};
    OSRDestroySpatialReference(world);
    OSRDestroySpatialReference(own);
    gdal_ignore();
    return w->there != NULL && w->back != NULL;
}

void way_close(struct way *w)
{
    if (w->there != NULL) OCTDestroyCoordinateTransformation(w->there);
    if (w->back != NULL) OCTDestroyCoordinateTransformation(w->back);
    *w = (struct way){NULL, NULL};
}

static bool transform(OGRCoordinateTransformationH way, double *x, double *y)
{
    struct gdal_words words; /* discarded: a point without coordinates is not a failure */
    gdal_listen(&words);
    int good = false;
    double z = 0;
    bool done = OCTTransformEx(way, 1, x, y, &z, &good) && good && isfinite(*x) && isfinite(*y);
    gdal_ignore();
    return done;
}

bool way_there(const struct way *w, double *lat, double *lon)
{
    double x = *lon, y = *lat;
    bool done = transform(w->there, &x, &y);
    *lat = x;
    *lon = y;
    return done;
}

bool way_back(const struct way *w, double *x, double *y)
{
    double lon = *x, lat = *y;
    bool done = transform(w->back, &lon, &lat);
    *x = lat;
    *y = lon;
    return done;
}

bool layer_density(double density[2], const struct layer *l, const struct way *w, double lat, double lon, int level)
{
    enum { STEP = 25 };
    double x = lat, y = lon, half = 0.5 * STEP * exp2(level), metres = CELL_RADIUS * EARTH_DEGREE;
    if (!way_there(w, &x, &y)) return false;
    double a[2] = {x - half * l->unit[0], y - half * l->unit[1]}, b[2] = {x + half * l->unit[0], y + half * l->unit[1]};
    if (!way_back(w, &a[0], &a[1]) || !way_back(w, &b[0], &b[1])) return false;
    density[0] = STEP / (fabs(b[0] - a[0]) * metres);
    density[1] = STEP / (fabs(lon_near(b[1], a[1]) - a[1]) * metres * cos(lat * EARTH_DEGREE));
    return isfinite(density[0]) && isfinite(density[1]);
}

int layer_level(const struct layer *l, const struct way *w, double lat, double lon, double zoom)
{
    for (int level = MAX_LEVELS - 1; level > 0; level--) {
        double d[2];
        if (layer_density(d, l, w, lat, lon, level) && 1 / fmax(d[0], d[1]) < (double)(0.5F * (float)zoom))
            return level;
    }
    return 0;
}

/* ------------------------------------------------------------------ assigning rasters to layers */

/* A raster and its grid before it is assigned to a layer. */
struct sheet {
    struct raster_grid grid;
    struct rects parts;
    struct layer *layer;
};

static bool same_crs(const char *a, const char *b)
{
    if (strcmp(a, b) == 0) return true;
    OGRSpatialReferenceH p = OSRNewSpatialReference(a), q = OSRNewSpatialReference(b);
    bool same = p != NULL && q != NULL && OSRIsSame(p, q);
    OSRDestroySpatialReference(p);
    OSRDestroySpatialReference(q);
    return same;
}

static double overlap(const struct member *a, const struct member *b)
{
    double w = fmin(a->x + (double)a->width, b->x + (double)b->width) - fmax(a->x, b->x);
    double h = fmin(a->y + (double)a->height, b->y + (double)b->height) - fmax(a->y, b->y);
    double least = fmin((double)a->width * a->height, (double)b->width * b->height);
    return w > 0 && h > 0 ? w * h / least : 0;
}

/* Returns true if a raster fits into a layer; fills in its offset. */
static bool fits(struct member *m, const struct layer *l, const struct raster_grid *g)
{
    double x = (g->west - l->west) / l->unit[0], y = (l->north - g->north) / l->unit[1];
    if (fabs(g->unit[0] / l->unit[0] - 1) * g->width > OFF_PIXEL ||
        fabs(g->unit[1] / l->unit[1] - 1) * g->height > OFF_PIXEL || fabs(x) > PIXELS_MOST / 2 ||
        fabs(y) > PIXELS_MOST / 2 || !same_crs(l->crs, g->crs))
        return false;
    m->x = (int)lround(x);
    m->y = (int)lround(y);
    for (size_t i = 0; i < l->member_count; i++)
        if (overlap(m, &l->members[i]) > OVERLAP) return false;
    return true;
}

/* Assign a raster to the first layer that it fits into, or to a new one. Returns false if out of memory. */
static bool place_sheet(struct mosaic *m, size_t source, const struct sheet *s)
{
    struct member member = {source, 0, 0, s->grid.width, s->grid.height};
    struct layer *l = NULL;
    for (size_t i = 0; i < m->layer_count && l == NULL; i++)
        if (fits(&member, &m->layers[i], &s->grid)) l = &m->layers[i];
    if (l == NULL) {
        struct layer *layers = array_room(m->layers, m->layer_count, sizeof *layers);
        if (layers == NULL) return false;
        m->layers = layers;
        l = &layers[m->layer_count++];
        *l = (struct layer){.crs = CPLStrdup(s->grid.crs),
                            .west = s->grid.west,
                            .north = s->grid.north,
                            .unit = {s->grid.unit[0], s->grid.unit[1]}};
        member.x = member.y = 0;
    }
    struct member *members = array_room(l->members, l->member_count, sizeof *members);
    if (members != NULL) (l->members = members)[l->member_count++] = member;
    return members != NULL;
}

static gvm_status look_at_source(struct mosaic *m, struct rects *parts, size_t source, gvm_error *err)
{
    const struct mosaic_source *from = &m->sources[source];
    struct raster *raster;
    struct raster_facts facts = {.parts = NULL};
    struct sheet sheet;
    gvm_status status = raster_open(&raster, from->path, &from->hints, 1, err);
    if (status != GVM_OK) return status;
    status = raster_describe(&facts, raster, err);
    free(facts.parts);
    memcpy(m->boxes[source], facts.box, sizeof facts.box);
    if (status == GVM_OK) status = raster_square(&sheet.grid, raster, err);
    if (status == GVM_OK) status = raster_parts(parts, raster, err);
    if (status == GVM_OK && !place_sheet(m, source, &sheet))
        status = fail(err, GVM_MEMORY, "%s: cannot open it: out of memory", path_tail(from->path));
    raster_free(raster);
    return status;
}

/* ------------------------------------------------------------------ layers */

/* A layer's corner is the west of its westernmost and the north of its northernmost raster. */
static void find_corner(struct layer *l)
{
    int x = 0, y = 0;
    for (size_t i = 0; i < l->member_count; i++) {
        if (l->members[i].x < x) x = l->members[i].x;
        if (l->members[i].y < y) y = l->members[i].y;
    }
    l->west += x * l->unit[0];
    l->north -= y * l->unit[1];
    for (size_t i = 0; i < l->member_count; i++) {
        struct member *m = &l->members[i];
        m->x -= x;
        m->y -= y;
        if (m->x + m->width > l->width) l->width = m->x + m->width;
        if (m->y + m->height > l->height) l->height = m->y + m->height;
    }
}

static bool find_parts(struct layer *l, const struct rects *of_sources)
{
    l->parts.width = l->width;
    l->parts.height = l->height;
    for (size_t i = 0; i < l->member_count; i++) {
        const struct member *m = &l->members[i];
        const struct rects *own = &of_sources[m->source];
        for (size_t k = 0; k < own->count; k++) {
            const struct rect *p = &own->items[k];
            rects_add(&l->parts, p->x0 + m->x, p->y0 + m->y, p->x1 + m->x, p->y1 + m->y);
        }
    }
    rects_join(&l->parts);
    l->reach = malloc((l->parts.count + 1) * sizeof *l->reach);
    for (size_t i = 0; i < l->parts.count && l->reach != NULL; i++) {
        int end = l->parts.items[i].y1;
        l->reach[i] = i > 0 && l->reach[i - 1] > end ? l->reach[i - 1] : end;
    }
    return l->reach != NULL && !l->parts.short_of_memory;
}

static gvm_status finish_layer(struct mosaic *m, struct layer *l, struct way *way, const struct rects *parts,
                               gvm_error *err)
{
    const char *where = path_tail(m->sources[l->members[0].source].path);
    double d[2];
    find_corner(l);
    if (!find_parts(l, parts) || !way_open(way, l->crs))
        return fail(err, GVM_MEMORY, "%s: cannot open it: out of memory", where);
    l->middle[0] = l->west + l->unit[0] * l->width / 2;
    l->middle[1] = l->north - l->unit[1] * l->height / 2;
    if (!way_back(way, &l->middle[0], &l->middle[1]) || !layer_density(d, l, way, l->middle[0], l->middle[1], 0))
        return fail(err, GVM_FORMAT, "%s: its centre does not lie on the Earth", where);
    l->pixel_m = 2 / (d[0] + d[1]);
    for (int k = 0; k < m->zoom_count; k++) l->levels[k] = layer_level(l, way, l->middle[0], l->middle[1], m->zooms[k]);
    return GVM_OK;
}

gvm_status mosaic_open(struct mosaic **mosaic, const struct mosaic_source *sources, size_t count, const double *zooms,
                       int zoom_count, gvm_error *err)
{
    struct mosaic *m = calloc(1, sizeof *m);
    struct rects *parts = calloc(count + 1, sizeof *parts);
    *mosaic = NULL;
    if (m != NULL) *m = (struct mosaic){.sources = sources, .source_count = count, .zoom_count = zoom_count};
    if (m != NULL) m->boxes = calloc(count + 1, sizeof *m->boxes);
    gvm_status status = m != NULL && m->boxes != NULL && parts != NULL
                            ? GVM_OK
                            : fail(err, GVM_MEMORY, "out of memory for %zu rasters", count);
    for (int k = 0; k < zoom_count && status == GVM_OK; k++) m->zooms[k] = zooms[k];
    for (size_t i = 0; i < count && status == GVM_OK; i++) status = look_at_source(m, &parts[i], i, err);
    if (status == GVM_OK && (m->ways = calloc(m->layer_count + 1, sizeof *m->ways)) == NULL)
        status = fail(err, GVM_MEMORY, "out of memory for %zu rasters", count);
    for (size_t i = 0; status == GVM_OK && i < m->layer_count; i++)
        status = finish_layer(m, &m->layers[i], &m->ways[i], parts, err);
    for (size_t i = 0; i < count && parts != NULL; i++) rects_free(&parts[i]);
    free(parts);
    if (status == GVM_OK)
        *mosaic = m;
    else
        mosaic_free(m);
    return status;
}

void mosaic_free(struct mosaic *m)
{
    if (m == NULL) return;
    for (size_t i = 0; i < m->layer_count; i++) {
        struct layer *l = &m->layers[i];
        CPLFree(l->crs);
        free(l->members);
        free(l->reach);
        windows_free(l->kept);
        rects_free(&l->parts);
        if (m->ways != NULL) way_close(&m->ways[i]);
    }
    free(m->layers);
    free(m->ways);
    free(m->boxes);
    free(m);
}

/* ------------------------------------------------------------------ coverage */

static bool layer_covers(const struct layer *l, double x, double y)
{
    if (!(x >= 0 && x <= l->width && y >= 0 && y <= l->height)) return false;
    size_t low = 0, high = l->parts.count; /* parts before `low` begin above y */
    while (low < high) {
        size_t half = (low + high) / 2;
        if (l->parts.items[half].y0 <= y)
            low = half + 1;
        else
            high = half;
    }
    while (low-- > 0 && l->reach[low] >= y) {
        const struct rect *p = &l->parts.items[low];
        if (x >= p->x0 && x <= p->x1 && y >= p->y0 && y <= p->y1) return true;
    }
    return false;
}

bool mosaic_covers(const struct mosaic *m, double lat, double lon)
{
    for (size_t i = 0; i < m->layer_count; i++) {
        const struct layer *l = &m->layers[i];
        double x = lat, y = lon;
        if (way_there(&m->ways[i], &x, &y) && layer_covers(l, (x - l->west) / l->unit[0], (l->north - y) / l->unit[1]))
            return true;
    }
    return false;
}
