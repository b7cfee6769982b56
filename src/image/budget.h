/* budget.h - an amount that threads share, each waiting until its part is free. */
#ifndef GVM_IMAGE_BUDGET_H
#define GVM_IMAGE_BUDGET_H

#include <pthread.h>
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

/* Wait until so much is left, and take it. No part may be larger than the whole. */
static inline void budget_take(struct budget *b, int64_t amount)
{
    pthread_mutex_lock(&b->lock);
    while (b->left < amount) pthread_cond_wait(&b->freed, &b->lock);
    b->left -= amount;
    pthread_mutex_unlock(&b->lock);
}

static inline void budget_give_back(struct budget *b, int64_t amount)
{
    pthread_mutex_lock(&b->lock);
    b->left += amount;
    pthread_cond_broadcast(&b->freed);
    pthread_mutex_unlock(&b->lock);
}

#endif
