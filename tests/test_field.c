/* test_field.c - all scores on a regular grid: each tile's score at its centre, gaps, size, p; and as a GeoTIFF that
 * GDAL reads back */
#include <cpl_vsi.h>
#include <gdal.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "geo/earth.h"
#include "locate/field.h"
#include "map/map.h"
#include "raster/gdal.h"

enum { MOST = 4000 };

static struct tile items[MOST];
static float scores[MOST];

static gvm_map map_of(size_t count)
{
    for (size_t i = 0; i < count; i++) scores[i] = (float)(0.4 + 0.2 * random_normal(3, 4, i));
    return (gvm_map){.tiles = {.items = items, .count = count}, .ground_m = 30};
}

static void put(size_t i, double lat, double lon, double metres)
{
    items[i] = (struct tile){.lat = lat, .lon = lon, .image = (char *)"x", .metres = metres, .row = i};
}

/* Cells in sheared rows, 30 m on the authors' sphere, around a position. */
static size_t cells(double lat, double lon, int rows, int columns)
{
    long first = lround(lat * EARTH_DEGREE * EARTH_A / 30);
    for (int r = 0; r < rows; r++) {
        double angle = (double)(first + r) * 30 / EARTH_A, around = EARTH_A * cos(angle);
        long from = lround(lon * EARTH_DEGREE * around / 30);
        for (int c = 0; c < columns; c++)
            put((size_t)(r * columns + c), angle / EARTH_DEGREE, (double)(from + c) * 30 / around / EARTH_DEGREE, 30);
    }
    return (size_t)(rows * columns);
}

static gvm_field *open_field(const gvm_map *map, double scale, size_t most, gvm_field_info *info)
{
    const gvm_field_options options = {
        .size = sizeof options, .scores = scores, .score_scale = scale, .max_pixels = most};
    gvm_field *field;
    gvm_error err;
    if (gvm_field_open(&field, map, &options, &err) != GVM_OK) fail_msg("%s", err.text);
    info->size = sizeof *info;
    assert_int_equal(gvm_field_about(field, info, &err), GVM_OK);
    return field;
}

static size_t pixel_at(const gvm_field_info *info, double lat, double lon)
{
    int row = (int)floor((info->north - lat) / (info->north - info->south) * info->height);
    int column = (int)floor((lon_near(lon, (info->west + info->east) / 2) - info->west) / (info->east - info->west) *
                            info->width);
    assert_true(row >= 0 && row < info->height && column >= 0 && column < info->width);
    return (size_t)row * (size_t)info->width + (size_t)column;
}

static void check_centres(const gvm_map *map, const gvm_field *field, const gvm_field_info *info)
{
    const float *seen = gvm_field_scores(field);
    for (size_t i = 0; i < map->tiles.count; i++)
        if (!isnan(scores[i])) assert_true(seen[pixel_at(info, items[i].lat, items[i].lon)] == scores[i]);
}

/* In the north and across the antimeridian: each cell's centre has its score, and there are no gaps between cells. */
static void test_cells(void **state)
{
    static const double places[][2] = {{42.36, -71.06}, {-33.87, 151.2}, {0.001, 0}, {69.65, 18.96}, {-17, 179.999}};
    (void)state;
    for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
        gvm_map map = map_of(cells(places[k][0], places[k][1], 60, 50));
        gvm_field_info info;
        gvm_field *field = open_field(&map, 0, 0, &info);
        check_centres(&map, field, &info);
        assert_int_equal(info.height, 60);
        assert_in_range(info.width, 50, 50 + 60 * 4); /* the shear */
        assert_true(fabs(info.pixel_m - 30) < 0.1 && !info.has_p && gvm_field_p(field) == NULL);
        const float *seen = gvm_field_scores(field);
        for (int y = 0; y < info.height; y++) {
            int first = -1, last = -1, count = 0;
            for (int x = 0; x < info.width; x++) {
                if (isnan(seen[y * info.width + x])) continue;
                first = first < 0 ? x : first;
                last = x;
                count++;
            }
            assert_in_range(count, 50, 54);
            assert_int_equal(last - first + 1, count);
        }
        gvm_field_free(field);
    }
}

/* Tiles of a rotated grid, with a hole in it and a tile that was not searched. */
static void test_turned(void **state)
{
    size_t n = 0;
    double turn = 0.35, degree = 1 / EARTH_ARC;
    (void)state;
    for (int r = 0; r < 30; r++)
        for (int c = 0; c < 30; c++) {
            if (r >= 10 && r < 16 && c >= 10 && c < 16) continue;
            double x = 32 * c, y = 32 * r;
            double north = y * cos(turn) - x * sin(turn), east = y * sin(turn) + x * cos(turn);
            put(n++, 48 + north * degree, 11 + east * degree / cos(48 * EARTH_DEGREE), 64);
        }
    gvm_map map = map_of(n);
    scores[5] = NAN;
    gvm_field_info info;
    gvm_field *field = open_field(&map, 20, 0, &info);
    const float *seen = gvm_field_scores(field), *p = gvm_field_p(field);
    size_t same = 0;
    for (size_t i = 0; i < n; i++) same += seen[pixel_at(&info, items[i].lat, items[i].lon)] == scores[i];
    assert_in_range(same, n * 3 / 4, n); /* two centres in one pixel: the better score */
    assert_true(fabs(info.pixel_m - 32) < 0.1 && info.has_p && !info.calibrated);
    double north = 12.5 * 32 * (cos(turn) - sin(turn)), east = 12.5 * 32 * (sin(turn) + cos(turn));
    size_t hole = pixel_at(&info, 48 + north * degree, 11 + east * degree / cos(48 * EARTH_DEGREE));
    assert_true(isnan(seen[hole]) && isnan(p[hole]));
    size_t best = 0, at = 0;
    for (size_t i = 0; i < n; i++)
        if (!(scores[i] <= scores[best])) best = isnan(scores[i]) ? best : i;
    at = pixel_at(&info, items[best].lat, items[best].lon);
    assert_true(seen[at] == (float)info.score_high && p[at] == (float)info.p_high && info.p_high > 0);
    gvm_field_free(field);
}

/* One tile; and positions far apart, for which pixels grow and the best tile of each remains visible. */
static void test_sizes(void **state)
{
    gvm_field_info info;
    (void)state;
    put(0, 50, 8, 64);
    gvm_map map = map_of(1);
    gvm_field *field = open_field(&map, 0, 0, &info);
    assert_true(info.width == 1 && info.height == 1 && *gvm_field_scores(field) == scores[0]);
    assert_true(info.west < 8 && info.east > 8 && info.south < 50 && info.north > 50);
    gvm_field_free(field);
    size_t near = cells(50, 8, 20, 20);
    put(near, 52, 11, 30);
    map = map_of(near + 1);
    scores[17] = 1.5f;
    scores[near] = 0.98f;
    field = open_field(&map, 0, 10000, &info);
    assert_true(info.width * info.height <= 10000 && info.pixel_m > 1000);
    assert_true(gvm_field_scores(field)[pixel_at(&info, items[17].lat, items[17].lon)] == 1.5f);
    assert_true(gvm_field_scores(field)[pixel_at(&info, 52, 11)] == 0.98f);
    gvm_field_free(field);
    for (size_t i = 0; i <= near; i++) scores[i] = NAN;
    const gvm_field_options none = {.size = sizeof none, .scores = scores};
    gvm_error err;
    assert_int_equal(gvm_field_open(&field, &map, &none, &err), GVM_ARGUMENT);
    assert_null(field);
}

static void test_tiff(void **state)
{
    gvm_map map = map_of(cells(42.36, -71.06, 40, 30));
    map.temperature = 2;
    map.elsewhere = NAN;
    gvm_field_info info;
    gvm_field *field = open_field(&map, 36, 0, &info);
    struct gdal_words words;
    gvm_error err;
    void *bytes;
    size_t size;
    (void)state;
    assert_int_equal(gvm_field_tiff(field, &bytes, &size, &err), GVM_OK);
    gdal_listen(&words);
    VSIFCloseL(VSIFileFromMemBuffer("/vsimem/seen.tif", bytes, size, false));
    GDALDatasetH data = GDALOpen("/vsimem/seen.tif", GA_ReadOnly);
    double at[6], back[6], low, high, mean, off;
    assert_non_null(data);
    assert_int_equal(GDALGetRasterCount(data), 2);
    assert_string_equal(OSRGetAuthorityCode(GDALGetSpatialRef(data), NULL), "4326");
    assert_int_equal(GDALGetGeoTransform(data, at), CE_None);
    assert_true(GDALInvGeoTransform(at, back) != 0);
    GDALRasterBandH band = GDALGetRasterBand(data, 1), second = GDALGetRasterBand(data, 2);
    assert_string_equal(GDALGetDescription(band), "score: cosine similarity");
    assert_string_equal(GDALGetDescription(second), "p");
    assert_true(isnan(GDALGetRasterNoDataValue(band, NULL)));
    assert_int_equal(GDALGetRasterStatistics(band, false, false, &low, &high, &mean, &off), CE_None);
    assert_true(fabs(low - info.score_low) < 1e-6 && fabs(high - info.score_high) < 1e-6 && mean > low && off > 0);
    double sum = 0;
    for (size_t i = 0; i < map.tiles.count; i++) { /* as gdallocationinfo -wgs84 */
        int x = (int)floor(back[0] + items[i].lon * back[1] + items[i].lat * back[2]);
        int y = (int)floor(back[3] + items[i].lon * back[4] + items[i].lat * back[5]);
        float score, p;
        assert_int_equal(GDALRasterIO(band, GF_Read, x, y, 1, 1, &score, 1, 1, GDT_Float32, 0, 0), CE_None);
        assert_int_equal(GDALRasterIO(second, GF_Read, x, y, 1, 1, &p, 1, 1, GDT_Float32, 0, 0), CE_None);
        assert_true(score == scores[i] && p > 0);
        sum += p;
    }
    assert_true(fabs(sum - 1) < 1e-5);
    GDALClose(data);
    VSIUnlink("/vsimem/seen.tif");
    gdal_ignore();
    gvm_free(bytes);
    gvm_field_free(field);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cells), cmocka_unit_test(test_turned),
                                       cmocka_unit_test(test_sizes), cmocka_unit_test(test_tiff)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
