/* layer_support.h - how a layer's test goes: one description of a layer, its sizes and its numbers; the
 * double statement of it (oracle.h) against difference quotients; the shipped layer against that statement.
 *
 *   forward   double: out.value from in[].value and par[].value
 *   backward  double: in[].grad and par[].grad += what follows from out.grad; after forward
 *   shipped   the layer's own call, with its weights' `shipped` members. A loss returns NULL, leaves what
 *             the call returned in `loss`, and takes weight = out.grad[0].
 *
 * Failures are printed with layer, size and tensor, and counted; finish() ends a test with the worst figures. */
#ifndef GVM_TESTS_LAYER_SUPPORT_H
#define GVM_TESTS_LAYER_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "layers/device_cpu.h"
#include "optim/module.h"
#include "oracle.h"

enum { MAX_INPUTS = 4, MAX_PARAMS = 16, MAX_KEPT = 4000 };

/* A norm of a single channel is constant; its backward still divides rounding by sqrt(1e-5). */
#define NORM_GAIN 316.0

struct variable {
    const char *name;
    int rank, shape[4]; /* an input's or output's: (B, L, C) */
    size_t n;
    double *value, *grad;  /* value is always exact in float */
    float *plain, *packed; /* a parameter's value in float; in panels where it is a weight matrix */
    struct param shipped;
    bool exact_zeros; /* where the double gradient is 0, as under a clamp, the shipped one is 0 to the bit */
};

struct sizes {
    int B, H, W, L, C, N, K, window, shift, heads;
    enum activation f;
    bool no_bias;
    float epsilon;   /* of a norm, 0 for 1e-5 */
    float smoothing; /* of labels */
};

struct layer_test {
    char label[160];
    struct sizes s;
    int inputs, params;
    struct variable in[MAX_INPUTS], par[MAX_PARAMS], out;
    void (*forward)(struct layer_test *t);
    void (*backward)(struct layer_test *t);
    struct tensor *(*shipped)(struct layer_test *t, struct tape *tape, struct tensor *const *in);
    bool residual;   /* the output shares the first input's gradient */
    bool features;   /* the inputs are features, float32 on every device */
    bool exact_only; /* a kink or a large factor makes of rounding what lower precisions are not measured by */
    float *keep;     /* (B) or NULL */
    uint8_t *pixels; /* of a patch embedding */
    double *map[8];  /* what forward leaves for backward */
    void *more;      /* a layer's own */
    double gain;     /* what rounding grows by on the way to a gradient that is zero by its mathematics */
    float loss;
    void *kept[MAX_KEPT];
    int kept_count;
};

/* ---- numbers, the same in every run */
void draw_seed(uint64_t seed);
double draw_uniform(void); /* [0, 1) */
double draw_normal(void);
float draw_float(void); /* normal */

/* ---- describing a layer */

/* All memory of a test is its own, zeroed, until layer_free. */
void layer_open(struct layer_test *t, const char *layer, const struct sizes *s);
void layer_free(struct layer_test *t);
void *layer_bytes(struct layer_test *t, size_t n);
double *layer_doubles(struct layer_test *t, size_t n);
double *layer_map(void *t, size_t n); /* layer_doubles, for oracle_attention_open */
float *layer_floats(struct layer_test *t, size_t n);

/* Normal values around `mean`. */
struct variable *layer_input(struct layer_test *t, const char *name, int B, int L, int C);
struct variable *layer_output(struct layer_test *t, int B, int L, int C);
struct variable *layer_param(struct layer_test *t, const char *name, double mean, double deviation, int rank,
                             const int *shape, bool matrix);
struct variable *layer_vector(struct layer_test *t, const char *name, double mean, double deviation, int n);
/* (N, K), deviation 1 / sqrt(K) */
struct variable *layer_matrix(struct layer_test *t, const char *name, int N, int K);
/* Factors of a residual branch: 1.25, 0, 1.25 ... */
void layer_keep(struct layer_test *t);
/* The parameters' values to float and to panels; once they are final, before any check. */
void layer_sync(struct layer_test *t);

/* Look at the output, from now on, in the direction in which it moves when weights and inputs do, as a loss would: a
 * gradient that sums up thousands of terms of either sign then has a size that float32 can tell from their rounding. */
void layer_aim(struct layer_test *t);

/* ---- checks */

/* Forward and backward in double; returns the length of all gradients together, the output's included. */
double run_oracle(struct layer_test *t);
/* The double backward against fourth-order central differences of the double forward, to 1e-6. */
void check_differences(struct layer_test *t);
/* The shipped layer: forward and backward to 1e-5, both again to the same bits, on other numbers of threads, with
 * gradients that already hold something, on some pictures of a larger tensor, and in inference. On a device to 1e-5
 * (fp32), 4e-3 (tf32) and 2e-2 (bf16). */
void check_shipped(struct layer_test *t);

/* |a - b| / |b| (2-norm). Where b's length is below `least`, as of a gradient that is zero by its
 * mathematics, the difference is measured against `least_of` instead. */
double distance(const float *a, const double *b, size_t n, double least_of);
double length(const double *x, size_t n);

/* Count a failure where `figure` is not below `limit`; remembers the worst. */
void check_figure(const char *label, const char *what, const char *name, double figure, double limit);
void check_true(const char *label, const char *what, bool holds);
/* Print the worst figures since the last call and fail the test if anything failed. */
void finish(const char *layer);

/* Where check_shipped computes: NULL for the CPU, or CUDA where the environment variable GVM_LAYER_DEVICE is "cuda". */
extern const struct device *layer_device;

/* Runs the group if the table that GVM_ISA asks for is the one that runs; else says so and returns 77; so also where
 * the device that is asked for is missing. */
int run_layer_tests(const struct CMUnitTest *tests, size_t count);

#endif
