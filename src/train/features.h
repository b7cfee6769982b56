/* features.h - embeds a split of a data set. */
#ifndef GVM_TRAIN_FEATURES_H
#define GVM_TRAIN_FEATURES_H

#include "data/cache.h"
#include "network/network.h"

/* Called regularly on the calling thread with the number of pictures done and in all. Returns false to stop. */
typedef bool features_progress(void *user, size_t done, size_t total);

/* Features of both sides of a split, unit vectors. */
struct features {
    float *street, *aerial; /* (queries, D), (tiles, D) */
    int D;
};

/* Embed both sides. The caller frees out with features_free, also on failure. progress may be NULL; if it asks to stop,
 * *stopped is set and the status is GVM_OK. Fails with GVM_FILE or GVM_IMAGE and the name of an unreadable picture, or
 * with GVM_FORMAT if the weights' output for a picture is not a unit vector. */
gvm_status features_embed(struct features *out, bool *stopped, const struct network *network,
                          const struct pictures *pictures, const struct split *split, features_progress *progress,
                          void *user, gvm_error *err);
void features_free(struct features *features);

#endif
