/* eval.h - shared by the files of `eval`: cmd_eval.c has the paper's protocol, eval_fov.c DSM's with limited fields of
 * view, eval_metres.c recalls in metres on a map. */
#ifndef GVM_CLI_EVAL_H
#define GVM_CLI_EVAL_H

#include "cli/cli.h"
#include "data/cache.h"
#include "network/network.h"

struct arguments {
    struct common common;
    const char *data, *weights, *format, *test, *imagery, *matches, *gallery, *cache;
    const char *index, *photos; /* for recalls in metres */
    const char *fov;            /* for limited fields of view; NULL: none */
    int protocol, heading;
    double inner;
    long rows; /* of the gallery's picture */
    long seed;
    bool reverse, json, force, panorama;
};

/* A network and a data set on which it is evaluated. */
struct eval_job {
    struct network *network;
    struct dataset *data;
    struct cache *cache;
    struct pictures pictures;
    struct progress progress;
};

/* Evaluate limited fields of view and print the figures. Fails with GVM_ARGUMENT if the list of fields of view is
 * invalid, or as evaluate_fov; the exit status goes to *end. */
gvm_status eval_fov(int *end, struct eval_job *job, const struct arguments *arguments, gvm_error *err);

/* Check the list of fields of view. Returns GO_ON or the exit status. */
int eval_fov_check(const struct arguments *arguments);

/* Show the progress of an evaluation; a features_progress (train/features.h). */
bool eval_show_pictures(void *progress, size_t done, size_t total);

/* Locate photos of known places, and print the recalls. Returns the exit status. */
int eval_metres(const struct arguments *arguments);

#endif
