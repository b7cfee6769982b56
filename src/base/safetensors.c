/* safetensors.c - reading, see safetensors.h. The steps: the header's length; the header as JSON (jansson refuses
 * duplicate keys); each tensor; then all tensors in the order of their offsets, which must cover the file from the
 * header's end to its own end without gaps. */
#include "base/safetensors.h"

#include <assert.h>
#include <glib.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/half.h"
#include "base/json_put.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "float32 data goes to and from the file as it is");

enum {
    LENGTH_BYTES = 8,
    MAX_HEADER = 100 * 1000 * 1000, /* limit of the format */
    MAX_VALUES = 2 * 1000 * 1000    /* JSON values in the header; keeps a small file from expanding to gigabytes */
};

struct safetensors {
    struct file_map map; /* zero if opened from memory */
    char *path;
    const char *where;         /* end of path, for error messages */
    const unsigned char *data; /* starts after the header */
    size_t size;               /* of data */
    json_t *header;            /* owns the names and the metadata */
    const json_t *metadata;    /* part of header, or NULL */
    size_t count;
    struct safetensors_tensor *tensors; /* (count) in file order */
    GHashTable *by_name;                /* a tensor's name > the tensor */
};

static const struct {
    const char *name;
    unsigned bits;
    enum safetensors_dtype dtype;
} dtypes[] = {
    {"F32", 32, SAFETENSORS_F32},      {"F16", 16, SAFETENSORS_F16},      {"BF16", 16, SAFETENSORS_BF16},
    {"BOOL", 8, SAFETENSORS_OTHER},    {"U8", 8, SAFETENSORS_OTHER},      {"I8", 8, SAFETENSORS_OTHER},
    {"U16", 16, SAFETENSORS_OTHER},    {"I16", 16, SAFETENSORS_OTHER},    {"U32", 32, SAFETENSORS_OTHER},
    {"I32", 32, SAFETENSORS_I32},      {"U64", 64, SAFETENSORS_OTHER},    {"I64", 64, SAFETENSORS_OTHER},
    {"F64", 64, SAFETENSORS_OTHER},    {"C64", 64, SAFETENSORS_OTHER},    {"F8_E5M2", 8, SAFETENSORS_OTHER},
    {"F8_E4M3", 8, SAFETENSORS_OTHER}, {"F8_E8M0", 8, SAFETENSORS_OTHER}, {"F6_E2M3", 6, SAFETENSORS_OTHER},
    {"F6_E3M2", 6, SAFETENSORS_OTHER}, {"F4", 4, SAFETENSORS_OTHER},
};

/* Report an error in one tensor: "file: tensor "name" ...". */
#define FAIL_TENSOR(st, name, err, format, ...) \
    fail(err, GVM_FORMAT, "%s: tensor \"%s\" " format, (st)->where, name, ##__VA_ARGS__)

/* Look up the type in dtypes and store it in t. Returns the bits of one value, or 0 for an unknown type. */
static unsigned read_dtype(struct safetensors_tensor *t, const char *dtype)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++)
        if (strcmp(dtype, dtypes[i].name) == 0) {
            t->dtype = dtypes[i].dtype;
            t->dtype_name = dtypes[i].name;
            return dtypes[i].bits;
        }
    return 0;
}

/* Sets shape and count. */
static gvm_status read_shape(struct safetensors_tensor *t, const struct safetensors *st, const json_t *shape,
                             gvm_error *err)
{
    if (!json_is_array(shape)) return FAIL_TENSOR(st, t->name, err, "has no \"shape\", expected a list");
    if (json_array_size(shape) > SAFETENSORS_MAX_RANK)
        return FAIL_TENSOR(st, t->name, err, "has %zu dimensions, expected at most %d", json_array_size(shape),
                           SAFETENSORS_MAX_RANK);
    t->rank = (int)json_array_size(shape);
    t->count = 1;
    for (int i = 0; i < SAFETENSORS_MAX_RANK; i++) {
        t->shape[i] = 1;
        if (i >= t->rank) continue;
        const json_t *side = json_array_get(shape, (size_t)i);
        if (!json_is_integer(side) || json_integer_value(side) < 0)
            return FAIL_TENSOR(st, t->name, err, "has a shape whose dimension %d is not a non-negative integer", i + 1);
        t->shape[i] = json_integer_value(side);
        if (__builtin_mul_overflow(t->count, (size_t)t->shape[i], &t->count))
            return FAIL_TENSOR(st, t->name, err, "has a shape whose size overflows 64 bits");
    }
    return GVM_OK;
}

/* Sets data and bytes; `bits` is the size of one value. */
static gvm_status read_place(struct safetensors_tensor *t, const struct safetensors *st, const json_t *offsets,
                             unsigned bits, gvm_error *err)
{
    const json_t *first = json_array_get(offsets, 0), *last = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(first) || !json_is_integer(last))
        return FAIL_TENSOR(st, t->name, err, "has no \"data_offsets\", expected two integers");
    long long begin = json_integer_value(first), end = json_integer_value(last);
    if (begin < 0 || begin > end || (unsigned long long)end > st->size)
        return FAIL_TENSOR(st, t->name, err, "claims bytes %lld to %lld, but the file has %zu bytes of data", begin,
                           end, st->size);
    t->data = st->data + begin;
    t->bytes = (size_t)(end - begin);
    size_t total;
    if (__builtin_mul_overflow(t->count, (size_t)bits, &total) || total % 8 != 0 || total / 8 != t->bytes)
        return FAIL_TENSOR(st, t->name, err, "has %zu bytes, which does not match %zu values of %s", t->bytes, t->count,
                           t->dtype_name);
    return GVM_OK;
}

static gvm_status read_tensor(struct safetensors_tensor *t, const struct safetensors *st, const char *name,
                              const json_t *value, gvm_error *err)
{
    size_t length = strlen(name);
    if (length > SAFETENSORS_MAX_NAME)
        return fail(err, GVM_FORMAT, "%s: a tensor's name is %zu bytes long, more than %d", st->where, length,
                    SAFETENSORS_MAX_NAME);
    t->name = name;
    if (!json_is_object(value)) return FAIL_TENSOR(st, name, err, "is described by something other than an object");
    const char *dtype = json_string_value(json_object_get(value, "dtype"));
    if (dtype == NULL) return FAIL_TENSOR(st, name, err, "has no \"%s\", expected a string", "dtype");
    unsigned bits = read_dtype(t, dtype);
    if (bits == 0) return FAIL_TENSOR(st, name, err, "has the unsupported type \"%.20s\"", dtype);
    gvm_status status = read_shape(t, st, json_object_get(value, "shape"), err);
    if (status != GVM_OK) return status;
    return read_place(t, st, json_object_get(value, "data_offsets"), bits, err);
}

static int compare_places(const void *a, const void *b)
{
    const struct safetensors_tensor *x = a, *y = b;
    if (x->data != y->data) return x->data < y->data ? -1 : 1;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? -1 : 1; /* at the same offset empty ones first */
    return strcmp(x->name, y->name);
}

/* The tensors, in file order, must cover the data exactly. */
static gvm_status check_cover(const struct safetensors *st, gvm_error *err)
{
    const unsigned char *end = st->data;
    for (size_t i = 0; i < st->count; i++) {
        const struct safetensors_tensor *t = &st->tensors[i];
        if (t->data < end) return FAIL_TENSOR(st, t->name, err, "overlaps tensor \"%.100s\"", st->tensors[i - 1].name);
        if (t->data > end)
            return FAIL_TENSOR(st, t->name, err, "starts %zu bytes after the end of the previous one",
                               (size_t)(t->data - end));
        end = t->data + t->bytes;
    }
    size_t left = st->size - (size_t)(end - st->data);
    if (left != 0) return fail(err, GVM_FORMAT, "%s: it has %zu bytes after its last tensor", st->where, left);
    return GVM_OK;
}

static gvm_status read_metadata(struct safetensors *st, const json_t *metadata, gvm_error *err)
{
    const char *key;
    json_t *value;
    if (!json_is_object(metadata)) return fail(err, GVM_FORMAT, "%s: its \"__metadata__\" is not an object", st->where);
    json_object_foreach((json_t *)metadata, key, value) if (!json_is_string(value)) return fail(
        err, GVM_FORMAT, "%s: its metadata \"%.100s\" is not a string", st->where, key);
    st->metadata = metadata;
    return GVM_OK;
}

static gvm_status read_tensors(struct safetensors *st, gvm_error *err)
{
    size_t room = json_object_size(st->header);
    st->tensors = calloc(room + 1, sizeof st->tensors[0]);
    if (st->tensors == NULL)
        return fail(err, GVM_MEMORY, "%s: out of memory for a list of %zu tensors", st->where, room);
    const char *key;
    json_t *value;
    json_object_foreach(st->header, key, value)
    {
        gvm_status status = strcmp(key, "__metadata__") == 0
                                ? read_metadata(st, value, err)
                                : read_tensor(&st->tensors[st->count++], st, key, value, err);
        if (status != GVM_OK) return status;
    }
    qsort(st->tensors, st->count, sizeof st->tensors[0], compare_places);
    st->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    for (size_t i = 0; i < st->count; i++)
        g_hash_table_insert(st->by_name, (gpointer)st->tensors[i].name, &st->tensors[i]);
    return check_cover(st, err);
}

/* Upper bound on the number of JSON values, before parsing: each except the first follows one of these characters. */
static size_t bound_values(const unsigned char *text, size_t length)
{
    size_t values = 1;
    for (size_t i = 0; i < length; i++) values += text[i] == ',' || text[i] == '[' || text[i] == '{';
    return values;
}

static gvm_status read_header(struct safetensors *st, const unsigned char *file, size_t size, gvm_error *err)
{
    uint64_t length;
    if (size < LENGTH_BYTES)
        return fail(err, GVM_FORMAT, "%s: it has %zu bytes, too few for a safetensors file", st->where, size);
    memcpy(&length, file, sizeof length);
    if (length > size - LENGTH_BYTES)
        return fail(
            err, GVM_FORMAT,
            "%s: it claims a header of %llu bytes, but only %zu follow; it is truncated or not a safetensors file",
            st->where, (unsigned long long)length, size - LENGTH_BYTES);
    if (length > MAX_HEADER)
        return fail(err, GVM_FORMAT, "%s: its header has %llu bytes, more than the format's limit of %d", st->where,
                    (unsigned long long)length, MAX_HEADER);
    const unsigned char *text = file + LENGTH_BYTES;
    if (length == 0 || text[0] != '{')
        return fail(err, GVM_FORMAT, "%s: its header does not start with \"{\"; it is not a safetensors file",
                    st->where);
    if (bound_values(text, (size_t)length) > MAX_VALUES)
        return fail(err, GVM_FORMAT, "%s: its header has more than %d values", st->where, MAX_VALUES);
    json_error_t error;
    st->header = json_loadb((const char *)text, (size_t)length, JSON_REJECT_DUPLICATES, &error);
    if (st->header == NULL && json_is_short(&error))
        return fail(err, GVM_MEMORY, "%s: out of memory for its header", st->where);
    if (st->header == NULL)
        return fail(err, GVM_FORMAT, "%s: invalid JSON in its header at byte %d: %s", st->where, error.position,
                    error.text);
    st->data = text + length;
    st->size = size - LENGTH_BYTES - (size_t)length;
    return read_tensors(st, err);
}

/* Takes ownership of the map, also on failure. */
static gvm_status open_bytes(struct safetensors **out, struct file_map map, const void *data, size_t size,
                             const char *where, gvm_error *err)
{
    struct safetensors *st = calloc(1, sizeof *st);
    char *path = strdup(where);
    if (st == NULL || path == NULL) {
        free(st);
        free(path);
        file_unmap(&map);
        return fail(err, GVM_MEMORY, "%s: cannot open it: out of memory", path_tail(where));
    }
    *st = (struct safetensors){.map = map, .path = path, .where = path_tail(path)};
    gvm_status status = read_header(st, data, size, err);
    if (status != GVM_OK) {
        safetensors_close(st);
        return status;
    }
    *out = st;
    return GVM_OK;
}

gvm_status safetensors_open(struct safetensors **out, const char *path, gvm_error *err)
{
    struct file_map map;
    *out = NULL;
    gvm_status status = file_map(&map, path, err);
    if (status != GVM_OK) return status;
    return open_bytes(out, map, map.data, map.size, path, err);
}

gvm_status safetensors_open_memory(struct safetensors **out, const void *data, size_t size, const char *where,
                                   gvm_error *err)
{
    *out = NULL;
    return open_bytes(out, (struct file_map){0}, data, size, where, err);
}

void safetensors_close(struct safetensors *st)
{
    if (st == NULL) return;
    free(st->tensors);
    if (st->by_name != NULL) g_hash_table_destroy(st->by_name);
    free(st->path);
    json_decref(st->header);
    file_unmap(&st->map);
    free(st);
}

const char *safetensors_where(const struct safetensors *st)
{
    return st->where;
}

size_t safetensors_count(const struct safetensors *st)
{
    return st->count;
}

const struct safetensors_tensor *safetensors_tensor(const struct safetensors *st, size_t i)
{
    assert(i < st->count);
    return &st->tensors[i];
}

const struct safetensors_tensor *safetensors_find(const struct safetensors *st, const char *name)
{
    return g_hash_table_lookup(st->by_name, name);
}

const char *safetensors_metadata(const struct safetensors *st, const char *key)
{
    return json_string_value(json_object_get(st->metadata, key));
}

void safetensors_each_metadata(const struct safetensors *st,
                               void (*each)(void *context, const char *key, const char *value), void *context)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)st->metadata, key, value) each(context, key, json_string_value(value));
}

gvm_status safetensors_read_f32(float *out, const struct safetensors *st, const struct safetensors_tensor *tensor,
                                gvm_error *err)
{
    const unsigned char *data = tensor->data;
    uint16_t half;
    switch (tensor->dtype) {
    case SAFETENSORS_F32:
        if (tensor->count > 0) memcpy(out, data, tensor->bytes);
        return GVM_OK;
    case SAFETENSORS_F16:
    case SAFETENSORS_BF16:
        for (size_t i = 0; i < tensor->count; i++) {
            memcpy(&half, data + i * sizeof half, sizeof half);
            out[i] = tensor->dtype == SAFETENSORS_F16 ? float_from_f16(half) : float_from_bf16(half);
        }
        return GVM_OK;
    case SAFETENSORS_I32:
    case SAFETENSORS_OTHER: break;
    }
    return FAIL_TENSOR(st, tensor->name, err, "has the unsupported type %s; expected F32, F16 or BF16",
                       tensor->dtype_name);
}

gvm_status safetensors_read_i32(int32_t *out, const struct safetensors *st, const struct safetensors_tensor *tensor,
                                gvm_error *err)
{
    if (tensor->dtype != SAFETENSORS_I32)
        return FAIL_TENSOR(st, tensor->name, err, "has the type %s, expected I32", tensor->dtype_name);
    if (tensor->count > 0) memcpy(out, tensor->data, tensor->bytes);
    return GVM_OK;
}
