/* safetensors_write.c - writing, see safetensors.h. The header is built as JSON (jansson) in memory. Names are checked
 * first, so that the only failure left to jansson is lack of memory. */
#include <assert.h>
#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/half.h"
#include "base/json_put.h"
#include "base/safetensors.h"

/* Number of values. Cannot overflow, because they are in memory. */
static size_t entry_count(const struct safetensors_entry *e)
{
    size_t count = 1;
    assert(e->rank >= 0 && e->rank <= SAFETENSORS_MAX_RANK);
    for (int i = 0; i < e->rank; i++) count *= (size_t)e->shape[i];
    return count;
}

static size_t entry_bytes(const struct safetensors_entry *e)
{
    return entry_count(e) * (e->dtype == SAFETENSORS_F16 ? sizeof(uint16_t) : sizeof(float));
}

/* NULL if out of memory. */
static json_t *describe_entry(const struct safetensors_entry *e, size_t begin, size_t end)
{
    static const char *const names[] = {
        [SAFETENSORS_F32] = "F32", [SAFETENSORS_F16] = "F16", [SAFETENSORS_I32] = "I32"};
    json_t *shape = json_array(), *entry = json_pack("{ss,sO,s[I,I]}", "dtype", names[e->dtype], "shape", shape,
                                                     "data_offsets", (json_int_t)begin, (json_int_t)end);
    bool enough = entry != NULL;
    for (int i = 0; i < e->rank && enough; i++) enough = json_array_append_new(shape, json_integer(e->shape[i])) == 0;
    json_decref(shape);
    if (enough) return entry;
    json_decref(entry);
    return NULL;
}

static gvm_status check_name(const json_t *before, const char *where, const char *name, gvm_error *err)
{
    const char *what = *name == '\0'                           ? "is empty"
                       : !g_utf8_validate(name, -1, NULL)      ? "is not UTF-8"
                       : strlen(name) > SAFETENSORS_MAX_NAME   ? "is too long"
                       : json_object_get(before, name) != NULL ? "is used twice"
                                                               : NULL;
    if (what == NULL) return GVM_OK;
    return fail(err, GVM_ARGUMENT, "%s: the name \"%.*s\" %s", where, SAFETENSORS_MAX_NAME, name, what);
}

static gvm_status check_metadata(const char *where, const struct safetensors_pair *metadata, size_t pairs,
                                 gvm_error *err)
{
    for (size_t i = 0; i < pairs; i++) {
        gvm_status status = check_name(NULL, where, metadata[i].key, err);
        if (status != GVM_OK) return status;
        for (size_t k = 0; k < i; k++)
            if (strcmp(metadata[k].key, metadata[i].key) == 0)
                return fail(err, GVM_ARGUMENT, "%s: the name \"%s\" is used twice", where, metadata[i].key);
        if (!g_utf8_validate(metadata[i].value, -1, NULL))
            return fail(err, GVM_ARGUMENT, "%s: the value of \"%s\" is not UTF-8", where, metadata[i].key);
    }
    return GVM_OK;
}

/* The header; the caller frees it. NULL on failure. */
static gvm_status describe(char **text, const char *where, const struct safetensors_entry *entries, size_t count,
                           const struct safetensors_pair *metadata, size_t pairs, gvm_error *err)
{
    *text = NULL;
    gvm_status status = check_metadata(where, metadata, pairs, err);
    if (status != GVM_OK) return status;
    json_t *header = json_object(), *texts = json_object();
    bool enough = json_object_set_new(header, "__metadata__", texts) == 0;
    for (size_t i = 0; i < pairs && enough; i++)
        enough = json_object_set_new(texts, metadata[i].key, json_string(metadata[i].value)) == 0;
    for (size_t i = 0, begin = 0; i < count && enough && status == GVM_OK; i++) {
        const struct safetensors_entry *e = &entries[i];
        size_t end = begin + entry_bytes(e);
        status = check_name(header, where, e->name, err);
        if (status == GVM_OK) enough = json_object_set_new(header, e->name, describe_entry(e, begin, end)) == 0;
        begin = end;
    }
    if (status == GVM_OK && enough) *text = json_write(header, JSON_COMPACT);
    json_decref(header);
    if (status == GVM_OK && *text == NULL) status = fail(err, GVM_MEMORY, "%s: out of memory for its header", where);
    return status;
}

static gvm_status write_entry(struct file_writer *w, const struct safetensors_entry *e, gvm_error *err)
{
    uint16_t part[4096];
    gvm_status status = GVM_OK;
    const float *numbers = e->data;
    if (e->dtype != SAFETENSORS_F16) return file_writer_write(w, e->data, entry_bytes(e), err);
    for (size_t i = 0, count = entry_count(e), n; i < count && status == GVM_OK; i += n) {
        n = count - i < 4096 ? count - i : 4096;
        for (size_t k = 0; k < n; k++) part[k] = f16_from_float(numbers[i + k]);
        status = file_writer_write(w, part, n * sizeof *part, err);
    }
    return status;
}

static gvm_status write_file(struct file_writer *w, const char *header, const struct safetensors_entry *entries,
                             size_t count, gvm_error *err)
{
    static const char spaces[] = "       ";
    size_t length = strlen(header), padding = (8 - length % 8) % 8;
    uint64_t stored = length + padding;
    gvm_status status = file_writer_write(w, &stored, sizeof stored, err);
    if (status == GVM_OK) status = file_writer_write(w, header, length, err);
    if (status == GVM_OK) status = file_writer_write(w, spaces, padding, err);
    for (size_t i = 0; i < count && status == GVM_OK; i++) status = write_entry(w, &entries[i], err);
    return status;
}

gvm_status safetensors_write(const char *path, const struct safetensors_entry *entries, size_t count,
                             const struct safetensors_pair *metadata, size_t pairs, gvm_error *err)
{
    char *header;
    struct file_writer w;
    gvm_status status = describe(&header, path_tail(path), entries, count, metadata, pairs, err);
    if (status == GVM_OK) status = file_writer_open(&w, path, err);
    if (status == GVM_OK) {
        status = write_file(&w, header, entries, count, err);
        if (status == GVM_OK)
            status = file_writer_commit(&w, err);
        else
            file_writer_abort(&w);
    }
    free(header);
    return status;
}
