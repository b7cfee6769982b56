/* decoupled.c - decoupled InfoNCE (Yeh et al. 2022) over the allowed pairs of a batch, in both directions, with label
 * smoothing: a logit's log-sum-exp excludes the logit itself */
#include <assert.h>
#include <math.h>

#include "layers/layer.h"

struct decoupled_pass {
    struct tensor *a, *b;
    const uint8_t *allowed; /* (B, B) or NULL */
    float *product;         /* (B, B) a b^T */
    float *gradient;        /* (B, B) gradient of the loss with respect to product, times weight */
    double scale, smoothing;
};

/* A row of the (B, B) matrices, or a column, whose elements are at distance B. */
struct line {
    const float *product;
    const uint8_t *allowed;
    float *gradient;
    int step, own; /* own: index of the positive pair */
};

/* The sum over k != j of exp(z_k) contains the largest term, unless j is that term. Relative to the largest it is
 * 1 + (rest - e_j), a subtraction without cancellation. For the largest itself, the others are summed relative to the
 * second largest. So all B sums take O(B), and the gradient of a positive pair that is far ahead keeps its precision;
 * the total minus the largest term would be rounding error. */
struct sums {
    int count, top; /* number of allowed pairs; index of the first largest */
    double rest;    /* sum over k != top of e_k = exp(z_k - z_top) */
    double others;  /* log of the sum over k != top of exp(z_k) */
};

/* z (B), out: the logits; -inf for pairs that are not allowed */
static struct sums add_up(double *z, const struct decoupled_pass *p, const struct line *l)
{
    struct sums s = {0};
    int B = p->a->B;
    double high = -INFINITY, second = -INFINITY, sum = 0;
    for (int k = 0; k < B; k++) {
        bool allowed = k == l->own || l->allowed == NULL || l->allowed[(size_t)k * l->step];
        z[k] = allowed ? p->scale * l->product[(size_t)k * l->step] : -INFINITY;
        second = fmax(second, fmin(z[k], high));
        if (z[k] > high) high = z[k], s.top = k;
        s.count += allowed;
    }
    for (int k = 0; k < B && s.count > 1; k++) {
        if (k == s.top) continue;
        s.rest += exp(z[k] - high);
        sum += exp(z[k] - second);
    }
    s.others = second + log(sum);
    return s;
}

/* Returns the loss of a line and adds its gradient times factor. With p_own = 1 - s, p_j = s / (count - 1), and o_j the
 * log of the sum over k != j of exp(z_k):
 *   loss = sum over j of p_j (o_j - z_j)
 *   d loss / d z_m = exp(z_m) times the sum over j != m of p_j / exp(o_j), minus p_m
 * z, q: scratch (B). */
static double take_line(double *z, double *q, const struct decoupled_pass *p, struct line l, double factor)
{
    const struct sums s = add_up(z, p, &l);
    if (s.count < 2) return 0;
    int B = p->a->B;
    double high = z[s.top], loss = 0, all = 0, label[2] = {p->smoothing / (s.count - 1), 1 - p->smoothing};
    for (int j = 0; j < B; j++) {
        double sum = 1 + (s.rest - exp(z[j] - high)), p_j = isinf(z[j]) ? 0 : label[j == l.own];
        q[j] = j == s.top ? 0 : p_j / sum; /* sum = exp(o_j - high) */
        all += q[j];
        if (p_j > 0) loss += p_j * ((j == s.top ? s.others : high + log(sum)) - z[j]);
    }
    for (int m = 0; m < B; m++) {
        if (isinf(z[m])) continue;
        double by_z = exp(z[m] - high) * (all - q[m]) - label[m == l.own];
        if (m != s.top) by_z += label[s.top == l.own] * exp(z[m] - s.others);
        l.gradient[(size_t)m * l.step] += (float)(factor * by_z);
    }
    return loss;
}

static void decoupled_backward(struct tape *tape, void *self)
{
    const struct decoupled_pass *p = self;
    pairs_backward(tape, p->a, p->b, p->gradient);
}

float decoupled_cpu(struct tape *tape, struct tensor *a, struct tensor *b, const uint8_t *allowed, float scale,
                    float smoothing, float weight)
{
    assert(a->B == b->B && a->C == b->C);
    struct decoupled_pass *p = tape_object(tape, sizeof *p);
    size_t B = (size_t)a->B;
    *p = (struct decoupled_pass){a, b, allowed, .scale = (double)scale, .smoothing = (double)smoothing};
    p->product = tape_floats(tape, B * B);
    p->gradient = tape_floats(tape, B * B);
    tape_record(tape, decoupled_backward, p);
    double *work = (double *)tape_scratch(tape, 4 * B), loss = 0;
    tape_scratch_release(tape);
    if (tape->dry) return 0;
    gemm('N', 'T', a->B, a->B, a->C, a->data, a->C, b->data, a->C, 0, p->product, a->B);
    memset(p->gradient, 0, B * B * sizeof *p->gradient);
    for (int i = 0; i < 2 * a->B; i++) { /* the rows, then the columns */
        bool column = i >= a->B;
        size_t own = (size_t)(column ? i - a->B : i), at = column ? own : own * B;
        struct line l = {p->product + at, allowed ? allowed + at : NULL, p->gradient + at, column ? a->B : 1, (int)own};
        loss += take_line(work, work + B, p, l, (double)weight * p->scale / (2.0 * a->B));
    }
    loss /= 2.0 * a->B;
    tape_loss(tape, (float)loss, weight);
    return (float)loss;
}
