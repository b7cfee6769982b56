/* fields.c - see fields.h */
#include "network/fields.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

static gvm_status read_int(int *out, const json_t *value, const char *key, const char *where, gvm_error *err)
{
    json_int_t x = json_integer_value(value);
    if (!json_is_integer(value) || x < INT_MIN || x > INT_MAX)
        return fail(err, GVM_FORMAT, "%s: the configuration's \"%s\" is not an integer in range", where, key);
    *out = (int)x;
    return GVM_OK;
}

static gvm_status read_ints(int *out, const struct config_field *f, const json_t *value, const char *where,
                            gvm_error *err)
{
    if (f->count == 1) return read_int(out, value, f->key, where, err);
    if (json_array_size(value) != (size_t)f->count)
        return fail(err, GVM_FORMAT, "%s: the configuration's \"%s\" is not a list of %d numbers", where, f->key,
                    f->count);
    gvm_status status = GVM_OK;
    for (int i = 0; i < f->count && status == GVM_OK; i++)
        status = read_int(&out[i], json_array_get(value, (size_t)i), f->key, where, err);
    return status;
}

static gvm_status read_real(double *out, const struct config_field *f, const json_t *value, const char *where,
                            gvm_error *err)
{
    if (!json_is_number(value))
        return fail(err, GVM_FORMAT, "%s: the configuration's \"%s\" is not a number", where, f->key);
    *out = json_number_value(value);
    return GVM_OK;
}

/* Stages are listed in ascending order, as in the feature. */
static gvm_status read_stages(bool *out, const struct config_field *f, const json_t *list, const char *where,
                              gvm_error *err)
{
    if (json_array_size(list) == 0)
        return fail(err, GVM_FORMAT, "%s: the configuration's \"%s\" is not a list of stages", where, f->key);
    int last = 0;
    memset(out, 0, (size_t)f->count * sizeof *out);
    for (size_t i = 0; i < json_array_size(list); i++) {
        int stage = 0;
        gvm_status status = read_int(&stage, json_array_get(list, i), f->key, where, err);
        if (status != GVM_OK) return status;
        if (stage < 1 || stage > f->count)
            return fail(err, GVM_FORMAT, "%s: the configuration's \"%s\" names stage %d, expected 1 to %d", where,
                        f->key, stage, f->count);
        if (stage <= last)
            return fail(err, GVM_FORMAT,
                        "%s: the configuration's \"%s\" names stage %d after stage %d; expected rising numbers", where,
                        f->key, stage, last);
        last = stage;
        out[stage - 1] = true;
    }
    return GVM_OK;
}

static gvm_status read_choice(int *out, const struct config_field *f, const json_t *value, const char *where,
                              gvm_error *err)
{
    const char *word = json_string_value(value);
    for (int i = 0; word && i < f->count; i++)
        if (strcmp(word, f->words[i]) == 0) {
            *out = i;
            return GVM_OK;
        }
    return fail(err, GVM_FORMAT, "%s: the configuration's \"%s\" has an unsupported value; expected one such as \"%s\"",
                where, f->key, f->words[0]);
}

gvm_status fields_read(void *to, const struct field_list *fields, const json_t *object, const char *where,
                       gvm_error *err)
{
    gvm_status status = GVM_OK;
    for (int i = 0; i < fields->count && status == GVM_OK; i++) {
        const struct config_field *f = &fields->rows[i];
        const json_t *value = json_object_get(object, f->key);
        void *out = (char *)to + f->offset;
        if (value == NULL && f->type == FIELD_CHOICE) continue;
        if (value == NULL)
            status = fail(err, GVM_FORMAT, "%s: the configuration lacks \"%s\"", where, f->key);
        else if (f->type == FIELD_INTS)
            status = read_ints(out, f, value, where, err);
        else if (f->type == FIELD_REAL)
            status = read_real(out, f, value, where, err);
        else if (f->type == FIELD_STAGES)
            status = read_stages(out, f, value, where, err);
        else
            status = read_choice(out, f, value, where, err);
    }
    return status;
}

gvm_status fields_check(const void *from, const struct field_list *fields, const char *where, gvm_error *err)
{
    for (int i = 0; i < fields->count; i++) {
        const struct config_field *f = &fields->rows[i];
        const int *values = (const int *)((const char *)from + f->offset);
        const double *real = (const double *)((const char *)from + f->offset);
        if (f->type == FIELD_REAL && !(*real > f->low && *real <= f->high))
            return fail(err, GVM_FORMAT, "%s: the configuration's \"%s\" is %g, expected above %d and up to %d", where,
                        f->key, *real, f->low, f->high);
        for (int k = 0; f->type == FIELD_INTS && k < f->count; k++)
            if (values[k] < f->low || values[k] > f->high)
                return fail(err, GVM_FORMAT, "%s: the configuration's \"%s\" is %d, expected %d to %d", where, f->key,
                            values[k], f->low, f->high);
    }
    return GVM_OK;
}

static json_t *write_value(const struct config_field *f, const void *from)
{
    const int *numbers = from;
    const bool *flags = from;
    if (f->type == FIELD_CHOICE) return json_string(f->words[*numbers]);
    if (f->type == FIELD_REAL) return json_real(*(const double *)from);
    if (f->type == FIELD_INTS && f->count == 1) return json_integer(*numbers);
    json_t *list = json_array();
    bool ok = list != NULL;
    for (int i = 0; i < f->count && ok; i++)
        if (f->type == FIELD_INTS || flags[i])
            ok = json_array_append_new(list, json_integer(f->type == FIELD_INTS ? numbers[i] : i + 1)) == 0;
    if (ok) return list;
    json_decref(list);
    return NULL;
}

bool fields_write(json_t *object, const struct field_list *fields, const void *from)
{
    bool ok = true;
    for (int i = 0; i < fields->count && ok; i++) {
        const struct config_field *f = &fields->rows[i];
        const void *at = (const char *)from + f->offset;
        if (f->type == FIELD_CHOICE && *(const int *)at == 0) continue;
        ok = json_object_set_new(object, f->key, write_value(f, at)) == 0;
    }
    return ok;
}

void fields_text(char *text, size_t size, const struct field_list *fields, const void *from)
{
    size_t n = 0;
    text[0] = '\0';
    for (int i = 0; i < fields->count && n < size; i++) {
        const struct config_field *f = &fields->rows[i];
        const int *numbers = (const int *)((const char *)from + f->offset);
        if (f->type == FIELD_STAGES) continue;
        n += (size_t)snprintf(text + n, size - n, ", %s", f->key);
        if (f->type == FIELD_CHOICE && n < size) n += (size_t)snprintf(text + n, size - n, " %s", f->words[*numbers]);
        if (f->type == FIELD_REAL && n < size)
            n += (size_t)snprintf(text + n, size - n, " %g", *(const double *)((const char *)from + f->offset));
        for (int k = 0; f->type == FIELD_INTS && k < f->count && n < size; k++)
            n += (size_t)snprintf(text + n, size - n, "%c%d", k ? ',' : ' ', numbers[k]);
    }
}

const struct config_field *fields_find(const struct field_list *fields, const char *key)
{
    for (int i = 0; i < fields->count; i++)
        if (strcmp(fields->rows[i].key, key) == 0) return &fields->rows[i];
    return NULL;
}
