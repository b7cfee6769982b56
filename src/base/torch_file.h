/* torch_file.h - reads tensors from files of PyTorch's torch.save (`.pth`, `.pth.tar`): a zip file with a pickle and a
 * member for each storage, or, before PyTorch 1.6, pickles followed by the storages.
 *
 * Nothing in the file is executed. Its pickle may use the names that tensors consist of and a few others that training
 * scripts store beside them; any other name is refused (pickle.h). Storages stay in the file until a tensor is read. */
#ifndef GVM_BASE_TORCH_FILE_H
#define GVM_BASE_TORCH_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geoviewmatch.h"

enum { TORCH_MAX_RANK = 8, TORCH_MAX_NAME = 255 /* bytes */ };

struct torch_tensor {
    const char *name;              /* UTF-8 */
    const char *type;              /* as safetensors names it: "F32", "I64" */
    int rank;                      /* 0 .. TORCH_MAX_RANK */
    int64_t shape[TORCH_MAX_RANK]; /* each >= 0 */
    size_t count;                  /* product of the shape */

    int64_t stride[TORCH_MAX_RANK]; /* in values, >= 0 */
    const unsigned char *data;      /* first value, in the file's bytes */
};

struct torch_file;

/* Whether the first bytes of a file are those of one of these formats. */
bool torch_file_is(const unsigned char *start, size_t size);

/* Parse a file in memory, which must outlive the result; `where` names the file in error messages. The tensors are
 * those of the dictionary under "state_dict", "model_state_dict" or "model", else of the saved dictionary itself. Other
 * content of such a checkpoint, for example an optimizer, is skipped. Returns GVM_FORMAT, GVM_MEMORY; *out is NULL
 * then. */
gvm_status torch_file_open(struct torch_file **out, const void *data, size_t size, const char *where, gvm_error *err);

void torch_file_close(struct torch_file *file); /* ignores NULL */

/* Tensors sorted by name. */
size_t torch_file_count(const struct torch_file *file);
const struct torch_tensor *torch_file_tensor(const struct torch_file *file, size_t i);

/* Convert the values to float32, row-major: out has room for tensor->count. */
void torch_file_read(float *out, const struct torch_tensor *tensor);

#endif
