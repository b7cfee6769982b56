/* hard.h - batches that are hard to tell apart: pairs that the network takes for each other stand together. What it
 * gets wrong among a whole town's pictures seldom comes together in a batch that is drawn at random. */
#ifndef GVM_TRAIN_HARD_H
#define GVM_TRAIN_HARD_H

#include "train/features.h"

enum { HARD_LOOKS = 2 }; /* times the group: how many of a query's best tiles are looked at */

/* The order in which the queries of an epoch fill its batches (sampler_fill): in drawn order each query that is not yet
 * placed brings along those, not yet placed, that stand on the tiles which score best for it, until `group` are
 * together.
 *
 *   sequence  out: (query_count) each query once
 *   group     >= 2
 *   stopped   out: progress said so; sequence is then not to be used
 *
 * Memory: the features of the whole split. As features_embed; GVM_MEMORY. */
gvm_status hard_sequence(int *sequence, bool *stopped, int group, const struct network *network,
                         const struct pictures *pictures, const struct split *split, uint64_t seed, uint64_t epoch,
                         features_progress *progress, void *user, gvm_error *err);

/* Its second half: from each query's best tiles, nearest (query_count, most), to the order. GVM_MEMORY. */
gvm_status hard_groups(int *sequence, int group, const int *nearest, int most, const struct split *split, uint64_t seed,
                       uint64_t epoch, gvm_error *err);

#endif
