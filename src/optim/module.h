/* module.h - CUDA's part of the program: a module of its own, libgeoviewmatch_cuda.so, that is opened at run time, so
 * that one program serves machines with and without a GPU. */
#ifndef GVM_OPTIM_MODULE_H
#define GVM_OPTIM_MODULE_H

#include "layers/layers.h"
#include "optim/optimizer.h"
#include "tensor/device.h"

/* CUDA's table, which lives as long as the process. GVM_DEVICE says what is missing: the module, CUDA's libraries, the
 * driver, or a GPU. The environment variable GVM_CUDA_MODULE names another module file. */
gvm_status device_cuda(const struct device **device, gvm_error *err);

/* The one function that a module shows: its table, or NULL and why there is none. */
#define DEVICE_MODULE_FUNCTION "gvm_cuda_device"
typedef const struct device *device_module(gvm_error *err);

#ifdef NDEBUG
enum { DEVICE_GUARDS = 0 };
#else
enum { DEVICE_GUARDS = 1 };
#endif
enum { DEVICE_VERSION = 2 }; /* to be raised when a layout or a signature changes and no size does */

/* A mark of what program and module must agree in: the layouts that both see, and whether there are guard bands. */
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
