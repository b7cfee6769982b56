/* kind.c - see kind.h */
#include "image/kind.h"

#include <string.h>

#include "image/markers.h"

/* From the first box: its brand and compatible brands. The generic brands do not identify the codec. */
static enum picture_kind brand_kind(const uint8_t *box, size_t size)
{
    static const char heic[][5] = {"heic", "heix", "heim", "heis", "hevc", "hevx"}, avif[][5] = {"avif", "avis"};
    for (size_t at = 8; at + 4 <= size && at + 4 <= big32(box); at += at == 8 ? 8 : 4) {
        for (size_t i = 0; i < sizeof heic / sizeof *heic; i++)
            if (memcmp(box + at, heic[i], 4) == 0) return HEIC;
        for (size_t i = 0; i < sizeof avif / sizeof *avif; i++)
            if (memcmp(box + at, avif[i], 4) == 0) return AVIF;
    }
    return NO_PICTURE;
}

enum picture_kind picture_kind(const uint8_t *magic, size_t size)
{
    if (size >= 3 && memcmp(magic, "\xff\xd8\xff", 3) == 0) return JPEG;
    if (size >= 8 && memcmp(magic, "\x89PNG\r\n\x1a\n", 8) == 0) return PNG;
    if (size >= 12 && memcmp(magic, "RIFF", 4) == 0 && memcmp(magic + 8, "WEBP", 4) == 0) return WEBP;
    if (size >= 4 && (memcmp(magic, "II*\0", 4) == 0 || memcmp(magic, "MM\0*", 4) == 0)) return TIFF;
    if (size >= 4 && (memcmp(magic, "II+\0", 4) == 0 || memcmp(magic, "MM\0+", 4) == 0)) return TIFF; /* BigTIFF */
    if (size >= 12 && memcmp(magic + 4, "ftyp", 4) == 0) return brand_kind(magic, size);
    if (size >= 2 && memcmp(magic, "\xff\x0a", 2) == 0) return JPEG_XL;
    if (size >= 12 && memcmp(magic, "\0\0\0\x0cJXL \r\n\x87\n", 12) == 0) return JPEG_XL;
    return NO_PICTURE;
}

const char *picture_kind_name(enum picture_kind kind)
{
    static const char *const names[] = {"", "JPEG", "PNG", "WebP", "TIFF", "HEIC", "AVIF", "JPEG XL"};
    return names[kind];
}
