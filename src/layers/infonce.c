/* infonce.c - InfoNCE with a learned or fixed temperature over all pairs of a batch, in both directions (Radford et al.
 * 2021; with label smoothing as in Sample4Geo, Deuser et al. 2023) */
#include <assert.h>
#include <math.h>

#include "layers/layer.h"

struct infonce_pass {
    struct tensor *a, *b;
    struct param *logit_scale; /* NULL: fixed */
    double scale;
    float *product; /* (B, B) a b^T; after forward its gradient */
    double slope;   /* gradient with respect to logit_scale */
};

static void infonce_backward(struct tape *tape, void *self)
{
    const struct infonce_pass *p = self;
    pairs_backward(tape, p->a, p->b, p->product);
    if (p->logit_scale) *p->logit_scale->grad += (float)p->slope;
}

/* log sum exp(scale x) of n elements at distance `step` */
static double log_sum_exp(const float *x, int n, int step, double scale)
{
    double high = -INFINITY, sum = 0;
    for (int i = 0; i < n; i++) high = fmax(high, scale * x[(size_t)i * step]);
    for (int i = 0; i < n; i++) sum += exp(scale * x[(size_t)i * step] - high);
    return high + log(sum);
}

/* Compute the loss from a b^T and replace a b^T by its gradient times weight. With z = scale a b^T, row_i and column_j
 * the log sum exp of z's rows and columns, and targets q = (1 - s) [i = j] + s / B:
 *   loss = sum (row_i / 2 + column_i / 2 - sum over j of q_ij z_ij) / B
 *   d loss / d z_ij = (exp(z_ij - row_i) + exp(z_ij - column_j) - 2 q_ij) / 2 B */
static double pairs_loss(struct infonce_pass *p, double *work, float smoothing, float weight)
{
    int B = p->a->B;
    double total = 0, scale = p->scale, *row = work, *column = work + B;
    for (int i = 0; i < B; i++) {
        row[i] = log_sum_exp(p->product + (size_t)i * B, B, 1, scale);
        column[i] = log_sum_exp(p->product + i, B, B, scale);
        total += (row[i] + column[i]) / 2;
    }
    for (int i = 0; i < B; i++)
        for (int j = 0; j < B; j++) {
            float *s = p->product + (size_t)i * B + j;
            double z = scale * *s, q = (i == j ? 1 - (double)smoothing : 0) + (double)smoothing / B;
            double by_z = weight * (exp(z - row[i]) + exp(z - column[j]) - 2 * q) / (2 * B);
            total -= q * z;
            p->slope += by_z * z;
            *s = (float)(by_z * scale);
        }
    return total / B;
}

float infonce_cpu(struct tape *tape, struct tensor *a, struct tensor *b, struct param *logit_scale, float scale,
                  float smoothing, float weight)
{
    assert(a->B == b->B && a->C == b->C);
    struct infonce_pass *p = tape_object(tape, sizeof *p);
    *p = (struct infonce_pass){a, b, logit_scale, (double)scale, .product = tape_floats(tape, (size_t)a->B * a->B)};
    tape_record(tape, infonce_backward, p);
    double *work = (double *)tape_scratch(tape, (size_t)a->B * 4);
    tape_scratch_release(tape);
    if (tape->dry) return 0;
    if (logit_scale) p->scale = exp(*logit_scale->data);
    gemm('N', 'T', a->B, a->B, a->C, a->data, a->C, b->data, a->C, 0, p->product, a->B);
    double loss = pairs_loss(p, work, smoothing, weight);
    tape_loss(tape, (float)loss, weight);
    return (float)loss;
}
