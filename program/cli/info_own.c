/* info_own.c - describes the program's own files for `info`: a training run's progress, options and data set; a
 * network's weights; a cache of pictures, a map's features. */
#include <glib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json_put.h"
#include "cli/info.h"
#include "data/cache_file.h"
#include "map/features_file.h"
#include "network/checkpoint.h"
#include "network/config_file.h"
#include "train/run.h"

/* ------------------------------------------------------------------ its state */

static json_t *text_or_null(const char *text)
{
    return text != NULL ? json_text(text) : json_null();
}

static int describe_state(const char *run, const char *path, bool json)
{
    struct run_options options, *o = &options;
    struct run_position position = {0}, *p = &position;
    struct config config;
    struct facts f;
    gvm_error err;
    if (run_about(run, o, p, &config, &err) != GVM_OK) {
        run_options_free(o);
        return failed(&err);
    }
    facts_open(&f, json, path, "run", "the state of a training run");
    fact(&f, "steps", json_integer(p->step), "steps", "%ld", p->step);
    fact(&f, "epoch", json_integer(p->epoch), "epoch", "%d of %d", p->epoch, o->epochs);
    fact_json(&f, "epochs", json_integer(o->epochs));
    fact(&f, "best_recall_1", json_real(p->best), "best R@1", p->best >= 0 ? "%.2f" : "not evaluated yet", p->best);
    fact_json(&f, "evaluated", json_boolean(p->best >= 0));
    fact(&f, "data", text_or_null(o->data), "data set", "%s", o->data);
    fact_json(&f, "format", text_or_null(o->format));
    fact(&f, "batch", json_integer(o->batch), "batch", "%d pairs", o->batch);
    fact_json(&f, "cache", text_or_null(o->cache));
    if (o->cache != NULL) fact(&f, NULL, NULL, "cache", "%s", o->cache);
    run_options_free(o);
    return facts_close(&f);
}

int info_state(const char *path, bool json)
{
    gvm_error err;
    g_autofree gchar *run = g_path_get_dirname(path), *name = g_path_get_basename(path);
    if (strcmp(name, "state.safetensors") == 0) return describe_state(run, path, json);
    fail(&err, GVM_FORMAT, "%s: it is the state of a training run; rename it to state.safetensors", path_tail(path));
    return failed(&err);
}

bool info_is_run(const char *folder)
{
    gvm_error err;
    bool there;
    g_autofree gchar *state = g_build_filename(folder, "state.safetensors", NULL);
    return file_exists(&there, state, &err) != GVM_OK || there; /* opening it reports what is wrong */
}

int info_run(const char *folder, bool json)
{
    int end = describe_state(folder, folder, json);
    static const char *const files[] = {"best.safetensors", "last.safetensors"};
    gvm_error err;
    bool there;
    for (int i = 0; i < 2 && end == DONE && !json; i++) {
        g_autofree gchar *path = g_build_filename(folder, files[i], NULL);
        if (file_exists(&there, path, &err) != GVM_OK) return failed(&err);
        if (there) printf("  network        %s\n", files[i]);
    }
    return end;
}

/* ------------------------------------------------------------------ its log */

struct log_facts {
    long lines, step;
    int evaluations;
    double loss, recall, best;
};

static gvm_status read_log(struct log_facts *f, const char *path, gvm_error *err)
{
    char line[1024];
    FILE *file = fopen(path, "r");
    if (file == NULL) return fail_errno(err, "open", path_tail(path));
    gvm_status status = GVM_OK;
    *f = (struct log_facts){.best = -1};
    while (status == GVM_OK && fgets(line, sizeof line, file) != NULL && strchr(line, '\n') != NULL) {
        json_error_t error;
        json_t *root = json_loads(line, 0, &error);
        const json_t *recall = json_object_get(root, "R@1"), *step = json_object_get(root, "step");
        if (root == NULL && json_is_short(&error))
            status = fail(err, GVM_MEMORY, "%s: cannot read it: out of memory", path_tail(path));
        else if (!json_is_integer(step))
            status =
                fail(err, GVM_FORMAT, "%s: line %ld is not a line of a training log", path_tail(path), f->lines + 1);
        f->lines++;
        f->step = (long)json_integer_value(step);
        if (json_is_number(recall)) {
            f->recall = json_number_value(recall);
            f->evaluations++;
            if (f->recall > f->best) f->best = f->recall;
        } else {
            f->loss = json_number_value(json_object_get(root, "loss"));
        }
        json_decref(root);
    }
    if (status == GVM_OK && ferror(file)) status = fail_errno(err, "read", path_tail(path));
    (void)fclose(file);
    return status;
}

int info_log(const char *path, bool json)
{
    struct log_facts f = {0};
    gvm_error err;
    if (read_log(&f, path, &err) != GVM_OK) return failed(&err);
    struct facts facts;
    facts_open(&facts, json, path, "log", "the log of a training run");
    fact(&facts, "steps", json_integer(f.step), "steps", "%ld", f.step);
    fact(&facts, "loss", json_real(f.loss), "last loss", "%.4f", f.loss);
    fact(&facts, "evaluations", json_integer(f.evaluations), "evaluations", "%d", f.evaluations);
    if (f.evaluations > 0)
        fact(&facts, "best_recall_1", json_real(f.best), "R@1", "%.2f last, %.2f best", f.recall, f.best);
    if (!json) puts("  (plot it with tools/plot)");
    return facts_close(&facts);
}

/* ------------------------------------------------------------------ weights */

static json_t *json_counts(const struct counts *c)
{
    return json_pack("{sI,sI,sI,sI,sI,sI}", "all", (json_int_t)counts_all(c), "paper", (json_int_t)counts_paper(c),
                     "linear", (json_int_t)c->linear, "position_bias", (json_int_t)c->bias, "qkv", (json_int_t)c->qkv,
                     "attention", (json_int_t)c->attention);
}

static int print(const char *path, const struct network *network, const struct counts counts[2], bool json)
{
    const struct counts *s = &counts[GVM_STREET], *a = &counts[GVM_AERIAL];
    double street = (double)counts_all(s), aerial = (double)counts_all(a),
           paper = (double)(counts_paper(s) + counts_paper(a));
    char fingerprint[17], warning[200];
    struct fact lines[MAX_FACTS];
    struct facts f;
    gvm_error err;
    g_autofree char *config = config_json(&network->config);
    if (config == NULL || !network_fingerprint(fingerprint, network)) {
        fail(&err, GVM_MEMORY, "%s: out of memory for its fingerprint", path);
        return failed(&err);
    }
    facts_open(&f, json, path, "weights", "GeoViewMatch weights");
    fact(&f, "fingerprint", json_string(fingerprint), "fingerprint", "%s", fingerprint);
    fact_json(&f, "parameters", json_integer((json_int_t)network_parameters(network)));
    fact_json(&f, "features", json_integer(network->views[GVM_STREET].features));
    fact_json(&f, "config", json_loads(config, 0, NULL));
    for (int i = 0, count = network_facts(lines, network); i < count; i++)
        fact(&f, NULL, NULL, lines[i].label, "%s", lines[i].text);
    if (network->origin.source[0])
        fact(&f, "source", json_text(network->origin.source), "source", "%s", network->origin.source);
    if (network->origin.licence[0])
        fact(&f, "licence", json_text(network->origin.licence), "licence", "%s", network->origin.licence);
    fact(&f, "multiply_adds",
         json_pack("{so,so,sI,sI}", "street", json_counts(s), "aerial", json_counts(a), "pair",
                   (json_int_t)counts_all(s) + (json_int_t)counts_all(a), "pair_paper",
                   (json_int_t)counts_paper(s) + (json_int_t)counts_paper(a)),
         "multiply-adds", "street %.3f G, aerial %.3f G, a pair %.3f G", 1e-9 * street, 1e-9 * aerial,
         1e-9 * (street + aerial));
    if (paper < street + aerial)
        fact(&f, NULL, NULL, "paper's count", "%.3f G a pair (without queries, keys, values and attention)",
             1e-9 * paper);
    if (network_warning(warning, sizeof warning, network))
        fact(&f, "warning", json_text(warning), "warning", "%s", warning);
    return facts_close(&f);
}

int info_weights(const char *file, bool json)
{
    struct network *network;
    struct counts counts[2];
    gvm_error err;
    gvm_status status = checkpoint_load(&network, file, false, &err);
    if (status != GVM_OK) return failed(&err);
    for (int v = 0; v < 2 && status == GVM_OK; v++) status = network_counts(&counts[v], network, v, &err);
    int end = status == GVM_OK ? print(file != NULL ? file : "nano", network, counts, json) : failed(&err);
    network_free(network);
    return end;
}

/* ------------------------------------------------------------------ caches and features */

static int cache(const char *path, const unsigned char *start, size_t size, bool json)
{
    struct header header;
    gvm_error err;
    if (size < sizeof header) {
        fail(&err, GVM_FORMAT, "%s: it is a truncated picture cache", path_tail(path));
        return failed(&err);
    }
    memcpy(&header, start, sizeof header);
    if (cache_check_version(header.version, path_tail(path), &err) != GVM_OK) return failed(&err);
    struct facts f;
    facts_open(&f, json, path, "cache", "a cache of decoded pictures (--cache), %s, %.1f MB",
               header.complete == 1 ? "complete" : "incomplete", 1e-6 * (double)header.bytes);
    fact_json(&f, "complete", json_boolean(header.complete == 1));
    fact_json(&f, "bytes", json_integer((json_int_t)header.bytes));
    fact_json(&f, "version", json_integer((json_int_t)header.version));
    return facts_close(&f);
}

static int map_features(const char *path, const unsigned char *start, bool json)
{
    struct stat st;
    uint32_t facts[2]; /* version, width: features_file.c */
    gvm_error err;
    memcpy(facts, start + 8, sizeof facts);
    if (features_check_version(facts[0], path_tail(path), &err) != GVM_OK) return failed(&err);
    double bytes = stat(path, &st) == 0 ? (double)st.st_size - FEATURES_START : 0;
    long long rows = bytes > 0 && facts[1] > 0 ? (long long)(bytes / (2.0 * facts[1])) : 0;
    struct facts f;
    facts_open(&f, json, path, "map features",
               "the features of a map, %lld rows of %u numbers; `info` of the MAP.gpkg beside it says more", rows,
               facts[1]);
    fact_json(&f, "rows", json_integer(rows));
    fact_json(&f, "features", json_integer(facts[1]));
    return facts_close(&f);
}

int info_own(const char *path, const unsigned char start[INFO_START + 1], size_t size, bool json)
{
    if (size >= strlen(CACHE_MAGIC) && memcmp(start, CACHE_MAGIC, strlen(CACHE_MAGIC)) == 0)
        return cache(path, start, size, json);
    return size >= 16 && features_start(start, size) ? map_features(path, start, json) : GO_ON;
}
