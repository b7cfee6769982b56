/* import.h - backbones trained elsewhere. */
#ifndef GVM_NETWORK_IMPORT_H
#define GVM_NETWORK_IMPORT_H

#include "network/network.h"

/* Give the network's backbones the weights of a safetensors file with names that the backbone knows: the official ones
 * or timm's. What the backbone skips, such as a classifier, is skipped; anything else that is missing, extra, misshapen
 * or not finite is GVM_FORMAT with its name. On failure the network is as before or half changed. */
gvm_status backbone_load(struct network *network, const char *path, gvm_error *err);

#endif
