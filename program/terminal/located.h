/* located.h - what was found of a street picture, as JSON. */
#ifndef GVM_TERMINAL_LOCATED_H
#define GVM_TERMINAL_LOCATED_H

#include <jansson.h>
#include <stdbool.h>

#include "geoviewmatch.h"

/* A picture that was located, or not. */
struct located {
    gvm_status status;
    const char *sentence; /* why not */
    const gvm_hit *hits;
    const gvm_found *found;
    const double *p;          /* of each hit */
    const gvm_chance *chance; /* known is 0 where the weights' scores make no probability */
    double lat, lon;          /* where it was truly taken; NaN if unknown. Its own GPS position is found->info's */
    double min_margin;        /* an answer with a smaller margin is weak */
    int views;                /* of a panorama that it was seen as; 1, or 0: none */
};

/* Metres from the true place to a hit; NaN if the truth is unknown. */
double located_error(const struct located *photo, const gvm_hit *hit);

/* Metres from the position that the picture's own GPS gives to a hit; NaN if it gives none. */
double located_off_gps(const struct located *photo, const gvm_hit *hit);

/* The keys of what gvm_chance.within has. */
extern const char *const located_within[GVM_RADII];

/* Whether another place scores almost as high: the margin is less than min_margin. UNDECIDED if there is no other
 * place to compare with, so no margin. */
enum weakness { CLEAR, WEAK, UNDECIDED };
enum weakness located_weakness(const gvm_found *found, double min_margin);

/* rank (k + 1), lat, lon, half_tile_m, score, heading (null if it has none); p if there is one; error_m if the truth is
 * known; gps_m if the picture has a GPS position. NULL: no memory. */
json_t *located_hit(const struct located *photo, int k);

/* What holds for the picture as a whole: weak (null if undecided), margin, heading_estimated and gps; views if there
 * are several; calibrated (null if there is no p), and with p what lies how near the first hit; or error. */
void located_facts(json_t **object, const struct located *photo);

#endif
