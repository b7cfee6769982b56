/* clusters.h - batches of pairs that a network takes for each other, as statewide fills them. */
#ifndef GVM_DATA_CLUSTERS_H
#define GVM_DATA_CLUSTERS_H

#include "data/dataset.h"

/* What a network makes of a split: street (query_count, D), aerial (tile_count, D), rows of length 1. */
struct pair_features {
    const float *street, *aerial;
    int D;
};

/* The batches of an epoch. The queries, in drawn order, are parted into pools of `pool` batches. In a pool a batch is
 * the first query that is not yet used; then, one by one, that whose tile has the largest sum of products with the
 * batch's queries and lies farther than APART_M (drawn_place.h) from each of them; one that lies nearer only if no
 * other is left. None stands in a batch with one that it is in conflict with (sampler.h), so that the rest of a pool
 * may fill no batch: it comes along into the next. What the last pool leaves does not come by in this epoch. No query
 * stands twice in an epoch.
 *
 *   order     out: room for (query_count); batch i is order[i B] .. order[i B + B - 1]
 *   batches   out: how many there are
 *   features  NULL: all products are 0, and drawn order decides
 *   pool      >= 1
 *
 * Time: a product of D numbers for each pair of queries of a pool. A function of its arguments alone. Returns GVM_OK,
 * GVM_ARGUMENT (not one batch fills) or GVM_MEMORY. */
gvm_status clusters_order(int *order, int *batches, const struct pair_features *features, int pool, int B,
                          const struct split *split, uint64_t seed, uint64_t epoch, gvm_error *err);

#endif
