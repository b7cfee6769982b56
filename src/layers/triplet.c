/* triplet.c - the paper's soft-margin triplet loss (equation 1) over all pairs of a batch */
#include <assert.h>
#include <math.h>

#include "layers/layer.h"

struct triplet_pass {
    struct tensor *a, *b;
    float *product; /* (B, B) a b^T; after forward its gradient */
};

static void triplet_backward(struct tape *tape, void *self)
{
    const struct triplet_pass *p = self;
    pairs_backward(tape, p->a, p->b, p->product);
}

static double softplus(double x)
{
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

/* Compute the mean loss from a b^T and replace a b^T by its gradient times weight. With d = 2 - 2 a b^T,
 * alpha (d_ii - d_ij) = 2 alpha (ab_ij - ab_ii). */
static double pairs_loss(float *product, double *work, int B, float alpha, float weight)
{
    double total = 0, each = (double)weight * 2 * alpha / (2.0 * B * (B - 1));
    double *diagonal = work, *gradient = work + B; /* the diagonal is still read, so its gradient is stored apart */
    for (int i = 0; i < B; i++) {
        diagonal[i] = product[(size_t)i * B + i];
        gradient[i] = 0;
    }
    for (int i = 0; i < B; i++)
        for (int j = 0; j < B; j++) {
            if (i == j) continue;
            float *s = product + (size_t)i * B + j;
            double row = 2 * alpha * (*s - diagonal[i]), column = 2 * alpha * (*s - diagonal[j]);
            total += softplus(row) + softplus(column);
            double by_row = each / (1 + exp(-row)), by_column = each / (1 + exp(-column));
            *s = (float)(by_row + by_column);
            gradient[i] -= by_row;
            gradient[j] -= by_column;
        }
    for (int i = 0; i < B; i++) product[(size_t)i * B + i] = (float)gradient[i];
    return total / (2.0 * B * (B - 1));
}

float triplet_cpu(struct tape *tape, struct tensor *a, struct tensor *b, float alpha, float weight)
{
    assert(a->B >= 2 && a->B == b->B && a->C == b->C);
    struct triplet_pass *p = tape_object(tape, sizeof *p);
    *p = (struct triplet_pass){a, b, tape_floats(tape, (size_t)a->B * a->B)};
    tape_record(tape, triplet_backward, p);
    double *work = (double *)tape_scratch(tape, (size_t)a->B * 4);
    tape_scratch_release(tape);
    if (tape->dry) return 0;
    gemm('N', 'T', a->B, a->B, a->C, a->data, a->C, b->data, a->C, 0, p->product, a->B);
    double loss = pairs_loss(p->product, work, a->B, alpha, weight);
    tape_loss(tape, (float)loss, weight);
    return (float)loss;
}
