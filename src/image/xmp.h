/* xmp.h - what a picture's XMP says about it as a panorama (Google's GPano properties), and of its place. */
#ifndef GVM_IMAGE_XMP_H
#define GVM_IMAGE_XMP_H

#include "image/exif.h"

#include <stdbool.h>
#include <stddef.h>

/* The circle is full_width x full_height pixels, the picture the part of it at (left, top) of
 * width x height. These are the pixels of the picture as it was made: it may have been resized
 * since. 0: not said. */
struct gpano {
    double full_width, full_height;
    double left, top, width, height;
    bool has_left;
    double heading; /* degrees clockwise from north at which the circle's centre column looks */
    bool has_heading;
    bool equirectangular; /* the projection is said to be equirectangular, */
    bool other;           /* or to be another one */
};

enum { XMP_GUID = 32 };

struct xmp {
    struct gpano gpano;
    struct exif exif;        /* place and heading, as XMP repeats them from EXIF */
    char guid[XMP_GUID + 1]; /* of the extension that belongs to it; empty: it has none */
};

/* text is an XMP packet, UTF-8, of size bytes, not terminated; what it says is laid over *xmp, the rest stays. Whatever
 * it holds is fine: what stands in front of an error counts, and a value that is not a number in its range counts as
 * not said. Takes time in proportion to size. */
void xmp_read(struct xmp *xmp, const char *text, size_t size);

/* Whether there is anything in it. */
bool gpano_says(const struct gpano *gpano);

#endif
