/* fields.h - maps members of a struct to keys of a JSON object: one row for each member reads, checks and writes it. */
#ifndef GVM_NETWORK_FIELDS_H
#define GVM_NETWORK_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "geoviewmatch.h"

enum field_type {
    FIELD_INTS,   /* `count` numbers in low..high: a number if count is 1, else a list */
    FIELD_REAL,   /* double: a number above low, up to high */
    FIELD_STAGES, /* bool[count]: an ascending list of stages, 1..count */
    FIELD_CHOICE, /* int: index of one of the words; the first word is the default and is not written */
};

struct config_field {
    const char *key;
    enum field_type type;
    size_t offset; /* of the member */
    int count, low, high;
    const char *const *words; /* FIELD_CHOICE: (count) */
};

/* A struct and its rows. */
struct field_list {
    const struct config_field *rows;
    int count;
};

/* Read each row's key of the object into the struct; an absent choice keeps its value. `where` is the file's name in
 * error messages. Fails with GVM_FORMAT if a key is missing or has another type. */
gvm_status fields_read(void *to, const struct field_list *fields, const json_t *object, const char *where,
                       gvm_error *err);

/* Check that each number is within its row's range. Fails with GVM_FORMAT. */
gvm_status fields_check(const void *from, const struct field_list *fields, const char *where, gvm_error *err);

/* Add each row's key to the object. Returns false if out of memory. */
bool fields_write(json_t *object, const struct field_list *fields, const void *from);

/* Write ", key 1,2,3" for each row, for display; truncated to size. */
void fields_text(char *text, size_t size, const struct field_list *fields, const void *from);

/* The row of a key, or NULL. */
const struct config_field *fields_find(const struct field_list *fields, const char *key);

#endif
