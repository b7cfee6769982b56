/* infonce_cuda.cu - InfoNCE with a learned or fixed temperature over all pairs of a batch, in both directions. In
 * float32, with sums in double. */
#include <assert.h>

#include "layers/layer_cuda.cuh"

struct infonce_pass {
    struct tensor *a, *b;
    struct param *logit_scale; /* NULL: fixed */
    float *product;            /* (B, B) a b^T */
    float *gradient;           /* (B, B) gradient of the loss with respect to product, times weight */
    double *sums;              /* (4, B) log sum exp of z's rows; of its columns; losses; derivatives by logit_scale */
};

/* log sum exp(scale x) of n elements at distance `step` */
__device__ static double log_sum_exp(const float *x, int n, int step, double scale, double *work)
{
    double high = -1e300, sum = 0;
    for (int i = threadIdx.x; i < n; i += BLOCK) high = fmax(high, scale * x[(size_t)i * step]);
    high = block_max(high, work);
    for (int i = threadIdx.x; i < n; i += BLOCK) sum += exp(scale * x[(size_t)i * step] - high);
    return high + log(block_sum(sum, work));
}

/* e^t, or the fixed scale */
__device__ static double scale_of(const float *logit_scale, float fixed)
{
    return logit_scale ? exp((double)*logit_scale) : fixed;
}

/* Block i handles row i and column i of z = scale a b^T. */
__global__ void log_sums_kernel(double *sums, const float *product, const float *logit_scale, float fixed, int B)
{
    __shared__ double work[BLOCK];
    int i = blockIdx.x;
    double scale = scale_of(logit_scale, fixed);
    double row = log_sum_exp(product + (size_t)i * B, B, 1, scale, work);
    double column = log_sum_exp(product + i, B, B, scale, work);
    if (threadIdx.x == 0) sums[i] = row, sums[B + i] = column;
}

/* One block per row i of the gradient. With targets q = (1 - s) [i = j] + s / B:
 *   loss = sum (row_i / 2 + column_i / 2 - sum over j of q_ij z_ij) / B
 *   d loss / d z_ij = (exp(z_ij - row_i) + exp(z_ij - column_j) - 2 q_ij) / 2 B */
__global__ void infonce_kernel(float *gradient, double *sums, const float *product, const float *logit_scale,
                               float fixed, int B, float smoothing, float weight)
{
    __shared__ double work[BLOCK];
    int i = blockIdx.x;
    const double *row = sums, *column = sums + B;
    double scale = scale_of(logit_scale, fixed), share = 0, slope = 0;
    for (int j = threadIdx.x; j < B; j += BLOCK) {
        size_t at = (size_t)i * B + j;
        double z = scale * product[at], q = (i == j ? 1 - (double)smoothing : 0) + (double)smoothing / B;
        double by_z = weight * (exp(z - row[i]) + exp(z - column[j]) - 2 * q) / (2 * B);
        share += q * z;
        slope += by_z * z;
        gradient[at] = (float)(by_z * scale);
    }
    share = block_sum(share, work);
    slope = block_sum(slope, work);
    if (threadIdx.x > 0) return;
    sums[2 * B + i] = (row[i] + column[i]) / 2 - share;
    sums[3 * B + i] = slope;
}

static void infonce_backward(struct tape *tape, void *self)
{
    const struct infonce_pass *p = (const struct infonce_pass *)self;
    int B = p->a->B;
    pairs_backward(tape, p->a, p->b, p->gradient);
    if (p->logit_scale)
        LAUNCH(divide_sum_kernel, 1, 1, 0, cuda_of(tape)->stream, grad_of(tape, p->logit_scale), p->sums + 3 * B, B,
               1.0, 1.0f);
    LAUNCHED(tape, "compute a loss, backward");
}

float infonce_cuda(struct tape *tape, struct tensor *a, struct tensor *b, struct param *logit_scale, float scale,
                   float smoothing, float weight)
{
    assert(a->B == b->B && a->C == b->C && a->element == 4 && b->element == 4);
    struct infonce_pass *p = (struct infonce_pass *)tape_object(tape, sizeof *p);
    int B = a->B;
    p->a = a;
    p->b = b;
    p->logit_scale = logit_scale;
    p->product = tape_floats(tape, (size_t)B * B);
    p->gradient = tape_floats(tape, (size_t)B * B);
    p->sums = (double *)tape_floats(tape, (size_t)B * 8);
    tape_record(tape, infonce_backward, p);
    if (tape->dry) return 0;
    cudaStream_t stream = cuda_of(tape)->stream;
    const float *t = logit_scale ? weight_of(tape, logit_scale) : NULL;
    struct product ab = exact_product('N', 'T', B, B, a->C, a->data, a->C, b->data, a->C, 0, p->product);
    run_product(tape, &ab);
    LAUNCH(log_sums_kernel, B, BLOCK, 0, stream, p->sums, p->product, t, scale, B);
    LAUNCH(infonce_kernel, B, BLOCK, 0, stream, p->gradient, p->sums, p->product, t, scale, B, smoothing, weight);
    LAUNCH(divide_sum_kernel, 1, 1, 0, stream, loss_place(tape, weight), p->sums + 2 * B, B, (double)B, 0.0f);
    LAUNCHED(tape, "compute a loss");
    return 0;
}
