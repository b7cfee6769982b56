/* model.h - the model of the public header, as the library's other files see it. */
#ifndef GVM_NETWORK_MODEL_H
#define GVM_NETWORK_MODEL_H

#include "network/network.h"

struct gvm_model {
    struct network *network; /* packed */
    gvm_model_info info;
    gvm_view_info views[2]; /* GVM_STREET, GVM_AERIAL */
};

/* GVM_ARGUMENT for a number that names no view. */
gvm_status check_view(gvm_view view, gvm_error *err);

/* Height and width of a view's input. */
const int *view_size(const gvm_model *model, gvm_view view);

/* Bytes of a view's input: of all pictures of a place. */
/* Whether its street pictures have a heading, as panoramas do. */
static inline bool has_headings(const gvm_model *model)
{
    return model->network->config.views[GVM_STREET].projection == PROJECTION_PANORAMA;
}

static inline size_t view_bytes(const gvm_model *model, gvm_view view)
{
    return branch_bytes(&model->network->views[view]);
}

/* Inputs that a view's picture becomes at most: views of a panorama, if photos are taken. */
static inline int most_inputs(const gvm_model *model, gvm_view view)
{
    return model->network->config.views[view].projection == PROJECTION_PERSPECTIVE ? GVM_PANORAMA_VIEWS : 1;
}

#endif
