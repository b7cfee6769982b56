/* options.h - the command line, by a command's rows.
 *
 *     struct arguments {
 *         struct common common; // first of all
 *         long top;
 *     };
 *     static const struct option_row rows[] = {...};
 *     const struct command locate_command = {.name = "locate", .rows = rows, .run = cmd_locate, ...};
 *
 *     struct arguments a = {0};
 *     int end = options_read(&a.common, &locate_command, argc, argv);
 *     if (end != GO_ON) return end;
 */
#ifndef GVM_CLI_OPTIONS_H
#define GVM_CLI_OPTIONS_H

#include "cli/command.h"
#include "cli/print.h"

/* Set defaults and read the command line. GO_ON, or the exit status to end with: --help was printed, or one sentence on
 * stderr says what is wrong. `common` begins the arguments; threads and device are chosen. */
int options_read(struct common *common, const struct command *command, int argc, char **argv);

/* Whether an option was given; the name must be one of the command's. */
bool option_given(const struct common *common, const char *name);

/* The first of these that was given, or NULL; names end with NULL. */
const char *options_given(const struct common *common, const char *const *names);

/* The first given option of the command that is none of these, or NULL. Those that all commands have do not count. */
const char *options_given_but(const struct common *common, const char *const *names);

#endif
