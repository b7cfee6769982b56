/* train.h - what the files of `train` share: train_options.c reads what it is asked to do; train_show.c says its plan,
 * how far it is, that it heard a signal. */
#ifndef GVM_CLI_TRAIN_H
#define GVM_CLI_TRAIN_H

#include "cli/cli.h"
#include "network/parts.h"
#include "train/train.h"

struct arguments {
    struct common common;
    struct run_options run; /* with resume only data and cache count: where they are now, NULL: where they were */
    const char *out, *resume, *preset, *stages, *init, *backbone;
    int augment; /* 1: none */
    bool contrast, force;
    bool tuned;           /* weights that were published learn on */
    struct config config; /* of --preset and --stages; not read with resume or init */
    long steps;
    double save_minutes;
};

/* All but what a run keeps. */
extern const struct option_row train_rows[];

/* GO_ON, or the exit status to end with. */
int train_arguments_check(struct arguments *a);

/* Of a run that begins: GVM_ARGUMENT for an option that was given and that its network has no use for. */
gvm_status train_arguments_fit(const struct arguments *a, const struct config *config, gvm_error *err);

/* Then: what the network's method recommends for options that were not given, what its inputs leave no choice in, and
 * what --augment none and --contrast no turn off. */
void train_arguments_complete(struct arguments *a, const struct config *config);

/* Last, for weights with an origin: lower rates, and the pictures that they know. */
void train_arguments_tune(struct arguments *a, const struct network *network);

/* And what pairs cover that do not say it: what the weights know. */
void train_ground_tune(struct arguments *a, struct dataset *data, const struct network *network);

struct train_show {
    struct progress training, other;
    bool quiet;
    char what[40];
    long until;    /* the step to stop after; 0: the last one */
    long shown;    /* steps of this session so far */
    double second; /* when its first step was done, in seconds of the monotonic clock */
};

/* The events that show a training; `show` is zero but for quiet and until. */
struct train_events train_show_events(struct train_show *show);
void train_show_end(struct train_show *show);

/* On stderr, before the first step. */
void train_show_plan(const struct arguments *a, const char *run, const struct network *network,
                     const struct dataset *data, const struct run_position *position, const struct train_plan *plan);

/* From now on SIGINT, SIGTERM and SIGHUP ask the training to stop, unless they were ignored; a second one ends it. */
void train_hear_signals(void);

#endif
