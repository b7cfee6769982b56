/* exif.c - see exif.h. Relies on libexif, which libvips reads EXIF with too. */
#include "image/exif.h"

#include <libexif/exif-data.h>
#include <math.h>
#include <string.h>

/* The numerator and denominator of the first `count` rationals of a GPS entry as numbers. */
static bool read_rationals(double *values, int count, ExifData *data, int tag)
{
    const ExifEntry *entry = exif_content_get_entry(data->ifd[EXIF_IFD_GPS], (ExifTag)tag);
    if (entry == NULL || entry->format != EXIF_FORMAT_RATIONAL || entry->size < 8u * (unsigned)count) return false;
    for (int i = 0; i < count; i++) {
        ExifRational r = exif_get_rational(entry->data + 8 * i, exif_data_get_byte_order(data));
        if (r.denominator == 0) return false;
        values[i] = (double)r.numerator / r.denominator;
    }
    return true;
}

/* Degrees, minutes, seconds, and the letter of the hemisphere: the first of `letters` is positive. */
static bool read_angle(double *degrees, ExifData *data, int tag, int tag_letter, const char *letters, double most)
{
    double parts[3];
    const ExifEntry *letter = exif_content_get_entry(data->ifd[EXIF_IFD_GPS], (ExifTag)tag_letter);
    if (!read_rationals(parts, 3, data, tag)) return false;
    if (letter == NULL || letter->size < 1 || letter->data[0] == '\0') return false;
    const char *which = strchr(letters, letter->data[0]);
    *degrees = parts[0] + parts[1] / 60 + parts[2] / 3600;
    if (which == NULL || *degrees > most) return false;
    if (which != letters) *degrees = -*degrees;
    return true;
}

void exif_parse(struct exif *exif, const void *block, size_t size)
{
    *exif = (struct exif){0};
    if (size > 1u << 20) return; /* a JPEG's has 64 KB at most */
    ExifData *data = exif_data_new();
    if (data == NULL) return;
    exif_data_load_data(data, block, (unsigned)size);
    exif->has_place = read_angle(&exif->lat, data, EXIF_TAG_GPS_LATITUDE, EXIF_TAG_GPS_LATITUDE_REF, "NS", 90) &&
                      read_angle(&exif->lon, data, EXIF_TAG_GPS_LONGITUDE, EXIF_TAG_GPS_LONGITUDE_REF, "EW", 180);
    if (exif->lat == 0 && exif->lon == 0) exif->has_place = false; /* what cameras write while they do not know */
    exif->has_heading = read_rationals(&exif->heading, 1, data, EXIF_TAG_GPS_IMG_DIRECTION) && exif->heading <= 360;
    exif_data_unref(data);
}
