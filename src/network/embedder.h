/* embedder.h - pictures of one view to features: the one way to run a network without learning. */
#ifndef GVM_NETWORK_EMBEDDER_H
#define GVM_NETWORK_EMBEDDER_H

#include "network/network.h"

struct embedder;

/* A picture stands for all pictures of a place if the view has zooms.
 *
 * For any batch of 1..max_batch pictures of a view (0 or 1), on a placed network, which must outlive it. GVM_MEMORY,
 * GVM_DEVICE. One thread at a time. */
gvm_status embedder_open(struct embedder **embedder, const struct network *network, int view, int max_batch,
                         gvm_error *err);
void embedder_free(struct embedder *embedder);

/* Bytes of a picture. */
size_t embedder_bytes(const struct embedder *embedder);

/* Begin a pass on B pictures, which may change once it returns. On a device the pass goes on while the caller does
 * something else, such as reading the next batch. */
void embedder_start(struct embedder *embedder, const uint8_t *pixels, int B);

/* The features (B, features) of the pass that was begun. GVM_MEMORY if a product found none, GVM_DEVICE: they are void
 * then. They have length 1 unless the weights are corrupt: is_feature. */
gvm_status embedder_finish(struct embedder *embedder, float *features, gvm_error *err);

/* Any number of pictures; on a device a batch is brought over while the one before it is computed. As
 * embedder_finish. */
gvm_status embedder_run(struct embedder *embedder, float *features, const uint8_t *pixels, size_t n, gvm_error *err);

/* The same for places that share pictures, each of which passes through the backbone once, for a network whose head
 * gathers over all pictures of a place:
 *
 *   pixels  (n, H, W, 3)
 *   which   (places, pictures): picture k of a place, by its number among the n */
gvm_status embedder_run_shared(struct embedder *embedder, float *features, const uint8_t *pixels, size_t n,
                               const int *which, size_t places, gvm_error *err);

/* One picture and what its pass left, on the host until the next pass; feature, out: (features). As embedder_finish.
 */
gvm_status embedder_trace(struct embedder *embedder, struct trace *trace, float *feature, const uint8_t *pixels,
                          gvm_error *err);

/* The tape that it runs on. */
struct tape *embedder_tape(struct embedder *embedder);

/* Bytes of its maps and scratch. */
size_t embedder_memory(const struct embedder *embedder);

/* Whether a row is a feature: finite and of length 1. Weights that no training made can give others. */
bool is_feature(const float *row, size_t n);

/* A feature, or the mean of several: not zero, and not longer than 1. */
bool is_query(const float *row, size_t n);

#endif
