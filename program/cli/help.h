/* help.h - what is said of commands, on stdout. */
#ifndef GVM_CLI_HELP_H
#define GVM_CLI_HELP_H

#include "cli/command.h"

/* Of one, in lines of at most 100 columns. */
void print_help(const struct command *command);

/* The manual page's part on all of them, as roff; NULL behind the last. */
void print_manual(const struct command *const *commands);

#endif
