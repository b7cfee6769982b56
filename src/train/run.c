/* run.c - see run.h. The state is a safetensors file: "weights.NAME", "m.NAME" and "v.NAME" of every parameter; its
 * metadata has the network's `config` and, as JSON under `run`, options and position. */
#include "train/run.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/safetensors.h"
#include "network/config_file.h"

void run_options_free(struct run_options *options)
{
    free(options->data);
    free(options->format);
    free(options->test);
    free(options->cache);
    *options = (struct run_options){0};
}

void run_position_free(struct run_position *position)
{
    free(position->sequence);
    free(position->nearest);
    position->sequence = position->nearest = NULL;
}

/* ------------------------------------------------------------------ options and position as JSON */

gvm_status run_options_check(const struct run_options *o, gvm_error *err)
{
    const struct {
        const char *what, *text;
    } texts[] = {
        {"data set's path", o->data}, {"format", o->format}, {"test split", o->test}, {"cache's path", o->cache}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].text && !g_utf8_validate(texts[i].text, -1, NULL))
            return fail(err, GVM_ARGUMENT, "%s: the %s is not UTF-8, so that no run could go on with it; rename it",
                        texts[i].text, texts[i].what);
    return GVM_OK;
}

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

static char *run_json(const struct run_options *o, const struct run_position *p)
{
    json_t *root = json_pack(
        "{s:o, s:o, s:o, s:o, s:b, s:[f,f], s:f, s:i, s:i, s:i, s:I, s:b, s:f, s:i, s:b, s:b, s:[f,f,f,f,f,f,f], "
        "s:[f,f,f,f], "
        "s:[f,f,f,f,f,f], s:f, s:f, s:I, s:i, s:i, s:b, s:f, s:I}",
        "data", text_or_null(o->data), "format", text_or_null(o->format), "test", text_or_null(o->test), "cache",
        text_or_null(o->cache), "has_elevation", o->has_elevation, "elevation", o->elevation[0], o->elevation[1],
        "ground_m", o->ground_m, "epochs", o->epochs, "batch", o->batch, "eval_every", o->eval_every, "seed",
        (json_int_t)o->seed, "shuffle", o->shuffle, "cluster_m", o->cluster_m, "hard", o->hard, "skip_bad", o->skip_bad,
        "turn", o->amounts.turn, "amounts", (double)o->amounts.jitter, (double)o->amounts.grey, (double)o->amounts.blur,
        (double)o->amounts.sigma[0], (double)o->amounts.sigma[1], (double)o->amounts.mirror, (double)o->amounts.street,
        "losses", (double)o->losses.contrast, (double)o->losses.strong, (double)o->losses.weak, (double)o->losses.alpha,
        "rates", (double)o->rates.backbone, (double)o->rates.other, (double)o->rates.decay, (double)o->rates.beta1,
        (double)o->rates.beta2, (double)o->rates.epsilon, "rho", (double)o->rho, "drop_path", (double)o->drop_path,
        "step", (json_int_t)p->step, "epoch", p->epoch, "next_batch", p->batch, "evaluate", p->evaluate, "best",
        p->best, "pairs", (json_int_t)o->pairs);
    char *text = root ? json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(root);
    return text;
}

static bool own_text(char **out, const json_t *value)
{
    *out = NULL;
    if (json_is_null(value)) return true;
    const char *text = json_string_value(value);
    if (text) *out = strdup(text);
    return *out != NULL;
}

enum { MAX_BATCH = 4096 };

static bool within(const double *values, int n, double low, double high)
{
    for (int i = 0; i < n; i++)
        if (!(values[i] >= low && values[i] <= high)) return false;
    return true;
}

static gvm_status read_json(struct run_options *o, struct run_position *p, const char *json, const char *where,
                            gvm_error *err)
{
    json_error_t error;
    json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, &error), *data, *format, *test, *cache;
    double a[7], l[4], r[6], rho, drop;
    int has_elevation, shuffle, skip, turn, evaluate;
    json_int_t seed, step, pairs = 0; /* which the states of earlier versions lack */
    *o = (struct run_options){0};
    bool fine =
        root &&
        json_unpack(
            root,
            "{s:o, s:o, s:o, s:o, s:b, s:[F,F], s:F, s:i, s:i, s:i, s:I, s:b, s:F, s:i, s:b, s:b, s:[F,F,F,F,F,F,F], "
            "s:[F,F,F,F], s:[F,F,F,F,F,F], s:F, s:F, s:I, s:i, s:i, s:b, s:F, s?I}",
            "data", &data, "format", &format, "test", &test, "cache", &cache, "has_elevation", &has_elevation,
            "elevation", &o->elevation[0], &o->elevation[1], "ground_m", &o->ground_m, "epochs", &o->epochs, "batch",
            &o->batch, "eval_every", &o->eval_every, "seed", &seed, "shuffle", &shuffle, "cluster_m", &o->cluster_m,
            "hard", &o->hard, "skip_bad", &skip, "turn", &turn, "amounts", &a[0], &a[1], &a[2], &a[3], &a[4], &a[5],
            &a[6], "losses", &l[0], &l[1], &l[2], &l[3], "rates", &r[0], &r[1], &r[2], &r[3], &r[4], &r[5], "rho", &rho,
            "drop_path", &drop, "step", &step, "epoch", &p->epoch, "next_batch", &p->batch, "evaluate", &evaluate,
            "best", &p->best, "pairs", &pairs) == 0 &&
        own_text(&o->data, data) && o->data && own_text(&o->format, format) && own_text(&o->test, test) &&
        own_text(&o->cache, cache) && (o->cluster_m == 0 || (o->cluster_m >= 1 && o->cluster_m <= 1e6)) &&
        o->hard >= 0 && o->hard <= MAX_BATCH && o->epochs >= 1 && o->batch >= 2 && o->batch <= MAX_BATCH &&
        o->eval_every >= 0 && step >= 0 && p->epoch >= 0 && p->batch >= 0 && within(a, 3, 0, 1) &&
        within(a + 5, 2, 0, 1) && (a[2] == 0 || (within(a + 3, 2, 1e-3, 10) && a[3] <= a[4])) && within(l, 4, 0, 1e3) &&
        within(r, 6, 0, 10) && within(&rho, 1, 0, 100) && within(&drop, 1, 0, 0.9) &&
        within(o->elevation, 2, -90, 90) && within(&o->ground_m, 1, 0, 1e6) && within(&p->best, 1, -1, 100);
    json_decref(root);
    if (!fine) {
        run_options_free(o);
        return fail(err, GVM_FORMAT, "%s: its 'run' is not what a training run leaves", where);
    }
    p->step = (long)step;
    o->pairs = (uint64_t)pairs;
    p->evaluate = evaluate;
    o->seed = (uint64_t)seed;
    o->has_elevation = has_elevation;
    o->shuffle = shuffle;
    o->skip_bad = skip;
    o->amounts = (struct augmentation){.turn = turn,
                                       .jitter = (float)a[0],
                                       .grey = (float)a[1],
                                       .blur = (float)a[2],
                                       .sigma = {(float)a[3], (float)a[4]},
                                       .mirror = (float)a[5],
                                       .street = (float)a[6]};
    o->losses = (struct loss_options){
        .contrast = (float)l[0], .strong = (float)l[1], .weak = (float)l[2], .alpha = (float)l[3]};
    o->rates = (struct rates){.backbone = (float)r[0],
                              .other = (float)r[1],
                              .decay = (float)r[2],
                              .beta1 = (float)r[3],
                              .beta2 = (float)r[4],
                              .epsilon = (float)r[5]};
    o->rho = (float)rho;
    o->drop_path = (float)drop;
    return GVM_OK;
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

/* Whole numbers as what the file can hold: float32, exact to 2^24. */
static gvm_status add_numbers(struct safetensors_entry *entry, float **out, const char *name, const int *numbers,
                              size_t count, const char *run, gvm_error *err)
{
    float *values = *out = malloc((count + 1) * sizeof *values);
    if (values == NULL) return fail(err, GVM_MEMORY, "%s: there is not enough memory to save the run", run);
    for (size_t i = 0; i < count; i++) values[i] = (float)numbers[i];
    *entry = (struct safetensors_entry){.name = name, .rank = 1, .shape = {(int)count}, .data = values};
    return GVM_OK;
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
        status = fail(err, GVM_MEMORY, "%s: there is not enough memory to save the run", run);
    for (size_t i = 0; i < count && status == GVM_OK; i++) {
        const struct param *p = &network->params[i / KINDS];
        snprintf(names[i].text, sizeof names[i].text, "%s.%s", kinds[i % KINDS], p->name);
        entries[i].name = names[i].text;
        entries[i].rank = p->rank;
        entries[i].data = block_of((int)(i % KINDS), network, optimizer) + (p->data - network->weights);
        for (int k = 0; k < p->rank; k++) entries[i].shape[k] = p->shape[k];
    }
    float *sequence = NULL, *nearest = NULL;
    if (status == GVM_OK && position->batch > 0 && position->sequence) /* the next epoch's follows from the weights */
        status = add_numbers(&entries[count++], &sequence, "sequence", position->sequence, position->sequence_count,
                             run, err);
    if (status == GVM_OK && position->nearest)
        status =
            add_numbers(&entries[count++], &nearest, "nearest", position->nearest, position->nearest_count, run, err);
    const struct safetensors_pair metadata[] = {{"config", config}, {"run", json}};
    if (status == GVM_OK) status = safetensors_write(path, entries, count, metadata, 2, err);
    free(sequence);
    free(nearest);
    free(entries);
    free(names);
    free(path);
    free(config);
    free(json);
    return status;
}

/* Whole numbers that the state may lack; what is none, or is no query's or tile's, is -1. */
static gvm_status read_numbers(int **numbers, size_t *count, const struct safetensors *st, const char *name,
                               gvm_error *err)
{
    const struct safetensors_tensor *t = safetensors_find(st, name);
    if (t == NULL) return GVM_OK;
    if (t->count < 1 || t->count > INT_MAX)
        return fail(err, GVM_FORMAT, "%s: its '%s' is not what a training run leaves", safetensors_where(st), name);
    float *read = malloc(t->count * sizeof *read);
    *numbers = malloc(t->count * sizeof **numbers);
    gvm_status status = read && *numbers ? safetensors_read_f32(read, st, t, err)
                                         : fail(err, GVM_MEMORY, "%s: there is not enough memory for its '%s'",
                                                safetensors_where(st), name);
    *count = t->count;
    for (size_t i = 0; i < t->count && status == GVM_OK; i++) {
        bool whole = read[i] >= 0 && read[i] < 1 << 24 && read[i] == floorf(read[i]);
        (*numbers)[i] = whole ? (int)read[i] : -1;
    }
    free(read);
    return status;
}

static size_t count_numbers(const struct safetensors *st)
{
    return (safetensors_find(st, "sequence") != NULL) + (safetensors_find(st, "nearest") != NULL);
}

static gvm_status read_blocks(struct network *network, struct optimizer *optimizer, const struct safetensors *st,
                              gvm_error *err)
{
    if (safetensors_count(st) != (size_t)network->param_count * KINDS + count_numbers(st))
        return fail(err, GVM_FORMAT, "%s: it holds another number of tensors than a state of its network",
                    safetensors_where(st));
    for (int i = 0; i < network->param_count * KINDS; i++) {
        const struct param *p = &network->params[i / KINDS];
        struct name name;
        snprintf(name.text, sizeof name.text, "%s.%s", kinds[i % KINDS], p->name);
        const struct safetensors_tensor *t = safetensors_find(st, name.text);
        if (t == NULL || t->count != p->count)
            return fail(err, GVM_FORMAT, "%s: tensor '%s' is missing or has another size", safetensors_where(st),
                        name.text);
        float *to = block_of(i % KINDS, network, optimizer) + (p->data - network->weights);
        gvm_status status = safetensors_read_f32(to, st, t, err);
        if (status != GVM_OK) return status;
    }
    return GVM_OK;
}

/* What a run cannot have saved, as it stops at a loss that is not finite. */
static gvm_status check_numbers(const struct network *network, const struct optimizer *optimizer, const char *where,
                                gvm_error *err)
{
    for (int i = 0; i < network->param_count; i++) {
        const struct param *p = &network->params[i];
        size_t at = (size_t)(p->data - network->weights);
        for (size_t k = at; k < at + p->count; k++)
            if (!isfinite(network->weights[k]) || !isfinite(optimizer->m[k]) || !(optimizer->v[k] >= 0) ||
                !isfinite(optimizer->v[k]))
                return fail(err, GVM_FORMAT, "%s: a number of '%s' is not finite or has the wrong sign: it is damaged",
                            where, p->name);
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
    return status == GVM_OK ? read_json(options, position, json, where, err) : status;
}

static gvm_status read_state(struct run_options *options, struct run_position *position, struct network **network,
                             struct optimizer **optimizer, const struct safetensors *st, gvm_error *err)
{
    struct config config;
    gvm_status status = read_about(options, position, &config, st, err);
    if (status != GVM_OK) return status;
    status = network_open(network, &config, true, err);
    if (status == GVM_OK) {
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
    gvm_status status = path ? safetensors_open(st, path, err)
                             : fail(err, GVM_MEMORY, "%s: there is not enough memory to open the run", run);
    free(path);
    return status;
}

gvm_status run_about(const char *run, struct run_options *options, struct run_position *position, struct config *config,
                     gvm_error *err)
{
    struct safetensors *st;
    *options = (struct run_options){0};
    gvm_status status = open_state(&st, run, err);
    if (status == GVM_OK) status = read_about(options, position, config, st, err);
    safetensors_close(st);
    return status;
}

gvm_status run_load(const char *run, struct run_options *options, struct run_position *position,
                    struct network **network, struct optimizer **optimizer, gvm_error *err)
{
    *options = (struct run_options){0};
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
        return fail(err, GVM_FILE, "%s: there is no such folder of a run", path_tail(run));
    if (*lock < 0) return fail_errno(err, "open", path_tail(run));
    int result;
    do result = flock(*lock, LOCK_EX | LOCK_NB);
    while (result != 0 && errno == EINTR);
    if (result == 0) return GVM_OK;
    bool held = errno == EWOULDBLOCK;
    close(*lock);
    *lock = -1;
    if (!held) return GVM_OK; /* some network file systems lock no folder */
    return fail(err, GVM_FILE, "%s: another process trains in this folder; stop it first (Ctrl-C saves)",
                path_tail(run));
}
