/* train_options.h - what `train` is asked to do. */
#ifndef GVM_CLI_TRAIN_OPTIONS_H
#define GVM_CLI_TRAIN_OPTIONS_H

#include "cli/cli.h"
#include "network/parts.h"
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

/* All but what a run keeps. */
extern const struct option_row train_rows[];

/* GO_ON, or the exit status to end with. */
int train_arguments_read(struct train_arguments *a, const struct command *command, int argc, char **argv);

/* Of a run that begins: what the network's method recommends for options that were not given, then what --augment none
 * and --contrast no turn off. */
void train_arguments_complete(struct train_arguments *a, const struct method *method);

#endif
