/* spatial_softmax.h - what a configuration says of heads that pool positions by a softmax. */
#ifndef GVM_NETWORK_HEADS_SPATIAL_SOFTMAX_H
#define GVM_NETWORK_HEADS_SPATIAL_SOFTMAX_H

#include "network/parts.h"

struct spatial_softmax_config {
    int heads, feature; /* the feature's length is a multiple of the heads */
};

extern const struct head spatial_softmax_head;

#endif
