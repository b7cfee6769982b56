/* swin_v2.h - a Swin V2's part of the configuration. */
#ifndef GVM_NETWORK_BACKBONES_SWIN_V2_H
#define GVM_NETWORK_BACKBONES_SWIN_V2_H

#include "network/parts.h"

enum { SWIN_STAGES = 4 };

struct swin_config {
    int dim;                 /* channels of stage 1; stage s has dim << (s - 1) */
    int depths[SWIN_STAGES]; /* blocks a stage */
    int heads[SWIN_STAGES];  /* attention heads a stage; divides the stage's channels */
    int window;              /* largest side of an attention window, in tokens */
};

extern const struct backbone swin_v2;

#endif
