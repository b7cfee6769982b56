/* extend.h - gives a trained network an ability that it is then trained for */
#ifndef GVM_NETWORK_EXTEND_H
#define GVM_NETWORK_EXTEND_H

#include "network/network.h"

/* Let a configuration's street view take photos of any field of view: it gets visibility, and windows that extend over
 * the panorama's seam. Fails with GVM_FORMAT if its method does not support that; `where` names it in messages. */
gvm_status config_take_photos(struct config *config, const char *where, gvm_error *err);

/* The same for a network: *network is replaced by one of the changed configuration, with the same weights; parameters
 * that it did not have get initial values. Nothing changes if it takes photos already. On failure *network is as
 * before. Fails with GVM_FORMAT as above, or with GVM_MEMORY. */
gvm_status network_take_photos(struct network **network, const char *where, gvm_error *err);

#endif
