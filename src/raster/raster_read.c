/* raster_read.c - a box of latitude and longitude out of a raster, by GDAL's warper. */
#include <cpl_conv.h>
#include <cpl_string.h>
#include <gdal_alg.h>
#include <gdalwarper.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "raster/gdal.h"
#include "raster/raster_parts.h"

#define ERROR_PIXELS 0.05 /* that the interpolated transformation may be off by */

static GDALWarpOptions *warp_options(struct raster *r, GDALDatasetH picture, void *approximation)
{
    GDALWarpOptions *o = GDALCreateWarpOptions();
    o->hSrcDS = r->data;
    o->hDstDS = picture;
    o->eWorkingDataType = r->type;
    o->eResampleAlg = GRA_Bilinear;
    o->nBandCount = r->band_count + r->valid_count;
    o->panSrcBands = CPLMalloc((size_t)o->nBandCount * sizeof *o->panSrcBands);
    o->panDstBands = CPLMalloc((size_t)o->nBandCount * sizeof *o->panDstBands);
    for (int i = 0; i < o->nBandCount; i++) {
        o->panSrcBands[i] = i < r->band_count ? r->bands[i] : i + 1;
        o->panDstBands[i] = i + 1;
    }
    char **more = CSLSetNameValue(NULL, "INIT_DEST", "0");
    if (r->valid_count == 0) {
        o->nDstAlphaBand = r->band_count + 1;
        o->padfSrcNoDataReal = CPLMalloc(sizeof r->nodata);
        memcpy(o->padfSrcNoDataReal, r->nodata, sizeof r->nodata);
        more = CSLSetNameValue(more, "UNIFIED_SRC_NODATA", "YES"); /* black is void only where all bands are */
        more = CSLSetNameValue(more, "DST_ALPHA_MAX", "255");
    }
    o->papszWarpOptions = more;
    o->pfnTransformer = GDALApproxTransform;
    o->pTransformerArg = approximation;
    return o;
}

static bool warp(struct raster *r, GDALDatasetH picture, int W, int H)
{
    void *approximation = GDALCreateApproxTransformer(locator_transform, &r->locator, ERROR_PIXELS);
    GDALWarpOptions *options = warp_options(r, picture, approximation);
    GDALWarpOperationH operation = GDALCreateWarpOperation(options);
    bool done = operation != NULL && GDALChunkAndWarpImage(operation, 0, 0, W, H) == CE_None;
    if (operation != NULL) GDALDestroyWarpOperation(operation);
    GDALDestroyWarpOptions(options);
    GDALDestroyApproxTransformer(approximation);
    return done;
}

static uint8_t stretch(const struct raster *r, int value)
{
    if (value <= r->low) return 0;
    if (value >= r->high) return 255;
    return (uint8_t)((value - r->low) * 255.0 / (r->high - r->low) + 0.5);
}

/* Opaque is what all bands say that say where something is, but for those of no-data, of which one is enough. */
static void take_valid(uint8_t *rgba, const int32_t *values, size_t n, const struct raster *r, int number)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t *alpha = &rgba[4 * i + 3], own = (uint8_t)(values[i] < 0 ? 0 : values[i] > 255 ? 255 : values[i]);
        bool more = r->any && number < 3;
        if (number == 0 || (more ? own > *alpha : own < *alpha)) *alpha = own;
    }
}

/* The warped bands as 8 bits. */
static bool copy(uint8_t *rgba, GDALDatasetH picture, const struct raster *r, int W, int H)
{
    size_t n = (size_t)W * (size_t)H;
    int32_t *values = malloc(n * sizeof *values);
    bool done = values != NULL;
    for (int b = 0; b < GDALGetRasterCount(picture) && done; b++) {
        GDALRasterBandH band = GDALGetRasterBand(picture, b + 1);
        bool colour = b < r->band_count, plain = r->type == GDT_Byte && (colour || r->valid_count <= 1);
        done = plain ? GDALRasterIO(band, GF_Read, 0, 0, W, H, rgba + (colour ? b : 3), W, H, GDT_Byte, 4, 4 * W) ==
                           CE_None
                     : GDALRasterIO(band, GF_Read, 0, 0, W, H, values, W, H, GDT_Int32, 0, 0) == CE_None;
        if (!done || plain) continue;
        if (!colour) take_valid(rgba, values, n, r, b - r->band_count);
        for (size_t i = 0; i < n && colour; i++) rgba[4 * i + (size_t)b] = stretch(r, values[i]);
    }
    free(values);
    return done;
}

/* Colours that were multiplied by alpha are divided by it. */
static void divide(uint8_t *rgba, size_t n)
{
    for (; n > 0; n--, rgba += 4)
        for (int k = 0; k < 3 && rgba[3] > 0; k++) {
            int colour = rgba[k] * 255 / rgba[3];
            rgba[k] = (uint8_t)(colour < 255 ? colour : 255);
        }
}

gvm_status raster_read(uint8_t *rgba, int H, int W, struct raster *r, const double view[4], gvm_error *err)
{
    struct gdal_words words;
    gdal_listen(&words);
    locator_aim(&r->locator, view);
    int bands = r->band_count + (r->valid_count > 0 ? r->valid_count : 1);
    GDALDatasetH picture = GDALCreate(GDALGetDriverByName("MEM"), "", W, H, bands, r->type, NULL);
    bool made = picture != NULL, done = made && warp(r, picture, W, H);
    if (done) done = copy(rgba, picture, r, W, H);
    if (made) GDALClose(picture);
    gdal_ignore();
    if (!made) return fail(err, GVM_MEMORY, "%s: there is not enough memory to read it", r->where);
    if (!done) return gdal_fail(err, GVM_FILE, r->where, "it cannot be read in part", &words);
    for (size_t i = 0; i < (size_t)W * (size_t)H && r->band_count == 1; i++)
        rgba[4 * i + 1] = rgba[4 * i + 2] = rgba[4 * i];
    if (r->premultiplied && r->type == GDT_Byte) divide(rgba, (size_t)W * (size_t)H);
    return GVM_OK;
}
