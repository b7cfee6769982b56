/* run.h - a training run: what was asked for, where it stands, and its files.
 *
 *   RUN/log.jsonl            a line a step, a line an evaluation
 *   RUN/last.safetensors     the network as of the last save
 *   RUN/best.safetensors     the network of the highest R@1 on the test split
 *   RUN/state.safetensors    all that is needed to go on: weights, moments, position
 *
 * Each file is replaced whole or not at all. Everything random is a function of the seed and the position, so the state
 * has no generator in it. */
#ifndef GVM_TRAIN_RUN_H
#define GVM_TRAIN_RUN_H

#include "base/option.h"
#include "image/augment.h"
#include "network/network.h"
#include "optim/optimizer.h"

enum { BAD_STOP, BAD_SKIP };

/* What a run was asked to do; kept in its state, so that --resume needs nothing else. Strings are owned. */
struct run_options {
    char *data, *format, *test;    /* format, test NULL: told by the data set */
    char *imagery;                 /* dataset.h; NULL: in the data set */
    char *cache;                   /* NULL: none */
    uint64_t pairs;                /* the data set's fingerprint (dataset.h); 0: not known */
    double elevation[2], ground_m; /* elevation both 0, ground_m 0: the data set's */
    int epochs, batch, eval_every; /* eval_every 0: never */
    uint64_t seed;
    bool shuffle;
    int on_bad;       /* a picture that cannot be read: BAD_STOP or BAD_SKIP */
    double cluster_m; /* sampler.h */
    int hard;         /* batch_plan.h: the size of a group; 0: none */
    struct augmentation amounts;
    struct loss_options losses;
    struct rates rates;
    float rho, drop_path;
    int neighbours; /* batch_plan.h: epochs from one mining to the next; 0: none. Not with `hard` */
    int clusters;   /* batch_plan.h: the most batches of a pool; 0: none. Not with either */
    struct schedule schedule;
};

/* One row an option, of a field of struct run_options: command line, help, manual page and the saved run are of these.
 * The defaults are the paper's. */
extern const struct option_row run_option_rows[];

/* Where it stands: the next batch to learn from. */
struct run_position {
    long step; /* updates done */
    int epoch, batch;
    bool evaluate; /* first of all the test split, as the epoch that has just ended asks for */
    double best;   /* highest R@1 so far, percent; -1 before the first evaluation */
    /* With a batch plan: the order of the epoch, and each query's nearest tiles where they serve later epochs too. To
     * be freed with run_position_free; else NULL and 0. */
    int *sequence, *nearest;
    size_t sequence_count, nearest_count;
};

void run_position_free(struct run_position *position);

/* Whether they go together, and a state can keep them: it is JSON, so paths and names must be UTF-8. GVM_ARGUMENT. */
gvm_status run_options_check(const struct run_options *options, gvm_error *err);

/* A method's recipe: each option's default, and what the method sets otherwise. To be freed with run_options_free. */
void run_options_recipe(struct run_options *options, const struct method *method);

void run_options_free(struct run_options *options);

/* Take the folder of a run for this process, until the descriptor is closed; -1 where the file system has no locks.
 * GVM_FILE if there is no such folder, or another process has it. */
gvm_status run_lock(int *lock, const char *run, gvm_error *err);

/* Write RUN/state.safetensors, of options that run_options_check accepts. */
gvm_status run_save(const char *run, const struct run_options *options, const struct run_position *position,
                    const struct network *network, const struct optimizer *optimizer, gvm_error *err);

/* Read of it what needs no memory: all but the network and what optimises it. To be freed with run_options_free. */
gvm_status run_about(const char *run, struct run_options *options, struct run_position *position, struct config *config,
                     gvm_error *err);

/* Read it: options and position, and a network and an optimiser as they were. All to be freed by the caller; on failure
 * there is nothing to free. */
gvm_status run_load(const char *run, struct run_options *options, struct run_position *position,
                    struct network **network, struct optimizer **optimizer, gvm_error *err);

#endif
