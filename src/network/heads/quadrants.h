/* quadrants.h - average pooling over four quadrants and a norm; it has no part of the configuration. */
#ifndef GVM_NETWORK_HEADS_QUADRANTS_H
#define GVM_NETWORK_HEADS_QUADRANTS_H

#include "network/parts.h"

extern const struct head quadrants_head;

#endif
