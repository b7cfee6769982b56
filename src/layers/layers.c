/* layers.c - forwards each layer call to the tape's device; see layers.h */
#include "layers/layers.h"

#include "tensor/device.h"

#define LAYER(type, name, parameters, arguments)     \
    type name parameters                             \
    {                                                \
        return tape->device->layers->name arguments; \
    }
#include "layers/layers.def"
