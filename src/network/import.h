/* import.h - imports weights trained elsewhere: published networks, and backbones. Files are safetensors or PyTorch's
 * (base/tensor_file.h). */
#ifndef GVM_NETWORK_IMPORT_H
#define GVM_NETWORK_IMPORT_H

#include "network/network.h"

/* The recognised family and preset. */
struct imported {
    const char *family, *preset; /* "Sample4Geo", "sample4geo-vigor" */
    size_t tensors;
    uint64_t numbers;
};

/* Open a published network (family.h) from its authors' file. Widths, depths and heads are read from its tensors; the
 * preset `as` gives the input, NULL if the family has only one preset. The caller sets the origin.
 *
 * Fails with GVM_FORMAT, and the tensor's name, if a tensor is missing, unexpected, of the wrong shape or not finite;
 * with GVM_ARGUMENT if `as` is needed or belongs to another family. *network is NULL on failure. */
gvm_status network_import(struct network **network, struct imported *imported, const char *path, const char *as,
                          gvm_error *err);

/* Load the network's backbones from a file with the official names or timm's. Tensors that the backbone skips, such as
 * a classifier, are ignored. Fails with GVM_FORMAT, and the tensor's name, if another one is missing, unexpected, of
 * the wrong shape or not finite; the network may then be partly changed. */
gvm_status backbone_load(struct network *network, const char *path, gvm_error *err);

#endif
