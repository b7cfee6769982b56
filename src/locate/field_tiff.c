/* field_tiff.c - writes a field of scores as a GeoTIFF, first in memory: a file made by a single copy holds its own
 * statistics and band descriptions. */
#include <cpl_conv.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <gdal.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/output.h"
#include "locate/field.h"
#include "raster/gdal.h"

/* Minimum, maximum, mean and standard deviation of the pixels that are not NaN. */
static void statistics(double out[4], const float *pixels, size_t count)
{
    double sum = 0, squares = 0;
    size_t n = 0;
    out[0] = INFINITY, out[1] = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        if (isnan(pixels[i])) continue;
        out[0] = fmin(out[0], pixels[i]);
        out[1] = fmax(out[1], pixels[i]);
        sum += pixels[i];
        squares += (double)pixels[i] * pixels[i];
        n++;
    }
    out[2] = sum / (double)n;
    out[3] = sqrt(fmax(0, squares / (double)n - out[2] * out[2]));
}

static bool fill_band(GDALDatasetH data, int number, const gvm_field *f, const float *pixels, const char *name)
{
    double s[4];
    int W = f->info.width, H = f->info.height;
    GDALRasterBandH band = GDALGetRasterBand(data, number);
    statistics(s, pixels, (size_t)W * (size_t)H);
    GDALSetDescription(band, name);
    return GDALSetRasterNoDataValue(band, NAN) == CE_None &&
           GDALRasterIO(band, GF_Write, 0, 0, W, H, (void *)pixels, W, H, GDT_Float32, 0, 0) == CE_None &&
           GDALSetRasterStatistics(band, s[0], s[1], s[2], s[3]) == CE_None;
}

static bool set_place(GDALDatasetH data, const gvm_field *f)
{
    double at[6] = {f->info.west, f->step_lon, 0, f->info.north, 0, -f->step_lat};
    OGRSpatialReferenceH srs = OSRNewSpatialReference(NULL);
    bool done = OSRImportFromEPSG(srs, 4326) == OGRERR_NONE && GDALSetSpatialRef(data, srs) == CE_None &&
                GDALSetGeoTransform(data, at) == CE_None;
    OSRDestroySpatialReference(srs);
    return done && GDALSetMetadataItem(data, "TIFFTAG_SOFTWARE", OUTPUT_SCORES, NULL) == CE_None;
}

/* `name` is unique among GDAL's files in memory. */
static bool write_file(const char *name, const gvm_field *f)
{
    GDALDatasetH memory = GDALCreate(GDALGetDriverByName("MEM"), "", f->info.width, f->info.height,
                                     f->info.has_p ? 2 : 1, GDT_Float32, NULL);
    if (memory == NULL) return false;
    bool done = set_place(memory, f) && fill_band(memory, 1, f, f->scores, "score: cosine similarity") &&
                (!f->info.has_p || fill_band(memory, 2, f, f->p, f->info.calibrated ? "p" : "p (uncalibrated)"));
    char **options = CSLSetNameValue(NULL, "COMPRESS", "DEFLATE");
    options = CSLSetNameValue(options, "TILED", "YES");
    options = CSLSetNameValue(options, "INTERLEAVE", "BAND");
    GDALDatasetH file =
        done ? GDALCreateCopy(GDALGetDriverByName("GTiff"), name, memory, true, options, NULL, NULL) : NULL;
    CSLDestroy(options);
    if (file != NULL) GDALClose(file);
    GDALClose(memory);
    return file != NULL;
}

gvm_status gvm_field_tiff(const gvm_field *f, void **bytes, size_t *size, gvm_error *err)
{
    static atomic_uint numbers;
    struct gdal_words words;
    char name[64];
    vsi_l_offset length = 0;
    clear_error(err);
    *bytes = NULL;
    *size = 0;
    snprintf(name, sizeof name, "/vsimem/geoviewmatch-field-%u.tif", atomic_fetch_add(&numbers, 1));
    gdal_listen(&words);
    const void *data = write_file(name, f) && !words.failed ? VSIGetMemFileBuffer(name, &length, false) : NULL;
    *bytes = data != NULL ? malloc((size_t)length) : NULL;
    if (*bytes != NULL) memcpy(*bytes, data, *size = (size_t)length);
    VSIUnlink(name);
    gdal_ignore();
    if (*bytes != NULL) return GVM_OK;
    if (data != NULL) return fail(err, GVM_MEMORY, "out of memory for the field as a GeoTIFF");
    return gdal_fail(err, GVM_FILE, "the field of scores", "it cannot be written as a GeoTIFF", &words);
}
