/* loader.h - prepares training batches ahead of the training thread: the loader's own threads read pictures (from
 * files, the cache or rasters), resize and augment them. */
#ifndef GVM_DATA_LOADER_H
#define GVM_DATA_LOADER_H

#include "data/cache.h"
#include "image/augment.h"
#include "image/training_view.h"

enum { LOADER_RING = 3 /* batches in memory: the current one and two ahead */ };

struct loader_options {
    int batch;           /* pairs a batch, B >= 1 */
    int workers;         /* threads, 1..64; the batches do not depend on their number */
    bool shuffle;        /* false: the order of the split's list */
    double cluster_m;    /* sampler.h */
    const int *sequence; /* (query_count) the order for sampler_fill in each epoch; NULL: sampler_epoch's order. Must
                            outlive the loader */
    int batches;         /* 0; or `sequence` holds this many whole batches, each query at most once */
    bool skip_bad; /* replace an unreadable pair by the next readable one of the list that has no conflict with its
                      batch; false: loader_next fails with it */
    uint64_t seed;
    struct augmentation amounts;
    int views; /* epochs of the training, for which each pair also has a view of its panorama (training_view.h), and
                  half of the panoramas are turned by an error of their heading; 0: no views */
    double tolerance; /* training_draws' */
    bool single;      /* one aerial picture for each pair, the strong one; required with rasters */
    uint64_t epoch;   /* start at this epoch and its batch `first`; after its last batch: the next epoch */
    int first;
    void *user;
    /* Called by loader_next, on its thread, once for each replaced pair. err names the picture. May be NULL. */
    void (*bad)(void *user, int query, gvm_status status, const gvm_error *err);
};

struct batch {
    const uint8_t *street; /* (B, picture_bytes); with views (2 B, picture_bytes): the panoramas, then their views */
    const uint8_t *aerial; /* (2 B, H, W, 3): the strongly, then the weakly augmented ones; (B, H, W, 3) if single; with
                              rasters (B, pictures, H, W, 3) */
    const uint8_t *allowed; /* (B, B) with rasters: places_allowed; else NULL */
    const int *queries;     /* (B) indices in the split */
    uint64_t epoch;         /* from 0 */
    int index, count;       /* index of the batch in the epoch, number of batches */
    double waited;          /* seconds that loader_next waited for the batch */
};

struct loader;

/*   loader  out: freed with loader_free; NULL on failure. It starts preparing two batches at once
 *   split   one of the data set's two. It and the pictures' data must outlive the loader; p itself need not
 *
 * Returns GVM_OK, GVM_ARGUMENT (not one batch can be filled) or GVM_MEMORY. */
gvm_status loader_open(struct loader **loader, const struct pictures *p, const struct split *split,
                       const struct loader_options *options, gvm_error *err);

/* The next batch, valid until the next call; epochs follow each other without end. One thread at a time.
 *
 * Fails as pictures_read for the batch's first bad picture, with GVM_IMAGE if no replacement is left, or with
 * GVM_MEMORY. After a failure every call fails in the same way. */
gvm_status loader_next(struct loader *loader, struct batch *batch, gvm_error *err);

/* Waits for pictures that are being read. Accepts NULL. */
void loader_free(struct loader *loader);

#endif
