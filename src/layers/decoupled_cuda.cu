/* decoupled_cuda.cu - decoupled InfoNCE over the allowed pairs of a batch, in both directions. In float32, with sums in
 * double, computed as in decoupled.c. */
#include <assert.h>

#include "layers/layer_cuda.cuh"

struct decoupled_pass {
    struct tensor *a, *b;
    float *product;  /* (B, B) a b^T */
    float *gradient; /* (B, B) gradient of the loss with respect to product, times weight */
    double *losses;  /* (B) of row and column i */
};

__device__ static const double NOT_ALLOWED = -1e300;

/* Row or column blockIdx.x of the (B, B) matrices. */
struct line {
    const float *product;
    const uint8_t *allowed;
    int B, step;
    double scale;
};

struct sums {
    int count, top;
    double high, rest, others; /* high: z of the top; the others as in decoupled.c */
};

__device__ static double logit(const line &l, int k)
{
    size_t at = (size_t)k * l.step;
    bool counts = k == (int)blockIdx.x || l.allowed == NULL || l.allowed[at];
    return counts ? l.scale * l.product[at] : NOT_ALLOWED;
}

__device__ static sums add_up(const line &l, double *work)
{
    double high = NOT_ALLOWED, second = NOT_ALLOWED, count = 0, top = -l.B, rest = 0, others = 0;
    for (int k = threadIdx.x; k < l.B; k += BLOCK) {
        double z = logit(l, k);
        high = fmax(high, z);
        count += z > NOT_ALLOWED;
    }
    high = block_max(high, work);
    count = block_sum(count, work);
    for (int k = threadIdx.x; k < l.B; k += BLOCK)
        if (logit(l, k) == high) top = fmax(top, (double)-k);
    int at = (int)-block_max(top, work);
    for (int k = threadIdx.x; k < l.B; k += BLOCK)
        if (k != at) second = fmax(second, logit(l, k));
    second = block_max(second, work);
    for (int k = threadIdx.x; k < l.B; k += BLOCK) {
        double z = logit(l, k);
        if (k == at || z == NOT_ALLOWED) continue;
        rest += exp(z - high);
        others += exp(z - second);
    }
    rest = block_sum(rest, work);
    others = block_sum(others, work);
    return {(int)count, at, high, rest, second + log(others)};
}

/* take_line of decoupled.c, one block per line. A row's gradient is written, a column's is added. */
__global__ void decoupled_kernel(float *gradient, double *losses, const float *product, const uint8_t *allowed, int B,
                                 int columns, double scale, double smoothing, double factor)
{
    __shared__ double work[BLOCK];
    int own = blockIdx.x;
    size_t first = columns ? (size_t)own : (size_t)own * B;
    line l = {product + first, allowed ? allowed + first : NULL, B, columns ? B : 1, scale};
    sums s = add_up(l, work);
    double each = s.count > 1 ? smoothing / (s.count - 1) : 0, right = s.count > 1 ? 1 - smoothing : 0;
    double loss = 0, all = 0, of_top = s.top == own ? right : each;
    for (int j = threadIdx.x; j < B; j += BLOCK) {
        double z = logit(l, j), sum = 1 + (s.rest - exp(z - s.high)), p = j == own ? right : each;
        if (z == NOT_ALLOWED) continue;
        if (p > 0) loss += p * ((j == s.top ? s.others : s.high + log(sum)) - z);
        if (j != s.top) all += p / sum;
    }
    loss = block_sum(loss, work);
    all = block_sum(all, work);
    for (int m = threadIdx.x; m < B; m += BLOCK) {
        double z = logit(l, m), e = exp(z - s.high), p = m == own ? right : each, by_z = 0;
        if (z > NOT_ALLOWED) by_z = e * (m == s.top ? all : all - p / (1 + (s.rest - e))) - p;
        if (z > NOT_ALLOWED && m != s.top && of_top > 0) by_z += of_top * exp(z - s.others);
        float *to = gradient + first + (size_t)m * l.step;
        *to = (float)(factor * by_z) + (columns ? *to : 0);
    }
    if (threadIdx.x == 0) losses[own] = loss + (columns ? losses[own] : 0);
}

static void decoupled_backward(struct tape *tape, void *self)
{
    const struct decoupled_pass *p = (const struct decoupled_pass *)self;
    pairs_backward(tape, p->a, p->b, p->gradient);
}

float decoupled_cuda(struct tape *tape, struct tensor *a, struct tensor *b, const uint8_t *allowed, float scale,
                     float smoothing, float weight)
{
    assert(a->B == b->B && a->C == b->C && a->element == 4 && b->element == 4);
    struct decoupled_pass *p = (struct decoupled_pass *)tape_object(tape, sizeof *p);
    int B = a->B;
    p->a = a;
    p->b = b;
    p->product = tape_floats(tape, (size_t)B * B);
    p->gradient = tape_floats(tape, (size_t)B * B);
    p->losses = (double *)tape_floats(tape, (size_t)B * 2);
    tape_record(tape, decoupled_backward, p);
    if (tape->dry) return 0;
    cudaStream_t stream = cuda_of(tape)->stream;
    double factor = (double)weight * scale / (2.0 * B);
    struct product ab = exact_product('N', 'T', B, B, a->C, a->data, a->C, b->data, a->C, 0, p->product);
    run_product(tape, &ab);
    for (int columns = 0; columns < 2; columns++)
        LAUNCH(decoupled_kernel, B, BLOCK, 0, stream, p->gradient, p->losses, p->product, allowed, B, columns,
               (double)scale, (double)smoothing, factor);
    LAUNCH(divide_sum_kernel, 1, 1, 0, stream, loss_place(tape, weight), p->losses, B, 2.0 * B, 0.0f);
    LAUNCHED(tape, "compute a loss");
    return 0;
}
