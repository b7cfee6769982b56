/* learn.c - see learn.h */
#include "network/learn.h"

#include <math.h>

#include "base/error.h"
#include "network/place.h"
#include "tensor/device.h"
#include "tensor/gemm.h"

enum { RECORDING = 1 /* the key of the recorded step */ };

gvm_status learner_need(struct learner_needs *needs, const struct network *network, int B,
                        const struct loss_options *losses, float rho, gvm_error *err)
{
    struct tape *tape;
    gvm_status status = network_tape(&tape, network, true, err);
    if (status != GVM_OK) return status;
    network->config.method->learn(tape, network, &(struct step_input){0}, B, losses, 0);
    double forward = (double)counts_all(&tape->counts), both = forward - (double)tape->one_way;
    needs->bytes = (double)sizeof(float) * ((double)tape->need + (double)tape->scratch_need);
    needs->multiply_adds = (rho > 0 ? 2 : 1) * (forward + 2 * both);
    tape_free(tape);
    return GVM_OK;
}

gvm_status learner_open(struct learner *l, struct network *network, struct optimizer *optimizer, int B,
                        const struct loss_options *losses, float rho, float drop, uint64_t seed, gvm_error *err)
{
    *l = (struct learner){
        .network = network, .optimizer = optimizer, .B = B, .losses = *losses, .rho = rho, .drop = drop};
    gvm_status status = network_tape(&l->tape, network, true, err);
    if (status != GVM_OK) return status;
    l->tape->seed = seed;
    network->config.method->learn(l->tape, network, &(struct step_input){0}, B, losses, drop);
    status = tape_allocate(l->tape, err);
    return status == GVM_OK ? optimizer_to_device(optimizer, l->tape, err) : status;
}

void learner_close(struct learner *l)
{
    if (l->optimizer) optimizer_leave_device(l->optimizer);
    tape_free(l->tape);
    *l = (struct learner){0};
}

void learner_take(struct learner *l, const uint8_t *street, const uint8_t *aerial, const uint8_t *allowed)
{
    const struct network *n = l->network;
    size_t each[2];
    for (int v = 0; v < 2; v++) each[v] = n->views[v].bytes * (size_t)l->B;
    l->input.street = tape_pixels(l->tape, GVM_STREET, street, (l->losses.views ? 2 : 1) * each[GVM_STREET]);
    l->input.aerial =
        tape_pixels(l->tape, GVM_AERIAL, aerial, (size_t)n->config.method->aerial_each * each[GVM_AERIAL]);
    if (allowed) l->input.allowed = tape_pixels(l->tape, TAPE_ALLOWED, allowed, (size_t)l->B * (size_t)l->B);
}

/* Forward and backward passes, with ASAM's climb after the first. On the CPU a failed pass ends the step. */
static void run_passes(struct learner *l, float factor)
{
    const struct method *method = l->network->config.method;
    struct tape *tape = l->tape;
    unsigned failures = gemm_failures();
    int passes = 0;
    do {
        if (l->network->home)
            tape->device->clear_gradients(tape);
        else
            network_clear_gradients(l->network);
        tape_reset(tape);
        method->learn(tape, l->network, &l->input, l->B, &l->losses, l->drop);
        struct losses now = method->losses(tape, &l->losses);
        tape_backward(tape);
        if (passes++ == 0) l->first = now;
        l->short_of_memory = gemm_failures() != failures;
        if (!isfinite(now.total) || l->short_of_memory) return;
        if (passes == 1 && l->rho > 0) asam_climb(l->optimizer, l->rho);
    } while (l->rho > 0 && passes < 2);
    if (passes == 2) asam_return(l->optimizer);
    optimizer_update(l->optimizer, factor);
}

void learner_start(struct learner *l, long number, float factor)
{
    float corrections[2];
    optimizer_corrections(corrections, &l->optimizer->rates, l->optimizer->step);
    struct step_numbers numbers = {(uint64_t)number, factor, corrections[0], corrections[1]};
    l->tape->step = (uint64_t)number;
    if (tape_replays(l->tape, RECORDING, &numbers)) {
        l->optimizer->step++;
        return;
    }
    run_passes(l, factor);
    tape_recorded(l->tape);
}

gvm_status learner_finish(struct losses *losses, struct learner *l, gvm_error *err)
{
    gvm_status status = tape_wait(l->tape, err);
    if (status != GVM_OK) return status;
    if (l->network->home) l->first = l->network->config.method->losses(l->tape, &l->losses);
    *losses = l->first;
    if (l->short_of_memory) return fail(err, GVM_MEMORY, "out of memory in a training step");
    if (isfinite(l->first.total) && isfinite(l->tape->loss)) return GVM_OK;
    return fail(err, GVM_ARGUMENT, "the loss is not finite");
}

gvm_status learner_fetch(struct learner *l, gvm_error *err)
{
    if (l->network == NULL) return GVM_OK; /* not open */
    gvm_status status = network_fetch(l->network, err);
    return status == GVM_OK ? optimizer_fetch(l->optimizer, err) : status;
}
