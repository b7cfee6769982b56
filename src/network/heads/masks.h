/* masks.h - what a configuration says of the spatial masks. */
#ifndef GVM_NETWORK_HEADS_MASKS_H
#define GVM_NETWORK_HEADS_MASKS_H

#include "network/parts.h"

struct masks_config {
    bool stages[4]; /* stages[s - 1]: stage s takes part in the feature */
    int masks;      /* spatial masks a stage (N of the paper's section 3.2) */
};

extern const struct head masks_head;

#endif
