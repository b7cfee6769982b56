/* checkpoint.h - networks in files: safetensors with the network's own names and, under the metadata key `config`,
 * what network it is. */
#ifndef GVM_NETWORK_CHECKPOINT_H
#define GVM_NETWORK_CHECKPOINT_H

#include "base/safetensors.h"
#include "network/network.h"

/* Open a checkpoint, or where path is NULL the weights that are built in (models/nano.safetensors): the network that
 * its configuration names, with its weights. Strict: a tensor that is missing, extra, misshapen or not finite is
 * GVM_FORMAT with its name. */
gvm_status checkpoint_load(struct network **network, const char *path, bool training, gvm_error *err);

/* Write the network, whole or not at all; f16: as float16, which takes half the room. Not of a packed one. */
gvm_status checkpoint_save(const struct network *network, const char *path, bool f16, gvm_error *err);

/* As the metadata of a file tells it, and what to write there: at most ORIGIN_PAIRS, which live as long as the origin.
 * Returns how many. */
enum { ORIGIN_PAIRS = 2 };
void origin_read(struct origin *origin, const struct safetensors *st);
void origin_tuned(struct origin *origin); /* training goes on from such weights */
size_t origin_pairs(struct safetensors_pair pairs[ORIGIN_PAIRS], const struct origin *origin);

/* Whether a tensor has the shape that is wanted, and whether all its numbers are finite: GVM_FORMAT with its name. */
gvm_status check_shape(const char *where, const char *name, int rank, const int64_t *shape, int wanted_rank,
                       const int64_t *wanted, gvm_error *err);
gvm_status check_finite(const char *where, const char *name, const float *numbers, size_t count, gvm_error *err);

/* Read one tensor into a parameter. GVM_FORMAT with its name if its shape is another or a number not finite. */
gvm_status param_read(const struct param *p, const struct safetensors *st, const struct safetensors_tensor *t,
                      gvm_error *err);

/* 64 bits of configuration and weights as 16 hexadecimal digits: which network made these features. Before packing.
 * False if memory is short. */
bool network_fingerprint(char text[17], const struct network *network);

#endif
