/* xmp.h - reads XMP: Google's GPano properties of a panorama, and position and heading */
#ifndef GVM_IMAGE_XMP_H
#define GVM_IMAGE_XMP_H

#include "image/exif.h"

#include <stdbool.h>
#include <stddef.h>

/* The full circle has full_width x full_height pixels; the picture is its part at (left, top) of width x height. These
 * are sizes of the original picture, which may have been resized since. 0: unknown. */
struct gpano {
    double full_width, full_height;
    double left, top, width, height;
    double above; /* of a cylinder: rows above the horizon, which a negative CroppedAreaTopPixels gives; else 0 */
    bool has_left;
    double heading; /* of the full circle's centre column, degrees clockwise from north */
    bool has_heading;
    bool equirectangular; /* ProjectionType is equirectangular, */
    bool other;           /* or another projection, */
    bool cylindrical;     /* which is this one */
    double pitch, roll;   /* of the full circle's centre: degrees above the horizon; clockwise */
    bool has_pitch, has_roll;
};

/* How a camera was held, as Pix4D's (Camera:Yaw, Pitch, Roll) and DJI's programs (drone-dji:GimbalYawDegree ...) write
 * it. */
struct attitude {
    bool has_yaw, has_pitch, has_roll;
    double yaw;   /* degrees clockwise from north, 0..360 */
    double pitch; /* above the horizon, -90..90 */
    double roll;  /* clockwise, -180..180 */
};

enum { XMP_GUID = 32 };

struct xmp {
    struct gpano gpano;
    struct exif exif; /* position and heading, which XMP repeats from EXIF */
    struct attitude attitude;
    char guid[XMP_GUID + 1]; /* of its extension; empty: none */
};

/* Parse an XMP packet: UTF-8, `size` bytes, not NUL-terminated. Values found replace those of *xmp; other members are
 * kept. Any bytes are accepted: values before a syntax error count, values out of range are ignored. Takes time linear
 * in size. */
void xmp_read(struct xmp *xmp, const char *text, size_t size);

/* Whether any property is set. */
bool gpano_says(const struct gpano *gpano);

#endif
