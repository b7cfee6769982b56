/* gate.h - a number of places that threads share, each waiting for one no longer than it may. */
#ifndef GVM_SERVER_GATE_H
#define GVM_SERVER_GATE_H

#include <pthread.h>
#include <stdbool.h>

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t freed;
    int left;
};

void gate_start(struct gate *gate, int places);
void gate_end(struct gate *gate);

/* Take a place. False: none was free until stop(user), which is asked a few times a second, said to wait no longer. */
bool gate_enter(struct gate *gate, bool (*stop)(void *user), void *user);
void gate_leave(struct gate *gate);

#endif
