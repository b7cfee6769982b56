/* read_ahead.c - see read_ahead.h. A ring of two batches: one being worked on, one being read. */
#include "network/read_ahead.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/parallel.h"

enum { MAX_READERS = 16 }; /* image.c bounds the memory of their pictures together */

struct ring {
    const struct read_ahead *work;
    size_t size;           /* slots; picture i goes to slot i % size */
    struct slot *slots;    /* (size) */
    unsigned char *pixels; /* (size, bytes) */

    pthread_mutex_t lock;
    pthread_cond_t filled, freed;
    size_t next; /* the picture that the next reader takes */
    size_t done; /* pictures before this one have left their slots */
    bool ended;
};

static void *read_pictures(void *argument)
{
    struct ring *r = argument;
    const struct read_ahead *w = r->work;
    pthread_mutex_lock(&r->lock);
    while (r->next < w->n && !r->ended) {
        if (r->next >= r->done + r->size) {
            pthread_cond_wait(&r->freed, &r->lock);
            continue;
        }
        size_t i = r->next++, at = i % r->size;
        pthread_mutex_unlock(&r->lock);
        w->load(w->user, i, r->pixels + at * w->bytes, &r->slots[at]);
        pthread_mutex_lock(&r->lock);
        r->slots[at].ready = true;
        pthread_cond_signal(&r->filled);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

static void wait_filled(struct ring *r, size_t from, size_t count)
{
    pthread_mutex_lock(&r->lock);
    for (size_t i = from; i < from + count; i++)
        while (!r->slots[i % r->size].ready) pthread_cond_wait(&r->filled, &r->lock);
    pthread_mutex_unlock(&r->lock);
}

static void release(struct ring *r, size_t from, size_t count, bool ended)
{
    pthread_mutex_lock(&r->lock);
    for (size_t i = from; i < from + count; i++) r->slots[i % r->size].ready = false;
    r->done = from + count;
    r->ended = ended;
    pthread_cond_broadcast(&r->freed);
    pthread_mutex_unlock(&r->lock);
}

static gvm_status take_all(struct ring *r, gvm_error *err)
{
    const struct read_ahead *w = r->work;
    gvm_status status = GVM_OK;
    for (size_t from = 0; from < w->n && status == GVM_OK; from += w->batch) {
        size_t count = w->n - from < w->batch ? w->n - from : w->batch, at = from % r->size;
        assert(at + count <= r->size);
        wait_filled(r, from, count);
        status = w->take(w->user, from, count, r->slots + at, r->pixels + at * w->bytes, err);
        release(r, from, count, status != GVM_OK);
    }
    return status;
}

gvm_status read_ahead(const struct read_ahead *work, gvm_error *err)
{
    if (work->n == 0) return GVM_OK;
    struct ring r = {.work = work, .size = 2 * work->batch};
    if (r.size > work->n) r.size = work->n;
    r.slots = calloc(r.size, sizeof *r.slots);
    r.pixels = malloc(r.size * work->bytes);
    pthread_t readers[MAX_READERS];
    int count = 0, wanted = parallel_threads() < MAX_READERS ? parallel_threads() : MAX_READERS;
    gvm_status status = GVM_OK;
    if (r.slots != NULL && r.pixels != NULL) {
        pthread_mutex_init(&r.lock, NULL);
        pthread_cond_init(&r.filled, NULL);
        pthread_cond_init(&r.freed, NULL);
        while (count < wanted && (size_t)count < work->n &&
               pthread_create(&readers[count], NULL, read_pictures, &r) == 0)
            count++;
        if (count > 0) status = take_all(&r, err);
        for (int i = 0; i < count; i++) pthread_join(readers[i], NULL);
        pthread_mutex_destroy(&r.lock);
        pthread_cond_destroy(&r.filled);
        pthread_cond_destroy(&r.freed);
    }
    if (count == 0) status = fail(err, GVM_MEMORY, "there is not enough memory, or no thread, to read pictures with");
    free(r.pixels);
    free(r.slots);
    return status;
}
