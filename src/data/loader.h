/* loader.h - batches for training, made ready ahead of the thread that trains: read (or taken from the cache, or cut
 * out of rasters), resized and augmented on threads of the loader's own. */
#ifndef GVM_DATA_LOADER_H
#define GVM_DATA_LOADER_H

#include "data/cache.h"
#include "image/augment.h"

enum { LOADER_RING = 3 /* batches that it holds: the one that is learned from, and two ahead */ };

struct loader_options {
    int batch;           /* pairs a batch, B >= 1 */
    int workers;         /* threads, 1..64; what they deliver does not depend on how many they are */
    bool shuffle;        /* else in the order of the split's list */
    double cluster_m;    /* sampler.h */
    const int *sequence; /* (query_count) what sampler_fill goes by, in each epoch; NULL: what sampler_epoch draws. Must
                            outlive the loader */
    int batches;         /* 0; or `sequence` holds this many whole batches, each query at most once */
    bool skip_bad; /* a pair that cannot be read is replaced by the next in the list that can and that is in conflict
                      with none of its batch; else loader_next fails with it */
    uint64_t seed;
    struct augmentation amounts;
    bool single;    /* one aerial picture a pair, the strong one; needed where places are cut out of rasters */
    uint64_t epoch; /* where to begin: at this epoch and its batch `first`; behind its last batch, the next epoch */
    int first;
    void *user;
    /* Called by loader_next, on its thread, for a pair that was replaced, once a pair. err names the picture. May be
     * NULL. */
    void (*bad)(void *user, int query, gvm_status status, const gvm_error *err);
};

struct batch {
    const uint8_t *street; /* (B, H, W, 3) */
    const uint8_t *aerial; /* (2 B, H, W, 3): the strong ones, then the weak ones, unless they are single; of places cut
                              out of rasters (B, pictures, H, W, 3) */
    const uint8_t *allowed; /* (B, B) of such places: which the loss may tell apart (places_allowed); else NULL */
    const int *queries;     /* (B) which they are in the split */
    uint64_t epoch;         /* counts from the first epoch of training, 0 */
    int index, count;       /* in the epoch: which one this is, of how many */
    double waited;          /* seconds that loader_next waited for it */
};

struct loader;

/*   loader  out: to be freed with loader_free; NULL on failure. At once it begins to work ahead, by two batches
 *   split   one of the data set's two. Both it and the pictures' data must outlive the loader; p itself need not
 *
 * Returns GVM_OK, GVM_ARGUMENT (not one batch can be filled) or GVM_MEMORY. */
gvm_status loader_open(struct loader **loader, const struct pictures *p, const struct split *split,
                       const struct loader_options *options, gvm_error *err);

/* The next batch, epoch after epoch without end; it lives until the next call. One thread at a time.
 *
 * Returns GVM_OK; as pictures_read for a bad picture, the first of its batch; GVM_IMAGE where none is left to take
 * its place; GVM_MEMORY. After a failure each call fails alike. */
gvm_status loader_next(struct loader *loader, struct batch *batch, gvm_error *err);

/* Waits for pictures that are being read. NULL is fine. */
void loader_free(struct loader *loader);

#endif
