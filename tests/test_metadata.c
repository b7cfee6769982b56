/* test_metadata.c - XMP, and metadata of all containers: segments of JPEG, chunks of PNG and WebP, directories of TIFF
 */
#include "image/metadata.h"

#include <gio/gio.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exif_support.h"
#include "image_support.h"

/* ------------------------------------------------------------------ XMP */

static struct xmp read_xmp(const char *text)
{
    struct xmp xmp = {.guid = ""};
    size_t size = strlen(text);
    char *copy = malloc(size + (size == 0)); /* of the exact size, for the sanitizers */
    memcpy(copy, text, size);
    xmp_read(&xmp, copy, size);
    free(copy);
    return xmp;
}

#define GPANO_SPACE "http://ns.google.com/photos/1.0/panorama/"
#define EXIF_SPACE "http://ns.adobe.com/exif/1.0/"

static void panoramas(void **state)
{
    (void)state;
    static const char *const says[] = {
        "<a xmlns:GPano='" GPANO_SPACE "' GPano:FullPanoWidthPixels='8000' GPano:PoseHeadingDegrees='-12.5'/>",
        "<a xmlns:GPano='" GPANO_SPACE "'><GPano:FullPanoWidthPixels>\n 8000 </GPano:FullPanoWidthPixels>"
        "<GPano:PoseHeadingDegrees>-12.5</GPano:PoseHeadingDegrees></a>",
        "<a GPano:FullPanoWidthPixels=\"8000\" GPano:PoseHeadingDegrees = \"-12.5\" />", /* not declared */
        "<a xmlns:p='" GPANO_SPACE
        "' p:FullPanoWidthPixels='8000'><p:PoseHeadingDegrees>-12.5</p:PoseHeadingDegrees></a>",
        "<a><FullPanoWidthPixels xmlns='" GPANO_SPACE "'>8000</FullPanoWidthPixels>"
        "<q:PoseHeadingDegrees xmlns:q='" GPANO_SPACE "'>-12.5</q:PoseHeadingDegrees></a>",
        "<a xmlns:GPano='" GPANO_SPACE "'><GPano:FullPanoWidthPixels rdf:datatype='x'>8000</GPano:FullPanoWidthPixels>"
        "<GPano:PoseHeadingDegrees><![CDATA[-12.5]]></GPano:PoseHeadingDegrees></a>",
        "\xef\xbb\xbf<?xpacket begin='\xef\xbb\xbf'?><a xmlns:GPano='" GPANO_SPACE
        "' GPano:FullPanoWidthPixels='&#56;000' GPano:PoseHeadingDegrees='-12.5'/><?xpacket end='w'?>",
        "<a xmlns:GPano='" GPANO_SPACE "' GPano:FullPanoWidthPixels='8000' GPano:PoseHeadingDegrees='-12.5'><b",
        "<a xmlns:GPano='https://ns.google.com/photos/1.0/panorama' GPano:FullPanoWidthPixels='8000' "
        "GPano:PoseHeadingDegrees='-12.5'/>",
        "<a xmlns:GPano='" GPANO_SPACE "' by='M\xfcller &nbsp;&co' GPano:FullPanoWidthPixels='8000' "
        "GPano:PoseHeadingDegrees='-12.5'/>", /* Latin-1, and HTML entities */
        "<a xmlns:GPano='" GPANO_SPACE "'><!-- GPano:FullPanoWidthPixels='1' --><b GPano:FullPanoWidthPixels='8000'/>"
        "<b GPano:PoseHeadingDegrees='-12.5'/><b GPano:FullPanoWidthPixels='x' FullPanoWidthPixels='7'/></a>"};
    for (size_t i = 0; i < sizeof says / sizeof *says; i++) {
        struct xmp xmp = read_xmp(says[i]);
        if (xmp.gpano.full_width != 8000 || !xmp.gpano.has_heading || xmp.gpano.heading != -12.5)
            fail_msg("%s: %g, %g", says[i], xmp.gpano.full_width, xmp.gpano.heading);
        assert_true(gpano_says(&xmp.gpano));
        for (size_t n = 0; n < strlen(says[i]); n++) {
            char *part = g_strndup(says[i], n);
            read_xmp(part);
            g_free(part);
        }
    }
    static const char *const values[] = {
        "='nan'",  "='-1'",     "='1e300'",
        "='0.5'",  "='1e-310'", /* it is divided by */
        "='8x'",   "=''",       "='80",
        "Old='8'", "",          "='00000000000000000000000000000000000000000000000000000000000000000008'"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[300];
        snprintf(text, sizeof text, "<a xmlns:GPano='" GPANO_SPACE "' GPano:FullPanoWidthPixels%s/>", values[i]);
        struct xmp xmp = read_xmp(text);
        assert_false(gpano_says(&xmp.gpano));
    }
    struct xmp xmp = read_xmp("GPano:FullPanoWidthPixels='8000'");
    assert_false(gpano_says(&xmp.gpano));
    xmp = read_xmp("<a xmlns:GPano='http://elsewhere/' GPano:FullPanoWidthPixels='8000'/>");
    assert_false(gpano_says(&xmp.gpano));
}

/* The specification also allows UTF-16 and UTF-32. */
static void encodings(void **state)
{
    (void)state;
    static const char *const names[] = {"UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE"};
    static const char text[] =
        "\xef\xbb\xbf<?xpacket begin=''?><a xmlns:GPano='" GPANO_SPACE "' GPano:FullPanoWidthPixels='8000'/>";
    for (size_t i = 0; i < 2 * sizeof names / sizeof *names; i++) {
        gsize size;
        const char *from = text + (i % 2 ? 3 : 0); /* with and without a byte order mark */
        char *wide = g_convert(from, -1, names[i / 2], "UTF-8", NULL, &size, NULL);
        assert_non_null(wide);
        for (size_t n = 0; n <= size; n++) {
            char *part = g_memdup2(wide, n);
            struct xmp xmp = {.guid = ""};
            xmp_read(&xmp, part, n);
            if (n == size) assert_true(xmp.gpano.full_width == 8000);
            g_free(part);
        }
        g_free(wide);
    }
}

/* XMP repeats EXIF in its own format. */
static void coordinates(void **state)
{
    (void)state;
    static const struct {
        const char *says;
        double lat, lon, heading;
    } cases[] = {
        {"x:GPSLatitude='51,30.3N' x:GPSLongitude='1,15,36W' x:GPSImgDirection='9000/100'", 51.505, -1.26, 90},
        {"x:GPSLatitude='51.505s' x:GPSLongitude='1.26E' x:GPSImgDirection='90.5' x:GPSImgDirectionRef='T'", -51.505,
         1.26, 90.5},
        {"x:GPSLatitude='51,30.3' x:GPSLongitude='1,15,36W' x:GPSImgDirection='90' x:GPSImgDirectionRef='M'", NAN, 0,
         90},
        {"x:GPSLatitude='51,30.3X' x:GPSLongitude='1,15,36W' x:GPSImgDirection='90/0'", NAN, 0, NAN},
        {"x:GPSLatitude='51,30.3N' x:GPSImgDirection='x'", NAN, 0, NAN},
        {"x:GPSLatitude='91,0N' x:GPSLongitude='1,15,36W' x:GPSImgDirection='0/0'", NAN, 0, NAN},
        {"x:GPSLatitude='51,30.3NN' x:GPSLongitude='1,15,36W' x:GPSImgDirection='-1000'", NAN, 0, NAN},
        {"x:GPSLatitude='51.505' x:GPSLongitude='-1.26'", 51.505, -1.26, NAN},
        {"x:GPSLatitude='51.505 N' x:GPSLongitude='1.26 W'", 51.505, -1.26, NAN},
        {"x:GPSLatitudeRef='S' x:GPSLatitude='51.505' x:GPSLongitude='1.26' x:GPSLongitudeRef='W'", -51.505, -1.26,
         NAN},
        {"x:GPSLatitude='51 deg 30&apos; 18.00&quot; N' x:GPSLongitude='1\xc2\xb0 15\xe2\x80\xb2 36\xe2\x80\xb3 W'",
         51.505, -1.26, NAN},
        {"x:GPSLatitude='51,99.3N' x:GPSLongitude='1,15,36W'", NAN, 0, NAN},
        {"x:GPSLatitude='51.505E' x:GPSLongitude='1.26W'", NAN, 0, NAN},
        {"xmlns:d='http://www.dji.com/drone-dji/1.0/' d:GpsLatitude='+51.505' d:GpsLongtitude='-1.26'", 51.505, -1.26,
         NAN},
        {"x:GPSLatitude='nanN' x:GPSLongitude='infW' x:GPSImgDirection='nan'", NAN, 0, NAN}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[400];
        snprintf(text, sizeof text, "<a xmlns:x='" EXIF_SPACE "' %s/>", cases[i].says);
        struct xmp xmp = read_xmp(text);
        if (xmp.exif.has_place != !isnan(cases[i].lat) || xmp.exif.has_heading != !isnan(cases[i].heading))
            fail_msg("%s", cases[i].says);
        if (xmp.exif.has_place)
            assert_true(fabs(xmp.exif.lat - cases[i].lat) < 1e-9 && fabs(xmp.exif.lon - cases[i].lon) < 1e-9);
        if (xmp.exif.has_heading) assert_true(xmp.exif.heading == cases[i].heading);
        assert_int_equal(xmp.exif.magnetic, strstr(cases[i].says, "Ref='M'") != NULL);
    }
}

/* Input that takes a long time, or much memory, unless parsing is linear. */
static void much_text(void **state)
{
    (void)state;
    static const char *const parts[] = {"<a xmlns:GPano='" GPANO_SPACE "'>", "<GPano:FullPanoWidthPixels>",
                                        "<a xmlns:x='" EXIF_SPACE "'/>", " x"};
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
        GString *text = g_string_new("<a ");
        while (text->len < 1000000) g_string_append(text, parts[p]);
        struct xmp xmp = {.guid = ""};
        xmp_read(&xmp, text->str, text->len);
        assert_true(xmp.gpano.full_width == 0);
        g_string_free(text, TRUE);
    }
}

/* ------------------------------------------------------------------ JPEG's segments */

static const struct said maker[] = {{0x10f, TEXT, 6, {0}, {0}, "Maker"}, {0}},
                         gps[] = {{1, TEXT, 2, {0}, {0}, "N"},
                                  {2, RATIONAL, 1, {51, 1}, {0}, 0},
                                  {3, TEXT, 2, {0}, {0}, "E"},
                                  {4, RATIONAL, 1, {12, 1}, {0}, 0},
                                  {0}};

struct jpeg {
    uint8_t bytes[400000];
    size_t size;
};

static void begin(struct jpeg *j)
{
    memcpy(j->bytes, "\xff\xd8", 2);
    j->size = 2;
}

static void app1(struct jpeg *j, const char *mark, size_t length, const void *content, size_t size)
{
    uint8_t *p = j->bytes + j->size;
    assert_true(2 + length + size < 65536);
    p[0] = 0xff;
    p[1] = 0xe1;
    p[2] = (uint8_t)((2 + length + size) >> 8);
    p[3] = (uint8_t)(2 + length + size);
    memcpy(p + 4, mark, length);
    memcpy(p + 4 + length, content, size);
    j->size += 4 + length + size;
}

static void exif_segment(struct jpeg *j, const void *block, size_t size)
{
    app1(j, "Exif\0", 6, block, size);
}

static void packet_segment(struct jpeg *j, const char *text)
{
    static const char mark[] = "http://ns.adobe.com/xap/1.0/";
    app1(j, mark, sizeof mark, text, strlen(text));
}

/* A part of a text, at offset `at`. */
static void extension_segment(struct jpeg *j, const char *guid, const char *text, size_t all, size_t at, size_t size)
{
    static const char mark[] = "http://ns.adobe.com/xmp/extension/";
    char head[sizeof mark + 40];
    memcpy(head, mark, sizeof mark);
    memcpy(head + sizeof mark, guid, 32);
    for (int i = 0; i < 4; i++) {
        head[sizeof mark + 32 + i] = (char)(all >> (24 - 8 * i));
        head[sizeof mark + 36 + i] = (char)(at >> (24 - 8 * i));
    }
    app1(j, head, sizeof head, at < all ? text + at : text, size);
}

static void end(struct xmp *xmp, struct exif *exif, struct jpeg *j)
{
    memcpy(j->bytes + j->size, "\xff\xda\0\x2\xff\xd9", 6);
    const struct bytes bytes = {j->bytes, -1, j->size + 6, NULL};
    metadata_read_jpeg(xmp, exif, &bytes);
    for (size_t size = 2; size < 400 && size < j->size; size++) { /* truncated */
        struct xmp some;
        struct exif more;
        metadata_read_jpeg(&some, &more, &(struct bytes){j->bytes, -1, size, NULL});
    }
}

static void exif_segments(void **state)
{
    (void)state;
    static struct jpeg j;
    static uint8_t large[150000];
    uint8_t block[4096];
    struct xmp xmp;
    struct exif exif;
    begin(&j);
    packet_segment(&j, "<a/>");
    exif_segment(&j, block, exif_block(block, false, maker, NULL, NULL));
    exif_segment(&j, block, exif_block(block, true, NULL, NULL, gps));
    exif_segment(&j, "", 0);
    end(&xmp, &exif, &j);
    assert_true(exif.has_place && exif.lat == 51 && strcmp(exif.make, "Maker") == 0);

    /* a block larger than a segment, whose positions are at its end */
    size_t size = exif_block(block, false, maker, NULL, NULL);
    memcpy(large, block, size);
    memcpy(large + 8, "\1\0\x25\x88\4\0\1\0\0\0\0\0\2\0\0\0\0\0", 18); /* one entry: GPS at 0x20000 */
    size = exif_block(block, false, NULL, NULL, gps);
    uint32_t gps_at = 8 + 2 + 12 + 4;
    /* offsets are relative to the block's start, so all of it is copied there */
    memcpy(large + 0x20000, block + gps_at, size - gps_at);
    for (int i = 0; i < 4; i++) {
        uint8_t *entry = large + 0x20000 + 2 + 12 * i;
        if (entry[2] != RATIONAL) continue;
        entry[10] += 2; /* 0x20000 */
        uint32_t at = (uint32_t)entry[8] - gps_at;
        entry[8] = (uint8_t)at;
    }
    begin(&j);
    for (size_t at = 0; at < 0x20100; at += 60000)
        exif_segment(&j, large + at, at + 60000 < 0x20100 ? 60000 : 0x20100 - at);
    end(&xmp, &exif, &j);
    assert_true(exif.has_place && exif.lat == 51 && exif.lon == 12);
}

#define GUID_A "0123456789ABCDEF0123456789ABCDEF"
#define GUID_B "ABCDEF0123456789ABCDEF0123456789"

static void xmp_segments(void **state)
{
    (void)state;
    static struct jpeg j;
    struct xmp xmp;
    struct exif exif;
    const char *heading = "<a xmlns:GPano='" GPANO_SPACE "' GPano:PoseHeadingDegrees='90'/>",
               *other = "<a xmlns:GPano='" GPANO_SPACE "' GPano:PoseHeadingDegrees='10'/>",
               *notes = "<a xmlns:xmpNote='http://ns.adobe.com/xmp/note/' xmpNote:HasExtendedXMP='" GUID_A "'/>";
    size_t all = strlen(heading);
    begin(&j);
    extension_segment(&j, GUID_B, other, all, 0, all); /* before the packet, and of another picture */
    packet_segment(&j, "<a b='c'/>");
    packet_segment(&j, heading);
    packet_segment(&j, other);
    packet_segment(&j, notes);
    end(&xmp, &exif, &j);
    assert_true(xmp.gpano.has_heading && xmp.gpano.heading == 90);

    for (int order = 0; order < 2; order++) { /* of its parts */
        begin(&j);
        if (order == 0) packet_segment(&j, notes);
        extension_segment(&j, GUID_A, heading, all, 20, all - 20);
        extension_segment(&j, GUID_B, other, all, 0, all);
        extension_segment(&j, GUID_A, heading, all, 0, 20);
        if (order == 1) packet_segment(&j, notes);
        end(&xmp, &exif, &j);
        assert_true(xmp.gpano.has_heading && xmp.gpano.heading == 90);
    }
    begin(&j);
    packet_segment(&j, notes);
    extension_segment(&j, GUID_A, heading, all, 20, all - 20);  /* its beginning is missing */
    extension_segment(&j, GUID_A, heading, all, 0x7fffff00, 8); /* far beyond its end */
    end(&xmp, &exif, &j);
    assert_false(xmp.gpano.has_heading);
}

/* ------------------------------------------------------------------ other containers */

static uint8_t file_bytes[100000];

static size_t read_back(const char *name)
{
    FILE *file = fopen(in_folder(name), "rb");
    assert_non_null(file);
    size_t size = fread(file_bytes, 1, sizeof file_bytes, file);
    fclose(file);
    return size;
}

static uint32_t crc32_of(const uint8_t *p, size_t n)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

/* Insert a chunk after a PNG's header, or after its pixels. */
static void insert_chunk_at(const char *name, bool behind, const char *type, const void *data, size_t size)
{
    size_t all = read_back(name), AT = behind ? all - 12 : 33; /* IEND has 12 bytes */
    uint8_t chunk[10000] = {(uint8_t)(size >> 24), (uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size};
    memcpy(chunk + 4, type, 4);
    memcpy(chunk + 8, data, size);
    uint32_t crc = crc32_of(chunk + 4, size + 4);
    for (int i = 0; i < 4; i++) chunk[8 + size + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
    memmove(file_bytes + AT + 12 + size, file_bytes + AT, all - AT);
    memcpy(file_bytes + AT, chunk, 12 + size);
    put_bytes(name, file_bytes, all + 12 + size);
}

static void insert_chunk(const char *name, const char *type, const void *data, size_t size)
{
    insert_chunk_at(name, false, type, data, size);
}

static void expect_place(const char *name, int width, int height)
{
    struct image image;
    gvm_error err;
    if (image_load(&image, in_folder(name), &err) != GVM_OK) fail_msg("%s", err.text);
    if (!image.exif.has_place || image.exif.lat != 51 || image.exif.lon != 12) fail_msg("%s tells no place", name);
    assert_true(image.width == width && image.height == height);
    image_free(&image);
    assert_int_equal(image_about(&image, in_folder(name), &err), GVM_OK);
    assert_true(image.exif.has_place && image.width == width && image.height == height);
}

static const struct said turned[] = {{0x112, SHORT, 1, {6}, {0}, 0}, {0}};

static void png_chunks(void **state)
{
    (void)state;
    static const uint8_t pixels[20 * 30 * 3];
    uint8_t block[4096];
    size_t size = exif_block(block, true, turned, NULL, gps);
    save("a.png", pixels, 30, 20, 3, VIPS_FORMAT_UCHAR, (struct extra){0});
    insert_chunk("a.png", "eXIf", block, size);
    expect_place("a.png", 20, 30);
    static const char *const kinds[] = {"exif", "APP1"};
    for (int k = 0; k < 2; k++) {
        GString *text = g_string_new(NULL);
        g_string_append_printf(text, "Raw profile type %s%c\n%s\n%8zu\n", kinds[k], '\0', kinds[k], size + 6);
        g_string_append(text, "457869660000");
        for (size_t i = 0; i < size; i++) g_string_append_printf(text, "%02x%s", block[i], i % 36 == 29 ? "\n" : "");
        g_string_append(text, "\n");
        save("b.png", pixels, 30, 20, 3, VIPS_FORMAT_UCHAR, (struct extra){0});
        insert_chunk("b.png", "tEXt", text->str, text->len);
        expect_place("b.png", 20, 30);
        save("b.png", pixels, 30, 20, 3, VIPS_FORMAT_UCHAR, (struct extra){0});
        insert_chunk_at("b.png", true, "tEXt", text->str, text->len);
        expect_place("b.png", 20, 30);
        g_string_free(text, TRUE);
    }
    static const char *const broken[] = {"Raw profile type exif", "Raw profile type xmp", "XML:com.adobe.xmp"};
    for (int k = 0; k < 3; k++) { /* nothing can be inflated of what stands behind the key */
        char text[40];
        snprintf(text, sizeof text, "%s%c%cbroken", broken[k], '\0', '\0');
        save("b.png", pixels, 30, 20, 3, VIPS_FORMAT_UCHAR, (struct extra){0});
        insert_chunk("b.png", "zTXt", text, strlen(broken[k]) + 8);
        assert_int_equal(image_about(&(struct image){.width = 0}, in_folder("b.png"), NULL), GVM_OK);
    }
    static const char head[] = "XML:com.adobe.xmp\0\0\0en\0\0", xmp[] = "<a GPano:PoseHeadingDegrees='219'/>";
    for (int k = 0; k < 4; k++) { /* plain or compressed, before or after the pixels */
        guint8 text[300];
        gsize taken, made = sizeof xmp - 1;
        memcpy(text, head, sizeof head - 1);
        memcpy(text + sizeof head - 1, xmp, made);
        if (k % 2) {
            GConverter *zlib = G_CONVERTER(g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_ZLIB, 9));
            text[18] = 1;
            assert_int_equal(g_converter_convert(zlib, xmp, sizeof xmp - 1, text + sizeof head - 1, 200,
                                                 G_CONVERTER_INPUT_AT_END, &taken, &made, NULL),
                             G_CONVERTER_FINISHED);
            g_object_unref(zlib);
        }
        save("c.png", pixels, 30, 20, 3, VIPS_FORMAT_UCHAR, (struct extra){0});
        insert_chunk_at("c.png", k > 1, "iTXt", text, sizeof head - 1 + made);
        struct image image;
        assert_int_equal(image_about(&image, in_folder("c.png"), NULL), GVM_OK);
        assert_true(image.gpano.has_heading && image.gpano.heading == 219);
        for (gsize n = 0; n < sizeof head - 1 + made; n += 3) { /* truncated */
            save("c.png", pixels, 30, 20, 3, VIPS_FORMAT_UCHAR, (struct extra){0});
            insert_chunk_at("c.png", true, "iTXt", text, n);
            assert_int_equal(image_about(&image, in_folder("c.png"), NULL), GVM_OK);
        }
    }
}

/* WebP's chunk has a block without the leading mark, or with it if a program copied a JPEG's segment. */
static void webp_chunks(void **state)
{
    (void)state;
    static const uint8_t pixels[20 * 30 * 3];
    for (int mark = 0; mark < 2; mark++) {
        uint8_t block[4102] = "Exif\0";
        size_t skip = mark ? 0 : 6, size = 6 + exif_block(block + 6, false, turned, NULL, gps) - skip;
        size += size % 2;
        save("plain.webp[lossless,strip]", pixels, 30, 20, 3, VIPS_FORMAT_UCHAR, (struct extra){0});
        read_back("plain.webp");
        const uint8_t *pixels_at = file_bytes; /* libvips writes its own chunks around it */
        while (memcmp(pixels_at, "VP8L", 4) != 0) pixels_at++;
        size_t all = 8 + little32(pixels_at + 4), end_at = 30 + all + all % 2;
        memmove(file_bytes + 30, pixels_at, all + all % 2);
        memcpy(file_bytes + 12, "VP8X\xa\0\0\0\x8\0\0\0\x1d\0\0\x13\0\0", 18);
        memcpy(file_bytes + end_at, "EXIF", 4);
        for (int i = 0; i < 4; i++) {
            file_bytes[end_at + 4 + (size_t)i] = (uint8_t)(size >> 8 * i);
            file_bytes[4 + i] = (uint8_t)((end_at + size) >> 8 * i);
        }
        memcpy(file_bytes + end_at + 8, block + skip, size);
        put_bytes("a.webp", file_bytes, end_at + 8 + size);
        expect_place("a.webp", 20, 30);
    }
}

/* A TIFF's directory points to a GPS directory, here after everything else. */
static void tiff_directories(void **state)
{
    (void)state;
    static const uint8_t pixels[20 * 30 * 3];
    uint8_t block[4096];
    size_t size = exif_block(block, false, NULL, NULL, gps), from = 8 + 2 + 12 + 4;
    save("plain.tif", pixels, 30, 20, 3, VIPS_FORMAT_UCHAR, (struct extra){0});
    size_t all = (read_back("plain.tif") + 1) & ~(size_t)1, old = little32(file_bytes + 4);
    int entries = file_bytes[old] + 256 * file_bytes[old + 1];
    uint8_t *p = file_bytes + all; /* the old directory with one more entry, then the GPS directory */
    memcpy(p, file_bytes + old, 2 + 12 * (size_t)entries);
    p[0]++;
    p += 2 + 12 * (size_t)entries;
    size_t gps_at = (size_t)(p + 16 - file_bytes);
    memcpy(p, "\x25\x88\4\0\1\0\0\0", 8);
    for (int i = 0; i < 4; i++) {
        p[8 + i] = (uint8_t)(gps_at >> 8 * i);
        p[12 + i] = 0;
        file_bytes[4 + i] = (uint8_t)(all >> 8 * i);
    }
    memcpy(file_bytes + gps_at, block + from, size - from);
    for (uint8_t *entry = file_bytes + gps_at + 2; entry < file_bytes + gps_at + 2 + 48; entry += 12) {
        uint32_t at = little32(entry + 8) + (uint32_t)(gps_at - from);
        for (int i = 0; i < 4 && entry[2] == RATIONAL; i++) entry[8 + i] = (uint8_t)(at >> 8 * i);
    }
    put_bytes("a.tif", file_bytes, gps_at + size - from);
    expect_place("a.tif", 30, 20);
}

int main(int argc, char **argv)
{
    (void)argc;
    if (VIPS_INIT(argv[0]) != 0) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(panoramas),  cmocka_unit_test(encodings),     cmocka_unit_test(coordinates),
        cmocka_unit_test(much_text),  cmocka_unit_test(exif_segments), cmocka_unit_test(xmp_segments),
        cmocka_unit_test(png_chunks), cmocka_unit_test(webp_chunks),   cmocka_unit_test(tiff_directories)};
    int failed = cmocka_run_group_tests_name("metadata", tests, make_folder, remove_folder);
    vips_shutdown();
    return failed;
}
