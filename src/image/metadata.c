/* metadata.c - see metadata.h. Uses libvips for metadata that it passes on unchanged: XMP of all formats except JPEG
 * and PNG, EXIF of WebP and HEIF.
 *
 * JPEG: libvips keeps one segment of EXIF and one of XMP, but some programs add a segment beside the camera's, so all
 * are read. Later EXIF values override earlier ones. Of several XMP packets, the first with panorama properties is
 * used. Segments have at most 64 KB. Longer EXIF continues in further segments without a TIFF header; longer XMP has an
 * extension whose parts have offsets.
 *
 * PNG: EXIF as a chunk, or as text in hexadecimal digits, as ImageMagick wrote it before that chunk existed; XMP as
 * text. */
#include "image/metadata.h"

#include "image/markers.h"

#include <gio/gio.h>
#include <string.h>

static const size_t MOST = 4000000; /* bytes of each kind of metadata; usually thousands */

#define EXIF_MARK "Exif\0"
#define XMP_MARK "http://ns.adobe.com/xap/1.0/"
#define EXTENSION_MARK "http://ns.adobe.com/xmp/extension/" /* then: GUID, total size, offset of the part */

enum { EXTENSION_HEAD = sizeof EXTENSION_MARK + XMP_GUID + 8 };

/* ------------------------------------------------------------------ JPEG */

struct jpeg {
    struct xmp *xmp;
    struct exif *exif;
    GByteArray *block;       /* EXIF segments so far */
    GByteArray *extension;   /* of XMP, with gaps for missing parts */
    char guid[XMP_GUID + 1]; /* GUID of the extension; empty: none so far */
};

static bool begins(const uint8_t *data, size_t size, const char *mark, size_t length)
{
    return size >= length && memcmp(data, mark, length) == 0;
}

static void take_exif(struct jpeg *j, const uint8_t *data, size_t size)
{
    bool new = begins(data, size, "II", 2) || begins(data, size, "MM", 2);
    if (new) {
        exif_read_block(j->exif, j->block->data, j->block->len);
        g_byte_array_set_size(j->block, 0);
    }
    if (j->block->len + size <= MOST) g_byte_array_append(j->block, data, (guint)size);
}

static void take_packet(struct jpeg *j, const uint8_t *data, size_t size)
{
    struct xmp packet = {.exif = j->xmp->exif, .attitude = j->xmp->attitude};
    xmp_read(&packet, (const char *)data, size);
    j->xmp->exif = packet.exif;
    j->xmp->attitude = packet.attitude;
    if (!gpano_says(&j->xmp->gpano)) j->xmp->gpano = packet.gpano;
    if (j->xmp->guid[0] == '\0') memcpy(j->xmp->guid, packet.guid, sizeof packet.guid);
}

/* Assembles one extension: that of the packet, if the packet came first, else the first one found. */
static void take_part(struct jpeg *j, const uint8_t *data, size_t size)
{
    const uint8_t *guid = data + sizeof EXTENSION_MARK;
    uint32_t at = big32(guid + XMP_GUID + 4);
    size_t part = size - EXTENSION_HEAD;
    if (j->guid[0] == '\0') memcpy(j->guid, guid, XMP_GUID);
    if (memcmp(j->guid, guid, XMP_GUID) != 0 || at > MOST || at + part > MOST) return;
    if (j->extension->len < at + part) {
        guint old = j->extension->len;
        g_byte_array_set_size(j->extension, (guint)(at + part));
        memset(j->extension->data + old, 0, at + part - old);
    }
    memcpy(j->extension->data + at, data + EXTENSION_HEAD, part);
}

/* Read EXIF and XMP packets from APP1 segments; or, with `extension`, the extension whose GUID a packet names. */
static void walk(struct jpeg *j, const struct bytes *bytes, bool extension)
{
    static const size_t most = 1 << 16;
    uint8_t *data = g_malloc(most);
    struct markers markers = {.bytes = bytes, .next = 2};
    size_t all = 0;
    for (int marker; (marker = markers_next(&markers)) != 0 && marker != SCAN && all < 4 * MOST;) {
        if (marker != APP1) continue;
        size_t n = bytes_read(data, bytes, markers.content, markers.size);
        all += n;
        if (begins(data, n, EXTENSION_MARK, sizeof EXTENSION_MARK)) {
            if (extension && n > EXTENSION_HEAD) take_part(j, data, n);
        } else if (!extension && begins(data, n, XMP_MARK, sizeof XMP_MARK)) {
            take_packet(j, data + sizeof XMP_MARK, n - sizeof XMP_MARK);
        } else if (!extension && n > 6 && begins(data, n, EXIF_MARK, sizeof EXIF_MARK - 1)) {
            take_exif(j, data + 6, n - 6);
        }
    }
    g_free(data);
}

void metadata_read_jpeg(struct xmp *xmp, struct exif *exif, const struct bytes *bytes)
{
    *xmp = (struct xmp){.guid = ""};
    *exif = (struct exif){.make = ""};
    struct jpeg j = {xmp, exif, g_byte_array_new(), g_byte_array_new(), ""};
    walk(&j, bytes, false);
    exif_read_block(exif, j.block->data, j.block->len);
    memcpy(j.guid, xmp->guid, sizeof j.guid);
    walk(&j, bytes, true);
    if (j.extension->len > 0) xmp_read(xmp, (const char *)j.extension->data, j.extension->len);
    g_byte_array_free(j.block, TRUE);
    g_byte_array_free(j.extension, TRUE);
}

/* ------------------------------------------------------------------ PNG */

/* Decode "\nexif\n    1234\n" followed by 1234 bytes in hexadecimal digits with line breaks. */
static GByteArray *read_profile(const char *text)
{
    GByteArray *bytes = g_byte_array_new();
    int lines = 0, high = -1;
    for (; *text != '\0' && lines < 3; text++) lines += *text == '\n';
    for (; *text != '\0' && bytes->len < MOST; text++) {
        int digit = g_ascii_xdigit_value(*text);
        if (digit < 0) continue;
        if (high >= 0) g_byte_array_append(bytes, &(uint8_t){(uint8_t)(high << 4 | digit)}, 1);
        high = high < 0 ? digit : -1;
    }
    return bytes;
}

static void read_text(struct xmp *xmp, struct exif *exif, const char *key, const uint8_t *text, size_t size)
{
    static const char raw[] = "Raw profile type ";
    if (size == 0) return; /* a text that is not inflated is no text, not an empty one */
    if (strcmp(key, "XML:com.adobe.xmp") == 0) xmp_read(xmp, (const char *)text, size);
    if (strncmp(key, raw, sizeof raw - 1) != 0) return;
    key += sizeof raw - 1;
    bool app1 = strcmp(key, "APP1") == 0; /* as a JPEG's segment */
    if (!app1 && strcmp(key, "exif") != 0 && strcmp(key, "xmp") != 0) return;
    char *whole = g_strndup((const char *)text, size);
    GByteArray *bytes = read_profile(whole);
    if (strcmp(key, "xmp") == 0)
        xmp_read(xmp, (const char *)bytes->data, bytes->len);
    else if (app1 && begins(bytes->data, bytes->len, XMP_MARK, sizeof XMP_MARK))
        xmp_read(xmp, (const char *)bytes->data + sizeof XMP_MARK, bytes->len - sizeof XMP_MARK);
    else
        exif_read_block(exif, bytes->data, bytes->len);
    g_byte_array_free(bytes, TRUE);
    g_free(whole);
}

/* Decompress up to MOST bytes; stops at the first error. */
static GByteArray *inflate(const uint8_t *data, size_t size)
{
    GByteArray *out = g_byte_array_new();
    GConverter *zlib = G_CONVERTER(g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_ZLIB));
    uint8_t part[1 << 14];
    for (GConverterResult result = G_CONVERTER_CONVERTED; result == G_CONVERTER_CONVERTED && out->len < MOST;) {
        gsize taken = 0, made = 0;
        result =
            g_converter_convert(zlib, data, size, part, sizeof part, G_CONVERTER_INPUT_AT_END, &taken, &made, NULL);
        if (result == G_CONVERTER_ERROR) break;
        g_byte_array_append(out, part, (guint)made);
        data += taken;
        size -= taken;
    }
    g_object_unref(zlib);
    return out;
}

/* The three kinds of text chunk. tEXt: key, zero, text. zTXt: key, zero, method, compressed text. iTXt: key, zero,
 * compression flag, method, language, translated key, text. */
static void read_text_chunk(struct xmp *xmp, struct exif *exif, char kind, const uint8_t *data, size_t size)
{
    const uint8_t *end = data + size, *text = memchr(data, 0, size < 80 ? size : 80);
    if (text == NULL) return;
    bool packed = kind == 'z' || (kind == 'i' && end - text > 1 && text[1] == 1);
    text += kind == 't' ? 1 : kind == 'z' ? 2 : 3;
    for (int i = 0; i < 2 && kind == 'i' && text < end; i++) {
        text = memchr(text, 0, (size_t)(end - text));
        if (text == NULL) return;
        text++;
    }
    if (text >= end) return;
    GByteArray *plain = packed ? inflate(text, (size_t)(end - text)) : NULL;
    read_text(xmp, exif, (const char *)data, packed ? plain->data : text, packed ? plain->len : (size_t)(end - text));
    if (plain != NULL) g_byte_array_free(plain, TRUE);
}

/* Before and after the pixels: ExifTool writes them after, where libvips does not read them. */
static void read_chunks(struct xmp *xmp, struct exif *exif, const struct bytes *bytes)
{
    uint8_t head[8];
    uint64_t at = 8, all = 0;
    for (int chunks = 0; chunks < 100000 && bytes_have(head, bytes, at, sizeof head); chunks++) {
        uint32_t size = big32(head);
        bool is_exif = memcmp(head + 4, "eXIf", 4) == 0,
             text = memcmp(head + 5, "TXt", 3) == 0 || memcmp(head + 4, "tEXt", 4) == 0;
        if (memcmp(head + 4, "IEND", 4) == 0) return;
        if ((is_exif || text) && size <= MOST && (all += size) <= 4 * MOST) {
            uint8_t *block = g_malloc(size + 1);
            size_t n = bytes_read(block, bytes, at + 8, size);
            if (is_exif)
                exif_read_block(exif, block, n);
            else
                read_text_chunk(xmp, exif, (char)head[4], block, n);
            g_free(block);
        }
        at += 12 + (uint64_t)size;
    }
}

/* ------------------------------------------------------------------ all */

static const void *field_of(size_t *size, VipsImage *in, const char *name)
{
    const void *data = NULL;
    *size = 0;
    if (vips_image_get_typeof(in, name) == 0 || vips_image_get_blob(in, name, &data, size) != 0) return NULL;
    if (*size > MOST) *size = MOST;
    return data;
}

void metadata_read(struct gpano *gpano, struct exif *exif, struct attitude *attitude, VipsImage *in,
                   const struct bytes *bytes, enum picture_kind kind)
{
    struct xmp xmp = {.guid = ""};
    size_t size;
    const void *data;
    *exif = (struct exif){.make = ""};
    if (kind == JPEG) {
        metadata_read_jpeg(&xmp, exif, bytes);
    } else {
        if (kind == PNG) read_chunks(&xmp, exif, bytes);
        if (kind == TIFF) exif_read(exif, bytes, 0);
        if ((kind == WEBP || kind == HEIC) && (data = field_of(&size, in, VIPS_META_EXIF_NAME)) != NULL)
            exif_read_block(exif, data, size);
        if (kind != PNG && (data = field_of(&size, in, VIPS_META_XMP_NAME)) != NULL) xmp_read(&xmp, data, size);
    }
    *gpano = xmp.gpano;
    *attitude = xmp.attitude;
    if (!exif->has_place && xmp.exif.has_place) exif_set_place(exif, xmp.exif.lat, xmp.exif.lon);
    if (xmp.exif.has_heading && (!exif->has_heading || exif->magnetic > xmp.exif.magnetic))
        exif_set_heading(exif, xmp.exif.heading, xmp.exif.magnetic ? 'M' : 'T');
}
