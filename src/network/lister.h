/* lister.h - the list of a network's parameters: each is named once, with its shape and the law of its first value.
 *
 * The list is run through three times: to count (params NULL), to fill, and, for a view that shares the weights of
 * another, to hand out what is there already. */
#ifndef GVM_NETWORK_LISTER_H
#define GVM_NETWORK_LISTER_H

#include <stdint.h>

#include "layers/layers.h"
#include "tensor/param.h"

struct lister {
    struct param *params; /* NULL: counting, and every parameter handed out is NULL */
    int count;            /* parameters so far */
    uint64_t numbers;     /* and their numbers */
    bool again;           /* hand out the parameters from `count` on, which are listed already */
    bool decay_all;       /* weight decay applies whatever the kind */
    bool backbone;        /* they learn at the backbone's rate */
    char base[32];        /* "street.backbone." */
    char inner[64];       /* "layers.0.blocks.1." */
};

enum list_kind {
    LIST_PLAIN = 0,
    LIST_DECAY = 1,  /* weight decay applies */
    LIST_MATRIX = 2, /* goes into products as a weight (N, K) */
    LIST_WEIGHT = LIST_DECAY | LIST_MATRIX,
    LIST_FIXED = 4 /* not learned: running statistics */
};

static inline struct law constant_law(float value)
{
    return (struct law){LAW_CONSTANT, value};
}

static inline struct law normal_law(float deviation)
{
    return (struct law){LAW_NORMAL, deviation};
}

/* Uniform within +-1 / sqrt(inputs), as PyTorch draws linear layers and filters. */
struct law inputs_law(int inputs);

/* What names begin with from here on, between base and the name. */
__attribute__((format(printf, 2, 3))) void list_in(struct lister *lister, const char *format, ...);

/* A parameter of this shape; *out is it. */
void list_shaped(struct lister *lister, struct param **out, const char *name, struct law law, int kind, int rank,
                 const int *shape);
#define list_param(lister, out, name, law, kind, ...)                                            \
    list_shaped(lister, out, name, law, kind, (int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int)), \
                (const int[]){__VA_ARGS__})

/* NAME.weight (rows, columns), normal with deviation 0.02. */
void list_matrix(struct lister *lister, struct param **out, int rows, int columns, const char *name);

/* NAME.weight = first, NAME.bias = 0, (C) each. kind: LIST_PLAIN or LIST_DECAY. */
void list_norm(struct lister *lister, struct norm *norm, int C, float epsilon, float first, int kind, const char *name);

#endif
