/* evaluate_split.h - embeds and evaluates a split of a data set, and finds the right tiles of its queries. */
#ifndef GVM_TRAIN_EVALUATE_SPLIT_H
#define GVM_TRAIN_EVALUATE_SPLIT_H

#include "train/evaluate.h"
#include "train/features.h"

/* Embed both sides of a split and evaluate.
 *
 *   rankings  out: (queries), or (tiles with a query) if reverse; freed by the caller; may be NULL
 *   reverse   aerial to street; tiles without a query are left out
 *   progress  may be NULL. If it asks to stop: GVM_OK with out->queries 0 and no rankings
 *
 * Fails with GVM_FILE or GVM_IMAGE and the name of an unreadable picture. */
gvm_status evaluate_split(struct evaluation *out, struct ranking **rankings, const struct network *network,
                          const struct pictures *pictures, const struct split *split, bool reverse,
                          features_progress *progress, void *user, gvm_error *err);

/* The same for features that are embedded already; reverse takes one look of a query and reorders the tiles' features.
 * Fails with GVM_MEMORY. */
gvm_status evaluate_features(struct evaluation *out, struct ranking **rankings, struct features *features,
                             const struct split *split, double hit_m, bool reverse, gvm_error *err);

/* Returns true if a tile is right for a query: its own, or any within hit_m metres of its position. */
bool truth_holds(const struct split *split, int query, int tile, double hit_m);

/* List the right tiles of all queries in ascending order. hit_m is used only if all tiles have positions. The caller
 * frees it with truth_free, also on failure. Returns false if out of memory. */
bool truth_list(struct truth *right, const struct split *split, double hit_m);
void truth_free(struct truth *answers);

#endif
