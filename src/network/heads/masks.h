/* masks.h - the spatial masks' part of the configuration. */
#ifndef GVM_NETWORK_HEADS_MASKS_H
#define GVM_NETWORK_HEADS_MASKS_H

#include "network/parts.h"

struct masks_config {
    bool stages[4]; /* stages[s - 1]: stage s is part of the feature */
    int masks;      /* number of spatial masks of a stage (N of the paper's section 3.2) */
};

extern const struct head masks_head;

#endif
