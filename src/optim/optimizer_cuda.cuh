/* optimizer_cuda.cuh - the entries of optimizer_cuda.cu in the device table */
#ifndef GVM_OPTIM_OPTIMIZER_CUDA_CUH
#define GVM_OPTIM_OPTIMIZER_CUDA_CUH

extern "C" {
#include "tensor/device.h"
}

/* Fill in the functions of a network's weights and of the optimizer. */
void optimizer_entries(struct device *device);

#endif
