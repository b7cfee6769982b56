/* learn.h - one update of a network: ASAM's two passes with the same drop paths, then AdamW from where the climb began.
 *
 * On a device the whole step is recorded at its second run and repeated from then on. */
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
    struct step_input input; /* of the step that is under way */
    struct losses first;
    bool short_of_memory;
};

/* What a step of B pairs takes on the CPU. */
struct learner_needs {
    double bytes;         /* of maps and scratch, without weights, gradients and the optimiser's */
    double multiply_adds; /* of the step: forward, and twice as much backward, for each of its passes */
};

/* By a dry run, which takes no memory to speak of, from a network that is not placed. GVM_MEMORY. */
gvm_status learner_need(struct learner_needs *needs, const struct network *network, int B,
                        const struct loss_options *losses, float rho, gvm_error *err);

/* For B pairs a step, B >= 2, from a placed network and its optimiser, which stay the caller's and must outlive the
 * learner. All zero is fine to be closed. GVM_MEMORY, GVM_DEVICE. */
gvm_status learner_open(struct learner *learner, struct network *network, struct optimizer *optimizer, int B,
                        const struct loss_options *losses, float rho, float drop, uint64_t seed, gvm_error *err);
void learner_close(struct learner *learner);

/* Take a batch to where it is learned from, which on a device may go on while another step is computed: step_input says
 * what it is. On the CPU all must stay until the step is done, on a device they need not. allowed: for all batches or
 * for none. */
void learner_take(struct learner *learner, const uint8_t *street, const uint8_t *aerial, const uint8_t *allowed);

/* Begin the step on the batch taken last. number: of the drop paths' draws; factor: on every rate. */
void learner_start(struct learner *learner, long number, float factor);

/* Its losses, those of the first pass; the weights are updated, but for a loss that is not finite: GVM_ARGUMENT.
 * GVM_MEMORY where a product found none; then, and on GVM_DEVICE, the weights are void. */
gvm_status learner_finish(struct losses *losses, struct learner *learner, gvm_error *err);

/* Weights, gradients and moments from the device to the host, where there is one. */
gvm_status learner_fetch(struct learner *learner, gvm_error *err);

#endif
