/* layer_cuda.cuh - shared by the layers' CUDA sources; counterpart of layer.h */
#ifndef GVM_LAYERS_LAYER_CUDA_CUH
#define GVM_LAYERS_LAYER_CUDA_CUH

#include "tensor/cuda.cuh"

extern "C" {
#include "layers/layers.h"

#define LAYER(type, name, parameters, arguments) type name##_cuda parameters;
#include "layers/layers.def"

/* device.h's fits, for window attention and norms. */
gvm_status fits_cuda(int window, int C, int heads, enum precision precision, gvm_error *err);
}

/* LN of rows (norm_cuda.cu): y = base + keep (xhat gamma + beta), xhat = (u - mean) rstd. base and keep may be NULL;
 * mean and rstd (rows), stored for backward, may be NULL. keep (B) is per picture of L rows. y may be base. element:
 * bytes per value, 0 for the size of map values. */
void norm_rows(struct tape *tape, void *y, float *mean, float *rstd, const void *u, const void *base, const float *keep,
               const struct norm *w, int rows, int L, int C, int element = 0);
/* du = rstd (g - mean(g) - xhat mean(g xhat)) (+ du), g = keep dy gamma; adds to the norm's gradients. partial: from
 * norm_scratch */
void norm_rows_backward(struct tape *tape, void *du, float accumulate, float *partial, const void *dy, const void *u,
                        const float *mean, const float *rstd, const float *keep, const struct norm *w, int rows, int L,
                        int C, int element = 0);
float *norm_scratch(struct tape *tape, int rows, int C);
enum { MAX_CHANNELS = 2048 };

/* Tokens that are not seen (seen_cuda.cu). The factors of a residual branch of x: keep (B) or NULL for pictures of L
 * rows or, if x has unseen tokens, in `room` (B L), one for each row. */
struct factors {
    const float *each;
    int L;
};

struct factors branch_factors(struct tape *tape, float *room, const float *keep, const struct tensor *x);
static inline float *factors_scratch(struct tape *tape, const struct tensor *x)
{
    return x->seen ? tape_scratch(tape, (size_t)x->B * (size_t)x->L) : NULL;
}

/* Set the rows of y that are not seen to `unseen` (C); NULL: to 0. unseen_backward adds its gradient; partial: from
 * unseen_scratch. */
void fill_unseen(struct tape *tape, struct tensor *y, const struct param *unseen);
float *unseen_scratch(struct tape *tape, const struct tensor *y);
void unseen_backward(struct tape *tape, const struct tensor *y, const struct param *unseen, float *partial);

/* to = (to +) the sum of n numbers / divisor */
__global__ static inline void divide_sum_kernel(float *to, const double *x, int n, double divisor, float accumulate)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += x[i];
    *to = (float)(sum / divisor) + (accumulate != 0 ? *to : 0);
}

/* Propagate the gradient (B, B) of all products a b^T to the two batches of features a and b. */
static inline void pairs_backward(struct tape *tape, struct tensor *a, struct tensor *b, const float *gradient)
{
    int B = a->B, D = a->C;
    struct product da = exact_product('N', 'N', B, D, B, gradient, B, b->data, D, tensor_accumulate(tape, a), a->grad);
    run_product(tape, &da);
    struct product db = exact_product('T', 'N', B, D, B, gradient, B, a->data, D, tensor_accumulate(tape, b), b->grad);
    run_product(tape, &db);
}

#endif
