/* batch_plan.h - hard negative mining: the order of an epoch's batches such that pairs that the network confuses are in
 * the same batch. In random batches these seldom meet.
 *
 *
 * If the network learns from views of its panoramas, it is the epoch's views that it confuses.
 *
 *   hard        GeoViewMatch's: groups of pairs that the network confuses, mined before each epoch
 *   neighbours  Sample4Geo's (neighbours.h): nearest pairs by position in the first epochs, then by similarity, mined
 *               every few epochs
 *   clusters    statewide's (clusters.h): whole batches of pairs that the network confuses, mined before each epoch in
 *               random pools of 1 batch in the first epoch, 2 in the second, 4 ... */
#ifndef GVM_TRAIN_BATCH_PLAN_H
#define GVM_TRAIN_BATCH_PLAN_H

#include "train/features.h"
#include "train/run.h"

/* Make the order of an epoch from each query's nearest tiles: nearest (query_count, most), best first, -1 after the
 * last.
 *
 *   order    out: room for (query_count)
 *   batches  out: number of batches, if the plan is `whole`; else 0, and the order has each query once, for
 * sampler_fill size     the plan's size
 *
 * The result depends only on the arguments. Fails with GVM_ARGUMENT (not one batch can be filled) or GVM_MEMORY. */
typedef gvm_status batch_order(int *order, int *batches, const int *nearest, int most, int size,
                               const struct split *split, uint64_t seed, uint64_t epoch, gvm_error *err);

struct batch_plan {
    int size;           /* size of a group or a batch; 0: no plan, sampler_epoch's order */
    int pool;           /* clusters: the largest pool, batches; 0: not clusters */
    int most;           /* number of nearest tiles of each query */
    int every;          /* epochs from one mining to the next */
    bool placed;        /* until the first mining, tiles are nearest by position, if they have positions */
    bool queried;       /* consider only tiles with a query */
    bool whole;         /* the order is whole batches, which need not contain every query */
    batch_order *order; /* NULL for clusters */
};

/* The plan given by the options. */
struct batch_plan batch_plan_of(const struct run_options *options, const struct split *split);

/* Make the order of the epoch that begins, with the current network, in position->sequence. If the position is within
 * an epoch or between two minings, its order is checked and kept. position->nearest is kept if later epochs need it.
 *
 *   stopped  out: progress asked to stop; there is no order
 *
 * Takes memory for the features of the whole split. Fails as features_embed, with GVM_ARGUMENT (not one batch can be
 * filled), GVM_FORMAT (the position does not fit the pairs) or GVM_MEMORY. */
gvm_status batch_plan_epoch(struct run_position *position, bool *stopped, const struct batch_plan *plan,
                            const struct run_options *options, const struct network *network,
                            const struct pictures *pictures, const struct split *split, features_progress *progress,
                            void *user, gvm_error *err);

/* The hard plan's order: in shuffled order, each unused query is followed by unused queries on its most similar tiles,
 * until the group has `size` queries. */
batch_order hard_groups;

#endif
