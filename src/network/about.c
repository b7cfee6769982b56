/* about.c - what is to be said of opened weights. */
#include "base/error.h"
#include "base/sized.h"
#include "network/checkpoint.h"
#include "network/session.h"

void model_describe(gvm_model *model)
{
    const struct network *network = model->network;
    const struct config *c = &network->config;
    model->info = (gvm_model_info){.size = sizeof model->info,
                                   .features = network->views[GVM_STREET].features,
                                   .parameters = (long long)network_parameters(network)};
    network_fingerprint(model->info.fingerprint, network);
    model->views[GVM_STREET] = (gvm_view_info){.size = sizeof(gvm_view_info),
                                               .projection = GVM_EQUIRECTANGULAR,
                                               .height = c->street[0],
                                               .width = c->street[1],
                                               .elevation_low = c->elevation[0],
                                               .elevation_high = c->elevation[1]};
    model->views[GVM_AERIAL] = (gvm_view_info){.size = sizeof(gvm_view_info),
                                               .projection = GVM_NADIR,
                                               .height = c->aerial[0],
                                               .width = c->aerial[1],
                                               .ground_m = c->ground_m};
}

gvm_status gvm_model_about(const gvm_model *model, gvm_model_info *info, gvm_error *err)
{
    clear_error(err);
    return sized_write(info, &model->info, sizeof model->info, err);
}

gvm_status gvm_view_about(const gvm_model *model, gvm_view view, gvm_view_info *info, gvm_error *err)
{
    clear_error(err);
    gvm_status status = check_view(view, err);
    return status == GVM_OK ? sized_write(info, &model->views[view], sizeof model->views[view], err) : status;
}
