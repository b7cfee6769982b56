/* convnext.h - a ConvNeXt's part of the configuration. */
#ifndef GVM_NETWORK_BACKBONES_CONVNEXT_H
#define GVM_NETWORK_BACKBONES_CONVNEXT_H

#include "network/parts.h"

enum { CONVNEXT_STAGES = 4 };

struct convnext_config {
    int dims[CONVNEXT_STAGES];   /* channels a stage */
    int depths[CONVNEXT_STAGES]; /* blocks a stage */
    int gelu;                    /* 0: by erf, 1: by tanh */
};

extern const struct backbone convnext;

#endif
