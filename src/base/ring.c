/* ring.c - see ring.h. The state of group g is groups[g % size]. Items are started in order, so when one fails, all
 * before it have been started: the first failure by index is known once they have ended. */
#include "base/ring.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

struct group {
    size_t begun, ended; /* items */
    bool ready;          /* finished, or failed permanently */
    size_t failed;       /* index of the item that caused status and err */
    gvm_status status;
    gvm_error err;
};

struct ring {
    struct ring_work work;
    pthread_mutex_t lock;
    pthread_cond_t ready, room; /* a group is ready; an item may be started */
    size_t next;                /* next item to start */
    size_t taken;               /* groups that the caller has released */
    bool holding;               /* the caller has the next group */
    bool ended;                 /* start no more items */
    struct group *groups;
    int entered, threads;
    pthread_t thread[];
};

static struct group *group_of(struct ring *r, size_t item)
{
    return &r->groups[item / r->work.group % r->work.groups];
}

/* Number of items of the group that starts with `first`. */
static size_t group_count(const struct ring_work *w, size_t first)
{
    size_t left = first < w->items ? w->items - first : 0;
    return left < w->group ? left : w->group;
}

/* Called with the lock held. */
static void note(struct ring *r, struct group *g, size_t item, gvm_status status, const gvm_error *err)
{
    if (status == GVM_OK || (g->status != GVM_OK && g->failed < item)) return;
    g->failed = item;
    g->status = status;
    g->err = *err;
    r->ended = true;
}

/* Called with the lock held; releases it during the work. */
static void work_on_next(struct ring *r, int worker)
{
    const struct ring_work *w = &r->work;
    size_t item = r->next++, first = item - item % w->group, count = group_count(w, first);
    struct group *g = group_of(r, item);
    gvm_error err = {""};
    g->begun++;
    pthread_mutex_unlock(&r->lock);
    gvm_status status = w->work(w->user, worker, item, &err);
    pthread_mutex_lock(&r->lock);
    note(r, g, item, status, &err);
    g->ended++;
    if (g->status == GVM_OK && g->ended == count && w->finish != NULL) {
        pthread_mutex_unlock(&r->lock);
        status = w->finish(w->user, worker, first, count, &err);
        pthread_mutex_lock(&r->lock);
        note(r, g, first, status, &err);
    }
    g->ready = g->ended == (g->status == GVM_OK ? count : g->begun);
    if (g->ready) pthread_cond_signal(&r->ready);
}

static void *run(void *argument)
{
    struct ring *r = argument;
    const struct ring_work *w = &r->work;
    pthread_mutex_lock(&r->lock);
    int worker = r->entered++;
    while (!r->ended && r->next < w->items) {
        if (r->next / w->group < r->taken + w->groups)
            work_on_next(r, worker);
        else
            pthread_cond_wait(&r->room, &r->lock);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

struct ring *ring_open(const struct ring_work *work)
{
    assert(work->group >= 1 && work->groups >= 1 && work->workers >= 1);
    size_t workers = (size_t)work->workers < work->items ? (size_t)work->workers : work->items;
    struct ring *r = calloc(1, sizeof *r + workers * sizeof *r->thread);
    struct group *groups = calloc(work->groups, sizeof *groups);
    if (r == NULL || groups == NULL) {
        free(r);
        free(groups);
        return NULL;
    }
    r->work = *work;
    r->groups = groups;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->ready, NULL);
    pthread_cond_init(&r->room, NULL);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    while ((size_t)r->threads < workers && pthread_create(&r->thread[r->threads], NULL, run, r) == 0) r->threads++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r;
}

gvm_status ring_next(struct ring *r, size_t *first, size_t *count, gvm_error *err)
{
    pthread_mutex_lock(&r->lock);
    if (r->holding) {
        *group_of(r, r->taken++ * r->work.group) = (struct group){0};
        pthread_cond_broadcast(&r->room);
    }
    *first = r->taken * r->work.group;
    *count = group_count(&r->work, *first);
    struct group *g = group_of(r, *first);
    while (*count > 0 && !g->ready) {
        if (r->threads == 0)
            work_on_next(r, 0);
        else
            pthread_cond_wait(&r->ready, &r->lock);
    }
    gvm_status status = g->status;
    if (status != GVM_OK) *count = 0;
    if (status != GVM_OK && err != NULL) *err = g->err;
    r->holding = *count > 0;
    pthread_mutex_unlock(&r->lock);
    return status;
}

void ring_free(struct ring *r)
{
    if (r == NULL) return;
    pthread_mutex_lock(&r->lock);
    r->ended = true;
    pthread_cond_broadcast(&r->room);
    pthread_mutex_unlock(&r->lock);
    for (int i = 0; i < r->threads; i++) pthread_join(r->thread[i], NULL);
    pthread_cond_destroy(&r->ready);
    pthread_cond_destroy(&r->room);
    pthread_mutex_destroy(&r->lock);
    free(r->groups);
    free(r);
}
