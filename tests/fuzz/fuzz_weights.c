/* fuzz_weights.c - any bytes as a file of weights or of a training run: opened as each of what it might be, and
 * refused with a sentence that names it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/tensor_file.h"
#include "network/checkpoint.h"
#include "network/import.h"
#include "train/run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct file_map input;

gvm_status __wrap_file_map(struct file_map *map, const char *path, gvm_error *err);
void __wrap_file_unmap(struct file_map *map);
FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__real_fopen(const char *path, const char *mode);

gvm_status __wrap_file_map(struct file_map *map, const char *path, gvm_error *err)
{
    (void)path, (void)err;
    *map = input;
    return GVM_OK;
}

void __wrap_file_unmap(struct file_map *map)
{
    *map = (struct file_map){0};
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
    if (strcmp(path, "input") != 0) return __real_fopen(path, mode); /* libFuzzer's own */
    return fmemopen((void *)input.data, input.size, "r");
}

static void check(gvm_status status, bool nothing, const gvm_error *err)
{
    if (status != GVM_OK && (!nothing || strncmp(err->text, "input", 5) != 0)) abort();
}

static void tensors(void)
{
    struct tensor_file *file;
    gvm_error err = {""};
    gvm_status status = tensor_file_open(&file, "input", &err);
    check(status, file == NULL, &err);
    for (size_t i = 0; status == GVM_OK && i < tensor_file_count(file); i++) {
        const struct tensor_entry *t = tensor_file_at(file, i);
        if (t->name[0] == '\0' || strlen(t->name) > 255 || t->rank > TENSOR_MAX_RANK || t->count > input.size) abort();
        if (strcmp(tensor_file_find(file, t->name)->name, t->name) != 0) abort();
        float *out = malloc(t->count * sizeof *out + 1);
        if (out == NULL) abort();
        tensor_file_read(out, file, t, &err);
        free(out);
    }
    tensor_file_close(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct network *network = NULL;
    struct optimizer *optimizer = NULL;
    struct run_options options;
    struct run_position position;
    struct imported imported;
    struct config config;
    gvm_error err = {""};
    if (size == 0) return -1;
    input = (struct file_map){data, size};
    tensors();
    gvm_status status = checkpoint_load(&network, "input", false, &err);
    check(status, network == NULL, &err);
    network_free(network);
    run_about("input", &options, &position, &config, &err);
    run_options_free(&options);
    run_position_free(&position);
    status = run_load("input", &options, &position, &network, &optimizer, &err);
    check(status, network == NULL && optimizer == NULL, &err);
    if (status == GVM_OK) abort(); /* a run of less than a few kilobytes there is not */
    status = network_import(&network, &imported, "input", NULL, &err);
    check(status, network == NULL, &err);
    network_free(network);
    return 0;
}
