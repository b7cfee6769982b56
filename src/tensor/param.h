/* param.h - a parameter of a network */
#ifndef GVM_TENSOR_PARAM_H
#define GVM_TENSOR_PARAM_H

#include <stdbool.h>
#include <stddef.h>

/* Distribution of initial values: the amount itself, normal with that standard deviation, or uniform within +- the
 * amount. */
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
    float *data;   /* row-major, or in panels (gemm.h) if the model is packed and this is a matrix */
    float *grad;   /* laid out as data before packing; NULL in inference */
    bool matrix;   /* weight (N, K) of a product, packed for inference */
    bool decay;    /* weight decay applies */
    bool added;    /* of an extension: files of the plain network lack it, and it then keeps its initial value */
    bool fixed;    /* not learned, such as running statistics: its gradient stays 0 and it does not decay */
    struct law first;
    bool backbone; /* learns at the backbone's rate instead of that of masks and head */
};

#endif
