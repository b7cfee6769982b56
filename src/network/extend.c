/* extend.c - see extend.h */
#include "network/extend.h"

#include <assert.h>
#include <string.h>

#include "network/config_file.h"

gvm_status config_take_photos(struct config *config, const char *where, gvm_error *err)
{
    config->views[GVM_STREET].visible = config->views[GVM_STREET].wrap = true;
    return config_check(config, where, err);
}

static const struct param *find(const struct network *network, const char *name)
{
    for (int i = 0; i < network->param_count; i++)
        if (strcmp(network->params[i].name, name) == 0) return &network->params[i];
    return NULL;
}

gvm_status network_take_photos(struct network **network, const char *where, gvm_error *err)
{
    struct network *old = *network, *more;
    struct config config = old->config;
    if (config.views[GVM_STREET].visible && config.views[GVM_STREET].wrap) return GVM_OK;
    gvm_status status = config_take_photos(&config, where, err);
    if (status == GVM_OK) status = network_open(&more, &config, old->grads != NULL, err);
    if (status != GVM_OK) return status;
    network_fresh(more, 1);
    for (int i = 0; i < more->param_count; i++) {
        struct param *p = &more->params[i];
        const struct param *same = find(old, p->name);
        assert(same == NULL || same->count == p->count);
        if (same != NULL) memcpy(p->data, same->data, p->count * sizeof *p->data);
    }
    more->origin = old->origin;
    network_free(old);
    *network = more;
    return GVM_OK;
}
