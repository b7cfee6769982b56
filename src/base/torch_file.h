/* torch_file.h - the tensors of a file that PyTorch's torch.save wrote, `.pth` or `.pth.tar`: a zip file with a pickle
 * and a member for each storage, or (before 1.6) pickles and then the storages.
 *
 * Nothing in such a file is run: its pickle may name what tensors are made of, and the few other things that training
 * scripts keep beside them; any other name is refused (pickle.h). The storages stay in the file until a tensor is read.
 */
#ifndef GVM_BASE_TORCH_FILE_H
#define GVM_BASE_TORCH_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geoviewmatch.h"

enum { TORCH_MAX_RANK = 8, TORCH_MAX_NAME = 255 /* bytes */ };

struct torch_tensor {
    const char *name;              /* UTF-8 */
    const char *type;              /* as safetensors writes it: "F32", "I64" */
    int rank;                      /* 0 .. TORCH_MAX_RANK */
    int64_t shape[TORCH_MAX_RANK]; /* each >= 0 */
    size_t count;                  /* product of the shape */

    int64_t stride[TORCH_MAX_RANK]; /* numbers from one to the next, >= 0 */
    const unsigned char *data;      /* its first number in the file's bytes */
};

struct torch_file;

/* Whether a file begins as one of these does. */
bool torch_file_is(const unsigned char *start, size_t size);

/* Open the bytes of a file, which must outlive it; `where` names the file in sentences. The tensors are those of
 * the dictionary under "state_dict", "model_state_dict" or "model", or else of the one that was saved; what such a
 * checkpoint holds beside it, an optimiser for instance, is passed over. GVM_FORMAT, GVM_MEMORY; *out is NULL then. */
gvm_status torch_file_open(struct torch_file **out, const void *data, size_t size, const char *where, gvm_error *err);

void torch_file_close(struct torch_file *file); /* NULL is fine */

/* The tensors by name. */
size_t torch_file_count(const struct torch_file *file);
const struct torch_tensor *torch_file_tensor(const struct torch_file *file, size_t i);

/* Its numbers as float32, row-major: out has room for tensor->count. */
void torch_file_read(float *out, const struct torch_tensor *tensor);

#endif
