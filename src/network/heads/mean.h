/* mean.h - global average pooling and a norm; it has no part of the configuration. */
#ifndef GVM_NETWORK_HEADS_MEAN_H
#define GVM_NETWORK_HEADS_MEAN_H

#include "layers/layers.h"
#include "network/parts.h"

extern const struct head mean_head;

/* Contribution of each position in a part of the first picture's map to the product of two features (`shares` in
 * parts.h), if the normalised mean of the part is in the feature.
 *
 *   heat    (L) out: only positions in the part are written
 *   W       the map's width, positions
 *   other   (C) the other feature's numbers for this part
 *   length  the length by which the feature was divided */
void mean_shares(double *heat, const struct tensor *x, int W, const struct rectangle *part, const struct norm *norm,
                 const float *other, double length);

#endif
