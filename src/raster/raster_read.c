/* raster_read.c - reads a box of latitude and longitude, by GDAL's warper. */
#include <cpl_conv.h>
#include <cpl_string.h>
#include <gdal_alg.h>
#include <gdalwarper.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "raster/gdal.h"
#include "raster/raster_parts.h"

#define ERROR_PIXELS 0.05 /* tolerance of the interpolated transformation */

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
        more = CSLSetNameValue(more, "UNIFIED_SRC_NODATA", "YES"); /* a pixel is void only if all bands are */
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

/* A pixel is opaque if all validity bands are. Of no-data masks one is enough. */
static void take_valid(uint8_t *rgba, const int32_t *values, size_t n, const struct raster *r, int number)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t *alpha = &rgba[4 * i + 3], own = (uint8_t)(values[i] < 0 ? 0 : values[i] > 255 ? 255 : values[i]);
        bool more = r->any && number < 3;
        if (number == 0 || (more ? own > *alpha : own < *alpha)) *alpha = own;
    }
}

/* Undo premultiplied alpha. */
static void divide(uint8_t *rgba, size_t n)
{
    for (; n > 0; n--, rgba += 4)
        for (int k = 0; k < 3 && rgba[3] > 0; k++) {
            int colour = rgba[k] * 255 / rgba[3];
            rgba[k] = (uint8_t)(colour < 255 ? colour : 255);
        }
}

/* Void pixels that the warper does not mark: all bands hold their no-data value. */
static void take_nodata(uint8_t *rgba, const int32_t *values, size_t n, double nodata, int band)
{
    for (size_t i = 0; i < n; i++, rgba += 4) {
        bool here = values[i] != nodata;
        rgba[3] = here || (band > 0 && rgba[3] > 0) ? 255 : 0;
    }
}

bool raster_take(uint8_t *rgba, GDALDatasetH data, const struct raster *r, const int bands[3], const int part[4])
{
    int W = part[2] - part[0], H = part[3] - part[1], count = r->band_count + r->valid_count;
    bool look = data == r->data && r->valid_count == 0, alpha = data != r->data && r->valid_count == 0;
    size_t n = (size_t)W * (size_t)H;
    int32_t *values = malloc(n * sizeof *values);
    bool done = values != NULL;
    if (!done) CPLError(CE_Failure, CPLE_OutOfMemory, "out of memory"); /* gdal_fail makes it GVM_MEMORY */
    for (int b = 0; b < count + alpha && done; b++) {
        bool colour = b < r->band_count, plain = r->type == GDT_Byte && !look && (colour || r->valid_count <= 1);
        GDALRasterBandH band = GDALGetRasterBand(data, colour ? bands[b] : b + 1);
        done = plain ? GDALRasterIO(band, GF_Read, part[0], part[1], W, H, rgba + (colour ? b : 3), W, H, GDT_Byte, 4,
                                    4 * W) == CE_None
                     : GDALRasterIO(band, GF_Read, part[0], part[1], W, H, values, W, H, GDT_Int32, 0, 0) == CE_None;
        if (!done || plain) continue;
        if (!colour) take_valid(rgba, values, n, r, b - r->band_count);
        if (look) take_nodata(rgba, values, n, r->nodata[b], b);
        for (size_t i = 0; i < n && colour; i++)
            rgba[4 * i + (size_t)b] = r->type == GDT_Byte ? (uint8_t)values[i] : stretch(r, values[i]);
    }
    free(values);
    for (size_t i = 0; i < n && done && r->band_count == 1; i++) rgba[4 * i + 1] = rgba[4 * i + 2] = rgba[4 * i];
    if (done && r->premultiplied && r->type == GDT_Byte) divide(rgba, n);
    return done;
}

gvm_status raster_read(uint8_t *rgba, int H, int W, struct raster *r, const double view[4], gvm_error *err)
{
    struct gdal_words words;
    gdal_listen(&words);
    locator_aim(&r->locator, view);
    int bands = r->band_count + (r->valid_count > 0 ? r->valid_count : 1);
    GDALDatasetH picture = GDALCreate(GDALGetDriverByName("MEM"), "", W, H, bands, r->type, NULL);
    bool made = picture != NULL, done = made && warp(r, picture, W, H);
    if (done) done = raster_take(rgba, picture, r, (const int[3]){1, 2, 3}, (const int[4]){0, 0, W, H});
    if (made) GDALClose(picture);
    gdal_ignore();
    if (!made) return fail(err, GVM_MEMORY, "%s: cannot read it: out of memory", r->where);
    if (!done) return gdal_fail(err, GVM_FILE, r->where, "part of it cannot be read", &words);
    return GVM_OK;
}
