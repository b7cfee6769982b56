/* heatmap.h - the channel mean behind gvm_heatmap. */
#ifndef GVM_NETWORK_HEATMAP_H
#define GVM_NETWORK_HEATMAP_H

#include "network/network.h"

/* heat (B, L): the mean over the channels of a map (B, L, C). */
void heat_mean(double *heat, const struct tensor *x);

#endif
