/* device_cpu.h - the CPU as a device: the layers of NAME.c, and memory that is the host's. */
#ifndef GVM_LAYERS_DEVICE_CPU_H
#define GVM_LAYERS_DEVICE_CPU_H

#include "tensor/device.h"
#include "tensor/tape.h"

extern const struct device device_cpu;

/* An empty tape on the CPU on which to run the forward pass once, dry. packed: the weight matrices lie in panels
 * (gemm.h). GVM_MEMORY; tape_free frees it. */
gvm_status tape_open(struct tape **tape, bool training, bool packed, gvm_error *err);

#endif
