/* sampler.h - the order of the queries of an epoch, batch by batch. */
#ifndef GVM_DATA_SAMPLER_H
#define GVM_DATA_SAMPLER_H

#include "data/dataset.h"

#include <stdint.h>

/* Returns true if two queries must not be in the same batch, in which each one's tile is a negative for the other: they
 * share a tile, or one's position is on the other's tile. */
bool sampler_conflict(const struct query *a, const struct query *b);

/* The order of an epoch. It depends only on the arguments, so training can resume at any position.
 *
 *   order    out: (query_count) each query once; batch i is order[i B] .. order[i B + B - 1]. No two queries of a batch
 *            are in conflict: a query that would be waits for the first batch that it fits into
 *   batches  out: number of batches, at most query_count / B; queries after the last batch are not used in this epoch.
 * If tiles are shared it varies between epochs; 0 if not even one batch can be filled B        >= 1 shuffle  false: as
 * the queries are listed cluster_m  0: none. >= 1, with shuffle: queries within a square of this many metres are kept
 * together, so a batch consists of a few neighbourhoods, with harder negatives than a random batch. The grid of squares
 * is shifted in each epoch. Queries without a position form one neighbourhood
 *
 * Returns GVM_OK or GVM_MEMORY. */
gvm_status sampler_epoch(int *order, int *batches, const struct split *split, int B, bool shuffle, double cluster_m,
                         uint64_t seed, uint64_t epoch, gvm_error *err);

/* Only the last step of sampler_epoch: fill batches in the order of `sequence`, (query_count) with each query once. */
gvm_status sampler_fill(int *order, int *batches, const struct split *split, int B, const int *sequence,
                        gvm_error *err);

/* The queries of each tile as ascending linked lists: first (tile_count), next (query_count), -1 at the end. */
void sampler_tiles(int *first, int *next, const struct split *split);

/* Shuffle N queries for the epoch. */
void sampler_shuffle(int *queries, int N, uint64_t seed, uint64_t epoch);

#endif
