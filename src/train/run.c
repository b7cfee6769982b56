/* run.c - see run.h. The state is a safetensors file: "weights.NAME", "m.NAME" and "v.NAME" of every parameter; its
 * metadata has the network's `config` and, as JSON under `run`, options and position (run_json.h). */
#include "train/run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/safetensors.h"
#include "network/checkpoint.h"
#include "network/config_file.h"
#include "train/run_json.h"

void run_position_free(struct run_position *position)
{
    free(position->sequence);
    free(position->nearest);
    position->sequence = position->nearest = NULL;
}

/* ------------------------------------------------------------------ the file */

enum { KINDS = 3 };
static const char *const kinds[KINDS] = {"weights", "m", "v"};

struct name {
    char text[128];
};

static float *block_of(int kind, const struct network *network, const struct optimizer *optimizer)
{
    return kind == 0 ? network->weights : kind == 1 ? optimizer->m : optimizer->v;
}

static struct safetensors_entry numbers_entry(const char *name, const int *numbers, size_t count)
{
    return (struct safetensors_entry){
        .name = name, .rank = 1, .shape = {(int64_t)count}, .data = numbers, .dtype = SAFETENSORS_I32};
}

gvm_status run_save(const char *run, const struct run_options *options, const struct run_position *position,
                    const struct network *network, const struct optimizer *optimizer, gvm_error *err)
{
    gvm_status status = run_options_check(options, err);
    if (status != GVM_OK) return status;
    size_t count = (size_t)network->param_count * KINDS;
    struct safetensors_entry *entries = calloc(count + 2, sizeof *entries);
    struct name *names = calloc(count, sizeof *names);
    char *path = path_join(run, "state.safetensors"), *config = config_json(&network->config);
    char *json = run_json(options, position);
    if (entries == NULL || names == NULL || path == NULL || config == NULL || json == NULL)
        status = fail(err, GVM_MEMORY, "%s: cannot save the run: out of memory", run);
    for (size_t i = 0; i < count && status == GVM_OK; i++) {
        const struct param *p = &network->params[i / KINDS];
        snprintf(names[i].text, sizeof names[i].text, "%s.%s", kinds[i % KINDS], p->name);
        entries[i].name = names[i].text;
        entries[i].rank = p->rank;
        entries[i].data = block_of((int)(i % KINDS), network, optimizer) + (p->data - network->weights);
        for (int k = 0; k < p->rank; k++) entries[i].shape[k] = p->shape[k];
    }
    if (status == GVM_OK && position->batch > 0 && position->sequence) /* at an epoch's start it is mined anew */
        entries[count++] = numbers_entry("sequence", position->sequence, position->sequence_count);
    if (status == GVM_OK && position->nearest)
        entries[count++] = numbers_entry("nearest", position->nearest, position->nearest_count);
    struct safetensors_pair metadata[2 + ORIGIN_PAIRS] = {{"config", config}, {"run", json}};
    size_t pairs = 2 + origin_pairs(metadata + 2, &network->origin);
    if (status == GVM_OK) status = safetensors_write(path, entries, count, metadata, pairs, err);
    free(entries);
    free(names);
    free(path);
    free(config);
    free(json);
    return status;
}

/* Version 1 stored whole numbers as float32, exact to 2^24. Values out of range stay out of range. */
static gvm_status read_floats(int *numbers, const struct safetensors *st, const struct safetensors_tensor *t,
                              gvm_error *err)
{
    float *read = malloc(t->count * sizeof *read);
    gvm_status status = read ? safetensors_read_f32(read, st, t, err)
                             : fail(err, GVM_MEMORY, "%s: out of memory for its '%s'", safetensors_where(st), t->name);
    for (size_t i = 0; i < t->count && status == GVM_OK; i++)
        numbers[i] = read[i] >= 0 && read[i] < 1 << 24 && read[i] == floorf(read[i]) ? (int)read[i] : -1;
    free(read);
    return status;
}

/* Read an optional tensor of whole numbers. */
static gvm_status read_numbers(int **numbers, size_t *count, const struct safetensors *st, const char *name,
                               gvm_error *err)
{
    const struct safetensors_tensor *t = safetensors_find(st, name);
    if (t == NULL) return GVM_OK;
    if (t->count < 1 || t->count > INT_MAX)
        return fail(err, GVM_FORMAT, "%s: its '%s' is corrupt", safetensors_where(st), name);
    *numbers = malloc(t->count * sizeof **numbers);
    *count = t->count;
    if (*numbers == NULL) return fail(err, GVM_MEMORY, "%s: out of memory for its '%s'", safetensors_where(st), name);
    return t->dtype == SAFETENSORS_I32 ? safetensors_read_i32(*numbers, st, t, err) : read_floats(*numbers, st, t, err);
}

static size_t count_numbers(const struct safetensors *st)
{
    return (safetensors_find(st, "sequence") != NULL) + (safetensors_find(st, "nearest") != NULL);
}

static gvm_status read_blocks(struct network *network, struct optimizer *optimizer, const struct safetensors *st,
                              gvm_error *err)
{
    if (safetensors_count(st) != (size_t)network->param_count * KINDS + count_numbers(st))
        return fail(err, GVM_FORMAT, "%s: its number of tensors does not match the network of its configuration",
                    safetensors_where(st));
    for (int i = 0; i < network->param_count * KINDS; i++) {
        const struct param *p = &network->params[i / KINDS];
        struct name name;
        snprintf(name.text, sizeof name.text, "%s.%s", kinds[i % KINDS], p->name);
        const struct safetensors_tensor *t = safetensors_find(st, name.text);
        if (t == NULL || t->count != p->count)
            return fail(err, GVM_FORMAT, "%s: tensor '%s' is missing or has the wrong size", safetensors_where(st),
                        name.text);
        float *to = block_of(i % KINDS, network, optimizer) + (p->data - network->weights);
        gvm_status status = safetensors_read_f32(to, st, t, err);
        if (status != GVM_OK) return status;
    }
    return GVM_OK;
}

/* Refuse weights and moments that are not finite: a run stops at a loss that is not finite and never saves such. */
static gvm_status check_numbers(const struct network *network, const struct optimizer *optimizer, const char *where,
                                gvm_error *err)
{
    for (int i = 0; i < network->param_count; i++) {
        const struct param *p = &network->params[i];
        size_t at = (size_t)(p->data - network->weights);
        for (size_t k = at; k < at + p->count; k++)
            if (!isfinite(network->weights[k]) || !isfinite(optimizer->m[k]) || !(optimizer->v[k] >= 0) ||
                !isfinite(optimizer->v[k]))
                return fail(err, GVM_FORMAT,
                            "%s: it is corrupt: '%s' has a value that is not finite or of the wrong sign", where,
                            p->name);
    }
    return GVM_OK;
}

static gvm_status read_about(struct run_options *options, struct run_position *position, struct config *config,
                             const struct safetensors *st, gvm_error *err)
{
    const char *where = safetensors_where(st);
    const char *json = safetensors_metadata(st, "run"), *text = safetensors_metadata(st, "config");
    if (json == NULL || text == NULL) return fail(err, GVM_FORMAT, "%s: it is not the state of a training run", where);
    gvm_status status = config_parse(config, text, strlen(text), where, err);
    return status == GVM_OK ? run_json_read(options, position, json, where, err) : status;
}

/* Check the size that the configuration asks for before allocating it. */
static gvm_status check_size(const struct config *config, const struct safetensors *st, gvm_error *err)
{
    uint64_t floats = 0, needs = config_parameters(config);
    if (needs == 0) return fail(err, GVM_MEMORY, "%s: cannot open it: out of memory", safetensors_where(st));
    for (size_t i = 0; i < safetensors_count(st); i++) {
        const struct safetensors_tensor *t = safetensors_tensor(st, i);
        if (strcmp(t->name, "sequence") != 0 && strcmp(t->name, "nearest") != 0) floats += t->count;
    }
    if (floats == KINDS * needs) return GVM_OK;
    return fail(err, GVM_FORMAT, "%s: its number of weights does not match the network of its configuration",
                safetensors_where(st));
}

static gvm_status read_state(struct run_options *options, struct run_position *position, struct network **network,
                             struct optimizer **optimizer, const struct safetensors *st, gvm_error *err)
{
    struct config config;
    gvm_status status = read_about(options, position, &config, st, err);
    if (status == GVM_OK) status = check_size(&config, st, err);
    if (status != GVM_OK) return status;
    status = network_open(network, &config, true, err);
    if (status == GVM_OK) {
        origin_read(&(*network)->origin, st);
        const struct network *n = *network;
        status =
            optimizer_open(optimizer, n->params, n->param_count, n->weights, n->grads, n->floats, &options->rates, err);
    }
    if (status == GVM_OK) status = read_blocks(*network, *optimizer, st, err);
    if (status == GVM_OK) status = check_numbers(*network, *optimizer, safetensors_where(st), err);
    if (status == GVM_OK) status = read_numbers(&position->sequence, &position->sequence_count, st, "sequence", err);
    if (status == GVM_OK) status = read_numbers(&position->nearest, &position->nearest_count, st, "nearest", err);
    if (status == GVM_OK) (*optimizer)->step = position->step;
    return status;
}

/* NULL on failure. */
static gvm_status open_state(struct safetensors **st, const char *run, gvm_error *err)
{
    *st = NULL;
    char *path = path_join(run, "state.safetensors");
    gvm_status status =
        path ? safetensors_open(st, path, err) : fail(err, GVM_MEMORY, "%s: cannot open the run: out of memory", run);
    free(path);
    return status;
}

gvm_status run_about(const char *run, struct run_options *options, struct run_position *position, struct config *config,
                     gvm_error *err)
{
    struct safetensors *st;
    *options = (struct run_options){0};
    *position = (struct run_position){0};
    gvm_status status = open_state(&st, run, err);
    if (status == GVM_OK) status = read_about(options, position, config, st, err);
    safetensors_close(st);
    return status;
}

gvm_status run_load(const char *run, struct run_options *options, struct run_position *position,
                    struct network **network, struct optimizer **optimizer, gvm_error *err)
{
    *options = (struct run_options){0};
    *position = (struct run_position){0};
    *network = NULL;
    *optimizer = NULL;
    struct safetensors *st;
    gvm_status status = open_state(&st, run, err);
    if (status != GVM_OK) return status;
    status = read_state(options, position, network, optimizer, st, err);
    safetensors_close(st);
    if (status == GVM_OK) return GVM_OK;
    run_options_free(options);
    run_position_free(position);
    optimizer_free(*optimizer);
    network_free(*network);
    *network = NULL;
    *optimizer = NULL;
    return status;
}

/* ------------------------------------------------------------------ one process at a time */

gvm_status run_lock(int *lock, const char *run, gvm_error *err)
{
    *lock = open(run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*lock < 0 && (errno == ENOENT || errno == ENOTDIR))
        return fail(err, GVM_FILE, "%s: no such run folder", path_tail(run));
    if (*lock < 0) return fail_errno(err, "open", path_tail(run));
    if (file_lock(*lock)) {
        file_sweep(run);
        return GVM_OK;
    }
    bool held = errno == EWOULDBLOCK;
    close(*lock);
    *lock = -1;
    if (!held) return GVM_OK; /* some network file systems cannot lock folders */
    return fail(err, GVM_FILE, "%s: another process is training in this folder; stop it first (Ctrl-C saves)",
                path_tail(run));
}
