/* heatmap.h - what gvm_heatmap is made of. */
#ifndef GVM_NETWORK_HEATMAP_H
#define GVM_NETWORK_HEATMAP_H

#include "network/network.h"

/* heat (L): the mean over the channels of the first picture's map. */
void heat_mean(double *heat, const struct tensor *x);

/* As gvm_heatmap, and in the same pass the picture's own feature.
 *
 *   own  out: (features); may be NULL */
gvm_status heat_run(gvm_session *session, gvm_view view, int stage, float *map, float *own, const unsigned char *pixels,
                    const float *other, gvm_error *err);

#endif
