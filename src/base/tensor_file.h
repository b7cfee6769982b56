/* tensor_file.h - reads third-party weights: safetensors, or files of PyTorch's torch.save (safetensors.h,
 * torch_file.h). The format is determined from the first bytes, not from the name. */
#ifndef GVM_BASE_TENSOR_FILE_H
#define GVM_BASE_TENSOR_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "geoviewmatch.h"

enum { TENSOR_MAX_RANK = 8 };

struct tensor_entry {
    const char *name; /* UTF-8, 1 to 255 bytes */
    const char *type; /* as safetensors names it: "F32" */
    int rank;
    int64_t shape[TENSOR_MAX_RANK]; /* each >= 0; 1 beyond rank */
    size_t count;                   /* product of the shape */
};

struct tensor_file;

/* Open a file; close with tensor_file_close, until when all pointers obtained from it are valid. Values stay in the
 * file until they are read. Returns GVM_FILE (cannot be read), GVM_FORMAT (neither format, or malformed), GVM_MEMORY;
 * *out is NULL then. */
gvm_status tensor_file_open(struct tensor_file **out, const char *path, gvm_error *err);
void tensor_file_close(struct tensor_file *file); /* ignores NULL */

/* Name of the file for error messages: its path, truncated at the front to at most 200 bytes. */
const char *tensor_file_where(const struct tensor_file *file);

/* Tensors sorted by name. */
size_t tensor_file_count(const struct tensor_file *file);
const struct tensor_entry *tensor_file_at(const struct tensor_file *file, size_t i);

/* Returns NULL if there is no tensor of that name. */
const struct tensor_entry *tensor_file_find(const struct tensor_file *file, const char *name);

/* Convert the values to float32, row-major: out has room for entry->count. Returns GVM_FORMAT if the type is not F32,
 * F16, BF16 or, in a PyTorch file, F64. */
gvm_status tensor_file_read(float *out, const struct tensor_file *file, const struct tensor_entry *entry,
                            gvm_error *err);

#endif
