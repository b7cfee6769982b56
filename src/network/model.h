/* model.h - the public header's model, as seen inside the library. */
#ifndef GVM_NETWORK_MODEL_H
#define GVM_NETWORK_MODEL_H

#include "network/network.h"

struct gvm_model {
    struct network *network; /* packed */
    gvm_model_info info;
    gvm_view_info views[2]; /* GVM_STREET, GVM_AERIAL */
};

/* Fails with GVM_ARGUMENT if the number is not a view. */
gvm_status check_view(gvm_view view, gvm_error *err);

/* Height and width of a view's input. */
const int *view_size(const gvm_model *model, gvm_view view);

/* Returns true if its street pictures have a heading, as panoramas do. */
static inline bool has_headings(const gvm_model *model)
{
    return model->network->config.views[GVM_STREET].projection == PROJECTION_PANORAMA;
}

/* Bytes of a view's input: of all pictures of a place, with their visibility. */
static inline size_t view_bytes(const gvm_model *model, gvm_view view)
{
    return model->network->views[view].bytes;
}

/* Largest number of inputs of a picture: a panorama becomes several views if the weights take photos. */
static inline int most_inputs(const gvm_model *model, gvm_view view)
{
    return model->network->config.views[view].projection == PROJECTION_PERSPECTIVE ? GVM_PANORAMA_VIEWS : 1;
}

#endif
