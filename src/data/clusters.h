/* clusters.h - batches of hard negatives, as statewide makes them: clusters of pairs that the network confuses. */
#ifndef GVM_DATA_CLUSTERS_H
#define GVM_DATA_CLUSTERS_H

#include "data/dataset.h"

/* Features of a split: street (query_count, D), aerial (tile_count, D), unit vectors. */
struct pair_features {
    const float *street, *aerial;
    int D;
};

/* Make the batches of an epoch. The shuffled queries are divided into pools of `pool` batches. A batch begins with the
 * first unused query of the pool. Then queries are added one by one: the one whose tile has the largest sum of
 * similarities to the batch's queries and is farther than APART_M (drawn_place.h) from each of them; a nearer one only
 * if no other is left. Queries in conflict (sampler.h) are never in the same batch, so a pool may end with queries that
 * do not fill a batch: they move to the next pool, and those of the last pool are not used in this epoch. No query is
 * used twice.
 *
 *   order     out: room for (query_count); batch i is order[i B] .. order[i B + B - 1]
 *   batches   out: number of batches
 *   features  NULL: all similarities are 0, and the shuffled order decides
 *   pool      >= 1
 *
 * Takes a dot product of D numbers for each pair of queries of a pool. The result depends only on the arguments.
 * Returns GVM_OK, GVM_ARGUMENT (not one batch can be filled) or GVM_MEMORY. */
gvm_status clusters_order(int *order, int *batches, const struct pair_features *features, int pool, int B,
                          const struct split *split, uint64_t seed, uint64_t epoch, gvm_error *err);

#endif
