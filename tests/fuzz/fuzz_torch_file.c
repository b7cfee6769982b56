/* fuzz_torch_file.c - any bytes as a file of torch.save: open it and read every tensor that it lists */
#include <stdlib.h>
#include <string.h>

#include "base/torch_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_tensor(const struct torch_tensor *t)
{
    if (t->name[0] == '\0' || t->rank > TORCH_MAX_RANK) abort();
    float *out = malloc(t->count * sizeof *out + 1); /* at most four times the file: a storage has no fewer values */
    if (out == NULL) abort();
    torch_file_read(out, t);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct torch_file *file;
    gvm_error err = {""};
    torch_file_is(data, size);
    gvm_status status = torch_file_open(&file, data, size, "input", &err);
    if (status != GVM_OK) {
        if (file != NULL || strncmp(err.text, "input: ", 7) != 0) abort();
        return 0;
    }
    for (size_t i = 0; i < torch_file_count(file); i++) {
        const struct torch_tensor *t = torch_file_tensor(file, i);
        if (t->count > size) abort();
        read_tensor(t);
    }
    torch_file_close(file);
    return 0;
}
