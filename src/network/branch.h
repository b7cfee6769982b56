/* branch.h - one view of a network: its backbone, its head, and the forward pass through both. */
#ifndef GVM_NETWORK_BRANCH_H
#define GVM_NETWORK_BRANCH_H

#include "network/parts.h"

struct branch {
    const struct backbone *backbone;
    const struct head *head;
    int H, W;            /* of a picture */
    int pictures;        /* pictures of a place */
    size_t bytes;        /* of them all (picture_bytes) */
    void *body, *top;    /* the backbone's and the head's weights */
    struct pyramid maps; /* the backbone's output for a picture */
    int features;        /* length of the feature */
    int turns;           /* of the backbone: 1, or how many turns of a panorama one pass gives */
    bool frozen;         /* the backbone is not trained: no backward pass, no drop path */
};

/* Open the parts of a view (0 or 1) of a checked configuration, without parameters. Returns false if out of memory;
 * call branch_close in either case. */
bool branch_open(struct branch *branch, const struct config *config, int view);
void branch_close(struct branch *branch);

/* List the parameters of both views and of the method's own weights, in the order of the checkpoint. own: the method's
 * weights, or NULL if the lister only counts. Returns false if out of memory. */
bool branches_list(struct lister *lister, struct branch branches[2], void *own, const struct config *config);

/* Lay out the floats that it keeps beside its parameters; memory NULL: only count. Returns the number of floats. */
size_t branch_plans(struct branch *branch, float *memory, bool training);

/* Features (B, 1, features), normalised to length 1. trace may be NULL.
 *
 *   pixels  (B, pictures, H, W, 3) from tape_pixels
 *   drop    drop path rate of the last block; only in training */
struct tensor *branch_forward(struct trace *trace, struct tape *tape, const struct branch *branch,
                              const uint8_t *pixels, int B, float drop);

/* Features from the maps of such a pass, as of the pictures moved right by turn / turns of a circle, 0 <= turn < turns.
 */
struct tensor *branch_turned(struct tape *tape, const struct branch *branch, struct tensor *const *maps, int turn);

#endif
