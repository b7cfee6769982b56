/* learn.h - one training step: ASAM's two passes with the same drop paths, then AdamW from the weights before the
 * climb.
 *
 * On a device the whole step is recorded when it runs for the second time, and replayed from then on. */
#ifndef GVM_NETWORK_LEARN_H
#define GVM_NETWORK_LEARN_H

#include "network/network.h"
#include "optim/optimizer.h"

struct learner {
    struct network *network;
    struct optimizer *optimizer;
    struct tape *tape;
    int B;
    struct loss_options losses;
    float rho, drop;         /* rho 0: no climb, one pass */
    struct step_input input; /* of the current step */
    struct losses first;
    bool short_of_memory;
};

/* Cost of a step of B pairs on the CPU. */
struct learner_needs {
    double bytes;         /* activations and scratch, without weights, gradients and the optimiser's state */
    double multiply_adds; /* forward and twice that for backward, for each pass */
};

/* Measured by a dry run, which takes little memory, on a network that is not placed. Fails with GVM_MEMORY. */
gvm_status learner_need(struct learner_needs *needs, const struct network *network, int B,
                        const struct loss_options *losses, float rho, gvm_error *err);

/* Open for steps of B >= 2 pairs, on a placed network and its optimiser; the caller owns both, and they must outlive
 * the learner. A zero-initialised learner may be closed. Fails with GVM_MEMORY or GVM_DEVICE. */
gvm_status learner_open(struct learner *learner, struct network *network, struct optimizer *optimizer, int B,
                        const struct loss_options *losses, float rho, float drop, uint64_t seed, gvm_error *err);
void learner_close(struct learner *learner);

/* Take the next batch (struct step_input); on a device it is copied asynchronously, even while a step is computed. On
 * the CPU the buffers must stay unchanged until the step is finished; on a device they may be reused at once. allowed:
 * given for all batches or for none. */
void learner_take(struct learner *learner, const uint8_t *street, const uint8_t *aerial, const uint8_t *allowed);

/* Begin the step on the batch taken last. number: the step's number, which seeds the drop paths; factor: of the
 * schedule, on every learning rate. */
void learner_start(struct learner *learner, long number, float factor);

/* Wait for the step and return the losses of its first pass. Updates the weights unless the loss is not finite, which
 * fails with GVM_ARGUMENT. Also fails with GVM_MEMORY if a product ran out of memory, or GVM_DEVICE; the weights are
 * then undefined. */
gvm_status learner_finish(struct losses *losses, struct learner *learner, gvm_error *err);

/* Copy weights, gradients and moments from the device to the host; does nothing on the CPU. */
gvm_status learner_fetch(struct learner *learner, gvm_error *err);

#endif
