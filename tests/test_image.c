/* test_image.c - decoding and resizing of pictures, which are made by libvips or byte by byte */
#include "image/image.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "golden/image_resize.h"
#include "image_support.h"

static const int colour[4][3] = {{200, 30, 20}, {20, 180, 60}, {40, 50, 220}, {120, 120, 120}};

enum { QW = 48, QH = 32 };

/* (QH, QW, 3): a colour for each quarter */
static const uint8_t *quarters(void)
{
    static uint8_t pixels[QH][QW][3];
    for (int y = 0; y < QH; y++)
        for (int x = 0; x < QW; x++)
            for (int c = 0; c < 3; c++) pixels[y][x][c] = (uint8_t)colour[(y >= QH / 2) * 2 + (x >= QW / 2)][c];
    return &pixels[0][0][0];
}

/* order: which of the four colours is top left, top right, bottom left, bottom right */
static void expect_quarters(const struct image *image, const int order[4], int tolerance)
{
    for (int q = 0; q < 4; q++)
        expect_pixel(image, (2 * (q % 2) + 1) * image->width / 4, (2 * (q / 2) + 1) * image->height / 4,
                     colour[order[q]], tolerance);
}

static const int upright[4] = {0, 1, 2, 3};

static void formats(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int tolerance;
    } files[] = {{"a.jpg[Q=95]", 4},
                 {"b.jpg[Q=95,interlace]", 4},
                 {"a.png", 0},
                 {"b.png[interlace]", 0},
                 {"palette.png[palette]", 3},
                 {"a.webp[lossless]", 0},
                 {"b.webp[Q=95]", 8},
                 {"a.tif", 0},
                 {"b.tif[compression=lzw,bigtiff]", 0},
                 {"c.tif[tile,pyramid]", 0},
                 {"d.tif[compression=jpeg,Q=95]", 8},
                 {"e.tif[compression=deflate,predictor=horizontal]", 0}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char name[40];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(files[i].name, "["), files[i].name);
        save(files[i].name, quarters(), QW, QH, 3, VIPS_FORMAT_UCHAR, (struct extra){0});
        struct image image = load(name);
        assert_int_equal(image.width, QW);
        assert_int_equal(image.height, QH);
        expect_quarters(&image, upright, files[i].tolerance);
        image_free(&image);
    }
    save("one.png", colour[3], 1, 1, 3, VIPS_FORMAT_UCHAR, (struct extra){0});
    struct image image = load("one.png");
    assert_int_equal(image.width * image.height, 1);
    image_free(&image);
    image_free(&image);
}

static void content_decides(void **state)
{
    (void)state;
    save("real.png", quarters(), QW, QH, 3, VIPS_FORMAT_UCHAR, (struct extra){0});
    const char *const names[] = {"lying.jpg", "none", "a[shrink=2].png", "\xc3\xa4 b.svg"};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(link(in_folder("real.png"), in_folder(names[i])), 0);
        struct image image = load(names[i]);
        expect_quarters(&image, upright, 0);
        image_free(&image);
    }
}

/* A picture of one colour, in any format, must be decoded as rgb. */
static void expect_colour(const char *name, const void *pixel, int bands, VipsBandFormat format, struct extra extra,
                          const int rgb[3], int tolerance)
{
    size_t size = (size_t)bands * (format == VIPS_FORMAT_UCHAR ? 1 : 2);
    char pixels[16 * 16 * 16];
    for (size_t i = 0; i < 16 * 16; i++) memcpy(pixels + i * size, pixel, size);
    save(name, pixels, 16, 16, bands, format, extra);
    char plain[40];
    snprintf(plain, sizeof plain, "%.*s", (int)strcspn(name, "["), name);
    struct image image = load(plain);
    assert_int_equal(image.width, 16);
    expect_pixel(&image, 7, 7, rgb, tolerance);
    image_free(&image);
}

static void grey_and_wide(void **state)
{
    (void)state;
    const int grey[3] = {77, 77, 77}, rgb[3] = {200, 100, 50}, white[3] = {255, 255, 255};
    const uint8_t grey8 = 77;
    const uint16_t grey16 = 77 * 257, rgb16[3] = {200 * 257, 100 * 257, 50 * 257};
    const struct extra none = {0};
    expect_colour("grey.jpg", &grey8, 1, VIPS_FORMAT_UCHAR, none, grey, 1);
    expect_colour("grey.png", &grey8, 1, VIPS_FORMAT_UCHAR, none, grey, 0);
    expect_colour("grey.tif", &grey8, 1, VIPS_FORMAT_UCHAR, none, grey, 0);
    expect_colour("grey16.png", &grey16, 1, VIPS_FORMAT_USHORT, none, grey, 0);
    expect_colour("grey16.tif", &grey16, 1, VIPS_FORMAT_USHORT, none, grey, 0);
    expect_colour("rgb16.png", rgb16, 3, VIPS_FORMAT_USHORT, none, rgb, 0);
    expect_colour("rgb16.tif", rgb16, 3, VIPS_FORMAT_USHORT, none, rgb, 0);
    expect_colour("bit.png[bitdepth=1]", &(uint8_t){255}, 1, VIPS_FORMAT_UCHAR, none, white, 0);
    expect_colour("bit.tif[bitdepth=1]", &(uint8_t){255}, 1, VIPS_FORMAT_UCHAR, none, white, 0);
}

static void alpha(void **state)
{
    (void)state;
    const struct extra none = {0};
    const uint8_t half[4] = {200, 100, 50, 128}, clear[4] = {200, 100, 50, 0}, grey[2] = {200, 128};
    const uint16_t wide[4] = {200 * 257, 100 * 257, 50 * 257, 128 * 257};
    const int over_black[3] = {100, 50, 25}, black[3] = {0, 0, 0}, grey_over_black[3] = {100, 100, 100};
    expect_colour("alpha.png", half, 4, VIPS_FORMAT_UCHAR, none, over_black, 1);
    expect_colour("clear.png", clear, 4, VIPS_FORMAT_UCHAR, none, black, 0);
    expect_colour("alpha.webp[lossless]", half, 4, VIPS_FORMAT_UCHAR, none, over_black, 1);
    expect_colour("grey-alpha.png", grey, 2, VIPS_FORMAT_UCHAR, none, grey_over_black, 1);
    expect_colour("alpha16.png", wide, 4, VIPS_FORMAT_USHORT, none, over_black, 1);
    /* a TIFF's fourth channel may be infrared */
    expect_colour("infrared.tif", half, 4, VIPS_FORMAT_UCHAR, none, (const int[3]){200, 100, 50}, 0);
    expect_colour("grey-more.tif", grey, 2, VIPS_FORMAT_UCHAR, none, (const int[3]){200, 200, 200}, 0);
}

static void cmyk(void **state)
{
    (void)state;
    const uint8_t paper[4] = {0, 0, 0, 0}, ink[4] = {0, 0, 0, 255}, cyan[4] = {255, 0, 0, 0};
    const int white[3] = {255, 255, 255}, black[3] = {20, 20, 20}, blueish[3] = {0, 165, 230};
    struct extra extra = {.meaning = VIPS_INTERPRETATION_CMYK};
    expect_colour("paper.jpg[Q=95]", paper, 4, VIPS_FORMAT_UCHAR, extra, white, 4);
    expect_colour("ink.jpg[Q=95]", ink, 4, VIPS_FORMAT_UCHAR, extra, black, 40);
    expect_colour("cyan.tif", cyan, 4, VIPS_FORMAT_UCHAR, extra, blueish, 30);
    VipsBlob *profile = NULL;
    assert_int_equal(vips_profile_load("cmyk", &profile, NULL), 0);
    extra.icc = vips_blob_get(profile, &extra.icc_size);
    expect_colour("cyan.jpg[Q=95]", cyan, 4, VIPS_FORMAT_UCHAR, extra, blueish, 30);
    vips_area_unref(VIPS_AREA(profile));
    extra.icc = "no profile at all";
    extra.icc_size = strlen(extra.icc);
    expect_colour("junk.tif", cyan, 4, VIPS_FORMAT_UCHAR, extra, blueish, 30);
}

static uint32_t crc32_of(const uint8_t *p, size_t size)
{
    uint32_t crc = ~0u;
    while (size--) {
        crc ^= *p++;
        for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static void put32(uint8_t *p, uint32_t x)
{
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(x >> (24 - 8 * i));
}

/* libvips does not write the orientation into every PNG: insert an eXIf chunk after the header. */
static void turn_png(const char *name, int orientation)
{
    uint8_t chunk[12 + 26] = "\0\0\0\x1a"
                             "eXIfMM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0";
    chunk[8 + 19] = (uint8_t)orientation;
    put32(chunk + 34, crc32_of(chunk + 4, 30));
    char *bytes;
    size_t size;
    assert_true(g_file_get_contents(in_folder(name), &bytes, &size, NULL));
    bytes = g_realloc(bytes, size + sizeof chunk);
    memmove(bytes + 33 + sizeof chunk, bytes + 33, size - 33);
    memcpy(bytes + 33, chunk, sizeof chunk);
    put_bytes(name, bytes, size + sizeof chunk);
    g_free(bytes);
}

static void orientations(void **state)
{
    (void)state;
    /* EXIF 2.3, tag 274: for each position, the quarter of the stored picture that is seen there */
    static const int seen[9][4] = {{0},          {0, 1, 2, 3}, {1, 0, 3, 2}, {3, 2, 1, 0}, {2, 3, 0, 1},
                                   {0, 2, 1, 3}, {2, 0, 3, 1}, {3, 1, 2, 0}, {1, 3, 0, 2}};
    static const char *const names[] = {"turned.jpg", "turned.tif", "turned.webp", "turned.png"};
    for (int k = 1; k <= 8; k++)
        for (int i = 0; i < 4; i++) {
            struct extra extra = {.orientation = i < 3 ? k : 0};
            save(names[i], quarters(), QW, QH, 3, VIPS_FORMAT_UCHAR, extra);
            if (i == 3) turn_png(names[i], k);
            struct image image = load(names[i]);
            assert_int_equal(image.width, k >= 5 ? QH : QW);
            assert_int_equal(image.height, k >= 5 ? QW : QH);
            expect_quarters(&image, seen[k], 12);
            image_free(&image);
        }
}

/* A PNG's signature, a header with this size and the start of its data. rest: bit depth, colour type, two zeros,
 * interlace method. */
static void write_png(const char *name, uint32_t w, uint32_t h, const char rest[5])
{
    uint8_t png[8 + 25 + 12 + 8] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    put32(png + 16, w);
    put32(png + 20, h);
    memcpy(png + 24, rest, 5);
    put32(png + 29, crc32_of(png + 12, 17));
    put32(png + 33, 1000);
    memcpy(png + 37, "IDAT\x78\x9c", 6);
    put_bytes(name, png, sizeof png);
}

static void write_png_header(const char *name, uint32_t w, uint32_t h)
{
    write_png(name, w, h, "\x08\x02\0\0\0");
}

static void refused_files(void **state)
{
    (void)state;
    expect_refusal("missing.jpg", GVM_FILE, "No such file");
    expect_refusal(".", GVM_FILE, "directory");
    put_bytes("empty.jpg", "", 0);
    expect_refusal("empty.jpg", GVM_IMAGE, "empty");
    assert_int_equal(mkfifo(in_folder("pipe.jpg"), 0600), 0);
    expect_refusal("pipe.jpg", GVM_FILE, "regular");
    if (geteuid() != 0) {
        put_bytes("secret.jpg", "x", 1);
        chmod(in_folder("secret.jpg"), 0);
        expect_refusal("secret.jpg", GVM_FILE, "ermission");
    }
    put_bytes("short.jpg", "\xff\xd8", 2);
    expect_refusal("short.jpg", GVM_IMAGE, "expected a JPEG");
    const char *svg = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>", *pdf = "%PDF-1.4\n%%EOF\n";
    put_bytes("a.svg", svg, strlen(svg));
    expect_refusal("a.svg", GVM_IMAGE, "expected a JPEG");
    put_bytes("a.pdf", pdf, strlen(pdf));
    expect_refusal("a.pdf", GVM_IMAGE, "expected a JPEG");
    put_bytes("a.gif", "GIF89a\1\0\1\0\0\0\0;", 14);
    expect_refusal("a.gif", GVM_IMAGE, "expected a JPEG");
    put_bytes("svg.png", svg, strlen(svg));
    expect_refusal("svg.png", GVM_IMAGE, "expected a JPEG");
}

/* However long the path, the reason follows it. */
static void long_paths(void **state)
{
    (void)state;
    char path[3800] = "";
    for (int i = 0; i < 700; i++) strcat(path, "none/");
    struct image image;
    gvm_error err;
    assert_int_equal(image_load(&image, path, &err), GVM_FILE);
    assert_non_null(strstr(err.text, "none/: cannot open it: No such file"));
    write_broken();
    memset(path, '/', 3500);
    snprintf(path + 3400, sizeof path - 3400, "%s", in_folder("half.png"));
    assert_int_equal(image_load(&image, path, &err), GVM_IMAGE);
    assert_non_null(strstr(err.text, "half.png: this PNG picture cannot be decoded ("));
}

static void broken_pictures(void **state)
{
    (void)state;
    write_broken();
    expect_refusal("half.jpg", GVM_IMAGE, "this JPEG picture cannot be decoded (");
    expect_refusal("half.png", GVM_IMAGE, "this PNG picture cannot be decoded (");
    expect_refusal("half.webp", GVM_IMAGE, "this WebP picture cannot be decoded (");
    expect_refusal("half.tif", GVM_IMAGE, "this TIFF picture cannot be decoded (");
    put_bytes("magic.jpg", "\xff\xd8\xff", 3);
    expect_refusal("magic.jpg", GVM_IMAGE, "this JPEG picture cannot be decoded (");
    put_bytes("magic.tif", "II*\0", 4);
    expect_refusal("magic.tif", GVM_IMAGE, "this TIFF picture cannot be decoded (");
    write_png_header("bomb.png", 100000, 100000);
    expect_refusal("bomb.png", GVM_IMAGE, "100000 x 100000 pixels exceed the limit of 256 megapixels");
    write_png_header("flat.png", 0, 5);
    expect_refusal("flat.png", GVM_IMAGE, "cannot be decoded (");
    write_png_header("large.png", 16001, 16000);
    expect_refusal("large.png", GVM_IMAGE, "16001 x 16000");
    write_png_header("wide.png", 256000000, 1);
    expect_refusal("wide.png", GVM_IMAGE, "cannot be decoded (");
    write_png_header("wide.png", 65536, 1);
    expect_refusal("wide.png", GVM_IMAGE, "65536 x 1 pixels exceed the limit of 65535 pixels a side");
    write_png_header("high.png", 1, 65536);
    expect_refusal("high.png", GVM_IMAGE, "1 x 65536 pixels exceed the limit");
    write_png_header("cut.png", 16000, 16000);
    expect_refusal("cut.png", GVM_IMAGE, "cannot be decoded (");
    write_png("laced.png", 12000, 12000, "\x08\x02\0\0\1");
    expect_refusal("laced.png", GVM_IMAGE, "an interlaced PNG of 12000 x 12000 pixels exceeds the limit");
    write_png("laced.png", 8000, 8000, "\x10\x06\0\0\1");
    expect_refusal("laced.png", GVM_IMAGE, "an interlaced PNG");
    write_png("laced.png", 11500, 11500, "\x08\x02\0\0\1");
    expect_refusal("laced.png", GVM_IMAGE, "cannot be decoded (");
    const float sample[4] = {0, 1, 2, 3};
    save("float.tif", sample, 2, 2, 1, VIPS_FORMAT_FLOAT, (struct extra){0});
    expect_refusal("float.tif", GVM_IMAGE, "expected 8 or 16 bits");
}

static void prints_nothing(void **state)
{
    (void)state;
    write_broken();
    fflush(NULL);
    int kept[2] = {dup(1), dup(2)}, file = open(in_folder("printed"), O_CREAT | O_RDWR | O_TRUNC, 0600);
    dup2(file, 1);
    dup2(file, 2);
    const char *const names[] = {"half.jpg", "half.png", "half.webp", "half.tif", "missing", "junk.tif", "whole.jpg"};
    for (int i = 0; i < 7; i++) {
        struct image image;
        image_load(&image, in_folder(names[i]), NULL);
        image_free(&image);
    }
    fflush(NULL);
    off_t size = lseek(file, 0, SEEK_CUR);
    for (int i = 0; i < 2; i++) {
        dup2(kept[i], 1 + i);
        close(kept[i]);
    }
    close(file);
    assert_int_equal(size, 0);
}

/* From files if libvips supports it, and never from untrusted bytes. */
static void heic(void **state)
{
    (void)state;
    static const struct {
        const char *name, *says;
        char bytes[33];
        size_t size;
    } others[] = {{"a.avif", "unsupported format AVIF; convert it to JPEG",
                   "\0\0\0\x1c"
                   "ftypavif\0\0\0\0mif1miaf",
                   28},
                  {"b.avif", "AVIF",
                   "\0\0\0\x1c"
                   "ftypmif1\0\0\0\0miafavif",
                   28},
                  {"a.jxl", "JPEG XL", "\xff\x0a....", 6},
                  {"b.jxl", "JPEG XL", "\0\0\0\x0cJXL \r\n\x87\n....", 16},
                  {"a.mp4", "expected a JPEG, PNG, WebP or TIFF",
                   "\0\0\0\x14"
                   "ftypisom\0\0\0\0mp41",
                   20},
                  {"a.heic", "convert it to JPEG",
                   "\0\0\0\x18"
                   "ftypmif1\0\0\0\0heic",
                   20}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        put_bytes(others[i].name, others[i].bytes, others[i].size);
        expect_refusal(others[i].name, GVM_IMAGE, others[i].says);
    }
    if (vips_type_find("VipsOperation", "heifload_source") == 0 || vips_type_find("VipsOperation", "heifsave") == 0)
        skip();
    VipsImage *raw = vips_image_new_from_memory(quarters(), QW * QH * 3, QW, QH, 3, VIPS_FORMAT_UCHAR);
    int failed = vips_image_write_to_file(raw, in_folder("b.heic"), NULL); /* libheif may lack an encoder */
    g_object_unref(raw);
    if (failed) {
        vips_error_clear();
        skip();
    }
    struct image image = load("b.heic");
    assert_true(image.width == QW && image.height == QH);
    expect_quarters(&image, upright, 20);
    image_free(&image);
    gvm_error err;
    size_t size;
    const struct image_limit limit = {.pixels = QW * QH, .until = INFINITY};
    assert_int_equal(decode_limited(&size, "b.heic", limit, &err), GVM_IMAGE);
    expect_sentence(&err, "b.heic", "unsupported format HEIC; convert it to JPEG");
}

typedef gvm_status resizing(uint8_t *out, int H, int W, const uint8_t *in, int h, int w, const double box[4]);

static void expect_golden(resizing *resize, const uint8_t *golden, size_t size, int H, int W, int h, int w,
                          const double box[4])
{
    uint8_t in[23 * 37 * 3], out[31 * 24 * 3];
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int c = 0; c < 3; c++) in[(y * w + x) * 3 + c] = (uint8_t)(x * 73 + y * 151 + c * 29 + x * y * 17);
    assert_int_equal(size, (size_t)H * W * 3);
    assert_int_equal(resize(out, H, W, in, h, w, box), GVM_OK);
    assert_memory_equal(out, golden, size);
}

static void resize_as_pillow(void **state)
{
    (void)state;
    expect_golden(image_resize, resize_shrink, sizeof resize_shrink, 9, 16, 23, 37, (double[4]){0, 0, 37, 23});
    expect_golden(image_resize, resize_crop, sizeof resize_crop, 31, 20, 23, 37, (double[4]){3.25, 2.5, 30.75, 20.125});
    expect_golden(image_resize, resize_enlarge, sizeof resize_enlarge, 15, 24, 7, 11, (double[4]){0, 0, 11, 7});
    uint8_t out[5 * 4 * 3];
    image_resize(out, 5, 4, quarters(), 1, 1, (double[4]){0, 0, 1, 1});
    for (int i = 0; i < 5 * 4 * 3; i++) assert_int_equal(out[i], colour[0][i % 3]);
}

static void resize_as_opencv(void **state)
{
    (void)state;
    resizing *resize = image_resize_opencv;
    expect_golden(resize, opencv_shrink, sizeof opencv_shrink, 9, 16, 23, 37, (double[4]){0, 0, 37, 23});
    expect_golden(resize, opencv_crop, sizeof opencv_crop, 11, 13, 23, 37, (double[4]){3, 2, 30, 20});
    expect_golden(resize, opencv_enlarge, sizeof opencv_enlarge, 15, 24, 7, 11, (double[4]){0, 0, 11, 7});
    uint8_t out[5 * 4 * 3];
    resize(out, 5, 4, quarters(), 1, 1, (double[4]){0, 0, 1, 1});
    for (int i = 0; i < 5 * 4 * 3; i++) assert_int_equal(out[i], colour[0][i % 3]);
}

int main(int argc, char **argv)
{
    (void)argc;
    if (VIPS_INIT(argv[0]) != 0) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats),
        cmocka_unit_test(content_decides),
        cmocka_unit_test(grey_and_wide),
        cmocka_unit_test(alpha),
        cmocka_unit_test(cmyk),
        cmocka_unit_test(orientations),
        cmocka_unit_test(refused_files),
        cmocka_unit_test(long_paths),
        cmocka_unit_test(broken_pictures),
        cmocka_unit_test(prints_nothing),
        cmocka_unit_test(heic),
        cmocka_unit_test(resize_as_pillow),
        cmocka_unit_test(resize_as_opencv),
    };
    int failed = cmocka_run_group_tests_name("image", tests, make_folder, remove_folder);
    vips_shutdown();
    return failed;
}
