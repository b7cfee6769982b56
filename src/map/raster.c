/* raster.c - a raster is opened: which of its bands make the picture, what of it is void, and how 16 bits become 8. */
#include <cpl_string.h>
#include <gdal_alg.h>
#include <gdal_utils.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/* Read from now on through a view of it that gdal_translate's options make, and which reads the file when it is
 * read. */
static gvm_status add_view(struct raster *r, const char *const *options, const char *what, gvm_error *err)
{
    struct gdal_words words;
    gdal_listen(&words);
    GDALTranslateOptions *translate = GDALTranslateOptionsNew((char **)options, NULL);
    GDALDatasetH view = GDALTranslate("", r->data, translate, NULL);
    GDALTranslateOptionsFree(translate);
    gdal_ignore();
    if (view == NULL) return gdal_fail(err, GVM_FORMAT, r->where, what, &words);
    r->data = r->views[r->view_count++] = view;
    r->width = GDALGetRasterXSize(view);
    r->height = GDALGetRasterYSize(view);
    return GVM_OK;
}

static gvm_status lay_out_palette(struct raster *r, gvm_error *err)
{
    static const char *const options[] = {"-of", "VRT", "-expand", "rgba", NULL};
    return add_view(r, options, "its palette cannot be used", err);
}

static gvm_status take_together(struct raster *r, int pixels, gvm_error *err)
{
    char width[16], height[16];
    snprintf(width, sizeof width, "%d", (r->width + pixels / 2) / pixels);
    snprintf(height, sizeof height, "%d", (r->height + pixels / 2) / pixels);
    if (r->width < pixels || r->height < pixels) return GVM_OK;
    const char *const options[] = {"-of", "VRT", "-r", "average", "-outsize", width, height, NULL};
    return add_view(r, options, "it cannot be read at a lower resolution", err);
}

static void find_bands(struct raster *r)
{
    int count = GDALGetRasterCount(r->data), others[3], other_count = 0, named[3] = {0};
    for (int b = 1; b <= count; b++) {
        GDALColorInterp meaning = GDALGetRasterColorInterpretation(GDALGetRasterBand(r->data, b));
        if (meaning == GCI_AlphaBand && b > 1) continue;
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

/* Whether each band says which of its values is void. */
static bool find_nodata(struct raster *r)
{
    int has = !(GDALGetMaskFlags(GDALGetRasterBand(r->data, r->bands[0])) & GMF_ALPHA);
    for (int i = 0; i < r->band_count && has; i++)
        r->nodata[i] = GDALGetRasterNoDataValue(GDALGetRasterBand(r->data, r->bands[i]), &has);
    return has;
}

/* The bands of the picture and, as one more of them, where it is valid: GDAL's warper takes five times as long over
 * pixels that may be void as over plain ones. */
static gvm_status lay_out_bands(struct raster *r, gvm_error *err)
{
    char numbers[3][16];
    const char *options[16] = {"-of", "VRT", "-mask", "none", "-a_nodata", "none"};
    int n = 6;
    for (int i = 0; i < r->band_count; i++) {
        snprintf(numbers[i], sizeof numbers[i], "%d", r->bands[i]);
        options[n++] = "-b";
        options[n++] = numbers[i];
        r->bands[i] = i + 1;
    }
    char mask[24];
    snprintf(mask, sizeof mask, "mask,%s", numbers[0]);
    options[n++] = "-b";
    options[n++] = mask;
    r->valid = r->band_count + 1;
    return add_view(r, options, "its bands cannot be told apart", err);
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

static gvm_status open_file(struct raster *r, const char *path, gvm_error *err)
{
    struct gdal_words words;
    if (strncmp(path, "/vsi", 4) == 0) return fail(err, GVM_FILE, "%s: only files on this machine are read", r->where);
    struct file_map file; /* for the sentence of a file that is none */
    gvm_status status = file_map(&file, path, err);
    if (status != GVM_OK) return status;
    file_unmap(&file);
    gdal_listen(&words);
    GDALDatasetH data = GDALOpenEx(path, GDAL_OF_RASTER | GDAL_OF_VERBOSE_ERROR, gdal_raster_drivers, NULL, NULL);
    gdal_ignore();
    if (data == NULL) return gdal_fail(err, GVM_FORMAT, r->where, "it is not a raster that can be opened", &words);
    r->data = r->views[r->view_count++] = data;
    r->width = GDALGetRasterXSize(data);
    r->height = GDALGetRasterYSize(data);
    if (GDALGetRasterCount(data) == 0)
        return fail(err, GVM_FORMAT, "%s: it holds no picture, or several: name one in a VRT", r->where);
    return GVM_OK;
}

static gvm_status set_up(struct raster *r, const char *crs, int reduce, gvm_error *err)
{
    GDALRasterBandH first = GDALGetRasterBand(r->data, 1);
    gvm_status status = GVM_OK;
    if (GDALGetRasterCount(r->data) == 1 && GDALGetRasterColorTable(first) != NULL) status = lay_out_palette(r, err);
    if (status != GVM_OK) return status;
    find_bands(r);
    if (r->band_count == 0 || r->bands[0] == 0)
        return fail(err, GVM_FORMAT, "%s: it has no band that is a picture", r->where);
    status = check_samples(r, err);
    if (status != GVM_OK) return status;
    if (r->type != GDT_Byte && !find_stretch(r))
        return fail(err, GVM_MEMORY, "%s: there is not enough memory to read it", r->where);
    if (!find_nodata(r)) status = lay_out_bands(r, err);
    if (status == GVM_OK && reduce > 1) status = take_together(r, reduce, err);
    return status == GVM_OK ? raster_find_place(r, crs, err) : status;
}

gvm_status raster_open(struct raster **raster, const char *path, const char *crs, int reduce, gvm_error *err)
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
    gvm_status status = open_file(r, path, err);
    if (status == GVM_OK) status = set_up(r, crs, reduce, err);
    gdal_ignore();
    if (status == GVM_OK)
        *raster = r;
    else
        raster_free(r);
    return status;
}

char **raster_files(const struct raster *r)
{
    static const char *const beside[] = {"aux.xml", "ovr", "msk"};
    char **all = GDALGetFileList(r->views[0]), **files = NULL;
    for (char **file = all; file != NULL && *file != NULL; file++) {
        size_t length = strlen(*file);
        bool source = true;
        for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
            if (length > strlen(beside[i]) && strcasecmp(*file + length - strlen(beside[i]), beside[i]) == 0)
                source = false;
        if (source) files = CSLAddString(files, *file);
    }
    CSLDestroy(all);
    return files;
}

bool raster_has_overviews(const struct raster *r)
{
    return GDALGetOverviewCount(GDALGetRasterBand(r->views[0], 1)) > 0;
}

void raster_free(struct raster *r)
{
    if (r == NULL) return;
    if (r->locator.inner != NULL) GDALDestroyGenImgProjTransformer(r->locator.inner);
    while (r->view_count > 0) GDALClose(r->views[--r->view_count]);
    free(r->name);
    free(r);
}
