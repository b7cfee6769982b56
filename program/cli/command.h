/* command.h - a subcommand as data: its name, its help texts, its options as rows (base/option.h). The command line
 * (options.c), --help and the manual page (help.c) are generated from it.
 *
 *     struct arguments {
 *         struct common common; // first long top;
 *     };
 *     static const struct option_row rows[] = {...};
 *     const struct command locate_command = {.rows = rows, .size = sizeof(struct arguments), .run = locate, ...};
 */
#ifndef GVM_CLI_COMMAND_H
#define GVM_CLI_COMMAND_H

#include "base/option.h"
#include "cli/print.h"

struct command {
    const char *name, *summary;    /* the summary for the list of commands */
    const char *usage;             /* the arguments after the name, one form per line */
    const char *about;             /* paragraphs, one per line; "term\ttext" explains a term */
    const struct option_row *rows; /* of its own arguments */
    const struct option_row *more; /* of another struct that its arguments hold at more_at; NULL: none */
    size_t more_at;
    bool device;          /* it runs a network: --device and --precision */
    const char *operand;  /* the name of an operand, "photo"; NULL: takes none */
    int least, most;      /* operands; most 0: any number */
    const char *notes;    /* a paragraph after the options; NULL: none */
    const char *examples; /* lines, as typed */
    size_t size;          /* of its arguments: a struct that begins with struct common, zero except for the defaults */
    int (*run)(void *arguments); /* returns the exit status */
};

enum { OPTIONS_MOST = 96 };

/* The start of every command's arguments. */
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

/* Iterates over all options of a command and the titles between them: start with {.command = command}. */
struct option_cursor {
    const struct command *command;
    const struct option_row *row;
    int table; /* 0: the command's own; 1: more; 2: device; 3: common to all commands */
    int number;
    size_t base; /* of the row's fields in the arguments */
};

bool option_next(struct option_cursor *cursor);

/* Print help to stdout: of one command, in lines of at most 100 columns; of all (NULL after the last), the manual
 * page's part, as roff. */
void print_help(const struct command *command);
void print_manual(const struct command *const *commands);

/* Set defaults, read the command line, choose threads and device, and run the command; its arguments are followed by
 * room for all words. Returns the exit status, also after printing --help or, on stderr, a usage error. */
int command_run(const struct command *command, int argc, char **argv);

/* Whether an option was given; the name must be one of the command's. */
bool option_given(const struct common *common, const char *name);

/* The first of these that was given, or NULL; names end with NULL. */
const char *options_given(const struct common *common, const char *const *names);

/* The first given option of the command that is none of these, or NULL. Options common to all commands do not count. */
const char *options_given_but(const struct common *common, const char *const *names);

#endif
