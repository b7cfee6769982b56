/* kernels.h - the inner loops, compiled from one source for plain x86-64, AVX2 and AVX-512
 *
 * kernels() returns the table for this machine: the best it supports, or the one named by the environment variable
 * GVM_ISA (plain, avx2, avx512). All functions are single-threaded. */
#ifndef GVM_TENSOR_KERNELS_H
#define GVM_TENSOR_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* One window and head of attention: n tokens of d channels; np is n rounded up to a multiple of 16. */
struct window {
    const float *q, *k, *v; /* (n, d) each, rows at distance ld: the product with qkv_w, before adding biases */
    int ld;
    const float *q_bias, *v_bias; /* (d) */
    float scale;                  /* exp(min(logit_scale, ln 100)) */
    const float *bias;            /* (n, np) position bias of this head; -1e30 in columns n..np-1 */
    const float *mask;            /* (n, np) 0 or -100; NULL if the window contains a single region */
    int n, np, d;
};

/* Search (kernels_half.c): float16 rows, as stored in a map, and float32 queries. */
enum {
    HALF_QUERIES = 64, /* maximum per product */
    HALF_ROWS = 48,    /* maximum per product; together with a chunk of the queries they fit the L2 cache */
    HALF_CHUNK = 256,  /* numbers of a row converted to float32 at a time */
    HALF_SCRATCH = HALF_ROWS * (HALF_CHUNK + HALF_QUERIES) /* floats */
};

struct half_kernels {
#define HALF_KERNEL(type, name, parameters) type(*name) parameters; /* NOLINT(bugprone-macro-parentheses) a type */
#include "tensor/kernels.def"
};

/* Depthwise convolution (kernels_conv.c). */
enum {
    DEPTHWISE_BLOCK = 16,  /* channels processed together: a cache line */
    DEPTHWISE_COLUMNS = 12 /* a plane's width is a multiple of this */
};

struct conv_kernels {
#define CONV_KERNEL(type, name, parameters) type(*name) parameters; /* NOLINT(bugprone-macro-parentheses) a type */
#include "tensor/kernels.def"
};

struct kernels {
    const char *name; /* "plain", "avx2", "avx512" */
    int level;        /* 0, 1, 2 */
    const struct half_kernels *half;
    const struct conv_kernels *conv;
#define KERNEL(type, name, parameters) type(*name) parameters; /* NOLINT(bugprone-macro-parentheses) a type */
#include "tensor/kernels.def"
};

const struct kernels *kernels(void);

static inline int round_up(int n, int multiple)
{
    return (n + multiple - 1) / multiple * multiple;
}

/* Columns of a plane for a map of width W, without margins. */
static inline int plane_width(int W)
{
    return round_up(W, DEPTHWISE_COLUMNS);
}

/* Floats of a plane with this many rows. */
static inline size_t plane_floats(int rows, int W, int margin)
{
    return ((size_t)rows + 2 * (size_t)margin) * ((size_t)plane_width(W) + 2 * (size_t)margin) * DEPTHWISE_BLOCK;
}

/* Floats of scratch for a window of n tokens and d channels per head. */
static inline size_t window_scratch(int n, int d)
{
    size_t np = (size_t)round_up(n, 16), dp = (size_t)round_up(d, 16);
    return 3 * np * np + 8 * np * dp + 4 * np;
}

#endif
