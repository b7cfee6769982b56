/* heatmap.h - what gvm_heatmap is made of. */
#ifndef GVM_NETWORK_HEATMAP_H
#define GVM_NETWORK_HEATMAP_H

#include "network/network.h"

/* heat (pictures, L): the mean over the channels of the first pictures' maps. */
void heat_mean(double *heat, const struct tensor *x, int pictures);

#endif
