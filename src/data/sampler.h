/* sampler.h - in which order an epoch shows the queries of a split, batch by batch. */
#ifndef GVM_DATA_SAMPLER_H
#define GVM_DATA_SAMPLER_H

#include "data/dataset.h"

#include <stdint.h>

/* Whether two queries must not stand in one batch, where each one's tile counts as wrong for the other: they share a
 * tile, or one's place is on the other's tile too. */
bool sampler_conflict(const struct query *a, const struct query *b);

/* The order of one epoch, a function of its arguments alone: training goes on anywhere by position.
 *
 *   order    out: (query_count) each query once; batch i is order[i B] .. order[i B + B - 1]. Within a batch no two are
 *            in conflict: one that would be waits for the first batch that it fits in
 *   batches  out: how many there are, at most query_count / B; what is left behind them is no batch of this epoch. Not
 *            the same in each epoch where tiles are shared; 0 where not even one can be filled
 *   B        >= 1
 *   shuffle  false: as the queries are listed
 *   cluster_m  0: none. >= 1, and shuffle: queries of one square of so many metres stand together, so that a batch
 *            holds a few neighbourhoods rather than pictures from everywhere, and telling them apart takes more. The
 *            squares lie elsewhere in each epoch. Queries without a place are one neighbourhood
 *
 * Returns GVM_OK or GVM_MEMORY. */
gvm_status sampler_epoch(int *order, int *batches, const struct split *split, int B, bool shuffle, double cluster_m,
                         uint64_t seed, uint64_t epoch, gvm_error *err);

/* Its last step alone: batches filled in the order of `sequence`, (query_count) each query once. */
gvm_status sampler_fill(int *order, int *batches, const struct split *split, int B, const int *sequence,
                        gvm_error *err);

/* The queries of each tile as lists, rising: first (tile_count), next (query_count), -1 at the end. */
void sampler_tiles(int *first, int *next, const struct split *split);

/* N queries in an order drawn for the epoch. */
void sampler_shuffle(int *queries, int N, uint64_t seed, uint64_t epoch);

#endif
