/* field.h - the scores of a map's tiles as a regular grid over the ground. */
#ifndef GVM_LOCATE_FIELD_H
#define GVM_LOCATE_FIELD_H

#include "geoviewmatch.h"

struct gvm_field {
    gvm_field_info info;
    double step_lat, step_lon; /* degrees of a pixel */
    float *scores;             /* (height, width), north first; NaN for pixels without a tile */
    float *p;                  /* the same; NULL: none */
};

#endif
