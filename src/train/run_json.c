/* run_json.c - see run_json.h. */
#include "train/run_json.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json_put.h"

#define AT(field) offsetof(struct run_position, field)

static const struct option_row position_rows[] = {
    {"step", OPTION_LONG, AT(step), NULL, 0, INFINITY, .saved = true},
    {"epoch", OPTION_INT, AT(epoch), NULL, 0, INFINITY, .saved = true},
    {"next-batch", OPTION_INT, AT(batch), NULL, 0, INFINITY, .saved = true},
    {"evaluate", OPTION_YES, AT(evaluate), .saved = true},
    {"best", OPTION_DOUBLE, AT(best), NULL, -1, 100, .saved = true},
    {0},
};

char *run_json(const struct run_options *options, const struct run_position *position)
{
    json_t *root = json_pack("{s:i}", "version", RUN_VERSION);
    bool whole = options_to_json(root, run_option_rows, options) && options_to_json(root, position_rows, position);
    char *text = whole ? json_write(root, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(root);
    return text;
}

/* Keys that version 2 does not have. */
static bool is_of_3(const char *name)
{
    static const char *const names[] = {
        "imagery",         "clusters",    "clip-length",      "warm-steps",      "floor",     "hue",  "around",
        "panorama-weight", "view-weight", "agreement-weight", "contrast-weight", "tolerance", "inner"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return false;
}

/* version: determines which keys may be missing. */
static gvm_status read_rows(const struct option_row *rows, void *fields, const json_t *root, json_int_t version,
                            const char *where, gvm_error *err)
{
    options_default(rows, fields);
    for (; rows->type != OPTION_END; rows++) {
        if (rows->type == OPTION_TITLE) continue;
        const json_t *value = json_object_get(root, rows->name);
        if (value == NULL && (version == 1 || (version == 2 && is_of_3(rows->name)))) continue;
        if (value == NULL)
            return fail(err, GVM_FORMAT,
                        "%s: the saved run, version %d, lacks the key '%s'; this program reads versions 1 to %d", where,
                        (int)version, rows->name, RUN_VERSION);
        char takes[160];
        gvm_status status = option_from_json(rows, fields, value);
        option_takes(takes, sizeof takes, rows);
        if (status == GVM_MEMORY) return fail(err, GVM_MEMORY, "%s: cannot read it: out of memory", where);
        if (status != GVM_OK)
            return fail(err, GVM_FORMAT, "%s: the saved run's '%s' is invalid; expected %s", where, rows->name,
                        *takes && rows->type != OPTION_COPY ? takes : "a string");
    }
    return GVM_OK;
}

static gvm_status check_keys(json_t *root, json_int_t version, const char *where, gvm_error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach(root, key, value)
    {
        if (strcmp(key, "version") != 0 && !option_find(run_option_rows, key) && !option_find(position_rows, key))
            return fail(err, GVM_FORMAT,
                        "%s: the saved run, version %d, has the unknown key '%s'; this program reads versions 1 to "
                        "%d",
                        where, (int)version, key, RUN_VERSION);
    }
    return GVM_OK;
}

/* Returns 0, with err filled in, if the version is unknown. */
static json_int_t version_of(const json_t *root, const char *where, gvm_error *err)
{
    const json_t *version = json_object_get(root, "version");
    json_int_t n = version ? json_integer_value(version) : 1;
    if (!json_is_object(root))
        fail(err, GVM_FORMAT, "%s: its metadata 'run' is not a JSON object", where);
    else if (n >= 1 && n <= RUN_VERSION)
        return n;
    else
        fail(err, GVM_FORMAT, "%s: unsupported version %lld of the saved run; this program reads versions 1 to %d",
             where, (long long)n, RUN_VERSION);
    return 0;
}

static gvm_status read_root(struct run_options *options, struct run_position *position, json_t *root,
                            json_int_t version, const char *where, gvm_error *err)
{
    gvm_status status = check_keys(root, version, where, err);
    if (status == GVM_OK) status = read_rows(run_option_rows, options, root, version, where, err);
    if (status == GVM_OK) status = read_rows(position_rows, position, root, version > 1 ? version : 2, where, err);
    if (version == 2 && !json_object_get(root, "hue"))
        options->amounts.hue = options->amounts.shift; /* its meaning then */
    gvm_error why;
    if (status == GVM_OK && run_options_check(options, &why) != GVM_OK)
        status = fail(err, GVM_FORMAT, "%s: %s", where, why.text);
    return status;
}

gvm_status run_json_read(struct run_options *options, struct run_position *position, const char *json,
                         const char *where, gvm_error *err)
{
    *options = (struct run_options){0};
    json_error_t error;
    json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL && json_is_short(&error)) return fail(err, GVM_MEMORY, "%s: cannot read it: out of memory", where);
    json_int_t version = version_of(root, where, err);
    gvm_status status = version > 0 ? GVM_OK : GVM_FORMAT;
    if (version == 1) {
        const char *missing;
        json_t *renamed = run_json_from_1(root, &missing);
        json_decref(root);
        root = renamed;
        if (root == NULL && missing)
            status =
                fail(err, GVM_FORMAT,
                     "%s: the saved run is of a version before 1 (no key '%s'); this program reads versions 1 to %d",
                     where, missing, RUN_VERSION);
        else if (root == NULL)
            status = fail(err, GVM_MEMORY, "%s: cannot read it: out of memory", where);
    }
    if (status == GVM_OK) status = read_root(options, position, root, version, where, err);
    json_decref(root);
    return status;
}
