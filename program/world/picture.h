/* picture.h - writes a picture as a JPEG file with its position in EXIF. */
#ifndef GVM_WORLD_PICTURE_H
#define GVM_WORLD_PICTURE_H

#include "geoviewmatch.h"
#include "world/photo.h"

enum { JPEG_QUALITY = 92 };

/* Start libvips, on one thread before the first picture. GVM_OK or GVM_IMAGE. */
gvm_status picture_start(gvm_error *err);

/* pixels (height, width, 3) sRGB. GVM_OK, GVM_FILE or GVM_MEMORY. The file may be left truncated on failure. */
gvm_status aerial_save(const char *path, const unsigned char *pixels, int width, int height, gvm_error *err);

/* The position of a panorama or photo. */
struct shot {
    double lat, lon, altitude;
    double heading; /* of its centre column: degrees clockwise from north, 0..360, stored to 0.01 */
    bool magnetic;  /* store it relative to magnetic north, in the middle of 2026 */
};

/* A panorama of the full circle with elevations 45 to -45: with its place in EXIF, its geometry in XMP (GPano) and its
 * heading in both. width is four times the height. */
gvm_status panorama_save(const char *path, const unsigned char *pixels, int width, int height, const struct shot *shot,
                         gvm_error *err);

/* A photo as it is stored (photo_store): with its place, its heading, its orientation and its camera's name and focal
 * length in EXIF, and a cylinder's or a sphere's geometry in XMP (GPano). */
gvm_status photo_save(const char *path, const unsigned char *stored, const struct photo *photo, const struct shot *shot,
                      gvm_error *err);

#endif
