/* geotiff.c - see geotiff.h. GDAL writes the file to memory, where it takes about a seventh of the pixels' size, and
 * file_writer writes it to disk: GDAL would learn of a full disk only from libtiff's single error handler, which
 * libvips replaces. */
#include "world/geotiff.h"

#include <cpl_error.h>
#include <cpl_string.h>
#include <cpl_vsi.h>
#include <gdal_frmts.h>
#include <ogr_srs_api.h>
#include <stdio.h>

#include "base/error.h"
#include "world/picture.h"

enum { OVERVIEWS = 6 /* down to a quarter of a block for the largest */ };

/* as GDAL */
static gvm_status fails(const struct geotiff *tiff, gvm_error *err)
{
    const char *said = CPLGetLastErrorMsg();
    return fail(err, GVM_FILE, "%s: GDAL cannot write it: %s", path_tail(tiff->file.path),
                said[0] != '\0' ? said : "no reason given");
}

static char **creation_options(void)
{
    char quality[40];
    snprintf(quality, sizeof quality, "JPEG_QUALITY=%d", JPEG_QUALITY);
    static const char *const fixed[] = {"TILED=YES",     "BLOCKXSIZE=256",    "BLOCKYSIZE=256",
                                        "COMPRESS=JPEG", "PHOTOMETRIC=YCBCR", "NUM_THREADS=1"};
    char **options = CSLAddString(NULL, quality);
    for (size_t k = 0; k < sizeof fixed / sizeof *fixed; k++) options = CSLAddString(options, fixed[k]);
    return options;
}

static bool place(GDALDatasetH data, const struct frame *frame)
{
    double transform[6] = {frame->left, frame->pixel, 0, frame->top, 0, -frame->pixel};
    OGRSpatialReferenceH map = OSRNewSpatialReference(NULL);
    bool placed = OSRImportFromEPSG(map, frame->epsg) == OGRERR_NONE && GDALSetSpatialRef(data, map) == CE_None &&
                  GDALSetGeoTransform(data, transform) == CE_None;
    OSRDestroySpatialReference(map);
    return placed;
}

gvm_status geotiff_create(struct geotiff *tiff, const char *path, const struct frame *frame, gvm_error *err)
{
    *tiff = (struct geotiff){0};
    gvm_status status = file_writer_open(&tiff->file, path, err);
    if (status != GVM_OK) return status;
    GDALRegister_GTiff();
    CPLPushErrorHandler(CPLQuietErrorHandler);
    CPLErrorReset();
    snprintf(tiff->memory, sizeof tiff->memory, "/vsimem/%p.tif", (void *)tiff);
    char **options = creation_options();
    GDALDriverH driver = GDALGetDriverByName("GTiff");
    tiff->data = GDALCreate(driver, tiff->memory, frame->size, frame->size, 3, GDT_Byte, options);
    CSLDestroy(options);
    if (tiff->data == NULL || !place(tiff->data, frame)) status = fails(tiff, err);
    CPLPopErrorHandler();
    if (status != GVM_OK) geotiff_abort(tiff);
    return status;
}

gvm_status geotiff_write(struct geotiff *tiff, const unsigned char *pixels, int row, int rows, gvm_error *err)
{
    int size = GDALGetRasterXSize(tiff->data);
    CPLPushErrorHandler(CPLQuietErrorHandler);
    CPLErrorReset();
    CPLErr broken = GDALDatasetRasterIO(tiff->data, GF_Write, 0, row, size, rows, (void *)pixels, size, rows, GDT_Byte,
                                        3, NULL, 3, 3 * size, 1);
    GDALFlushCache(tiff->data); /* now, so that the blocks are in this order in the file */
    gvm_status status = broken != CE_None || CPLGetLastErrorType() >= CE_Failure ? fails(tiff, err) : GVM_OK;
    CPLPopErrorHandler();
    return status;
}

static bool add_overviews(GDALDatasetH data)
{
    int levels[OVERVIEWS], count = 0;
    for (int level = 2; count < OVERVIEWS && GDALGetRasterXSize(data) / level >= FRAME_BLOCK / 2; level *= 2)
        levels[count++] = level;
    return GDALBuildOverviews(data, "AVERAGE", count, levels, 0, NULL, NULL, NULL) == CE_None;
}

gvm_status geotiff_commit(struct geotiff *tiff, gvm_error *err)
{
    vsi_l_offset size = 0;
    CPLPushErrorHandler(CPLQuietErrorHandler);
    CPLErrorReset();
    bool made = add_overviews(tiff->data);
    GDALClose(tiff->data); /* writes the rest; failure is reported only by its error handler */
    tiff->data = NULL;
    const void *bytes = VSIGetMemFileBuffer(tiff->memory, &size, FALSE);
    made = made && bytes != NULL && CPLGetLastErrorType() < CE_Failure;
    gvm_status status = made ? file_writer_write(&tiff->file, bytes, size, err) : fails(tiff, err);
    CPLPopErrorHandler();
    if (status == GVM_OK) status = file_writer_commit(&tiff->file, err);
    geotiff_abort(tiff);
    return status;
}

void geotiff_abort(struct geotiff *tiff)
{
    CPLPushErrorHandler(CPLQuietErrorHandler);
    if (tiff->data != NULL) GDALClose(tiff->data);
    VSIUnlink(tiff->memory);
    CPLPopErrorHandler();
    tiff->data = NULL;
    file_writer_abort(&tiff->file);
}
