/* train.h - the training loop: the paper's recipe (its sections 3.3, 3.4 and 4.3). */
#ifndef GVM_TRAIN_TRAIN_H
#define GVM_TRAIN_TRAIN_H

#include "data/dataset.h"
#include "train/evaluate.h"
#include "train/run.h"

/* What the loop tells while it runs, on the calling thread. Each may be NULL. */
struct train_events {
    void *user;
    /* After each step: updates done, of how many; the losses; seconds a step waited for its pictures. */
    void (*step)(void *user, long step, long steps, const struct losses *losses, float rate, double waited);
    /* Pictures of an evaluation. */
    void (*evaluating)(void *user, size_t done, size_t total);
    void (*evaluated)(void *user, int epoch, const struct evaluation *evaluation);
    /* Pictures of the cache that is being made. */
    void (*caching)(void *user, size_t done, size_t total);
    /* A picture that was left out. */
    void (*bad)(void *user, const gvm_error *err);
    /* Asked after each step, and between the pictures of a cache or an evaluation: whether to save and stop. */
    bool (*stop)(void *user);
};

struct train_result {
    struct run_position position;
    bool stopped;           /* by the stop event */
    double waited, seconds; /* for pictures; in all, since this call began to train */
};

/* The data set that the options name, as it was when the run began (options->pairs, which is set where it is not yet
 * known). *data is NULL on failure, else to be freed with dataset_free. As dataset_open; GVM_ARGUMENT where it is
 * another one, or does not fill a batch. */
gvm_status train_data_open(struct dataset **data, struct run_options *options, gvm_error *err);

/* Whether a saved position is one that the run can have had. GVM_FORMAT. */
gvm_status train_position_check(const struct run_position *position, const struct run_options *options,
                                const struct dataset *data, const char *run, gvm_error *err);

/* What a run takes, before it begins. */
struct train_plan {
    long batches, steps;  /* of an epoch, about; of all epochs */
    double memory;        /* bytes on the CPU, at most; what a device takes is not counted */
    double weights;       /* bytes of a file of weights; the state takes three times that */
    double multiply_adds; /* of a step */
};

/* From a network that is not placed. GVM_MEMORY. */
gvm_status train_plan(struct train_plan *plan, const struct network *network, const struct dataset *data,
                      const struct run_options *options, gvm_error *err);

/* Train until the last epoch, or until `steps` updates are done (0: no limit), or until told to stop; save at each
 * epoch's end, every `save_minutes`, and at the end. An evaluation that is stopped is begun again by whoever goes on; a
 * cache goes on as cache.h says. The position's numbers are taken over. `run` is a folder that exists
 * and run_lock holds. network and
 * optimizer are as fresh, or as run_load gave them with the position. Returns the first failure; the state saved last
 * stays. A loss that is not finite is GVM_ARGUMENT with step and rate, and nothing is saved of it. */
gvm_status train(struct train_result *result, const char *run, const struct run_options *options,
                 const struct dataset *data, struct run_position position, struct network *network,
                 struct optimizer *optimizer, long steps, double save_minutes, const struct train_events *events,
                 gvm_error *err);

#endif
