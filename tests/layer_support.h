/* layer_support.h - tests of a layer. One description gives its sizes and numbers. The layer's reference in double
 * (oracle.h) is compared with difference quotients, and the shipped layer with the reference.
 *
 *   forward   double: out.value from in[].value and par[].value
 *   backward  double: adds to in[].grad and par[].grad the gradients from out.grad; after forward
 *   shipped   the layer's own call, with its weights' `shipped` members. A loss returns NULL, stores the call's result
 *             in `loss`, and takes weight = out.grad[0].
 *
 * Failures are printed with layer, size and tensor, and counted; finish() ends a test and prints the largest errors. */
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

/* The norm of a single channel is constant; its backward still divides rounding errors by sqrt(1e-5). */
#define NORM_GAIN 316.0

struct variable {
    const char *name;
    int rank, shape[4]; /* of an input or output: (B, L, C) */
    size_t n;
    double *value, *grad;  /* value: always exact in float */
    float *plain, *packed; /* a parameter's value in float; in panels if it is a weight matrix */
    struct param shipped;
    bool exact_zeros; /* wherever the reference gradient is 0, as under a clamp, the shipped one must be exactly 0 */
};

struct sizes {
    int B, H, W, L, C, N, K, window, shift, heads;
    enum activation f;
    bool no_bias;
    float epsilon;   /* of a norm; 0: 1e-5 */
    float smoothing; /* of labels */
    bool masked;     /* some tokens are not seen */
    bool wrap;       /* the map's left and right edge are neighbours */
    int slide;       /* shift of the columns only */
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
    bool exact_only; /* no comparison in lower precisions, because a kink or a large factor amplifies their rounding */
    float *keep;     /* (B) or NULL */
    uint8_t *pixels; /* of a patch embedding, */
    size_t pixel_bytes;
    uint8_t *seen;  /* (B, L) tokens of the first input, or of a patch embedding, that are seen; NULL: all */
    double *map[8]; /* values that forward stores for backward */
    void *more;     /* a layer's own */
    double gain;    /* amplification of rounding errors in gradients that are mathematically zero */
    float loss;
    void *kept[MAX_KEPT];
    int kept_count;
};

/* ---- random numbers, the same in every run */
void draw_seed(uint64_t seed);
double draw_uniform(void); /* [0, 1) */
double draw_normal(void);
float draw_float(void); /* normal */

/* ---- describing a layer */

/* Start a test. Its memory is zeroed and valid until layer_free. */
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
/* If the sizes are masked, choose the seen tokens of maps (B, H, W): part of them in the first picture, none in the
 * second, all in the third, and so on. */
void layer_seen(struct layer_test *t, int B, int H, int W);
/* Set the rows of x (B L, C) whose tokens are not seen to `value`. */
void clear_unseen(double *x, const struct layer_test *t, int rows, int C);
/* Convert the parameters' values to float and to panels; call it once they are final, before any check. */
void layer_sync(struct layer_test *t);

/* From now on, project the output onto the direction in which it moves with the weights and inputs, as a loss would.
 * Gradients that are sums of thousands of terms of mixed signs then are large compared with float32's rounding. */
void layer_aim(struct layer_test *t);

/* ---- checks */

/* Forward and backward in double; returns the norm of all gradients together, including the output's. */
double run_oracle(struct layer_test *t);
/* The reference's backward against fourth-order central differences of its forward, to 1e-6. */
void check_differences(struct layer_test *t);
/* The shipped layer: forward and backward to 1e-5; repeated with the same bits; with other numbers of threads; with
 * nonzero initial gradients; on some pictures of a larger tensor; and in inference. On a device to 1e-5 (fp32), 4e-3
 * (tf32) and 2e-2 (bf16). */
void check_shipped(struct layer_test *t);

/* |a - b| / |b| in the 2-norm. If |b| is below `least`, as for a gradient that is mathematically zero, relative to
 * `least_of` instead. */
double distance(const float *a, const double *b, size_t n, double least_of);
double length(const double *x, size_t n);

/* Count a failure unless `figure` is below `limit`; stores the largest. */
void check_figure(const char *label, const char *what, const char *name, double figure, double limit);
void check_true(const char *label, const char *what, bool holds);
/* Print the largest errors since the last call, and fail the test if anything failed. */
void finish(const char *layer);

/* Device of check_shipped: NULL for the CPU, CUDA if the environment variable GVM_LAYER_DEVICE is "cuda". */
extern const struct device *layer_device;

/* Run the group. Prints the reason and returns 77 if the instruction set named by GVM_ISA or the requested device is
 * not available. */
int run_layer_tests(const struct CMUnitTest *tests, size_t count);

#endif
