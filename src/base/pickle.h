/* pickle.h - Python's pickles, read and never run. A pickle is a program: it may name any function and have it called.
 * Here a name that the caller does not list ends the reading, and a call of a listed one is kept as what it says, the
 * name and its arguments.
 *
 * Protocols 2 to 5 as far as dictionaries, lists, tuples, texts and numbers go. Memory is at most some hundred bytes
 * for each byte of the pickle, and no more than 2 million values; nothing here recurs. Values may hold one another in a
 * circle. */
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
    PICKLE_LONG,  /* beyond 64 bits; not kept */
    PICKLE_FLOAT, /* real */
    PICKLE_TEXT,  /* text, length */
    PICKLE_BYTES, /* likewise */
    PICKLE_TUPLE, /* items */
    PICKLE_LIST,
    PICKLE_DICT,      /* items: a key, its value, the next key, ... */
    PICKLE_NAME,      /* text: as listed */
    PICKLE_CALL,      /* text: the function's name as listed; items: its arguments */
    PICKLE_PERSISTENT /* items: of the tuple that tells what lies outside of the pickle */
};

struct pickle_value {
    enum pickle_kind kind;
    int64_t number;
    double real;
    const char *text; /* in the pickle's bytes, or a listed name */
    size_t length, count;
    struct pickle_item *first, *last;      /* (count) */
    const struct pickle_value *persistent; /* the one of that kind before this one */
};

struct pickle_item {
    const struct pickle_value *value;
    struct pickle_item *next;
};

/* A name that a pickle may have, ends with {NULL}. */
struct pickle_name {
    const char *name; /* "collections.OrderedDict" */
    bool dictionary;  /* called without arguments, or with a list of pairs, it makes a dictionary */
};

/* What has been read; zero at first. It may hold several pickles. */
struct pickle {
    struct pickle_block *blocks;
    size_t values;
    const struct pickle_value *persistent; /* the last one */
};

/* Read the pickle at the start of `data`, which must outlive it: *top is its value, *used its bytes. `where` names the
 * file in sentences. GVM_FORMAT if it is broken or has a name that is not listed, GVM_MEMORY. */
gvm_status pickle_read(const struct pickle_value **top, size_t *used, struct pickle *pickle, const void *data,
                       size_t size, const struct pickle_name *names, const char *where, gvm_error *err);

void pickle_free(struct pickle *pickle); /* fine on a zero one */

/* Item i, or NULL beyond the last one. */
const struct pickle_value *pickle_at(const struct pickle_value *value, size_t i);

/* The value of a dictionary under a text, the last one if there are several; NULL if there is none. */
const struct pickle_value *pickle_get(const struct pickle_value *dictionary, const char *key);

/* Whether it is this text, or a listed name. */
bool pickle_is(const struct pickle_value *value, const char *text);

#endif
