/* option.c - see option.h. */
#include "base/option.h"

#include <assert.h>
#include <glib.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"

_Static_assert(sizeof(long) == sizeof(size_t), "OPTION_LONG holds sizes");

union field { /* which member is used follows from the row's type */
    void *at;
    bool *yes;
    int *whole;
    long *large;
    float *real;
    double *wide;
    const char **text;
    char **copy;
};

static union field field_of(const struct option_row *row, const void *fields)
{
    return (union field){.at = (char *)fields + row->at};
}

const struct option_row *option_find(const struct option_row *rows, const char *name)
{
    for (; rows->type != OPTION_END; rows++)
        if (rows->name && strcmp(rows->name, name) == 0) return rows;
    return NULL;
}

/* ------------------------------------------------------------------ words */

bool option_word(char word[32], const struct option_row *row, int i)
{
    if (row->words) {
        const char *given = row->words(i);
        if (given) snprintf(word, 32, "%s", given);
        return given != NULL;
    }
    const char *words = row->type == OPTION_YES ? "yes|no" : row->argument;
    if (words == NULL || strchr(words, '|') == NULL) return false;
    if (row->type != OPTION_YES && row->type != OPTION_CHOICE && row->type != OPTION_TEXT) return false;
    for (; i > 0 && *words; i--) {
        words += strcspn(words, "|");
        words += *words == '|';
    }
    if (*words) snprintf(word, 32, "%.*s", (int)strcspn(words, "|"), words);
    return *words != '\0';
}

/* Index of the word, -1 if it is none of them. */
static int find_word(const struct option_row *row, const char *text)
{
    char word[32];
    for (int i = 0; option_word(word, row, i); i++)
        if (strcmp(word, text) == 0) return i;
    return -1;
}

/* ------------------------------------------------------------------ numbers */

static bool is_whole(const struct option_row *row)
{
    return row->type == OPTION_INT || row->type == OPTION_LONG;
}

static bool is_number(const struct option_row *row)
{
    return is_whole(row) || row->type == OPTION_FLOAT || row->type == OPTION_DOUBLE;
}

static gvm_status set_whole(const struct option_row *row, union field f, long n)
{
    long unit = row->unit > 0 ? (long)row->unit : 1, most = row->type == OPTION_INT ? INT_MAX : LONG_MAX;
    bool fine = (double)n >= row->low && (double)n <= row->high && n <= most / unit && n >= (-most - 1) / unit;
    if (!fine && !(row->or_zero && n == 0)) return GVM_ARGUMENT;
    if (row->type == OPTION_INT)
        *f.whole = (int)(n * unit);
    else
        *f.large = n * unit;
    return GVM_OK;
}

/* A float is compared with the range's ends rounded to float, so that a saved end of the range can be read back. */
static gvm_status set_real(const struct option_row *row, union field f, double x)
{
    bool single = row->type == OPTION_FLOAT, fine = isfinite(x);
    fine = fine &&
           (single ? (float)x >= (float)row->low && (float)x <= (float)row->high : x >= row->low && x <= row->high);
    if (!fine && !(row->or_zero && x == 0)) return GVM_ARGUMENT;
    if (single)
        *f.real = (float)x;
    else
        *f.wide = x;
    return GVM_OK;
}

static gvm_status set_pair(const struct option_row *row, union field f, double low, double high)
{
    if (!(low >= row->low && low < high && high <= row->high)) return GVM_ARGUMENT;
    f.wide[0] = low;
    f.wide[1] = high;
    return GVM_OK;
}

static gvm_status set_copy(union field f, const char *text)
{
    char *copy = text ? strdup(text) : NULL;
    if (text && copy == NULL) return GVM_MEMORY;
    free(*f.copy);
    *f.copy = copy;
    return GVM_OK;
}

/* ------------------------------------------------------------------ command-line text */

static gvm_status read_pair(const struct option_row *row, union field f, const char *text)
{
    double low, high;
    char first[40];
    size_t n = strcspn(text, ",");
    if (text[n] == '\0' || n >= sizeof first) return GVM_ARGUMENT;
    snprintf(first, sizeof first, "%.*s", (int)n, text);
    return read_double(&low, first, row->low, row->high) && read_double(&high, text + n + 1, row->low, row->high)
               ? set_pair(row, f, low, high)
               : GVM_ARGUMENT;
}

static gvm_status read_word(const struct option_row *row, union field f, const char *text)
{
    int i = find_word(row, text);
    char any[32];
    if (i < 0 && (row->type != OPTION_TEXT || option_word(any, row, 0))) return GVM_ARGUMENT;
    if (row->type == OPTION_YES)
        *f.yes = i == 0;
    else if (row->type == OPTION_CHOICE)
        *f.whole = i;
    else
        *f.text = text;
    return GVM_OK;
}

gvm_status option_read(const struct option_row *row, void *fields, const char *text)
{
    union field f = field_of(row, fields);
    long n;
    double x;
    switch (row->type) {
    case OPTION_FLAG: *f.yes = true; return GVM_OK;
    case OPTION_YES:
    case OPTION_CHOICE:
    case OPTION_TEXT: return read_word(row, f, text);
    case OPTION_COPY: return set_copy(f, text);
    case OPTION_INT:
    case OPTION_LONG: return read_long(&n, text, LONG_MIN, LONG_MAX) ? set_whole(row, f, n) : GVM_ARGUMENT;
    case OPTION_FLOAT:
    case OPTION_DOUBLE: return read_double(&x, text, -INFINITY, INFINITY) ? set_real(row, f, x) : GVM_ARGUMENT;
    case OPTION_PAIR: return read_pair(row, f, text);
    case OPTION_OTHER: return row->read(fields, text) ? GVM_OK : GVM_ARGUMENT;
    default: return GVM_ARGUMENT;
    }
}

void options_default(const struct option_row *rows, void *fields)
{
    for (; rows->type != OPTION_END; rows++) {
        if (rows->type == OPTION_CHOICE) *field_of(rows, fields).whole = -1;
        if (rows->standard == NULL) continue;
        gvm_status status = option_read(rows, fields, rows->standard);
        assert(status == GVM_OK);
        (void)status;
    }
}

void options_free(const struct option_row *rows, void *fields)
{
    for (; rows->type != OPTION_END; rows++)
        if (rows->type == OPTION_COPY) set_copy(field_of(rows, fields), NULL);
}

static void take_words(char *text, size_t size, const struct option_row *row)
{
    char word[32], next[32];
    for (int i = 0; option_word(word, row, i); i++) {
        if (i > 0) g_strlcat(text, option_word(next, row, i + 1) ? ", " : " or ", size);
        g_strlcat(text, word, size);
    }
}

void option_takes(char *text, size_t size, const struct option_row *row)
{
    char word[32], range[80];
    text[0] = '\0';
    if (!is_number(row)) {
        if (row->takes)
            g_strlcat(text, row->takes, size);
        else if (option_word(word, row, 0))
            take_words(text, size, row);
        return;
    }
    if (row->or_zero) g_strlcat(text, "0 or ", size);
    g_strlcat(text, row->takes ? row->takes : is_whole(row) ? "a whole number" : "a number", size);
    if (row->high < INFINITY)
        snprintf(range, sizeof range, " from %.15g to %.15g", row->low, row->high);
    else
        snprintf(range, sizeof range, " of at least %.15g", row->low);
    g_strlcat(text, range, size);
}

/* ------------------------------------------------------------------ JSON */

static json_t *option_to_json(const struct option_row *row, const void *fields)
{
    union field f = field_of(row, fields);
    char word[32];
    switch (row->type) {
    case OPTION_FLAG:
    case OPTION_YES: return json_boolean(*f.yes);
    case OPTION_CHOICE: return option_word(word, row, *f.whole) ? json_string(word) : json_null();
    case OPTION_INT: return json_integer(*f.whole);
    case OPTION_LONG: return json_integer(*f.large);
    case OPTION_FLOAT: return json_real((double)*f.real);
    case OPTION_DOUBLE: return json_real(*f.wide);
    case OPTION_PAIR: return f.wide[0] < f.wide[1] ? json_pack("[f,f]", f.wide[0], f.wide[1]) : json_null();
    case OPTION_TEXT:
    case OPTION_COPY: return *f.text ? json_string(*f.text) : json_null();
    default: return NULL;
    }
}

bool options_to_json(json_t *object, const struct option_row *rows, const void *fields)
{
    for (; rows->type != OPTION_END; rows++)
        if (rows->type != OPTION_TITLE && json_object_set_new(object, rows->name, option_to_json(rows, fields)) != 0)
            return false;
    return true;
}

static gvm_status pair_from_json(const struct option_row *row, union field f, const json_t *value)
{
    const json_t *low = json_array_get(value, 0), *high = json_array_get(value, 1);
    if (json_is_null(value)) f.wide[0] = f.wide[1] = 0;
    if (json_is_null(value)) return GVM_OK;
    return json_array_size(value) == 2 && json_is_number(low) && json_is_number(high)
               ? set_pair(row, f, json_number_value(low), json_number_value(high))
               : GVM_ARGUMENT;
}

gvm_status option_from_json(const struct option_row *row, void *fields, const json_t *value)
{
    union field f = field_of(row, fields);
    switch (row->type) {
    case OPTION_FLAG:
    case OPTION_YES: *f.yes = json_is_true(value); return json_is_boolean(value) ? GVM_OK : GVM_ARGUMENT;
    case OPTION_CHOICE: return json_is_string(value) ? read_word(row, f, json_string_value(value)) : GVM_ARGUMENT;
    case OPTION_INT:
    case OPTION_LONG: return json_is_integer(value) ? set_whole(row, f, json_integer_value(value)) : GVM_ARGUMENT;
    case OPTION_FLOAT:
    case OPTION_DOUBLE: return json_is_number(value) ? set_real(row, f, json_number_value(value)) : GVM_ARGUMENT;
    case OPTION_PAIR: return pair_from_json(row, f, value);
    case OPTION_COPY:
        return json_is_string(value) || json_is_null(value) ? set_copy(f, json_string_value(value)) : GVM_ARGUMENT;
    default: return GVM_ARGUMENT;
    }
}
