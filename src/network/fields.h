/* fields.h - members of a struct as keys of a JSON object: a row each, which reads, checks and writes it. */
#ifndef GVM_NETWORK_FIELDS_H
#define GVM_NETWORK_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "geoviewmatch.h"

enum field_type {
    FIELD_INTS,   /* `count` numbers of low..high: a number where count is 1, else a list */
    FIELD_REAL,   /* double: a number above low, up to high */
    FIELD_STAGES, /* bool[count]: a list of rising stages, 1..count */
    FIELD_CHOICE, /* int: one of the words, the first of which is the default and not written */
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

/* Read each row's key of the object into the struct, whose choices are left as they are where their key is absent.
 * `where` names the file in the sentence. GVM_FORMAT if a key is missing, or of another type. */
gvm_status fields_read(void *to, const struct field_list *fields, const json_t *object, const char *where,
                       gvm_error *err);

/* Whether each number is within its row's range. GVM_FORMAT. */
gvm_status fields_check(const void *from, const struct field_list *fields, const char *where, gvm_error *err);

/* Add each row's key to the object. False if memory is short. */
bool fields_write(json_t *object, const struct field_list *fields, const void *from);

/* ", key 1,2,3" for each row, as a person reads them; cut where the text is full. */
void fields_text(char *text, size_t size, const struct field_list *fields, const void *from);

/* The row of a key, or NULL. */
const struct config_field *fields_find(const struct field_list *fields, const char *key);

#endif
