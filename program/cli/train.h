/* train.h - shared by the files of `train`: train_options.c reads the options; train_show.c shows the plan, the
 * progress and signals. */
#ifndef GVM_CLI_TRAIN_H
#define GVM_CLI_TRAIN_H

#include "cli/cli.h"
#include "network/parts.h"
#include "train/train.h"

struct arguments {
    struct common common;
    struct run_options run; /* with resume, only data and cache: the new locations; NULL: unchanged */
    const char *out, *resume, *preset, *stages, *init, *backbone;
    int augment; /* 1: none */
    bool contrast, force;
    bool tuned;           /* fine-tunes published weights */
    struct config config; /* of --preset and --stages; not read with resume or init */
    long steps;
    double save_minutes;
};

/* All options except those saved in a run. */
extern const struct option_row train_rows[];

/* Returns GO_ON or the exit status. */
int train_arguments_check(struct arguments *a);

/* For a new run: GVM_ARGUMENT if a given option does not apply to its network. */
gvm_status train_arguments_fit(const struct arguments *a, const struct config *config, gvm_error *err);

/* Then: set options that were not given to the recommendation of the network's method, those fixed by its inputs, and
 * those that --augment none and --contrast no turn off. */
void train_arguments_complete(struct arguments *a, const struct config *config);

/* Last, for weights with an origin: lower the rates, and keep their picture format. */
void train_arguments_tune(struct arguments *a, const struct network *network);

/* And the ground size of pairs without one: the weights'. */
void train_ground_tune(struct arguments *a, struct dataset *data, const struct network *network);

struct train_show {
    struct progress training, other;
    bool quiet, views; /* views: the losses of views are shown, too */
    char what[80];
    long until;    /* the step to stop after; 0: the last one */
    long shown;    /* steps of this session so far */
    double second; /* end of its first step, seconds of the monotonic clock */
};

/* The events that show a training; `show` is zero except for quiet, views and until. */
struct train_events train_show_events(struct train_show *show);
void train_show_end(struct train_show *show);

/* Print the plan to stderr, before the first step. */
void train_show_plan(const struct arguments *a, const char *run, const struct network *network,
                     const struct dataset *data, const struct run_position *position, const struct train_plan *plan);

/* From now on SIGINT, SIGTERM and SIGHUP stop the training after its step, unless they were ignored; a second one ends
 * the process. */
void train_hear_signals(void);

#endif
