/* raster_pixels.c - see pixels.h */
#include "raster/pixels.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <gdal_alg.h>
#include <gdal_utils.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <stdio.h>

#include "base/error.h"
#include "geo/earth.h"
#include "raster/gdal.h"
#include "raster/raster_parts.h"

#define OFF_SQUARE 0.03 /* tolerance of a pixel's sides; in UTM on the sphere they differ by 0.7% */

/* Longitude and latitude of the raster's middle and of the points one pixel to its right and below it. */
static bool find_middle(double lon[3], double lat[3], const struct raster *r)
{
    double z[3] = {0};
    int good[3];
    int column = r->width / 2, row = r->height / 2;
    for (int i = 0; i < 3; i++) {
        lon[i] = column + (i == 1);
        lat[i] = row + (i == 2);
    }
    GDALGenImgProjTransform(r->locator.inner, false, 3, lon, lat, z, good);
    return good[0] && good[1] && good[2];
}

static bool is_square(const struct raster *r)
{
    double place[6], lon[3], lat[3];
    if (GDALGetGeoTransform(r->data, place) != CE_None || place[2] != 0 || place[4] != 0 || !(place[1] > 0) ||
        !(place[5] < 0) || !find_middle(lon, lat, r))
        return false;
    double east = metres_per_lon(lat[0]), north = metres_per_lat(lat[0]);
    double w = hypot((lon_near(lon[1], lon[0]) - lon[0]) * east, (lat[1] - lat[0]) * north);
    double h = hypot((lon_near(lon[2], lon[0]) - lon[0]) * east, (lat[2] - lat[0]) * north);
    return w > 0 && fabs(h / w - 1) <= OFF_SQUARE;
}

/* Drop all bands behind the picture's, since the validity bands must follow them directly. */
static gvm_status keep_bands(struct raster *r, gvm_error *err)
{
    char numbers[3][16];
    const char *options[] = {"-of", "VRT", "-b", numbers[0], "-b", numbers[1], "-b", numbers[2], NULL};
    GDALDatasetH view;
    for (int i = 0; i < r->band_count; i++) snprintf(numbers[i], sizeof numbers[i], "%d", r->bands[i]);
    options[2 + 2 * r->band_count] = NULL;
    gvm_status status = raster_make_view(&view, r, options, "its bands cannot be separated", err);
    if (status != GVM_OK) return status;
    raster_take_view(r, view);
    for (int i = 0; i < r->band_count; i++) r->bands[i] = i + 1;
    return GVM_OK;
}

static gvm_status warp_to_utm(struct raster *r, gvm_error *err)
{
    struct gdal_words words;
    double lon[3], lat[3];
    char utm[32], nodata[128];
    bool by_nodata = r->valid_count == 0;
    if (!find_middle(lon, lat, r)) return fail(err, GVM_FORMAT, "%s: its centre does not lie on the Earth", r->where);
    gvm_status status = by_nodata ? keep_bands(r, err) : GVM_OK;
    if (status != GVM_OK) return status;
    snprintf(utm, sizeof utm, "EPSG:%d", (lat[0] < 0 ? 32701 : 32601) + (int)((lon_normal(lon[0]) + 180) / 6));
    snprintf(nodata, sizeof nodata, "%.17g %.17g %.17g", r->nodata[0], r->nodata[1], r->nodata[2]);
    const char *const all[] = {"-of", "VRT", "-r", "bilinear", "-s_srs", r->crs, "-t_srs", utm, NULL};
    const char *const more[] = {"-srcnodata", nodata, "-dstalpha", NULL};
    char **options = CSLDuplicate((char **)all);
    if (by_nodata) options = CSLInsertStrings(options, -1, (char **)more);
    gdal_listen(&words);
    GDALWarpAppOptions *warp = GDALWarpAppOptionsNew(options, NULL);
    GDALDatasetH view = warp != NULL ? GDALWarp("", NULL, 1, &r->data, warp, NULL) : NULL;
    GDALWarpAppOptionsFree(warp);
    CSLDestroy(options);
    if (view != NULL) {
        raster_take_view(r, view);
        r->valid_count += by_nodata;
        r->warped = true;
        CPLFree(r->crs);
        r->crs = CPLStrdup(GDALGetProjectionRef(view));
    }
    gdal_ignore();
    if (view == NULL) return gdal_fail(err, GVM_FORMAT, r->where, "it cannot be reprojected to UTM", &words);
    return GVM_OK;
}

gvm_status raster_square(struct raster_grid *grid, struct raster *r, gvm_error *err)
{
    double place[6];
    gvm_status status = is_square(r) ? GVM_OK : warp_to_utm(r, err);
    if (status != GVM_OK) return status;
    GDALGetGeoTransform(r->data, place);
    *grid = (struct raster_grid){r->crs, place[0], place[3], {place[1], -place[5]}, r->width, r->height};
    return GVM_OK;
}

gvm_status raster_parts(struct rects *parts, const struct raster *r, gvm_error *err)
{
    struct gdal_words words; /* what no sentence takes up */
    bool all = r->warped || r->hints.gaps != YES;
    gdal_listen(&words);
    gvm_status status = all ? GVM_OK : raster_extent(parts, &all, r->views[0], r->name, r->first, err);
    gdal_ignore();
    if (status != GVM_OK || !all) return status;
    *parts = (struct rects){.width = r->width, .height = r->height};
    rects_add(parts, 0, 0, r->width, r->height);
    return parts->count == 1 ? GVM_OK : fail(err, GVM_MEMORY, "%s: cannot open it: out of memory", r->where);
}

gvm_status raster_read_pixels(uint8_t *rgba, struct raster *r, const int part[4], gvm_error *err)
{
    struct gdal_words words;
    gdal_listen(&words);
    bool done = raster_take(rgba, r->data, r, r->bands, part);
    gdal_ignore();
    return done ? GVM_OK : gdal_fail(err, GVM_FILE, r->where, "part of it cannot be read", &words);
}
