/* budget.h - an amount that threads share, each waiting until its part is free. */
#ifndef GVM_IMAGE_BUDGET_H
#define GVM_IMAGE_BUDGET_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct budget {
    pthread_mutex_t lock;
    pthread_cond_t freed;
    int64_t left;
};

/* As an initial value. Who takes a second part while holding one may wait for ever. */
#define BUDGET(amount)                                              \
    {                                                               \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, amount \
    }

/* Wait until so much is left, and take it; no longer than to `until`, seconds of CLOCK_MONOTONIC, or for ever if it is
 * INFINITY. False: nothing is taken. No part may be larger than the whole. */
bool budget_take_until(struct budget *budget, int64_t amount, double until);

void budget_give_back(struct budget *budget, int64_t amount);

#endif
