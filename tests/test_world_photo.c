/* test_world_photo.c - ordinary photos of the drawn town: positions in them, compared with panoramas and with rotated
 * axes; the folder of photos with its imagery, read back */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <gdal.h>
#include <ogr_srs_api.h>

#include "folder_support.h"
#include "image/image.h"
#include "town_support.h"
#include "turn_support.h"
#include "world/build.h"
#include "world/photo.h"
#include "world/photos.h"
#include "world/places.h"

static const double DEGREE = 180 / 3.14159265358979;

#define SHAPES .shapes = {{4, 3}, {3, 4}, {16, 9}, {9, 16}}, .shape_count = 4

/* ------------------------------------------------------------------ a camera by its axes */

struct axes {
    double right[3], up[3], ahead[3]; /* east, north, up; length 1 */
};

/* From level and north: rotate by heading, then pitch up, then roll to the right. */
static struct axes axes_of(double heading, double pitch, double roll)
{
    struct axes a = {{1, 0, 0}, {0, 0, 1}, {0, 1, 0}};
    turn(a.ahead, a.right, heading);
    turn(a.ahead, a.up, pitch);
    turn(a.up, a.right, roll);
    return a;
}

/* A pinhole camera with the diagonal field of view of a focal length on 35 mm film. */
static struct photo pinhole(int width, int height, int film, double heading, double pitch, double roll)
{
    double focal = film * hypot(width, height) / 43.2666;
    const struct camera camera = {
        .width = width, .height = height, .focal = focal, .heading = heading, .pitch = pitch, .roll = roll};
    return (struct photo){camera, width, height, film, 1};
}

static double focal_pixels(const struct photo *photo)
{
    return photo->width / 2.0 / tan(camera_fov(&photo->camera) / 2 / DEGREE);
}

static void find_point(double *px, double *py, const struct photo *photo, const double p[3])
{
    struct axes a = axes_of(photo->camera.heading, photo->camera.pitch, photo->camera.roll);
    double right = 0, up = 0, ahead = 0;
    for (int k = 0; k < 3; k++) right += p[k] * a.right[k], up += p[k] * a.up[k], ahead += p[k] * a.ahead[k];
    *px = photo->width / 2.0 + focal_pixels(photo) * right / ahead;
    *py = photo->height / 2.0 - focal_pixels(photo) * up / ahead;
}

static void test_axes(void **state)
{
    (void)state;
    struct axes east = axes_of(90, 0, 0), up = axes_of(0, 30, 0), over = axes_of(0, 0, 30);
    assert_true(east.ahead[0] > 0.999 && east.right[1] < -0.999);
    assert_true(fabs(up.ahead[2] - 0.5) < 1e-9 && up.up[1] < 0);
    assert_true(fabs(over.right[2] + 0.5) < 1e-9 && over.up[0] > 0); /* the right side is lower */
}

/* ------------------------------------------------------------------ positions */

static void check_box(double heading, double pitch, double roll, double away, double east, double north)
{
    struct scene scene;
    struct view view;
    const struct photo photo = pinhole(240, 180, 28, heading, pitch, roll);
    double u, v, px, py, far = away / hypot(east, north);
    const double middle[3] = {east * far, north * far, 3 - WORLD_CAMERA_M};
    unsigned char *pixels = malloc(240 * 180 * 3);
    plain_with_box(&scene, (float)(2 + middle[0]), (float)(5 + middle[1]));
    view_draw(&view, WHEN_STREET, 1, 0);
    assert_true(photo_render(pixels, &photo, &scene, &view, 2, 5, WORLD_CAMERA_M));
    purple(&u, &v, pixels, 240, 180);
    find_point(&px, &py, &photo, middle);
    if (hypot(u * 240 - px, v * 180 - py) > 1.5)
        fail_msg("heading %g, pitch %g, roll %g: the box is at %.1f %.1f, not %.1f %.1f", heading, pitch, roll, u * 240,
                 v * 180, px, py);
    scene_free(&scene);
    free(pixels);
}

static void test_directions(void **state)
{
    (void)state;
    check_box(0, 0, 0, 60, 0, 1);
    check_box(90, 0, 0, 60, 1, 0);
    check_box(90, 0, 0, 60, 1, 0.4);
    check_box(225, 0, 0, 60, -1, -0.7);
    check_box(0, 12, 0, 60, 0.3, 1);
    check_box(0, -12, 0, 60, 0.3, 1);
    check_box(350, 0, 15, 60, 0.3, 1);
    check_box(350, 0, -15, 60, -0.5, 1);
    check_box(181, 8, 11, 60, -0.4, -1);
}

enum { WIDE = 4096, TALL = 1024, ACROSS = 3 }; /* of the panorama; samples per pixel and direction */

/* The panorama (elevations 45 to -45, north at the centre) in a direction; false if it has nothing there. */
static bool look_up(double out[3], const unsigned char *panorama, const double d[3])
{
    double column = (atan2(d[0], d[1]) / (2 * 3.14159265358979) + 0.5) * WIDE - 0.5;
    double row = (45 - atan2(d[2], hypot(d[0], d[1])) * DEGREE) / 90 * TALL - 0.5;
    int i = (int)floor(column), j = (int)floor(row);
    if (j < 0 || j >= TALL - 1) return false;
    for (int k = 0; k < 3; k++)
        for (int n = 0; n < 4; n++)
            out[k] += (n % 2 ? column - i : 1 - column + i) * (n / 2 ? row - j : 1 - row + j) *
                      panorama[3 * ((size_t)(j + n / 2) * WIDE + (size_t)((i + n % 2 + WIDE) % WIDE)) + k];
    return true;
}

/* A camera's view of a panorama.  seen (height, width, 3); negative beyond the panorama */
static void cut_view(double *seen, const struct photo *photo, const unsigned char *panorama, double roll)
{
    struct axes a = axes_of(photo->camera.heading, photo->camera.pitch, roll);
    double f = focal_pixels(photo);
    for (int n = 0; n < photo->width * photo->height; n++) {
        double sum[3] = {0, 0, 0};
        bool shown = true;
        for (int m = 0; m < ACROSS * ACROSS; m++) {
            double x = n % photo->width + (m % ACROSS + 0.5) / ACROSS - photo->width / 2.0, d[3];
            double y = photo->height / 2.0 - n / photo->width - (m / ACROSS + 0.5) / ACROSS;
            for (int k = 0; k < 3; k++) d[k] = x * a.right[k] + y * a.up[k] + f * a.ahead[k];
            shown = look_up(sum, panorama, d) && shown;
        }
        for (int k = 0; k < 3; k++) seen[3 * n + k] = shown ? sum[k] / (ACROSS * ACROSS) : -1;
    }
}

/* Whether colours change little from the pixel to its neighbours. */
static bool is_plain(const double *seen, int width, int height, int n)
{
    int column = n % width, row = n / width;
    if (column == 0 || row == 0 || column == width - 1 || row == height - 1) return false;
    for (int k = 0; k < 27; k++) {
        double near = seen[3 * (n + (k / 3 % 3 - 1) + (k / 9 - 1) * width) + k % 3];
        if (near < 0 || fabs(near - seen[3 * n + k % 3]) > 12) return false;
    }
    return true;
}

/* Mean difference over all pixels or over smooth ones; *share: the fraction of the picture that was compared. */
static double unlike(const unsigned char *pixels, const double *seen, int width, int height, bool plain, double *share)
{
    double sum = 0;
    int count = 0;
    for (int n = 0; n < width * height; n++) {
        if (seen[3 * n] < 0 || (plain && !is_plain(seen, width, height, n))) continue;
        for (int k = 0; k < 3; k++) sum += fabs(pixels[3 * n + k] - seen[3 * n + k]);
        count += 3;
    }
    *share = count / (3.0 * width * height);
    return sum / count;
}

/* Two cameras at one position see the same. */
static void check_against_panorama(const unsigned char *panorama, const struct scene *scene, const struct view *view,
                                   const struct photo *photo)
{
    int w = photo->width, h = photo->height;
    unsigned char *pixels = malloc((size_t)w * h * 3);
    double *seen = malloc((size_t)w * h * 3 * sizeof *seen), share, all;
    assert_true(photo_render(pixels, photo, scene, view, scene->site.x, scene->site.y, WORLD_CAMERA_M));
    cut_view(seen, photo, panorama, photo->camera.roll);
    double plain = unlike(pixels, seen, w, h, true, &share), whole = unlike(pixels, seen, w, h, false, &all);
    cut_view(seen, photo, panorama, -photo->camera.roll);
    double mirrored = unlike(pixels, seen, w, h, false, &all);
    print_message("%.2f away from edges (%.0f%%), %.2f all over, %.2f with the roll mirrored\n", plain, 100 * share,
                  whole, mirrored);
    assert_true(plain < 3 && share > 0.25 && 2 * whole < mirrored);
    free(seen);
    free(pixels);
}

static void test_like_a_panorama(void **state)
{
    (void)state;
    struct world_options options = world_defaults;
    struct place places[4];
    struct scene scene;
    struct view view;
    options.pairs = 4;
    assert_int_equal(world_places(places, &options, NULL), GVM_OK);
    assert_int_equal(scene_open_street(&scene, options.seed, places[2].x, places[2].y, NULL), GVM_OK);
    view_draw(&view, WHEN_STREET, options.seed, 2);
    view.noise = 0;
    unsigned char *panorama = malloc((size_t)WIDE * TALL * 3);
    assert_true(panorama_render(panorama, WIDE, TALL, &scene, &view, places[2].x, places[2].y, WORLD_CAMERA_M, 0));
    const struct photo photos[] = {pinhole(320, 240, 22, 40, 4, 5), pinhole(180, 320, 30, 217.5, -3, -4),
                                   pinhole(320, 180, 16, 301, 2, 3)};
    for (int k = 0; k < 3; k++) check_against_panorama(panorama, &scene, &view, &photos[k]);
    free(panorama);
    scene_free(&scene);
}

/* ------------------------------------------------------------------ content */

static void test_draw(void **state)
{
    (void)state;
    enum { COUNT = 2000 };
    const struct photo_range range = {.longest = 320, .fov = {50, 110}, SHAPES, .pitch = 3, .roll = 2};
    int orientations[9] = {0};
    int shapes[4] = {0}, quarters[4] = {0};
    double pitch = 0, roll = 0, narrow = 180, wide = 0;
    for (int n = 0; n < COUNT; n++) {
        struct photo p;
        photo_draw(&p, &range, 7, n);
        orientations[p.orientation]++;
        assert_true((p.width == 320) != (p.height == 320));
        shapes[2 * (p.width < p.height) + (p.width == 180 || p.height == 180)]++;
        quarters[(int)(p.camera.heading / 90)]++;
        pitch += p.camera.pitch * p.camera.pitch / COUNT;
        roll += p.camera.roll * p.camera.roll / COUNT;
        double along = 2 * atan(160 / focal_pixels(&p)) * DEGREE;
        narrow = fmin(narrow, along), wide = fmax(wide, along);
    }
    for (int k = 0; k < 4; k++) assert_true(shapes[k] > COUNT / 5 && quarters[k] > COUNT / 5);
    for (int k = 1; k <= 8; k++) assert_true(orientations[k] > COUNT / 10);
    assert_true(fabs(sqrt(pitch) - 3) < 0.2 && fabs(sqrt(roll) - 2) < 0.15);
    assert_true(narrow > 48 && narrow < 52 && wide < 113 && wide > 107);
}

/* ------------------------------------------------------------------ the folder */

enum { PHOTOS = 12, SIZE = 1000 };

static const struct ortho_options imagery = {.metres = 300, .projection = ORTHO_UTM, .pixel = 0.3};
static const struct photos_options cameras = {
    .range = {.longest = 200, .fov = {60, 90}, SHAPES, .pitch = 3, .roll = 2, .orientation = 1}, .margin = 60};

static struct world_options town_options(void)
{
    struct world_options options = world_defaults;
    options.pairs = PHOTOS;
    options.seed = 11;
    options.lat = 47.1;
    options.lon = 8.2;
    options.test = 0.25;
    return options;
}

static int make_town(void **state)
{
    struct world_options options = town_options();
    struct progress progress = {.quiet = true};
    gvm_error err;
    int pixels;
    if (make_folder(state) != 0) return 1;
    if (photos_write(in_folder("town"), &pixels, &options, &imagery, &cameras, false, &progress, &err) != GVM_OK)
        fail_msg("%s", err.text);
    assert_int_equal(pixels, SIZE);
    return 0;
}

static int remove_town(void **state)
{
    for (int n = 1; n <= PHOTOS; n++) {
        char name[40];
        snprintf(name, sizeof name, "town/photos/%06d.jpg", n);
        unlink(in_folder(name));
    }
    rmdir(in_folder("town/photos"));
    unlink(in_folder("town/imagery/ortho.tif"));
    rmdir(in_folder("town/imagery"));
    unlink(in_folder("town/photos.csv"));
    if (rmdir(in_folder("town")) != 0) return 1; /* something else was left in it */
    return remove_folder(state);
}

static void check_exif(const char *path, double lat, double lon, double heading, double hfov)
{
    struct image image;
    assert_int_equal(image_load(&image, path, NULL), GVM_OK);
    const struct exif *e = &image.exif;
    assert_true(image.width == 200 || image.height == 200);
    assert_true(e->has_place && fabs(e->lat - lat) < 2e-8 && fabs(e->lon - lon) < 2e-8);
    assert_true(e->has_heading && !e->magnetic && fabs(e->heading - heading) < 1e-6);
    assert_true(e->orientation == 1 && e->has_focal && !image.gpano.equirectangular);
    double film = 43.2666 * image.width / hypot(image.width, image.height);
    assert_true(fabs(2 * atan(film / 2 / e->focal_35mm) * DEGREE - hfov) < 0.002);
    image_free(&image);
}

static void test_list(void **state)
{
    (void)state;
    struct world_options options = town_options();
    char line[200], name[40], split[10];
    double west_of_test = 180, east_of_train = -180, lat, lon, heading, hfov, x, y;
    int count = 0, test = 0;
    FILE *list = fopen(in_folder("town/photos.csv"), "r");
    assert_non_null(list);
    assert_non_null(fgets(line, sizeof line, list));
    assert_string_equal(line, "image,lat,lon,heading,pitch,roll,fov,lens,split\n");
    for (; fgets(line, sizeof line, list) != NULL; count++) {
        assert_int_equal(
            sscanf(line, "%39[^,],%lf,%lf,%lf,%*f,%*f,%lf,pinhole,%9s", name, &lat, &lon, &heading, &hfov, split), 6);
        world_metres(&x, &y, &options, lat, lon);
        assert_true(fabs(x) < 92 && fabs(y) < 92); /* 60 m from the border of 300, which the grid's rotation moves */
        if (strcmp(split, "test") == 0)
            test++, west_of_test = fmin(west_of_test, lon);
        else
            assert_string_equal(split, "train"), east_of_train = fmax(east_of_train, lon);
        char path[60];
        snprintf(path, sizeof path, "town/%s", name);
        check_exif(in_folder(path), lat, lon, heading, hfov);
    }
    assert_true(count == PHOTOS && test == 3 && east_of_train <= west_of_test);
    fclose(list);
}

/* A photo of the folder equals the view of the camera with its number at its position. */
static void test_photo(void **state)
{
    (void)state;
    struct world_options options = town_options();
    struct photo photo;
    struct scene scene;
    struct view view;
    struct image image;
    char line[200];
    double lat, lon, x, y;
    FILE *list = fopen(in_folder("town/photos.csv"), "r");
    for (int n = 0; n < 6; n++) assert_non_null(fgets(line, sizeof line, list)); /* the fifth photo */
    fclose(list);
    assert_int_equal(sscanf(line, "photos/000005.jpg,%lf,%lf", &lat, &lon), 2);
    world_metres(&x, &y, &options, lat, lon);
    photo_draw(&photo, &cameras.range, options.seed, 4);
    view_draw(&view, WHEN_STREET, options.seed, 4);
    assert_int_equal(scene_open_street(&scene, options.seed, (float)x, (float)y, NULL), GVM_OK);
    assert_int_equal(image_load(&image, in_folder("town/photos/000005.jpg"), NULL), GVM_OK);
    assert_true(image.width == photo.width && image.height == photo.height);
    int bytes = photo.width * photo.height * 3;
    unsigned char *pixels = malloc((size_t)bytes);
    assert_true(photo_render(pixels, &photo, &scene, &view, (float)x, (float)y, WORLD_CAMERA_M));
    double off = 0;
    for (int n = 0; n < bytes; n++) off += abs(pixels[n] - image.pixels[n]) / (double)bytes;
    print_message("JPEG is off by %.2f\n", off);
    assert_true(off < 6);
    free(pixels);
    image_free(&image);
    scene_free(&scene);
}

/* ------------------------------------------------------------------ the imagery */

struct sheet {
    unsigned char *pixels; /* (SIZE, SIZE, 3) */
    double transform[6];
    OGRCoordinateTransformationH to_map;
};

static void read_sheet(struct sheet *sheet)
{
    GDALAllRegister();
    GDALDatasetH data = GDALOpen(in_folder("town/imagery/ortho.tif"), GA_ReadOnly);
    assert_non_null(data);
    assert_int_equal(GDALGetRasterXSize(data), SIZE);
    assert_int_equal(GDALGetGeoTransform(data, sheet->transform), CE_None);
    sheet->pixels = malloc((size_t)SIZE * SIZE * 3);
    assert_int_equal(GDALDatasetRasterIO(data, GF_Read, 0, 0, SIZE, SIZE, sheet->pixels, SIZE, SIZE, GDT_Byte, 3, NULL,
                                         3, 3 * SIZE, 1),
                     CE_None);
    OGRSpatialReferenceH map = OSRClone(GDALGetSpatialRef(data)), globe = OSRNewSpatialReference(NULL);
    assert_string_equal(OSRGetAuthorityCode(map, NULL), "32632");
    assert_int_equal(OSRImportFromEPSG(globe, 4326), OGRERR_NONE);
    OSRSetAxisMappingStrategy(globe, OAMS_TRADITIONAL_GIS_ORDER);
    OSRSetAxisMappingStrategy(map, OAMS_TRADITIONAL_GIS_ORDER);
    sheet->to_map = OCTNewCoordinateTransformation(globe, map);
    OSRDestroySpatialReference(map);
    OSRDestroySpatialReference(globe);
    GDALClose(data);
}

/* The pixel at a point of the town, interpolated from four. */
static void sample(double out[3], const struct sheet *sheet, double x, double y)
{
    struct world_options options = town_options();
    double lat, lon;
    world_degrees(&lat, &lon, &options, x, y);
    assert_true(OCTTransform(sheet->to_map, 1, &lon, &lat, NULL));
    double column = (lon - sheet->transform[0]) / sheet->transform[1] - 0.5;
    double row = (lat - sheet->transform[3]) / sheet->transform[5] - 0.5;
    int i = (int)floor(column), j = (int)floor(row);
    assert_true(i >= 0 && j >= 0 && i < SIZE - 1 && j < SIZE - 1);
    for (int k = 0; k < 12; k++)
        out[k / 4] += (k % 2 ? column - i : 1 - column + i) * (k / 2 % 2 ? row - j : 1 - row + j) *
                      sheet->pixels[3 * ((j + k / 2 % 2) * SIZE + i + k % 2) + k / 4];
}

enum { TILE = 64, PART = 4 /* samples per pixel and direction: its noise is the sensor's, not the tile's */ };

/* Mean difference between a tile of 1 m per pixel and the imagery `east` metres east of its position. */
static double away(const struct sheet *sheet, const unsigned char *tile, double x, double y, double east)
{
    double sum = 0;
    for (int n = 0; n < TILE * TILE; n++) {
        double seen[3] = {0, 0, 0};
        for (int m = 0; m < PART * PART; m++)
            sample(seen, sheet, x + east + n % TILE + (m % PART + 0.5) / PART - TILE / 2,
                   y + TILE / 2 - n / TILE - (m / PART + 0.5) / PART);
        for (int k = 0; k < 3; k++) sum += fabs(seen[k] / (PART * PART) - tile[3 * n + k]);
    }
    return sum / (3 * TILE * TILE);
}

/* The tile at (x, y) from above, rendered 4 x 4 times as fine and averaged. */
static void draw_tile(unsigned char *tile, double x, double y)
{
    static unsigned char fine[TILE * PART * TILE * PART * 3];
    struct site site = {11, (float)x, (float)y, 200, 0};
    struct scene scene;
    struct view view;
    assert_int_equal(scene_open(&scene, &site, NULL), GVM_OK);
    view_draw(&view, WHEN_AERIAL, 11, 0);
    aerial_render(fine, TILE * PART, &scene, &view, (float)x, (float)y, TILE);
    for (int n = 0; n < TILE * TILE * 3; n++) {
        int column = n / 3 % TILE * PART, row = n / 3 / TILE * PART, sum = PART * PART / 2;
        for (int m = 0; m < PART * PART; m++)
            sum += fine[3 * ((row + m / PART) * TILE * PART + column + m % PART) + n % 3];
        tile[n] = (unsigned char)(sum / (PART * PART));
    }
    scene_free(&scene);
}

static void test_imagery(void **state)
{
    (void)state;
    static const double places[3][2] = {{0, 0}, {-100, 70}, {80, -110}};
    static unsigned char tile[TILE * TILE * 3];
    struct sheet sheet;
    read_sheet(&sheet);
    for (int k = 0; k < 3; k++) {
        draw_tile(tile, places[k][0], places[k][1]);
        double here = away(&sheet, tile, places[k][0], places[k][1], 0);
        double near = away(&sheet, tile, places[k][0], places[k][1], 0.3);
        print_message("off by %.2f, and by %.2f a pixel farther east\n", here, near);
        assert_true(here < 2 && here < near);
    }
    OCTDestroyCoordinateTransformation(sheet.to_map);
    free(sheet.pixels);
}

/* ------------------------------------------------------------------ failures */

static void test_no_room(void **state)
{
    (void)state;
    struct world_options options = town_options();
    struct progress progress = {.quiet = true};
    struct photos_options wide = cameras;
    gvm_error err;
    int pixels;
    wide.margin = 149;
    assert_int_equal(photos_write(in_folder("none"), &pixels, &options, &imagery, &wide, false, &progress, &err),
                     GVM_ARGUMENT);
    assert_non_null(strstr(err.text, "the roads of 300 m have room for "));
    assert_int_equal(access(in_folder("none"), F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_axes),    cmocka_unit_test(test_directions), cmocka_unit_test(test_like_a_panorama),
        cmocka_unit_test(test_draw),    cmocka_unit_test(test_list),       cmocka_unit_test(test_photo),
        cmocka_unit_test(test_imagery), cmocka_unit_test(test_no_room),
    };
    return cmocka_run_group_tests(tests, make_town, remove_town);
}
