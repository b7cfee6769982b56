/* fuzz_safetensors.c - any bytes as a safetensors file: open it, find and read every tensor that it lists */
#include <stdlib.h>
#include <string.h>

#include "base/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void measure(void *context, const char *key, const char *value)
{
    *(size_t *)context += strlen(key) + strlen(value);
}

static void read_tensor(const struct safetensors *st, size_t i)
{
    const struct safetensors_tensor *t = safetensors_tensor(st, i);
    gvm_error err;
    if (safetensors_find(st, t->name) != t) abort();
    if (t->dtype == SAFETENSORS_OTHER || t->dtype == SAFETENSORS_I32) {
        if (safetensors_read_f32(NULL, st, t, &err) != GVM_FORMAT) abort();
        return;
    }
    float *out = malloc(t->count * sizeof *out + 1); /* at most twice the file's size, which open has checked */
    if (out == NULL || safetensors_read_f32(out, st, t, &err) != GVM_OK) abort();
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct safetensors *st;
    gvm_error err = {""};
    gvm_status status = safetensors_open_memory(&st, data, size, "input", &err);
    if (status != GVM_OK) {
        if (st != NULL || strncmp(err.text, "input: ", 7) != 0) abort();
        return 0;
    }
    size_t bytes = 0, length = 0;
    for (size_t i = 0; i < safetensors_count(st); i++) {
        read_tensor(st, i);
        bytes += safetensors_tensor(st, i)->bytes;
    }
    safetensors_each_metadata(st, measure, &length);
    if (bytes + length > size || safetensors_find(st, "\x7f none") != NULL) abort();
    safetensors_metadata(st, "config");
    safetensors_close(st);
    return 0;
}
