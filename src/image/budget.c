/* budget.c - see budget.h */
#define _GNU_SOURCE /* pthread_cond_clockwait */
#include "image/budget.h"

#include <errno.h>
#include <math.h>

#include "base/clock.h"

bool budget_take_until(struct budget *b, int64_t amount, double until)
{
    int late = 0;
    const struct timespec end = clock_time(isfinite(until) ? until : 0);
    pthread_mutex_lock(&b->lock);
    while (b->left < amount && late == 0)
        late = isfinite(until) ? pthread_cond_clockwait(&b->freed, &b->lock, CLOCK_MONOTONIC, &end)
                               : pthread_cond_wait(&b->freed, &b->lock);
    bool taken = b->left >= amount;
    if (taken) b->left -= amount;
    pthread_mutex_unlock(&b->lock);
    return taken;
}

void budget_give_back(struct budget *b, int64_t amount)
{
    pthread_mutex_lock(&b->lock);
    b->left += amount;
    pthread_cond_broadcast(&b->freed);
    pthread_mutex_unlock(&b->lock);
}
