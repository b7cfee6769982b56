/* guard.h - tracks open connections and their deadlines: a client that sends or receives too slowly would block its
 * thread forever. Also counts the memory of each client's bodies, so that one client cannot use all of it. */
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
    double due;                         /* deadline; infinite while the service itself is working */
    enum { ASK, CLOSED, WAITS } at_end; /* the meaning of a closed sending side: guard_is_gone */
    size_t held;                        /* bytes of its request's body */
    unsigned char client[16];           /* its address: IPv4, or the /64 prefix of IPv6, which belongs to one client */
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

/* A connection was opened. NULL if out of memory: it is then unguarded. */
struct guarded *guard_open(struct guard *guard, int socket, const struct sockaddr *client, double due);
void guard_close(struct guard *guard, struct guarded *guarded); /* accepts NULL */

void guard_until(struct guard *guard, struct guarded *guarded, double due); /* accepts NULL */

/* Whether the client disconnected while its request is processed; for the request's thread. A client that closed only
 * its sending side still waits for the answer. The two can be distinguished only by sending something: with ASK a "100
 * Continue", which any HTTP/1.1 client ignores. CLOSED: treat it as disconnected (TLS has no half-closed state). WAITS:
 * treat it as waiting (HTTP/1.0). False for NULL. */
bool guard_is_gone(struct guarded *guarded);

/* Count this many more bytes, unless that would exceed `all` for all clients together or `each` for this client. False:
 * they are not counted. Always false for NULL. */
bool guard_hold(struct guard *guard, struct guarded *guarded, size_t bytes, size_t all, size_t each);
void guard_let_go(struct guard *guard, struct guarded *guarded); /* releases all of its bytes; accepts NULL */

/* Shut down overdue connections; returns how many. now: infinite for all. */
int guard_sweep(struct guard *guard, double now);

#endif
