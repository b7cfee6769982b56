/* test_raster.c - tiles out of rasters lie where PROJ and a geodesic on the ellipsoid say, and show what is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <gdal_utils.h>
#include <geodesic.h>
#include <limits.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder_support.h"
#include "geo/earth.h"
#include "imagery/imagery_parts.h"
#include "map/map.h"
#include "network/session.h"
#include "raster/gdal.h"
#include "raster_support.h"

enum { SIZE = 128 /* pixels of a tile, at most */ };

static int across = SIZE; /* as the network takes it */

static struct network network = {.config = {.views = {[GVM_AERIAL] = {.size = {SIZE, SIZE}}}}};
static gvm_model model = {.network = &network, .info = {.ground_m = 64, .aerial_height = SIZE, .aerial_width = SIZE}};

/* ------------------------------------------------------------------ cutting */

struct cut {
    struct cut_tile *tiles;
    uint8_t *pixels;
    size_t count, empty, failed;
};

static struct imagery *open_imagery(const gvm_map_options *options)
{
    struct imagery *imagery;
    gvm_error err;
    if (imagery_open(&imagery, options, &model, &err) != GVM_OK) fail_msg("%s", err.text);
    return imagery;
}

/* All places, as a build would have them. */
static struct cut cut_all(const struct imagery *imagery)
{
    enum { BYTES = SIZE * SIZE * 3 };
    size_t n = imagery_places(imagery);
    struct cut cut = {.tiles = calloc(n + GRID_MOST, sizeof *cut.tiles), .pixels = calloc(n + GRID_MOST, BYTES)};
    struct cutter cutter = {.raster = NULL};
    for (size_t i = 0; i < n + GRID_MOST; i++) cut.tiles[i].pixels = cut.pixels + i * BYTES;
    for (size_t i = 0; i < imagery_pieces(imagery); i++) {
        struct piece piece = {.tiles = cut.tiles + cut.count};
        imagery_cut(&piece, &cutter, imagery, i);
        assert_int_equal(piece.before, cut.count);
        for (size_t k = 0; k < (size_t)piece.count; k++) assert_int_equal(imagery_find(imagery, cut.count + k), i);
        for (int k = 0; k < piece.count; k++) {
            cut.empty += piece.tiles[k].status == GVM_OK && piece.tiles[k].empty;
            cut.failed += piece.tiles[k].status != GVM_OK;
        }
        cut.count += (size_t)piece.count;
    }
    assert_int_equal(cut.count, n);
    assert_int_equal(imagery_find(imagery, n), imagery_pieces(imagery));
    cutter_close(&cutter);
    return cut;
}

static void free_cut(struct cut *cut)
{
    free(cut->tiles);
    free(cut->pixels);
}

static struct cut cut_raster_file(const char *name)
{
    const char *path = in_folder(name);
    struct imagery *imagery = open_imagery(&(gvm_map_options){.rasters = &path, .raster_count = 1});
    struct cut cut = cut_all(imagery);
    for (size_t i = 0; i < cut.count; i++) assert_string_equal(cut.tiles[i].place.source, path);
    for (size_t i = 0; i < cut.count; i++) cut.tiles[i].place.source = NULL;
    imagery_free(imagery);
    return cut;
}

/* ------------------------------------------------------------------ geometry */

/* The raster's column and row at a place, by PROJ. */
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
    double turn = OSRIsGeographic(to) ? 360 : 2 * M_PI * EARTH_A; /* where the raster goes on beyond 180 degrees */
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

/* Pixels all over the tile show what PROJ says lies there: each to a pixel of the raster, which colours tell to half
 * of one and resampling rounds twice, and all together to a sixth. */
static void check_pixels(const struct cut_tile *tile, const struct raster_recipe *r)
{
    struct geod_geodesic earth;
    double sum[2] = {0, 0}, count = 0, margin = 1 + 128.0 / across; /* as far as a pixel of the tile looks */
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
    check_geometry("EPSG:32633", 300000, 6651411, 0.93, 0, 9);     /* where its north is not the true one */
    check_geometry("EPSG:32719", 420000, 5000000, 0.93, 0, 9);     /* UTM south */
    check_geometry("EPSG:3857", 1489200, 6894700, 1.53, 0, 9);     /* 52.5 degrees north */
    check_geometry("EPSG:4326", -70.5, -33.4, 8.4e-6, 0, 6);       /* wider than high by the parallel */
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

/* Other files than GeoTIFF. MBTiles and GeoPackages have their own grid of pixels, to which GDAL brings the raster. */
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
        if (!there) continue; /* WebP's and JPEG 2000's are not in every GDAL */
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

static void expect_refusal(const gvm_map_options *options, gvm_status status, const char *words)
{
    struct imagery *imagery;
    gvm_error err = {""};
    gvm_status got = imagery_open(&imagery, options, &model, &err);
    if (got != status || strstr(err.text, words) == NULL) fail_msg("status %d: %s (wanted: %s)", got, err.text, words);
    assert_null(imagery);
}

/* The coordinate system stands in a file of its own, as GIS programs write it beside a world file. */
static void test_prj(void **state)
{
    (void)state;
    static const char *const names[] = {"a.prj", "a.tif.prj", "a.PRJ", "a.qpj"};
    static const char esri[] = /* without an authority's numbers */
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
    put_text("a.prj", "LOCAL_CS[\"site\",UNIT[\"metre\",1]]"); /* no system of the Earth */
    const char *path = in_folder("a.tif");
    expect_refusal(&(gvm_map_options){.rasters = &path, .raster_count = 1}, GVM_FORMAT, "name that, as in --crs");
}

/* Rows and columns stand as far apart as they should, also where the tiles are large. */
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

/* Each tile is cut alone where they lie far apart, and the same pixels come out. */
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

/* A raster four times as fine, with overviews, also of what says that its left half is void. */
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

/* A raster finer than the network looks: its pixels are taken together first. */
static void test_reduced(void **state)
{
    (void)state;
    network.config.views[GVM_AERIAL].size[0] = network.config.views[GVM_AERIAL].size[1] = across =
        16; /* of 4 m, where the raster has 0.93 */
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
    network.config.views[GVM_AERIAL].size[0] = network.config.views[GVM_AERIAL].size[1] = across = SIZE;
}

/* ------------------------------------------------------------------ kinds of samples */

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

/* One tile in the middle of the raster; of its pixels that in the middle is column 60, row 60. */
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

/* The left half is void: the tile in the middle stays, its left half the mean colour. */
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
        {.bands = 4, .nodata = 1},       /* alpha that is full everywhere beside no-data */
        {.palette = 2, .driver = "PNG"}, /* a TIFF's palette has no alpha */
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
    expect_refusal(&(gvm_map_options){.rasters = &path, .raster_count = 1}, status, words);
}

static void test_refused(void **state)
{
    (void)state;
    struct raster_recipe r = {.crs = "EPSG:32633", .type = GDT_Float32};
    place_raster(r.place, 500000, 5540000, 1, 0);
    make_raster("float.tif", &r);
    expect_bad_raster(in_folder("float.tif"), GVM_FORMAT, "float.tif: its samples are Float32, not 8- or 16-bit");
    r.type = GDT_Byte;
    r.crs = NULL;
    make_raster("nowhere.tif", &r);
    expect_bad_raster(in_folder("nowhere.tif"), GVM_FORMAT, "name that, as in --crs");
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", in_folder("nowhere.tif"));
    const char *one[] = {path}, *twice[] = {path, path};
    expect_refusal(&(gvm_map_options){.rasters = one, .raster_count = 1, .crs = "EPSG:0"}, GVM_ARGUMENT,
                   "EPSG:0 is not a coordinate system");
    struct imagery *imagery = open_imagery(&(gvm_map_options){.rasters = one, .raster_count = 1, .crs = "EPSG:32633"});
    assert_int_equal(imagery_places(imagery), 9);
    imagery_free(imagery);
    make_raster("bare.tif", &(struct raster_recipe){.bands = 3});
    expect_bad_raster(in_folder("bare.tif"), GVM_FORMAT, "bare.tif: it does not say where on the earth it lies");
    r.crs = "EPSG:32633";
    place_raster(r.place, 500000, 5540000, 100, 0);
    make_raster("coarse.tif", &r);
    expect_bad_raster(in_folder("coarse.tif"), GVM_FORMAT, "coarse.tif: its pixels cover 100 m each");
    place_raster(r.place, 5e9, 5e9, 1, 0);
    make_raster("space.tif", &r);
    expect_bad_raster(in_folder("space.tif"), GVM_FORMAT, "space.tif: its coordinates lie outside");
    put_text("text.tif", "no raster");
    expect_bad_raster(in_folder("text.tif"), GVM_FORMAT, "text.tif: it is not a raster that can be opened");
    put_text("empty.tif", "");
    expect_bad_raster(in_folder("empty.tif"), GVM_FORMAT, "empty.tif: the file is empty");
    expect_bad_raster(in_folder("gone.tif"), GVM_FILE, "gone.tif: cannot open it");
    expect_bad_raster("/vsicurl/http://127.0.0.1/a.tif", GVM_FILE, "only files on this machine");
    expect_refusal(&(gvm_map_options){.rasters = twice, .raster_count = 2, .crs = "EPSG:32633"}, GVM_ARGUMENT,
                   "it is named twice");
    expect_refusal(&(gvm_map_options){.tiles = "a", .xyz = "b"}, GVM_ARGUMENT, "a map is built from rasters, or");
    expect_refusal(&(gvm_map_options){.tiles = "a", .tile_m = 3}, GVM_ARGUMENT, "for rasters only");
}

/* A VRT names files of its own: those of other machines are not reached, nor any by way of a file that names them. */
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
    expect_refusal(&(gvm_map_options){.xyz = in_folder("gone")}, GVM_FILE, "gone: cannot read it");
    expect_refusal(&(gvm_map_options){.xyz = in_folder("")}, GVM_FORMAT, "no tile z/x/y.jpg");
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

/* The sanitizer does not see what GDAL holds. */
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
        cmocka_unit_test_teardown(test_samples, empty_folder),
        cmocka_unit_test_teardown(test_void, empty_folder),
        cmocka_unit_test_teardown(test_refused, empty_folder),
        cmocka_unit_test_teardown(test_vrt, empty_folder),
        cmocka_unit_test_teardown(test_xyz, empty_folder),
        cmocka_unit_test(test_all_closed),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
