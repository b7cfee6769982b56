/* guard.h - the connections that are open, and which of them are overdue: a client that sends or takes too slowly would
 * hold its thread for ever. And what each client's bodies take of the memory, so that one cannot take it all. */
#ifndef GVM_SERVER_GUARD_H
#define GVM_SERVER_GUARD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

struct sockaddr;

struct guarded {
    int socket;
    double due;                         /* when it ends; infinite: while the service itself is at work */
    enum { ASK, CLOSED, WAITS } at_end; /* what it means that the client sends no more: guard_is_gone */
    size_t held;                        /* bytes of its request's body */
    unsigned char client[16];           /* its address: IPv4, or the first half of IPv6, which one client has whole */
    LIST_ENTRY(guarded) others;
};

struct guard {
    pthread_mutex_t lock;
    LIST_HEAD(, guarded) all;
    atomic_int count;   /* of them */
    atomic_size_t held; /* by all of them */
};

void guard_start(struct guard *guard);
void guard_end(struct guard *guard);

/* A connection was opened. NULL without memory: then nobody guards it. */
struct guarded *guard_open(struct guard *guard, int socket, const struct sockaddr *client, double due);
void guard_close(struct guard *guard, struct guarded *guarded); /* NULL is fine */

void guard_until(struct guard *guard, struct guarded *guarded, double due); /* NULL is fine */

/* Whether the client has gone while its request is at work; for the thread that holds the request. One that has closed
 * its sending side alone still waits for the answer. Which of the two it is shows only once it is sent something: with
 * ASK that is a "100 Continue", which any client of HTTP/1.1 passes over. CLOSED: it has gone (TLS, where this is no
 * way to say so). WAITS: it may be there (HTTP/1.0). NULL is not. */
bool guard_is_gone(struct guarded *guarded);

/* Count so many bytes more, unless that were more than `all` of all clients together, or than `each` of this one's
 * connections. False: they are not counted. NULL holds none. */
bool guard_hold(struct guard *guard, struct guarded *guarded, size_t bytes, size_t all, size_t each);
void guard_let_go(struct guard *guard, struct guarded *guarded); /* of all of its bytes; NULL is fine */

/* Shut down what is overdue; returns how many. now: infinite for all. */
int guard_sweep(struct guard *guard, double now);

#endif
