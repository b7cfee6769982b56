/* test_camera_read.c - the lens and the field of view from each kind of metadata, from what the user says, and from
 * what contradicts itself */
#include "image/camera_read.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "camera_support.h"
#include "image/sensors.h"

static const double DEGREE = M_PI / 180;

/* ------------------------------------------------------------------ field of view */

#define USUAL (1 / 0.85)
#define SIZE(width, height) N(WIDTH, width), N(HEIGHT, height)
#define NO_PANORAMA LENS_PINHOLE, 60.931, {0}, 0, BIT(DOUBT_GPANO) | BIT(DOUBT_ASSUMED)
#define CROPPED (BIT(DOUBT_ASSUMED) | BIT(DOUBT_CROPPED))

static const struct {
    int width, height;
    struct said picture[4], exif[7];
    double ratio; /* width over focal length */
    gvm_source from;
    unsigned doubts;
} views[] = {
    {4032,
     3024,
     {{0}},
     {R(FOCAL, RATIONAL, 425, 100), N(FILM, 26)},
     4032.0 / (26 * 5040 / 43.27),
     GVM_SOURCE_FOCAL_35MM,
     0},
    {3024,
     4032,
     {N(ORIENTATION, 6)},
     {N(FILM, 26), SIZE(4032, 3024)},
     3024.0 / (26 * 5040 / 43.27),
     GVM_SOURCE_FOCAL_35MM,
     0},
    /* shrunk, and turned by a program that left the sizes */
    {800, 600, {{0}}, {N(FILM, 26), SIZE(4032, 3024)}, 800.0 / (26 * 1000 / 43.27), GVM_SOURCE_FOCAL_35MM, 0},
    {600,
     800,
     {N(ORIENTATION, 1)},
     {N(FILM, 26), SIZE(4032, 3024)},
     600.0 / (26 * 1000 / 43.27),
     GVM_SOURCE_FOCAL_35MM,
     0},
    /* a sensor of 36 mm at 50 mm: 4000 pixels at 2822.2 an inch, 111.11 a mm, 1111.1 a cm */
    {4000,
     2667,
     {{0}},
     {N(FOCAL, 50), R(PLANE, RATIONAL, 28222, 10), SIZE(4000, 2667)},
     36.0 / (50),
     GVM_SOURCE_FOCAL_PLANE,
     0},
    {4000,
     2667,
     {{0}},
     {N(FOCAL, 50), R(PLANE, RATIONAL, 11111, 10), N(UNIT, 3), SIZE(4000, 2667)},
     36.0 / (50),
     GVM_SOURCE_FOCAL_PLANE,
     0},
    {2667,
     4000,
     {{0}},
     {N(FOCAL, 50), R(PLANE, RATIONAL, 11111, 100), N(UNIT, 4), SIZE(4000, 2667)},
     24.0 / (50),
     GVM_SOURCE_FOCAL_PLANE,
     0},
    {4000,
     2667,
     {{0}},
     {N(FOCAL, 50), N(PLANE, 111), N(UNIT, 1), SIZE(4000, 2667)},
     USUAL,
     GVM_SOURCE_ASSUMED,
     BIT(DOUBT_ASSUMED)},
    {4000,
     2667,
     {{0}},
     {N(FOCAL, 50), N(PLANE, 3), SIZE(4000, 2667)},
     USUAL,
     GVM_SOURCE_ASSUMED,
     BIT(DOUBT_ASSUMED)}, /* a sensor of 34 m */
    {2592,
     1944,
     {T(MAKE, "Canon"), T(MODEL, "Canon PowerShot A530")},
     {R(FOCAL, RATIONAL, 58, 10)},
     5.75 / (5.8),
     GVM_SOURCE_SENSOR_TABLE,
     0},
    /* shrunk from 4000 pixels, with the size but not the resolution corrected */
    {1000,
     750,
     {T(MAKE, "Canon"), T(MODEL, "Canon PowerShot A530")},
     {R(FOCAL, RATIONAL, 58, 10), N(PLANE, 17670), SIZE(1000, 750)},
     5.75 / (5.8),
     GVM_SOURCE_SENSOR_TABLE,
     BIT(DOUBT_CONTRADICTION)},
    {2592,
     1944,
     {T(MAKE, "Canon"), T(MODEL, "Canon PowerShot A530")},
     {R(FOCAL, RATIONAL, 58, 10), N(FILM, 100)},
     2592.0 / (100 * 3240 / 43.27),
     GVM_SOURCE_FOCAL_35MM,
     BIT(DOUBT_CONTRADICTION) | BIT(DOUBT_NARROW)},
    {4000, 3000, {T(MAKE, "Nobody"), T(MODEL, "X")}, {N(FOCAL, 5)}, USUAL, GVM_SOURCE_ASSUMED, BIT(DOUBT_ASSUMED)},
    {640, 480, {{0}}, {{0}}, USUAL, GVM_SOURCE_ASSUMED, BIT(DOUBT_ASSUMED)},
    {480, 640, {{0}}, {{0}}, 0.75 / (0.85), GVM_SOURCE_ASSUMED, BIT(DOUBT_ASSUMED)},
    /* upright, with the sizes turned too: the sensor is 23.5 mm long */
    {1000,
     1500,
     {{0}},
     {N(FOCAL, 35), N(PLANE, 1621), SIZE(1000, 1500)},
     1000 / (35 / (1500 / 1621.0 * 25.4) * 1500),
     GVM_SOURCE_FOCAL_PLANE,
     0},
    /* cropped: from 4:3 to 3:2, to a square, to a strip */
    {1600,
     600,
     {T(MAKE, "Apple"), T(MODEL, "iPhone")},
     {N(FILM, 26), SIZE(4032, 3024)},
     USUAL,
     GVM_SOURCE_ASSUMED,
     CROPPED},
    {4000, 2667, {{0}}, {N(FILM, 26), SIZE(4000, 3000)}, USUAL, GVM_SOURCE_ASSUMED, CROPPED},
    {1000,
     1000,
     {T(MAKE, "GoPro"), T(MODEL, "HERO3")},
     {N(FILM, 15), SIZE(4000, 3000)},
     USUAL,
     GVM_SOURCE_ASSUMED,
     CROPPED},
    {4000,
     2960,
     {{0}},
     {N(FILM, 26), SIZE(4000, 3000)},
     4000.0 / (26 * 4976.103 / 43.27),
     GVM_SOURCE_FOCAL_35MM,
     0}, /* rounded */
    {4000, 3000, {{0}}, {N(FILM, 14)}, 4000.0 / (14 * 5000 / 43.27), GVM_SOURCE_FOCAL_35MM, BIT(DOUBT_WIDE)},
    /* not an equivalent */
    {4000, 3000, {{0}}, {N(FILM, 4)}, USUAL, GVM_SOURCE_ASSUMED, BIT(DOUBT_ASSUMED) | BIT(DOUBT_ABSURD)},
    {4000,
     3000,
     {T(MAKE, "Apple"), T(MODEL, "iPhone")},
     {N(FILM, 0), N(FOCAL, 0)},
     USUAL,
     GVM_SOURCE_ASSUMED,
     BIT(DOUBT_ASSUMED)}, /* unknown to the camera */
};

static void fields_of_view(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
        struct image image = picture_of(views[i].width, views[i].height, views[i].picture, views[i].exif, NULL, NULL);
        struct camera_facts f = read_camera(&image, NULL);
        if (!(fabs(camera_fov(&f.camera) - 2 * atan(views[i].ratio / 2) / DEGREE) < 0.02) ||
            f.fov_from != views[i].from || f.doubts != views[i].doubts || f.camera.lens != LENS_PINHOLE)
            fail_msg("case %zu: %.3f degrees from %d, doubts %#x", i, camera_fov(&f.camera), f.fov_from, f.doubts);
    }
}

/* No such value is used, and none makes a camera that camera_check refuses (read_with). */
static void bad_values(void **state)
{
    (void)state;
    const struct said cases[] = {
        R(FILM, SRATIONAL, -26, 1),
        R(FILM, RATIONAL, 26, 0),
        R(FILM, RATIONAL, 0, 0),
        N(FILM, 65535),
        N(FILM, 4294967295),
        R(FILM, RATIONAL, 1, 4294967295),
        {FILM, FLOAT, 1, {0}, {NAN}, 0},
        {FILM, FLOAT, 1, {0}, {INFINITY}, 0},
        {FILM, DOUBLE, 1, {0}, {-INFINITY}, 0},
        {FILM, DOUBLE, 1, {0}, {1e300}, 0},
        {FILM, DOUBLE, 1, {0}, {1e-300}, 0},
        T(FILM, "26"),
        R(FOCAL, SRATIONAL, -5, 1),
        R(FOCAL, RATIONAL, 5, 0),
        {FOCAL, DOUBLE, 1, {0}, {NAN}, 0},
        {FOCAL, DOUBLE, 1, {0}, {1e9}, 0},
        {FOCAL, FLOAT, 1, {0}, {INFINITY}, 0},
    };
    const struct said planes[] = {R(PLANE, RATIONAL, 100, 0),         R(PLANE, RATIONAL, 0, 100),
                                  R(PLANE, RATIONAL, 0, 0),           R(PLANE, SRATIONAL, -2822, 1),
                                  {PLANE, DOUBLE, 1, {0}, {NAN}, 0},  N(PLANE, 1),
                                  {PLANE, DOUBLE, 1, {0}, {1e300}, 0}};
    const struct said picture[] = {T(MAKE, "Canon"), T(MODEL, "PowerShot A530"), {0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct said exif[] = {cases[i], {0}};
        struct image image = picture_of(4000, 3000, picture, exif, NULL, NULL);
        struct camera_facts f = read_camera(&image, NULL);
        if (f.fov_from != GVM_SOURCE_ASSUMED) fail_msg("case %zu: from %d", i, f.fov_from);
    }
    for (size_t i = 0; i < sizeof planes / sizeof *planes; i++) {
        const struct said exif[] = {planes[i], N(FOCAL, 6), SIZE(4000, 3000), {0}};
        struct image image = picture_of(4000, 3000, NULL, exif, NULL, NULL);
        assert_int_equal(read_camera(&image, NULL).fov_from, GVM_SOURCE_ASSUMED);
    }
    for (int n = 0; n < 3; n++) { /* sizes */
        const long long sizes[] = {0, 1, 4294967295};
        const struct said exif[] = {N(FILM, 26), {WIDTH, LONG, 1, {sizes[n]}, {0}, 0}, N(HEIGHT, 3000), {0}};
        struct image image = picture_of(4000, 3000, NULL, exif, NULL, NULL);
        assert_int_equal(read_camera(&image, NULL).fov_from, n == 1 ? GVM_SOURCE_ASSUMED : GVM_SOURCE_FOCAL_35MM);
    }
}

static void lenses(void **state)
{
    (void)state;
    const struct said gopro[] = {T(MAKE, "GoPro"), T(MODEL, "HERO3-Black Edition"), {0}};
    const struct said drone[] = {T(MAKE, "PARROT"), T(MODEL, "Bebop 2"), {0}};
    const struct said wide[] = {N(FILM, 15), {0}}, sweep[] = {N(SWEEP, 6), N(FILM, 28), {0}};
    struct image image = picture_of(4000, 3000, gopro, wide, NULL, NULL);
    struct camera_facts f = read_camera(&image, NULL);
    assert_true(f.camera.lens == LENS_PINHOLE && f.camera.k1 == -0.195 && f.camera.k2 == 0.030);
    assert_true(f.lens_from == GVM_SOURCE_CALIBRATION && f.fov_from == GVM_SOURCE_CALIBRATION);
    assert_true(f.camera.focal == 0.466 * 4000 && f.doubts == 0);

    /* the user's field of view with this lens: the middle of the left edge is half of it away from the axis */
    f = read_camera(&image, &(gvm_camera_options)OPTIONS(.fov = 118));
    double azimuth, elevation;
    assert_true(camera_direction(&azimuth, &elevation, &f.camera, 0, 1500));
    assert_true(fabs(azimuth + 59) < 1e-6 && fabs(elevation) < 1e-9 && f.fov_from == GVM_SOURCE_OPTION);
    f = read_camera(&image, &(gvm_camera_options)OPTIONS(.distortion = (double[]){0, 0}));
    assert_true(f.camera.k1 == 0 && f.lens_from == GVM_SOURCE_OPTION && f.fov_from == GVM_SOURCE_FOCAL_35MM);

    image = picture_of(4000, 3000, drone, NULL, NULL, NULL);
    f = read_camera(&image, NULL);
    assert_true(f.camera.lens == LENS_FISHEYE && fabs(camera_fov(&f.camera) - 1 / 0.36667 / DEGREE) < 0.01);

    image = picture_of(12000, 3000, NULL, sweep, NULL, NULL);
    f = read_camera(&image, NULL);
    assert_true(f.camera.lens == LENS_CYLINDER && f.lens_from == GVM_SOURCE_EXIF && f.doubts == BIT(DOUBT_SWEEP));
    assert_true(fabs(camera_fov(&f.camera) - 12000 / (28 * 3000 / 34.6) / DEGREE) < 0.01);
    image.width = 60000; /* more than the full circle */
    f = read_camera(&image, NULL);
    assert_true(camera_fov(&f.camera) == 360);
    f = read_camera(&image, &(gvm_camera_options)OPTIONS(.fov = 180));
    assert_true(f.camera.lens == LENS_CYLINDER && fabs(camera_fov(&f.camera) - 180) < 1e-9 && f.doubts == 0);

    const struct said phone[] = {T(MAKE, "samsung"), T(MODEL, "SM-G991B"), {0}};
    image = picture_of(9000, 2000, phone, NULL, NULL, NULL);
    f = read_camera(&image, NULL);
    assert_true(f.camera.lens == LENS_CYLINDER && f.fov_from == GVM_SOURCE_ASSUMED);
}

static void sensors(void **state)
{
    (void)state;
    const struct {
        const char *maker, *model;
        double width;
    } cases[] = {
        {"Canon", "Canon PowerShot A530", 5.75},
        {"CANON", "powershot a530", 5.75},
        {"Canon", "Canon EOS 5D", 35.8},
        {"NIKON CORPORATION", "NIKON D700", 36},
        {"NIKON", "COOLPIX P6000", 7.44},
        {"SONY", "DSC-RX1", 35.8},
        {"Panasonic", "DMC-GF1", 17.3},
        {"Canon", "", 0},
        {"", "", 0},
        {"", "EOS 5D", 0},
        {"Canon", "EOS", 0},
        {"Canon", "EOS 5", 0},
        {"Canonical", "EOS 5D", 35.8},
        {"Canon", "Canon Canon", 0},
        {"Can", "EOS 5D", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double width = sensor_width_of(cases[i].maker, cases[i].model);
        if (fabs(width - cases[i].width) > 1e-6) fail_msg("%s %s: %g", cases[i].maker, cases[i].model, width);
    }
    assert_null(calibration_of("GoPro", "HERO9", 26));
    assert_null(calibration_of("", "", 15));
    assert_non_null(calibration_of("GARMIN", "VIRB", 0));
}

/* ------------------------------------------------------------------ panoramas */

static const struct {
    int width, height;
    const char *xmp;
    enum lens lens;
    double fov, full[4], heading; /* width, height, left, top */
    unsigned doubts;
} circles[] = {
    {8000, 4000, PANO(SIZES(8000, 4000, 0, 0, 8000, 4000)), LENS_SPHERE, 360, {8000, 4000, 0, 0}, 0, 0},
    {2000,
     500,
     PANO(SIZES(8000, 4000, 1000, 1500, 4000, 1000) "GPano:PoseHeadingDegrees='100'"),
     LENS_SPHERE,
     180,
     {4000, 2000, 500, 750},
     55,
     0}, /* shrunk to half */
    {4000,
     1000,
     PANO(SIZES(8000, 4000, 7000, 1500, 4000, 1000) "GPano:PoseHeadingDegrees='350'"),
     LENS_SPHERE,
     180,
     {8000, 4000, 7000, 1500},
     215,
     0}, /* over the seam */
    {4000, 2000, PANO("GPano:ProjectionType='equirectangular'"), LENS_SPHERE, 360, {4000, 2000, 0, 0}, 0, 0},
    {4000, 1000, PANO("GPano:ProjectionType='equirectangular'"), LENS_SPHERE, 360, {4000, 2000, 0, 500}, 0, 0},
    {4000,
     1000,
     PANO("GPano:FullPanoWidthPixels='8000' GPano:CroppedAreaImageWidthPixels='4000' "),
     LENS_SPHERE,
     180,
     {8000, 4000, 2000, 1500},
     0,
     0},
    {4000,
     1000,
     PANO(SIZES(8000, 4000, 0, 3500, 4000, 1000)),
     LENS_SPHERE,
     180,
     {8000, 4000, 0, 1500},
     0,
     BIT(DOUBT_GPANO)},                                                   /* below the foot */
    {4000, 1000, PANO(SIZES(8000, 4000, 0, 0, 8000, 4000)), NO_PANORAMA}, /* cropped afterwards */
    {4000, 1000, PANO(SIZES(2000, 4000, 0, 0, 4000, 1000)), NO_PANORAMA},
    {4000, 1000, PANO(SIZES(9999999, 4000, 0, 0, 4000, 1000)), NO_PANORAMA},
    {65000, 16250, PANO(SIZES(4000000, 100000, 0, 0, 65000, 16250)), NO_PANORAMA},
    {4000, 1000, PANO(SIZES(8000, 4000, 8001, 0, 4000, 1000)), NO_PANORAMA},
    {4000,
     3000,
     PANO("GPano:ProjectionType='cubestrip'"),
     LENS_PINHOLE,
     60.931,
     {0},
     0,
     BIT(DOUBT_PROJECTION) | BIT(DOUBT_ASSUMED)},
    {4000,
     1000,
     PANO("GPano:ProjectionType='cylindrical' " SIZES(8000, 2000, 0, 250, 4000, 1000)),
     LENS_CYLINDER,
     180,
     {0, 2000, 0, 250},
     0,
     0},
    {4000, /* a horizon 300 rows below the top */
     1000,
     PANO("GPano:ProjectionType='cylindrical' " SIZES(8000, 2000, 0, -300, 4000, 1000)),
     LENS_CYLINDER,
     180,
     {0, 1000, 0, 200},
     0,
     0},
    {4000,
     1000,
     PANO("GPano:ProjectionType='cylindrical'"),
     LENS_CYLINDER,
     4000 / (26 * 1000 / 34.6) / DEGREE,
     {0},
     0,
     BIT(DOUBT_SWEEP)},
};

static void panoramas(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof circles / sizeof *circles; i++) {
        struct image image = picture_of(circles[i].width, circles[i].height, NULL, NULL, NULL, circles[i].xmp);
        struct camera_facts f = read_camera(&image, NULL);
        const struct camera *c = &f.camera;
        const double full[] = {c->full_width, c->full_height, c->left, c->top};
        bool same = c->lens == circles[i].lens && fabs(camera_fov(c) - circles[i].fov) < 0.001 &&
                    fabs(c->heading - circles[i].heading) < 1e-9 && f.doubts == circles[i].doubts;
        for (int k = 0; k < 4; k++) same = same && fabs(full[k] - circles[i].full[k]) < 1e-6;
        if (!same)
            fail_msg("case %zu: lens %d, %.3f degrees, %g x %g at %g, %g, heading %g, doubts %#x", i, c->lens,
                     camera_fov(c), full[0], full[1], full[2], full[3], c->heading, f.doubts);
    }
}

/* Recognised by its content, which needs pixels. */
static void shapes(void **state)
{
    (void)state;
    struct image image = picture_of(200, 100, NULL, NULL, NULL, NULL);
    assert_int_equal(read_camera(&image, NULL).camera.lens, LENS_PINHOLE);
    image.pixels = calloc(200 * 100, 3);
    struct camera_facts f = read_camera(&image, NULL);
    assert_true(f.camera.lens == LENS_SPHERE && f.fov_from == GVM_SOURCE_SHAPE && f.doubts == BIT(DOUBT_SHAPE));
    assert_true(f.camera.full_width == 200 && f.camera.full_height == 100 && f.camera.top == 0);
    f = read_camera(&image, &(gvm_camera_options)OPTIONS(.fov = 90));
    assert_true(f.camera.lens == LENS_PINHOLE && f.doubts == 0);
    f = read_camera(&image, &(gvm_camera_options)OPTIONS(.fov = 90, .lens = GVM_LENS_SPHERE));
    assert_true(f.camera.lens == LENS_SPHERE && f.camera.full_width == 800 && f.camera.left == 300);
    free(image.pixels);
}

/* ------------------------------------------------------------------ options */

static void options(void **state)
{
    (void)state;
    struct image image = picture_of(400, 300, NULL, NULL, NULL, NULL);
    const double bad = 400, nan = NAN, fine = 10, bent[] = {0.1, 3}, folds[] = {-0.9, 0}, good[] = {-0.1, 0.01};
    const gvm_camera_options wrong[] = {OPTIONS(.fov = 0.5),
                                        OPTIONS(.fov = -60),
                                        OPTIONS(.fov = 361),
                                        OPTIONS(.fov = NAN),
                                        OPTIONS(.fov = 170),
                                        OPTIONS(.focal_35mm = 0.1),
                                        OPTIONS(.focal_35mm = INFINITY),
                                        OPTIONS(.fov = 60, .focal_35mm = 30),
                                        OPTIONS(.heading = &bad),
                                        OPTIONS(.heading = &nan),
                                        OPTIONS(.pitch = &bad),
                                        OPTIONS(.roll = &nan),
                                        OPTIONS(.distortion = bent),
                                        OPTIONS(.distortion = good, .lens = GVM_LENS_FISHEYE),
                                        OPTIONS(.distortion = folds, .fov = 120),
                                        OPTIONS(.lens = (gvm_lens)9)};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct camera_facts f;
        gvm_error err = {""};
        if (camera_read(&f, &image, &wrong[i], "photo", &err) != GVM_ARGUMENT) fail_msg("case %zu is accepted", i);
        assert_true(err.text[0] != '\0');
    }
    const gvm_camera_options right =
        OPTIONS(.focal_35mm = 50, .heading = &fine, .pitch = &fine, .roll = &fine, .distortion = good);
    struct camera_facts f = read_camera(&image, &right);
    assert_true(f.camera.heading == 10 && f.camera.pitch == 10 && f.camera.roll == 10 && f.camera.k2 == 0.01);
    assert_true(fabs(f.camera.focal - 50 * 500 / 43.27) < 1e-9 && f.fov_from == GVM_SOURCE_OPTION && f.doubts == 0);
    f = read_camera(&image, &(gvm_camera_options)OPTIONS(.fov = 220, .lens = GVM_LENS_FISHEYE));
    assert_true(fabs(camera_fov(&f.camera) - 220) < 1e-9);

    gvm_camera out;
    image = picture_of(400, 1200, NULL, NULL, NULL, NULL);
    f = read_camera(&image, NULL);
    camera_describe(&out, &f, &image);
    assert_true(out.lens == GVM_LENS_PINHOLE && out.width == 400 && out.fov < 25 &&
                fabs(out.fov_vertical - 60.93) < 0.01);
    assert_true(out.warning_count == 2 && out.warnings[1] == camera_warning(DOUBT_NARROW));
    for (int i = 0; i < DOUBTS; i++) assert_non_null(camera_warning((enum camera_doubt)i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(fields_of_view), cmocka_unit_test(bad_values),
                                       cmocka_unit_test(lenses),         cmocka_unit_test(sensors),
                                       cmocka_unit_test(panoramas),      cmocka_unit_test(shapes),
                                       cmocka_unit_test(options)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
