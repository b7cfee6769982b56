/* tensor_file.h - weights in others' files, whatever wrote them: safetensors or PyTorch's torch.save (safetensors.h,
 * torch_file.h). Which it is, the file's first bytes say and not its name. */
#ifndef GVM_BASE_TENSOR_FILE_H
#define GVM_BASE_TENSOR_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "geoviewmatch.h"

enum { TENSOR_MAX_RANK = 8 };

struct tensor_entry {
    const char *name; /* UTF-8, 1 to 255 bytes */
    const char *type; /* as safetensors writes it: "F32" */
    int rank;
    int64_t shape[TENSOR_MAX_RANK]; /* each >= 0, the ones past rank are 1 */
    size_t count;                   /* product of the shape */
};

struct tensor_file;

/* Open a file; close with tensor_file_close, until when all pointers got from it live. Numbers stay in the file until
 * they are read. GVM_FILE (cannot read), GVM_FORMAT (neither of both, or lying), GVM_MEMORY; *out is NULL then. */
gvm_status tensor_file_open(struct tensor_file **out, const char *path, gvm_error *err);
void tensor_file_close(struct tensor_file *file); /* NULL is fine */

/* What to call the file in a sentence: its path, shortened from the front to at most 200 bytes. */
const char *tensor_file_where(const struct tensor_file *file);

/* The tensors, by name. */
size_t tensor_file_count(const struct tensor_file *file);
const struct tensor_entry *tensor_file_at(const struct tensor_file *file, size_t i);

/* The tensor of that name, or NULL. */
const struct tensor_entry *tensor_file_find(const struct tensor_file *file, const char *name);

/* Its numbers as float32, row-major: out has room for entry->count. GVM_FORMAT for a type that is none of F32, F16,
 * BF16 and, of PyTorch, F64. */
gvm_status tensor_file_read(float *out, const struct tensor_file *file, const struct tensor_entry *entry,
                            gvm_error *err);

#endif
