/* small_set.h - a data set of a few small pictures in a temporary folder */
#ifndef GVM_TESTS_SMALL_SET_H
#define GVM_TESTS_SMALL_SET_H

#include "data/cache.h"

struct small_set {
    char folder[300];
    struct dataset data; /* test is the first half of train, with one street picture of its own */
    struct pictures pictures;
};

/* train has `queries` panoramas 32 x 16, query i on tile i % tiles, and tiles 20 x 20, all different. folder: an
 * existing one with such pictures, or NULL to make one. */
void small_set_make(struct small_set *set, const char *folder, int queries, int tiles);

/* small_set_remove: with the folder and all its files. small_set_free: only the lists. */
void small_set_remove(struct small_set *set);
void small_set_free(struct small_set *set);

/* Write a noise picture with a modification time of its own. */
void small_set_write(const char *path, int w, int h, unsigned seed);

/* A path in the folder, valid until the fourth following call. */
const char *small_set_path(const struct small_set *set, const char *name);

/* Expects that no batch of B queries contains a tile, or a tile near it, twice; for this number of batches. */
void expect_no_conflict(const struct split *split, const int *order, int batches, int B);

#endif
