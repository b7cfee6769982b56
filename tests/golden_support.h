/* golden_support.h - tests of a network against files that tools/make_golden.py computed with PyTorch: stages,
 * features, losses, gradients and ten training steps; and reproducibility
 *
 * NAME stands for NAME.safetensors and NAME_golden.safetensors in golden_folder. Any deviation fails the test. */
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

/* Switch to the folder of the large files, GVM_GOLDEN_FULL; skips the test if it is not set. */
void golden_full_size(void);

/* Training settings of a method. */
struct golden_recipe {
    const struct rates *rates;
    const struct loss_options *losses;
    float rho; /* ASAM's radius, 0 for none */
};

const struct golden_recipe *golden_recipe(const struct network *network);

struct golden {
    struct safetensors *st;
    struct network *network; /* NULL if not loaded */
    int B;
    uint8_t *street;  /* (B, H, W, 3), or each with its visibility */
    uint8_t *aerial;  /* (aerial_each B, pictures, H, W, 3) */
    uint8_t *allowed; /* (B, B), or NULL: which pairs count in the loss */
};

struct golden golden_open(const char *name, bool training);
void golden_close(struct golden *golden);

/* A tensor's values, to be freed. count, out: their number; may be NULL. */
float *golden_values(const struct golden *golden, const char *name, size_t *count);

/* |got - tensor| / |tensor| over the tensor's values, which must be at most `most`; fails above the limit. */
double golden_expect(const struct golden *golden, const char *name, const float *got, size_t most, double limit);

/* A tape after its dry run. */
struct tape *golden_tape(const struct golden *golden, int view, int B, bool packed);

/* Stages and features in inference, with plain and with packed weights, within a relative limit. */
void golden_check_outputs(const char *name, double limit);
/* Losses of one step to 1e-5, and every parameter's gradient to 1e-3. */
void golden_check_gradients(const char *name);
/* Ten training steps: each loss to 1e-5 of the largest, and the change of the weights if the file has it. */
void golden_check_training(const char *name);
/* Three steps with drop paths: weights, gradients and features have the same bits when repeated. */
void golden_check_same_bits(const char *name);
/* Weights and fingerprint survive saving and loading; other weights have another fingerprint. */
void golden_check_saved(const char *name);
/* Weights under third-party names, read into a preset: the last stage and, if the file has it, the feature of the
 * aerial view. */
void golden_check_import(const char *name, const char *preset, double limit);

/* The network of a preset. */
struct network *golden_preset(const char *preset);

#endif
