/* triplet_cuda.cu - the paper's soft-margin triplet loss (equation 1) over all pairs of a batch. In float32, with sums
 * in double. */
#include <assert.h>

#include "layers/layer_cuda.cuh"

struct triplet_pass {
    struct tensor *a, *b;
    float *product;  /* (B, B) a b^T */
    float *gradient; /* (B, B) gradient of the loss with respect to product, times weight */
    double *losses;  /* (B) of each row's pairs */
};

__device__ static double softplus(double x)
{
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

/* One block per row i of the gradient. With d = 2 - 2 a b^T, alpha (d_ii - d_ij) = 2 alpha (ab_ij - ab_ii). The
 * diagonal's gradient is the negative sum over its row and its column. */
__global__ void pairs_kernel(float *gradient, double *losses, const float *product, int B, float alpha, float weight)
{
    __shared__ double sums[BLOCK];
    int i = blockIdx.x;
    double each = (double)weight * 2 * alpha / (2.0 * B * (B - 1)), loss = 0, diagonal = 0;
    double own = product[(size_t)i * B + i];
    for (int j = threadIdx.x; j < B; j += BLOCK) {
        if (i == j) continue;
        double s = product[(size_t)i * B + j], back = product[(size_t)j * B + i];
        double row = 2 * alpha * (s - own), column = 2 * alpha * (s - product[(size_t)j * B + j]);
        loss += softplus(row) + softplus(column);
        gradient[(size_t)i * B + j] = (float)(each / (1 + exp(-row)) + each / (1 + exp(-column)));
        diagonal -= each / (1 + exp(-row)) + each / (1 + exp(-2 * alpha * (back - own)));
    }
    loss = block_sum(loss, sums);
    diagonal = block_sum(diagonal, sums);
    if (threadIdx.x > 0) return;
    losses[i] = loss;
    gradient[(size_t)i * B + i] = (float)diagonal;
}

__global__ void loss_kernel(float *loss, const double *losses, int B)
{
    double sum = 0;
    for (int i = 0; i < B; i++) sum += losses[i];
    *loss = (float)(sum / (2.0 * B * (B - 1)));
}

static void triplet_backward(struct tape *tape, void *self)
{
    const struct triplet_pass *p = (const struct triplet_pass *)self;
    pairs_backward(tape, p->a, p->b, p->gradient);
}

float triplet_cuda(struct tape *tape, struct tensor *a, struct tensor *b, float alpha, float weight)
{
    assert(a->B >= 2 && a->B == b->B && a->C == b->C && a->element == 4 && b->element == 4);
    struct triplet_pass *p = (struct triplet_pass *)tape_object(tape, sizeof *p);
    size_t B = (size_t)a->B;
    p->a = a;
    p->b = b;
    p->product = tape_floats(tape, B * B);
    p->gradient = tape_floats(tape, B * B);
    p->losses = (double *)tape_floats(tape, 2 * B);
    tape_record(tape, triplet_backward, p);
    if (tape->dry) return 0;
    cudaStream_t stream = cuda_of(tape)->stream;
    struct product ab = exact_product('N', 'T', a->B, a->B, a->C, a->data, a->C, b->data, a->C, 0, p->product);
    run_product(tape, &ab);
    LAUNCH(pairs_kernel, a->B, BLOCK, 0, stream, p->gradient, p->losses, p->product, a->B, alpha, weight);
    LAUNCH(loss_kernel, 1, 1, 0, stream, loss_place(tape, weight), p->losses, a->B);
    LAUNCHED(tape, "compute a loss");
    return 0;
}
