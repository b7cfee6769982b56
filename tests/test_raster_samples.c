/* test_raster_samples.c - sample types, rasters that are refused, and folders of web-map tiles */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <geodesic.h>
#include <limits.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cut_support.h"
#include "folder_support.h"
#include "geo/earth.h"
#include "imagery/imagery_parts.h"
#include "raster_support.h"

/* ------------------------------------------------------------------ sample types */

static const uint8_t *pixel_at(const struct cut_tile *tile, int y, int x)
{
    return tile->pixels + ((size_t)y * SIZE + (size_t)x) * 3;
}

static void expect_colour(const struct cut_tile *tile, int y, int x, int red, int green, int blue)
{
    const uint8_t *p = pixel_at(tile, y, x);
    if (abs(p[0] - red) > 2 || abs(p[1] - green) > 2 || abs(p[2] - blue) > 2)
        fail_msg("(%d, %d, %d) instead of (%d, %d, %d)", p[0], p[1], p[2], red, green, blue);
}

/* One tile at the raster's centre; the tile's centre is at column 60, row 60. */
static struct cut cut_middle(struct raster_recipe r, const char *name)
{
    r.crs = "EPSG:32633";
    place_raster(r.place, 500000, 5540000, 1, 0);
    make_raster(name, &r);
    const char *path = in_folder(name);
    struct imagery *imagery =
        open_imagery(&(gvm_map_options){.rasters = &path, .raster_count = 1, .tile_m = 64, .stride_m = 300});
    struct cut cut = cut_all(imagery);
    imagery_free(imagery);
    assert_int_equal(cut.count, 1);
    assert_int_equal(cut.failed, 0);
    return cut;
}

static void test_samples(void **state)
{
    (void)state;
    static const struct {
        struct raster_recipe recipe;
        int red, green, blue; /* at column 90, row 60 */
    } cases[] = {
        {{.bands = 3}, 180, 120, 100},
        {{.bands = 1}, 180, 180, 180},
        {{.bands = 4}, 180, 120, 100},
        {{.bands = 5}, 180, 120, 100},
        {{.palette = 1}, 180, 75, 100},
        {{.palette = 2}, 180, 75, 100},
        {{.palette = 1, .bands = 2}, 180, 75, 100},
        {{.palette = 1, .option = "NBITS=8"}, 180, 75, 100},
        {{.palette = 1, .type = GDT_UInt16}, 180, 75, 100},
        {{.bands = 2}, 180, 180, 180},
        {{.bands = 4, .nodata = 4}, 180, 120, 100}, /* no mask */
        {{.bands = 2, .nodata = 4}, 180, 180, 180},
        {{.bands = 4, .option = "ALPHA=PREMULTIPLIED"}, 180, 120, 100},
        {{.type = GDT_UInt16, .bands = 2, .scale = 100, .offset = 2000}, 195, 195, 195},
        {{.type = GDT_UInt16, .bands = 2, .scale = 100, .offset = 2000, .nodata = 4}, 195, 195, 195},
        {{.type = GDT_UInt16, .bands = 1, .scale = 100, .offset = 2000}, 195, 195, 195}, /* of 4 .. 234 */
        {{.type = GDT_Int16, .bands = 1, .scale = 50, .offset = -9000}, 195, 195, 195},
        {{.bands = 3, .driver = "PNG"}, 180, 120, 100},
        {{.bands = 1, .driver = "JPEG"}, 180, 180, 180},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *driver = cases[i].recipe.driver;
        struct cut cut = cut_middle(cases[i].recipe, driver == NULL ? "a.tif" : driver[0] == 'P' ? "a.png" : "a.jpg");
        assert_int_equal(cut.empty, 0);
        expect_colour(&cut.tiles[0], 64, 124, cases[i].red, cases[i].green, cases[i].blue);
        free_cut(&cut);
    }
}

/* The left half is void: the tile at the centre is kept, with the mean colour in its left half. */
static void test_void(void **state)
{
    (void)state;
    static const struct raster_recipe cases[] = {
        {.bands = 3, .nodata = 1},
        {.bands = 3, .nodata = 2},
        {.bands = 4, .nodata = 3},
        {.bands = 1, .nodata = 1, .type = GDT_UInt16, .scale = 100, .offset = 2000},
        {.bands = 2, .nodata = 3, .type = GDT_UInt16, .scale = 100, .offset = 2000},
        {.bands = 4, .nodata = 3, .type = GDT_UInt16, .scale = 100, .offset = 2000, .opaque = 255},
        {.bands = 2, .nodata = 3, .type = GDT_Int16, .scale = 100, .offset = 2000, .opaque = 32767},
        {.bands = 4, .nodata = 3, .option = "ALPHA=PREMULTIPLIED"},
        {.bands = 2, .nodata = 3},
        {.bands = 4, .nodata = 1},       /* fully opaque alpha besides no-data */
        {.palette = 2, .driver = "PNG"}, /* a TIFF's colour table has no alpha */
        {.palette = 1, .bands = 2, .nodata = 3},
        {.palette = 1, .nodata = 1},
        {.palette = 1, .nodata = 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cut cut = cut_middle(cases[i], cases[i].driver != NULL ? "a.png" : "a.tif");
        assert_int_equal(cut.empty, 0);
        expect_colour(&cut.tiles[0], 64, 30, 124, 116, 104);
        if (cases[i].type == GDT_Unknown) assert_in_range(pixel_at(&cut.tiles[0], 64, 124)[0], 179, 181);
        free_cut(&cut);
    }
    struct raster_recipe r = {.crs = "EPSG:32633", .nodata = 1};
    place_raster(r.place, 500000, 5540000, 3.9, 0); /* 468 m, of which the western half is empty */
    make_raster("a.tif", &r);
    struct cut cut = cut_raster_file("a.tif");
    assert_int_equal(cut.count, 14 * 14);
    assert_int_equal(cut.empty, 14 * 7);
    free_cut(&cut);
}

/* ------------------------------------------------------------------ what is refused */

static void expect_bad_raster(const char *path, gvm_status status, const char *words)
{
    expect_no_imagery(&(gvm_map_options){.rasters = &path, .raster_count = 1}, status, words);
}

static void test_refused(void **state)
{
    (void)state;
    struct raster_recipe r = {.crs = "EPSG:32633", .type = GDT_Float32};
    place_raster(r.place, 500000, 5540000, 1, 0);
    make_raster("float.tif", &r);
    expect_bad_raster(in_folder("float.tif"), GVM_FORMAT,
                      "float.tif: unsupported sample type Float32, expected 8- or 16-bit");
    r.type = GDT_Byte;
    r.crs = NULL;
    make_raster("nowhere.tif", &r);
    expect_bad_raster(in_folder("nowhere.tif"), GVM_FORMAT, "name it, for example --crs");
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", in_folder("nowhere.tif"));
    const char *one[] = {path}, *twice[] = {path, path};
    expect_no_imagery(&(gvm_map_options){.rasters = one, .raster_count = 1, .crs = "EPSG:0"}, GVM_ARGUMENT,
                      "unknown coordinate system");
    struct imagery *imagery = open_imagery(&(gvm_map_options){.rasters = one, .raster_count = 1, .crs = "EPSG:32633"});
    assert_int_equal(imagery_places(imagery), 9);
    imagery_free(imagery);
    make_raster("bare.tif", &(struct raster_recipe){.bands = 3});
    expect_bad_raster(in_folder("bare.tif"), GVM_FORMAT, "bare.tif: it is not georeferenced; list the");
    r.crs = "EPSG:32633";
    place_raster(r.place, 500000, 5540000, 100, 0);
    make_raster("coarse.tif", &r);
    expect_bad_raster(in_folder("coarse.tif"), GVM_FORMAT, "coarse.tif: its ground sample distance, 100 m, is");
    place_raster(r.place, 5e9, 5e9, 1, 0);
    make_raster("space.tif", &r);
    expect_bad_raster(in_folder("space.tif"), GVM_FORMAT, "space.tif: its coordinates are outside");
    r.crs = "EPSG:4326"; /* GDAL would take turns from its longitudes without an end */
    place_raster(r.place, 1e200, 50, 1e190, 0);
    make_raster("far.tif", &r);
    expect_bad_raster(in_folder("far.tif"), GVM_FORMAT, "far.tif: its coordinates are outside");
    put_text("void.vrt",
             "<VRTDataset rasterXSize=\"40\" rasterYSize=\"40\"><SRS>EPSG:32633</SRS><GeoTransform>500000,1,0,"
             "5540000,0,-1</GeoTransform><VRTRasterBand dataType=\"UInt16\" band=\"1\"><NoDataValue>-2"
             "</NoDataValue></VRTRasterBand></VRTDataset>"); /* a value that its type cannot hold */
    expect_bad_raster(in_folder("void.vrt"), GVM_FORMAT, "void.vrt: it is empty");
    put_text("text.tif", "no raster");
    expect_bad_raster(in_folder("text.tif"), GVM_FORMAT, "text.tif: unsupported or corrupt raster");
    put_text("empty.tif", "");
    expect_bad_raster(in_folder("empty.tif"), GVM_FORMAT, "empty.tif: the file is empty");
    expect_bad_raster(in_folder("gone.tif"), GVM_FILE, "gone.tif: cannot open it");
    expect_bad_raster("/vsicurl/http://127.0.0.1/a.tif", GVM_FILE, "only local files");
    expect_no_imagery(&(gvm_map_options){.rasters = twice, .raster_count = 2, .crs = "EPSG:32633"}, GVM_ARGUMENT,
                      "it is given twice");
    expect_no_imagery(&(gvm_map_options){.tiles = "a", .xyz = "b"}, GVM_ARGUMENT,
                      "a map is built from exactly one of: rasters,");
    expect_no_imagery(&(gvm_map_options){.tiles = "a", .tile_m = 3}, GVM_ARGUMENT, "to rasters only");
}

/* A VRT refers to other files: files on other machines are not opened, neither directly nor through a file that refers
 * to them. */
static void test_vrt(void **state)
{
    (void)state;
    char sparse[PATH_MAX];
    struct raster_recipe r = {.crs = "EPSG:32633", .bands = 3};
    place_raster(r.place, 500000, 5540000, 0.5, 0);
    make_raster("b.tif", &r);
    snprintf(sparse, sizeof sparse, "/vsisparse/%s", in_folder("sparse.xml"));
    put_text("sparse.xml", "<VSISparseFile><Length>10000000</Length><SubfileRegion><Filename relative=\"1\">b.tif"
                           "</Filename><RegionLength>10000000</RegionLength></SubfileRegion></VSISparseFile>");
    const char *const sources[] = {"/vsicurl/http://127.0.0.1:9/a.tif",
                                   "/vsis3/bucket/a.tif",
                                   "/vsicurl?url=http://127.0.0.1:9/a.tif",
                                   "/vsistdin/",
                                   sparse,
                                   "gone.tif"};
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        char text[800];
        snprintf(
            text, sizeof text,
            "<VRTDataset rasterXSize=\"240\" rasterYSize=\"240\"><SRS>EPSG:32633</SRS><GeoTransform>500000, 0.5, 0, "
            "5540000, 0, -0.5</GeoTransform><VRTRasterBand dataType=\"Byte\" band=\"1\"><SimpleSource>"
            "<SourceFilename relativeToVRT=\"0\">%s</SourceFilename><SourceBand>1</SourceBand><SourceProperties "
            "RasterXSize=\"240\" RasterYSize=\"240\" DataType=\"Byte\" BlockXSize=\"240\" BlockYSize=\"8\"/>"
            "</SimpleSource></VRTRasterBand></VRTDataset>",
            sources[i]);
        put_text("a.vrt", text);
        struct cut cut = cut_raster_file("a.vrt");
        assert_int_equal(cut.failed, cut.count);
        free_cut(&cut);
    }
}

/* ------------------------------------------------------------------ web-map tiles */

static void test_xyz(void **state)
{
    (void)state;
    struct place p;
    double x[2] = {0, 0}, y[2] = {0, 0}, z[2] = {0, 0}, side = 2 * M_PI * EARTH_A / (1 << 19), half = M_PI * EARTH_A;
    assert_true(xyz_place(&p, 19, 281673, 171932));
    x[0] = 281673 * side - half, x[1] = 281674 * side - half;
    y[0] = half - 171933 * side, y[1] = half - 171932 * side;
    OGRSpatialReferenceH from = OSRNewSpatialReference(NULL), to = OSRNewSpatialReference(NULL);
    OSRImportFromEPSG(from, 3857);
    OSRImportFromEPSG(to, 4326);
    OSRSetAxisMappingStrategy(to, OAMS_TRADITIONAL_GIS_ORDER);
    OGRCoordinateTransformationH transform = OCTNewCoordinateTransformation(from, to);
    assert_true(OCTTransform(transform, 2, x, y, z));
    for (int i = 0; i < 2; i++) {
        assert_float_equal(p.box[2 * i], x[i], 1e-9);
        assert_float_equal(p.box[2 * i + 1], y[i], 1e-9);
    }
    OCTDestroyCoordinateTransformation(transform);
    OSRDestroySpatialReference(from);
    OSRDestroySpatialReference(to);
    struct geod_geodesic earth;
    double high, wide, a, b;
    geod_init(&earth, 6378137, 1 / 298.257223563);
    geod_inverse(&earth, p.box[1], p.lon, p.box[3], p.lon, &high, &a, &b);
    geod_inverse(&earth, p.lat, p.box[0], p.lat, p.box[2], &wide, &a, &b);
    assert_float_equal(p.metres, sqrt(high * wide), 1e-3);
    assert_false(xyz_place(&p, 3, 8, 0));
    assert_false(xyz_place(&p, 3, 0, -1));
    assert_false(xyz_place(&p, 60, 0, 0));
    expect_no_imagery(&(gvm_map_options){.xyz = in_folder("gone")}, GVM_FILE, "gone: cannot read it");
    expect_no_imagery(&(gvm_map_options){.xyz = in_folder("")}, GVM_FORMAT, "no tile z/x/y.jpg");
    static const char *const names[] = {"19/0281673/00171932.png", "19/281674/171932@2x.PNG", "19/281675/171932.jfif"};
    make_raster("tile.png", &(struct raster_recipe){.driver = "PNG"});
    assert_int_equal(mkdir(in_folder("19"), 0777), 0);
    for (int i = 0; i < 3; i++) {
        char tile[PATH_MAX], folder[PATH_MAX];
        snprintf(tile, sizeof tile, "%s", in_folder("tile.png"));
        snprintf(folder, sizeof folder, "%s", in_folder(names[i]));
        *strrchr(folder, '/') = '\0';
        assert_int_equal(mkdir(folder, 0777), 0);
        assert_int_equal(link(tile, in_folder(names[i])), 0);
    }
    struct imagery *imagery = open_imagery(&(gvm_map_options){.xyz = in_folder("")});
    struct cut cut = cut_all(imagery);
    assert_true(cut.count == 3 && cut.failed == 0 && cut.empty == 0);
    free_cut(&cut);
    imagery_free(imagery);
    for (int i = 0; i < 3; i++) {
        char folder[PATH_MAX];
        snprintf(folder, sizeof folder, "%s", in_folder(names[i]));
        unlink(folder);
        *strrchr(folder, '/') = '\0';
        assert_int_equal(rmdir(folder), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_samples, empty_folder), cmocka_unit_test_teardown(test_void, empty_folder),
        cmocka_unit_test_teardown(test_refused, empty_folder), cmocka_unit_test_teardown(test_vrt, empty_folder),
        cmocka_unit_test_teardown(test_xyz, empty_folder),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
