/* option.h - options as a table. Each row describes a field of a struct: name, type, range, default and help text. The
 * same row serves the command line, its help and the manual page (program/cli/command.h) and the JSON of a saved run
 * (train/run_json.c). So a new option needs a field, a row and the code that uses it.
 *
 *     static const struct option_row rows[] = {
 *         {"top", OPTION_INT, offsetof(struct arguments, top), "K", 1, 1000, "5", .help = "answers a photo"}, {0}}; */
#ifndef GVM_BASE_OPTION_H
#define GVM_BASE_OPTION_H

#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "geoviewmatch.h"

enum option_type {
    OPTION_END,    /* ends the table */
    OPTION_TITLE,  /* not an option: `help` is a heading for the rows below */
    OPTION_FLAG,   /* bool; takes no value */
    OPTION_YES,    /* bool: yes or no */
    OPTION_CHOICE, /* int: index into the argument's words, "cpu|cuda"; -1 if there is no default */
    OPTION_INT,
    OPTION_LONG, /* also for int64_t, uint64_t and size_t */
    OPTION_FLOAT,
    OPTION_DOUBLE,
    OPTION_PAIR, /* double[2] in rising order, as "-45,45"; both 0 if not given */
    OPTION_TEXT, /* const char *, must outlive the struct; one of the argument's words if it lists several */
    OPTION_COPY, /* char *, a copy; options_free frees it */
    OPTION_OTHER /* parsed by `read` */
};

struct option_row {
    const char *name; /* as typed, without "--"; also the JSON key */
    enum option_type type;
    size_t at;                   /* the field's offset */
    const char *argument;        /* the value in help: "N", or the accepted words, "cpu|cuda" */
    double low, high;            /* range of a number; high may be INFINITY */
    const char *standard;        /* default, as it would be typed; NULL: the field keeps its value */
    const char *help;            /* without range and default, which are appended */
    const char *takes;           /* for errors: the kind of number ("metres"), or the values; NULL: from the type */
    const char *(*words)(int i); /* accepted words, if `argument` does not list them; NULL after the last */
    bool (*read)(void *fields, const char *text); /* for OPTION_OTHER: false if the text is invalid */
    const char *with;                             /* another option that this one requires */
    double unit;                                  /* a whole number is multiplied by this; 0: by nothing */
    bool needed;                                  /* required */
    bool or_zero;                                 /* 0 is accepted outside the range and means none */
    bool saved;                                   /* in JSON only, not on the command line */
    bool more;                                    /* takes all words up to the next option */
};

/* Set the fields that have a default; set choices without one to -1. */
void options_default(const struct option_row *rows, void *fields);

/* Free the copies (OPTION_COPY) and set them to NULL. */
void options_free(const struct option_row *rows, void *fields);

/* Parse one option's value into its field; text is NULL for a flag. Returns GVM_ARGUMENT if the value is invalid,
 * GVM_MEMORY. */
gvm_status option_read(const struct option_row *row, void *fields, const char *text);

/* Describe the accepted values for an error message: "a whole number from 1 to 1000", "yes or no". */
void option_takes(char *text, size_t size, const struct option_row *row);

/* The i-th word that a row accepts. Returns false after the last, or if the row accepts any text. */
bool option_word(char word[32], const struct option_row *row, int i);

/* Add all fields to an object under their names. Returns false if out of memory. */
bool options_to_json(json_t *object, const struct option_row *rows, const void *fields);

/* Set one field from JSON, checked against the same range. GVM_ARGUMENT, GVM_MEMORY. */
gvm_status option_from_json(const struct option_row *row, void *fields, const json_t *value);

/* The row of that name, or NULL. */
const struct option_row *option_find(const struct option_row *rows, const char *name);

#endif
