/* raster_bands.c - chooses the bands of the picture, its validity bands, and the stretch from 16 to 8 bits.
 *
 * The picture's bands are followed by validity bands (255 for valid pixels) in one view, because GDAL's warper is five
 * times slower on pixels with a mask than on plain ones. */
#include <cpl_string.h>
#include <gdal_utils.h>
#include <gdal_vrt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "raster/gdal.h"
#include "raster/raster_parts.h"

enum {
    WINDOWS = 8,     /* windows a side from which samples are taken */
    WINDOW = 128,    /* their side at most, pixels */
    VALUES = 1 << 16 /* of 16 bits */
};

#define SHADES 0.05 /* largest share of an alpha band's samples in the soft edges of a mask */

/* ------------------------------------------------------------------ samples */

/* Each window is in the middle of its eighth. */
static int window_side(int side)
{
    int eighth = side / WINDOWS;
    return eighth > WINDOW ? WINDOW : eighth > 0 ? eighth : 1;
}

static int window_start(int i, int side, int window)
{
    int middle = (int)((2.0 * i + 1) * side / (2 * WINDOWS)), start = middle - window / 2;
    return start + window <= side ? start : side - window;
}

/* Histogram of 16-bit values over a fixed set of windows of a band; if `masked`, without void pixels. Unreadable
 * windows are skipped: a tile that needs them reports the error. Returns false if out of memory. */
static bool count_values(uint32_t *counts, double *all, GDALRasterBandH band, bool masked)
{
    int W = GDALGetRasterBandXSize(band), H = GDALGetRasterBandYSize(band), w = window_side(W), h = window_side(H);
    const int half = GDALGetRasterDataType(band) == GDT_Int16 ? VALUES / 2 : 0;
    int32_t *values = malloc((size_t)WINDOW * WINDOW * sizeof *values);
    uint8_t *valid = malloc((size_t)WINDOW * WINDOW);
    bool enough = values != NULL && valid != NULL;
    for (int i = 0; i < WINDOWS * WINDOWS && enough; i++) {
        int x = window_start(i % WINDOWS, W, w), y = window_start(i / WINDOWS, H, h);
        memset(valid, 255, (size_t)WINDOW * WINDOW);
        if (GDALRasterIO(band, GF_Read, x, y, w, h, values, w, h, GDT_Int32, 0, 0) != CE_None ||
            (masked &&
             GDALRasterIO(GDALGetMaskBand(band), GF_Read, x, y, w, h, valid, w, h, GDT_Byte, 0, 0) != CE_None))
            continue;
        for (int k = 0; k < w * h; k++) {
            uint32_t at = (uint32_t)values[k] + (uint32_t)half;
            if (valid[k] == 0 || at >= VALUES) continue; /* a VRT's no-data value may be beyond its type */
            counts[at]++;
            ++*all;
        }
    }
    free(values);
    free(valid);
    return enough;
}

/* The value below which `wanted` of the samples lie. */
static int quantile(const uint32_t *counts, double wanted)
{
    double sum = 0;
    for (int v = 0; v < VALUES; v++)
        if ((sum += counts[v]) > wanted) return v;
    return VALUES - 1;
}

/* The darkest 2% of valid samples become 0, the brightest 2% become 255. All bands share one stretch to keep the hue.
 */
static bool find_stretch(struct raster *r, GDALDatasetH colours)
{
    const int half = r->type == GDT_Int16 ? VALUES / 2 : 0;
    uint32_t *counts = calloc(VALUES, sizeof *counts);
    double all = 0;
    bool enough = counts != NULL;
    for (int i = 0; i < r->band_count && enough; i++) {
        GDALRasterBandH band = GDALGetRasterBand(colours, r->bands[i]);
        bool by_alpha = GDALGetMaskFlags(band) & GMF_ALPHA;
        enough = count_values(counts, &all, band, !by_alpha || r->hints.alpha == YES);
    }
    if (enough) {
        r->low = quantile(counts, 0.02 * all) - half;
        r->high = quantile(counts, 0.98 * all) - half;
        if (r->high <= r->low) r->high = r->low + 1;
    }
    free(counts);
    return enough;
}

/* Find the opaque value of an alpha band: the largest of its type, or 255 in 16-bit bands as some programs write them.
 * *mask: the band looks like a mask, that is, it is 0 or opaque except at soft edges. Infrared, which programs mark as
 * alpha if it is the fourth band, has all shades. Returns false if out of memory. */
static bool look_at_alpha(int *opaque, bool *mask, GDALRasterBandH band)
{
    GDALDataType type = GDALGetRasterDataType(band);
    const int zero = type == GDT_Int16 ? VALUES / 2 : 0;
    int most = type == GDT_Byte ? 255 : VALUES - 1 - zero, highest = VALUES - 1 - zero;
    uint32_t *counts = calloc(VALUES, sizeof *counts);
    double all = 0, shades = 0, kinds = 0;
    bool enough = counts != NULL && count_values(counts, &all, band, false);
    while (enough && highest > 0 && counts[zero + highest] == 0) highest--;
    if (highest == 255) most = 255;
    int slack = most / 100; /* for lossy compression */
    for (int v = slack + 1; v < most - slack && enough; v++) {
        shades += counts[zero + v];
        kinds += counts[zero + v] > 0;
    }
    free(counts);
    *opaque = most;
    *mask = shades <= SHADES * all || kinds <= 3;
    return enough;
}

/* ------------------------------------------------------------------ which bands */

static gvm_status find_bands(struct raster *r, gvm_error *err)
{
    int count = GDALGetRasterCount(r->data), others[3], other_count = 0, named[3] = {0};
    for (int b = 1; b <= count; b++) {
        GDALColorInterp meaning = GDALGetRasterColorInterpretation(GDALGetRasterBand(r->data, b));
        if (meaning == GCI_CyanBand)
            return fail(err, GVM_FORMAT, "%s: unsupported colour space CMYK; convert it to RGB", r->where);
        if (meaning == GCI_AlphaBand && count > 1) {
            if (r->alpha == 0) r->alpha = b;
            continue;
        }
        if (meaning >= GCI_RedBand && meaning <= GCI_BlueBand && named[meaning - GCI_RedBand] == 0)
            named[meaning - GCI_RedBand] = b;
        if (other_count < 3) others[other_count++] = b;
    }
    bool all = named[0] != 0 && named[1] != 0 && named[2] != 0;
    r->band_count = all || other_count == 3 ? 3 : other_count > 0 ? 1 : 0;
    for (int i = 0; i < r->band_count; i++) r->bands[i] = all ? named[i] : others[i];
    if (r->band_count > 0) return GVM_OK;
    return fail(err, GVM_FORMAT, "%s: it has no colour band", r->where);
}

static gvm_status check_samples(struct raster *r, GDALDatasetH colours, gvm_error *err)
{
    r->type = GDALGetRasterDataType(GDALGetRasterBand(colours, r->bands[0]));
    for (int i = 0; i < r->band_count; i++) {
        GDALDataType type = GDALGetRasterDataType(GDALGetRasterBand(colours, r->bands[i]));
        if (type != GDT_Byte && type != GDT_UInt16 && type != GDT_Int16)
            return fail(err, GVM_FORMAT,
                        "%s: unsupported sample type %s, expected 8- or 16-bit unsigned; convert it, for example with "
                        "gdal_translate -ot Byte -scale",
                        r->where, GDALGetDataTypeName(type));
        if (type != r->type)
            return fail(err, GVM_FORMAT, "%s: its bands have different types (%s, %s); convert it to 8-bit RGB",
                        r->where, GDALGetDataTypeName(r->type), GDALGetDataTypeName(type));
    }
    return GVM_OK;
}

gvm_status raster_make_view(GDALDatasetH *view, const struct raster *r, const char *const *options, const char *what,
                            gvm_error *err)
{
    struct gdal_words words;
    gdal_listen(&words);
    GDALTranslateOptions *translate = GDALTranslateOptionsNew((char **)options, NULL);
    *view = GDALTranslate("", r->data, translate, NULL);
    GDALTranslateOptionsFree(translate);
    gdal_ignore();
    return *view != NULL ? GVM_OK : gdal_fail(err, GVM_FORMAT, r->where, what, &words);
}

/* The band with a palette, or 0. */
static int palette_band(const struct raster *r)
{
    GDALRasterBandH band = GDALGetRasterBand(r->data, r->bands[0]);
    return r->band_count == 1 && GDALGetRasterColorTable(band) != NULL ? r->bands[0] : 0;
}

static gvm_status lay_out_palette(GDALDatasetH *colours, struct raster *r, int band, gvm_error *err)
{
    char number[16];
    snprintf(number, sizeof number, "%d", band);
    const char *const options[] = {"-of",  "VRT",   "-b",   number,      "-expand", "rgba", "-ot",
                                   "Byte", "-mask", "none", "-a_nodata", "none",    NULL};
    gvm_status status = raster_make_view(colours, r, options, "its palette cannot be used", err);
    if (status == GVM_OK) r->views[r->view_count++] = *colours;
    r->band_count = 3;
    for (int i = 0; i < 3; i++) r->bands[i] = i + 1;
    return status;
}

static bool has_transparent_colour(GDALRasterBandH band)
{
    GDALColorTableH table = GDALGetRasterColorTable(band);
    for (int i = 0; i < GDALGetColorEntryCount(table); i++)
        if (GDALGetColorEntry(table, i)->c4 < 255) return true;
    return false;
}

/* ------------------------------------------------------------------ what is void */

/* Validity bands, at most VALID of them. */
struct valid {
    GDALRasterBandH bands[VALID];
    int count;
    int opaque; /* alpha's value for a valid pixel; a mask's is 255 */
};

/* Add GDAL's mask of a band: from no-data, from a mask band, or all valid. The mask band itself is used, since GDAL up
 * to at least 3.6 miscounts references to the source of a view made by gdal_translate's "-b mask" if it has overviews.
 */
static void add_mask(struct valid *v, const struct raster *r, int band)
{
    v->bands[v->count++] = GDALGetMaskBand(GDALGetRasterBand(r->views[0], band));
}

/* Add a band that is 255 in the covered parts, made from a picture of one pixel. */
static gvm_status add_cover(struct valid *v, struct raster *r, const struct rects *parts, gvm_error *err)
{
    struct gdal_words words;
    gdal_listen(&words);
    GDALDatasetH dot = GDALCreate(GDALGetDriverByName("MEM"), "", 1, 1, 1, GDT_Byte, NULL);
    GDALDatasetH view = GDALCreate(GDALGetDriverByName("VRT"), "", r->width, r->height, 1, GDT_Byte, NULL);
    bool done = dot != NULL && view != NULL;
    if (dot != NULL) r->views[r->view_count++] = dot;
    if (view != NULL) r->views[r->view_count++] = view;
    if (done) GDALFillRaster(GDALGetRasterBand(dot, 1), 255, 0);
    for (size_t i = 0; i < parts->count && done; i++) {
        const struct rect *p = &parts->items[i];
        done = VRTAddSimpleSource(GDALGetRasterBand(view, 1), GDALGetRasterBand(dot, 1), 0, 0, 1, 1, p->x0, p->y0,
                                  p->x1 - p->x0, p->y1 - p->y0, "near", VRT_NODATA_UNSET) == CE_None;
    }
    gdal_ignore();
    if (!done) return gdal_fail(err, GVM_MEMORY, r->where, "cannot open it: out of memory", &words);
    v->bands[v->count++] = GDALGetRasterBand(view, 1);
    return GVM_OK;
}

/* Returns true if each band has a no-data value. */
static bool find_nodata(struct raster *r, GDALDatasetH colours)
{
    int has = true;
    for (int i = 0; i < r->band_count && has; i++)
        r->nodata[i] = GDALGetRasterNoDataValue(GDALGetRasterBand(colours, r->bands[i]), &has);
    return has;
}

/* Add the validity bands that no-data values and masks of the picture's bands imply. If no-data in all bands is the
 * only source, it is left to the warper. */
static gvm_status add_declared(struct valid *v, struct raster *r, const int *own, int own_count, bool palette,
                               gvm_error *err)
{
    int flags = GDALGetMaskFlags(GDALGetRasterBand(r->views[0], own[0]));
    bool alpha = flags & GMF_ALPHA, each = (flags & GMF_NODATA) && !palette && find_nodata(r, r->views[0]);
    if (each && v->count == 0) return GVM_OK;
    if (each) {
        struct valid last = *v; /* they come first */
        v->count = 0;
        r->any = own_count > 1; /* black is void only if all bands are */
        for (int i = 0; i < own_count; i++) add_mask(v, r, own[i]);
        for (int i = 0; i < last.count; i++) v->bands[v->count++] = last.bands[i];
        return GVM_OK;
    }
    if (!alpha && (!(flags & GMF_ALL_VALID) || v->count == 0)) {
        add_mask(v, r, own[0]); /* a full one: void is only what lies outside */
        return GVM_OK;
    }
    if (v->count > 0) return GVM_OK;
    struct rects whole = {.items = &(struct rect){0, 0, r->width, r->height}, .count = 1};
    return add_cover(v, r, &whole, err);
}

static gvm_status add_gaps(struct valid *v, struct raster *r, int band, gvm_error *err)
{
    struct rects parts;
    bool all;
    if (r->hints.gaps == NO || (r->hints.gaps == YES && raster_is_table(GDALGetDatasetDriver(r->views[0]))))
        return GVM_OK;
    gvm_status status = raster_extent(&parts, &all, r->views[0], r->name, band, err);
    if (status != GVM_OK) return status;
    r->hints.gaps = all ? NO : YES;
    if (!all && !raster_is_table(GDALGetDatasetDriver(r->views[0]))) status = add_cover(v, r, &parts, err);
    rects_free(&parts);
    return status;
}

static gvm_status add_alpha(struct valid *v, struct raster *r, gvm_error *err)
{
    bool mask = true;
    GDALRasterBandH band = r->alpha > 0 ? GDALGetRasterBand(r->views[0], r->alpha) : NULL;
    GDALDataType type = band != NULL ? GDALGetRasterDataType(band) : GDT_Byte;
    bool wide = type == GDT_UInt16 || type == GDT_Int16;
    v->opaque = 255;
    if (band != NULL && (wide || (type == GDT_Byte && r->hints.alpha == LOOK)) &&
        !look_at_alpha(&v->opaque, &mask, band))
        return fail(err, GVM_MEMORY, "%s: cannot open it: out of memory", r->where);
    if (r->hints.alpha == LOOK) r->hints.alpha = mask ? YES : NO;
    if (band == NULL || r->hints.alpha == NO) return GVM_OK;
    const char *kind = GDALGetMetadataItem(band, "ALPHA", "IMAGE_STRUCTURE");
    r->premultiplied = kind != NULL && strcmp(kind, "PREMULTIPLIED") == 0;
    v->bands[v->count++] = band;
    return GVM_OK;
}

/* ------------------------------------------------------------------ all */

static void copy_place(GDALDatasetH to, GDALDatasetH from)
{
    double place[6];
    if (GDALGetGeoTransform(from, place) == CE_None) {
        GDALSetGeoTransform(to, place);
        if (GDALGetSpatialRef(from) != NULL) GDALSetSpatialRef(to, GDALGetSpatialRef(from));
    } else if (GDALGetGCPCount(from) > 0) {
        GDALSetGCPs2(to, GDALGetGCPCount(from), GDALGetGCPs(from), GDALGetGCPSpatialRef(from));
    }
}

/* Add a band to the view, scaled so that `most` becomes 255. */
static bool lay_band(GDALDatasetH view, GDALRasterBandH band, GDALDataType type, int most, int W, int H)
{
    if (GDALAddBand(view, type, NULL) != CE_None) return false;
    GDALRasterBandH to = GDALGetRasterBand(view, GDALGetRasterCount(view));
    if (most != 255)
        return VRTAddComplexSource(to, band, 0, 0, W, H, 0, 0, W, H, 0, 255.0 / most, VRT_NODATA_UNSET) == CE_None;
    return VRTAddSimpleSource(to, band, 0, 0, W, H, 0, 0, W, H, "near", VRT_NODATA_UNSET) == CE_None;
}

static gvm_status lay_out(struct raster *r, GDALDatasetH colours, const struct valid *v, gvm_error *err)
{
    struct gdal_words words;
    int W = r->width, H = r->height;
    gdal_listen(&words);
    GDALDatasetH view = GDALCreate(GDALGetDriverByName("VRT"), "", W, H, 0, GDT_Byte, NULL);
    bool done = view != NULL;
    if (done) copy_place(view, r->data);
    for (int i = 0; i < r->band_count && done; i++) {
        done = lay_band(view, GDALGetRasterBand(colours, r->bands[i]), r->type, 255, W, H);
        r->bands[i] = i + 1;
    }
    for (int i = 0; i < v->count && done; i++) {
        bool wide = GDALGetRasterDataType(v->bands[i]) != GDT_Byte; /* alpha; masks are bytes */
        done = lay_band(view, v->bands[i], r->type, wide ? v->opaque : 255, W, H);
    }
    r->valid_count = v->count;
    if (view != NULL) raster_take_view(r, view);
    gdal_ignore();
    return done ? GVM_OK : gdal_fail(err, GVM_FORMAT, r->where, "its bands cannot be separated", &words);
}

gvm_status raster_choose_bands(struct raster *r, gvm_error *err)
{
    struct valid v = {.count = 0};
    GDALDatasetH colours = r->data;
    gvm_status status = find_bands(r, err);
    if (status != GVM_OK) return status;
    r->first = r->bands[0];
    int own[3] = {r->bands[0], r->bands[1], r->bands[2]}, own_count = r->band_count, palette = palette_band(r);
    if (palette > 0) {
        status = lay_out_palette(&colours, r, palette, err);
        if (status == GVM_OK && has_transparent_colour(GDALGetRasterBand(r->data, palette)))
            v.bands[v.count++] = GDALGetRasterBand(colours, 4);
    }
    if (status == GVM_OK) status = check_samples(r, colours, err);
    if (status == GVM_OK) status = add_alpha(&v, r, err);
    if (status == GVM_OK && r->type != GDT_Byte && !find_stretch(r, colours))
        status = fail(err, GVM_MEMORY, "%s: cannot read it: out of memory", r->where);
    if (status == GVM_OK) status = add_gaps(&v, r, own[0], err);
    if (status == GVM_OK) status = add_declared(&v, r, own, own_count, palette > 0, err);
    if (status == GVM_OK && (v.count > 0 || palette > 0)) status = lay_out(r, colours, &v, err);
    return status;
}
