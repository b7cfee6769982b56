/* test_mosaic.c - areas that a raster does not cover count as empty and take no time: VRTs with gaps, GeoTIFFs with
 * missing blocks, tile tables with wide bounds; coordinate systems that are not of the Earth; files that would block */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <gdal.h>
#include <limits.h>
#include <ogr_srs_api.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder_support.h"
#include "imagery/imagery_parts.h"
#include "network/session.h"
#include "raster/gdal.h"
#include "raster_support.h"

enum { SIZE = 32 /* side of a tile, pixels */, BYTES = SIZE * SIZE * 3 };

static struct network network = {.config = {.views = {[GVM_AERIAL] = {.size = {SIZE, SIZE}}}}};
static gvm_model model = {.network = &network, .views[GVM_AERIAL] = {.ground_m = 64, .height = SIZE, .width = SIZE}};

/* ------------------------------------------------------------------ counting tiles */

struct tally {
    size_t places, tiles, black; /* black: tiles that are black for more than half */
};

static bool is_black(const uint8_t *pixels)
{
    int black = 0;
    for (int i = 0; i < SIZE * SIZE; i++) black += pixels[3 * i] + pixels[3 * i + 1] + pixels[3 * i + 2] < 30;
    return black > SIZE * SIZE / 2;
}

static gvm_status count_tiles(struct tally *counts, const gvm_map_options *options, gvm_error *err)
{
    static uint8_t pixels[GRID_MOST * BYTES];
    struct cut_tile tiles[GRID_MOST];
    struct imagery *imagery;
    struct cutter cutter = {.raster = NULL};
    size_t before = 0;
    *counts = (struct tally){0};
    gvm_status status = imagery_open(&imagery, options, &model, err);
    if (status != GVM_OK) return status;
    for (int i = 0; i < GRID_MOST; i++) tiles[i].pixels = pixels + i * BYTES;
    for (size_t i = 0; i < imagery_pieces(imagery); i++) {
        struct piece piece = {.tiles = tiles};
        imagery_cut(&piece, &cutter, imagery, i);
        assert_int_equal(piece.before, before);
        for (int k = 0; k < piece.count; k++) {
            assert_int_equal(imagery_find(imagery, before + (size_t)k), i);
            if (tiles[k].status != GVM_OK) fail_msg("%s", piece.err.text);
            counts->tiles += !tiles[k].empty;
            counts->black += !tiles[k].empty && is_black(tiles[k].pixels);
        }
        before += (size_t)piece.count;
    }
    counts->places = imagery_places(imagery);
    assert_int_equal(before, counts->places);
    cutter_close(&cutter);
    imagery_free(imagery);
    return GVM_OK;
}

static struct tally count(const char *name)
{
    const char *path = in_folder(name);
    struct tally counts;
    gvm_error err;
    if (count_tiles(&counts, &(gvm_map_options){.rasters = &path, .raster_count = 1}, &err) != GVM_OK)
        fail_msg("%s", err.text);
    assert_int_equal(counts.black, 0);
    return counts;
}

static void refused(const char *name, gvm_status status, const char *words)
{
    const char *path = in_folder(name);
    struct tally counts;
    gvm_error err = {""};
    gvm_status got = count_tiles(&counts, &(gvm_map_options){.rasters = &path, .raster_count = 1}, &err);
    if (got != status || strstr(err.text, words) == NULL) fail_msg("status %d: %s (wanted: %s)", got, err.text, words);
}

static void plain(const char *name, const char *crs, double x, double y)
{
    struct raster_recipe r = {.crs = crs, .scale = 1, .offset = 1};
    place_raster(r.place, x, y, 1, 0);
    make_raster(name, &r);
}

/* ------------------------------------------------------------------ VRT */

/* Sources of 120 x 120 pixels at positions in a raster of this size. */
static void put_vrt(const char *name, int width, int height, int n, const char *const *files, const double (*at)[2],
                    const char *extra)
{
    char *text = malloc(10000);
    int length =
        snprintf(text, 10000,
                 "<VRTDataset rasterXSize=\"%d\" rasterYSize=\"%d\"><SRS>EPSG:32633</SRS><GeoTransform>500000, 1, "
                 "0, 5540000, 0, -1</GeoTransform>",
                 width, height);
    for (int band = 1; band <= 3; band++) {
        length += snprintf(text + length, 10000 - (size_t)length, "<VRTRasterBand dataType=\"Byte\" band=\"%d\">%s",
                           band, extra);
        for (int i = 0; i < n; i++)
            length += snprintf(text + length, 10000 - (size_t)length,
                               "<SimpleSource><SourceFilename relativeToVRT=\"1\">%s</SourceFilename><SourceBand>%d"
                               "</SourceBand><SrcRect xOff=\"0\" yOff=\"0\" xSize=\"120\" ySize=\"120\"/><DstRect "
                               "xOff=\"%.9g\" yOff=\"%.9g\" xSize=\"120\" ySize=\"120\"/></SimpleSource>",
                               files[i], band, at[i][0], at[i][1]);
        length += snprintf(text + length, 10000 - (size_t)length, "</VRTRasterBand>");
    }
    snprintf(text + length, 10000 - (size_t)length, "</VRTDataset>");
    put_text(name, text);
    free(text);
}

/* Two separate rasters in one mosaic: as many tiles as from both alone, and only positions near them. */
static void test_vrt(void **state)
{
    (void)state;
    static const char *const files[] = {"a.tif", "b.tif"};
    static const char *const extras[] = {"", "<NoDataValue>0</NoDataValue>"};
    static const double apart[][2][2] = {{{0, 1000}, {900.4, 0}}, {{0, 40000}, {30000, 0}}, {{0, 7e6}, {2e6, 0}}};
    plain("a.tif", "EPSG:32633", 500060, 5539000);
    plain("b.tif", "EPSG:32633", 501000, 5540000);
    size_t alone = count("a.tif").tiles + count("b.tif").tiles;
    assert_int_equal(alone, 18);
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < 2; k++) {
            put_vrt("m.vrt", (int)apart[i][1][0] + 121, (int)apart[i][0][1] + 120, 2, files, apart[i], extras[k]);
            struct tally c = count("m.vrt");
            assert_in_range(c.tiles, alone / 2, 2 * alone);
            assert_in_range(c.places, alone, 200);
        }
    put_vrt("inner.vrt", 2000, 2000, 2, files, apart[0], ""); /* a mosaic of mosaics */
    char text[2000];
    FILE *file = fopen(in_folder("outer.vrt"), "w");
    assert_non_null(file);
    snprintf(text, sizeof text,
             "<VRTDataset rasterXSize=\"9000\" rasterYSize=\"3000\"><SRS>EPSG:32633</SRS><GeoTransform>500000, 1, 0, "
             "5540000, 0, -1</GeoTransform><VRTRasterBand dataType=\"Byte\" band=\"1\"><SimpleSource><SourceFilename "
             "relativeToVRT=\"1\">inner.vrt</SourceFilename><SourceBand>1</SourceBand><SrcRect xOff=\"0\" yOff=\"0\" "
             "xSize=\"2000\" ySize=\"2000\"/><DstRect xOff=\"6000\" yOff=\"500\" xSize=\"2000\" ySize=\"2000\"/>"
             "</SimpleSource></VRTRasterBand></VRTDataset>");
    fputs(text, file);
    fclose(file);
    struct tally c = count("outer.vrt");
    assert_in_range(c.tiles, alone / 2, 2 * alone);
    assert_in_range(c.places, alone, 200);
    put_vrt("empty.vrt", 500, 500, 0, files, apart[0], "");
    refused("empty.vrt", GVM_FORMAT, "empty.vrt: it is empty");
}

/* ------------------------------------------------------------------ GeoTIFF */

/* Of 40,000 x 40,000 pixels only two blocks exist. */
static void test_sparse(void **state)
{
    (void)state;
    struct gdal_words words;
    const char *const options[] = {"SPARSE_OK=TRUE", "TILED=YES", "COMPRESS=DEFLATE", NULL};
    gdal_listen(&words);
    GDALDatasetH data =
        GDALCreate(GDALGetDriverByName("GTiff"), in_folder("s.tif"), 40000, 40000, 1, GDT_Byte, (char **)options);
    double place[6] = {500000, 1, 0, 5540000, 0, -1};
    static uint8_t block[256 * 256];
    memset(block, 200, sizeof block);
    GDALSetGeoTransform(data, place);
    OGRSpatialReferenceH srs = OSRNewSpatialReference(NULL);
    OSRImportFromEPSG(srs, 32633);
    GDALSetSpatialRef(data, srs);
    OSRDestroySpatialReference(srs);
    static const int at[2][2] = {{512, 256}, {35840, 38400}};
    for (int i = 0; i < 2; i++)
        assert_int_equal(GDALRasterIO(GDALGetRasterBand(data, 1), GF_Write, at[i][0], at[i][1], 256, 256, block, 256,
                                      256, GDT_Byte, 0, 0),
                         CE_None);
    GDALClose(data);
    gdal_ignore();
    struct tally c = count("s.tif");
    assert_in_range(c.tiles, 2 * 6 * 6, 2 * 9 * 9);
    assert_in_range(c.places, c.tiles, 500);
}

/* ------------------------------------------------------------------ tables of tiles */

static void run_sql(const char *name, const char *sql)
{
    sqlite3 *base;
    char *message = NULL;
    assert_int_equal(sqlite3_open(in_folder(name), &base), SQLITE_OK);
    if (sqlite3_exec(base, sql, NULL, NULL, &message) != SQLITE_OK) fail_msg("%s: %s", sql, message);
    sqlite3_close(base);
}

static void test_tables(void **state)
{
    (void)state;
    struct raster_recipe r = {.crs = "EPSG:3857", .driver = "MBTiles", .offset = 1};
    place_raster(r.place, 1489200, 6894700, 1.2, 0);
    make_raster("m.mbtiles", &r);
    struct tally before = count("m.mbtiles"), c;
    run_sql("m.mbtiles", "UPDATE metadata SET value = '-180,-85,180,85' WHERE name = 'bounds'");
    c = count("m.mbtiles");
    assert_in_range(c.tiles, before.tiles - 4, before.tiles + 12);
    assert_in_range(c.places, c.tiles, 500);
    run_sql("m.mbtiles",
            "INSERT INTO tiles (zoom_level, tile_column, tile_row, tile_data) SELECT zoom_level, tile_column - "
            "20000, tile_row - 5000, tile_data FROM tiles WHERE zoom_level = (SELECT max(zoom_level) FROM "
            "tiles)");
    c = count("m.mbtiles");
    assert_in_range(c.tiles, 2 * before.tiles - 8, 2 * before.tiles + 100); /* further south a tile is larger */
    assert_in_range(c.places, c.tiles, 1000);
    run_sql("m.mbtiles", "DELETE FROM tiles WHERE zoom_level < (SELECT max(zoom_level) FROM tiles); UPDATE tiles SET "
                         "tile_column = tile_column * (1 << (22 - zoom_level)), tile_row = tile_row * (1 << (22 - "
                         "zoom_level)), zoom_level = 22; UPDATE metadata SET value = 22 WHERE name IN ('minzoom', "
                         "'maxzoom')");
    c = count("m.mbtiles"); /* the whole world would be 2^30 pixels wide */
    assert_in_range(c.places, 1, 1000);
    r.driver = "GPKG";
    make_raster("g.gpkg", &r);
    before = count("g.gpkg");
    run_sql("g.gpkg",
            "UPDATE gpkg_contents SET min_x = -2e7, min_y = -2e7, max_x = 2e7, max_y = 2e7; UPDATE "
            "gpkg_tile_matrix_set SET max_x = 2e7, min_y = -2e7; UPDATE gpkg_tile_matrix SET matrix_width = 200000, "
            "matrix_height = 200000");
    c = count("g.gpkg");
    assert_in_range(c.tiles, before.tiles - 4, before.tiles + 12);
    assert_in_range(c.places, c.tiles, 500);
}

/* ------------------------------------------------------------------ coordinate systems */

static void test_crs(void **state)
{
    (void)state;
    static const char *const systems[] = {"LOCAL_CS[\"unnamed\",UNIT[\"metre\",1]]",
                                          ("ENGCRS[\"site\",EDATUM[\"site\"],CS[Cartesian,2],AXIS[\"x\",east],AXIS["
                                           "\"y\",north],LENGTHUNIT[\"metre\",1]]"),
                                          ("GEOGCS[\"Mars\",DATUM[\"Mars\",SPHEROID[\"Mars\",3396190,169.9]],PRIMEM["
                                           "\"R\",0],UNIT[\"degree\",0.0174532925]"
                                           "]")};
    for (size_t i = 0; i < sizeof systems / sizeof *systems; i++) {
        plain("l.tif", systems[i], 500000, 5540000);
        refused("l.tif", GVM_FORMAT, "not tied to the Earth; name the right one, for example --crs");
        const char *path = in_folder("l.tif");
        struct tally c;
        gvm_error err;
        const gvm_map_options options = {.rasters = &path, .raster_count = 1, .crs = "EPSG:32633"};
        if (count_tiles(&c, &options, &err) != GVM_OK) fail_msg("%s", err.text);
        assert_int_equal(c.tiles, 9);
        empty_folder(NULL); /* written beside it by GDAL */
    }
}

/* ------------------------------------------------------------------ alpha */

static void test_alpha(void **state)
{
    (void)state;
    static const struct {
        int nodata, option; /* of the raster, and the user's */
        bool all, warns;
    } cases[] = {
        {3, 0, false, false}, {3, -1, true, false}, {4, 0, true, true}, {4, 1, false, false}, {4, -1, true, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct raster_recipe r = {.crs = "EPSG:32633", .bands = 4, .nodata = cases[i].nodata};
        place_raster(r.place, 500000, 5540000, 2, 0);
        make_raster("a.tif", &r);
        const char *path = in_folder("a.tif");
        struct tally c;
        struct imagery *imagery = NULL;
        gvm_error err, note;
        const gvm_map_options options = {.rasters = &path, .raster_count = 1, .alpha = cases[i].option};
        if (count_tiles(&c, &options, &err) != GVM_OK || imagery_open(&imagery, &options, &model, &err) != GVM_OK)
            fail_msg("%s", err.text);
        assert_int_equal(c.tiles == c.places, cases[i].all);
        bool warning;
        assert_true(imagery_note(&note, &warning, imagery, 0));
        assert_int_equal(warning, cases[i].warns);
        assert_int_equal(strstr(note.text, "a.tif: band 4 is marked as alpha but has many values;") != NULL, warning);
        assert_false(imagery_note(&note, &warning, imagery, 1));
        json_t *job = json_pack("{so}", "imagery", imagery_describe(imagery));
        const json_t *described = json_object_get(job, "imagery");
        struct raster_hints hints = hints_of_job(described, json_array_get(json_object_get(described, "sources"), 0));
        assert_int_equal(hints.alpha, cases[i].all ? NO : YES);
        assert_int_equal(hints.gaps, NO);
        json_decref(job);
        imagery_free(imagery);
    }
}

/* ------------------------------------------------------------------ pipes and devices */

static void test_pipes(void **state)
{
    (void)state;
    static const double at[][2] = {{0, 0}};
    char long_name[PATH_MAX];
    plain("a.tif", "EPSG:32633", 500060, 5539940);
    assert_int_equal(mkfifo(in_folder("pipe"), 0600), 0);
    snprintf(long_name, sizeof long_name, "/vsizip/%s/a.tif", in_folder("pipe"));
    const char *const names[] = {
        "pipe", "./pipe", "/dev/zero", "/dev/stdin", long_name, "vrt://pipe?bands=1", "GTIFF_DIR:1:pipe"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        put_vrt("m.vrt", 120, 120, 1, &names[i], at, "");
        refused("m.vrt", GVM_FILE, "which is not a regular file; move that away");
    }
    static const char *const inner[] = {"m.vrt"}, *const good[] = {"a.tif"};
    put_vrt("outer.vrt", 120, 120, 1, inner, at, "");
    refused("outer.vrt", GVM_FILE, "outer.vrt: it is read together with ");
    put_vrt("m.vrt", 120, 120, 1, good, at, "");
    assert_int_equal(count("m.vrt").tiles, 9);
    put_text("a.tif.aux.xml",
             "<PAMDataset><Metadata domain=\"OVERVIEWS\"><MDI key=\"OVERVIEW_FILE\">pipe</MDI></Metadata>"
             "</PAMDataset>");
    refused("a.tif", GVM_FILE, "a.tif: it is read together with ");
    refused("m.vrt", GVM_FILE, "m.vrt: it is read together with ");
    unlink(in_folder("a.tif.aux.xml"));
    static const char *const beside[] = {"a.tif.aux.xml", "a.tif.ovr", "a.tfw", "A.TFW", "a.tif.msk"};
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
        assert_int_equal(mkfifo(in_folder(beside[i]), 0600), 0);
        refused("a.tif", GVM_FILE, "which is not a regular file; move that away");
        unlink(in_folder(beside[i]));
    }
    assert_int_equal(mkfifo(in_folder("ab"), 0600), 0); /* a pipe of somebody else */
    assert_int_equal(count("a.tif").tiles, 9);
    unlink(in_folder("ab"));
    unlink(in_folder("pipe"));
}

/* ------------------------------------------------------------------ folders of tiles */

static const char resource[] =
    "<?xml version=\"1.0\"?><TileMap version=\"1.0.0\"><SRS>%s</SRS><TileSets profile=\"%s\"/></TileMap>";

static bool is_south(const char *name, const char *text)
{
    bool tms;
    gvm_error err;
    if (name != NULL) put_text(name, text);
    if (tms_find(&tms, in_folder(""), &err) != GVM_OK) fail_msg("%s", err.text);
    if (name != NULL) unlink(in_folder(name));
    return tms;
}

static void test_tms(void **state)
{
    (void)state;
    char text[400];
    bool tms;
    gvm_error err;
    assert_false(is_south(NULL, NULL));
    static const char *const good[][2] = {
        {"EPSG:3857", "mercator"}, {"OSGEO:41001", "global-mercator"}, {"EPSG:900913", ""}, {"", "mercator"}};
    for (size_t i = 0; i < 4; i++) {
        snprintf(text, sizeof text, resource, good[i][0], good[i][1]);
        assert_true(is_south("tilemapresource.xml", text));
    }
    assert_true(is_south("metadata.json", "{\"scheme\": \"tms\"}"));
    assert_true(is_south("tiles.json", "{\"scheme\": \"TMS\"}"));
    assert_false(is_south("metadata.json", "{\"scheme\": \"xyz\"}"));
    assert_false(is_south("metadata.json", "[1, 2"));
    assert_false(is_south("metadata.json", "{\"scheme\": 5}"));
    static const char *const bad[][2] = {{"EPSG:4326", "geodetic"}, {"EPSG:32633", "raster"}, {"EPSG:32633", ""}};
    for (size_t i = 0; i < 3; i++) {
        snprintf(text, sizeof text, resource, bad[i][0], bad[i][1]);
        put_text("tilemapresource.xml", text);
        assert_int_equal(tms_find(&tms, in_folder(""), &err), GVM_FORMAT);
        assert_non_null(strstr(err.text, "are not in Web Mercator"));
    }
    static const char *const broken[] = {"<TileMap", "<other/>", "text", "<TileMap><SRS></TileMap>"};
    for (size_t i = 0; i < 4; i++) {
        put_text("tilemapresource.xml", broken[i]);
        assert_int_equal(tms_find(&tms, in_folder(""), &err), GVM_FORMAT);
        assert_non_null(strstr(err.text, "it is not a TMS tile map description"));
    }
    put_text("tilemapresource.xml", "<!-- a comment --><TileMap><TileSets/></TileMap>");
    assert_int_equal(tms_find(&tms, in_folder(""), &err), GVM_OK);
}

/* Rows counted from the south and from the north are the same positions; extensions may be upper case. */
static void test_rows(void **state)
{
    (void)state;
    static const char *const names[] = {"5.png",  "6.PNG",  "7.Jpg",      "8.JPEG",
                                        "9.webP", "10.txt", "11.png.bak", "99999999999.png"};
    assert_int_equal(mkdir(in_folder("4"), 0777), 0);
    assert_int_equal(mkdir(in_folder("4/3"), 0777), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[64];
        snprintf(name, sizeof name, "4/3/%s", names[i]);
        put_text(name, "x");
    }
    for (int tms = 0; tms < 2; tms++) {
        struct place *places, want;
        struct names kept = {.blocks = NULL};
        size_t n;
        gvm_error err;
        assert_int_equal(xyz_list(&places, &n, &kept, in_folder(""), tms, 64, &err), GVM_OK);
        assert_int_equal(n, 5);
        for (size_t i = 0; i < n; i++) {
            const char *tail = strrchr(places[i].source, '/') + 1;
            long y = atol(tail);
            assert_true(xyz_place(&want, 4, 3, tms ? 15 - y : y));
            assert_true(places[i].lat == want.lat && places[i].lon == want.lon);
            assert_string_equal(tail, names[y - 5]);
            assert_int_equal(access(places[i].source, R_OK), 0);
        }
        free(places);
        names_free(&kept);
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[64];
        snprintf(name, sizeof name, "4/3/%s", names[i]);
        unlink(in_folder(name));
    }
    rmdir(in_folder("4/3"));
    rmdir(in_folder("4"));
}

/* ------------------------------------------------------------------ rectangles, grids, GeoJSON */

/* GDAL's objects are not seen by the leak sanitizer. */
static void test_all_closed(void **state)
{
    (void)state;
    GDALDatasetH *open;
    int n;
    GDALGetOpenDatasets(&open, &n);
    assert_int_equal(n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_vrt, empty_folder),
        cmocka_unit_test_teardown(test_sparse, empty_folder),
        cmocka_unit_test_teardown(test_tables, empty_folder),
        cmocka_unit_test_teardown(test_crs, empty_folder),
        cmocka_unit_test_teardown(test_alpha, empty_folder),
        cmocka_unit_test_teardown(test_pipes, empty_folder),
        cmocka_unit_test_teardown(test_tms, empty_folder),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_all_closed),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
