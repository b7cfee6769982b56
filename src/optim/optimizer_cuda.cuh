/* optimizer_cuda.cuh - what optimizer_cuda.cu gives to the device's table. */
#ifndef GVM_OPTIM_OPTIMIZER_CUDA_CUH
#define GVM_OPTIM_OPTIMIZER_CUDA_CUH

extern "C" {
#include "tensor/device.h"
}

/* Enters a network's weights and the optimiser. */
void optimizer_entries(struct device *device);

#endif
