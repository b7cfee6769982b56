/* gate.c - see gate.h */
#include "server/gate.h"

#include "base/clock.h"

void gate_start(struct gate *g, int places)
{
    pthread_condattr_t clock;
    pthread_mutex_init(&g->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&g->freed, &clock);
    pthread_condattr_destroy(&clock);
    g->left = places;
}

void gate_end(struct gate *g)
{
    pthread_cond_destroy(&g->freed);
    pthread_mutex_destroy(&g->lock);
}

bool gate_enter(struct gate *g, bool (*stop)(void *user), void *user)
{
    pthread_mutex_lock(&g->lock);
    while (g->left == 0 && !stop(user)) {
        struct timespec soon = clock_time(clock_seconds() + 0.1);
        pthread_cond_timedwait(&g->freed, &g->lock, &soon);
    }
    bool taken = g->left > 0;
    if (taken) g->left--;
    pthread_mutex_unlock(&g->lock);
    return taken;
}

void gate_leave(struct gate *g)
{
    pthread_mutex_lock(&g->lock);
    g->left++;
    pthread_cond_signal(&g->freed);
    pthread_mutex_unlock(&g->lock);
}
