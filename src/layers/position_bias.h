/* position_bias.h - the position bias of an attention layer and the masks of its shifted windows
 *
 * n = window^2 tokens, np = n rounded up to a multiple of 16. */
#ifndef GVM_LAYERS_POSITION_BIAS_H
#define GVM_LAYERS_POSITION_BIAS_H

#include "layers/layers.h"

enum { POSITION_HIDDEN = 512 }; /* width of the MLP */

/* 16 sigmoid(MLP), expanded to (heads, n, np); -1e30 in columns n..np-1. scratch: position_scratch(window, heads)
 * floats. */
void position_bias(float *bias, float *scratch, const struct attention *w);
size_t position_scratch(int window, int heads);

/* Propagate the gradient of the expanded bias, dbias (heads, n, np), to the MLP's weights (+=). */
void position_bias_backward(float *scratch, const float *dbias, const struct attention *w);

/* Multiply-adds of the MLP. */
uint64_t position_bias_products(int window, int heads);

/* Masks of 0 or -100, (3, n, np): for windows at the lower edge, at the right edge, at both. */
void shift_masks(float *masks, int window, int shift);

#endif
