/* geoviewmatch.h - GeoViewMatch's internals, for the tests. */
#ifndef GVM_NETWORK_METHODS_GEOVIEWMATCH_H
#define GVM_NETWORK_METHODS_GEOVIEWMATCH_H

#include "network/network.h"

/* The projection head's output (B, 1, head), normalised to length 1. */
struct tensor *project(struct tape *tape, const struct network *network, struct tensor *features);

extern const struct loss_options loss_options_paper; /* 0.5, 0.25, 0.25; 10 */

#endif
