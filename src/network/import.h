/* import.h - weights trained elsewhere: whole networks that others have published, and backbones. Files are
 * safetensors or of PyTorch (base/tensor_file.h). */
#ifndef GVM_NETWORK_IMPORT_H
#define GVM_NETWORK_IMPORT_H

#include "network/network.h"

/* What a file has been taken for. */
struct imported {
    const char *family, *preset; /* "Sample4Geo", "sample4geo-vigor" */
    size_t tensors;
    uint64_t numbers;
};

/* Open a published network (family.h) from its authors' file. Widths, depths and heads are those of its tensors; which
 * pictures it takes is the preset `as`, or NULL if the family has only one. Strict: a tensor that is missing, extra,
 * misshapen or not finite is GVM_FORMAT with its name. The origin is the caller's to set. GVM_ARGUMENT if `as` is
 * needed or another family's; *network is NULL on failure. */
gvm_status network_import(struct network **network, struct imported *imported, const char *path, const char *as,
                          gvm_error *err);

/* Give the network's backbones the weights of a file with names that the backbone knows: the official ones or timm's.
 * What the backbone skips, such as a classifier, is skipped; anything else that is missing, extra, misshapen or not
 * finite is GVM_FORMAT with its name. On failure the network is as before or half changed. */
gvm_status backbone_load(struct network *network, const char *path, gvm_error *err);

#endif
