/* place.h - the device that networks compute on: the process's choice, and moving weights there. */
#ifndef GVM_NETWORK_PLACE_H
#define GVM_NETWORK_PLACE_H

#include "network/network.h"

/* The device chosen by gvm_set_device, for networks that are placed from now on. */
const struct device *chosen_device(void);

/* Prepare the network to compute on the chosen device. On the CPU, packs a network that is not for training. On a
 * device, copies the weights there; training changes only that copy until network_fetch. Fails with GVM_MEMORY, or
 * GVM_DEVICE if the device does not support the network. */
gvm_status network_place(struct network *network, gvm_error *err);
/* Copy weights and gradients from the device to the host. */
gvm_status network_fetch(struct network *network, gvm_error *err);

/* A tape for the network, empty and dry (tape.h). */
gvm_status network_tape(struct tape **tape, const struct network *network, bool training, gvm_error *err);

#endif
