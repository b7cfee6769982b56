/* locate_json.h - what was found of a street picture, as JSON. */
#ifndef GVM_MAP_LOCATE_JSON_H
#define GVM_MAP_LOCATE_JSON_H

#include <jansson.h>
#include <stdbool.h>

#include "geoviewmatch.h"

/* A picture that was located, or not. */
struct located {
    gvm_status status;
    const char *sentence; /* why not */
    const gvm_hit *hits;
    const gvm_found *found;
    double lat, lon;   /* where it was truly taken; NaN where nobody knows */
    double min_margin; /* an answer with less is none; 0: any is one */
};

/* Metres from the true place to a hit; NaN where the truth is not known. */
double located_off(const struct located *photo, const gvm_hit *hit);

/* Whether it is on the map at all, as far as its margin tells. */
bool located_on_map(const struct located *photo);

/* rank (k + 1), lat, lon, radius_m, score, heading and, where the truth is known, error_m. NULL: no memory. */
json_t *located_hit(const struct located *photo, int k);

/* What holds for the picture as a whole: on_map, margin and heading_estimated; or error. */
void located_facts(json_t *object, const struct located *photo);

#endif
