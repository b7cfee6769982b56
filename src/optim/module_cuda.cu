/* module_cuda.cu - the table of CUDA functions, the module's only export */
#include "layers/layer_cuda.cuh"
#include "optim/optimizer_cuda.cuh"

extern "C" {
#include "optim/module.h"
}

static struct layer_table make_layers(void)
{
    struct layer_table t = {};
#define LAYER(type, name, parameters, arguments) t.name = name##_cuda;
#include "layers/layers.def"
    return t;
}

static const struct layer_table layers = make_layers();

static struct device make_device(void)
{
    struct device d = {};
    d.name = "cuda";
    d.build = device_build();
    d.layers = &layers;
    d.fits = fits_cuda;
    device_entries(&d);
    optimizer_entries(&d);
    return d;
}

extern "C" __attribute__((visibility("default"))) const struct device *gvm_cuda_device(gvm_error *err)
{
    static const struct device device = make_device();
    return cuda_usable(err) == GVM_OK ? &device : NULL;
}
