/* model.c - opens weights, and describes them. */
#include "network/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/sized.h"
#include "network/checkpoint.h"
#include "network/place.h"

static gvm_view_info describe_view(const struct config *c, const struct view *view)
{
    static const gvm_projection projections[] = {[PROJECTION_PANORAMA] = GVM_EQUIRECTANGULAR,
                                                 [PROJECTION_NADIR] = GVM_NADIR,
                                                 [PROJECTION_PERSPECTIVE] = GVM_PERSPECTIVE};
    gvm_view_info info = {.size = sizeof info,
                          .projection = projections[view->projection],
                          .height = view->size[0],
                          .width = view->size[1],
                          .masked = view->visible};
    if (view->projection == PROJECTION_NADIR) {
        info.ground_m = c->ground_m;
        info.zoom_count = view->zoom_count;
        for (int i = 0; i < view->zoom_count; i++) info.zooms[i] = view->zooms[i];
        info.bearing = view->bearing;
        info.cell_m = c->cell_m;
    } else if (view->projection == PROJECTION_PANORAMA) {
        info.elevation_low = c->elevation[0];
        info.elevation_high = c->elevation[1];
    }
    return info;
}

static gvm_status describe(gvm_model *model)
{
    const struct network *network = model->network;
    model->info = (gvm_model_info){.size = sizeof model->info,
                                   .features = network->views[GVM_STREET].features,
                                   .parameters = (long long)network_parameters(network)};
    memcpy(model->info.source, network->origin.source, sizeof model->info.source);
    memcpy(model->info.licence, network->origin.licence, sizeof model->info.licence);
    const struct method *method = network->config.method;
    if (method->score_scale) model->info.score_scale = method->score_scale(network);
    for (int v = 0; v < 2; v++) {
        model->views[v] = describe_view(&network->config, &network->config.views[v]);
        model->views[v].bytes = view_bytes(model, v);
    }
    return network_fingerprint(model->info.fingerprint, network) ? GVM_OK : GVM_MEMORY;
}

gvm_status gvm_model_open(gvm_model **model, const char *path, gvm_error *err)
{
    clear_error(err);
    *model = NULL;
    const char *where = path != NULL ? path_tail(path) : "nano";
    gvm_model *m = calloc(1, sizeof *m);
    if (m == NULL) return fail(err, GVM_MEMORY, "%s: cannot open it: out of memory", where);
    gvm_status status = checkpoint_load(&m->network, path, false, err);
    if (status == GVM_OK) status = describe(m);
    if (status == GVM_OK) status = network_place(m->network, err);
    if (status == GVM_MEMORY) fail(err, status, "%s: out of memory for its network", where);
    if (status == GVM_OK)
        *model = m;
    else
        gvm_model_free(m);
    return status;
}

void gvm_model_free(gvm_model *model)
{
    if (model == NULL) return;
    network_free(model->network);
    free(model);
}

const int *view_size(const gvm_model *model, gvm_view view)
{
    return model->network->config.views[view].size;
}

gvm_status check_view(gvm_view view, gvm_error *err)
{
    if (view == GVM_STREET || view == GVM_AERIAL) return GVM_OK;
    return fail(err, GVM_ARGUMENT, "invalid view %d; expected GVM_STREET or GVM_AERIAL", (int)view);
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
