/* device_cpu.h - the CPU as a device: the layers in NAME.c, host memory */
#ifndef GVM_LAYERS_DEVICE_CPU_H
#define GVM_LAYERS_DEVICE_CPU_H

#include "tensor/device.h"
#include "tensor/tape.h"

extern const struct device device_cpu;

/* Create an empty tape on the CPU, ready for the dry run of the forward pass. packed: the weight matrices are in panels
 * (gemm.h). Returns GVM_OK or GVM_MEMORY; free the tape with tape_free. */
gvm_status tape_open(struct tape **tape, bool training, bool packed, gvm_error *err);

#endif
