/* train_options.h - what `train` is asked to do. */
#ifndef GVM_CLI_TRAIN_OPTIONS_H
#define GVM_CLI_TRAIN_OPTIONS_H

#include "cli/cli.h"
#include "train/run.h"

struct train_arguments {
    struct common common;
    struct run_options run; /* to be freed with run_options_free, also on failure; with resume only data and cache
                             * count: where they are now, NULL: where they were */
    const char *out, *resume, *preset, *stages, *init, *backbone;
    int augment; /* 1: none */
    bool contrast, force;
    struct config config; /* of --preset and --stages; not read with resume or init */
    long steps;
    double save_minutes;
};

int cmd_train(int argc, char **argv); /* cmd_train.c */

/* GO_ON, or the exit status to end with. */
int train_arguments_read(struct train_arguments *a, int argc, char **argv);

#endif
