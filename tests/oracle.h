/* oracle.h - reference implementations: every layer as plain loops in double, written from its formula. The shipped
 * layers are compared with them. Independent of src/ except for the names of activations.
 *
 * Forward overwrites its outputs; backward adds (+=) to every gradient passed to it. M rows, all row-major. */
#ifndef GVM_TESTS_ORACLE_H
#define GVM_TESTS_ORACLE_H

#include <stdint.h>

#include "layers/layers.h"

/* A hash of all branches that forward took (a ReLU's sign, a maximum's index, a clamp). If two passes differ in it,
 * there is a kink between them, and a difference quotient is no derivative. */
extern uint64_t oracle_branches;

static inline void oracle_decide(int what)
{
    oracle_branches = (oracle_branches ^ (uint64_t)(what + 1)) * 0x100000001b3u;
}

/* ---- oracle.c */

/* h = x W^T + b, y = f(h): x (M, K), W (N, K), b (N) or NULL, h and y (M, N) */
void oracle_linear(double *y, double *h, const double *x, const double *w, const double *b, int M, int N, int K,
                   enum activation f);
/* dx and db may be NULL */
void oracle_linear_backward(double *dx, double *dw, double *db, const double *dy, const double *h, const double *x,
                            const double *w, int M, int N, int K, enum activation f);

double oracle_gelu(double x);
double oracle_gelu_slope(double x);
double oracle_gelu_tanh(double x);
double oracle_gelu_tanh_slope(double x);

/* y = gamma (x - mean) / sqrt(variance + epsilon) + beta, over rows of C */
void oracle_norm(double *y, const double *x, const double *gamma, const double *beta, double epsilon, int M, int C);
void oracle_norm_backward(double *dx, double *dgamma, double *dbeta, const double *dy, const double *x,
                          const double *gamma, double epsilon, int M, int C);

/* pixels (B, H, W, 3) to p (B, H/side W/side, 3 side^2), each row in the order of a filter (3, side, side) */
void oracle_patches(double *p, const uint8_t *pixels, const struct patch_embed *w, int B, int H, int W);

/* x (B, H W, C) to g (B, H W / 4, 4C): the four neighbours (0,0) (1,0) (0,1) (1,1), concatenated */
void oracle_gather(double *g, const double *x, int B, int H, int W, int C);
void oracle_gather_backward(double *dx, const double *dg, int B, int H, int W, int C);

/* y = x + keep_b u for u (B, n); keep NULL for 1 */
void oracle_residual(double *y, const double *x, const double *u, const float *keep, int B, int n);
void oracle_residual_backward(double *dx, double *du, const double *dy, const float *keep, int B, int n);

/* ---- oracle_conv.c: maps (B, H W, C), channels last; weights in PyTorch's layout */

/* y_ijc = b_c + sum over r, s of w_crs x_(i + r - k/2, j + s - k/2, c), x zero outside; w (C, 1, k, k), k odd */
void oracle_depthwise(double *y, const double *x, const double *w, const double *b, int B, int H, int W, int C, int k);
void oracle_depthwise_backward(double *dx, double *dw, double *db, const double *dy, const double *x, const double *w,
                               int B, int H, int W, int C, int k);

/* y_ijn = b_n + sum over c, r, s of w_ncrs x_(k i + r, k j + s, c); w (N, C, k, k), y (B, H/k W/k, N) */
void oracle_patch_conv(double *y, const double *x, const double *w, const double *b, int B, int H, int W, int C, int N,
                       int k);
void oracle_patch_conv_backward(double *dx, double *dw, double *db, const double *dy, const double *x, const double *w,
                                int B, int H, int W, int C, int N, int k);

/* y (B, C) = mean over L of x (B, L, C) */
void oracle_mean(double *y, const double *x, int B, int L, int C);
void oracle_mean_backward(double *dx, const double *dy, int B, int L, int C);
/* over a rectangle of the map, which is W wide */
void oracle_mean_part(double *y, const double *x, int B, int L, int C, int W, const struct rectangle *part);
void oracle_mean_part_backward(double *dx, const double *dy, int B, int L, int C, int W, const struct rectangle *part);

/* ---- oracle_attention.c */

struct oracle_attention {
    int B, H, W, C, window, shift, heads;
    bool wrap;           /* the left and right edge are neighbours */
    int slide;           /* shift of the columns only */
    const uint8_t *seen; /* (B, H W) 0: the token is no key; NULL: all are */
    const double *logit_scale, *cpb_w1, *cpb_b1, *cpb_w2, *qkv, *q_bias, *v_bias, *proj_w, *proj_b;
    double *d_logit_scale, *d_cpb_w1, *d_cpb_b1, *d_cpb_w2, *d_qkv, *d_q_bias, *d_v_bias, *d_proj_w, *d_proj_b;
    double *hidden;    /* ((2 window - 1)^2, 512): hidden layer of the bias's MLP, before ReLU */
    double *table;     /* ((2 window - 1)^2, heads) 16 sigmoid(MLP) */
    double *q, *k, *v; /* (B, H W, C), including biases */
    double *p;         /* (B, windows, heads, n, n) softmax */
    double *o;         /* (B, H W, C) before the projection */
    double *gradients; /* of q, k, v, o and table, concatenated */
};

/* Allocate hidden .. gradients for the sizes above with `doubles(user, count)`, which zeroes. */
void oracle_attention_open(struct oracle_attention *a, double *(*doubles)(void *user, size_t count), void *user);
/* 16 sigmoid(MLP(log-spaced offset)) for each offset */
void oracle_position_table(const struct oracle_attention *a);
/* index in the table for tokens i, j of a window */
int oracle_offset(int window, int i, int j);
/* -100 if tokens i, j of window (r, c) of the shifted map come from different regions, else 0 */
double oracle_mask(const struct oracle_attention *a, int r, int c, int i, int j);
/* y (B, H W, C) = attention(x) of seen tokens, without norm and residual */
void oracle_attention_forward(double *y, const double *x, const struct oracle_attention *a);
void oracle_attention_backward(double *dx, const double *dy, const double *x, const struct oracle_attention *a);

/* ---- oracle_feature.c */

/* m (B, L) maximum over channels, where (B, L) its first index; h (B, N, L/2), w (B, N, L); y (B, N C) */
struct oracle_masks {
    int B, L, C, N;
    const uint8_t *seen; /* (B, L) m and w are 0 where this is 0; NULL: everywhere 1 */
    const double *w1, *b1, *w2, *b2;
    double *d_w1, *d_b1, *d_w2, *d_b2;
    double *m, *h, *w, *dm; /* dm (L) */
    int *where;
};

void oracle_masks_forward(double *y, const double *x, const struct oracle_masks *a);
void oracle_masks_backward(double *dx, const double *dy, const double *x, const struct oracle_masks *a);

/* y = x / max(|x| + epsilon, 1e-12) */
void oracle_normalise(double *y, const double *x, double epsilon, int B, int C);
void oracle_normalise_backward(double *dx, const double *dy, const double *x, double epsilon, int B, int C);

/* p (B, heads, L), p_h = softmax over l of a_lh; y (B, D), y_c = sum over l of p_hl v_lc, c of head h: a (B, L, heads),
 * v (B, L, D) */
void oracle_pool(double *y, double *p, const double *a, const double *v, int B, int L, int heads, int D);
void oracle_pool_backward(double *da, double *dv, const double *dy, const double *p, const double *v, int B, int L,
                          int heads, int D);

double oracle_triplet(const double *a, const double *b, int B, int D, double alpha);
void oracle_triplet_backward(double *da, double *db, const double *a, const double *b, int B, int D, double alpha,
                             double weight);

/* ---- oracle_loss.c */

/* The mean cross-entropy of e^t a b^T (B, B) by rows and by columns with smoothed labels. backward: weight times its
 * gradient */
double oracle_infonce(const double *a, const double *b, double t, int B, int D, double smoothing);
void oracle_infonce_backward(double *da, double *db, double *dt, const double *a, const double *b, double t, int B,
                             int D, double smoothing, double weight);

/* Decoupled InfoNCE of scale a b^T; allowed (B, B) or NULL. Unless da is NULL, adds weight times the gradient to da and
 * db. */
double oracle_decoupled(double *da, double *db, const double *a, const double *b, const uint8_t *allowed, double scale,
                        int B, int D, double smoothing, double weight);

#endif
