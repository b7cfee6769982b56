/* golden_support.h - how a network's test goes: files that tools/make_golden.py computed with PyTorch, against which
 * stages, features, losses, gradients and ten training steps are held; what must come out the same twice.
 *
 * NAME names NAME.safetensors and NAME_golden.safetensors in golden_folder. Whatever is off fails the test. */
#ifndef GVM_TESTS_GOLDEN_SUPPORT_H
#define GVM_TESTS_GOLDEN_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/safetensors.h"
#include "network/learn.h"

extern char golden_folder[512]; /* "tests/golden" */

/* The folder becomes that of the large files, GVM_GOLDEN_FULL; the test is skipped where there is none. */
void golden_full_size(void);

/* How a method learns. */
struct golden_recipe {
    const struct rates *rates;
    const struct loss_options *losses;
    float rho; /* of ASAM's climb, 0 for none */
};

const struct golden_recipe *golden_recipe(const struct network *network);

struct golden {
    struct safetensors *st;
    struct network *network; /* NULL if it was not loaded */
    int B;
    const uint8_t *street; /* (B, H, W, 3) */
    uint8_t *aerial;       /* (aerial_each B, pictures, H, W, 3) */
    uint8_t *allowed;      /* (B, B), or NULL: which pairs count in the loss */
};

struct golden golden_open(const char *name, bool training);
void golden_close(struct golden *golden);

/* A tensor's numbers, to be freed; count, out: how many, may be NULL. */
float *golden_values(const struct golden *golden, const char *name, size_t *count);

/* |got - tensor| / |tensor|, over as many numbers as the tensor has, at most `most`; fails above the limit. */
double golden_expect(const struct golden *golden, const char *name, const float *got, size_t most, double limit);

/* A tape on which a pass has been run once, dry. */
struct tape *golden_tape(const struct golden *golden, int view, int B, bool packed);

/* Stages and features in inference, with plain and with packed weights, to a relative limit. */
void golden_check_outputs(const char *name, double limit);
/* Losses of one step to 1e-5, and every parameter's gradient to 1e-3. */
void golden_check_gradients(const char *name);
/* Ten training steps: each loss to 1e-5 of the largest, and the weights' way where the file has it. */
void golden_check_training(const char *name);
/* Three steps, with drop paths, leave the same bits in weights, gradients and features. */
void golden_check_same_bits(const char *name);
/* Saved and loaded again the weights are the same, and so is the fingerprint, which tells others. */
void golden_check_saved(const char *name);
/* Weights under others' names, read into a preset: last stage and, if it is there, feature of the aerial view. */
void golden_check_import(const char *name, const char *preset, double limit);

/* The network of a preset. */
struct network *golden_preset(const char *preset);

#endif
