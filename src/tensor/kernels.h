/* kernels.h - the inner loops, compiled from one source for plain x86-64, AVX2 and AVX-512.
 *
 * kernels() gives the table for this machine: the best it has, or the one that the environment
 * variable GVM_ISA (plain, avx2, avx512) names. Every function works on the calling thread. */
#ifndef GVM_NN_KERNELS_H
#define GVM_NN_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* One window and head of attention: n tokens of d channels, np = n rounded up to a multiple of 16. */
struct window {
    const float *q, *k, *v; /* (n, d) each, rows ld apart: as the product with qkv_w left them, without biases */
    int ld;
    const float *q_bias, *v_bias; /* (d) */
    float scale;                  /* exp(min(logit_scale, ln 100)) */
    const float *bias;            /* (n, np) position bias of this head; columns n..np-1 hold -1e30 */
    const float *mask;            /* (n, np) 0 or -100, NULL where no two regions meet */
    int n, np, d;
};

/* Search (kernels_half.c): rows of float16, as a map keeps them, against queries in float32. */
enum {
    HALF_QUERIES = 64, /* in a product at most */
    HALF_ROWS = 48,    /* in a product at most: with a chunk of the queries they fit the second-level cache */
    HALF_CHUNK = 256,  /* numbers of a row that are widened at a time */
    HALF_SCRATCH = HALF_ROWS * (HALF_CHUNK + HALF_QUERIES) /* floats */
};

struct half_kernels {
    void (*widen)(float *y, const uint16_t *x, int n); /* to float32; exact */
    /* scores[r] = row r . y, for R rows of n, straight from memory. Each sum runs over every VW-th number at most and
     * then over what that gives. */
    void (*dots)(float *scores, const uint16_t *const *rows, int R, const float *y, int n);

    /* n <= HALF_QUERIES queries (n, D) as the product takes them; panels: HALF_QUERIES * D floats. */
    void (*pack)(float *panels, const float *queries, int n, int D);
    /* scores[q ld + r] = row r . query q, for R <= HALF_ROWS rows of D. Each sum runs over a chunk and then over the
     * chunks. scratch: HALF_SCRATCH floats. */
    void (*product)(float *scores, size_t ld, const uint16_t *const *rows, int R, const float *panels, int n, int D,
                    float *scratch);

    int32_t (*read)(const void *memory, size_t bytes); /* all of it, at the speed of memory; a number of no meaning */
};

struct kernels {
    const char *name; /* "plain", "avx2", "avx512" */
    int level;        /* 0, 1, 2 */

    /* xhat = (u + bias - mean) rstd over a row of C; y = base + scale (xhat gamma + beta).
     * bias and base may be NULL (0); xhat may be NULL (not kept) or u itself; rstd may be NULL; y may be base. */
    void (*norm_row)(float *y, float *xhat, float *rstd, const float *u, const float *bias, const float *base,
                     float scale, const float *gamma, const float *beta, int C);
    /* du = rstd (g - mean(g) - xhat mean(g xhat)), g = scale dy gamma; dgamma += scale dy xhat, dbeta += scale dy.
     * du may be dy or xhat itself. */
    void (*norm_row_backward)(float *du, float *dgamma, float *dbeta, const float *dy, const float *xhat, float rstd,
                              float scale, const float *gamma, int C);

    /* g = gelu(h + bias) for rows of C; bias may be NULL (0); keep: h + bias is written back into h. g may be h
     * where it is not kept. */
    void (*gelu)(float *g, float *h, const float *bias, int rows, int C, int keep);
    /* dh = dg gelu'(h) and g = gelu(h); n values; dg and dh may be one, g and h may be one. */
    void (*gelu_backward)(float *dh, float *g, const float *dg, const float *h, size_t n);

    /* o (n, d), rows ldo apart = softmax(scale q^ k^^T + bias + mask) (v + v_bias), q^ and k^ of length 1.
     * scratch: window_scratch(n, d) floats. */
    void (*window_forward)(float *o, int ldo, const struct window *w, float *scratch);
    /* Overwrites dq, dk, dv (rows ld apart, as q, k, v); adds to dbias (n, np) and to *dscale the sum of
     * dS (q^ . k^). out: the rows that forward wrote, needed for the softmax; dout as out. */
    void (*window_backward)(float *dq, float *dk, float *dv, float *dbias, double *dscale, const float *dout,
                            const float *out, int ldo, const struct window *w, float *scratch);

    float (*max_row)(int *where, const float *x, int C); /* largest of a row and its first place */
    void (*column_sum)(float *sum, const float *x, int ld, int rows, int from, int to); /* sum[c] += column c */
    void (*add)(float *y, const float *x, size_t n);                                    /* y += x */

    /* AdamW on n values (Loshchilov and Hutter 2019, as PyTorch orders it): w -= lr decay w; m, v moments of g;
     * w -= lr / c1 m / (sqrt(v) / sqrt(c2) + eps), c1 = 1 - beta1^t, c2 = 1 - beta2^t. */
    void (*adamw)(float *w, float *m, float *v, const float *g, size_t n, float lr, float decay, float beta1,
                  float beta2, float eps, float c1, float c2);
    /* Sum of (w g)^2 in double, and w += w^2 g step: ASAM's norm and climb. */
    double (*asam_norm)(const float *w, const float *g, size_t n);
    void (*asam_climb)(float *w, const float *g, size_t n, float step);

    /* A loop of nothing but fused multiply-adds in registers; returns how many operations it did. */
    double (*peak)(long rounds);

    const struct half_kernels *half;
};

const struct kernels *kernels(void);

static inline int round_up(int n, int multiple)
{
    return (n + multiple - 1) / multiple * multiple;
}

/* Floats of scratch for a window of n tokens and d channels a head. */
static inline size_t window_scratch(int n, int d)
{
    size_t np = (size_t)round_up(n, 16), dp = (size_t)round_up(d, 16);
    return 3 * np * np + 8 * np * dp + 4 * np;
}

#endif
