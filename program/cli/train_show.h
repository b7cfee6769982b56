/* train_show.h - what `train` says: its plan, how far it is, that it heard a signal. */
#ifndef GVM_CLI_TRAIN_SHOW_H
#define GVM_CLI_TRAIN_SHOW_H

#include "cli/train_options.h"
#include "train/train.h"

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
