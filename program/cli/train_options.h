/* train_options.h - what `train` is asked to do. */
#ifndef GVM_CLI_TRAIN_OPTIONS_H
#define GVM_CLI_TRAIN_OPTIONS_H

#include "cli/cli.h"
#include "train/run.h"

extern const char train_help[];

struct train_arguments {
    struct common common;
    struct run_options run; /* to be freed with run_options_free, also on failure; not read with resume */
    const char *out, *resume, *init, *backbone;
    char *data, *cache; /* with resume: where they are now; NULL: where they were. To be freed */
    bool force;
    struct config config; /* of --preset and --stages; not read with resume or init */
    long steps;
    double save_minutes;
};

/* GO_ON, or the exit status to end with. a->common is as the caller set it. */
int train_arguments_read(struct train_arguments *a, int argc, char **argv);

#endif
