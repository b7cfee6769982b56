/* guard.c - see guard.h. A socket is shut down, not closed: its own thread notices and closes it, so the descriptor
 * cannot be reused meanwhile. */
#define _GNU_SOURCE /* POLLRDHUP */
#include "server/guard.h"

#include <math.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void guard_start(struct guard *w)
{
    *w = (struct guard){.count = 0};
    pthread_mutex_init(&w->lock, NULL);
}

void guard_end(struct guard *w)
{
    pthread_mutex_destroy(&w->lock);
}

static void put_client(unsigned char client[16], const struct sockaddr *address)
{
    if (address == NULL) return;
    if (address->sa_family == AF_INET)
        memcpy(client + 12, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
    if (address->sa_family != AF_INET6) return;
    const unsigned char *v6 = ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr.s6_addr;
    memcpy(client, v6, IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)(const void *)v6) ? 16 : 8);
}

struct guarded *guard_open(struct guard *w, int socket, const struct sockaddr *client, double due)
{
    struct guarded *guarded = malloc(sizeof *guarded);
    if (guarded == NULL) return NULL;
    pthread_mutex_lock(&w->lock);
    *guarded = (struct guarded){.socket = socket, .due = due};
    put_client(guarded->client, client);
    LIST_INSERT_HEAD(&w->all, guarded, others);
    w->count++;
    pthread_mutex_unlock(&w->lock);
    return guarded;
}

void guard_close(struct guard *w, struct guarded *guarded)
{
    if (guarded == NULL) return;
    pthread_mutex_lock(&w->lock);
    LIST_REMOVE(guarded, others);
    w->count--;
    w->held -= guarded->held;
    pthread_mutex_unlock(&w->lock);
    free(guarded);
}

void guard_until(struct guard *w, struct guarded *guarded, double due)
{
    if (guarded == NULL) return;
    pthread_mutex_lock(&w->lock);
    guarded->due = due;
    pthread_mutex_unlock(&w->lock);
}

bool guard_is_gone(struct guarded *g)
{
    static const char ask[] = "HTTP/1.1 100 Continue\r\n\r\n";
    if (g == NULL) return false;
    struct pollfd p = {.fd = g->socket, .events = POLLRDHUP};
    if (poll(&p, 1, 0) < 1) return false;
    if (p.revents & (POLLERR | POLLHUP | POLLNVAL) || g->at_end == CLOSED) return true;
    if (g->at_end == ASK && send(g->socket, ask, sizeof ask - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) return true;
    g->at_end = WAITS;
    return poll(&p, 1, 0) > 0 && p.revents & (POLLERR | POLLHUP);
}

bool guard_hold(struct guard *w, struct guarded *guarded, size_t bytes, size_t all, size_t each)
{
    size_t own = bytes;
    if (guarded == NULL) return false;
    pthread_mutex_lock(&w->lock);
    const struct guarded *one;
    LIST_FOREACH(one, &w->all, others)
    if (memcmp(one->client, guarded->client, sizeof one->client) == 0) own += one->held;
    bool fits = own <= each && w->held + bytes <= all;
    if (fits) {
        guarded->held += bytes;
        w->held += bytes;
    }
    pthread_mutex_unlock(&w->lock);
    return fits;
}

void guard_let_go(struct guard *w, struct guarded *guarded)
{
    if (guarded == NULL) return;
    pthread_mutex_lock(&w->lock);
    w->held -= guarded->held;
    guarded->held = 0;
    pthread_mutex_unlock(&w->lock);
}

int guard_sweep(struct guard *w, double now)
{
    int count = 0;
    pthread_mutex_lock(&w->lock);
    struct guarded *one;
    LIST_FOREACH(one, &w->all, others)
    {
        if (one->due > now) continue;
        shutdown(one->socket, SHUT_RDWR);
        one->due = INFINITY;
        count++;
    }
    pthread_mutex_unlock(&w->lock);
    return count;
}
