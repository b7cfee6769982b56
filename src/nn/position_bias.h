/* position_bias.h - what window_attention.c needs of position_bias.c beyond layers.h. */
#ifndef GVM_NN_POSITION_BIAS_H
#define GVM_NN_POSITION_BIAS_H

#include "nn/layers.h"

/* Multiply-adds of the MLP. */
uint64_t position_bias_products(int window, int heads);

/* From the gradient of the spread-out bias, dbias (heads, n, np), to the MLP's weights (+=). */
void position_bias_backward(float *scratch, const float *dbias, const struct attention *w);

#endif
