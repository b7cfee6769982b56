/* gpano.h - what a picture's XMP says about it as a panorama (Google's GPano properties). */
#ifndef GVM_IMAGE_GPANO_H
#define GVM_IMAGE_GPANO_H

#include <stdbool.h>
#include <stddef.h>

/* The circle is full_width x full_height pixels, the picture the part of it at (left, top) of
 * width x height. These are the pixels of the picture as it was made: it may have been resized
 * since. 0: not said. */
struct gpano {
    double full_width, full_height;
    double left, top, width, height;
    double heading; /* degrees clockwise from north at which the centre column looks */
    bool has_heading;
    bool equirectangular; /* the projection is said to be equirectangular, */
    bool other;           /* or to be another one */
};

/* text is an XMP packet, UTF-8, of size bytes, not terminated; whatever it holds is fine: a value
 * that is not a number in its range counts as not said. Takes time in proportion to size. */
void gpano_parse(struct gpano *gpano, const char *text, size_t size);

#endif
