/* eval.h - shared by the files of `eval`: cmd_eval.c has the paper's protocol, eval_metres.c recalls in metres on a
 * map. */
#ifndef GVM_CLI_EVAL_H
#define GVM_CLI_EVAL_H

#include "cli/cli.h"

struct arguments {
    struct common common;
    const char *data, *weights, *format, *test, *imagery, *matches, *gallery, *cache;
    const char *index, *photos; /* for recalls in metres */
    int protocol;
    long rows; /* of the gallery's picture */
    bool reverse, json, force, panorama;
};

/* Locate photos of known places, and print the recalls. Returns the exit status. */
int eval_metres(const struct arguments *arguments);

#endif
