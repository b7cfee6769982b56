/* raster_place.c - where a raster lies, by GDAL and PROJ. */
#include <cpl_string.h>
#include <gdal_alg.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <string.h>

#include "base/error.h"
#include "map/earth.h"
#include "map/gdal.h"
#include "map/raster_parts.h"

enum { SAMPLES = 33 /* points a side at which the raster's place is looked at */ };

#define LAT_MOST 85.0 /* as far as web maps go; nearer to a pole no street is */

/* A raster may go on beyond where PROJ cuts its projection, as one across 180 degrees does: what falls outside of it is
 * looked for a whole turn further. */
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

/* Whether a place 360 degrees further east has another, equally good, place in this projection. */
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

/* A degree in pixels, times 360. Of three degrees, as one may lie where the projection is cut. */
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

gvm_status raster_find_place(struct raster *r, const char *crs, gvm_error *err)
{
    struct gdal_words words = {.failed = 0};
    double transform[6];
    int points = GDALGetGCPCount(r->data);
    bool placed = GDALGetGeoTransform(r->data, transform) == CE_None;
    if (!placed && points == 0)
        return fail(err, GVM_FORMAT,
                    "%s: it does not say where on the earth it lies (no georeference): give pictures and their places "
                    "as a list (--tiles)",
                    r->where);
    OGRSpatialReferenceH own = placed ? GDALGetSpatialRef(r->data) : GDALGetGCPSpatialRef(r->data);
    if (own == NULL && crs == NULL)
        return fail(err, GVM_FORMAT,
                    "%s: it says where it lies but not in which coordinate system: name that, as in --crs EPSG:25832",
                    r->where);
    OGRSpatialReferenceH srs = OSRNewSpatialReference(NULL);
    if (own == NULL && OSRSetFromUserInput(srs, crs) != OGRERR_NONE) {
        OSRDestroySpatialReference(srs);
        return fail(err, GVM_ARGUMENT, "%.100s is not a coordinate system that PROJ knows, as EPSG:25832 is", crs);
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
    OSRDestroySpatialReference(srs);
    if (r->locator.inner == NULL)
        return gdal_fail(err, GVM_FORMAT, r->where, "its place on the earth cannot be made out", &words);
    return GVM_OK;
}

/* Longitude and latitude of points of the raster, those that have them moved together; their number. */
static int places_of(double *lon, double *lat, int n, const struct raster *r)
{
    struct gdal_words words;
    double z[SAMPLES] = {0};
    int good[SAMPLES], kept = 0;
    gdal_listen(&words);
    GDALGenImgProjTransform(r->locator.inner, false, n, lon, lat, z, good);
    gdal_ignore();
    for (int i = 0; i < n; i++) {
        if (!good[i] || !isfinite(lon[i]) || !isfinite(lat[i]) || fabs(lat[i]) > 90) continue;
        lon[kept] = lon[i];
        lat[kept++] = lat[i];
    }
    return kept;
}

/* The ground size of the pixel at a point, by its two sides: the root of their product as vectors. */
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

gvm_status raster_describe(struct raster_facts *facts, const struct raster *r, gvm_error *err)
{
    double *box = facts->box, middle = NAN;
    box[0] = box[1] = facts->pixel_m = INFINITY;
    box[2] = box[3] = -INFINITY;
    for (int j = 0; j <= SAMPLES; j++) { /* the middle row first: its middle says what is near */
        int row = j == 0 ? SAMPLES / 2 : j - 1;
        double lon[SAMPLES], lat[SAMPLES];
        for (int i = 0; i < SAMPLES; i++) {
            lon[i] = (double)r->width * i / (SAMPLES - 1);
            lat[i] = (double)r->height * row / (SAMPLES - 1);
        }
        int n = places_of(lon, lat, SAMPLES, r);
        if (isnan(middle) && n > 0) middle = lon[n / 2];
        for (int i = 0; i < n; i++) {
            double x = lon_near(lon[i], middle), y = fmax(-LAT_MOST, fmin(LAT_MOST, lat[i]));
            box[0] = fmin(box[0], x);
            box[1] = fmin(box[1], y);
            box[2] = fmax(box[2], x);
            box[3] = fmax(box[3], y);
        }
        if (j % 4 != 0) continue;
        for (int i = 0; i <= 8; i++)
            facts->pixel_m =
                fmin(facts->pixel_m, pixel_size(r, (r->width - 1) * i / 8.0, (r->height - 1) * row / 32.0));
    }
    if (!(box[0] < box[2]) || !(box[1] < box[3]) || !(facts->pixel_m > 0) || !isfinite(facts->pixel_m))
        return fail(err, GVM_FORMAT,
                    "%s: its coordinates lie outside of its coordinate system, or beyond 85 degrees "
                    "of latitude",
                    r->where);
    return GVM_OK;
}
