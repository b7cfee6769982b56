/* embedder.h - embeds pictures of one view; all inference goes through it. */
#ifndef GVM_NETWORK_EMBEDDER_H
#define GVM_NETWORK_EMBEDDER_H

#include "network/network.h"

struct embedder;

/* Below, "a picture" means all pictures of a place if the view has zooms.
 *
 * Open for batches of 1..max_batch pictures of a view (0 or 1), on a placed network, which must outlive the embedder.
 * Fails with GVM_MEMORY or GVM_DEVICE. One thread at a time. */
gvm_status embedder_open(struct embedder **embedder, const struct network *network, int view, int max_batch,
                         gvm_error *err);
void embedder_free(struct embedder *embedder);

/* Bytes of a picture. */
size_t embedder_bytes(const struct embedder *embedder);

/* Begin a pass on B pictures; the caller may overwrite them when it returns. On a device the pass is asynchronous, so
 * the caller can read the next batch meanwhile. */
void embedder_start(struct embedder *embedder, const uint8_t *pixels, int B);

/* Wait for the pass and return its features (B, features). Fails with GVM_MEMORY if a product ran out of memory, or
 * GVM_DEVICE; the features are then undefined. They have length 1 unless the weights are corrupt: see is_feature. */
gvm_status embedder_finish(struct embedder *embedder, float *features, gvm_error *err);

/* Embed any number of pictures; on a device, a batch is transferred while the previous one is computed. Fails as
 * embedder_finish. */
gvm_status embedder_run(struct embedder *embedder, float *features, const uint8_t *pixels, size_t n, gvm_error *err);

/* How many turns of a picture one pass gives; 1: only the picture itself. */
int embedder_turns(const struct embedder *embedder);

/* Embed any number of pictures with their turns, features (n, turns, features): row k of a picture is that of the
 * picture with its columns moved right by k W / turns, up to rounding. The backbone runs once. Fails as
 * embedder_finish. */
gvm_status embedder_run_turns(struct embedder *embedder, float *features, const uint8_t *pixels, size_t n,
                              gvm_error *err);

/* Embed places that share pictures: each picture passes through the backbone once. The head must pool over all pictures
 * of a place.
 *
 *   pixels  (n, H, W, 3)
 *   which   (places, pictures) index among the n of each place's picture k */
gvm_status embedder_run_shared(struct embedder *embedder, float *features, const uint8_t *pixels, size_t n,
                               const int *which, size_t places, gvm_error *err);

/* Embed one picture and keep its trace on the host until the next pass. feature, out: (features). Fails as
 * embedder_finish. */
gvm_status embedder_trace(struct embedder *embedder, struct trace *trace, float *feature, const uint8_t *pixels,
                          gvm_error *err);

/* The tape that it runs on. */
struct tape *embedder_tape(struct embedder *embedder);

/* Bytes of its activations and scratch memory. */
size_t embedder_memory(const struct embedder *embedder);

/* Returns true if a row is a unit vector; corrupt weights may give others. */
bool is_feature(const float *row, size_t n);

/* Returns true if a row can be a query: a feature or the mean of several, that is, not zero and not longer than 1. */
bool is_query(const float *row, size_t n);

#endif
