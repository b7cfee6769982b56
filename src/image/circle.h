/* circle.h - whether a picture is a full panorama. The method would give a confident wrong answer for another. */
#ifndef GVM_IMAGE_CIRCLE_H
#define GVM_IMAGE_CIRCLE_H

#include "geoviewmatch.h"
#include "image/image.h"

/* What is known of a picture besides. */
enum circle {
    CIRCLE_CHECKED, /* nothing: it is looked at in every way */
    CIRCLE_GIVEN,   /* it is a full panorama, whatever it says of itself */
    CIRCLE_LISTED,  /* a data set lists it as a panorama: only what it says itself counts against that */
    CIRCLE_DOUBTED  /* photos are expected: a shape alone does not make a panorama, what it shows must tell, too */
};

/* A program that crops or stretches a picture often leaves its XMP as it was. */
bool gpano_is_stale(const struct gpano *gpano, int width, int height);

/* A picture is taken for full that says so (GPano); or that says nothing, neither of its shape nor of a camera, is at
 * least 1.9 times as wide as high and is listed, has a data set's shape (2:1, 4:1, 5.5:1) or edges that join; if it is
 * doubted both, and of 2:1 a last row that shows one point. Leaves image->gpano empty if it does not fit the picture,
 * or is not to count.
 *
 * Returns GVM_OK, GVM_MEMORY, or with what it is instead GVM_PANORAMA, where CIRCLE_GIVEN would take it, if somebody
 * knows better, and else GVM_IMAGE. */
gvm_status circle_check(struct image *image, enum circle circle, const char *where, gvm_error *err);

#endif
