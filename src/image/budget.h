/* budget.h - a counting semaphore with amounts: threads wait until their share is free */
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

/* Static initialiser. A thread that waits for a second share while it holds one can deadlock. */
#define BUDGET(amount)                                              \
    {                                                               \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, amount \
    }

/* Wait until `amount` is available and take it. Gives up at `until`, in seconds of CLOCK_MONOTONIC; INFINITY waits
 * forever. Returns false if nothing was taken. `amount` must not exceed the initial amount. */
bool budget_take_until(struct budget *budget, int64_t amount, double until);

void budget_give_back(struct budget *budget, int64_t amount);

#endif
