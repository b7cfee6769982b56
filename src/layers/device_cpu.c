/* device_cpu.c - see device_cpu.h */
#include "layers/device_cpu.h"

#include <assert.h>
#include <stdlib.h>

#include "base/error.h"
#include "layers/layer.h"

static gvm_status allocate(struct tape *tape, size_t bytes, gvm_error *err)
{
    tape->block = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (tape->block != NULL) return GVM_OK;
    return fail(err, GVM_MEMORY, "out of memory: the network needs %.1f GiB for its activations; use a smaller batch",
                (double)bytes / (1 << 30));
}

static void free_block(struct tape *tape)
{
    free(tape->block);
}

static void fill(struct tape *tape, void *to, int byte, size_t bytes)
{
    (void)tape;
    memset(to, byte, bytes);
}

static bool holds(struct tape *tape, const void *at, int byte, size_t bytes)
{
    const unsigned char *p = at;
    (void)tape;
    while (bytes > 0 && *p == byte) p++, bytes--;
    return bytes == 0;
}

static const uint8_t *pixels_there(struct tape *tape, int view, const uint8_t *pixels, size_t bytes)
{
    (void)tape, (void)view, (void)bytes;
    return pixels;
}

static void read_values(struct tape *tape, float *to, const void *from, size_t n, int element)
{
    (void)tape;
    assert(element == 4);
    (void)element;
    memcpy(to, from, n * sizeof *to);
}

static void write_values(struct tape *tape, void *to, const float *from, size_t n, int element)
{
    (void)tape;
    assert(element == 4);
    (void)element;
    memcpy(to, from, n * sizeof *from);
}

static bool never_replays(struct tape *tape, int key, const struct step_numbers *numbers)
{
    (void)tape, (void)key, (void)numbers;
    return false;
}

static void nothing(struct tape *tape)
{
    (void)tape;
}

static gvm_status done_already(struct tape *tape, gvm_error *err)
{
    (void)tape, (void)err;
    return GVM_OK;
}

static const struct layer_table layers = {
#define LAYER(type, name, parameters, arguments) .name = name##_cpu,
#include "layers/layers.def"
};

const struct device device_cpu = {
    .name = "cpu",
    .layers = &layers,
    .tape_free = free_block,
    .tape_allocate = allocate,
    .fill = fill,
    .holds = holds,
    .pixels = pixels_there,
    .read = read_values,
    .write = write_values,
    .replay = never_replays,
    .recorded = nothing,
    .wait = done_already,
};

gvm_status tape_open(struct tape **tape, bool training, bool packed, gvm_error *err)
{
    kernels(); /* also limits oneDNN, which must happen before its first product */
    return tape_open_cpu(tape, &device_cpu, training, packed, err);
}
