/* layers.c - each layer's call goes to the device of its tape; see layers.h. */
#include "layers/layers.h"

#include "tensor/device.h"

#define LAYER(type, name, parameters, arguments)     \
    type name parameters                             \
    {                                                \
        return tape->device->layers->name arguments; \
    }
#include "layers/layers.def"
