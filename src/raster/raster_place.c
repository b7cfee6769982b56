/* raster_place.c - a raster's georeference, by GDAL and PROJ. */
#include <cpl_conv.h>
#include <cpl_string.h>
#include <gdal_alg.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "geo/earth.h"
#include "raster/gdal.h"
#include "raster/raster_parts.h"

enum {
    SAMPLES = 33, /* points a side at which the raster's position is sampled */
    PRJ_MOST = 1 << 16
};

#define FARTHEST 1e9  /* coordinates on the Earth are nearer to 0, in any unit */
#define LAT_MOST 85.0 /* the limit of web maps; there are no streets nearer to a pole */

/* A raster may extend beyond the meridian at which PROJ cuts its projection, for example one across 180 degrees: points
 * outside of the raster are tried again 360 degrees further. */
int locator_transform(void *locator, int to_raster, int n, double *x, double *y, double *z, int *good)
{
    struct locator *l = locator;
    const double *p = l->place;
    if (!to_raster) {
        int all = GDALGenImgProjTransform(l->inner, false, n, x, y, z, good);
        for (int i = 0; i < n; i++) {
            x[i] = (x[i] - p[0]) / p[1];
            y[i] = (y[i] - p[3]) / p[5];
        }
        return all;
    }
    for (int i = 0; i < n; i++) {
        x[i] = p[0] + x[i] * p[1];
        y[i] = p[3] + y[i] * p[5];
    }
    int all = GDALGenImgProjTransform(l->inner, true, n, x, y, z, good);
    for (int i = 0; i < n && l->turn > 0; i++) {
        if (!good[i] || (x[i] >= 0 && x[i] <= l->width)) continue;
        double moved = x[i] - l->turn * round((x[i] - l->width / 2) / l->turn);
        if (moved >= -l->width && moved <= 2 * l->width) x[i] = moved;
    }
    return all;
}

void locator_aim(struct locator *l, const double view[4])
{
    const double place[6] = {view[0], view[2], 0, view[1], 0, -view[3]};
    memcpy(l->place, place, sizeof place);
}

/* Returns true if points 360 degrees further east have other, equally valid coordinates in this projection. */
static bool repeats(OGRSpatialReferenceH srs)
{
    if (OSRIsGeographic(srs)) return true;
    const char *method = OSRGetAttrValue(srs, "PROJECTION", 0);
    static const char *const methods[] = {
        SRS_PT_MERCATOR_1SP,    SRS_PT_MERCATOR_2SP,           SRS_PT_MERCATOR_AUXILIARY_SPHERE,
        SRS_PT_EQUIRECTANGULAR, SRS_PT_CYLINDRICAL_EQUAL_AREA, SRS_PT_MILLER_CYLINDRICAL};
    for (size_t i = 0; method != NULL && i < sizeof methods / sizeof *methods; i++)
        if (strcmp(method, methods[i]) == 0) return true;
    return false;
}

/* 360 times a degree in pixels; three degrees are tried, as one may lie on the cut of the projection. */
static double pixels_of_turn(struct locator *l)
{
    double least = INFINITY;
    for (int i = 0; i < 3; i++) {
        double x[2] = {-100 + 90 * i, -99 + 90 * i}, y[2] = {0, 0}, z[2] = {0, 0};
        int good[2];
        if (!GDALGenImgProjTransform(l->inner, true, 2, x, y, z, good) || !good[0] || !good[1]) continue;
        least = fmin(least, hypot(x[1] - x[0], y[1] - y[0]) * 360);
    }
    return isfinite(least) && least >= l->width ? least : 0;
}

/* Returns true if a coordinate system is on the Earth and PROJ can transform it to WGS84. Systems of a building site,
 * or a picture's own, which programs write if they know none, are not. */
static bool is_of_the_earth(OGRSpatialReferenceH srs)
{
    if (srs == NULL || !(OSRIsGeographic(srs) || OSRIsProjected(srs) || OSRIsGeocentric(srs))) return false;
    OGRSpatialReferenceH world = OSRNewSpatialReference(NULL);
    OSRImportFromEPSG(world, 4326);
    OGRCoordinateTransformationH way = OCTNewCoordinateTransformation(srs, world);
    if (way != NULL) OCTDestroyCoordinateTransformation(way);
    OSRDestroySpatialReference(world);
    return way != NULL;
}

/* The coordinate system in a .prj file as WKT, freed with CPLFree; NULL if there is none on the Earth. */
static char *read_prj(const char *path)
{
    struct file_map file;
    char *wkt = NULL;
    if (file_map(&file, path, NULL) != GVM_OK) return NULL;
    char *text = file.size <= PRJ_MOST ? strndup((const char *)file.data, file.size) : NULL;
    file_unmap(&file);
    if (text == NULL) return NULL;
    const char *start = strncmp(text, "\xef\xbb\xbf", 3) == 0 ? text + 3 : text;
    OGRSpatialReferenceH srs = OSRNewSpatialReference(NULL);
    char **lines = CSLTokenizeString2(start, "\r\n", 0);
    bool good = lines != NULL && *lines != NULL && OSRImportFromESRI(srs, lines) == OGRERR_NONE;
    if (good && is_of_the_earth(srs)) OSRExportToWkt(srs, &wkt);
    CSLDestroy(lines);
    OSRDestroySpatialReference(srs);
    free(text);
    return wkt;
}

/* The coordinate system in a side file: GDAL reads a raster's world file, but not a.prj or a.jpg.prj for a.jpg, or
 * QGIS's a.qpj. As WKT, freed with CPLFree; NULL if there is none. */
static char *crs_beside(const char *path)
{
    static const char *const names[] = {"qpj", "prj", "PRJ"};
    char *wkt = NULL;
    for (size_t i = 0; i < 2 * (sizeof names / sizeof *names) && wkt == NULL; i++) {
        const char *name = names[i / 2];
        char *whole = CPLStrdup(i % 2 == 0 ? CPLResetExtension(path, name) : CPLFormFilename(NULL, path, name));
        wkt = read_prj(whole);
        CPLFree(whole);
    }
    return wkt;
}

static gvm_status fail_outside(const struct raster *r, gvm_error *err)
{
    return fail(err, GVM_FORMAT,
                "%s: its coordinates are outside its coordinate system, or beyond 85 degrees of latitude", r->where);
}

/* Whether the corners have coordinates that can be on the Earth. GDAL brings a longitude into its range by subtracting
 * one turn after another, which for 1e200 never ends. transform: NULL if points place the raster */
static bool has_corners(const struct raster *r, const double *transform)
{
    double x[4] = {0, r->width, 0, r->width}, y[4] = {0, 0, r->height, r->height}, z[4] = {0};
    int good[4];
    if (transform == NULL) {
        void *points = GDALCreateGCPTransformer(GDALGetGCPCount(r->data), GDALGetGCPs(r->data), 0, false);
        if (points == NULL) return false;
        GDALGCPTransform(points, false, 4, x, y, z, good);
        GDALDestroyGCPTransformer(points);
    }
    for (int i = 0; i < 4; i++) {
        if (transform != NULL) GDALApplyGeoTransform((double *)transform, x[i], y[i], &x[i], &y[i]);
        if (!(fabs(x[i]) <= FARTHEST && fabs(y[i]) <= FARTHEST)) return false;
    }
    return true;
}

static gvm_status place_in(struct raster *r, const char *crs, gvm_error *err)
{
    struct gdal_words words = {.failed = 0};
    double transform[6];
    int points = GDALGetGCPCount(r->data);
    bool placed = GDALGetGeoTransform(r->data, transform) == CE_None;
    if (!placed && points == 0)
        return fail(err, GVM_FORMAT,
                    "%s: it is not georeferenced; list the pictures with their positions instead (--tiles)", r->where);
    if (!has_corners(r, placed ? transform : NULL)) return fail_outside(r, err);
    OGRSpatialReferenceH own = placed ? GDALGetSpatialRef(r->data) : GDALGetGCPSpatialRef(r->data);
    const char *name = own != NULL ? OSRGetName(own) : NULL;
    if (!is_of_the_earth(own)) own = NULL;
    if (own == NULL && crs == NULL && name != NULL)
        return fail(err, GVM_FORMAT,
                    "%s: its coordinate system (%.60s) is a local one, not tied to the Earth; name the right one, for "
                    "example --crs EPSG:25832",
                    r->where, name);
    if (own == NULL && crs == NULL)
        return fail(err, GVM_FORMAT,
                    "%s: it has a geotransform but no coordinate system; name it, for example --crs EPSG:25832",
                    r->where);
    OGRSpatialReferenceH srs = OSRNewSpatialReference(NULL);
    if (own == NULL && OSRSetFromUserInput(srs, crs) != OGRERR_NONE) {
        OSRDestroySpatialReference(srs);
        return fail(err, GVM_ARGUMENT,
                    "unknown coordinate system %.100s; expected one that PROJ supports, such as EPSG:25832", crs);
    }
    char **options = CSLSetNameValue(NULL, "DST_SRS", "EPSG:4326");
    if (own == NULL) options = CSLSetNameValue(options, "SRC_SRS", crs);
    options = CSLSetNameValue(options, "INSERT_CENTER_LONG", "NO");
    options = CSLSetNameValue(options, "METHOD", placed ? "GEOTRANSFORM" : "GCP_POLYNOMIAL");
    gdal_listen(&words);
    r->locator.inner = GDALCreateGenImgProjTransformer2(r->data, NULL, options);
    gdal_ignore();
    CSLDestroy(options);
    r->locator.width = r->width;
    if (r->locator.inner != NULL && repeats(own != NULL ? own : srs)) r->locator.turn = pixels_of_turn(&r->locator);
    OSRExportToWkt(own != NULL ? own : srs, &r->crs);
    OSRDestroySpatialReference(srs);
    if (r->locator.inner == NULL)
        return gdal_fail(err, GVM_FORMAT, r->where, "its georeference cannot be used", &words);
    return GVM_OK;
}

gvm_status raster_find_place(struct raster *r, const char *crs, gvm_error *err)
{
    char *beside = crs == NULL ? crs_beside(r->name) : NULL;
    gvm_status status = place_in(r, crs != NULL ? crs : beside, err);
    CPLFree(beside);
    return status;
}

/* Longitude and latitude of points of the raster; points without them are removed. Returns how many are left. */
static int places_of(double *lon, double *lat, int n, const struct raster *r)
{
    double z[SAMPLES] = {0};
    int good[SAMPLES], kept = 0;
    GDALGenImgProjTransform(r->locator.inner, false, n, lon, lat, z, good);
    for (int i = 0; i < n; i++) {
        if (!good[i] || !isfinite(lon[i]) || !isfinite(lat[i]) || fabs(lat[i]) > 90) continue;
        lon[kept] = lon[i];
        lat[kept++] = lat[i];
    }
    return kept;
}

/* Ground size of the pixel at a point: the square root of its area. */
static double pixel_size(const struct raster *r, double x, double y)
{
    double lon[3] = {x, x + 1, x}, lat[3] = {y, y, y + 1};
    if (places_of(lon, lat, 3, r) < 3) return INFINITY;
    double by_lon = metres_per_lon(lat[0]), by_lat = metres_per_lat(lat[0]), e[2], n[2];
    for (int i = 0; i < 2; i++) {
        e[i] = (lon_near(lon[i + 1], lon[0]) - lon[0]) * by_lon;
        n[i] = (lat[i + 1] - lat[0]) * by_lat;
    }
    return sqrt(fabs(e[0] * n[1] - e[1] * n[0]));
}

/* A growing box in degrees. */
struct around {
    double side[4];
    double near; /* longitude to which all others are wrapped; NaN before the first */
};

/* Widen a box by side x side points of a part of the raster. The middle row comes first: its middle sets `near`. */
static void widen(struct around *a, const struct raster *r, const double part[4], int side)
{
    for (int j = 0; j <= side; j++) {
        int row = j == 0 ? side / 2 : j - 1;
        double lon[SAMPLES], lat[SAMPLES];
        for (int i = 0; i < side; i++) {
            lon[i] = part[0] + (part[2] - part[0]) * i / (side - 1);
            lat[i] = part[1] + (part[3] - part[1]) * row / (side - 1);
        }
        int n = places_of(lon, lat, side, r);
        if (isnan(a->near) && n > 0) a->near = lon[n / 2];
        for (int i = 0; i < n; i++) {
            double x = lon_near(lon[i], a->near), y = fmax(-LAT_MOST, fmin(LAT_MOST, lat[i]));
            box_take_in(a->side, (const double[4]){x, y, x, y});
        }
    }
}

/* The smallest pixel at some points of a part; rows are 32nds of its height. */
static double smallest_pixel(const struct raster *r, const double part[4])
{
    static const int rows[] = {16, 3, 7, 11, 15, 19, 23, 27, 31};
    double least = INFINITY, w = part[2] - part[0] - 1, h = part[3] - part[1] - 1;
    for (size_t j = 0; j < sizeof rows / sizeof *rows; j++)
        for (int i = 0; i <= 8; i++)
            least = fmin(least, pixel_size(r, part[0] + w * i / 8.0, part[1] + h * rows[j] / 32.0));
    return least;
}

/* The box of each covered part, and the box around all of them. */
static gvm_status describe_parts(struct raster_facts *facts, struct around *all, const struct raster *r,
                                 const struct rects *parts, gvm_error *err)
{
    double kx = (double)r->width / GDALGetRasterXSize(r->views[0]),
           ky = (double)r->height / GDALGetRasterYSize(r->views[0]);
    size_t step = 1 + parts->count / 256; /* the pixel size is sampled in every step-th part */
    facts->parts = malloc((parts->count + 1) * sizeof *facts->parts);
    if (facts->parts == NULL) return fail(err, GVM_MEMORY, "%s: cannot open it: out of memory", r->where);
    for (size_t i = 0; i < parts->count; i++) {
        const struct rect *p = &parts->items[i];
        const double part[4] = {p->x0 * kx, p->y0 * ky, p->x1 * kx, p->y1 * ky};
        struct around own = {BOX_OF_NOTHING, all->near};
        widen(&own, r, part, 5);
        if (!(own.side[0] <= own.side[2])) continue; /* beyond LAT_MOST */
        all->near = own.near;
        box_take_in(all->side, own.side);
        memcpy(facts->parts[facts->part_count++], own.side, sizeof own.side);
        if (i % step == 0) facts->pixel_m = fmin(facts->pixel_m, smallest_pixel(r, part));
    }
    return GVM_OK;
}

gvm_status raster_describe(struct raster_facts *facts, const struct raster *r, gvm_error *err)
{
    struct rects parts = {.items = NULL};
    struct around all = {BOX_OF_NOTHING, NAN};
    struct gdal_words words; /* what no sentence takes up */
    const double whole[4] = {0, 0, r->width, r->height}, *box = facts->box;
    bool full = r->hints.gaps != YES;
    *facts = (struct raster_facts){.pixel_m = INFINITY, .width = r->width, .height = r->height};
    gdal_listen(&words);
    gvm_status status = full ? GVM_OK : raster_extent(&parts, &full, r->views[0], r->name, r->first, err);
    if (status == GVM_OK && !full) status = describe_parts(facts, &all, r, &parts, err);
    if (status == GVM_OK && full) {
        widen(&all, r, whole, SAMPLES);
        facts->pixel_m = smallest_pixel(r, whole);
    }
    gdal_ignore();
    rects_free(&parts);
    memcpy(facts->box, all.side, sizeof all.side);
    bool placed = box[0] < box[2] && box[1] < box[3] && facts->pixel_m > 0 && isfinite(facts->pixel_m);
    if (status == GVM_OK && placed) return GVM_OK;
    free(facts->parts);
    facts->parts = NULL;
    if (status != GVM_OK) return status;
    if (!full && facts->part_count == 0) return fail(err, GVM_FORMAT, "%s: it is empty: all of it is nodata", r->where);
    return fail_outside(r, err);
}
