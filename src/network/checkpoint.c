/* checkpoint.c - see checkpoint.h */
#include "network/checkpoint.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/safetensors.h"
#include "network/builtin.h"

static int shape_text(char *text, size_t size, int rank, const int64_t *shape)
{
    int n = snprintf(text, size, "(");
    for (int i = 0; i < rank && n < (int)size; i++)
        n += snprintf(text + n, size - (size_t)n, "%s%" PRId64, i ? ", " : "", shape[i]);
    return n < (int)size ? snprintf(text + n, size - (size_t)n, ")") : 0;
}

/* Read one tensor into a parameter, checking shape and values. */
static gvm_status read_param(const struct param *p, const struct safetensors *st, const struct safetensors_tensor *t,
                             gvm_error *err)
{
    bool same = t->rank == p->rank;
    for (int i = 0; i < p->rank && same; i++) same = t->shape[i] == p->shape[i];
    if (!same) {
        char has[96], wants[96];
        int64_t shape[4] = {p->shape[0], p->shape[1], p->shape[2], p->shape[3]};
        shape_text(has, sizeof has, t->rank, t->shape);
        shape_text(wants, sizeof wants, p->rank, shape);
        return fail(err, GVM_FORMAT, "%s: tensor '%s' has the shape %s where this network needs %s",
                    safetensors_where(st), t->name, has, wants);
    }
    gvm_status status = safetensors_read_f32(p->data, st, t, err);
    if (status != GVM_OK) return status;
    for (size_t i = 0; i < p->count; i++)
        if (!isfinite(p->data[i]))
            return fail(err, GVM_FORMAT, "%s: tensor '%s' holds a number that is not finite (value %zu of %zu)",
                        safetensors_where(st), t->name, i, p->count);
    return GVM_OK;
}

typedef bool takes_name(const struct network *network, const char *name, bool timm);

/* The first tensor of the file that has no place, or NULL. */
static const char *extra_tensor(const struct network *network, const struct safetensors *st, takes_name *takes,
                                bool timm)
{
    for (size_t i = 0; i < safetensors_count(st); i++) {
        const char *name = safetensors_tensor(st, i)->name;
        if (!takes(network, name, timm)) return name;
    }
    return NULL;
}

static bool is_own(const struct network *network, const char *name, bool timm)
{
    (void)timm;
    for (int i = 0; i < network->param_count; i++)
        if (strcmp(network->params[i].name, name) == 0) return true;
    return false;
}

static gvm_status read_network(struct network **out, const struct safetensors *st, bool training, gvm_error *err)
{
    const char *where = safetensors_where(st), *json = safetensors_metadata(st, "config");
    if (json == NULL)
        return fail(err, GVM_FORMAT,
                    "%s: its metadata has no 'config', so it is no GeoViewMatch checkpoint; weights of "
                    "a backbone alone go to --backbone of init",
                    where);
    struct config config;
    gvm_status status = config_parse(&config, json, strlen(json), where, err);
    if (status != GVM_OK) return status;

    /* A lying configuration is found out before memory is taken for it. */
    uint64_t floats = 0, needs = config_parameters(&config);
    for (size_t i = 0; i < safetensors_count(st); i++) floats += safetensors_tensor(st, i)->count;
    if (floats != needs)
        return fail(err, GVM_FORMAT,
                    "%s: it holds %" PRIu64 " numbers where the network of its configuration has %" PRIu64
                    " parameters; the file and its configuration do not belong together",
                    where, floats, needs);
    status = network_open(out, &config, training, err);
    if (status != GVM_OK) return status;
    const char *extra = extra_tensor(*out, st, is_own, false);
    if (extra)
        return fail(err, GVM_FORMAT, "%s: tensor '%s' has no place in the network of its configuration", where, extra);
    for (int i = 0; i < (*out)->param_count && status == GVM_OK; i++) {
        const struct param *p = &(*out)->params[i];
        const struct safetensors_tensor *t = safetensors_find(st, p->name);
        status = t ? read_param(p, st, t, err) : fail(err, GVM_FORMAT, "%s: tensor '%s' is missing", where, p->name);
    }
    return status;
}

/* A training run without its best network has not been evaluated yet. */
static void hint_at_last(const char *path, gvm_error *err)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    int folder = (int)(name - path);
    if (strcmp(name, "best.safetensors") != 0 || access(path, F_OK) == 0) return;
    size_t size = strlen(path) + 1;
    char *last = malloc(size);
    if (last != NULL) snprintf(last, size, "%.*slast.safetensors", folder, path);
    if (last != NULL && access(last, F_OK) == 0)
        fail(err, GVM_FILE,
             "%s: it comes with a run's first evaluation; last.safetensors beside it is as it was saved last",
             path_tail(path));
    free(last);
}

gvm_status checkpoint_load(struct network **network, const char *path, bool training, gvm_error *err)
{
    *network = NULL;
    struct safetensors *st;
    gvm_status status = path != NULL ? safetensors_open(&st, path, err)
                                     : safetensors_open_memory(&st, builtin_weights, builtin_size(), "nano", err);
    if (status == GVM_FILE && path != NULL) hint_at_last(path, err);
    if (status != GVM_OK) return status;
    status = read_network(network, st, training, err);
    safetensors_close(st);
    if (status != GVM_OK) {
        network_free(*network);
        *network = NULL;
    }
    return status;
}

gvm_status checkpoint_save(const struct network *network, const char *path, bool f16, gvm_error *err)
{
    assert(!network->packed);
    struct safetensors_entry *entries = calloc((size_t)network->param_count, sizeof *entries);
    char *json = config_json(&network->config);
    gvm_status status = GVM_MEMORY;
    if (entries == NULL || json == NULL)
        fail(err, status, "%s: there is not enough memory to write it", path);
    else {
        for (int i = 0; i < network->param_count; i++) {
            const struct param *p = &network->params[i];
            entries[i] = (struct safetensors_entry){
                .name = p->name, .rank = p->rank, .data = p->data, .dtype = f16 ? SAFETENSORS_F16 : SAFETENSORS_F32};
            for (int k = 0; k < p->rank; k++) entries[i].shape[k] = p->shape[k];
        }
        struct safetensors_pair metadata[] = {{"config", json}, {"format", "pt"}};
        status = safetensors_write(path, entries, (size_t)network->param_count, metadata, 2, err);
    }
    free(json);
    free(entries);
    return status;
}

/* ------------------------------------------------------------------ backbones trained elsewhere */

static bool is_skipped(const char *name)
{
    static const char *const parts[] = {"relative_position_index", "relative_coords_table", "attn_mask"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strstr(name, parts[i])) return true;
    return strncmp(name, "head.", 5) == 0;
}

/* The name in the backbone's file of a parameter of ours: without the view, and with timm's place of the merging. */
static void foreign_name(char *name, size_t size, const char *own, bool timm)
{
    const char *rest = strstr(own, ".backbone.") + strlen(".backbone.");
    int stage, end = 0;
    if (timm && sscanf(rest, "layers.%d.downsample.%n", &stage, &end) == 1 && end > 0)
        snprintf(name, size, "layers.%d.downsample.%s", stage + 1, rest + end);
    else
        snprintf(name, size, "%s", rest);
}

static bool is_backbones(const struct network *network, const char *name, bool timm)
{
    char foreign[sizeof network->params->name];
    for (int i = 0; i < network->param_count; i++) {
        if (!network->params[i].backbone) continue;
        foreign_name(foreign, sizeof foreign, network->params[i].name, timm);
        if (strcmp(foreign, name) == 0) return true;
    }
    return is_skipped(name);
}

static gvm_status read_backbone(struct network *network, const struct safetensors *st, gvm_error *err)
{
    const char *where = safetensors_where(st);
    bool timm = safetensors_find(st, "layers.0.downsample.reduction.weight") == NULL &&
                safetensors_find(st, "layers.3.downsample.reduction.weight") != NULL;
    for (int i = 0; i < network->param_count; i++) {
        const struct param *p = &network->params[i];
        if (!p->backbone) continue;
        char name[sizeof p->name];
        foreign_name(name, sizeof name, p->name, timm);
        const struct safetensors_tensor *t = safetensors_find(st, name);
        if (t == NULL)
            return fail(err, GVM_FORMAT,
                        "%s: tensor '%s' is missing, so it is no Swin V2 backbone of this network's configuration",
                        where, name);
        gvm_status status = read_param(p, st, t, err);
        if (status != GVM_OK) return status;
    }
    const char *extra = extra_tensor(network, st, is_backbones, timm);
    if (extra) return fail(err, GVM_FORMAT, "%s: tensor '%s' has no place in this network's backbone", where, extra);
    return GVM_OK;
}

gvm_status backbone_load(struct network *network, const char *path, gvm_error *err)
{
    struct safetensors *st;
    gvm_status status = safetensors_open(&st, path, err);
    if (status != GVM_OK) return status;
    status = read_backbone(network, st, err);
    safetensors_close(st);
    return status;
}

/* ------------------------------------------------------------------ fingerprint */

static uint64_t stir(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u; /* 2^64 / golden ratio: multiplicative hashing, Knuth vol. 3, 6.4 */
    return hash ^ hash >> 29;
}

void network_fingerprint(char text[17], const struct network *network)
{
    assert(!network->packed);
    uint64_t hash = 0, word;
    char *json = config_json(&network->config);
    for (const char *c = json; c && *c; c++) hash = stir(hash, (unsigned char)*c);
    free(json);
    for (size_t i = 0; i + 2 <= network->floats; i += 2) { /* the padding between parameters is zero */
        memcpy(&word, network->weights + i, sizeof word);
        hash = stir(hash, word);
    }
    snprintf(text, 17, "%016" PRIx64, hash);
}
