/* guard.h - the connections that are open, and which of them are overdue: a client that sends or takes too slowly would
 * hold its thread for ever. */
#ifndef GVM_SERVER_GUARD_H
#define GVM_SERVER_GUARD_H

#include <pthread.h>

struct guarded {
    int socket;
    double due; /* when it ends; infinite: while the service itself is at work */
    struct guarded *next, *before;
};

struct guard {
    pthread_mutex_t lock;
    struct guarded *first;
    int count;
};

void guard_start(struct guard *guard);
void guard_end(struct guard *guard);

/* A connection was opened. NULL without memory: then nobody guards it. */
struct guarded *guard_open(struct guard *guard, int socket, double due);
void guard_close(struct guard *guard, struct guarded *guarded); /* NULL is fine */

void guard_until(struct guard *guard, struct guarded *guarded, double due); /* NULL is fine */

/* Shut down what is overdue; returns how many. */
int guard_sweep(struct guard *guard, double now);
int guard_count(struct guard *guard);

#endif
