/* device.h - where a network computes: a table of functions that is chosen when the program begins.
 *
 * The CPU's (layers/device_cpu.h) is always there; CUDA's lies in a module that optim/module.h opens. A model knows
 * none of this: it calls layers.h, and a layer's call goes to the table of the tape that it runs on. */
#ifndef GVM_TENSOR_DEVICE_H
#define GVM_TENSOR_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geoviewmatch.h"

struct tape;
struct layer_table;
struct optimizer;

/* Of maps and products on a device; weights, norms, softmax, features and losses are float32 in any case. */
enum precision { PRECISION_BF16, PRECISION_TF32, PRECISION_FP32 };

/* A network's weights on a device. The host's blocks stay as they are until a download. */
struct home {
    const struct device *device;
    float *weights, *grads; /* the host's; grads NULL where nothing learns */
    size_t floats;
    enum precision precision;
    void *state; /* the device's */
};

/* What differs from one step to the next, where the rest of a step is recorded once. */
struct step_numbers {
    uint64_t step;                      /* of the drop paths' draws */
    float factor, correct_m, correct_v; /* of the rates; 1 - beta1^t, 1 - beta2^t */
};

struct device {
    const char *name; /* "cpu", "cuda" */
    uint64_t build;   /* of a module: device_build() of the program that it was made with */

    const struct layer_table *layers; /* layers.h */

    /* ---- tape.h */
    gvm_status (*tape_open)(struct tape *tape, gvm_error *err); /* sets tape->state; NULL: nothing to do */
    void (*tape_free)(struct tape *tape);                       /* frees tape->block too */
    gvm_status (*tape_allocate)(struct tape *tape, size_t bytes, gvm_error *err); /* sets tape->block */
    void (*fill)(struct tape *tape, void *to, int byte, size_t bytes);
    bool (*holds)(struct tape *tape, const void *at, int byte, size_t bytes); /* whether all bytes are this one */
    const uint8_t *(*pixels)(struct tape *tape, int input, const uint8_t *pixels, size_t bytes);
    void (*read)(struct tape *tape, float *to, const void *from, size_t n, int element);
    void (*write)(struct tape *tape, void *to, const float *from, size_t n, int element);
    bool (*replay)(struct tape *tape, int key, const struct step_numbers *numbers);
    void (*recorded)(struct tape *tape);
    gvm_status (*wait)(struct tape *tape, gvm_error *err);

    /* ---- a network's weights; NULL where the host's blocks are the device's */
    /* Whether a window's side, a map's channels and its heads fit; GVM_DEVICE says what does not. */
    gvm_status (*fits)(int window, int C, int heads, enum precision precision, gvm_error *err);
    gvm_status (*home_open)(struct home *home, gvm_error *err); /* and uploads */
    void (*home_free)(struct home *home);
    gvm_status (*home_upload)(struct home *home, gvm_error *err);   /* weights and gradients to the device */
    gvm_status (*home_download)(struct home *home, gvm_error *err); /* and back */
    void (*clear_gradients)(struct tape *tape);

    /* ---- optimizer.h, in the order of a tape's work */
    gvm_status (*optimizer_open)(struct optimizer *optimizer, struct tape *tape, gvm_error *err);
    void (*optimizer_free)(struct optimizer *optimizer);
    gvm_status (*optimizer_upload)(struct optimizer *optimizer, gvm_error *err); /* the moments */
    gvm_status (*optimizer_download)(struct optimizer *optimizer, gvm_error *err);
    void (*optimizer_update)(struct optimizer *optimizer);
    void (*asam_climb)(struct optimizer *optimizer, float rho);

    /* ---- the machine */
    void (*about)(char *text, size_t size); /* "NVIDIA H200, 140 GiB, CUDA 13.0" */
    double (*memory)(void);                 /* bytes that are taken of it now */
    double (*peak)(struct tape *tape);      /* FLOP/s of the best product, measured */
};

#endif
