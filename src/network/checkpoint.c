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
#include "base/torch_file.h"
#include "network/builtin.h"
#include "network/config_file.h"

static int shape_text(char *text, size_t size, int rank, const int64_t *shape)
{
    int n = snprintf(text, size, "(");
    for (int i = 0; i < rank && n < (int)size; i++)
        n += snprintf(text + n, size - (size_t)n, "%s%" PRId64, i ? ", " : "", shape[i]);
    return n < (int)size ? snprintf(text + n, size - (size_t)n, ")") : 0;
}

/* Version of the file's layout; the network itself is described by the configuration. */
#define VERSION 1
#define TEXT_OF(number) TEXT(number)
#define TEXT(number) #number

gvm_status check_shape(const char *where, const char *name, int rank, const int64_t *shape, int wanted_rank,
                       const int64_t *wanted, gvm_error *err)
{
    bool same = rank == wanted_rank;
    for (int i = 0; i < rank && same; i++) same = shape[i] == wanted[i];
    if (same) return GVM_OK;
    char has[96], wants[96];
    shape_text(has, sizeof has, rank, shape);
    shape_text(wants, sizeof wants, wanted_rank, wanted);
    return fail(err, GVM_FORMAT, "%s: tensor '%s' has the shape %s, expected %s", where, name, has, wants);
}

gvm_status check_finite(const char *where, const char *name, const float *numbers, size_t count, gvm_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(numbers[i]))
            return fail(err, GVM_FORMAT, "%s: tensor '%s' has a value that is not finite (value %zu of %zu)", where,
                        name, i, count);
    return GVM_OK;
}

gvm_status param_read(const struct param *p, const struct safetensors *st, const struct safetensors_tensor *t,
                      gvm_error *err)
{
    const int64_t wanted[4] = {p->shape[0], p->shape[1], p->shape[2], p->shape[3]};
    const char *where = safetensors_where(st);
    gvm_status status = check_shape(where, t->name, t->rank, t->shape, p->rank, wanted, err);
    if (status == GVM_OK) status = safetensors_read_f32(p->data, st, t, err);
    return status == GVM_OK ? check_finite(where, t->name, p->data, p->count, err) : status;
}

/* ------------------------------------------------------------------ origin */

/* Copy, truncated at a whole UTF-8 character. */
static void copy_text(char *out, size_t size, const char *text)
{
    size_t length = strlen(text);
    if (length >= size)
        for (length = size - 1; length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80;) length--;
    memcpy(out, text, length);
    out[length] = '\0';
}

void origin_read(struct origin *origin, const struct safetensors *st)
{
    const char *source = safetensors_metadata(st, "source"), *licence = safetensors_metadata(st, "licence");
    copy_text(origin->source, sizeof origin->source, source ? source : "");
    copy_text(origin->licence, sizeof origin->licence, licence ? licence : "");
}

void origin_tuned(struct origin *origin)
{
    static const char start[] = "fine-tuned from ";
    char text[sizeof origin->source + sizeof start];
    if (origin->source[0] == '\0' || strncmp(origin->source, start, sizeof start - 1) == 0) return;
    snprintf(text, sizeof text, "%s%s", start, origin->source);
    copy_text(origin->source, sizeof origin->source, text);
}

size_t origin_pairs(struct safetensors_pair pairs[ORIGIN_PAIRS], const struct origin *origin)
{
    size_t count = 0;
    if (origin->source[0]) pairs[count++] = (struct safetensors_pair){"source", origin->source};
    if (origin->licence[0]) pairs[count++] = (struct safetensors_pair){"licence", origin->licence};
    return count;
}

/* ------------------------------------------------------------------ loading and saving */

/* The first tensor of the file that the network does not have, or NULL. */
static const char *extra_tensor(const struct network *network, const struct safetensors *st)
{
    for (size_t i = 0; i < safetensors_count(st); i++) {
        const char *name = safetensors_tensor(st, i)->name;
        bool own = false;
        for (int k = 0; k < network->param_count && !own; k++) own = strcmp(network->params[k].name, name) == 0;
        if (!own) return name;
    }
    return NULL;
}

/* Files written before 0.2 have no version; their layout is that of version 1. */
static gvm_status check_version(const struct safetensors *st, gvm_error *err)
{
    const char *version = safetensors_metadata(st, "version"), *program = safetensors_metadata(st, "program");
    if (version == NULL || strcmp(version, TEXT_OF(VERSION)) == 0) return GVM_OK;
    return fail(err, GVM_FORMAT,
                "%s: unsupported weights version %s, written by GeoViewMatch %s; version %s reads version %d",
                safetensors_where(st), version, program ? program : "(unknown)", GVM_VERSION, VERSION);
}

static gvm_status read_config(struct config *config, const struct safetensors *st, gvm_error *err)
{
    const char *where = safetensors_where(st), *json = safetensors_metadata(st, "config");
    if (json == NULL)
        return fail(err, GVM_FORMAT,
                    "%s: its metadata has no 'config', so it is not a GeoViewMatch checkpoint; `import` converts a "
                    "published network, and `init --backbone` takes the weights of a backbone alone",
                    where);
    gvm_status status = check_version(st, err);
    return status == GVM_OK ? config_parse(config, json, strlen(json), where, err) : status;
}

/* Check the size that the file's configuration asks for before allocating it. */
static gvm_status check_size(const struct config *config, const struct safetensors *st, gvm_error *err)
{
    const char *where = safetensors_where(st);
    uint64_t floats = 0, needs = config_parameters(config);
    if (needs == 0) return fail(err, GVM_MEMORY, "%s: out of memory for its network", where);
    for (size_t i = 0; i < safetensors_count(st); i++) floats += safetensors_tensor(st, i)->count;
    if (floats == needs) return GVM_OK;
    return fail(err, GVM_FORMAT,
                "%s: it has %" PRIu64 " numbers, expected %" PRIu64
                " parameters from its configuration; the file and its configuration do not match",
                where, floats, needs);
}

/* adapted: the file is of another configuration, which may lack additions. */
static gvm_status read_params(struct network *network, const struct safetensors *st, bool adapted, gvm_error *err)
{
    const char *where = safetensors_where(st), *extra = extra_tensor(network, st);
    gvm_status status = GVM_OK;
    origin_read(&network->origin, st);
    if (extra)
        return fail(err, GVM_FORMAT, "%s: unexpected tensor '%s'; the network of %s configuration has none such", where,
                    extra, adapted ? "the new" : "its");
    for (int i = 0; i < network->param_count && status == GVM_OK; i++) {
        const struct param *p = &network->params[i];
        const struct safetensors_tensor *t = safetensors_find(st, p->name);
        if (t == NULL && adapted && p->added) continue;
        status = t ? param_read(p, st, t, err) : fail(err, GVM_FORMAT, "%s: tensor '%s' is missing", where, p->name);
    }
    return status;
}

static gvm_status read_network(struct network **out, const struct safetensors *st, bool training, gvm_error *err)
{
    struct config config;
    gvm_status status = read_config(&config, st, err);
    if (status == GVM_OK) status = check_size(&config, st, err);
    if (status == GVM_OK) status = network_open(out, &config, training, err);
    return status == GVM_OK ? read_params(*out, st, false, err) : status;
}

/* A training run without a best network has not been evaluated yet: suggest its last one. */
static void hint_at_last(const char *path, gvm_error *err)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    int folder = (int)(name - path);
    if (strcmp(name, "best.safetensors") != 0 || access(path, F_OK) == 0) return;
    size_t size = strlen(path) + 1;
    char *last = malloc(size);
    if (last != NULL) snprintf(last, size, "%.*slast.safetensors", folder, path);
    if (last != NULL && access(last, F_OK) == 0)
        fail(err, GVM_FILE, "%s: it is written by a run's first evaluation; use last.safetensors beside it until then",
             path_tail(path));
    free(last);
}

/* For a file saved by PyTorch, suggest `import`. */
static void hint_at_import(const char *path, gvm_error *err)
{
    unsigned char start[64];
    FILE *f = fopen(path, "rb");
    size_t size = f != NULL ? fread(start, 1, sizeof start, f) : 0;
    if (f != NULL) (void)fclose(f);
    if (torch_file_is(start, size))
        fail(err, GVM_FORMAT, "%s: it is a PyTorch file; `import` converts it if it is a supported published network",
             path_tail(path));
}

static gvm_status open_file(struct safetensors **st, const char *path, gvm_error *err)
{
    gvm_status status = path != NULL ? safetensors_open(st, path, err)
                                     : safetensors_open_memory(st, builtin_weights, builtin_size(), "nano", err);
    if (status == GVM_FILE && path != NULL) hint_at_last(path, err);
    if (status == GVM_FORMAT && path != NULL) hint_at_import(path, err);
    return status;
}

/* Close the file, and on failure the network. */
static gvm_status finish(struct network **network, struct safetensors *st, gvm_status status)
{
    safetensors_close(st);
    if (status != GVM_OK) {
        network_free(*network);
        *network = NULL;
    }
    return status;
}

gvm_status checkpoint_load(struct network **network, const char *path, bool training, gvm_error *err)
{
    *network = NULL;
    struct safetensors *st;
    gvm_status status = open_file(&st, path, err);
    return status == GVM_OK ? finish(network, st, read_network(network, st, training, err)) : status;
}

gvm_status checkpoint_adapt(struct network **network, const struct config *config, const char *path, gvm_error *err)
{
    *network = NULL;
    struct safetensors *st;
    struct config own; /* only read, to know that it is a checkpoint */
    gvm_status status = open_file(&st, path, err);
    if (status != GVM_OK) return status;
    status = read_config(&own, st, err);
    if (status == GVM_OK) status = network_open(network, config, false, err);
    if (status == GVM_OK) network_fresh(*network, 1);
    if (status == GVM_OK) status = read_params(*network, st, true, err);
    return finish(network, st, status);
}

gvm_status checkpoint_save(const struct network *network, const char *path, bool f16, gvm_error *err)
{
    assert(!network->packed);
    struct safetensors_entry *entries = calloc((size_t)network->param_count, sizeof *entries);
    char *json = config_json(&network->config);
    gvm_status status = GVM_MEMORY;
    if (entries == NULL || json == NULL)
        fail(err, status, "%s: cannot write it: out of memory", path);
    else {
        for (int i = 0; i < network->param_count; i++) {
            const struct param *p = &network->params[i];
            entries[i] = (struct safetensors_entry){
                .name = p->name, .rank = p->rank, .data = p->data, .dtype = f16 ? SAFETENSORS_F16 : SAFETENSORS_F32};
            for (int k = 0; k < p->rank; k++) entries[i].shape[k] = p->shape[k];
        }
        struct safetensors_pair metadata[4 + ORIGIN_PAIRS] = {
            {"config", json}, {"format", "pt"}, {"version", TEXT_OF(VERSION)}, {"program", GVM_VERSION}};
        size_t pairs = 4 + origin_pairs(metadata + 4, &network->origin);
        status = safetensors_write(path, entries, (size_t)network->param_count, metadata, pairs, err);
    }
    free(json);
    free(entries);
    return status;
}

/* ------------------------------------------------------------------ fingerprint */

static uint64_t stir(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u; /* 2^64 / golden ratio: multiplicative hashing, Knuth vol. 3, 6.4 */
    return hash ^ hash >> 29;
}

bool network_fingerprint(char text[17], const struct network *network)
{
    assert(!network->packed);
    uint64_t hash = 0, word;
    char *json = config_json(&network->config);
    bool ok = json != NULL;
    for (const char *c = json; c && *c; c++) hash = stir(hash, (unsigned char)*c);
    free(json);
    for (size_t i = 0; i + 2 <= network->floats; i += 2) { /* the padding between parameters is zero */
        memcpy(&word, network->weights + i, sizeof word);
        hash = stir(hash, word);
    }
    snprintf(text, 17, "%016" PRIx64, hash);
    return ok;
}
