/* train.c - see train.h. */
#include "train/train.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "data/loader.h"
#include "network/checkpoint.h"
#include "network/learn.h"
#include "network/place.h"
#include "train/batch_plan.h"
#include "train/evaluate_fov.h"

enum { NARROW = 90 /* degrees of the strips that are evaluated beside the panoramas */, STRIPS_SEED = 2019 };

static const double TOLERANCE = 9; /* degrees, if neither the options nor the network have one */

struct training {
    const char *run;
    const struct run_options *options;
    const struct train_events *events;
    struct loss_options losses;
    struct run_position position;
    struct network *network;
    struct optimizer *optimizer;
    const struct dataset *data;
    struct cache *cache;
    struct pictures pictures;
    struct batch_plan plan;
    struct loader *loader;
    struct learner learner;
    FILE *log;
    double started, saved; /* seconds of the monotonic clock */
    double waited;
    bool stopped; /* by the stop event */
    struct {
        bool there; /* the batch is with the learner already, or its failure is recorded */
        struct batch batch;
        gvm_status status;
        gvm_error err;
    } next;
};

/* ------------------------------------------------------------------ the log */

/* A line's step, or -1 if the line is not ours. */
static long line_step(const char *line)
{
    long step;
    return sscanf(line, "{\"step\": %ld,", &step) == 1 ? step : -1;
}

/* Returns true if the rest of a file is an incomplete line of ours, as a kill may leave it. */
static bool is_begun(const char *line)
{
    static const char start[] = "{\"step\": ";
    size_t n = strlen(line) < sizeof start - 1 ? strlen(line) : sizeof start - 1;
    return strncmp(line, start, n) == 0;
}

/* Find the end of the lines up to the position. */
static gvm_status read_log(long *keep, const struct training *t, const char *path, gvm_error *err)
{
    char line[1024];
    *keep = 0;
    while (fgets(line, sizeof line, t->log)) {
        long step = line_step(line);
        bool whole = strchr(line, '\n') != NULL;
        if (whole ? step < 0 : !is_begun(line))
            return fail(err, GVM_FORMAT, "%s: it is not the log of a training run; move it away", path_tail(path));
        if (step < 0 || step > t->position.step || !whole) break;
        *keep = ftell(t->log);
    }
    return ferror(t->log) ? fail_errno(err, "read", path_tail(path)) : GVM_OK; /* else whole lines would go */
}

/* Open the log for appending at the position: truncates lines of later steps, left by a killed run, and an incomplete
 * last line. */
static gvm_status open_log(struct training *t, gvm_error *err)
{
    long keep = 0;
    char *path = path_join(t->run, "log.jsonl");
    if (path == NULL) return fail(err, GVM_MEMORY, "%s: out of memory for the log", t->run);
    t->log = fopen(path, "r+");
    if (t->log == NULL && errno == ENOENT) t->log = fopen(path, "w+");
    gvm_status status = t->log ? read_log(&keep, t, path, err) : fail_errno(err, "open", path_tail(path));
    if (status == GVM_OK && (fseek(t->log, keep, SEEK_SET) != 0 || ftruncate(fileno(t->log), keep) != 0))
        status = fail_errno(err, "write", path_tail(path));
    free(path);
    return status;
}

static void log_step(const struct training *t, const struct losses *l, float rate, double seconds)
{
    const struct method *method = t->network->config.method;
    int count = 0;
    fprintf(t->log, "{\"step\": %ld, \"epoch\": %d, \"loss\": %.9g", t->position.step, t->position.epoch,
            (double)l->total);
    for (int i = 0; method->terms[i]; i++, count++)
        fprintf(t->log, ", \"%s\": %.9g", method->terms[i], (double)l->terms[count]);
    for (int i = 0; t->losses.views && method->view_terms[i]; i++, count++)
        fprintf(t->log, ", \"%s\": %.9g", method->view_terms[i], (double)l->terms[count]);
    fprintf(t->log, ", \"lr\": %.6g, \"pairs_per_s\": %.2f}\n", (double)rate, t->options->batch / seconds);
}

/* narrow: NULL without views. */
static void log_evaluation(const struct training *t, const struct evaluation *e, const struct evaluation *narrow)
{
    fprintf(t->log, "{\"step\": %ld, \"epoch\": %d, \"R@1\": %.4f, \"R@5\": %.4f, \"R@10\": %.4f, \"R@1%%\": %.4f",
            t->position.step, t->position.epoch, e->recall[0], e->recall[1], e->recall[2], e->recall[3]);
    if (narrow) fprintf(t->log, ", \"R@1 of %d degrees\": %.4f", (int)NARROW, narrow->recall[0]);
    fputs("}\n", t->log);
}

/* ------------------------------------------------------------------ files */

static gvm_status save_network(const struct training *t, const char *file, gvm_error *err)
{
    char *path = path_join(t->run, file);
    if (path == NULL) return fail(err, GVM_MEMORY, "%s: cannot save the network: out of memory", t->run);
    gvm_status status = checkpoint_save(t->network, path, false, err);
    free(path);
    return status;
}

/* The state is written last: until then the run resumes from the previous one. */
static gvm_status save(struct training *t, gvm_error *err)
{
    if (fflush(t->log) != 0 || ferror(t->log))
        return fail(err, GVM_FILE, "%s: cannot write its log; free disk space and continue with --resume", t->run);
    gvm_status status = learner_fetch(&t->learner, err);
    if (status == GVM_OK) status = save_network(t, "last.safetensors", err);
    if (status == GVM_OK) status = run_save(t->run, t->options, &t->position, t->network, t->optimizer, err);
    t->saved = clock_seconds();
    return status;
}

/* ------------------------------------------------------------------ the loop */

static void tell_bad(void *user, int query, gvm_status status, const gvm_error *err)
{
    const struct training *t = user;
    (void)query, (void)status;
    if (t->events->bad) t->events->bad(t->events->user, err);
}

static void tell_bad_in_cache(void *user, gvm_status status, const gvm_error *err)
{
    tell_bad(user, 0, status, err);
}

static bool go_on(struct training *t)
{
    if (t->events->stop && t->events->stop(t->events->user)) t->stopped = true;
    return !t->stopped;
}

static bool tell_caching(void *user, size_t done, size_t total)
{
    struct training *t = user;
    if (t->events->caching) t->events->caching(t->events->user, done, total);
    return go_on(t);
}

static bool tell_evaluating(void *user, size_t done, size_t total)
{
    struct training *t = user;
    if (t->events->evaluating) t->events->evaluating(t->events->user, done, total);
    return go_on(t);
}

/* Threads that read pictures: as many as compute threads. */
static int workers(void)
{
    return parallel_threads() < 64 ? parallel_threads() : 64;
}

/* Keep imagery in memory, leaving enough for the training steps. */
static gvm_status keep_imagery(struct training *t, gvm_error *err)
{
    struct train_plan plan = {.memory = 0};
    bool here = chosen_device()->home_upload == NULL;
    gvm_status status =
        here && t->data->rasters != NULL ? train_plan(&plan, t->network, t->data, t->options, err) : GVM_OK;
    return status == GVM_OK ? pictures_keep(&t->pictures, plan.memory, err) : status;
}

/* The data set's elevation band and ground size apply, unless the network takes cells, which have its own sizes. */
static gvm_status open_data(struct training *t, gvm_error *err)
{
    const struct run_options *o = t->options;
    struct config *c = &t->network->config;
    if (t->losses.views && !(c->tolerance > 0)) c->tolerance = TOLERANCE;
    if (t->losses.views && o->tolerance > 0) c->tolerance = o->tolerance;
    if (c->views[GVM_AERIAL].zoom_count == 0) {
        c->ground_m = o->inner * t->data->ground_m;
        memcpy(c->elevation, t->data->elevation, sizeof c->elevation);
    }
    gvm_status status = pictures_open(&t->pictures, t->data, c, err);
    pictures_inner(&t->pictures, o->inner);
    if (status == GVM_OK) status = keep_imagery(t, err);
    if (status != GVM_OK) return status;
    struct cache_options cache = {.workers = workers(),
                                  .skip_bad = o->on_bad == BAD_SKIP,
                                  .user = t,
                                  .progress = tell_caching,
                                  .bad = tell_bad_in_cache};
    if (o->cache) status = cache_open(&t->cache, o->cache, &t->pictures, &cache, err);
    t->pictures.cache = t->cache;
    return status;
}

static gvm_status open_loader(struct training *t, gvm_error *err)
{
    const struct run_options *o = t->options;
    bool planned = t->plan.size > 0;
    gvm_status status = planned ? batch_plan_epoch(&t->position, &t->stopped, &t->plan, o, t->network, &t->pictures,
                                                   &t->data->train, tell_evaluating, t, err)
                                : GVM_OK;
    if (status != GVM_OK || t->stopped) return status;
    struct loader_options l = {.batch = o->batch,
                               .workers = workers(),
                               .shuffle = o->shuffle,
                               .cluster_m = o->cluster_m,
                               .sequence = planned ? t->position.sequence : NULL,
                               .batches = t->plan.whole ? (int)(t->position.sequence_count / (size_t)o->batch) : 0,
                               .skip_bad = o->on_bad == BAD_SKIP,
                               .seed = o->seed,
                               .amounts = o->amounts,
                               .views = t->losses.views ? o->epochs : 0,
                               .tolerance = t->network->config.tolerance,
                               .single = t->network->config.method->aerial_each == 1,
                               .epoch = (uint64_t)t->position.epoch,
                               .first = t->position.batch,
                               .user = t,
                               .bad = tell_bad};
    return loader_open(&t->loader, &t->pictures, &t->data->train, &l, err);
}

static gvm_status open_learner(struct training *t, gvm_error *err)
{
    const struct run_options *o = t->options;
    return learner_open(&t->learner, t->network, t->optimizer, o->batch, &t->losses, o->rho, o->drop_path, o->seed,
                        err);
}

static gvm_status open_training(struct training *t, gvm_error *err)
{
    gvm_status status = open_data(t, err);
    if (status == GVM_OK && !t->stopped) status = network_place(t->network, err);
    if (status == GVM_OK && !t->stopped) status = open_loader(t, err);
    if (status == GVM_OK && !t->stopped) status = open_learner(t, err);
    if (status == GVM_OK) status = open_log(t, err);
    t->started = t->saved = clock_seconds();
    if (status == GVM_OK && t->position.step == 0)
        status = save(t, err); /* so that --resume works from the first step, or if the cache was interrupted */
    return status;
}

static void close_training(struct training *t)
{
    if (t->log) (void)fclose(t->log);
    loader_free(t->loader);
    run_position_free(&t->position);
    cache_free(t->cache);
    pictures_close(&t->pictures);
    learner_close(&t->learner);
    network_leave(t->network);
}

/* Give the next batch to the learner. */
static void take_next(struct training *t)
{
    t->next.there = true;
    const struct batch *b = &t->next.batch;
    t->next.status = loader_next(t->loader, &t->next.batch, &t->next.err);
    if (t->next.status == GVM_OK) learner_take(&t->learner, b->street, b->aerial, b->allowed);
}

/* One update on the batch taken last. While a device computes, the next batch is read and transferred, unless it
 * belongs to a new epoch whose order is not known yet. */
static gvm_status update(struct losses *losses, struct training *t, float factor, gvm_error *err)
{
    const struct run_options *o = t->options;
    bool known = t->plan.size == 0 || t->next.batch.index + 1 < t->next.batch.count;
    gvm_error why;
    learner_start(&t->learner, t->position.step, factor);
    if (t->network->home && known) take_next(t);
    gvm_status status = learner_finish(losses, &t->learner, &why);
    switch (status) {
    case GVM_OK: return GVM_OK;
    case GVM_MEMORY:
        return fail(err, status, "%s: out of memory in step %ld; free memory, then continue with --resume", t->run,
                    t->position.step + 1);
    case GVM_ARGUMENT:
        return fail(
            err, status,
            "%s: the loss of step %ld is not finite at a learning rate of %g; lower --rate or --rho and start again",
            t->run, t->position.step + 1, (double)(o->rates.backbone * factor));
    default:
        return fail(err, status, "%s: step %ld failed (%s); continue with --resume", t->run, t->position.step + 1,
                    why.text);
    }
}

static gvm_status evaluate_now(struct training *t, gvm_error *err)
{
    static const struct fov_task tasks[] = {{360, FOV_KNOWN}, {NARROW, FOV_KNOWN}};
    struct evaluation e[2];
    const struct train_events *events = t->events;
    const bool views = t->losses.views;
    const struct split *test = &t->data->test;
    gvm_status status =
        views ? evaluate_fov(e, tasks, 2, STRIPS_SEED, t->network, &t->pictures, test, tell_evaluating, t, err)
              : evaluate_split(e, NULL, t->network, &t->pictures, test, false, tell_evaluating, t, err);
    if (status != GVM_OK || e[views].queries == 0) return status;
    double score = views ? (e[0].recall[0] + e[1].recall[0]) / 2 : e[0].recall[0];
    t->position.evaluate = false;
    log_evaluation(t, e, views ? e + 1 : NULL);
    if (events->evaluated) events->evaluated(events->user, t->position.epoch, e, views ? e + 1 : NULL);
    if (score <= t->position.best) return GVM_OK;
    t->position.best = score;
    status = network_fetch(t->network, err);
    if (status != GVM_OK) return status;
    return save_network(t, "best.safetensors", err);
}

/* Evaluate if that is due, then save. If the evaluation is stopped nothing is saved, so it stays due. */
static gvm_status evaluate_and_save(struct training *t, gvm_error *err)
{
    gvm_status status = t->position.evaluate ? evaluate_now(t, err) : GVM_OK;
    if (status != GVM_OK || t->position.evaluate) return status;
    return save(t, err);
}

/* After an epoch's last batch. */
static gvm_status end_epoch(struct training *t, gvm_error *err)
{
    const struct run_options *o = t->options;
    t->position.epoch++;
    t->position.batch = 0;
    bool due = o->eval_every > 0 && (t->position.epoch % o->eval_every == 0 || t->position.epoch == o->epochs);
    t->position.evaluate = due && t->data->test.query_count > 0;
    gvm_status status = evaluate_and_save(t, err);
    if (status != GVM_OK || t->stopped || t->plan.size == 0 || t->position.epoch == o->epochs) return status;
    loader_free(t->loader);
    t->loader = NULL;
    return open_loader(t, err);
}

static gvm_status one_step(struct training *t, gvm_error *err)
{
    const struct run_options *o = t->options;
    double start = clock_seconds();
    if (!t->next.there) take_next(t);
    t->next.there = false;
    if (t->next.status != GVM_OK) return fail(err, t->next.status, "%s", t->next.err.text);
    const struct batch batch = t->next.batch;
    gvm_status status;
    t->position.epoch = (int)batch.epoch;
    if (t->position.epoch >= o->epochs) return GVM_OK; /* the last epoch had no batch */
    t->waited += batch.waited;
    long epoch_steps = (t->data->train.query_count + o->batch - 1) / o->batch;
    float factor = schedule_factor(&o->schedule, t->position.step, epoch_steps, t->position.epoch, o->epochs);
    struct losses losses = {0};
    status = update(&losses, t, factor, err);
    if (status != GVM_OK) return status;
    t->position.step++;
    t->position.batch = batch.index + 1;
    float rate = o->rates.backbone * factor;
    log_step(t, &losses, rate, clock_seconds() - start);
    long steps = (long)batch.count * o->epochs;
    if (t->events->step) t->events->step(t->events->user, t->position.step, steps, &losses, rate, batch.waited);
    return batch.index + 1 == batch.count ? end_epoch(t, err) : GVM_OK;
}

gvm_status train(struct train_result *result, const char *run, const struct run_options *options,
                 const struct dataset *data, struct run_position position, struct network *network,
                 struct optimizer *optimizer, long steps, double save_minutes, const struct train_events *events,
                 gvm_error *err)
{
    struct training t = {.run = run,
                         .options = options,
                         .events = events,
                         .losses = run_options_losses(options, &network->config),
                         .data = data,
                         .position = position,
                         .network = network,
                         .optimizer = optimizer,
                         .plan = batch_plan_of(options, &data->train)};
    *result = (struct train_result){.position = position};
    gvm_status status = open_training(&t, err);
    long saved_step = position.step;
    if (status == GVM_OK && !t.stopped && position.evaluate) status = evaluate_and_save(&t, err);
    while (status == GVM_OK && !t.stopped && t.position.epoch < options->epochs &&
           (steps == 0 || t.position.step < steps)) {
        status = one_step(&t, err);
        if (status != GVM_OK) break;
        if (t.position.batch == 0 && !t.position.evaluate) saved_step = t.position.step;
        if (!go_on(&t)) break;
        if (clock_seconds() - t.saved > 60 * save_minutes) {
            status = save(&t, err);
            saved_step = t.position.step;
        }
    }
    if (status == GVM_OK && t.position.step != saved_step) status = save(&t, err);
    result->position = t.position;
    result->position.sequence = result->position.nearest = NULL;
    result->stopped = t.stopped;
    result->waited = t.waited;
    result->seconds = clock_seconds() - t.started;
    close_training(&t);
    return status;
}
