/* features.h - embeds a split of a data set. */
#ifndef GVM_TRAIN_FEATURES_H
#define GVM_TRAIN_FEATURES_H

#include "data/cache.h"
#include "network/network.h"

/* Called regularly on the calling thread with the number of pictures done and in all. Returns false to stop. */
typedef bool features_progress(void *user, size_t done, size_t total);

/* Features of both sides of a split, unit vectors. */
struct features {
    float *street, *aerial; /* (queries, looks, D), (tiles, D) */
    int D;
    int looks; /* features of a query, with their turns; 0: 1 */
};

/* How a street picture is seen: each becomes `count` looks, which `see` makes from it; out and picture (picture_bytes
 * each) do not overlap. `see` is called from several threads. */
struct looks {
    int count;   /* 1..MAX_LOOKS */
    bool turned; /* each look has as many features as a pass of the network gives turns of it (embedder_run_turns) */
    void (*see)(const void *user, uint8_t *out, const uint8_t *picture, int query, int look);
    const void *user;
};

enum { MAX_LOOKS = 180 };

/* Embed both sides. The caller frees out with features_free, also on failure. progress may be NULL; if it asks to stop,
 * *stopped is set and the status is GVM_OK. Fails with GVM_FILE or GVM_IMAGE and the name of an unreadable picture, or
 * with GVM_FORMAT if the weights' output for a picture is not a unit vector.
 *
 *   looks  NULL: the street pictures as they are read */
gvm_status features_embed(struct features *out, bool *stopped, const struct network *network,
                          const struct pictures *pictures, const struct split *split, const struct looks *looks,
                          features_progress *progress, void *user, gvm_error *err);
void features_free(struct features *features);

/* Embed one side: features, out: (queries, looks, D), (queries, looks, turns, D) or (tiles, D). Fails as
 * features_embed. */
gvm_status features_street(float *features, bool *stopped, const struct network *network,
                           const struct pictures *pictures, const struct split *split, const struct looks *looks,
                           features_progress *progress, void *user, gvm_error *err);
gvm_status features_aerial(float *features, bool *stopped, const struct network *network,
                           const struct pictures *pictures, const struct split *split, features_progress *progress,
                           void *user, gvm_error *err);

#endif
