/* cmd_train.c - trains a network on pairs of street and aerial pictures with the paper's recipe. */
#include <errno.h>
#include <glib.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/output.h"
#include "cli/cli.h"
#include "cli/train.h"
#include "data/dataset.h"
#include "network/checkpoint.h"
#include "network/import.h"
#include "train/train.h"

/* ------------------------------------------------------------------ the run */

/* A folder with any file of a run belongs to another run. */
static gvm_status check_folder(const char *path, gvm_error *err)
{
    static const char *const files[] = {"state.safetensors", "log.jsonl", "last.safetensors", "best.safetensors"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        g_autofree gchar *file = g_build_filename(path, files[i], NULL);
        struct stat st;
        if (lstat(file, &st) != 0) { /* dangling links count */
            if (errno != ENOENT && errno != ENOTDIR) return fail_errno(err, "read", path_tail(file));
            continue;
        }
        if (i == 0)
            return fail(err, GVM_ARGUMENT,
                        "%s: it already contains a run; continue it with --resume, or choose another folder", path);
        return fail(err, GVM_ARGUMENT, "%s: it contains %s of another run; choose another folder", path, files[i]);
    }
    return GVM_OK;
}

/* Files that a resumed run replaces must be a run's. */
static gvm_status check_networks(const char *run, gvm_error *err)
{
    static const char *const files[] = {"last.safetensors", "best.safetensors"};
    gvm_status status = GVM_OK;
    for (int i = 0; i < 2 && status == GVM_OK; i++) {
        g_autofree gchar *file = g_build_filename(run, files[i], NULL);
        status = output_check(file, &output_weights, false, NULL, 0, err);
    }
    return status;
}

struct job {
    struct arguments *a;
    const char *run;
    const char *init; /* of --init; NULL: the built-in weights, or none */
    int lock;         /* run_lock's; -1: none */
    bool made;        /* the folder is new */
    bool taken;       /* and locked, with nothing of a run in it */
    struct dataset *data;
    struct network *network;
    struct optimizer *optimizer;
    struct run_position position;
};

/* Check all paths before the work, and report every missing one. */
static gvm_status check_inputs(const struct job *j, gvm_error *err)
{
    const struct {
        const char *option, *path;
    } inputs[] = {{"--data", j->a->run.data}, {"--init", j->init}, {"--backbone", j->a->backbone}};
    char missing[400] = "";
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        if (inputs[i].path == NULL || access(inputs[i].path, R_OK) == 0) continue;
        size_t n = strlen(missing);
        snprintf(missing + n, sizeof missing - n, "%s%s (%.100s): %s", n > 0 ? "; " : "", path_tail(inputs[i].path),
                 inputs[i].option, strerror(errno));
    }
    return missing[0] == '\0' ? GVM_OK : fail(err, GVM_FILE, "%s", missing);
}

/* The parent folder of RUN. */
static gvm_status check_place(const char *run, gvm_error *err)
{
    struct stat st;
    if (stat(run, &st) == 0)
        return S_ISDIR(st.st_mode)
                   ? check_folder(run, err)
                   : fail(err, GVM_ARGUMENT, "%s: it is a file; --out expects a folder", path_tail(run));
    g_autofree gchar *copy = g_strdup(run); /* dirname may modify it */
    return access(dirname(copy), W_OK) == 0 ? GVM_OK : fail_errno(err, "make", path_tail(run));
}

/* The memory of a step is estimated before it is allocated. */
static gvm_status check_memory(const struct job *j, const struct train_plan *plan, gvm_error *err)
{
    double available = memory_available();
    if (j->a->common.cuda || j->a->force || plan->memory <= available) return GVM_OK;
    return fail(err, GVM_MEMORY,
                "batch size %d needs about %.1f GB of memory with this network, but %.1f GB are available; %s, or try "
                "anyway with --force",
                j->a->run.batch, plan->memory / 1e9, available / 1e9,
                j->a->resume ? "stop other programs" : "lower --batch, use --preset nano");
}

static gvm_status say_plan(const struct job *j, gvm_error *err)
{
    struct train_plan plan;
    gvm_status status = train_plan(&plan, j->network, j->data, &j->a->run, err);
    if (status != GVM_OK) return status;
    train_show_plan(j->a, j->run, j->network, j->data, &j->position, &plan);
    char warning[200];
    if (!j->a->resume && network_warning(warning, sizeof warning, j->network))
        fprintf(stderr, "geoviewmatch: warning: %s\n", warning);
    return check_memory(j, &plan, err);
}

/* Two processes that start at once both see an empty folder; the lock decides. */
static gvm_status take_folder(struct job *j, gvm_error *err)
{
    j->made = mkdir(j->run, 0777) == 0;
    if (!j->made && errno != EEXIST) return fail_errno(err, "make", path_tail(j->run));
    gvm_status status = run_lock(&j->lock, j->run, err);
    if (status == GVM_OK) status = check_folder(j->run, err);
    j->taken = status == GVM_OK && j->lock >= 0;
    return status;
}

/* What was written before the first state is of no use, and would keep the same command from beginning again. */
static void clear_folder(const struct job *j)
{
    static const char *const files[] = {"log.jsonl", "last.safetensors"};
    g_autofree gchar *state = g_build_filename(j->run, "state.safetensors", NULL);
    struct stat st;
    bool none = lstat(state, &st) != 0 && errno == ENOENT;
    for (size_t i = 0; i < sizeof files / sizeof *files && none && j->taken; i++) {
        g_autofree gchar *file = g_build_filename(j->run, files[i], NULL);
        unlink(file);
    }
    if (none && j->made) rmdir(j->run); /* of one that could not begin: it is empty */
}

/* Quick checks come first: the weights of a large network take a while. */
static gvm_status begin(struct job *j, gvm_error *err)
{
    struct arguments *a = j->a;
    j->init = weights_path(a->init);
    gvm_status status = run_options_check(&a->run, err);
    if (status == GVM_OK) status = check_inputs(j, err);
    if (status == GVM_OK) status = check_place(j->run, err);
    if (status == GVM_OK && a->init) status = checkpoint_load(&j->network, j->init, true, err);
    if (status != GVM_OK) return status;
    if (a->init) origin_tuned(&j->network->origin);
    const struct config *config = a->init ? &j->network->config : &a->config;
    status = train_arguments_fit(a, config, err);
    if (status != GVM_OK) return status;
    train_arguments_complete(a, config);
    if (a->init) train_arguments_tune(a, j->network);
    status = train_data_open(&j->data, &a->run, err);
    if (status == GVM_OK && a->init) train_ground_tune(a, j->data, j->network);
    if (status == GVM_OK && !a->init) status = network_open(&j->network, &a->config, true, err);
    if (status == GVM_OK) status = take_folder(j, err);
    if (status == GVM_OK && a->run.rates.backbone == 0) network_freeze(j->network);
    if (status == GVM_OK) status = say_plan(j, err);
    if (status == GVM_OK && !a->init) {
        network_fresh(j->network, a->run.seed);
        if (a->backbone) status = backbone_load(j->network, a->backbone, err);
    }
    if (status != GVM_OK) return status;
    const struct network *n = j->network;
    return optimizer_open(&j->optimizer, n->params, n->param_count, n->weights, n->grads, n->floats, &a->run.rates,
                          err);
}

/* The current locations of the run's data set and cache. */
static gvm_status check_moved(const struct run_options *o, gvm_error *err)
{
    bool there;
    gvm_status status = file_exists(&there, o->data, err);
    if (status == GVM_OK && !there)
        status = fail(err, GVM_FILE, "%s: the run's data set was not found; give its new location with --data",
                      path_tail(o->data));
    g_autofree gchar *folder = o->cache ? g_path_get_dirname(o->cache) : NULL;
    if (status == GVM_OK && folder != NULL) status = file_exists(&there, folder, err);
    if (status == GVM_OK && !there)
        status = fail(err, GVM_FILE, "%s: the folder of the run's cache was not found; give a file with --cache",
                      path_tail(o->cache));
    return status;
}

/* Options given now override the saved ones. */
static void take_over(char **saved, char **now)
{
    if (*now == NULL) return;
    free(*saved);
    *saved = g_steal_pointer(now);
}

static gvm_status go_on(struct job *j, gvm_error *err)
{
    struct arguments *a = j->a;
    struct config config;
    struct run_options now = a->run;
    a->run = (struct run_options){0};
    gvm_status status = run_lock(&j->lock, j->run, err);
    if (status == GVM_OK) status = check_networks(j->run, err);
    if (status == GVM_OK) status = run_about(j->run, &a->run, &j->position, &config, err);
    if (status == GVM_OK) take_over(&a->run.data, &now.data);
    if (status == GVM_OK) take_over(&a->run.cache, &now.cache);
    run_options_free(&now);
    if (status == GVM_OK) status = run_options_check(&a->run, err);
    if (status == GVM_OK) status = check_moved(&a->run, err);
    if (status == GVM_OK) status = train_data_open(&j->data, &a->run, err);
    if (status == GVM_OK) status = train_position_check(&j->position, &a->run, j->data, j->run, err);
    if (status != GVM_OK) return status;
    struct run_options saved;
    status = run_load(j->run, &saved, &j->position, &j->network, &j->optimizer, err);
    run_options_free(&saved);
    if (status == GVM_OK && a->run.rates.backbone == 0) network_freeze(j->network);
    return status == GVM_OK ? say_plan(j, err) : status;
}

static int report(const char *run, const struct train_result *r, const struct run_options *o)
{
    if (r->position.best >= 0) printf("best R@1 so far: %.2f\n", r->position.best);
    print_line("%s: %ld steps; %.1f%% of the time spent waiting for pictures", run, r->position.step,
               r->seconds > 0 ? 100 * r->waited / r->seconds : 0);
    if (r->position.epoch < o->epochs || r->position.evaluate)
        print_line("to continue: geoviewmatch train --resume %s", run);
    return r->stopped ? FAILED : DONE;
}

static gvm_status run(struct train_result *result, struct job *j, gvm_error *err)
{
    train_hear_signals(); /* before the folder exists, so that an early stop leaves a run to resume */
    gvm_status status = j->a->resume ? go_on(j, err) : begin(j, err);
    if (status != GVM_OK) return status;
    struct train_show show = {.quiet = j->a->common.quiet,
                              .views = run_options_losses(&j->a->run, &j->network->config).views,
                              .until = j->a->steps};
    struct train_events events = train_show_events(&show);
    struct run_position position = j->position;
    j->position.sequence = j->position.nearest = NULL; /* now owned by train */
    status = train(result, j->run, &j->a->run, j->data, position, j->network, j->optimizer, j->a->steps,
                   j->a->save_minutes, &events, err);
    train_show_end(&show);
    return status;
}

static int learn(void *arguments)
{
    struct job j = {.a = arguments, .lock = -1, .position = {.best = -1}};
    struct train_result result;
    gvm_error err;
    int end = train_arguments_check(j.a);
    if (end == GO_ON) {
        j.run = j.a->resume ? j.a->resume : j.a->out;
        end = run(&result, &j, &err) == GVM_OK ? report(j.run, &result, &j.a->run) : failed(&err);
    }
    if (j.run != NULL) clear_folder(&j);
    if (j.lock >= 0) close(j.lock);
    run_position_free(&j.position);
    optimizer_free(j.optimizer);
    network_free(j.network);
    dataset_free(j.data);
    return end;
}

const struct command train_command = {
    .name = "train",
    .summary = "train a network on pairs of street and aerial pictures, or on photos and orthophotos",
    .usage = "--data D --out RUN [options]\n"
             "--resume RUN [--data D] [--cache FILE] [--steps K] [--save-minutes M]",
    .about =
        "Trains with the paper's recipe: the street picture and a strongly and a weakly augmented aerial picture of "
        "each pair; soft-margin triplet losses; AdamW with adaptive sharpness-aware minimisation (ASAM); a cosine "
        "schedule. It first prints a plan with the time and memory needed, and does not start if the memory is "
        "insufficient. The defaults are GeoViewMatch's; a network of another method has those of its own paper.\n"
        "\n"
        "RUN gets log.jsonl, last.safetensors, best.safetensors (highest R@1 on the test split, from the first "
        "evaluation on) and state.safetensors. Ctrl-C finishes the step, or interrupts an evaluation or the building "
        "of a cache, and saves; --resume continues with bit-identical results. After a kill or a power failure the run "
        "continues from the last save and repeats at most --save-minutes of work.",
    .rows = train_rows,
    .more = run_option_rows,
    .more_at = offsetof(struct arguments, run),
    .device = true,
    .examples =
        "  geoviewmatch train --data CVUSA --preset nano --batch 16 --out run      the small network, on a CPU\n"
        "  geoviewmatch train --data CVUSA --backbone swin.safetensors --device cuda --out run\n"
        "  geoviewmatch train --resume run                                         after Ctrl-C\n"
        "  geoviewmatch train --data town --preset statewide-nano --out run        town/photos.csv, town/imagery/\n"
        "  geoviewmatch train --data town --init statewide.safetensors --rate 0 --out run   its heads, on a CPU\n",
    .size = sizeof(struct arguments),
    .run = learn,
};
