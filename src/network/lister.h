/* lister.h - the list of a network's parameters: each is named once, with its shape and the distribution of its initial
 * value.
 *
 * The list is run up to three times: to count (params NULL), to fill, and, for a view that shares the weights of the
 * other one, to return the existing parameters. */
#ifndef GVM_NETWORK_LISTER_H
#define GVM_NETWORK_LISTER_H

#include <stdint.h>

#include "layers/layers.h"
#include "tensor/param.h"

struct lister {
    struct param *params; /* NULL: only count, and return NULL for every parameter */
    int count;            /* parameters so far */
    uint64_t numbers;     /* total size of these parameters */
    bool again;           /* return the existing parameters from `count` on */
    bool decay_all;       /* weight decay applies to every kind */
    bool backbone;        /* parameters have the backbone's learning rate */
    char base[32];        /* "street.backbone." */
    char inner[64];       /* "layers.0.blocks.1." */
};

enum list_kind {
    LIST_PLAIN = 0,
    LIST_DECAY = 1,  /* weight decay applies */
    LIST_MATRIX = 2, /* a weight (N, K) of a matrix product */
    LIST_WEIGHT = LIST_DECAY | LIST_MATRIX,
    LIST_FIXED = 4, /* not trained: running statistics */
    LIST_ADDED = 8  /* of an extension of the network: see struct param */
};

static inline struct law constant_law(float value)
{
    return (struct law){LAW_CONSTANT, value};
}

static inline struct law normal_law(float deviation)
{
    return (struct law){LAW_NORMAL, deviation};
}

/* Uniform within +-1 / sqrt(inputs), PyTorch's default for linear layers and filters. */
struct law inputs_law(int inputs);

/* Set the prefix of the following names, between base and the name. */
__attribute__((format(printf, 2, 3))) void list_in(struct lister *lister, const char *format, ...);

/* List a parameter of this shape; *out points to it. */
void list_shaped(struct lister *lister, struct param **out, const char *name, struct law law, int kind, int rank,
                 const int *shape);
#define list_param(lister, out, name, law, kind, ...)                                            \
    list_shaped(lister, out, name, law, kind, (int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int)), \
                (const int[]){__VA_ARGS__})

/* NAME.weight (rows, columns), normal with standard deviation 0.02. */
void list_matrix(struct lister *lister, struct param **out, int rows, int columns, const char *name);

/* NAME.weight = first, NAME.bias = 0, (C) each. kind: LIST_PLAIN or LIST_DECAY. */
void list_norm(struct lister *lister, struct norm *norm, int C, float epsilon, float first, int kind, const char *name);

#endif
