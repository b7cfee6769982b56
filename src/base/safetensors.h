/* safetensors.h - named arrays in a file: the length of a JSON header as 8 bytes, the header, the arrays'
 * bytes. Everything little-endian and row-major. The header gives each tensor's type, shape and place, and
 * under `__metadata__` strings.
 *
 * The reader trusts nothing: what it opens has been checked against the file's size, and the sentence of a
 * refusal names the file and the tensor. What the numbers are (NaN, infinite) is not its business. */
#ifndef GVM_BASE_SAFETENSORS_H
#define GVM_BASE_SAFETENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geoviewmatch.h"

enum { SAFETENSORS_MAX_RANK = 8, SAFETENSORS_MAX_NAME = 255 /* bytes */ };

enum safetensors_dtype {
    SAFETENSORS_F32,
    SAFETENSORS_F16,
    SAFETENSORS_BF16,
    SAFETENSORS_I32,
    SAFETENSORS_OTHER /* a type of the format that is not read: other integers, float64, ... */
};

struct safetensors_tensor {
    const char *name; /* UTF-8, at most 255 bytes; may hold control characters */
    enum safetensors_dtype dtype;
    const char *dtype_name;              /* as the format writes it, "F32" */
    int rank;                            /* 0 (a single value) .. SAFETENSORS_MAX_RANK */
    int64_t shape[SAFETENSORS_MAX_RANK]; /* each >= 0, the ones past rank are 1 */
    size_t count;                        /* product of the shape */
    const unsigned char *data;           /* in the file's mapping, at any alignment */
    size_t bytes;
};

struct safetensors;

/* Open a file for reading; close with safetensors_close. All pointers got from it live until then. Reading
 * is safe from several threads at once. GVM_FILE (cannot read), GVM_FORMAT (not safetensors, or lying),
 * GVM_MEMORY; *out is NULL then. */
gvm_status safetensors_open(struct safetensors **out, const char *path, gvm_error *err);

/* The same from memory, which must outlive it; `where` stands for the path in sentences. */
gvm_status safetensors_open_memory(struct safetensors **out, const void *data, size_t size, const char *where,
                                   gvm_error *err);

void safetensors_close(struct safetensors *st); /* NULL is fine */

/* What to call the file in a sentence: its path, shortened from the front to at most 200 bytes. */
const char *safetensors_where(const struct safetensors *st);

/* The tensors in the order of their data in the file. */
size_t safetensors_count(const struct safetensors *st);
const struct safetensors_tensor *safetensors_tensor(const struct safetensors *st, size_t i); /* i < count */

/* The tensor of that name, or NULL. */
const struct safetensors_tensor *safetensors_find(const struct safetensors *st, const char *name);

/* The metadata under that key, or NULL. */
const char *safetensors_metadata(const struct safetensors *st, const char *key);

/* Call `each` for every pair of the metadata, in the file's order. */
void safetensors_each_metadata(const struct safetensors *st,
                               void (*each)(void *context, const char *key, const char *value), void *context);

/* Widen to float32: out has room for tensor->count. GVM_FORMAT for a type that is not F32, F16 or BF16. */
gvm_status safetensors_read_f32(float *out, const struct safetensors *st, const struct safetensors_tensor *tensor,
                                gvm_error *err);

/* Whole numbers as they are. GVM_FORMAT for a type that is not I32. */
gvm_status safetensors_read_i32(int32_t *out, const struct safetensors *st, const struct safetensors_tensor *tensor,
                                gvm_error *err);

/* One tensor to be written. */
struct safetensors_entry {
    const char *name; /* UTF-8, 1 to 255 bytes */
    int rank;
    int64_t shape[SAFETENSORS_MAX_RANK]; /* the ones past rank do not count */
    const void *data;                    /* int32_t for SAFETENSORS_I32, else float */
    enum safetensors_dtype dtype;        /* F32; F16: the nearest float16 numbers; I32 */
};

struct safetensors_pair {
    const char *key, *value; /* UTF-8 */
};

/* Write tensors in the order given, and metadata, whole or not at all (file.h). The data starts at a
 * multiple of 8 bytes and is not copied. GVM_ARGUMENT where a name is empty, too long, used twice or
 * not UTF-8, or a text of the metadata is not UTF-8; GVM_FILE, GVM_MEMORY. */
gvm_status safetensors_write(const char *path, const struct safetensors_entry *entries, size_t count,
                             const struct safetensors_pair *metadata, size_t pairs, gvm_error *err);

#endif
