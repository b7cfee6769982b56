/* safetensors.h - reads and writes safetensors files: 8 bytes with the length of a JSON header, the header, the
 * tensors' data, all little-endian and row-major. The header gives each tensor's type, shape and offsets, and strings
 * under `__metadata__`.
 *
 * The reader checks everything against the file's size before it returns, and errors name the file and the tensor. It
 * does not check the numbers (NaN, infinity). */
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
    SAFETENSORS_OTHER /* a type that is not supported: other integers, float64, ... */
};

struct safetensors_tensor {
    const char *name; /* UTF-8, at most 255 bytes; may contain control characters */
    enum safetensors_dtype dtype;
    const char *dtype_name;              /* as in the file, "F32" */
    int rank;                            /* 0 (a single value) .. SAFETENSORS_MAX_RANK */
    int64_t shape[SAFETENSORS_MAX_RANK]; /* each >= 0; 1 beyond rank */
    size_t count;                        /* product of the shape */
    const unsigned char *data;           /* in the file's mapping, of any alignment */
    size_t bytes;
};

struct safetensors;

/* Open a file for reading; close with safetensors_close, until when all pointers obtained from it are valid. Reading is
 * safe from several threads. Returns GVM_FILE (cannot be read), GVM_FORMAT (not a valid safetensors file), GVM_MEMORY;
 * *out is NULL then. */
gvm_status safetensors_open(struct safetensors **out, const char *path, gvm_error *err);

/* Open from memory, which must outlive it; `where` is used in error messages instead of a path. */
gvm_status safetensors_open_memory(struct safetensors **out, const void *data, size_t size, const char *where,
                                   gvm_error *err);

void safetensors_close(struct safetensors *st); /* ignores NULL */

/* Name of the file for error messages: its path, truncated at the front to at most 200 bytes. */
const char *safetensors_where(const struct safetensors *st);

/* Tensors in the order of their data in the file. */
size_t safetensors_count(const struct safetensors *st);
const struct safetensors_tensor *safetensors_tensor(const struct safetensors *st, size_t i); /* i < count */

/* Returns NULL if there is no tensor of that name. */
const struct safetensors_tensor *safetensors_find(const struct safetensors *st, const char *name);

/* Returns NULL if the metadata have no such key. */
const char *safetensors_metadata(const struct safetensors *st, const char *key);

/* Call `each` for every key and value of the metadata, in file order. */
void safetensors_each_metadata(const struct safetensors *st,
                               void (*each)(void *context, const char *key, const char *value), void *context);

/* Convert to float32: out has room for tensor->count values. Returns GVM_FORMAT if the type is not F32, F16 or BF16. */
gvm_status safetensors_read_f32(float *out, const struct safetensors *st, const struct safetensors_tensor *tensor,
                                gvm_error *err);

/* Copy integers: out has room for tensor->count values. Returns GVM_FORMAT if the type is not I32. */
gvm_status safetensors_read_i32(int32_t *out, const struct safetensors *st, const struct safetensors_tensor *tensor,
                                gvm_error *err);

/* A tensor to write. */
struct safetensors_entry {
    const char *name; /* UTF-8, 1 to 255 bytes */
    int rank;
    int64_t shape[SAFETENSORS_MAX_RANK]; /* ignored beyond rank */
    const void *data;                    /* int32_t for SAFETENSORS_I32, else float */
    enum safetensors_dtype dtype;        /* F32; F16: rounded to the nearest; I32 */
};

struct safetensors_pair {
    const char *key, *value; /* UTF-8 */
};

/* Write tensors in the given order, and metadata, atomically (file.h). The data start at a multiple of 8 bytes. Returns
 * GVM_ARGUMENT if a name is empty, too long, duplicate or not UTF-8, or a metadata string is not UTF-8; GVM_FILE,
 * GVM_MEMORY. */
gvm_status safetensors_write(const char *path, const struct safetensors_entry *entries, size_t count,
                             const struct safetensors_pair *metadata, size_t pairs, gvm_error *err);

#endif
