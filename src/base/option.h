/* option.h - options as a table. Each row is a field of a struct: its name, type, range, default and what it is for.
 * One row serves the command line, its help and the manual page (program/cli/command.h), and the JSON of a saved run
 * (train/run_json.c); so a new option is a field, a row, and its use.
 *
 *     static const struct option_row rows[] = {
 *         {"top", OPTION_INT, offsetof(struct arguments, top), "K", 1, 1000, "5", .help = "answers a photo"}, {0}};
 */
#ifndef GVM_BASE_OPTION_H
#define GVM_BASE_OPTION_H

#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "geoviewmatch.h"

enum option_type {
    OPTION_END,    /* behind the last row */
    OPTION_TITLE,  /* no option: `help` stands above the rows that follow */
    OPTION_FLAG,   /* bool; takes no value */
    OPTION_YES,    /* bool: yes or no */
    OPTION_CHOICE, /* int: which of the argument's words, "cpu|cuda"; -1 if there is no default */
    OPTION_INT,
    OPTION_LONG, /* also int64_t, uint64_t and size_t */
    OPTION_FLOAT,
    OPTION_DOUBLE,
    OPTION_PAIR, /* double[2], rising, as "-45,45"; both 0 while it is not given */
    OPTION_TEXT, /* const char *, which outlives the struct; one of the argument's words if it has several */
    OPTION_COPY, /* char *, a copy that options_free frees */
    OPTION_OTHER /* what `read` makes of it */
};

struct option_row {
    const char *name; /* as typed, without "--"; also the key in JSON */
    enum option_type type;
    size_t at;                   /* the field's offset */
    const char *argument;        /* how help calls the value, "N", or the words it may be, "cpu|cuda" */
    double low, high;            /* of a number; high may be INFINITY */
    const char *standard;        /* the default as it would be typed; NULL: the field is left as it is */
    const char *help;            /* without range and default, which are added */
    const char *takes;           /* in a refusal: a number's kind ("metres"), or all that is taken. NULL: by the type */
    const char *(*words)(int i); /* the words it may be, if the argument does not list them; NULL behind the last */
    bool (*read)(void *fields, const char *text); /* of OPTION_OTHER: false if the text is not what it takes */
    const char *with;                             /* an option that must be given too */
    double unit;                                  /* what a whole number is multiplied by; 0: nothing */
    bool needed;                                  /* must be given */
    bool or_zero;                                 /* 0 is taken beside the range, and stands for none */
    bool saved;                                   /* in JSON alone, not on the command line */
    bool more;                                    /* takes all words up to the next option */
};

/* Set the fields that have a default, and choices to -1. */
void options_default(const struct option_row *rows, void *fields);

/* Free the copies and forget them. */
void options_free(const struct option_row *rows, void *fields);

/* Set one field from what was typed; NULL for a flag. GVM_ARGUMENT (it is not what the row takes), GVM_MEMORY. */
gvm_status option_read(const struct option_row *row, void *fields, const char *text);

/* What a row takes, for a sentence: "a whole number from 1 to 1000", "yes or no". */
void option_takes(char *text, size_t size, const struct option_row *row);

/* The i-th word that a row's value may be; false behind the last, and if any text may stand there. */
bool option_word(char word[32], const struct option_row *row, int i);

/* Add all fields to an object under their names. False without memory. */
bool options_to_json(json_t *object, const struct option_row *rows, const void *fields);

/* Set one field from JSON, by the same ranges. GVM_ARGUMENT, GVM_MEMORY. */
gvm_status option_from_json(const struct option_row *row, void *fields, const json_t *value);

/* The row of that name, or NULL. */
const struct option_row *option_find(const struct option_row *rows, const char *name);

#endif
