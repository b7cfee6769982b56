/* options.h - the command line, by a command's rows.
 *
 *     struct arguments {
 *         struct common common; // first of all
 *         long top;
 *     };
 *     static const struct option_row rows[] = {...};
 *     const struct command locate_command = {.rows = rows, .size = sizeof(struct arguments), .run = locate, ...};
 */
#ifndef GVM_CLI_OPTIONS_H
#define GVM_CLI_OPTIONS_H

#include "cli/command.h"
#include "cli/print.h"

/* Set defaults, read the command line, choose threads and device, and run the command; behind its arguments is room for
 * all words. Returns the exit status: --help may have been printed, or one sentence on stderr say what is wrong. */
int command_run(const struct command *command, int argc, char **argv);

/* Whether an option was given; the name must be one of the command's. */
bool option_given(const struct common *common, const char *name);

/* The first of these that was given, or NULL; names end with NULL. */
const char *options_given(const struct common *common, const char *const *names);

/* The first given option of the command that is none of these, or NULL. Those that all commands have do not count. */
const char *options_given_but(const struct common *common, const char *const *names);

#endif
