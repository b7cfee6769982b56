/* test_ortho.c - the orthophoto and its panoramas: every file is read back, and its positions are compared with the
 * town by PROJ's inverse projection */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <vips/vips.h>

#include <cmocka.h>

#include <gdal.h>
#include <ogr_srs_api.h>

#include "folder_support.h"
#include "image/image.h"
#include "image/panorama.h"
#include "world/build.h"
#include "world/frame.h"
#include "world/ortho.h"
#include "world/places.h"
#include "world/render.h"

enum { METRES = 200, SIZE = 800, PHOTOS = 3, STREET = 640 * 160 * 3 };

/* Two towns: web Mercator with panoramas facing north, and UTM near a zone's border with other headings. */
struct town {
    struct world_options world;
    struct ortho_options ortho;
    unsigned char *pixels; /* (SIZE, SIZE, 3) of ortho.tif */
    double transform[6];
    OGRCoordinateTransformationH to_degrees, to_map;
};

static struct town towns[2];

static void read_tiff(struct town *town, const char *path)
{
    GDALDatasetH data = GDALOpen(path, GA_ReadOnly);
    assert_non_null(data);
    assert_true(GDALGetRasterXSize(data) == SIZE && GDALGetRasterYSize(data) == SIZE);
    assert_int_equal(GDALGetOverviewCount(GDALGetRasterBand(data, 1)), 2);
    assert_int_equal(GDALGetGeoTransform(data, town->transform), CE_None);
    town->pixels = malloc(SIZE * SIZE * 3);
    assert_int_equal(GDALDatasetRasterIO(data, GF_Read, 0, 0, SIZE, SIZE, town->pixels, SIZE, SIZE, GDT_Byte, 3, NULL,
                                         3, 3 * SIZE, 1),
                     CE_None);
    OGRSpatialReferenceH map = OSRClone(GDALGetSpatialRef(data)), globe = OSRNewSpatialReference(NULL);
    assert_int_equal(OSRImportFromEPSG(globe, 4326), OGRERR_NONE);
    OSRSetAxisMappingStrategy(globe, OAMS_TRADITIONAL_GIS_ORDER);
    OSRSetAxisMappingStrategy(map, OAMS_TRADITIONAL_GIS_ORDER);
    assert_string_equal(OSRGetAuthorityCode(map, NULL), town->ortho.projection == ORTHO_UTM ? "32756" : "3857");
    town->to_degrees = OCTNewCoordinateTransformation(map, globe);
    town->to_map = OCTNewCoordinateTransformation(globe, map);
    OSRDestroySpatialReference(map);
    OSRDestroySpatialReference(globe);
    GDALClose(data);
}

static const char *town_path(int number, const char *name)
{
    char path[60];
    snprintf(path, sizeof path, "%d%s%s", number, *name != '\0' ? "/" : "", name);
    return in_folder(path);
}

static int make_towns(void **state)
{
    if (make_folder(state) != 0) return 1;
    for (int k = 0; k < 2; k++) {
        struct town *town = &towns[k];
        town->world = world_defaults;
        town->world.pairs = PHOTOS;
        town->world.seed = 3;
        town->ortho = (struct ortho_options){.metres = METRES};
        if (k == 1) {
            town->world.lat = -33.9;
            town->world.lon = 150.2;
            town->ortho.projection = ORTHO_UTM;
            town->ortho.turn = true;
        }
        struct progress progress = {.quiet = true};
        gvm_error err;
        int pixels;
        if (ortho_write(town_path(k, ""), &pixels, &town->world, &town->ortho, false, &progress, &err) != GVM_OK)
            fail_msg("%s", err.text);
        assert_int_equal(pixels, SIZE);
        read_tiff(town, town_path(k, "ortho.tif"));
    }
    return 0;
}

static int remove_towns(void **state)
{
    for (int k = 0; k < 2; k++) {
        for (int n = 1; n <= PHOTOS; n++) {
            char name[40];
            snprintf(name, sizeof name, "street/%06d.jpg", n);
            unlink(town_path(k, name));
        }
        rmdir(town_path(k, "street"));
        unlink(town_path(k, "ortho.tif"));
        unlink(town_path(k, "photos.csv"));
        if (rmdir(town_path(k, "")) != 0) return 1; /* something else was left in it */
        free(towns[k].pixels);
        OCTDestroyCoordinateTransformation(towns[k].to_degrees);
        OCTDestroyCoordinateTransformation(towns[k].to_map);
    }
    return remove_folder(state);
}

/* ------------------------------------------------------------------ georeferencing of the orthophoto */

/* Pixels from the upper left corner to a point of the town, from its longitude and latitude. */
static void pixel_of(double *column, double *row, const struct town *town, double x, double y)
{
    double lat, lon;
    world_degrees(&lat, &lon, &town->world, x, y);
    assert_true(OCTTransform(town->to_map, 1, &lon, &lat, NULL));
    *column = (lon - town->transform[0]) / town->transform[1];
    *row = (lat - town->transform[3]) / town->transform[5];
}

/* The corners, the centre and other pixels are at the positions that the file gives; and the square has the requested
 * size. */
static void test_file_says_where(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        const struct town *town = &towns[k];
        struct frame frame;
        assert_int_equal(frame_open(&frame, &town->world, &town->ortho, NULL), GVM_OK);
        for (int row = 0; row <= SIZE; row += 50)
            for (int column = 0; column <= SIZE; column += 50) {
                int i = column < SIZE ? column / FRAME_BLOCK : frame.blocks - 1;
                int j = row < SIZE ? row / FRAME_BLOCK : frame.blocks - 1;
                double left = frame_pixel(&frame, i), top = frame_pixel(&frame, j), x, y;
                double u = (column - left) / (frame_pixel(&frame, i + 1) - left);
                double v = (row - top) / (frame_pixel(&frame, j + 1) - top);
                struct point p = frame_point(&frame, j, i, u, v);
                pixel_of(&x, &y, town, p.x, p.y);
                assert_true(fabs(x - column) < 0.01 && fabs(y - row) < 0.01); /* pixels of 0.25 m */
            }
        struct point c[4];
        frame_corners(c, &frame);
        for (int n = 0; n < 4; n++) {
            const struct point *a = &c[n], *b = &c[(n + 1) % 4];
            assert_true(fabs(hypot(b->x - a->x, b->y - a->y) - METRES) < 0.004 * METRES);
        }
        assert_true(hypot(c[0].x + c[2].x, c[0].y + c[2].y) < 0.05); /* the town's centre is the picture's */
        assert_true(c[1].x > c[0].x && c[2].y > c[1].y);
        frame_free(&frame);
    }
}

/* Largest distance in metres between the corners of a frame's blocks and their positions by PROJ. */
static double worst_corner(double lat, double lon, enum ortho_grid projection, int epsg)
{
    struct world_options world = world_defaults;
    struct ortho_options ortho = {.metres = 1000, .projection = projection};
    struct frame frame;
    double worst = 0;
    world.lat = lat;
    world.lon = lon;
    world.scale = 2;
    assert_int_equal(frame_open(&frame, &world, &ortho, NULL), GVM_OK);
    assert_int_equal(frame.epsg, epsg);
    assert_int_equal(frame.size, 8000); /* 1,000 m in pixels of 0.125 m */
    OGRSpatialReferenceH map = OSRNewSpatialReference(NULL), globe = OSRNewSpatialReference(NULL);
    assert_true(OSRImportFromEPSG(map, epsg) == OGRERR_NONE && OSRImportFromEPSG(globe, 4326) == OGRERR_NONE);
    OGRCoordinateTransformationH to_degrees = OCTNewCoordinateTransformation(map, globe); /* latitude first */
    for (int n = 0; n < (frame.blocks + 1) * (frame.blocks + 1); n++) {
        double x = frame.left + frame_pixel(&frame, n % (frame.blocks + 1)) * frame.pixel, at, to;
        double y = frame.top - frame_pixel(&frame, n / (frame.blocks + 1)) * frame.pixel;
        assert_true(OCTTransform(to_degrees, 1, &x, &y, NULL));
        world_degrees(&at, &to, &world, frame.corners[n].x, frame.corners[n].y);
        worst = fmax(worst, fmax(fabs(at - x), fabs(remainder(to - y, 360))) * 111320);
    }
    OCTDestroyCoordinateTransformation(to_degrees);
    OSRDestroySpatialReference(map);
    OSRDestroySpatialReference(globe);
    frame_free(&frame);
    return worst;
}

static void test_all_over_the_globe(void **state)
{
    (void)state;
    assert_true(worst_corner(45, -30, ORTHO_MERCATOR, 3857) < 0.001);
    assert_true(worst_corner(-79.9, 179.999, ORTHO_MERCATOR, 3857) < 0.001); /* across the antimeridian */
    assert_true(worst_corner(0, -180, ORTHO_MERCATOR, 3857) < 0.001);
    assert_true(worst_corner(45, -30, ORTHO_UTM, 32626) < 0.001);
    assert_true(worst_corner(79.9, 179.999, ORTHO_UTM, 32660) < 0.001);
    assert_true(worst_corner(-0.001, 180, ORTHO_UTM, 32701) < 0.001);
}

/* ------------------------------------------------------------------ content of the orthophoto */

enum { TILE = 256 };

/* The tile of a pair at (x, y), from the orthophoto's flight. */
static void draw_tile(unsigned char *tile, const struct town *town, float x, float y)
{
    struct site site = {town->world.seed, x, y, 200, 0};
    struct scene scene;
    struct view view;
    assert_int_equal(scene_open(&scene, &site, NULL), GVM_OK);
    view_draw(&view, WHEN_AERIAL, town->world.seed, 0);
    aerial_render(tile, TILE, &scene, &view, x, y, (float)WORLD_TILE_M);
    scene_free(&scene);
}

/* The mean of the three colours at a point between four pixels of the orthophoto. */
static double sample(const struct town *town, double column, double row)
{
    column -= 0.5, row -= 0.5;
    int i = (int)floor(column), j = (int)floor(row);
    double s = column - i, t = row - j, sum = 0;
    assert_true(i >= 0 && j >= 0 && i < SIZE - 1 && j < SIZE - 1);
    for (int k = 0; k < 12; k++)
        sum += (k % 2 ? s : 1 - s) * (k / 2 % 2 ? t : 1 - t) *
               town->pixels[3 * ((j + k / 2 % 2) * SIZE + i + k % 2) + k / 4];
    return sum / 3;
}

/* Mean difference between a tile at (x, y) and the orthophoto (east, north) metres from there. */
static double unlike(const struct town *town, const unsigned char *tile, double x, double y, double east, double north)
{
    double sum = 0;
    int count = 0;
    for (int row = 0; row < TILE; row += 3)
        for (int column = 0; column < TILE; column += 3, count++) {
            double px, py;
            const unsigned char *pixel = tile + 3 * (row * TILE + column);
            pixel_of(&px, &py, town, x + east + (column + 0.5 - TILE / 2) / 4, y + north - (row + 0.5 - TILE / 2) / 4);
            sum += fabs((pixel[0] + pixel[1] + pixel[2]) / 3.0 - sample(town, px, py));
        }
    return sum / count;
}

/* A tile from the same flight agrees with its position in the orthophoto, and less a step to either side. */
static void test_imagery(void **state)
{
    (void)state;
    static const double places[3][2] = {{0, 0}, {-52, 31}, {44, -50}}, steps[4][2] = {{1, 0}, {-1, 0}, {0, 1}, {0, -1}};
    unsigned char *tile = malloc(TILE * TILE * 3);
    for (int n = 0; n < 6; n++) {
        const struct town *town = &towns[n / 3];
        double x = places[n % 3][0], y = places[n % 3][1];
        draw_tile(tile, town, (float)x, (float)y);
        double here = unlike(town, tile, x, y, 0, 0);
        print_message("here %.2f;", here);
        for (int k = 0; k < 4; k++) {
            double near = unlike(town, tile, x, y, 0.25 * steps[k][0], 0.25 * steps[k][1]);
            double far = unlike(town, tile, x, y, 3 * steps[k][0], 3 * steps[k][1]);
            print_message(" 0.25 m off %.2f, 3 m off %.2f;", near, far);
            assert_true(here < near && 3 * here < far);
        }
        print_message("\n");
    }
    free(tile);
}

/* Around corners where four blocks meet, a tile from the same flight differs from the pixels along the blocks' borders
 * no more than from others at borders of JPEG's own blocks. */
static void test_no_seams(void **state)
{
    (void)state;
    const struct town *town = &towns[1];
    unsigned char *tile = malloc(TILE * TILE * 3);
    double border = 0, other = 0;
    int borders = 0, others = 0;
    struct frame frame;
    assert_int_equal(frame_open(&frame, &town->world, &town->ortho, NULL), GVM_OK);
    for (int n = 0; n < 4; n++) {
        struct point at = frame_point(&frame, 1, 1, n % 2, n / 2);
        draw_tile(tile, town, at.x, at.y);
        for (int k = 0; k < TILE * TILE; k++) {
            double column, row;
            pixel_of(&column, &row, town, at.x + (k % TILE + 0.5 - TILE / 2) / 4,
                     at.y - (k / TILE + 0.5 - TILE / 2) / 4);
            const unsigned char *p = tile + 3 * k;
            double off = fabs((p[0] + p[1] + p[2]) / 3.0 - sample(town, column, row));
            if (fabs(remainder(column, FRAME_BLOCK)) < 1 || fabs(remainder(row, FRAME_BLOCK)) < 1)
                border += off, borders++;
            else if (fabs(remainder(column, 16)) < 1 || fabs(remainder(row, 16)) < 1)
                other += off, others++;
        }
    }
    print_message("off by %.3f at blocks' borders, %.3f elsewhere\n", border / borders, other / others);
    assert_true(border / borders < 1.1 * other / others);
    frame_free(&frame);
    free(tile);
}

/* ------------------------------------------------------------------ panoramas */

/* "D/1 M/1 S/10000 (...)" */
static double degrees_of(VipsImage *image, const char *name, const char *negative)
{
    char field[60];
    const char *text, *side;
    double n[6];
    snprintf(field, sizeof field, "exif-ifd3-%s", name);
    assert_int_equal(vips_image_get_string(image, field, &text), 0);
    assert_int_equal(sscanf(text, "%lf/%lf %lf/%lf %lf/%lf", n, n + 1, n + 2, n + 3, n + 4, n + 5), 6);
    snprintf(field, sizeof field, "exif-ifd3-%sRef", name);
    assert_int_equal(vips_image_get_string(image, field, &side), 0);
    return (n[0] / n[1] + n[2] / n[3] / 60 + n[4] / n[5] / 3600) * (side[0] == negative[0] ? -1 : 1);
}

/* Its file gives the position to 0.1 m, and the heading. */
static void check_photo(const struct town *town, const char *path, double x, double y, double heading)
{
    const char *text;
    double east, north, part, parts;
    VipsImage *image = vips_image_new_from_file(path, NULL);
    assert_non_null(image);
    double lat = degrees_of(image, "GPSLatitude", "S"), lon = degrees_of(image, "GPSLongitude", "W");
    world_metres(&east, &north, &town->world, lat, lon);
    assert_true(hypot(east - x, north - y) < 0.1);
    assert_int_equal(vips_image_get_string(image, "exif-ifd3-GPSImgDirection", &text), 0);
    assert_int_equal(sscanf(text, "%lf/%lf", &part, &parts), 2);
    assert_true(fabs(part / parts - heading) < 1e-6);
    g_object_unref(image);
    struct image loaded;
    assert_int_equal(image_load(&loaded, path, NULL), GVM_OK);
    assert_true(loaded.gpano.has_heading && fabs(loaded.gpano.heading - heading) < 1e-6);
    image_free(&loaded);
}

/* Loading a panorama with the heading in its file gives the drawing with north at the centre. */
static double away_from_north(const struct town *town, const char *path, int number, double x, double y,
                              const double *heading)
{
    const struct picture_shape strip = {.height = 160, .width = 640, .elevation = {-45, 45}};
    struct place place = {.x = (float)x, .y = (float)y};
    unsigned char *drawn = malloc(STREET), *loaded = malloc(STREET);
    assert_int_equal(world_pair(drawn, NULL, &town->world, &place, number, NULL), GVM_OK);
    assert_int_equal(panorama_load(loaded, &strip, heading, CIRCLE_CHECKED, path, NULL), GVM_OK);
    double sum = 0;
    for (int n = 0; n < STREET; n++) sum += abs(drawn[n] - loaded[n]) / (double)STREET;
    free(drawn), free(loaded);
    return sum;
}

static void test_photos(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        const struct town *town = &towns[k];
        char line[200];
        int turned = 0, number = 0;
        FILE *list = fopen(town_path(k, "photos.csv"), "r");
        assert_non_null(list);
        assert_non_null(fgets(line, sizeof line, list));
        assert_string_equal(line, "image,lat,lon,heading\n");
        for (; fgets(line, sizeof line, list) != NULL; number++) {
            char name[40];
            const double unturned = 0;
            double lat, lon, heading, x, y, column, row;
            assert_int_equal(sscanf(line, "%39[^,],%lf,%lf,%lf", name, &lat, &lon, &heading), 4);
            world_metres(&x, &y, &town->world, lat, lon);
            pixel_of(&column, &row, town, x, y);
            double edge = fmin(fmin(column, row), fmin(SIZE - column, SIZE - row)) * ORTHO_PIXEL_M;
            assert_true(edge > 39.8); /* the square is 200 m to within 0.4% */
            const char *path = town_path(k, name);
            check_photo(town, path, x, y, heading);
            double right = away_from_north(town, path, number, x, y, NULL);
            double wrong = away_from_north(town, path, number, x, y, &unturned);
            assert_true(right < 12);
            if (fabs(remainder(heading, 360)) > 5) turned++, assert_true(wrong > 1.5 * right);
        }
        assert_int_equal(number, PHOTOS);
        assert_true(k == 0 ? turned == 0 : turned >= PHOTOS - 1);
        fclose(list);
    }
}

/* ------------------------------------------------------------------ failures */

static void test_too_many(void **state)
{
    (void)state;
    struct world_options world = towns[0].world;
    struct progress progress = {.quiet = true};
    gvm_error err;
    int pixels;
    world.pairs = 1000;
    assert_int_equal(ortho_write(in_folder("more"), &pixels, &world, &towns[0].ortho, false, &progress, &err),
                     GVM_ARGUMENT);
    assert_non_null(strstr(err.text, "the roads of 200 m have room for "));
    assert_int_equal(access(in_folder("more"), F_OK), -1);
}

/* A file may grow to 100 kB and no more, as on a full disk. */
static void test_full_disk(void **state)
{
    (void)state;
    struct progress progress = {.quiet = true};
    struct rlimit usual, low;
    gvm_error err;
    int pixels;
    getrlimit(RLIMIT_FSIZE, &usual);
    low = usual;
    low.rlim_cur = 100000;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &low);
    gvm_status status =
        ortho_write(in_folder("full"), &pixels, &towns[0].world, &towns[0].ortho, false, &progress, &err);
    setrlimit(RLIMIT_FSIZE, &usual);
    assert_int_equal(status, GVM_FILE);
    assert_non_null(strstr(err.text, "ortho.tif: cannot write it: "));
    assert_int_equal(rmdir(in_folder("full/street")), 0);
    assert_int_equal(rmdir(in_folder("full")), 0); /* nothing was left in it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file_says_where), cmocka_unit_test(test_all_over_the_globe),
        cmocka_unit_test(test_imagery),         cmocka_unit_test(test_no_seams),
        cmocka_unit_test(test_photos),          cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_full_disk),
    };
    return cmocka_run_group_tests(tests, make_towns, remove_towns);
}
