/* engine.c - see engine.h.
 *
 * A batch holds pictures with the same number of answers, because that number decides how many hits are searched; the
 * others wait for the next batch. The longest waiting is served first. */
#define _GNU_SOURCE /* pthread_cond_clockwait */
#include "server/engine.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"

struct engine {
    const struct serve_options *options;
    const gvm_model *model;
    struct metrics *metrics;
    gvm_session *session;
    gvm_locator *locator;
    gvm_located **photos; /* (batch) of the works taken */
    struct work **taken;  /* (batch) */
    float *feature;       /* (features) of a heat map's partner */

    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    struct work *first, **last;
    int queued;  /* works in the list */
    int waiting; /* places reserved */
    double each; /* seconds per picture, a moving mean; 0: none yet */
    bool hurry, drop, ending;
};

/* ------------------------------------------------------------------ the thread */

/* Call with the lock held. */
static void finish(struct work *work)
{
    work->over = true;
    pthread_cond_signal(&work->finished);
}

static void draw_heat(struct engine *e, struct work *work)
{
    const float *other = work->other;
    work->status = GVM_OK;
    if (work->partner != NULL && work->stage == 0) {
        gvm_view view = work->view == GVM_STREET ? GVM_AERIAL : GVM_STREET;
        work->status = gvm_embed_pixels(e->session, view, e->feature, work->partner, 1, &work->err);
        other = e->feature;
    }
    if (work->status == GVM_OK)
        work->status = gvm_heatmap(e->session, work->view, work->stage, work->heat, work->pixels, other, &work->err);
}

static void locate(struct engine *e, int count)
{
    gvm_error err;
    for (int i = 0; i < count; i++) e->photos[i] = &e->taken[i]->photo;
    gvm_status status = gvm_locator_run(e->locator, e->photos, (size_t)count, e->taken[0]->top, 0, &err);
    metrics_batch(e->metrics, count);
    for (int i = 0; i < count; i++) {
        e->taken[i]->status = status != GVM_OK ? status : e->photos[i]->status;
        e->taken[i]->err = status != GVM_OK ? err : e->photos[i]->err;
    }
}

/* Wait until the batch is full, or the first has waited long enough or is late. Call with the lock held. */
static void be_patient(struct engine *e)
{
    struct timespec t = clock_time(fmin(e->first->since + e->options->patience_ms / 1000, e->first->until + 1e-3));
    while (e->queued < e->options->batch && !e->hurry)
        if (pthread_cond_clockwait(&e->arrived, &e->lock, CLOCK_MONOTONIC, &t) == ETIMEDOUT) return;
}

/* Drop works that nobody waits for. Call with the lock held. */
static void sift(struct engine *e)
{
    double now = e->drop ? INFINITY : clock_seconds();
    for (struct work **link = &e->first; *link != NULL;) {
        struct work *work = *link;
        work->fate = guard_is_gone(work->client) ? GONE : now > work->until ? LATE : DONE;
        if (work->fate == DONE) {
            link = &work->next;
            continue;
        }
        *link = work->next;
        e->queued--;
        e->waiting--;
        finish(work);
    }
}

/* Take the first in the list and those that fit its batch; returns how many. Call with the lock held. */
static int take(struct engine *e)
{
    sift(e);
    int count = 0, top = e->first != NULL ? e->first->top : 0;
    struct work **link = &e->first;
    while (*link != NULL && count < (top > 0 ? e->options->batch : 1)) {
        struct work *work = *link;
        if (work->top != top) {
            link = &work->next;
            continue;
        }
        *link = work->next;
        e->taken[count++] = work;
    }
    for (e->last = &e->first; *e->last != NULL;) e->last = &(*e->last)->next;
    e->queued -= count;
    e->waiting -= count;
    return count;
}

static void *run(void *argument)
{
    struct engine *e = argument;
    pthread_mutex_lock(&e->lock);
    for (;;) {
        while (e->first == NULL && !e->ending) pthread_cond_wait(&e->arrived, &e->lock);
        if (e->first == NULL) break;
        if (e->first->top > 0) be_patient(e);
        int count = take(e);
        if (count == 0) continue;
        pthread_mutex_unlock(&e->lock);
        double start = clock_seconds();
        if (e->taken[0]->top > 0)
            locate(e, count);
        else
            draw_heat(e, e->taken[0]);
        double each = (clock_seconds() - start) / count;
        pthread_mutex_lock(&e->lock);
        e->each = e->each > 0 ? 0.8 * e->each + 0.2 * each : each;
        for (int i = 0; i < count; i++) finish(e->taken[i]);
    }
    pthread_mutex_unlock(&e->lock);
    return NULL;
}

/* ------------------------------------------------------------------ called by other threads */

bool engine_enter(struct engine *e)
{
    pthread_mutex_lock(&e->lock);
    bool free = e->waiting < e->options->queue;
    if (free) e->waiting++;
    pthread_mutex_unlock(&e->lock);
    return free;
}

void engine_leave(struct engine *e)
{
    pthread_mutex_lock(&e->lock);
    e->waiting--;
    pthread_mutex_unlock(&e->lock);
}

void engine_run(struct engine *e, struct work *work)
{
    work->next = NULL;
    work->over = false;
    work->fate = DONE;
    work->since = clock_seconds();
    pthread_cond_init(&work->finished, NULL);
    pthread_mutex_lock(&e->lock);
    *e->last = work;
    e->last = &work->next;
    e->queued++;
    pthread_cond_signal(&e->arrived);
    while (!work->over) pthread_cond_wait(&work->finished, &e->lock);
    pthread_mutex_unlock(&e->lock);
    pthread_cond_destroy(&work->finished);
}

void engine_hurry(struct engine *e, bool drop)
{
    pthread_mutex_lock(&e->lock);
    e->hurry = true;
    e->drop = drop;
    pthread_cond_signal(&e->arrived);
    pthread_mutex_unlock(&e->lock);
}

int engine_waiting(struct engine *e)
{
    pthread_mutex_lock(&e->lock);
    int waiting = e->waiting;
    pthread_mutex_unlock(&e->lock);
    return waiting;
}

double engine_delay(struct engine *e)
{
    pthread_mutex_lock(&e->lock);
    double delay = e->waiting * e->each;
    pthread_mutex_unlock(&e->lock);
    return delay;
}

static gvm_status start(struct engine *e, const gvm_map *map, gvm_error *err)
{
    size_t most = (size_t)e->options->batch;
    gvm_model_info info = {.size = sizeof info};
    gvm_status status = gvm_model_about(e->model, &info, err);
    if (status == GVM_OK) status = gvm_session_open(&e->session, e->model, e->options->batch, err);
    if (status == GVM_OK) status = gvm_locator_open(&e->locator, e->session, map, SERVE_TOP, err);
    if (status != GVM_OK) return status;
    e->photos = calloc(most, sizeof *e->photos);
    e->taken = calloc(most, sizeof *e->taken);
    e->feature = malloc((size_t)info.features * sizeof *e->feature);
    e->started =
        e->photos != NULL && e->taken != NULL && e->feature != NULL && pthread_create(&e->thread, NULL, run, e) == 0;
    return e->started ? GVM_OK : fail(err, GVM_MEMORY, "cannot start the network: out of memory or threads");
}

gvm_status engine_open(struct engine **engine, const gvm_model *model, const gvm_map *map,
                       const struct serve_options *options, struct metrics *metrics, gvm_error *err)
{
    struct engine *e = *engine = calloc(1, sizeof *e);
    if (e == NULL) return fail(err, GVM_MEMORY, "out of memory for the network");
    e->options = options;
    e->model = model;
    e->metrics = metrics;
    e->last = &e->first;
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->arrived, NULL);
    gvm_status status = start(e, map, err);
    if (status == GVM_OK) return GVM_OK;
    engine_free(e);
    *engine = NULL;
    return status;
}

void engine_free(struct engine *e)
{
    if (e == NULL) return;
    if (e->started) {
        pthread_mutex_lock(&e->lock);
        e->hurry = e->ending = true;
        pthread_cond_signal(&e->arrived);
        pthread_mutex_unlock(&e->lock);
        pthread_join(e->thread, NULL);
    }
    pthread_cond_destroy(&e->arrived);
    pthread_mutex_destroy(&e->lock);
    gvm_locator_free(e->locator);
    gvm_session_free(e->session);
    free(e->photos);
    free(e->taken);
    free(e->feature);
    free(e);
}
