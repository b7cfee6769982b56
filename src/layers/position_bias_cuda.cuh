/* position_bias_cuda.cuh - the position bias of an attention layer on the device: a table (heads, offsets) of 16
 * sigmoid(MLP), offsets = (2 window - 1)^2, in which the attention kernels look up a pair's bias */
#ifndef GVM_LAYERS_POSITION_BIAS_CUDA_CUH
#define GVM_LAYERS_POSITION_BIAS_CUDA_CUH

#include "layers/layer_cuda.cuh"

void position_table(struct tape *tape, float *table, const struct attention *w);
/* Propagate the table's gradient to the MLP's weights (+=). Overwrites dtable with the gradient of the logits. */
void position_table_backward(struct tape *tape, float *dtable, const float *table, const struct attention *w);

#endif
