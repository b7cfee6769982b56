/* device.h - the device that a network runs on: a table of functions, chosen at program start
 *
 * The CPU's table (layers/device_cpu.h) is always available. CUDA's is in a module that optim/module.h opens. Models do
 * not depend on the device: they call layers.h, and each call is forwarded to the table of its tape. */
#ifndef GVM_TENSOR_DEVICE_H
#define GVM_TENSOR_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geoviewmatch.h"

struct tape;
struct layer_table;
struct optimizer;

/* Precision of maps and products on a device. Weights, norms, softmax, features and losses are always float32. */
enum precision { PRECISION_BF16, PRECISION_TF32, PRECISION_FP32 };

/* A network's weights on a device. The host's copies change only on download. */
struct home {
    const struct device *device;
    float *weights, *grads; /* the host's; grads is NULL in inference */
    size_t floats;
    enum precision precision;
    void *state; /* the device's */
};

/* Values that change between steps; the rest of a step is recorded once. */
struct step_numbers {
    uint64_t step;                      /* for the drop-path draws */
    float factor, correct_m, correct_v; /* multiplies the rates; 1 - beta1^t, 1 - beta2^t */
};

struct device {
    const char *name; /* "cpu", "cuda" */
    uint64_t build;   /* for a module: device_build() of the program it was built with */

    const struct layer_table *layers; /* layers.h */

    /* ---- tape.h */
    gvm_status (*tape_open)(struct tape *tape, gvm_error *err); /* sets tape->state; NULL: not needed */
    void (*tape_free)(struct tape *tape);                       /* also frees tape->block */
    gvm_status (*tape_allocate)(struct tape *tape, size_t bytes, gvm_error *err); /* sets tape->block */
    void (*fill)(struct tape *tape, void *to, int byte, size_t bytes);
    bool (*holds)(struct tape *tape, const void *at, int byte, size_t bytes); /* whether all bytes equal `byte` */
    const uint8_t *(*pixels)(struct tape *tape, int input, const uint8_t *pixels, size_t bytes);
    void (*read)(struct tape *tape, float *to, const void *from, size_t n, int element);
    void (*write)(struct tape *tape, void *to, const float *from, size_t n, int element);
    bool (*replay)(struct tape *tape, int key, const struct step_numbers *numbers);
    void (*recorded)(struct tape *tape);
    gvm_status (*wait)(struct tape *tape, gvm_error *err);

    /* ---- a network's weights; NULL if the device uses the host's memory */
    /* Checks that a window's side and a map's channels and heads are supported; returns GVM_DEVICE with the reason if
     * not. */
    gvm_status (*fits)(int window, int C, int heads, enum precision precision, gvm_error *err);
    gvm_status (*home_open)(struct home *home, gvm_error *err); /* and uploads */
    void (*home_free)(struct home *home);
    gvm_status (*home_upload)(struct home *home, gvm_error *err);   /* weights and gradients to the device */
    gvm_status (*home_download)(struct home *home, gvm_error *err); /* and back */
    void (*clear_gradients)(struct tape *tape);

    /* ---- optimizer.h, on a tape's stream */
    gvm_status (*optimizer_open)(struct optimizer *optimizer, struct tape *tape, gvm_error *err);
    void (*optimizer_free)(struct optimizer *optimizer);
    gvm_status (*optimizer_upload)(struct optimizer *optimizer, gvm_error *err); /* the moments */
    gvm_status (*optimizer_download)(struct optimizer *optimizer, gvm_error *err);
    void (*optimizer_update)(struct optimizer *optimizer);
    void (*asam_climb)(struct optimizer *optimizer, float rho);

    /* ---- the machine */
    void (*about)(char *text, size_t size); /* "NVIDIA H200, 140 GiB, CUDA 13.0" */
    double (*memory)(void);                 /* bytes in use on the device */
    double (*peak)(struct tape *tape);      /* measured FLOP/s of the fastest product */
};

#endif
