/* train.h - the training loop: the paper's recipe (its sections 3.3, 3.4 and 4.3). */
#ifndef GVM_TRAIN_TRAIN_H
#define GVM_TRAIN_TRAIN_H

#include "data/dataset.h"
#include "train/evaluate.h"
#include "train/run.h"

/* Callbacks of the loop, on the calling thread. Each may be NULL. */
struct train_events {
    void *user;
    /* After each step: updates done and in all; the losses, with the names of their terms; seconds that the step waited
     * for its pictures. */
    void (*step)(void *user, long step, long steps, const struct losses *losses, float rate, double waited);
    /* Pictures embedded of an evaluation. */
    void (*evaluating)(void *user, size_t done, size_t total);
    /* narrow: of strips of 90 degrees, if the network learns from views, else NULL. */
    void (*evaluated)(void *user, int epoch, const struct evaluation *evaluation, const struct evaluation *narrow);
    /* Pictures added to the cache. */
    void (*caching)(void *user, size_t done, size_t total);
    /* A picture that was left out. */
    void (*bad)(void *user, const gvm_error *err);
    /* Called after each step, and between pictures of a cache or an evaluation; returns true to save and stop. */
    bool (*stop)(void *user);
};

struct train_result {
    struct run_position position;
    bool stopped;           /* by the stop event */
    double waited, seconds; /* waiting for pictures; total since this call began to train */
};

/* Open the data set in the options and check that it has not changed since the run began (options->pairs, which is set
 * if it is unknown). The caller frees it with dataset_free; *data is NULL on failure. Fails as dataset_open, or with
 * GVM_ARGUMENT if the data set has changed or does not fill a batch. */
gvm_status train_data_open(struct dataset **data, struct run_options *options, gvm_error *err);

/* Check that a saved position is possible for this run. Fails with GVM_FORMAT. */
gvm_status train_position_check(const struct run_position *position, const struct run_options *options,
                                const struct dataset *data, const char *run, gvm_error *err);

/* Estimates for a run before it begins. */
struct train_plan {
    long batches, steps;  /* approximate batches of an epoch; steps of all epochs */
    double memory;        /* bytes on the CPU, upper bound; without a device's memory */
    double weights;       /* bytes of a weights file; the state is three times as large */
    double multiply_adds; /* of a step */
};

/* The network must not be placed. Fails with GVM_MEMORY. */
gvm_status train_plan(struct train_plan *plan, const struct network *network, const struct dataset *data,
                      const struct run_options *options, gvm_error *err);

/* Train until the last epoch, until `steps` updates are done (0: no limit), or until the stop event; save at the end of
 * each epoch, every `save_minutes`, and at the end. An interrupted evaluation is repeated after a resume; an
 * interrupted cache is continued (cache.h).
 *
 *   run         an existing folder, locked with run_lock
 *   position    where to begin; its arrays are taken over
 *   network, optimizer  newly initialised, or from run_load with the position
 *
 * Returns the first failure; the last saved state is kept. A loss that is not finite fails with GVM_ARGUMENT, naming
 * step and learning rate, and nothing of that step is saved. */
gvm_status train(struct train_result *result, const char *run, const struct run_options *options,
                 const struct dataset *data, struct run_position position, struct network *network,
                 struct optimizer *optimizer, long steps, double save_minutes, const struct train_events *events,
                 gvm_error *err);

#endif
