/* evaluate_split.h - a split of a data set embedded and evaluated, and which tiles are right for a query. */
#ifndef GVM_TRAIN_EVALUATE_SPLIT_H
#define GVM_TRAIN_EVALUATE_SPLIT_H

#include "train/evaluate.h"
#include "train/features.h"

/* Embed both sides of a split and evaluate. reverse: aerial to street, where tiles without a query are left out.
 * rankings: out, (queries) or (tiles that have one), to be freed; may be NULL. progress may be NULL. A picture that
 * cannot be read is GVM_FILE or GVM_IMAGE with its name. Where progress says to stop, GVM_OK with out->queries 0 and no
 * rankings. */
gvm_status evaluate_split(struct evaluation *out, struct ranking **rankings, const struct network *network,
                          const struct pictures *pictures, const struct split *split, bool reverse,
                          features_progress *progress, void *user, gvm_error *err);

/* Whether a tile of the split is a right one for a query: its own, or any within hit_m metres of its place. */
bool truth_holds(const struct split *split, int query, int tile, double hit_m);

/* The same for all queries, each one's tiles in rising order; places beyond its own tile are looked at only where all
 * tiles have one. To be freed with truth_free, also on failure; false where memory is short. */
bool truth_list(struct truth *right, const struct split *split, double hit_m);
void truth_free(struct truth *answers);

#endif
