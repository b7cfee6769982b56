/* batch_plan.h - what orders an epoch's batches by what is hard to tell apart. What a network gets wrong among a whole
 * town's pictures seldom comes together in a batch that is drawn at random.
 *
 *   hard        GeoViewMatch's: groups of pairs that the network, before each epoch, takes for each other
 *   neighbours  Sample4Geo's (neighbours.h): by place in the first epochs, then by what the network takes for each
 *               other, mined again every few epochs
 *   clusters    statewide's (clusters.h): batches that the network, before each epoch, takes for each other as a whole,
 *               out of pools of 1 batch in the first epoch, which are drawn, 2 in the second, 4 ... */
#ifndef GVM_TRAIN_BATCH_PLAN_H
#define GVM_TRAIN_BATCH_PLAN_H

#include "train/features.h"
#include "train/run.h"

/* The order of an epoch, from each query's nearest tiles: nearest (query_count, most), best first, -1 where there are
 * no more.
 *
 *   order    out: room for (query_count)
 *   batches  out: how many batches the order of a `whole` plan holds; else 0, and it has each query once, for
 *            sampler_fill to go by
 *   size     of the plan
 *
 * A function of its arguments. GVM_ARGUMENT (not one batch fills) or GVM_MEMORY. */
typedef gvm_status batch_order(int *order, int *batches, const int *nearest, int most, int size,
                               const struct split *split, uint64_t seed, uint64_t epoch, gvm_error *err);

struct batch_plan {
    int size;           /* of a group or a batch; 0: no plan, an epoch is as sampler_epoch draws it */
    int pool;           /* of clusters: the most batches of a pool; 0: its order is of nearest tiles */
    int most;           /* nearest tiles of a query that it looks at */
    int every;          /* the network is asked for them before every so many epochs */
    bool placed;        /* before the first of these they are the nearest on the ground, if tiles have places */
    bool queried;       /* only tiles that have a query count */
    bool whole;         /* its order is whole batches, which need not have every query */
    batch_order *order; /* NULL of clusters */
};

/* The one that the options name. */
struct batch_plan batch_plan_of(const struct run_options *options, const struct split *split);

/* The order of the epoch that begins, by the network as it is now, to position->sequence; of an epoch or a mining that
 * the position is amid, what it holds is checked and stays. position->nearest stays where later epochs need it.
 *
 *   stopped  out: progress said so, and there is no order
 *
 * Memory: the features of the whole split. As features_embed; GVM_ARGUMENT (not one batch fills), GVM_FORMAT (the
 * position is of other pairs) or GVM_MEMORY. */
gvm_status batch_plan_epoch(struct run_position *position, bool *stopped, const struct batch_plan *plan,
                            const struct run_options *options, const struct network *network,
                            const struct pictures *pictures, const struct split *split, features_progress *progress,
                            void *user, gvm_error *err);

/* The hard plan's order: in drawn order each query that is not yet placed brings along those, not yet placed, that
 * stand on its nearest tiles, until `group` are together. */
batch_order hard_groups;

#endif
