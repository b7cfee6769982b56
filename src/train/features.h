/* features.h - a split of a data set through the network. */
#ifndef GVM_TRAIN_FEATURES_H
#define GVM_TRAIN_FEATURES_H

#include "data/cache.h"
#include "network/network.h"

/* Called now and then on the calling thread: pictures done, of how many. Returns whether to go on. */
typedef bool features_progress(void *user, size_t done, size_t total);

/* Both sides of a split, rows of length 1. */
struct features {
    float *street, *aerial; /* (queries, D), (tiles, D) */
    int D;
};

/* Embed both sides. out: to be freed with features_free, also on failure. progress may be NULL; where it says to stop,
 * *stopped and GVM_OK. A picture that cannot be read is GVM_FILE or
 * GVM_IMAGE with its name; GVM_FORMAT if the weights make no unit vector of one. */
gvm_status features_embed(struct features *out, bool *stopped, const struct network *network,
                          const struct pictures *pictures, const struct split *split, features_progress *progress,
                          void *user, gvm_error *err);
void features_free(struct features *features);

#endif
