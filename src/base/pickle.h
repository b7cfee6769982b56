/* pickle.h - reads Python pickles without executing them. A pickle is a program that can name any function and have it
 * called. This reader refuses names that the caller does not list, and stores a call of a listed function as its name
 * and arguments.
 *
 * Supports the dictionaries, lists, tuples, texts and numbers of protocols 2 to 5. Memory is at most a few hundred
 * bytes for each byte of the pickle, and 2 million values. There is no recursion. Values may refer to each other in a
 * cycle. */
#ifndef GVM_BASE_PICKLE_H
#define GVM_BASE_PICKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geoviewmatch.h"

enum pickle_kind {
    PICKLE_NONE,
    PICKLE_BOOL,  /* number */
    PICKLE_INT,   /* number */
    PICKLE_LONG,  /* beyond 64 bits; the value is not kept */
    PICKLE_FLOAT, /* real */
    PICKLE_TEXT,  /* text, length */
    PICKLE_BYTES, /* likewise */
    PICKLE_TUPLE, /* items */
    PICKLE_LIST,
    PICKLE_DICT,      /* items: key, value, key, value, ... */
    PICKLE_NAME,      /* text: the name as listed */
    PICKLE_CALL,      /* text: the function's name as listed; items: its arguments */
    PICKLE_PERSISTENT /* items: of the tuple that identifies data outside the pickle */
};

struct pickle_value {
    enum pickle_kind kind;
    int64_t number;
    double real;
    const char *text; /* in the pickle's bytes, not NUL-terminated; or a listed name */
    size_t length, count;
    struct pickle_item *first, *last;      /* (count) */
    const struct pickle_value *persistent; /* the previous value of kind PICKLE_PERSISTENT */
};

struct pickle_item {
    const struct pickle_value *value;
    struct pickle_item *next;
};

/* A name that a pickle may use; a list of them ends with {NULL}. */
struct pickle_name {
    const char *name; /* "collections.OrderedDict" */
    bool dictionary;  /* called without arguments or with a list of pairs, it makes a dictionary */
};

/* The values read; initialise to zero. One struct may hold several pickles. */
struct pickle {
    struct pickle_block *blocks;
    size_t values;
    const struct pickle_value *persistent; /* the last value of that kind */
};

/* Read the pickle at the start of `data`, which must outlive it. *top is its value, *used its size in bytes. `where`
 * names the file in error messages. Returns GVM_FORMAT if the pickle is malformed or uses a name that is not listed,
 * GVM_MEMORY. */
gvm_status pickle_read(const struct pickle_value **top, size_t *used, struct pickle *pickle, const void *data,
                       size_t size, const struct pickle_name *names, const char *where, gvm_error *err);

void pickle_free(struct pickle *pickle); /* may be called on a zero struct */

/* Item i, or NULL if there are fewer. */
const struct pickle_value *pickle_at(const struct pickle_value *value, size_t i);

/* The value of a dictionary under a text key, the last one if there are several; NULL if there is none. */
const struct pickle_value *pickle_get(const struct pickle_value *dictionary, const char *key);

/* Whether the value is this text or this listed name. */
bool pickle_is(const struct pickle_value *value, const char *text);

#endif
