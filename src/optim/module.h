/* module.h - the CUDA part of the program is a separate module, libgeoviewmatch_cuda.so, loaded at run time, so that
 * one program serves machines with and without a GPU */
#ifndef GVM_OPTIM_MODULE_H
#define GVM_OPTIM_MODULE_H

#include "layers/layers.h"
#include "optim/optimizer.h"
#include "tensor/device.h"

/* Get CUDA's table, which is valid until the process ends. Returns GVM_DEVICE with the missing component: the module,
 * CUDA's libraries, the driver, or a GPU. The environment variable GVM_CUDA_MODULE overrides the module's path. */
gvm_status device_cuda(const struct device **device, gvm_error *err);

/* The only symbol that the module exports: returns its table, or NULL and the reason. */
#define DEVICE_MODULE_FUNCTION "gvm_cuda_device"
typedef const struct device *device_module(gvm_error *err);

#ifdef NDEBUG
enum { DEVICE_GUARDS = 0 };
#else
enum { DEVICE_GUARDS = 1 };
#endif
enum { DEVICE_VERSION = 2 }; /* increase it if a layout or signature changes without a change of any size */

/* A checksum of what program and module must agree on: struct layouts, and whether there are guard bands. */
static inline uint64_t device_build(void)
{
    const size_t agreed[] = {DEVICE_VERSION,
                             DEVICE_GUARDS,
                             sizeof(struct device),
                             sizeof(struct layer_table),
                             sizeof(struct home),
                             sizeof(struct step_numbers),
                             sizeof(struct tape),
                             sizeof(struct tensor),
                             sizeof(struct param),
                             sizeof(struct optimizer),
                             sizeof(struct norm),
                             sizeof(struct patch_embed),
                             sizeof(struct patch_merge),
                             sizeof(struct attention),
                             sizeof(struct feed_forward),
                             sizeof(struct masks),
                             sizeof(struct linear),
                             sizeof(struct depthwise),
                             sizeof(struct patch_conv),
                             sizeof(struct mlp)};
    uint64_t build = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < sizeof agreed / sizeof *agreed; i++) build = (build ^ agreed[i]) * 1099511628211u;
    return build;
}

#endif
