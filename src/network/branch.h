/* branch.h - one view of a network: its backbone, its head, and the forward pass through both. */
#ifndef GVM_NETWORK_BRANCH_H
#define GVM_NETWORK_BRANCH_H

#include "network/parts.h"

struct branch {
    const struct backbone *backbone;
    const struct head *head;
    int H, W;            /* of a picture */
    int pictures;        /* of a place */
    void *body, *top;    /* the backbone's and the head's weights */
    struct pyramid maps; /* what the backbone makes of a picture */
    int features;        /* length of the feature */
    bool frozen;         /* in training, its backbone stays as it is: it takes no backward pass and drops no path */
};

/* The parts of a view (0 or 1) of a configuration whose ranges are checked, without parameters. False if memory is
 * short; branch_close in either case. */
bool branch_open(struct branch *branch, const struct config *config, int view);
void branch_close(struct branch *branch);

/* Bytes of all pictures of a place. */
static inline size_t branch_bytes(const struct branch *branch)
{
    return (size_t)branch->pictures * (size_t)branch->H * (size_t)branch->W * 3;
}

/* List the parameters of both views and of the method's own weights, own (NULL: dry, from a lister that counts). The
 * order is the checkpoint's. False if memory is short. */
bool branches_list(struct lister *lister, struct branch branches[2], void *own, const struct config *config);

/* Floats that it keeps beside its parameters, laid out in memory; memory NULL: only counts them. */
size_t branch_plans(struct branch *branch, float *memory, bool training);

/* Features (B, 1, features) of length 1; trace may be NULL. pixels (B, pictures, H, W, 3) as tape_pixels gives them.
 * drop: the rate of the last block's drop path; only in training. */
struct tensor *branch_forward(struct trace *trace, struct tape *tape, const struct branch *branch,
                              const uint8_t *pixels, int B, float drop);

#endif
