/* layers.h - the layers of this network. Each call computes its output and, in training, leaves a
 * record whose backward stands in the same file. Gradients of parameters accumulate (+=).
 *
 * A call goes to the device of its tape (device.h): NAME.c computes on the CPU, NAME_cuda.cu with CUDA.
 *
 *   B pictures, L = H W tokens a picture, C channels; maps are (B, L, C), row-major. */
#ifndef GVM_NN_LAYERS_H
#define GVM_NN_LAYERS_H

#include <stdint.h>

#include "tensor/param.h"
#include "tensor/tape.h"

/* ---- embed.c: pictures to tokens, and four tokens to one */

struct norm {
    struct param *weight, *bias; /* (C) */
};

struct patch_embed {
    struct param *weight, *bias; /* (C, 3, 4, 4), (C) */
    struct norm norm;
};

/* y = LN(W patch + b): one token for each 4 x 4 patch of the picture, whose bytes are first brought to
 * (byte / 255 - mean) / deviation of ImageNet. pixels (B, H, W, 3), from tape_pixels, must outlive the backward pass.
 */
struct tensor *patch_embed(struct tape *tape, const uint8_t *pixels, int B, int H, int W, const struct patch_embed *w);

struct patch_merge {
    struct param *weight; /* (2C, 4C) */
    struct norm norm;     /* (2C) */
};

/* y = LN(W [x(2i, 2j), x(2i+1, 2j), x(2i, 2j+1), x(2i+1, 2j+1)]): (B, H W, C) to (B, H W / 4, 2C). */
struct tensor *patch_merge(struct tape *tape, struct tensor *x, int H, int W, const struct patch_merge *w);

/* ---- norm.c */

/* y = LN(x) over the channels, epsilon 1e-5. */
struct tensor *layer_norm(struct tape *tape, struct tensor *x, const struct norm *w);

/* ---- window_attention.c */

struct attention {
    int H, W, window, shift, heads;      /* the map, the window's side, the cyclic shift, the heads */
    struct param *logit_scale;           /* (heads, 1, 1) */
    struct param *cpb_w1, *cpb_b1;       /* (512, 2), (512) */
    struct param *cpb_w2;                /* (heads, 512) */
    struct param *qkv, *q_bias, *v_bias; /* (3C, C), (C), (C) */
    struct param *proj_w, *proj_b;       /* (C, C), (C) */
    struct norm norm;                    /* the block's first */
    float *bias;                         /* (heads, n, np): kept by a packed model, else NULL */
    float *masks;                        /* (3, n, np): windows at the bottom, at the right, at both */
};

/* y = x + keep LN(attention(x)), Swin V2 sections 3.2 and 3.3: cosine similarity times
 * exp(min(logit_scale, ln 100)) plus 16 sigmoid(MLP(log-spaced offset)) within shifted windows.
 * keep (B): the branch's factor for each picture (drop_path), NULL for 1. */
struct tensor *window_attention(struct tape *tape, struct tensor *x, const struct attention *w, const float *keep);

/* ---- feed_forward.c */

struct feed_forward {
    struct param *w1, *b1; /* (4C, C), (4C) */
    struct param *w2, *b2; /* (C, 4C), (C) */
    struct norm norm;      /* the block's second */
};

/* y = x + keep LN(W2 gelu(W1 x + b1) + b2) */
struct tensor *feed_forward(struct tape *tape, struct tensor *x, const struct feed_forward *w, const float *keep);

/* ---- drop_path.c */

/* The factors of one residual branch: 1 / (1 - p) with probability 1 - p, else 0, one for each of B
 * pictures, drawn from the tape's seed and step and the number of the draw in this pass. NULL where p is 0
 * or the tape does not train. */
const float *drop_path(struct tape *tape, int B, float p);

/* The stream of draw `path` of a step: above those of first values, which are numbers of parameters (parameters.c). */
static inline uint64_t drop_path_stream(uint64_t step, int path)
{
    return (uint64_t)1 << 56 | step << 16 | (uint64_t)path;
}

/* ---- masks.c */

struct masks {
    struct param *w1, *b1; /* (N, L/2, L), (N, L/2) */
    struct param *w2, *b2; /* (N, L, L/2), (N, L) */
};

/* The feature aggregation of the paper's Figure 4: m = max over channels of x (B, L); a mask
 * w_n = W2_n (W1_n m + b1_n) + b2_n for each n; y (B, 1, N C), y_nc = sum over l of w_nl x_lc.
 * kept, out: the masks (B, N, L), until the next reset; may be NULL. */
struct tensor *masks(struct tape *tape, struct tensor *x, const struct masks *w, const float **kept);

/* ---- feature.c */

/* Features one behind the other: (B, 1, C1), (B, 1, C2) ... to (B, 1, C1 + C2 ...). */
struct tensor *concatenate(struct tape *tape, struct tensor *const *parts, int count);

/* y = x / max(|x|, 1e-12) */
struct tensor *l2_normalise(struct tape *tape, struct tensor *x);

enum activation { IDENTITY, RELU, GELU };

struct linear {
    struct param *weight, *bias; /* (N, K), (N) or NULL */
};

/* y = f(W x + b) */
struct tensor *linear(struct tape *tape, struct tensor *x, const struct linear *w, enum activation f);

/* ---- triplet.c */

/* The paper's equation 1 over every pair of a batch: a, b (B, 1, D) of length 1, B >= 2; a_i and b_i
 * belong together, d_ij = 2 - 2 a_i . b_j:
 *   mean over i != j of softplus(alpha (d_ii - d_ij)) and of softplus(alpha (d_ii - d_ji)), averaged.
 * Adds weight times the loss to the tape's loss and notes the loss itself there (tape->losses), which it returns: 0 on
 * a dry run, and on a device that works behind the caller's back, where both are known after tape_wait. */
float triplet(struct tape *tape, struct tensor *a, struct tensor *b, float alpha, float weight);

/* ---- infonce.c */

/* InfoNCE over every pair of a batch, Sample4Geo's loss: a, b (B, 1, D) of length 1; a_i and b_i belong together,
 * z_ij = exp(t) a_i . b_j with the learned t = *logit_scale, which nothing bounds. Half the mean over rows of z, and
 * half that over columns, of the cross-entropy against label i smoothed by s: log sum over j of exp(z_ij) - (1 - s)
 * z_ii - s mean over j of z_ij. smoothing: s, 0 to 1. Weight, the tape's loss and what it returns are triplet's. */
float infonce(struct tape *tape, struct tensor *a, struct tensor *b, struct param *logit_scale, float smoothing,
              float weight);

#endif
