/* located.h - the answers for a street picture as JSON. */
#ifndef GVM_TERMINAL_LOCATED_H
#define GVM_TERMINAL_LOCATED_H

#include <jansson.h>
#include <stdbool.h>

#include "geoviewmatch.h"

/* A picture that was located, or failed. */
struct located {
    gvm_status status;
    const char *sentence; /* the error */
    const gvm_hit *hits;
    const gvm_found *found;
    const double *p;          /* of each hit */
    const gvm_chance *chance; /* known is 0 if the weights' scores make no probability */
    double lat, lon;          /* true place; NaN if unknown. Its GPS position is in found->info */
    double min_margin;        /* an answer with a smaller margin is weak */
    int views;                /* views of a panorama; 1 or 0: not several */
    const gvm_camera *camera; /* that was used; NULL, or lens GVM_LENS_FOUND: the weights use none */
};

static inline bool located_has_camera(const struct located *photo)
{
    return photo->status == GVM_OK && photo->camera != NULL && photo->camera->lens != GVM_LENS_FOUND;
}

/* Metres from the true place to a hit; NaN if the truth is unknown. */
double located_error(const struct located *photo, const gvm_hit *hit);

/* Metres from the picture's GPS position to a hit; NaN if it has none. */
double located_off_gps(const struct located *photo, const gvm_hit *hit);

/* A heading to print with this many decimals; 0 if it would be rounded to 360 degrees. */
double located_heading(double heading, int decimals);

/* The keys of gvm_chance.within. */
extern const char *const located_within[GVM_RADII];

/* Whether another place scores almost as high: the margin is below min_margin. UNDECIDED if there is no margin, because
 * there is no other place to compare with. */
enum weakness { CLEAR, WEAK, UNDECIDED };
enum weakness located_weakness(const gvm_found *found, double min_margin);

/* rank (k + 1), lat, lon, half_tile_m, score, heading (null if it has none); p if there is one; error_m if the true
 * place is known; gps_m if the picture has a GPS position. NULL: out of memory. */
json_t *located_hit(const struct located *photo, int k);

/* Members of the picture as a whole: weak (null if undecided), margin, heading_estimated and gps; views if there are
 * several; camera if one was used; calibrated (null if there is no p) and, with p, p within radii of the first hit; or
 * error. */
void located_facts(json_t **object, const struct located *photo);

/* ------------------------------------------------------------------ the camera */

/* Whether it is a full level panorama, so that the network's input is a rectangle of the picture. */
static inline bool located_is_circle(const gvm_camera *c)
{
    return c->lens == GVM_LENS_SPHERE && c->width >= 0.999 * c->full_width && c->pitch == 0 && c->roll == 0;
}

/* A source in words for people: "from XMP GPano", "assumed". */
const char *located_source(gvm_source source);

/* "pinhole", ...; "" for GVM_LENS_FOUND */
const char *located_lens(gvm_lens lens);

/* Lens, field of view, heading, pitch and roll, each with the name of its source, and warnings. NULL: out of memory. */
json_t *located_camera(const gvm_camera *camera);

#endif
