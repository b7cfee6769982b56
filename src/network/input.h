/* input.h - input normalisation as part of the first layer. */
#ifndef GVM_NETWORK_INPUT_H
#define GVM_NETWORK_INPUT_H

#include "layers/layers.h"
#include "network/config.h"

/* A patch embedding with patches of side `patch` that normalises bytes as the view specifies; without parameters. */
struct patch_embed input_embed(const struct view *view, int patch);

#endif
