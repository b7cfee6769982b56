/* circle.h - decides whether a picture is a full 360-degree panorama. For other pictures the method would return a
 * confident wrong answer. */
#ifndef GVM_IMAGE_CIRCLE_H
#define GVM_IMAGE_CIRCLE_H

#include "geoviewmatch.h"
#include "image/image.h"

/* What the caller knows about the picture. */
enum circle {
    CIRCLE_CHECKED, /* nothing: every check applies */
    CIRCLE_GIVEN,   /* it is a full panorama, regardless of its metadata */
    CIRCLE_LISTED,  /* a data set lists it as a panorama: only its own metadata can contradict that */
    CIRCLE_DOUBTED  /* photos are expected: the shape alone is not enough, the content must agree */
};

/* Whether the GPano sizes contradict the picture's shape: programs that crop or stretch a picture often leave its XMP
 * unchanged. */
bool gpano_is_stale(const struct gpano *gpano, int width, int height);

/* A picture counts as full if GPano says so. Without GPano and camera data it counts as full if it is at least 1.9
 * times as wide as high and one of these holds: it is listed; it has a data set's shape (2:1, 4:1, 5.5:1); its edges
 * join. CIRCLE_DOUBTED requires both the shape and joined edges, and at 2:1 a last row that shows a single point.
 * Clears image->gpano if it does not fit the picture or must be ignored.
 *
 * Returns GVM_OK, GVM_MEMORY, GVM_PANORAMA (not recognised as full; CIRCLE_GIVEN would accept it) or GVM_IMAGE (cannot
 * be a full panorama). The error message describes the picture. */
gvm_status circle_check(struct image *image, enum circle circle, const char *where, gvm_error *err);

#endif
