/* mean.h - the mean over positions, normalised; it has no part in a configuration. */
#ifndef GVM_NETWORK_HEADS_MEAN_H
#define GVM_NETWORK_HEADS_MEAN_H

#include "layers/layers.h"
#include "network/parts.h"

extern const struct head mean_head;

/* What each position of a part of the first picture's map, W positions wide, adds to the product of a feature with
 * another one, as parts.h's `shares`, where the part's mean, normalised, is in the feature: heat (L) there; the rest
 * stays. other (C): that feature's numbers that meet the part's; length: what the feature is divided by. */
void mean_shares(double *heat, const struct tensor *x, int W, const struct rectangle *part, const struct norm *norm,
                 const float *other, double length);

#endif
