/* quadrants.h - the means of four directions, normalised; it has no part in a configuration. */
#ifndef GVM_NETWORK_HEADS_QUADRANTS_H
#define GVM_NETWORK_HEADS_QUADRANTS_H

#include "network/parts.h"

extern const struct head quadrants_head;

#endif
