/* picture.h - writes a picture as a JPEG file with its position in EXIF. */
#ifndef GVM_WORLD_PICTURE_H
#define GVM_WORLD_PICTURE_H

#include "geoviewmatch.h"

enum { JPEG_QUALITY = 92 };

/* Start libvips, on one thread before the first picture. GVM_OK or GVM_IMAGE. */
gvm_status picture_start(gvm_error *err);

/* pixels (height, width, 3) sRGB. GVM_OK, GVM_FILE or GVM_MEMORY. The file may be left truncated on failure. */
gvm_status aerial_save(const char *path, const unsigned char *pixels, int width, int height, gvm_error *err);

/* The position of a panorama. */
struct shot {
    double lat, lon, altitude;
    double heading; /* of its centre column: degrees clockwise from north, 0..360, stored to 0.01 */
};

/* A panorama of the full circle with elevations 45 to -45: with its place in EXIF, its geometry in XMP (GPano) and its
 * heading in both. width is four times the height. */
gvm_status panorama_save(const char *path, const unsigned char *pixels, int width, int height, const struct shot *shot,
                         gvm_error *err);

/* An upright photo: with its place, its heading and its focal length (millimetres as of 35 mm film) in EXIF. */
gvm_status photo_save(const char *path, const unsigned char *pixels, int width, int height, const struct shot *shot,
                      int focal_35mm, gvm_error *err);

#endif
