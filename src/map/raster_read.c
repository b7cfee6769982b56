/* raster_read.c - a box of latitude and longitude out of a raster, by GDAL's warper. */
#include <cpl_conv.h>
#include <cpl_string.h>
#include <gdal_alg.h>
#include <gdalwarper.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "map/gdal.h"
#include "map/raster_parts.h"

#define ERROR_PIXELS 0.05 /* that the interpolated transformation may be off by */

static GDALWarpOptions *warp_options(struct raster *r, GDALDatasetH picture, void *approximation)
{
    GDALWarpOptions *o = GDALCreateWarpOptions();
    o->hSrcDS = r->data;
    o->hDstDS = picture;
    o->eWorkingDataType = r->type;
    o->eResampleAlg = GRA_Bilinear;
    o->nBandCount = r->band_count + (r->valid != 0);
    o->panSrcBands = CPLMalloc(4 * sizeof *o->panSrcBands);
    o->panDstBands = CPLMalloc(4 * sizeof *o->panDstBands);
    for (int i = 0; i < o->nBandCount; i++) {
        o->panSrcBands[i] = i < r->band_count ? r->bands[i] : r->valid;
        o->panDstBands[i] = i + 1;
    }
    char **more = CSLSetNameValue(NULL, "INIT_DEST", "0");
    if (r->valid == 0) {
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

/* The warped bands, of 16 bits, as 8. */
static bool copy_stretched(uint8_t *rgba, GDALDatasetH picture, const struct raster *r, int W, int H)
{
    int bands = r->band_count + 1;
    size_t n = (size_t)W * (size_t)H;
    int32_t *values = malloc(n * sizeof *values);
    bool done = values != NULL;
    for (int b = 0; b < bands && done; b++) {
        int to = b + 1 < bands ? b : 3;
        done = GDALRasterIO(GDALGetRasterBand(picture, b + 1), GF_Read, 0, 0, W, H, values, W, H, GDT_Int32, 0, 0) ==
               CE_None;
        for (size_t i = 0; i < n && done; i++) rgba[4 * i + to] = to == 3 ? (uint8_t)values[i] : stretch(r, values[i]);
    }
    free(values);
    return done;
}

static bool copy_bytes(uint8_t *rgba, GDALDatasetH picture, const struct raster *r, int W, int H)
{
    bool done = true;
    for (int b = 0; b <= r->band_count && done; b++)
        done = GDALRasterIO(GDALGetRasterBand(picture, b + 1), GF_Read, 0, 0, W, H, rgba + (b < r->band_count ? b : 3),
                            W, H, GDT_Byte, 4, 4 * W) == CE_None;
    return done;
}

gvm_status raster_read(uint8_t *rgba, int H, int W, struct raster *r, const double view[4], gvm_error *err)
{
    struct gdal_words words;
    gdal_listen(&words);
    locator_aim(&r->locator, view);
    GDALDatasetH picture = GDALCreate(GDALGetDriverByName("MEM"), "", W, H, r->band_count + 1, r->type, NULL);
    bool made = picture != NULL, done = made && warp(r, picture, W, H);
    if (done) done = (r->type == GDT_Byte ? copy_bytes : copy_stretched)(rgba, picture, r, W, H);
    if (made) GDALClose(picture);
    gdal_ignore();
    if (!made) return fail(err, GVM_MEMORY, "%s: there is not enough memory to read it", r->where);
    if (!done) return gdal_fail(err, GVM_FILE, r->where, "it cannot be read in part", &words);
    for (size_t i = 0; i < (size_t)W * (size_t)H && r->band_count == 1; i++)
        rgba[4 * i + 1] = rgba[4 * i + 2] = rgba[4 * i];
    return GVM_OK;
}
