/* raster.c - a raster is opened: which of its bands make the picture, what of it is void, and how 16 bits become 8. */
#include <gdal_alg.h>
#include <gdal_utils.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "map/gdal.h"
#include "map/raster_parts.h"

enum {
    WINDOWS = 8,     /* windows a side from which a stretch is taken */
    WINDOW = 128,    /* their side at most, pixels */
    VALUES = 1 << 16 /* of 16 bits */
};

/* ------------------------------------------------------------------ which bands */

/* A palette's colours as four bands. */
static gvm_status lay_out_palette(struct raster *r, gvm_error *err)
{
    char *arguments[] = {(char *)"-of", (char *)"VRT", (char *)"-expand", (char *)"rgba", NULL};
    struct gdal_words words;
    gdal_listen(&words);
    GDALTranslateOptions *options = GDALTranslateOptionsNew(arguments, NULL);
    r->data = GDALTranslate("", r->file, options, NULL);
    GDALTranslateOptionsFree(options);
    gdal_ignore();
    if (r->data != NULL) return GVM_OK;
    r->data = r->file;
    return gdal_fail(err, GVM_FORMAT, r->where, "its palette cannot be used", &words);
}

static void find_bands(struct raster *r)
{
    int count = GDALGetRasterCount(r->data), others[3], other_count = 0, named[3] = {0};
    for (int b = 1; b <= count; b++) {
        GDALColorInterp meaning = GDALGetRasterColorInterpretation(GDALGetRasterBand(r->data, b));
        if (meaning == GCI_AlphaBand && r->alpha == 0 && b > 1) {
            r->alpha = b;
            continue;
        }
        if (meaning >= GCI_RedBand && meaning <= GCI_BlueBand && named[meaning - GCI_RedBand] == 0)
            named[meaning - GCI_RedBand] = b;
        if (other_count < 3) others[other_count++] = b;
    }
    bool all = named[0] != 0 && named[1] != 0 && named[2] != 0;
    r->band_count = all || other_count == 3 ? 3 : 1;
    for (int i = 0; i < r->band_count; i++) r->bands[i] = all ? named[i] : others[i];
}

static gvm_status check_samples(struct raster *r, gvm_error *err)
{
    r->type = GDALGetRasterDataType(GDALGetRasterBand(r->data, r->bands[0]));
    for (int i = 0; i < r->band_count; i++) {
        GDALDataType type = GDALGetRasterDataType(GDALGetRasterBand(r->data, r->bands[i]));
        if (type != GDT_Byte && type != GDT_UInt16 && type != GDT_Int16)
            return fail(
                err, GVM_FORMAT,
                "%s: its samples are %s, not 8- or 16-bit whole numbers: convert it, as with gdal_translate -ot "
                "Byte -scale",
                r->where, GDALGetDataTypeName(type));
        if (type != r->type)
            return fail(err, GVM_FORMAT, "%s: its bands have different types (%s, %s): convert it to 8-bit RGB",
                        r->where, GDALGetDataTypeName(r->type), GDALGetDataTypeName(type));
    }
    return GVM_OK;
}

static void find_nodata(struct raster *r)
{
    r->has_nodata = r->alpha == 0;
    for (int i = 0; i < r->band_count && r->has_nodata; i++) {
        int has = 0;
        r->nodata[i] = GDALGetRasterNoDataValue(GDALGetRasterBand(r->data, r->bands[i]), &has);
        r->has_nodata = has != 0;
    }
}

/* The value below which so many of the samples lie. */
static int quantile(const uint32_t *counts, double wanted)
{
    double sum = 0;
    for (int v = 0; v < VALUES; v++)
        if ((sum += counts[v]) > wanted) return v;
    return VALUES - 1;
}

/* Each window lies in the middle of its eighth. */
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

/* From windows spread over the raster, the same ones each time: 2% of what is valid becomes 0, 2% becomes 255. One
 * stretch for all bands, so that colours keep their tint. What cannot be read is found out when a tile needs it. */
static bool find_stretch(struct raster *r)
{
    const int half = r->type == GDT_Int16 ? VALUES / 2 : 0;
    int w = window_side(r->width), h = window_side(r->height);
    uint32_t *counts = calloc(VALUES, sizeof *counts);
    int32_t *values = malloc((size_t)WINDOW * WINDOW * sizeof *values);
    uint8_t *valid = malloc((size_t)WINDOW * WINDOW);
    double all = 0;
    bool enough = counts != NULL && values != NULL && valid != NULL;
    for (int i = 0; i < WINDOWS * WINDOWS * r->band_count && enough; i++) {
        int at = i / r->band_count;
        int x = window_start(at % WINDOWS, r->width, w), y = window_start(at / WINDOWS, r->height, h);
        GDALRasterBandH band = GDALGetRasterBand(r->data, r->bands[i % r->band_count]);
        if (GDALRasterIO(band, GF_Read, x, y, w, h, values, w, h, GDT_Int32, 0, 0) != CE_None ||
            GDALRasterIO(GDALGetMaskBand(band), GF_Read, x, y, w, h, valid, w, h, GDT_Byte, 0, 0) != CE_None)
            continue;
        for (int k = 0; k < w * h; k++) {
            if (valid[k] == 0) continue;
            counts[values[k] + half]++;
            all++;
        }
    }
    if (enough) {
        r->low = quantile(counts, 0.02 * all) - half;
        r->high = quantile(counts, 0.98 * all) - half;
        if (r->high <= r->low) r->high = r->low + 1;
    }
    free(counts);
    free(values);
    free(valid);
    return enough;
}

/* ------------------------------------------------------------------ open */

static gvm_status open_file(struct raster *r, const char *path, const char *const *options, gvm_error *err)
{
    struct gdal_words words;
    if (strncmp(path, "/vsi", 4) == 0) return fail(err, GVM_FILE, "%s: only files on this machine are read", r->where);
    struct file_map file; /* for the sentence of a file that is none */
    gvm_status status = file_map(&file, path, err);
    if (status != GVM_OK) return status;
    file_unmap(&file);
    if (r->file != NULL) GDALClose(r->file);
    gdal_listen(&words);
    r->file = r->data = GDALOpenEx(path, GDAL_OF_RASTER | GDAL_OF_VERBOSE_ERROR, gdal_raster_drivers, options, NULL);
    gdal_ignore();
    if (r->file == NULL) return gdal_fail(err, GVM_FORMAT, r->where, "it is not a raster that can be opened", &words);
    r->width = GDALGetRasterXSize(r->file);
    r->height = GDALGetRasterYSize(r->file);
    if (GDALGetRasterCount(r->file) == 0)
        return fail(err, GVM_FORMAT, "%s: it holds no picture, or several: name one in a VRT", r->where);
    return GVM_OK;
}

/* Which overview to take for pixels of pixel_m: -1 for none. */
static int pick_overview(const struct raster *r, double pixel_m)
{
    struct raster_facts facts;
    int best = -1, width = r->width;
    if (!(pixel_m > 0) || raster_describe(&facts, r, NULL) != GVM_OK) return best;
    GDALRasterBandH band = GDALGetRasterBand(r->file, 1);
    for (int i = 0; i < GDALGetOverviewCount(band); i++) {
        int w = GDALGetRasterBandXSize(GDALGetOverview(band, i));
        if (w < 1 || w >= width || facts.pixel_m * r->width / w > pixel_m * 1.001) continue;
        best = i;
        width = w;
    }
    return best;
}

static gvm_status set_up(struct raster *r, const char *crs, gvm_error *err)
{
    GDALRasterBandH first = GDALGetRasterBand(r->file, 1);
    gvm_status status = GVM_OK;
    if (GDALGetRasterCount(r->file) == 1 && GDALGetRasterColorTable(first) != NULL) status = lay_out_palette(r, err);
    if (status != GVM_OK) return status;
    find_bands(r);
    if (r->band_count == 0 || r->bands[0] == 0)
        return fail(err, GVM_FORMAT, "%s: it has no band that is a picture", r->where);
    status = check_samples(r, err);
    find_nodata(r);
    return status == GVM_OK ? raster_find_place(r, crs, err) : status;
}

static void let_go(struct raster *r)
{
    if (r->locator.inner != NULL) GDALDestroyGenImgProjTransformer(r->locator.inner);
    if (r->data != r->file && r->data != NULL) GDALClose(r->data);
    r->locator = (struct locator){.inner = NULL};
    r->data = r->file;
    r->alpha = 0;
}

/* Once more with an overview, where one serves. */
static gvm_status take_overview(struct raster *r, const char *path, const char *crs, double pixel_m, gvm_error *err)
{
    int overview = pick_overview(r, pixel_m);
    if (overview < 0) return GVM_OK;
    char level[32];
    snprintf(level, sizeof level, "OVERVIEW_LEVEL=%d", overview);
    const char *const options[] = {level, NULL};
    let_go(r);
    gvm_status status = open_file(r, path, options, err);
    return status == GVM_OK ? set_up(r, crs, err) : status;
}

gvm_status raster_open(struct raster **raster, const char *path, const char *crs, double pixel_m, gvm_error *err)
{
    struct gdal_words words; /* what no sentence takes up */
    *raster = NULL;
    struct raster *r = calloc(1, sizeof *r);
    if (r == NULL || (r->name = strdup(path)) == NULL) {
        free(r);
        return fail(err, GVM_MEMORY, "%s: there is not enough memory to open it", path_tail(path));
    }
    r->where = path_tail(r->name);
    gdal_listen(&words);
    gvm_status status = open_file(r, path, NULL, err);
    if (status == GVM_OK) status = set_up(r, crs, err);
    if (status == GVM_OK) status = take_overview(r, path, crs, pixel_m, err);
    if (status == GVM_OK && r->type != GDT_Byte && !find_stretch(r))
        status = fail(err, GVM_MEMORY, "%s: there is not enough memory to read it", r->where);
    gdal_ignore();
    if (status == GVM_OK)
        *raster = r;
    else
        raster_free(r);
    return status;
}

void raster_free(struct raster *r)
{
    if (r == NULL) return;
    let_go(r);
    if (r->file != NULL) GDALClose(r->file);
    free(r->name);
    free(r);
}
