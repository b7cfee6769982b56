/* checkpoint.h - networks in files: safetensors with the network's own tensor names, and its configuration under the
 * metadata key `config`. */
#ifndef GVM_NETWORK_CHECKPOINT_H
#define GVM_NETWORK_CHECKPOINT_H

#include "base/safetensors.h"
#include "network/network.h"

/* Open a checkpoint: the network of its configuration, with its weights. path NULL: the built-in weights
 * (models/nano.safetensors). Strict: fails with GVM_FORMAT, and the tensor's name, if a tensor is missing, unexpected,
 * of the wrong shape or not finite. */
gvm_status checkpoint_load(struct network **network, const char *path, bool training, gvm_error *err);

/* Open the network of another configuration with the weights of a checkpoint, whose tensors it must all have.
 * Parameters that the file lacks must be additions (struct param), and get their initial values. Fails as
 * checkpoint_load. */
gvm_status checkpoint_adapt(struct network **network, const struct config *config, const char *path, gvm_error *err);

/* Write the network atomically; f16: as float16, half the size. The network must not be packed. */
gvm_status checkpoint_save(const struct network *network, const char *path, bool f16, gvm_error *err);

/* Read the origin from a file's metadata, and make the metadata to write: at most ORIGIN_PAIRS pairs, which live as
 * long as the origin. Returns how many. */
enum { ORIGIN_PAIRS = 2 };
void origin_read(struct origin *origin, const struct safetensors *st);
void origin_tuned(struct origin *origin); /* mark the weights as trained further */
size_t origin_pairs(struct safetensors_pair pairs[ORIGIN_PAIRS], const struct origin *origin);

/* Check a tensor's shape, and that all numbers are finite. Fails with GVM_FORMAT and the tensor's name. */
gvm_status check_shape(const char *where, const char *name, int rank, const int64_t *shape, int wanted_rank,
                       const int64_t *wanted, gvm_error *err);
gvm_status check_finite(const char *where, const char *name, const float *numbers, size_t count, gvm_error *err);

/* Read one tensor into a parameter. Fails with GVM_FORMAT and the tensor's name if the shape differs or a number is not
 * finite. */
gvm_status param_read(const struct param *p, const struct safetensors *st, const struct safetensors_tensor *t,
                      gvm_error *err);

/* The fingerprint that ties features to the network that made them: a 64-bit hash of configuration and weights, as 16
 * hexadecimal digits. Call it before packing. Returns false if out of memory. */
bool network_fingerprint(char text[17], const struct network *network);

#endif
