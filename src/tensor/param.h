/* param.h - a parameter of a network, and what every layer's weights are made of. */
#ifndef GVM_TENSOR_PARAM_H
#define GVM_TENSOR_PARAM_H

#include <stdbool.h>
#include <stddef.h>

/* Of a first value: the amount, normal with that deviation, or uniform within it on both sides. */
enum law_kind { LAW_CONSTANT, LAW_NORMAL, LAW_UNIFORM };

struct law {
    enum law_kind kind;
    float amount;
};

struct param {
    char name[96]; /* as in the checkpoint: "street.backbone.layers.0.blocks.0.attn.qkv.weight" */
    int rank;      /* 1..4 */
    int shape[4];  /* as in the checkpoint */
    size_t count;  /* product of the shape */
    float *data;   /* row-major, or in panels (gemm.h) where the model is packed and this is a matrix */
    float *grad;   /* as data before packing; NULL where nothing learns */
    bool matrix;   /* goes into products as a weight (N, K), so inference packs it */
    bool decay;    /* weight decay applies */
    bool fixed;    /* never learned, such as running statistics: its gradient stays 0, and it does not decay */
    struct law first;
    bool backbone; /* learns at the backbone's rate, not at the rate of masks and head */
};

#endif
