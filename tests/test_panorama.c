/* test_panorama.c - pictures fitted to the network: full circles, elevation bands, headings, squares. The pictures are
 * made with libvips. */
#include "image/panorama.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exif_support.h"
#include "image_support.h"

enum { OH = 16, OW = 80, PW = 720, PH = 360 };

/* (h, w, 3), smooth from row to row and from column to column, also across the edges */
static const uint8_t *scene(int h, int w)
{
    static uint8_t pixels[400 * 1610 * 3]; /* the largest */
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            uint8_t *p = pixels + ((size_t)y * w + x) * 3;
            p[0] = (uint8_t)(510 * (2 * x < w ? x : w - x) / w);
            p[1] = (uint8_t)(255 * y / h);
            p[2] = (uint8_t)(x * y);
        }
    return pixels;
}

static void save_scene(const char *name, int w, int h, const char *xmp)
{
    save(name, scene(h, w), w, h, 3, VIPS_FORMAT_UCHAR, (struct extra){.xmp = xmp});
}

/* An XMP packet with a list of attributes. */
static const char *packet(const char *attributes)
{
    static char text[1000];
    snprintf(text, sizeof text,
             "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
             "<rdf:Description xmlns:GPano='http://ns.google.com/photos/1.0/panorama/' %s/></rdf:RDF></x:xmpmeta>",
             attributes);
    return text;
}

#define SIZES(full_w, full_h, w, h)                                                \
    "GPano:FullPanoWidthPixels='" #full_w "' GPano:FullPanoHeightPixels='" #full_h \
    "' GPano:CroppedAreaImageWidthPixels='" #w "' GPano:CroppedAreaImageHeightPixels='" #h "' "

static const double band[2] = {-45, 45};
static const struct picture_shape usual = {.height = OH, .width = OW, .elevation = {-45, 45}};
static const struct picture_shape square = {.height = 24, .width = 24};

/* Expects the rows [top, bottom] of the scene (h, w), with columns moved right by turn. */
static void expect_view(const char *name, int w, int h, const double elevation[2], const double *heading, double top,
                        double bottom, int turn)
{
    static uint8_t out[OH][OW][3], plain[OH][OW][3];
    const struct picture_shape shape = {.height = OH, .width = OW, .elevation = {elevation[0], elevation[1]}};
    gvm_error err = {""};
    if (panorama_load(&out[0][0][0], &shape, heading, CIRCLE_CHECKED, in_folder(name), &err) != GVM_OK)
        fail_msg("%s", err.text);
    image_resize(&plain[0][0][0], OH, OW, scene(h, w), h, w, (double[4]){0, top, w, bottom});
    for (int y = 0; y < OH; y++)
        for (int x = 0; x < OW; x++) assert_memory_equal(out[y][(x + turn + OW) % OW], plain[y][x], 3);
}

static gvm_status photo_about(gvm_photo_info *info, const char *path, gvm_error *err)
{
    struct image image;
    gvm_status status = image_about(&image, path, err);
    if (status == GVM_OK) *info = photo_said(&image);
    image_free(&image);
    return status;
}

static void expect_no_panorama(const char *name, const char *part)
{
    static uint8_t out[OH * OW * 3];
    gvm_error err = {""};
    gvm_status status = panorama_load(out, &usual, NULL, CIRCLE_CHECKED, in_folder(name), &err);
    if (status != GVM_IMAGE && status != GVM_PANORAMA) fail_msg("%s: status %d: %s", name, status, err.text);
    assert_null(strstr(err.text, "--")); /* a library knows no command-line options */
    expect_sentence(&err, name, part);
}

static void elevation_bands(void **state)
{
    (void)state;
    save_scene("2to1.png", PW, PH, NULL);
    expect_view("2to1.png", PW, PH, band, NULL, 90, 270, 0);
    expect_view("2to1.png", PW, PH, (double[2]){-90, 90}, NULL, 0, 360, 0);
    expect_view("2to1.png", PW, PH, (double[2]){-30, 60.25}, NULL, 59.5, 240, 0);
    save_scene("cvusa.png", 1232, 224, NULL); /* 65 degrees */
    expect_view("cvusa.png", 1232, 224, (double[2]){-32.7272, 32.7273}, NULL, 0, 224, 0);
    save_scene("cvact.png", 1600, 400, NULL); /* 90 degrees */
    expect_view("cvact.png", 1600, 400, band, NULL, 0, 400, 0);
    save_scene("190.png", 190, 100, NULL); /* 189 degrees by its shape: 180 */
    expect_view("190.png", 190, 100, band, NULL, 25, 75, 0);

    uint8_t out[OH * OW * 3];
    const double wrong[][2] = {{45, -45}, {0, 0}, {-91, 0}, {0, 91}, {0.0 / 0.0, 1}, {0, 0.0 / 0.0}};
    for (int i = 0; i < 6; i++) {
        const struct picture_shape shape = {.height = OH, .width = OW, .elevation = {wrong[i][0], wrong[i][1]}};
        assert_int_equal(panorama_load(out, &shape, NULL, CIRCLE_CHECKED, in_folder("2to1.png"), NULL), GVM_ARGUMENT);
    }
}

/* Missing rows repeat the first or last one: the content keeps its size and position. */
static void missing_rows(void **state)
{
    (void)state;
    static uint8_t out[2 * OH][OW][3], plain[OH][OW][3];
    save_scene("45.png", 1600, 200, NULL); /* half of the band, in the middle */
    gvm_error err = {""};
    const struct picture_shape tall = {.height = 2 * OH, .width = OW, .elevation = {band[0], band[1]}};
    if (panorama_load(&out[0][0][0], &tall, NULL, CIRCLE_GIVEN, in_folder("45.png"), &err) != GVM_OK)
        fail_msg("%s", err.text);
    image_resize(&plain[0][0][0], OH, OW, scene(200, 1600), 200, 1600, (double[4]){0, 0, 1600, 200});
    for (int y = 0; y < 2 * OH; y++) {
        int row = y < OH / 2 ? 0 : y < OH / 2 + OH ? y - OH / 2 : OH - 1;
        for (int i = 0; i < 3 * OW; i++)
            if (abs(out[y][i / 3][i % 3] - plain[row][i / 3][i % 3]) > (i % 3 < 2 ? 12 : 255))
                fail_msg("row %d, column %d: %d, not %d", y, i / 3, out[y][i / 3][i % 3], plain[row][i / 3][i % 3]);
    }
    struct picture_shape opencv = tall; /* also with a rule without antialiasing */
    opencv.resize = RESIZE_OPENCV;
    if (panorama_load(&out[0][0][0], &opencv, NULL, CIRCLE_GIVEN, in_folder("45.png"), &err) != GVM_OK)
        fail_msg("%s", err.text);
    for (int y = 0; y < OH / 2; y++) {
        assert_memory_equal(out[y], out[0], sizeof out[0]);
        assert_memory_equal(out[2 * OH - 1 - y], out[2 * OH - 1], sizeof out[0]);
    }
    assert_memory_not_equal(out[OH / 2 + 1], out[0], sizeof out[0]);
    double box[4];
    int turn;
    struct image image = load("45.png");
    panorama_seen(box, &turn, &tall, NULL, &image);
    image_free(&image);
    assert_true(box[0] == 0 && box[1] == -100 && box[2] == 1600 && box[3] == 300 && turn == 0);
    save_scene("nearly.png", 1610, 400, NULL); /* 89.4 degrees */
    expect_view("nearly.png", 1610, 400, band, NULL, 0, 400, 0);
    save_scene("upper.png", 720, 60, packet(SIZES(720, 360, 720, 60) "GPano:CroppedAreaTopPixels='90'"));
    image = load("upper.png"); /* from 45 to 15 degrees */
    panorama_seen(box, &turn, &tall, NULL, &image);
    image_free(&image);
    assert_true(box[1] == 0 && box[3] == 180);
    /* no rows at the nadir, or so flat ones that there would be millions: as the shape says */
    static const char *const flat[] = {SIZES(2, 1000, 2, 1) "GPano:CroppedAreaTopPixels='1000'",
                                       SIZES(2, 1e7, 2, 1) "GPano:CroppedAreaTopPixels='5e6'"};
    for (int i = 0; i < 2; i++) {
        save_scene("flat.png", 720, 360, packet(flat[i]));
        expect_view("flat.png", 720, 360, (double[2]){-90, 90}, NULL, 0, 360, 0);
    }
    save_scene(
        "tiny.png", 720, 360, /* by which a heading is divided */
        packet(SIZES(1e-310, 5e-311, 1e-310, 5e-311) "GPano:CroppedAreaLeftPixels='1' GPano:PoseHeadingDegrees='0'"));
    expect_view("tiny.png", 720, 360, band, NULL, 90, 270, 0);
}

static void headings(void **state)
{
    (void)state;
    save_scene("2to1.png", PW, PH, NULL);
    /* the centre looks east: it belongs a quarter right of north */
    static const double heading[] = {90, 270, -90, 360, 450, 4.5, 359.9, -1e-18};
    static const int turn[] = {20, 60, -20, 0, 20, 1, 0, 0};
    for (int i = 0; i < 8; i++) expect_view("2to1.png", PW, PH, band, &heading[i], 90, 270, turn[i]);
    save_scene("pose.jpg[Q=95]", PW, PH, packet("GPano:PoseHeadingDegrees='180.0'"));
    save_scene("pose.png", PW, PH, packet("GPano:PoseHeadingDegrees=\"180\""));
    save_scene("pose.tif", PW, PH, packet("GPano:PoseHeadingDegrees=\"180\""));
    save_scene("pose.webp[lossless]", PW, PH, packet("GPano:PoseHeadingDegrees=\"180\""));
    expect_view("pose.png", PW, PH, band, NULL, 90, 270, 40);
    expect_view("pose.tif", PW, PH, band, NULL, 90, 270, 40);
    expect_view("pose.webp", PW, PH, band, NULL, 90, 270, 40);
    expect_view("pose.png", PW, PH, band, &heading[0], 90, 270, 20);
    struct image image = load("pose.jpg");
    assert_true(image.gpano.has_heading && image.gpano.heading == 180);
    image_free(&image);
    uint8_t out[OH * OW * 3];
    assert_int_equal(panorama_load(out, &usual, &(double){0.0 / 0.0}, CIRCLE_CHECKED, in_folder("2to1.png"), NULL),
                     GVM_ARGUMENT);
}

/* South and west, as a camera writes them; XMP's heading takes precedence. */
static void places(void **state)
{
    (void)state;
    static const char *const exif[] = {"GPSLatitudeRef",
                                       "S",
                                       "GPSLatitude",
                                       "33/1 30/1 1800/100",
                                       "GPSLongitudeRef",
                                       "W",
                                       "GPSLongitude",
                                       "70/1 15/1 0/1",
                                       "GPSImgDirectionRef",
                                       "T",
                                       "GPSImgDirection",
                                       "9000/100",
                                       NULL};
    gvm_photo_info info = {0};
    gvm_error err = {""};
    save("exif.jpg", scene(PH, PW), PW, PH, 3, VIPS_FORMAT_UCHAR, (struct extra){.exif = exif, .orientation = 6});
    assert_int_equal(photo_about(&info, in_folder("exif.jpg"), &err), GVM_OK);
    assert_true(info.has_place && fabs(info.lat + 33.505) < 1e-9 && fabs(info.lon + 70.25) < 1e-9);
    assert_true(info.has_heading && info.heading == 90);
    save("exif.jpg", scene(PH, PW), PW, PH, 3, VIPS_FORMAT_UCHAR,
         (struct extra){.exif = exif, .xmp = packet("GPano:PoseHeadingDegrees='180'")});
    assert_int_equal(photo_about(&info, in_folder("exif.jpg"), &err), GVM_OK);
    assert_true(info.has_place && info.has_heading && info.heading == 180);
    struct image image;
    assert_int_equal(image_about(&image, in_folder("exif.jpg"), &err), GVM_OK);
    assert_true(image.pixels == NULL && image.width == PW && image.height == PH);

    save_scene("plain.jpg", PW, PH, NULL);
    assert_int_equal(photo_about(&info, in_folder("plain.jpg"), &err), GVM_OK);
    assert_true(!info.has_place && !info.has_heading);
    assert_int_equal(photo_about(&info, in_folder("none.jpg"), &err), GVM_FILE);
    expect_sentence(&err, "none.jpg", "No such file");
}

/* The heading is that of the full circle's centre column; a cropped picture's own centre has another. */
static void part_heading(void **state)
{
    (void)state;
    static const struct {
        const char *left;
        double heading;
    } cases[] = {{"GPano:CroppedAreaLeftPixels='0'", 330},
                 {"GPano:CroppedAreaLeftPixels='200'", 60},
                 {"GPano:CroppedAreaLeftPixels='x'", 60},
                 {"", 60}};
    for (int i = 0; i < 4; i++) {
        char says[500];
        gvm_photo_info info = {0};
        snprintf(says, sizeof says, SIZES(800, 400, 400, 100) "GPano:PoseHeadingDegrees='60' %s", cases[i].left);
        save_scene("part.png", 400, 100, packet(says));
        assert_int_equal(photo_about(&info, in_folder("part.png"), NULL), GVM_OK);
        assert_true(info.has_heading && info.heading == cases[i].heading);
        expect_no_panorama("part.png", "only 180 of 360 degrees");
    }
}

/* XMP's heading from true north takes precedence over EXIF's from magnetic north, GPano's over both. */
static void magnetic_heading(void **state)
{
    (void)state;
    static const char *const exif[] = {"GPSImgDirectionRef", "M", "GPSImgDirection", "80/1", NULL};
    gvm_photo_info info = {0};
    save("exif.jpg", scene(PH, PW), PW, PH, 3, VIPS_FORMAT_UCHAR, (struct extra){.exif = exif});
    assert_int_equal(photo_about(&info, in_folder("exif.jpg"), NULL), GVM_OK);
    assert_true(info.has_heading && info.heading == 80 && info.heading_is_magnetic);
    save("exif.jpg", scene(PH, PW), PW, PH, 3, VIPS_FORMAT_UCHAR,
         (struct extra){.exif = exif, .xmp = packet("GPano:PoseHeadingDegrees='90'")});
    assert_int_equal(photo_about(&info, in_folder("exif.jpg"), NULL), GVM_OK);
    assert_true(info.has_heading && info.heading == 90 && !info.heading_is_magnetic);
    const struct {
        const char *xmp;
        double heading;
        bool magnetic;
    } both[] = {{"x:GPSImgDirection='90'", 90, false}, {"x:GPSImgDirection='90' x:GPSImgDirectionRef='M'", 80, true}};
    for (int i = 0; i < 2; i++) {
        char says[200];
        snprintf(says, sizeof says, "xmlns:x='http://ns.adobe.com/exif/1.0/' %s", both[i].xmp);
        save("exif.jpg", scene(PH, PW), PW, PH, 3, VIPS_FORMAT_UCHAR,
             (struct extra){.exif = exif, .xmp = packet(says)});
        assert_int_equal(photo_about(&info, in_folder("exif.jpg"), NULL), GVM_OK);
        assert_true(info.heading == both[i].heading && info.heading_is_magnetic == both[i].magnetic);
    }
}

/* EXIF's heading turns the picture like XMP's. */
static void exif_heading(void **state)
{
    (void)state;
    static const char *const exif[] = {"GPSImgDirection", "90/1", NULL};
    static uint8_t turned[OH * OW * 3], said[OH * OW * 3];
    save("exif.jpg", scene(PH, PW), PW, PH, 3, VIPS_FORMAT_UCHAR, (struct extra){.exif = exif});
    assert_int_equal(panorama_load(said, &usual, NULL, CIRCLE_CHECKED, in_folder("exif.jpg"), NULL), GVM_OK);
    assert_int_equal(panorama_load(turned, &usual, &(double){90}, CIRCLE_CHECKED, in_folder("exif.jpg"), NULL), GVM_OK);
    assert_memory_equal(said, turned, sizeof said);
}

/* Values that no camera writes are ignored. */
static void exif_lies(void **state)
{
    (void)state;
    static const char *const lies[][9] = {
        {"GPSLatitudeRef", "N", "GPSLatitude", "91/1 0/1 0/1", "GPSLongitudeRef", "E", "GPSLongitude", "1/1 0/1 0/1"},
        {"GPSLatitudeRef", "N", "GPSLatitude", "1/0 0/1 0/1", "GPSLongitudeRef", "E", "GPSLongitude", "1/1 0/1 0/1"},
        {"GPSLatitudeRef", "X", "GPSLatitude", "1/1 0/1 0/1", "GPSLongitudeRef", "E", "GPSLongitude", "1/1 0/1 0/1"},
        {"GPSLatitude", "1/1 0/1 0/1", "GPSLongitudeRef", "E", "GPSLongitude", "1/1 0/1 0/1"},
        {"GPSLatitudeRef", "N", "GPSLatitude", "0/1 0/1 0/1", "GPSLongitudeRef", "E", "GPSLongitude", "0/1 0/1 0/1"},
        {"GPSImgDirection", "361/1"},
        {"GPSImgDirection", "1/0"}};
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        gvm_photo_info info = {0};
        save("lie.jpg", scene(PH, PW), PW, PH, 3, VIPS_FORMAT_UCHAR, (struct extra){.exif = lies[i]});
        assert_int_equal(photo_about(&info, in_folder("lie.jpg"), NULL), GVM_OK);
        assert_false(info.has_place || info.has_heading);
    }
}

static void full_panoramas(void **state)
{
    (void)state;
    save_scene("189.png", 189, 100, NULL);
    expect_no_panorama("189.png", "189 x 100 is not a full panorama");
    save_scene("says.png", 150, 100, packet(SIZES(300, 200, 300, 200)));
    expect_view("says.png", 150, 100, band, NULL, 25, 75, 0);
    save_scene("projection.png", 150, 100, packet("GPano:ProjectionType='Equirectangular'"));
    expect_view("projection.png", 150, 100, band, NULL, 25, 75, 0);
    save_scene("cube.png", PW, PH, packet("GPano:ProjectionType='cubestrip'"));
    expect_no_panorama("cube.png", "unsupported;");
    save_scene("partial.png", 400, 100, packet(SIZES(800, 400, 400, 100)));
    expect_no_panorama("partial.png", "only 180 of 360 degrees");
    /* cropped by a program that left the XMP unchanged: the shape decides, and the heading is ignored */
    save_scene("stale.png", 150, 100, packet(SIZES(4000, 2000, 4000, 2000)));
    expect_no_panorama("stale.png", "not a full panorama");
    save_scene("stale2.png", 400, 100, packet(SIZES(4000, 2000, 4000, 2000) "GPano:PoseHeadingDegrees='90'"));
    expect_view("stale2.png", 400, 100, band, NULL, 0, 100, 0);
    /* from 60 degrees down to the lowest of the band, 30 below the horizon */
    save_scene("upper.png", 720, 180, packet(SIZES(720, 360, 720, 180) "GPano:CroppedAreaTopPixels='60'"));
    expect_view("upper.png", 720, 180, (double[2]){-30, 45}, NULL, 30, 180, 0);
    save_scene("floor.png", 720, 60, packet(SIZES(720, 360, 720, 60) "GPano:CroppedAreaTopPixels='300'"));
    expect_no_panorama("floor.png", "elevations of -90 to -60");
}

/* A JPEG with an EXIF block after its first two bytes. */
static void save_photo(const char *name, int w, int h, const char *xmp, const struct said *picture,
                       const struct said *exif)
{
    static uint8_t bytes[1 << 20];
    uint8_t block[4096];
    char plain[64];
    snprintf(plain, sizeof plain, "%s.plain.jpg", name);
    save_scene(plain, w, h, xmp);
    FILE *file = fopen(in_folder(plain), "rb");
    assert_non_null(file);
    size_t size = exif_block(block, false, picture, exif, NULL), head = 4 + 6 + size;
    size_t all = head + fread(bytes + head, 1, sizeof bytes - head, file);
    fclose(file);
    memcpy(bytes, "\xff\xd8\xff\xe1\0\0Exif\0", 12);
    bytes[4] = (uint8_t)((size + 8) >> 8);
    bytes[5] = (uint8_t)(size + 8);
    memcpy(bytes + 12, block, size);
    put_bytes(name, bytes, all);
}

/* Camera metadata of a picture without GPano. */
static void photos(void **state)
{
    (void)state;
    const struct said maker[] = {{0x10f, TEXT, 6, {0}, {0}, "Maker"}, {0x110, TEXT, 5, {0}, {0}, "M 10"}, {0}},
                      film[] = {{0xa405, SHORT, 1, {26}, {0}, 0}, {0}},
                      lens[] = {{0x920a, RATIONAL, 1, {4200, 1000}, {0}, 0}, {0}},
                      sweep[] = {{0xa401, SHORT, 1, {6}, {0}, 0}, {0}};
    const char *full, *name = "photo.jpg";
    save_photo(name, 1000, 400, NULL, maker, film);
    expect_no_panorama(name, "a lens's EXIF and no GPano");
    save_photo(name, 800, 360, NULL, NULL, film); /* 20:9 */
    expect_no_panorama(name,
                       "an ordinary photo, about 74 degrees wide (EXIF); weights for panoramas need the full circle");
    save_photo(name, 400, 300, NULL, NULL, film);
    expect_no_panorama(name, "about 67 degrees wide");
    save_photo(name, 300, 400, NULL, NULL, film);
    expect_no_panorama(name, "about 53 degrees wide");
    save_photo(name, 720, 360, NULL, maker, lens);
    expect_no_panorama(name, "an ordinary photo (EXIF: Maker M 10)");
    save_photo(name, 720, 360, NULL, maker, NULL);
    expect_no_panorama(name, "an ordinary photo (EXIF: Maker M 10)");
    save_photo(name, 720, 360, NULL, NULL, sweep);
    expect_no_panorama(name, "a phone's sweep");
    save_photo(name, 720, 360, packet("GPano:ProjectionType='equirectangular' GPano:PoseHeadingDegrees='9'"), NULL,
               sweep);
    expect_no_panorama(name, "a phone's sweep");
    save_scene("PANO_1.jpg", 1000, 300, NULL);
    expect_no_panorama("PANO_1.jpg", "a phone's sweep");

    static uint8_t out[OH * OW * 3];
    char packet2[1000]; /* as tools mark a stitched picture */
    snprintf(packet2, sizeof packet2, "%s", packet("GPano:ProjectionType='equirectangular'"));
    full = packet(SIZES(720, 360, 720, 360));
    const struct {
        int w, h;
        const char *xmp;
        const struct said *picture, *exif;
    } taken[] = {{720, 360, full, maker, film},  {720, 360, full, NULL, sweep}, {720, 360, packet2, maker, film},
                 {1440, 360, NULL, maker, NULL}, {720, 360, NULL, NULL, lens}, /* a length without a camera: cut by
                                                                                  a program */
                 {1232, 224, NULL, NULL, NULL}};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        gvm_error err;
        save_photo(name, taken[i].w, taken[i].h, taken[i].xmp, taken[i].picture, taken[i].exif);
        if (panorama_load(out, &usual, NULL, CIRCLE_CHECKED, in_folder(name), &err) != GVM_OK)
            fail_msg("%zu: %s", i, err.text);
    }
}

/* The last column continues at the first one, unless a part of the circle is missing. */
static void edges(void **state)
{
    (void)state;
    static uint8_t out[OH * OW * 3], pixels[300 * 700 * 3];
    for (int cut = 0; cut < 2; cut++) {
        for (int i = 0; i < 300 * 700; i++)
            for (int c = 0; c < 3; c++)
                pixels[3 * i + c] =
                    (uint8_t)(128 + 100 * sin((cut ? 4.4 : 6.2831853) * (i % 700) / 700 + c + i / 70000));
        save("cut.png", pixels, 700, 300, 3, VIPS_FORMAT_UCHAR, (struct extra){0});
        gvm_error err = {""};
        gvm_status status = panorama_load(out, &usual, NULL, CIRCLE_CHECKED, in_folder("cut.png"), &err);
        if (status != (cut ? GVM_PANORAMA : GVM_OK)) fail_msg("cut %d: %s", cut, err.text);
    }
    expect_no_panorama("cut.png", "its left and right edges do not match");
    assert_int_equal(panorama_load(out, &usual, NULL, CIRCLE_LISTED, in_folder("cut.png"), NULL), GVM_OK);
    assert_int_equal(panorama_load(out, &usual, NULL, CIRCLE_GIVEN, in_folder("cut.png"), NULL), GVM_OK);
    save_scene("partial.png", 400, 100, packet(SIZES(800, 400, 400, 100) "GPano:CroppedAreaTopPixels='150'"));
    assert_int_equal(panorama_load(out, &usual, NULL, CIRCLE_GIVEN, in_folder("partial.png"), NULL), GVM_OK);
    assert_int_equal(panorama_load(out, &usual, NULL, CIRCLE_LISTED, in_folder("partial.png"), NULL), GVM_IMAGE);
    save_scene("photo.png", 100, 100, NULL);
    assert_int_equal(panorama_load(out, &usual, NULL, CIRCLE_GIVEN, in_folder("photo.png"), NULL), GVM_OK);
}

/* A uniform colour, with and without camera noise. */
static void no_content(void **state)
{
    (void)state;
    static uint8_t out[OH * OW * 3], pixels[400 * 800 * 3];
    static const struct {
        int grey, noise;
        bool taken;
    } cases[] = {{128, 1, false}, {0, 1, false}, {255, 1, false}, {20, 40, false}, {100, 0, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned random = 1;
        for (int k = 0; k < 400 * 800 * 3; k++) {
            random = random * 1103515245 + 12345;
            pixels[k] = (uint8_t)(cases[i].noise ? cases[i].grey + (int)((random >> 16) % (unsigned)cases[i].noise)
                                  : k < 400 * 800 * 3 / 2 ? 100
                                                          : 110);
        }
        save("grey.png", pixels, 800, 400, 3, VIPS_FORMAT_UCHAR, (struct extra){0});
        gvm_status status = panorama_load(out, &usual, NULL, CIRCLE_GIVEN, in_folder("grey.png"), NULL);
        assert_int_equal(status, cases[i].taken ? GVM_OK : GVM_IMAGE);
        if (!cases[i].taken) expect_no_panorama("grey.png", "this picture has no content: it is of one colour");
        assert_int_equal(aerial_load(out, &square, in_folder("grey.png"), NULL), GVM_OK);
    }
}

static void aerial_pictures(void **state)
{
    (void)state;
    const struct picture_shape opencv = {.height = 24, .width = 24, .resize = RESIZE_OPENCV};
    static uint8_t out[24 * 24 * 3], plain[24 * 24 * 3];
    const int sizes[][2] = {{60, 60}, {90, 60}, {60, 91}};
    const double boxes[][4] = {{0, 0, 60, 60}, {15, 0, 75, 60}, {0, 15.5, 60, 75.5}};
    for (int i = 0; i < 3; i++) {
        int w = sizes[i][0], h = sizes[i][1];
        save_scene("tile.png", w, h, NULL);
        assert_int_equal(aerial_load(out, &square, in_folder("tile.png"), NULL), GVM_OK);
        image_resize(plain, 24, 24, scene(h, w), h, w, boxes[i]);
        assert_memory_equal(out, plain, sizeof out);
        assert_int_equal(aerial_load(out, &opencv, in_folder("tile.png"), NULL), GVM_OK);
        image_resize_opencv(plain, 24, 24, scene(h, w), h, w, boxes[i]);
        assert_memory_equal(out, plain, sizeof out);
    }
    gvm_error err;
    assert_int_equal(aerial_load(out, &square, in_folder("missing.png"), &err), GVM_FILE);
    expect_sentence(&err, "missing.png", "No such file");
}

int main(int argc, char **argv)
{
    (void)argc;
    if (VIPS_INIT(argv[0]) != 0) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elevation_bands),  cmocka_unit_test(missing_rows), cmocka_unit_test(part_heading),
        cmocka_unit_test(magnetic_heading), cmocka_unit_test(headings),     cmocka_unit_test(full_panoramas),
        cmocka_unit_test(aerial_pictures),  cmocka_unit_test(photos),       cmocka_unit_test(edges),
        cmocka_unit_test(no_content),       cmocka_unit_test(places),       cmocka_unit_test(exif_heading),
        cmocka_unit_test(exif_lies),
    };
    int failed = cmocka_run_group_tests_name("panorama", tests, make_folder, remove_folder);
    vips_shutdown();
    return failed;
}
