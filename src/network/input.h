/* input.h - a view's bytes as a first layer takes them. */
#ifndef GVM_NETWORK_INPUT_H
#define GVM_NETWORK_INPUT_H

#include "layers/layers.h"
#include "network/config.h"

/* A patch embedding of patches of side `patch` that brings bytes to numbers as the view says, without parameters. */
struct patch_embed input_embed(const struct view *view, int patch);

#endif
