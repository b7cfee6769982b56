/* place.h - where networks compute: the process's choice, and the weights' way there. */
#ifndef GVM_NETWORK_PLACE_H
#define GVM_NETWORK_PLACE_H

#include "network/network.h"

/* What gvm_set_device chose for networks that are placed from now on. */
const struct device *chosen_device(void);

/* Make it ready to compute there. On the CPU that packs a network which does not learn; on a device it brings the
 * weights over, which then change there alone until network_fetch. GVM_MEMORY, or GVM_DEVICE if it does not fit. */
gvm_status network_place(struct network *network, gvm_error *err);
/* Weights and gradients as they are now on the device, to the host. */
gvm_status network_fetch(struct network *network, gvm_error *err);

/* A tape for it, empty and dry (tape.h). */
gvm_status network_tape(struct tape **tape, const struct network *network, bool training, gvm_error *err);

#endif
