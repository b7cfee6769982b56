/* small_set.h - a data set of a few small pictures in a folder of its own, for tests. */
#ifndef GVM_TESTS_SMALL_SET_H
#define GVM_TESTS_SMALL_SET_H

#include "data/cache.h"

struct small_set {
    char folder[300];
    struct dataset data; /* test is the first half of train, and one street picture of its own */
    struct pictures pictures;
};

/* Pictures of train: `queries` panoramas 32 x 16, query i on tile i % tiles; tiles 20 x 20; all different.
 * folder: an existing one with such pictures, or NULL to make one. */
void small_set_make(struct small_set *set, const char *folder, int queries, int tiles);

/* With the folder and all files in it; or the lists alone. */
void small_set_remove(struct small_set *set);
void small_set_free(struct small_set *set);

/* Write a picture of noise, with a time of change of its own. */
void small_set_write(const char *path, int w, int h, unsigned seed);

/* A path in the folder; good until the fourth call from here. */
const char *small_set_path(const struct small_set *set, const char *name);

/* No tile, nor one near it, stands in a batch of B queries of the order twice. */
/* No tile, nor one near it, twice in any of so many batches of B queries. */
void expect_no_conflict(const struct split *split, const int *order, int batches, int B);

#endif
