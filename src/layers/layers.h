/* layers.h - the layers that networks consist of: their weights; their calls are in layers.def. Each call computes its
 * output and, in training, leaves a record whose backward function is in the same file. Gradients of parameters
 * accumulate (+=).
 *
 * A call runs on its tape's device: NAME.c on the CPU, NAME_cuda.cu with CUDA. */
#ifndef GVM_LAYERS_LAYERS_H
#define GVM_LAYERS_LAYERS_H

#include <stdint.h>

#include "tensor/param.h"
#include "tensor/tape.h"

/* A rectangle of positions of a map. */
struct rectangle {
    int top, left, height, width;
};

struct norm {
    struct param *weight, *bias; /* (C) */
    float epsilon;               /* added to the variance */
};

struct patch_embed {
    struct param *weight, *bias; /* (C, 3, patch, patch), (C) */
    struct norm norm;
    int patch;                   /* side, pixels */
    float mean[3], deviation[3]; /* of the filters' channels, for bytes / 255 */
    bool bgr;                    /* order of the filters' channels: BGR instead of RGB */
    struct param *unseen;        /* (C) of patches that are not seen; NULL: the pictures have no visibility */
};

struct patch_merge {
    struct param *weight; /* (2C, 4C) */
    struct norm norm;     /* (2C) */
    struct param *unseen; /* (2C) of tokens none of whose four is seen; NULL for 0 */
};

struct attention {
    int H, W, window, shift, heads;      /* size of the map, side of a window, cyclic shift, number of heads */
    bool wrap;                           /* the map's left and right edge are neighbours: no mask between them */
    int slide;                           /* shift of the columns only, without `shift`; requires wrap */
    struct param *logit_scale;           /* (heads, 1, 1) */
    struct param *cpb_w1, *cpb_b1;       /* (512, 2), (512) */
    struct param *cpb_w2;                /* (heads, 512) */
    struct param *qkv, *q_bias, *v_bias; /* (3C, C), (C), (C) */
    struct param *proj_w, *proj_b;       /* (C, C), (C) */
    struct norm norm;                    /* the block's first */
    float *bias;                         /* (heads, n, np) position bias, stored in a packed model, else NULL */
    float *masks;                        /* (3, n, np) for windows at the bottom, at the right, at both */
};

struct feed_forward {
    struct param *w1, *b1; /* (4C, C), (4C) */
    struct param *w2, *b2; /* (C, 4C), (C) */
    struct norm norm;      /* the block's second */
};

struct masks {
    struct param *w1, *b1; /* (N, L/2, L), (N, L/2) */
    struct param *w2, *b2; /* (N, L, L/2), (N, L) */
};

enum activation { IDENTITY, RELU, GELU, GELU_TANH }; /* GELU exact, GELU_TANH the approximation (kernels.def) */

struct linear {
    struct param *weight, *bias; /* (N, K), (N) or NULL */
};

struct depthwise {
    struct param *weight, *bias; /* (C, 1, k, k), (C) */
    int side;                    /* k, odd */
};

struct patch_conv {
    struct param *weight, *bias; /* (N, C, k, k), (N) */
    int side;                    /* k; the stride equals it */
};

struct mlp {
    struct norm norm;      /* (C) */
    struct param *w1, *b1; /* (N, C), (N) */
    struct param *w2, *b2; /* (C, N), (C) */
    struct param *gamma;   /* (C) layer scale; NULL for 1 */
    enum activation gelu;  /* GELU or GELU_TANH */
};

#define LAYER(type, name, parameters, arguments) type name parameters;
#include "layers/layers.def"

/* A device's layers. */
struct layer_table {
#define LAYER(type, name, parameters, arguments)                         \
    type(*name) parameters; /* NOLINT(bugprone-macro-parentheses) a type \
                             */
#include "layers/layers.def"
};

/* The random stream of draw `path` of a step. Streams of initial values are parameter indices (network.c), which are
 * smaller. */
static inline uint64_t drop_path_stream(uint64_t step, int path)
{
    return (uint64_t)1 << 56 | step << 16 | (uint64_t)path;
}

#endif
