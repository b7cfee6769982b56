/* bench.c - see bench.h: the machine's peak, the network that is timed, and its training step. */
#include "cli/bench.h"

#include <math.h>

#include "base/clock.h"
#include "base/parallel.h"
#include "network/checkpoint.h"
#include "network/config_file.h"
#include "network/place.h"
#include "tensor/device.h"
#include "tensor/gemm.h"
#include "tensor/kernels.h"
#include "train/run.h"

void lower_to(double *best, double value)
{
    if (*best == 0 || value < *best) *best = value;
}

static void run_fma(void *argument, struct team team)
{
    double operations = kernels()->peak(3000000);
    if (team.rank == 0) *(double *)argument = operations * team.size;
}

void measure_peak(struct peak *peak, struct tape *tape)
{
    if (tape && tape->device->peak) {
        peak->product = fmax(peak->product, 1e-9 * tape->device->peak(tape));
        return;
    }
    double operations, start = clock_seconds();
    parallel_run(run_fma, &operations);
    peak->fma = fmax(peak->fma, operations / (clock_seconds() - start) * 1e-9);
    peak->product = fmax(peak->product, gemm_peak());
}

double peak_of(const struct peak *peak)
{
    return fmax(peak->fma, peak->product);
}

/* ------------------------------------------------------------------ the network */

/* A network with nonzero weights everywhere: initial norms or scales of 0 would cancel a block's output.
 */
gvm_status bench_network(struct network **network, const struct arguments *b, bool training, gvm_error *err)
{
    if (b->weights) return checkpoint_load(network, b->weights, training, err);
    struct config config;
    gvm_status status = config_preset(&config, b->preset, err);
    if (status == GVM_OK) status = network_open(network, &config, training, err);
    if (status != GVM_OK) return status;
    network_fresh(*network, 1);
    for (int i = 0; i < (*network)->param_count; i++) {
        struct param *p = &(*network)->params[i];
        if (p->first.kind == LAW_CONSTANT && fabsf(p->first.amount) < 1e-3f)
            for (size_t k = 0; k < p->count; k++) p->data[k] = 0.1f;
    }
    return GVM_OK;
}

gvm_status bench_training_open(struct bench_training *t, const struct arguments *b, gvm_error *err)
{
    *t = (struct bench_training){0};
    gvm_status status = bench_network(&t->network, b, true, err);
    if (status != GVM_OK) return status;
    const struct network *n = t->network;
    struct run_options o;
    run_options_recipe(&o, n->config.method);
    t->passes = o.rho > 0 ? 2 : 1;
    t->amounts = o.amounts;
    status = optimizer_open(&t->optimizer, n->params, n->param_count, n->weights, n->grads, n->floats, &o.rates, err);
    if (status == GVM_OK) status = network_place(t->network, err);
    if (status == GVM_OK)
        status = learner_open(&t->learner, t->network, t->optimizer, (int)b->batch, &o.losses, o.rho, 0, 1, err);
    run_options_free(&o);
    return status;
}

void bench_training_close(struct bench_training *t)
{
    learner_close(&t->learner);
    optimizer_free(t->optimizer);
    network_free(t->network);
}

gvm_status bench_step(struct bench_training *t, const uint8_t *street, const uint8_t *aerial, gvm_error *err)
{
    struct losses losses;
    bool device = t->network->home != NULL;
    if (!device || t->learner.input.street == NULL) learner_take(&t->learner, street, aerial, NULL);
    learner_start(&t->learner, t->optimizer->step, 1);
    if (device) learner_take(&t->learner, street, aerial, NULL);
    return learner_finish(&losses, &t->learner, err);
}
