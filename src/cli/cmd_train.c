/* cmd_train.c - a network from pairs of street and aerial pictures, by the paper's recipe. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/output.h"
#include "cli/cli.h"
#include "cli/network_facts.h"
#include "cli/train_options.h"
#include "data/dataset.h"
#include "model/checkpoint.h"
#include "train/train.h"

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
    signal(SIGINT, SIG_DFL); /* the second Ctrl-C ends at once */
}

/* ------------------------------------------------------------------ what it shows */

struct show {
    struct progress training, other;
    bool training_on, other_on, quiet;
    char what[96];
};

static void end_other(struct show *s)
{
    if (s->other_on) progress_end(&s->other);
    s->other_on = false;
}

static void show_step(void *user, long step, long steps, const struct losses *losses, float rate, double waited)
{
    struct show *s = user;
    (void)waited;
    end_other(s);
    snprintf(s->what, sizeof s->what, "loss %.4f (con %.3f, ret %.3f %.3f) rate %.1e", (double)losses->total,
             (double)losses->contrast, (double)losses->strong, (double)losses->weak, (double)rate);
    if (!s->training_on) progress_start(&s->training, s->what, "steps", (size_t)steps);
    s->training_on = true;
    progress_step(&s->training, (size_t)step);
}

static void show_other(struct show *s, const char *what, size_t done, size_t total)
{
    if (s->training_on) progress_clear(&s->training);
    if (!s->other_on) progress_start(&s->other, what, "pictures", total);
    s->other_on = true;
    progress_step(&s->other, done);
}

static void show_evaluating(void *user, size_t done, size_t total)
{
    show_other(user, "evaluating", done, total);
}

static void show_caching(void *user, size_t done, size_t total)
{
    show_other(user, "caching", done, total);
}

static void show_evaluated(void *user, int epoch, const struct evaluation *e)
{
    struct show *s = user;
    end_other(s);
    if (s->training_on) progress_clear(&s->training);
    printf("epoch %d: R@1 %.2f  R@5 %.2f  R@10 %.2f  R@1%% %.2f\n", epoch, e->recall[0], e->recall[1], e->recall[2],
           e->recall[3]);
    fflush(stdout);
}

static void show_bad(void *user, const gvm_error *err)
{
    struct show *s = user;
    if (s->training_on) progress_clear(&s->training);
    fprintf(stderr, "geoviewmatch: left out: %s\n", err->text);
}

static bool asked_to_stop(void *user)
{
    (void)user;
    return interrupted;
}

/* ------------------------------------------------------------------ the run */

/* What a run writes: a folder that holds any of it is another run's. */
static gvm_status check_folder(const char *path, gvm_error *err)
{
    static const char *const files[] = {"state.safetensors", "log.jsonl", "last.safetensors", "best.safetensors"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *file = run_path(path, files[i]);
        if (file == NULL) return fail(err, GVM_MEMORY, "%s: there is not enough memory to begin", path);
        struct stat st;
        bool taken = lstat(file, &st) == 0; /* a link that leads nowhere too */
        free(file);
        if (taken && i == 0)
            return fail(err, GVM_ARGUMENT, "%s: it holds a run already; go on with --resume, or name another folder",
                        path);
        if (taken)
            return fail(err, GVM_ARGUMENT, "%s: it holds %s of another run; name another folder", path, files[i]);
    }
    return GVM_OK;
}

/* What a run that goes on replaces must be a run's. */
static gvm_status check_networks(const char *run, gvm_error *err)
{
    static const char *const files[] = {"last.safetensors", "best.safetensors"};
    gvm_status status = GVM_OK;
    for (int i = 0; i < 2 && status == GVM_OK; i++) {
        char *file = run_path(run, files[i]);
        status = file ? output_check(file, &output_weights, false, NULL, 0, err)
                      : fail(err, GVM_MEMORY, "%s: there is not enough memory to go on", run);
        free(file);
    }
    return status;
}

/* The folder last, so that what cannot begin leaves none. */
static gvm_status begin(struct train_arguments *a, struct network **network, struct optimizer **optimizer,
                        gvm_error *err)
{
    gvm_status status = run_options_check(&a->run, err);
    if (status == GVM_OK) status = check_folder(a->out, err);
    if (status != GVM_OK) return status;
    if (a->init) {
        status = checkpoint_load(network, weights_path(a->init), true, err);
    } else {
        status = network_open(network, &a->config, true, err);
        if (status == GVM_OK) network_fresh(*network, a->run.seed);
        if (status == GVM_OK && a->backbone) status = backbone_load(*network, a->backbone, err);
    }
    if (status == GVM_OK && mkdir(a->out, 0777) != 0 && errno != EEXIST) status = fail_errno(err, "make", a->out);
    if (status != GVM_OK) return status;
    char warning[200];
    if (mask_warning(warning, sizeof warning, *network)) fprintf(stderr, "geoviewmatch: warning: %s\n", warning);
    const struct network *n = *network;
    return optimizer_open(optimizer, n->params, n->param_count, n->weights, n->grads, n->floats, &a->run.rates, err);
}

static int report(const char *run, const struct train_result *r, const struct run_options *o)
{
    long steps = r->position.step;
    if (r->position.best >= 0) printf("best R@1 so far: %.2f\n", r->position.best);
    printf("%s: %ld steps; %.1f%% of the time spent waiting for pictures\n", run, steps,
           r->seconds > 0 ? 100 * r->waited / r->seconds : 0);
    if (r->position.epoch < o->epochs || r->position.evaluate)
        printf("to go on: geoviewmatch train --resume %s\n", run);
    return r->stopped ? FAILED : DONE;
}

int cmd_train(int argc, char **argv)
{
    struct train_arguments a = {.common = {.name = "train", .help = train_help}};
    int end = train_arguments_read(&a, argc, argv);
    if (end != GO_ON) return end;
    struct network *network = NULL;
    struct optimizer *optimizer = NULL;
    struct run_position position = {.best = -1};
    struct show show = {.training = {.quiet = a.common.quiet}, .other = {.quiet = a.common.quiet}};
    struct train_events events = {&show,        show_step, show_evaluating, show_evaluated,
                                  show_caching, show_bad,  asked_to_stop};
    struct train_result result;
    gvm_error err;
    const char *run = a.resume ? a.resume : a.out;
    gvm_status status = a.resume ? check_networks(run, &err) : begin(&a, &network, &optimizer, &err);
    if (status == GVM_OK && a.resume) status = run_load(run, &a.run, &position, &network, &optimizer, &err);
    if (status == GVM_OK) {
        signal(SIGINT, interrupt);
        signal(SIGTERM, interrupt);
        status = train(&result, run, &a.run, position, network, optimizer, a.steps, a.save_minutes, &events, &err);
        end_other(&show);
        if (show.training_on) progress_end(&show.training);
    }
    end = status == GVM_OK ? report(run, &result, &a.run) : failed(&err);
    optimizer_free(optimizer);
    network_free(network);
    run_options_free(&a.run);
    return end;
}
