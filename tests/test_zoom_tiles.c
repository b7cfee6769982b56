/* test_zoom_tiles.c - the pictures of a place at several zooms, byte by byte against a plain implementation of the
 * steps in docs/model.md, from one raster or several */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <gdal.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "folder_support.h"
#include "imagery/mosaic.h"
#include "raster/gdal.h"
#include "raster_support.h"

enum { N = 256, H = 20, W = 24, ZOOMS = 4, PIXELS = ZOOMS * H * W * 3 };

static const double R = 6378137, LAT = 42.36, LON = -71.06, UNIT = 0.25, degree = M_PI / 180;
static const struct view view = {.size = {H, W}, .zoom_count = ZOOMS, .zooms = {0.2, 0.4, 0.8, 1.6}};
static double corner[2]; /* of the raster, in web Mercator; the place is at its centre */

/* ------------------------------------------------------------------ a raster of noise */

/* Never white; zero beyond its edges. */
static int texture(int x, int y, int k)
{
    if (x < 0 || y < 0 || x >= N || y >= N) return 255;
    uint32_t h = (uint32_t)(x / 3) * 73856093 ^ (uint32_t)(y / 2) * 19349663 ^ (uint32_t)k * 83492791;
    h = (h ^ (h >> 13)) * 1274126177;
    return (int)((h >> 16) % 240);
}

/* A part of it as a GeoTIFF. white: width of a white border around the part. */
static void put_part(const char *name, int x0, int y0, int w, int h, int white)
{
    struct gdal_words words;
    uint8_t *pixels = malloc((size_t)w * (size_t)h * 3);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int k = 0; k < 3; k++) {
                bool edge = x < white || y < white || x >= w - white || y >= h - white;
                pixels[3 * (y * w + x) + k] = edge ? 255 : (uint8_t)texture(x0 + x, y0 + y, k);
            }
    double place[6] = {corner[0] + x0 * UNIT, UNIT, 0, corner[1] - y0 * UNIT, 0, -UNIT};
    gdal_listen(&words);
    GDALDatasetH data = GDALCreate(GDALGetDriverByName("GTiff"), in_folder(name), w, h, 3, GDT_Byte, NULL);
    OGRSpatialReferenceH srs = OSRNewSpatialReference(NULL);
    OSRImportFromEPSG(srs, 3857);
    GDALSetSpatialRef(data, srs);
    GDALSetGeoTransform(data, place);
    assert_int_equal(GDALDatasetRasterIO(data, GF_Write, 0, 0, w, h, pixels, w, h, GDT_Byte, 3, NULL, 3, 3 * w, 1),
                     CE_None);
    OSRDestroySpatialReference(srs);
    GDALClose(data);
    gdal_ignore();
    free(pixels);
}

static int make_corner(void **state)
{
    corner[0] = R * LON * degree - N / 2 * UNIT;
    corner[1] = R * asinh(tan(LAT * degree)) + N / 2 * UNIT;
    return make_folder(state);
}

/* ------------------------------------------------------------------ the steps, plainly */

static int level_pixel(int level, int x, int y, int k)
{
    if (level == 0) return texture(x, y, k);
    int sum = 2;
    for (int i = 0; i < 4; i++) sum += level_pixel(level - 1, 2 * x + i % 2, 2 * y + i / 2, k);
    return sum / 4;
}

/* Pixels per metre, north-south and east-west. */
static void density(double d[2], double lat, double lon, int level)
{
    double x = R * lon * degree, y = R * asinh(tan(lat * degree)), half = 12.5 * UNIT * (1 << level);
    double north = atan(sinh((y + half) / R)) - atan(sinh((y - half) / R)), east = (x + half) / R - (x - half) / R;
    d[0] = 25 / (north * R);
    d[1] = 25 / (east * R * cos(lat * degree));
}

static int level_for(double zoom)
{
    for (int level = 8; level > 0; level--) {
        double d[2];
        density(d, LAT, LON, level);
        if (1 / fmax(d[0], d[1]) < zoom / 2) return level;
    }
    return 0;
}

static int kernel_of(int *kernel, double sigma)
{
    if (sigma <= 0) return kernel[0] = 256, 0;
    int n = 4 * (int)ceil(sigma) + 1, sum = 0;
    double all = 0, left = 0, w[64];
    for (int i = 0; i < n; i++) all += w[i] = exp(-pow(i - n / 2, 2) / (2 * sigma * sigma));
    for (int i = 0; i < n / 2; i++) {
        double v = 256 * w[i] / all + left;
        kernel[i] = kernel[n - 1 - i] = (int)nearbyint(v);
        left = v - kernel[i];
        sum += 2 * kernel[i];
    }
    kernel[n / 2] = 256 - sum;
    return n / 2;
}

static int blurred(int level, int x, int y, int k, const int *kernel, int r)
{
    long sum = 32768;
    for (int i = -r; i <= r; i++)
        for (int j = -r; j <= r; j++) sum += (long)kernel[i + r] * kernel[j + r] * level_pixel(level, x + j, y + i, k);
    return (int)(sum >> 16);
}

static void plain_picture(uint8_t *out, double lat, double lon, double zoom, double bearing)
{
    int level = level_for(zoom), kernel[64];
    double d[2], side = UNIT * (1 << level), turn = -bearing * degree; /* north is up in web Mercator */
    density(d, lat, lon, level);
    double row = (corner[1] - R * asinh(tan(lat * degree))) / side, col = (R * lon * degree - corner[0]) / side;
    double scale = zoom * (d[0] + d[1]) / 2;
    int r = kernel_of(kernel, (scale - 1) / 2);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int k = 0; k < 3; k++) {
                double v = y - H / 2, u = x - W / 2;
                long i = lrint((row + scale * (cos(turn) * v - sin(turn) * u)) * 32);
                long j = lrint((col + scale * (sin(turn) * v + cos(turn) * u)) * 32), a = i & 31, b = j & 31, sum = 512;
                for (int c = 0; c < 4; c++)
                    sum += (c / 2 ? a : 32 - a) * (c % 2 ? b : 32 - b) *
                           blurred(level, (int)(j >> 5) + c % 2, (int)(i >> 5) + c / 2, k, kernel, r);
                *out++ = (uint8_t)(sum >> 10);
            }
}

/* ------------------------------------------------------------------ against them */

struct open {
    struct mosaic_source sources[8];
    char paths[8][512];
    struct mosaic *mosaic;
    struct zoom_cutter *cutter;
};

/* Names, terminated by NULL. */
static void open_rasters(struct open *o, const char *const *names)
{
    gvm_error err;
    size_t count = 0;
    for (; names[count] != NULL; count++) {
        strcpy(o->paths[count], in_folder(names[count]));
        o->sources[count] = (struct mosaic_source){o->paths[count], {NULL, LOOK, LOOK}};
    }
    if (mosaic_open(&o->mosaic, o->sources, count, view.zooms, ZOOMS, &err) != GVM_OK ||
        zoom_cutter_open(&o->cutter, o->mosaic, &view, &err) != GVM_OK)
        fail_msg("%s", err.text);
}

static void close_rasters(struct open *o)
{
    zoom_cutter_free(o->cutter);
    mosaic_free(o->mosaic);
}

/* A place `right` and `down` pixels from the raster's centre. */
static struct zoom_place place_at(double right, double down, double bearing)
{
    double y = R * asinh(tan(LAT * degree)) - down * UNIT;
    struct zoom_place p = {
        atan(sinh(y / R)) / degree, LON + right * UNIT / R / degree, bearing, malloc(PIXELS), NULL, 0, 0, 0};
    return p;
}

static void cut(struct zoom_place *p, size_t count, struct open *o)
{
    gvm_error err;
    if (zoom_cut(p, count, o->cutter, &err) != GVM_OK) fail_msg("%s", err.text);
}

/* At the centre, where the coarse pictures extend beyond the raster, at its edge and outside; several at once, and one.
 */
static void test_steps(void **state)
{
    (void)state;
    struct open o;
    struct zoom_place p[] = {place_at(0, 0, 180), place_at(31.3, -17.8, 37), place_at(-125, 60, 180),
                             place_at(10, 150, 271), place_at(2000, 0, 180)};
    enum { PLACES = sizeof p / sizeof *p };
    static uint8_t want[PIXELS], alone[PIXELS];
    put_part("all.tif", 0, 0, N, N, 0);
    open_rasters(&o, (const char *const[]){"all.tif", NULL});
    cut(p, PLACES, &o);
    for (int i = 0; i < PLACES; i++) {
        gvm_error err;
        for (int k = 0; k < ZOOMS; k++) {
            assert_int_equal(o.mosaic->layers[0].levels[k], level_for(view.zooms[k]));
            plain_picture(want + k * (PIXELS / ZOOMS), p[i].lat, p[i].lon, view.zooms[k], p[i].bearing);
        }
        assert_memory_equal(p[i].pixels, want, PIXELS);
        assert_int_equal(zoom_tile_cut(alone, o.cutter, p[i].lat, p[i].lon, p[i].bearing, &err), GVM_OK);
        assert_memory_equal(alone, want, PIXELS);
        free(p[i].pixels);
    }
    assert_true(o.mosaic->layers[0].levels[3] > o.mosaic->layers[0].levels[0]);
    assert_true(p[0].empty == 0 && p[0].white == 0 && p[1].empty == 0 && p[1].white > 0.01 && p[1].white < 0.2);
    assert_true(p[2].empty > 0.3 && p[2].empty < 0.7 && p[4].empty == 1 && p[4].white == 1);
    close_rasters(&o);
}

/* Levels kept in memory give the same pictures; levels that exceed the memory limit are not kept. */
static void test_kept(void **state)
{
    (void)state;
    struct open o;
    static const double places[][2] = {{0, 0}, {31.3, -17.8}, {-125, 60}, {10, 150}, {2000, 0}};
    static uint8_t want[PIXELS];
    gvm_error err;
    put_part("all.tif", 0, 0, N, N, 0);
    open_rasters(&o, (const char *const[]){"all.tif", NULL});
    assert_int_equal(mosaic_keep(o.mosaic, 4.0 * N * N + 8.0 * 256 * N - 1, &err), GVM_OK);
    assert_null(o.mosaic->layers[0].kept);
    for (int i = 0; i < 5; i++) {
        struct zoom_place p = place_at(places[i][0], places[i][1], 77);
        windows_free(o.mosaic->layers[0].kept);
        o.mosaic->layers[0].kept = NULL;
        cut(&p, 1, &o);
        memcpy(want, p.pixels, PIXELS);
        assert_int_equal(mosaic_keep(o.mosaic, 1e9, &err), GVM_OK);
        assert_non_null(o.mosaic->layers[0].kept);
        memset(p.pixels, 0, PIXELS);
        cut(&p, 1, &o);
        assert_memory_equal(p.pixels, want, PIXELS);
        free(p.pixels);
    }
    close_rasters(&o);
}

/* Each picture around its own place. */
static void test_around(void **state)
{
    (void)state;
    struct open o;
    struct zoom_place own[ZOOMS], p = place_at(0, 0, 180);
    double around[ZOOMS][2];
    put_part("all.tif", 0, 0, N, N, 0);
    open_rasters(&o, (const char *const[]){"all.tif", NULL});
    for (int k = 0; k < ZOOMS; k++) {
        own[k] = place_at(5 * k, -7 * k, 180);
        around[k][0] = own[k].lat;
        around[k][1] = own[k].lon;
    }
    cut(own, ZOOMS, &o);
    p.around = (const double(*)[2])around;
    cut(&p, 1, &o);
    for (int k = 0; k < ZOOMS; k++) {
        size_t at = (size_t)k * (PIXELS / ZOOMS);
        assert_memory_equal(p.pixels + at, own[k].pixels + at, PIXELS / ZOOMS);
        assert_true(k == 0 || memcmp(own[0].pixels + at, own[k].pixels + at, PIXELS / ZOOMS) != 0);
    }
    for (int k = 0; k < ZOOMS; k++) free(own[k].pixels);
    free(p.pixels);
    close_rasters(&o);
}

/* Overlapping sheets with a white collar, in any order, give the same as the whole. */
static void test_sheets(void **state)
{
    (void)state;
    static const char *const orders[][5] = {{"a.tif", "b.tif", "c.tif", "d.tif"}, {"d.tif", "b.tif", "c.tif", "a.tif"}};
    static uint8_t want[PIXELS];
    struct open whole, sheets;
    put_part("all.tif", 0, 0, N, N, 0);
    put_part("a.tif", 0, 0, 130, 140, 0);
    put_part("b.tif", 121, -4, N - 117, 144, 4);
    put_part("c.tif", 0, 135, 140, N - 135, 0);
    put_part("d.tif", 120, 134, N - 120, N - 134, 0);
    open_rasters(&whole, (const char *const[]){"all.tif", NULL});
    for (size_t k = 0; k < 2; k++) {
        open_rasters(&sheets, orders[k]);
        assert_int_equal(sheets.mosaic->layer_count, 1);
        for (int i = 0; i < 4; i++) {
            struct zoom_place p = place_at(i % 2 ? 7 : -3, i / 2 ? 12 : 1, 180);
            cut(&p, 1, &whole);
            memcpy(want, p.pixels, PIXELS);
            cut(&p, 1, &sheets);
            assert_memory_equal(p.pixels, want, PIXELS);
            assert_true(mosaic_covers(sheets.mosaic, p.lat, p.lon));
            free(p.pixels);
        }
        close_rasters(&sheets);
    }
    struct zoom_place out = place_at(N / 2 + 30, 0, 180), in = place_at(N / 2 - 5, -N / 2 + 5, 180);
    assert_true(!mosaic_covers(whole.mosaic, out.lat, out.lon) && mosaic_covers(whole.mosaic, in.lat, in.lon));
    free(out.pixels);
    free(in.pixels);
    close_rasters(&whole);
}

/* With rasters on different grids, each picture comes from the one that covers it best. */
static void test_layers(void **state)
{
    (void)state;
    struct raster_recipe utm = {.crs = "EPSG:32619"};
    static uint8_t want[PIXELS];
    struct open both, west, east;
    double x = LAT, y = LON;
    struct way way;
    assert_true(way_open(&way, utm.crs) && way_there(&way, &x, &y));
    way_close(&way);
    place_raster(utm.place, x + 14, y, 0.25, 0); /* 30 m wide, 14 m to the east */
    make_raster("east.tif", &utm);
    put_part("west.tif", 0, 0, N / 2, N, 0);
    open_rasters(&both, (const char *const[]){"west.tif", "east.tif", NULL});
    open_rasters(&west, (const char *const[]){"west.tif", NULL});
    open_rasters(&east, (const char *const[]){"east.tif", NULL});
    assert_int_equal(both.mosaic->layer_count, 2);
    for (int i = 0; i < 2; i++) {
        struct zoom_place p = place_at(i ? 75 : -60, 0, 180);
        cut(&p, 1, i ? &east : &west);
        assert_true(p.empty == 0);
        memcpy(want, p.pixels, PIXELS);
        cut(&p, 1, &both);
        assert_memory_equal(p.pixels, want, PIXELS / ZOOMS);
        assert_int_equal(p.source, i);
        free(p.pixels);
    }
    close_rasters(&both);
    close_rasters(&west);
    close_rasters(&east);
}

/* Pixels declared void by no-data, a mask or alpha are white; others are shown. */
static void test_void(void **state)
{
    (void)state;
    for (int nodata = 0; nodata < 4; nodata++) {
        struct raster_recipe r = {.crs = "EPSG:3857", .nodata = nodata, .bands = nodata == 3 ? 4 : 3, .offset = 9};
        struct open o;
        struct zoom_place p = {LAT, LON, 0, malloc(PIXELS), NULL, 0, 0, 0};
        place_raster(r.place, corner[0] + N / 2 * UNIT, corner[1] - N / 2 * UNIT, 0.25, 0);
        make_raster("void.tif", &r);
        open_rasters(&o, (const char *const[]){"void.tif", NULL});
        cut(&p, 1, &o);
        const uint8_t *left = p.pixels + 3 * (H / 2 * W + 2), *right = p.pixels + 3 * (H / 2 * W + W - 2);
        if (nodata > 0)
            assert_true(left[0] == 255 && left[1] == 255 && left[2] == 255 && fabs(p.empty - 0.5) < 0.1);
        else
            assert_true(left[0] < 140 && p.empty == 0);
        assert_true(abs(right[0] - 9 - 2 * 71) <= 4 && right[2] == 109);
        free(p.pixels);
        close_rasters(&o);
        empty_folder(state);
    }
}

/* Degrees, a rotated raster, 16 bits, a colour table: the centre is shown at the centre, at the right scale. */
static void test_kinds(void **state)
{
    (void)state;
    double x = R * LON * degree, y = R * asinh(tan(LAT * degree));
    struct raster_recipe kinds[] = {{.crs = "EPSG:4326"},
                                    {.crs = "EPSG:4326", .nodata = 1, .offset = 1},
                                    {.crs = "EPSG:3857"},
                                    {.crs = "EPSG:3857", .type = GDT_UInt16, .scale = 40},
                                    {.crs = "EPSG:3857", .palette = 1}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct open o;
        struct zoom_place p = {LAT, LON, 0, malloc(PIXELS), NULL, 0, 0, 0};
        if (i < 2)
            place_raster(kinds[i].place, LON, LAT, 2.5e-6, 0);
        else
            place_raster(kinds[i].place, x, y, UNIT, i == 2 ? 20 : 0);
        make_raster("kind.tif", &kinds[i]);
        open_rasters(&o, (const char *const[]){"kind.tif", NULL});
        cut(&p, 1, &o);
        const uint8_t *middle = p.pixels + 3 * (H / 2 * W + W / 2), *below = middle + 3 * 4 * W,
                      *right = middle + 3 * 4;
        double turn = i == 2 ? 20 * degree : 0, metres = 4 * 0.2,
               side[2] = {UNIT * cos(LAT * degree), UNIT * cos(LAT * degree)};
        if (i < 2) side[0] = 2.5e-6 * degree * R * cos(LAT * degree), side[1] = 2.5e-6 * degree * R;
        if (i < 3) {
            assert_true(abs(middle[0] - 120) <= 3 && (i == 1 || abs(middle[1] - 120) <= 3));
            assert_true(fabs(right[0] - middle[0] - 2 * metres / side[0] * cos(turn)) <= 2);
            assert_true(fabs(below[1] - middle[1] - 2 * metres / side[1] * cos(turn)) <= 2);
            assert_true(fabs(below[0] - middle[0] + 2 * metres / side[0] * sin(turn)) <= 2);
        } else {
            assert_true(middle[0] > 100 && middle[0] < 160 && p.empty == 0 && right[0] > middle[0]);
        }
        free(p.pixels);
        close_rasters(&o);
        empty_folder(state);
    }
}

static void test_broken(void **state)
{
    (void)state;
    struct open o;
    struct zoom_place p = place_at(0, 0, 180);
    gvm_error err;
    put_part("half.tif", 0, 0, N, N, 0);
    assert_int_equal(truncate(in_folder("half.tif"), N * N * 3 / 2), 0);
    open_rasters(&o, (const char *const[]){"half.tif", NULL});
    assert_int_equal(zoom_cut(&p, 1, o.cutter, &err), GVM_FILE);
    assert_non_null(strstr(err.text, "half.tif: part of it cannot be read"));
    free(p.pixels);
    close_rasters(&o);
}

static void test_kernel(void **state)
{
    (void)state;
    for (double sigma = -0.5; sigma < 9; sigma += 0.0625) {
        int got[BLUR_MOST], want[64], r = blur_kernel(got, sigma), radius = kernel_of(want, sigma), sum = 0;
        if (sigma > BLUR_MOST / 4) radius = BLUR_MOST / 2;
        assert_int_equal(r, radius);
        for (int i = 0; i <= 2 * r; i++) {
            sum += got[i];
            if (sigma <= BLUR_MOST / 4) assert_int_equal(got[i], want[i]);
        }
        assert_int_equal(sum, 256);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_around, empty_folder),
        cmocka_unit_test_teardown(test_kept, empty_folder),
        cmocka_unit_test_teardown(test_steps, empty_folder),
        cmocka_unit_test_teardown(test_sheets, empty_folder),
        cmocka_unit_test_teardown(test_layers, empty_folder),
        cmocka_unit_test(test_void),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test_teardown(test_broken, empty_folder),
        cmocka_unit_test(test_kernel),
    };
    return cmocka_run_group_tests(tests, make_corner, remove_folder);
}
