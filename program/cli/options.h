/* options.h - a subcommand as data: its name, what its help says, its options as rows (base/option.h). The command
 * line,
 * --help and the manual page are made of it.
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

#include "base/option.h"
#include "cli/print.h"

struct command {
    const char *name, *summary;    /* the summary for the list of commands */
    const char *usage;             /* what follows the name, a line each */
    const char *about;             /* paragraphs, a line each; "term\ttext" explains a term */
    const struct option_row *rows; /* of its own arguments */
    const struct option_row *more; /* of another struct that its arguments hold at more_at; NULL: none */
    size_t more_at;
    bool device;          /* it runs a network: --device and --precision */
    const char *operand;  /* what follows the options, "photo"; NULL: nothing */
    int least, most;      /* of them; most 0: any number */
    const char *notes;    /* a paragraph behind the options; NULL: none */
    const char *examples; /* lines, as typed */
    int (*run)(int argc, char **argv);
};

enum { OPTIONS_MOST = 96 };

/* What every command's arguments begin with. */
struct common {
    const struct command *command;
    const char *name; /* the command's */
    bool quiet;       /* no progress */
    bool cuda;        /* --device cuda */
    int device, precision, threads;
    char **operands;
    int operand_count;
    bool given[OPTIONS_MOST]; /* by the option's number (option_cursor) */
};

/* Set defaults and read the command line. GO_ON, or the exit status to end with: --help was printed, or one sentence on
 * stderr says what is wrong. `common` begins the arguments; threads and device are chosen. */
int options_read(struct common *common, const struct command *command, int argc, char **argv);

/* Whether an option was given; the name must be one of the command's. */
bool option_given(const struct common *common, const char *name);

/* The first of these that was given, or NULL; names end with NULL. */
const char *options_given(const struct common *common, const char *const *names);

/* The first given option of the command that is none of these, or NULL. Those that all commands have do not count. */
const char *options_given_but(const struct common *common, const char *const *names);

/* Over all options of a command, and the titles between them: start with {.command = command}. */
struct option_cursor {
    const struct command *command;
    const struct option_row *row;
    int table; /* 0: the command's own; 1: more; 2: device; 3: what all commands have */
    int number;
    size_t base; /* of the row's fields in the arguments */
};

bool option_next(struct option_cursor *cursor);

/* help.c: --help, and the manual page's part on the commands (NULL behind the last), on stdout. */
void print_help(const struct command *command);
void print_manual(const struct command *const *commands);

#endif
