/* mean.h - the mean over positions, normalised; it has no part in a configuration. */
#ifndef GVM_NETWORK_HEADS_MEAN_H
#define GVM_NETWORK_HEADS_MEAN_H

#include "network/parts.h"

extern const struct head mean_head;

#endif
