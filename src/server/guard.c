/* guard.c - see guard.h. A socket is shut down, not closed: its own thread sees that and ends it, and until then the
 * number belongs to nobody else. */
#include "server/guard.h"

#include <math.h>
#include <stdlib.h>
#include <sys/socket.h>

void guard_start(struct guard *w)
{
    *w = (struct guard){.first = NULL};
    pthread_mutex_init(&w->lock, NULL);
}

void guard_end(struct guard *w)
{
    pthread_mutex_destroy(&w->lock);
}

struct guarded *guard_open(struct guard *w, int socket, double due)
{
    struct guarded *guarded = malloc(sizeof *guarded);
    if (guarded == NULL) return NULL;
    pthread_mutex_lock(&w->lock);
    *guarded = (struct guarded){.socket = socket, .due = due, .next = w->first};
    if (w->first != NULL) w->first->before = guarded;
    w->first = guarded;
    w->count++;
    pthread_mutex_unlock(&w->lock);
    return guarded;
}

void guard_close(struct guard *w, struct guarded *guarded)
{
    if (guarded == NULL) return;
    pthread_mutex_lock(&w->lock);
    if (guarded->before != NULL)
        guarded->before->next = guarded->next;
    else
        w->first = guarded->next;
    if (guarded->next != NULL) guarded->next->before = guarded->before;
    w->count--;
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

int guard_sweep(struct guard *w, double now)
{
    int count = 0;
    pthread_mutex_lock(&w->lock);
    for (struct guarded *one = w->first; one != NULL; one = one->next) {
        if (one->due > now) continue;
        shutdown(one->socket, SHUT_RDWR);
        one->due = INFINITY;
        count++;
    }
    pthread_mutex_unlock(&w->lock);
    return count;
}

int guard_count(struct guard *w)
{
    pthread_mutex_lock(&w->lock);
    int count = w->count;
    pthread_mutex_unlock(&w->lock);
    return count;
}
