/* raster_support.c - see raster_support.h */
#include "raster_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cpl_conv.h>
#include <cpl_string.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <string.h>

#include "folder_support.h"
#include "raster/gdal.h"

enum { N = RASTER_SIDE };

void place_raster(double place[6], double x, double y, double pixel, double degrees)
{
    double c = pixel * cos(degrees * M_PI / 180), s = pixel * sin(degrees * M_PI / 180);
    const double turned[6] = {x - N / 2 * (c + s), c, s, y - N / 2 * (s - c), s, -c};
    memcpy(place, turned, sizeof turned);
}

static int colour(int band, int x, int y)
{
    return band == 0 ? 2 * x : band == 1 ? 2 * y : 100;
}

static bool has_alpha(int bands)
{
    return bands == 2 || bands >= 4;
}

static void fill(GDALDatasetH data, const struct raster_recipe *r, int band, int bands)
{
    int32_t values[N];
    int scale = r->scale ? r->scale : 1;
    for (int y = 0; y < N; y++) {
        for (int x = 0; x < N; x++) {
            bool empty = r->nodata != 0 && x < N / 2;
            int most = r->opaque ? r->opaque : r->type == GDT_UInt16 ? 65535 : 255;
            if (has_alpha(bands) && band == bands - 1)
                values[x] = r->nodata == 4            ? (20 + (x * 7 + y * 3) % 200) * most / 255
                            : r->nodata == 3 && empty ? 0
                                                      : most;
            else
                values[x] = r->nodata == 1 && empty ? 0 : r->offset + scale * colour(band, x, y);
        }
        assert_int_equal(
            GDALRasterIO(GDALGetRasterBand(data, band + 1), GF_Write, 0, y, N, 1, values, N, 1, GDT_Int32, 0, 0),
            CE_None);
    }
}

static void set_palette(GDALDatasetH data, int transparent)
{
    GDALColorTableH table = GDALCreateColorTable(GPI_RGB);
    for (int i = 0; i < 256; i++) {
        GDALColorEntry entry = {(short)i, (short)(255 - i), 100, i < transparent ? 0 : 255};
        GDALSetColorEntry(table, i, &entry);
    }
    GDALSetRasterColorTable(GDALGetRasterBand(data, 1), table);
    GDALDestroyColorTable(table);
}

static void set_mask(GDALDatasetH data)
{
    uint8_t mask[N];
    assert_int_equal(GDALCreateDatasetMaskBand(data, GMF_PER_DATASET), CE_None);
    for (int x = 0; x < N; x++) mask[x] = x < N / 2 ? 0 : 255;
    for (int y = 0; y < N; y++)
        assert_int_equal(
            GDALRasterIO(GDALGetMaskBand(GDALGetRasterBand(data, 1)), GF_Write, 0, y, N, 1, mask, N, 1, GDT_Byte, 0, 0),
            CE_None);
}

static void set_place(GDALDatasetH data, const struct raster_recipe *r)
{
    if (r->place[1] != 0) GDALSetGeoTransform(data, (double *)r->place);
    if (r->crs == NULL) return;
    OGRSpatialReferenceH srs = OSRNewSpatialReference(NULL);
    assert_int_equal(OSRSetFromUserInput(srs, r->crs), OGRERR_NONE);
    OSRSetAxisMappingStrategy(srs, OAMS_TRADITIONAL_GIS_ORDER);
    GDALSetSpatialRef(data, srs);
    OSRDestroySpatialReference(srs);
}

void make_raster(const char *name, const struct raster_recipe *r)
{
    struct gdal_words words;
    gdal_listen(&words);
    CPLSetConfigOption("GDAL_TIFF_INTERNAL_MASK", "YES");
    int bands = r->bands ? r->bands : r->palette ? 1 : 3;
    GDALDataType type = r->type != GDT_Unknown ? r->type : GDT_Byte;
    bool tiff = r->driver == NULL || strcmp(r->driver, "GTiff") == 0;
    GDALDriverH memory = GDALGetDriverByName("MEM"), driver = GDALGetDriverByName(tiff ? "GTiff" : r->driver);
    char **options = tiff ? CSLSetNameValue(NULL, "COMPRESS", "DEFLATE") : NULL;
    if (r->option != NULL) options = CSLAddString(options, r->option);
    GDALDatasetH data = tiff ? GDALCreate(driver, in_folder(name), N, N, bands, type, options)
                             : GDALCreate(memory, "", N, N, bands, type, NULL);
    assert_non_null(data);
    set_place(data, r);
    if (r->palette) set_palette(data, r->palette > 1 ? N : 0);
    if (has_alpha(bands)) GDALSetRasterColorInterpretation(GDALGetRasterBand(data, bands), GCI_AlphaBand);
    if (r->nodata == 1)
        for (int b = 0; b < bands; b++) GDALSetRasterNoDataValue(GDALGetRasterBand(data, b + 1), 0);
    for (int b = 0; b < bands; b++) fill(data, r, b, bands);
    if (r->nodata == 2) set_mask(data);
    if (!tiff) {
        bool lossy = strcmp(r->driver, "JP2OpenJPEG") == 0;
        const char *const exact[] = {"QUALITY=100", "REVERSIBLE=YES", NULL};
        GDALDatasetH source = r->source ? GDALOpen(in_folder(r->source), GA_ReadOnly) : data;
        GDALDatasetH copy =
            GDALCreateCopy(driver, in_folder(name), source, false, lossy ? (char **)exact : NULL, NULL, NULL);
        assert_non_null(copy);
        GDALClose(copy);
        if (source != data) GDALClose(source);
    }
    GDALClose(data);
    CSLDestroy(options);
    gdal_ignore();
    if (words.failed) fail_msg("%s: %s", name, words.text);
}
