/* test_raster.c - positions and content of tiles from rasters, against PROJ and a geodesic on the ellipsoid */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <gdal_utils.h>
#include <geodesic.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cut_support.h"
#include "folder_support.h"
#include "geo/earth.h"
#include "imagery/imagery_parts.h"
#include "raster/gdal.h"
#include "raster_support.h"

static int across = SIZE; /* the network's input size */

static void set_size(int size)
{
    int *to = cut_model.network->config.views[GVM_AERIAL].size;
    to[0] = to[1] = across = size;
}

/* ------------------------------------------------------------------ geometry */

/* The raster's column and row at a position, by PROJ. */
static void raster_pixel(double pixel[2], const struct raster_recipe *r, double lat, double lon)
{
    OGRSpatialReferenceH from = OSRNewSpatialReference(NULL), to = OSRNewSpatialReference(NULL);
    OSRImportFromEPSG(from, 4326);
    OSRSetFromUserInput(to, r->crs);
    OSRSetAxisMappingStrategy(from, OAMS_TRADITIONAL_GIS_ORDER);
    OSRSetAxisMappingStrategy(to, OAMS_TRADITIONAL_GIS_ORDER);
    OGRCoordinateTransformationH transform = OCTNewCoordinateTransformation(from, to);
    double x = lon, y = lat, z = 0, inverse[6];
    assert_true(OCTTransform(transform, 1, &x, &y, &z));
    double turn = OSRIsGeographic(to) ? 360 : 2 * M_PI * EARTH_A; /* period, for rasters that pass 180 degrees */
    if (strcmp(r->crs, "EPSG:3857") == 0 || OSRIsGeographic(to)) x -= turn * round((x - r->place[0]) / turn);
    assert_true(GDALInvGeoTransform((double *)r->place, inverse));
    GDALApplyGeoTransform(inverse, x, y, &pixel[0], &pixel[1]);
    OCTDestroyCoordinateTransformation(transform);
    OSRDestroySpatialReference(from);
    OSRDestroySpatialReference(to);
}

/* The tile's stored corners are those of a square on the ground, to 0.1 m. */
static void check_corners(const struct place *p)
{
    struct geod_geodesic earth;
    geod_init(&earth, 6378137, 1 / 298.257223563);
    for (int i = 0; i < 4; i++) {
        double lat, lon, off, a, b;
        geod_direct(&earth, p->lat, p->lon, 45 + 90 * i, p->metres / sqrt(2), &lat, &lon, NULL);
        geod_inverse(&earth, lat, lon, p->box[i == 0 || i == 3 ? 3 : 1], p->box[i < 2 ? 2 : 0], &off, &a, &b);
        if (off > 0.1) fail_msg("corner %d of the tile at %.6f, %.6f is %.3f m off", i, p->lat, p->lon, off);
    }
}

/* Pixels all over the tile show what is there according to PROJ: each to one pixel of the raster, which colours encode
 * to half a pixel and resampling rounds twice, and on average to a sixth. */
static void check_pixels(const struct cut_tile *tile, const struct raster_recipe *r)
{
    struct geod_geodesic earth;
    double sum[2] = {0, 0}, count = 0, margin = 1 + 128.0 / across; /* the support of a pixel of the tile */
    geod_init(&earth, 6378137, 1 / 298.257223563);
    for (int y = 3; y < across; y += 1 + across / 12)
        for (int x = 4; x < across; x += 1 + across / 12) {
            double east = (x + 0.5 - across / 2) * tile->place.metres / across, pixel[2], off[2];
            double north = (across / 2 - y - 0.5) * tile->place.metres / across, lat, lon;
            geod_direct(&earth, tile->place.lat, tile->place.lon, atan2(east, north) * 180 / M_PI, hypot(east, north),
                        &lat, &lon, NULL);
            raster_pixel(pixel, r, lat, lon);
            if (fmin(pixel[0], pixel[1]) < margin || fmax(pixel[0], pixel[1]) > RASTER_SIDE - margin) continue;
            const uint8_t *rgb = tile->pixels + ((size_t)y * (size_t)across + (size_t)x) * 3;
            for (int i = 0; i < 2; i++) sum[i] += off[i] = rgb[i] / 2.0 + 0.5 - pixel[i];
            count++;
            if (hypot(off[0], off[1]) > 1 || abs(rgb[2] - 100) > 1)
                fail_msg("%s: at %.7f, %.7f it shows (%d, %d, %d), %.2f columns and %.2f rows off", r->crs, lat, lon,
                         rgb[0], rgb[1], rgb[2], off[0], off[1]);
        }
    if (count > 0 && hypot(sum[0], sum[1]) > count / 6)
        fail_msg("%s: %.2f columns and %.2f rows off", r->crs, sum[0] / count, sum[1] / count);
}

static void check_file(const char *name, struct raster_recipe r, double x, double y, double pixel, double degrees,
                       int tiles)
{
    const char *crs = r.crs;
    place_raster(r.place, x, y, pixel, degrees);
    make_raster(name, &r);
    struct cut cut = cut_raster_file(name);
    if ((int)(cut.count - cut.empty) != tiles)
        fail_msg("%s: %zu tiles, not %d (%zu empty)", crs, cut.count - cut.empty, tiles, cut.empty);
    for (size_t i = 0; i < cut.count; i++) {
        assert_int_equal(cut.tiles[i].status, GVM_OK);
        assert_true(cut.tiles[i].place.lon >= -180 && cut.tiles[i].place.lon < 180);
        if (cut.tiles[i].empty) continue;
        check_corners(&cut.tiles[i].place);
        check_pixels(&cut.tiles[i], &r);
    }
    free_cut(&cut);
}

static void check_geometry(const char *crs, double x, double y, double pixel, double degrees, int tiles)
{
    check_file("a.tif", (struct raster_recipe){.crs = crs}, x, y, pixel, degrees, tiles);
}

/* 120 pixels of 0.93 m: 112 m, three rows of three tiles every 32 m. */
static void test_projections(void **state)
{
    (void)state;
    check_geometry("EPSG:32633", 500000, 6651411, 0.93, 0, 9);     /* UTM north, at 60 degrees */
    check_geometry("EPSG:32633", 300000, 6651411, 0.93, 0, 9);     /* grid north differs from true north */
    check_geometry("EPSG:32719", 420000, 5000000, 0.93, 0, 9);     /* UTM south */
    check_geometry("EPSG:3857", 1489200, 6894700, 1.53, 0, 9);     /* 52.5 degrees north */
    check_geometry("EPSG:4326", -70.5, -33.4, 8.4e-6, 0, 6);       /* wider than high because of the parallel */
    check_geometry("EPSG:32633", 480000, 5540000, 0.93, 30, 12);   /* turned */
    check_geometry("EPSG:32633", 480000, 5540000, 0.93, -135, 12); /* and upside down */
    check_geometry("EPSG:27700", 530000, 180000, 0.93, 0, 9);      /* another datum */
}

static void test_antimeridian(void **state)
{
    (void)state;
    check_geometry("EPSG:32760", 815000, 8100000, 0.93, 0, 9);
    check_geometry("EPSG:4326", 180, -16.5, 8.9e-6, 0, 9);
    check_geometry("EPSG:4326", -180, -16.5, 8.9e-6, 0, 9);
    check_geometry("EPSG:3857", 20037508.34, -1860000, 0.97, 0, 9);
    check_geometry("EPSG:3857", -20037508.34, -1860000, 0.97, 0, 9);
}

/* Formats other than GeoTIFF. MBTiles and GeoPackages have a fixed pixel grid, to which GDAL warps the raster. */
static void test_formats(void **state)
{
    (void)state;
    static const struct {
        const char *name, *driver;
    } files[] = {{"a.mbtiles", "MBTiles"}, {"a.gpkg", "GPKG"}, {"a.jp2", "JP2OpenJPEG"}, {"a.vrt", "VRT"}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct gdal_words words;
        gdal_listen(&words);
        bool there = GDALGetDriverByName(files[i].driver) != NULL;
        gdal_ignore();
        if (!there) continue; /* WebP and JPEG 2000 are not in every GDAL */
        struct raster_recipe r = {.crs = "EPSG:3857", .driver = files[i].driver};
        if (strcmp(r.driver, "VRT") == 0) {
            place_raster(r.place, 1489200, 6894700, 1.53, 0);
            make_raster("b.tif", &(struct raster_recipe){.crs = r.crs,
                                                         .place = {r.place[0], r.place[1], r.place[2], r.place[3],
                                                                   r.place[4], r.place[5]}});
            r.source = "b.tif";
        }
        check_file(files[i].name, r, 1489200, 6894700, 1.53, 0, 9);
    }
}

/* The coordinate system in a separate file, as GIS programs write it beside a world file. */
static void test_prj(void **state)
{
    (void)state;
    static const char *const names[] = {"a.prj", "a.tif.prj", "a.PRJ", "a.qpj"};
    static const char esri[] = /* without an authority's codes */
        "PROJCS[\"WGS_1984_UTM_Zone_33N\",GEOGCS[\"GCS_WGS_1984\",DATUM[\"D_WGS_1984\",SPHEROID[\"WGS_1984\",6378137.0,"
        "298.257223563]],PRIMEM[\"Greenwich\",0.0],UNIT[\"Degree\",0.0174532925199433]],PROJECTION["
        "\"Transverse_Mercator\"],PARAMETER[\"False_Easting\",500000.0],PARAMETER[\"False_Northing\",0.0],PARAMETER["
        "\"Central_Meridian\",15.0],PARAMETER[\"Scale_Factor\",0.9996],PARAMETER[\"Latitude_Of_Origin\",0.0],UNIT["
        "\"Meter\",1.0]]\r\n";
    struct raster_recipe r = {.crs = "EPSG:32633"};
    place_raster(r.place, 480000, 5540000, 1.53, 0);
    struct raster_recipe bare = r;
    bare.crs = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        make_raster("a.tif", &bare);
        put_text(names[i], esri);
        struct cut cut = cut_raster_file("a.tif");
        for (size_t k = 0; k < cut.count; k++)
            if (!cut.tiles[k].empty) check_pixels(&cut.tiles[k], &r);
        assert_in_range(cut.count - cut.empty, 9, 100);
        free_cut(&cut);
        assert_int_equal(unlink(in_folder(names[i])), 0);
    }
    put_text("a.prj", "LOCAL_CS[\"site\",UNIT[\"metre\",1]]"); /* not a system of the Earth */
    const char *path = in_folder("a.tif");
    expect_no_imagery(&(gvm_map_options){.rasters = &path, .raster_count = 1}, GVM_FORMAT,
                      "name it, for example --crs");
}

/* Rows and columns have the requested distance, also for large tiles. */
static void test_stride(void **state)
{
    (void)state;
    struct geod_geodesic earth;
    struct raster_recipe r = {.crs = "EPSG:32633"};
    geod_init(&earth, 6378137, 1 / 298.257223563);
    place_raster(r.place, 600000, 6651411, 60, 0);
    make_raster("a.tif", &r);
    const char *path = in_folder("a.tif");
    struct imagery *imagery =
        open_imagery(&(gvm_map_options){.rasters = &path, .raster_count = 1, .tile_m = 1000, .stride_m = 700});
    struct cut cut = cut_all(imagery);
    for (size_t i = 1; i < cut.count; i++) {
        const struct place *p = &cut.tiles[i - 1].place, *q = &cut.tiles[i].place;
        double apart, a, b;
        geod_inverse(&earth, p->lat, p->lon, q->lat, q->lon, &apart, &a, &b);
        if (p->lat == q->lat && q->lon > p->lon) assert_float_equal(apart, 700, 0.4);
        check_corners(q);
        if (!cut.tiles[i].empty) check_pixels(&cut.tiles[i], &r);
    }
    assert_true(cut.count - cut.empty >= 10 * 10);
    imagery_free(imagery);
    free_cut(&cut);
}

/* Distant tiles are cut one by one, with the same pixels as a result. */
static void test_alone(void **state)
{
    (void)state;
    struct raster_recipe r = {.crs = "EPSG:32633"};
    place_raster(r.place, 480000, 5540000, 1, 10);
    make_raster("a.tif", &r);
    const char *path = in_folder("a.tif");
    struct imagery *imagery =
        open_imagery(&(gvm_map_options){.rasters = &path, .raster_count = 1, .tile_m = 20, .stride_m = 40});
    struct cut cut = cut_all(imagery);
    assert_true(cut.count >= 9);
    for (size_t i = 0; i < cut.count; i++)
        if (!cut.tiles[i].empty) check_pixels(&cut.tiles[i], &r);
    imagery_free(imagery);
    free_cut(&cut);
}

/* A raster four times as fine, with overviews, also of the mask, if the left half is void. */
static void add_overviews(const char *name, const char *from)
{
    static const char *const options[] = {"-outsize", "480", "480", NULL};
    struct gdal_words words;
    gdal_listen(&words);
    GDALDatasetH source = GDALOpen(in_folder(from), GA_ReadOnly);
    GDALTranslateOptions *translate = GDALTranslateOptionsNew((char **)options, NULL);
    GDALDatasetH data = GDALTranslate(in_folder(name), source, translate, NULL);
    assert_non_null(data);
    GDALClose(data);
    data = GDALOpen(in_folder(name), GA_Update);
    assert_int_equal(GDALBuildOverviews(data, "NEAREST", 2, (int[]){2, 4}, 0, NULL, NULL, NULL), CE_None);
    GDALClose(data);
    GDALClose(source);
    GDALTranslateOptionsFree(translate);
    gdal_ignore();
}

/* A raster finer than the network's input: its pixels are averaged first. */
static void test_reduced(void **state)
{
    (void)state;
    set_size(16); /* of 4 m; the raster has 0.93 */
    check_geometry("EPSG:32633", 480000, 5540000, 0.93, 30, 12);
    check_geometry("EPSG:3857", 20037508.34, -1860000, 0.97, 0, 9);
    for (int nodata = 1; nodata <= 3; nodata++) {
        struct raster_recipe r = {.crs = "EPSG:32633", .bands = nodata == 3 ? 4 : 3, .nodata = nodata};
        place_raster(r.place, 480000, 5540000, 0.93, 0);
        make_raster("a.tif", &r);
        add_overviews("b.tif", "a.tif");
        struct cut cut = cut_raster_file("b.tif");
        assert_int_equal(cut.failed, 0);
        assert_in_range(cut.empty, 1, cut.count - 1);
        free_cut(&cut);
    }
    set_size(SIZE);
}

/* GDAL's objects are not seen by the leak sanitizer. */
static void test_all_closed(void **state)
{
    (void)state;
    GDALDatasetH *open;
    int count;
    GDALGetOpenDatasets(&open, &count);
    assert_int_equal(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_projections, empty_folder),
        cmocka_unit_test_teardown(test_antimeridian, empty_folder),
        cmocka_unit_test_teardown(test_formats, empty_folder),
        cmocka_unit_test_teardown(test_stride, empty_folder),
        cmocka_unit_test_teardown(test_alone, empty_folder),
        cmocka_unit_test_teardown(test_reduced, empty_folder),
        cmocka_unit_test_teardown(test_prj, empty_folder),
        cmocka_unit_test(test_all_closed),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
