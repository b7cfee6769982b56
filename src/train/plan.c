/* plan.c - time and memory of a run, computed before it begins (train.h). */
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/file.h"
#include "data/loader.h"
#include "network/learn.h"
#include "train/batch_plan.h"
#include "train/train.h"

/* Fail because there are fewer pairs than the batch size. */
static gvm_status fail_small(gvm_error *err, const struct run_options *o, const struct dataset *data)
{
    const struct split *train = &data->train;
    char why[400] = "";
    if (data->left_out > 0)
        snprintf(why, sizeof why, "; %d pairs are left out because a picture is missing (%.300s)", data->left_out,
                 data->missing ? data->missing : "");
    else if (data->note[0] != '\0')
        snprintf(why, sizeof why, "; %s", data->note);
    return fail(err, GVM_ARGUMENT,
                "%s: %d street pictures on %d tiles do not fill one batch of size %d with different places%s%s",
                path_tail(o->data), train->query_count, train->tile_count, o->batch, why,
                train->query_count > 1 && train->tile_count > 1 ? "; lower --batch" : "");
}

gvm_status train_data_open(struct dataset **data, struct run_options *o, gvm_error *err)
{
    struct dataset_options d = {.format = o->format, .test = o->test, .ground_m = o->ground_m, .imagery = o->imagery};
    d.elevation = o->elevation[0] < o->elevation[1] ? o->elevation : NULL;
    gvm_status status = dataset_open(data, o->data, &d, err);
    if (status != GVM_OK) return status;
    const struct split *train = &(*data)->train;
    uint64_t pairs = 0;
    status = dataset_fingerprint(&pairs, *data, err);
    if (status == GVM_OK && o->pairs != 0 && o->pairs != pairs)
        status = fail(err, GVM_ARGUMENT,
                      "%s: its pairs or pictures differ from those that the run began with; name the right folder with "
                      "--data, or begin a new run with --init RUN/last.safetensors",
                      path_tail(o->data));
    if (status == GVM_OK && (train->query_count < o->batch || train->tile_count < o->batch))
        status = fail_small(err, o, *data);
    o->pairs = pairs;
    if (status == GVM_OK) return GVM_OK;
    dataset_free(*data);
    *data = NULL;
    return status;
}

/* An epoch may have fewer batches than the pairs could fill, but never more. */
gvm_status train_position_check(const struct run_position *p, const struct run_options *o, const struct dataset *data,
                                const char *run, gvm_error *err)
{
    long most = data->train.query_count / o->batch, batch = p->batch;
    bool fine = p->epoch <= o->epochs && batch <= most && batch <= p->step && (p->epoch < o->epochs || batch == 0) &&
                p->step <= p->epoch * most + batch && (!p->evaluate || (p->epoch > 0 && batch == 0));
    if (fine) return GVM_OK;
    return fail(err, GVM_FORMAT,
                "%s/state.safetensors: it is corrupt: its position (step %ld, epoch %d, batch %ld) is out of range for "
                "%d epochs of %ld batches; begin a new run with --init %s/last.safetensors",
                path_tail(run), p->step, p->epoch, batch, o->epochs, most, path_tail(run));
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

gvm_status train_plan(struct train_plan *plan, const struct network *network, const struct dataset *data,
                      const struct run_options *o, gvm_error *err)
{
    struct learner_needs needs;
    gvm_status status = pictures_check(data, &network->config, err);
    const struct loss_options losses = run_options_losses(o, &network->config);
    if (losses.views && !(losses.panorama + losses.view + losses.agreement + losses.variants > 0))
        return fail(err, GVM_ARGUMENT, "the weights of all losses are 0; give a --panorama-weight or --view-weight");
    if (status == GVM_OK) status = learner_need(&needs, network, o->batch, &losses, o->rho, err);
    if (status != GVM_OK) return status;
    const struct split *train = &data->train, *test = &data->test;
    double street = (double)network->views[GVM_STREET].bytes;
    double aerial = (double)network->views[GVM_AERIAL].bytes;
    double read =
        LOADER_RING * o->batch * ((losses.views ? 2 : 1) * street + network->config.method->aerial_each * aerial);
    double compared = o->eval_every > 0 ? (double)test->query_count + test->tile_count : 0;
    if (batch_plan_of(o, train).size > 0) compared = larger(compared, (double)train->query_count + train->tile_count);
    plan->batches = train->query_count / o->batch;
    plan->steps = plan->batches * o->epochs;
    plan->weights = sizeof(float) * (double)network_parameters(network);
    plan->memory = 5 * sizeof(float) * (double)network->floats + needs.bytes + read +
                   compared * network->views[0].features * sizeof(float);
    plan->multiply_adds = needs.multiply_adds;
    return GVM_OK;
}
