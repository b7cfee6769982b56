/* spatial_softmax.h - attention pooling's part of the configuration. */
#ifndef GVM_NETWORK_HEADS_SPATIAL_SOFTMAX_H
#define GVM_NETWORK_HEADS_SPATIAL_SOFTMAX_H

#include "network/parts.h"

struct spatial_softmax_config {
    int heads, feature; /* feature: its length, a multiple of heads */
};

extern const struct head spatial_softmax_head;

#endif
