/* embed_files.c - picture files made into features: some threads read ahead into a ring of pictures, the calling
 * thread runs the network on each batch as soon as it is there.
 *
 * Which pictures form a batch depends on nothing but their order, and the good ones of a batch are moved together
 * before it runs, so the features do not depend on which file was read first. */
#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "model/session.h"

enum { MAX_READERS = 16 }; /* image.c bounds the memory of their pictures together */

struct slot {
    bool ready;
    gvm_status status;
    gvm_error err;
};

struct ring {
    const gvm_model *model;
    gvm_view view;
    const char *const *paths;
    const double *headings;
    size_t n;

    size_t size;           /* slots; file i goes to slot i % size */
    struct slot *slots;    /* (size) */
    unsigned char *pixels; /* (size, H, W, 3) */

    pthread_mutex_t lock;
    pthread_cond_t filled, freed;
    size_t next; /* the file that the next reader takes */
    size_t done; /* files before this one have left their slots */
};

static void *read_pictures(void *argument)
{
    struct ring *r = argument;
    pthread_mutex_lock(&r->lock);
    while (r->next < r->n) {
        if (r->next >= r->done + r->size) {
            pthread_cond_wait(&r->freed, &r->lock);
            continue;
        }
        size_t i = r->next++, at = i % r->size;
        pthread_mutex_unlock(&r->lock);
        const double *heading = r->headings != NULL && !isnan(r->headings[i]) ? &r->headings[i] : NULL;
        struct slot *slot = &r->slots[at];
        slot->status = gvm_load_picture(r->model, r->view, r->pixels + at * view_bytes(r->model, r->view), r->paths[i],
                                        heading, &slot->err);
        pthread_mutex_lock(&r->lock);
        slot->ready = true;
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

static void release(struct ring *r, size_t from, size_t count)
{
    pthread_mutex_lock(&r->lock);
    for (size_t i = from; i < from + count; i++) r->slots[i % r->size].ready = false;
    r->done = from + count;
    pthread_cond_broadcast(&r->freed);
    pthread_mutex_unlock(&r->lock);
}

/* Files from..from+count-1, which lie in slots one behind the other. */
static void embed_batch(gvm_session *session, struct ring *r, float *features, size_t from, size_t count)
{
    size_t D = (size_t)session->model->info.features, bytes = view_bytes(r->model, r->view), good = 0;
    struct slot *slots = r->slots + from % r->size;
    unsigned char *pixels = r->pixels + from % r->size * bytes;
    assert(from % r->size + count <= r->size);
    for (size_t i = 0; i < count; i++) {
        if (slots[i].status != GVM_OK) continue;
        if (i > good) memcpy(pixels + good * bytes, pixels + i * bytes, bytes);
        good++;
    }
    bool ran = good == 0 || session_embed(session, r->view, features, pixels, (int)good);
    for (size_t i = count; i-- > 0;) { /* each row to its place, from the last */
        float *row = features + i * D;
        if (slots[i].status != GVM_OK) {
            memset(row, 0, D * sizeof *row);
            continue;
        }
        if (--good < i) memcpy(row, features + good * D, D * sizeof *row);
        if (ran && is_feature(row, D)) continue;
        memset(row, 0, D * sizeof *row);
        const char *where = path_tail(r->paths[from + i]);
        slots[i].status =
            !ran ? fail(&slots[i].err, GVM_MEMORY, "%s: there is not enough memory to run the network on it", where)
                 : fail(&slots[i].err, GVM_FORMAT, "%s: the weights make of it no feature of length 1: they are broken",
                        where);
    }
}

static gvm_status embed_all(gvm_session *session, struct ring *r, float *features, gvm_file_done *done, void *user,
                            gvm_error *err)
{
    gvm_status first = GVM_OK;
    size_t D = (size_t)session->model->info.features, most = (size_t)session->max_batch;
    for (size_t from = 0; from < r->n; from += most) {
        size_t count = r->n - from < most ? r->n - from : most;
        wait_filled(r, from, count);
        embed_batch(session, r, features + from * D, from, count);
        for (size_t i = from; i < from + count; i++) {
            const struct slot *slot = &r->slots[i % r->size];
            if (slot->status != GVM_OK && first == GVM_OK) {
                first = slot->status;
                if (err != NULL) *err = slot->err;
            }
            if (done != NULL) done(user, i, r->n, slot->status, &slot->err);
        }
        release(r, from, count);
    }
    return first;
}

gvm_status gvm_embed_files(gvm_session *session, gvm_view view, float *features, const char *const *paths,
                           const double *headings, size_t n, gvm_file_done *done, void *user, gvm_error *err)
{
    clear_error(err);
    gvm_status status = check_view(view, err);
    if (status != GVM_OK || n == 0) return status;
    struct ring r = {.model = session->model, .view = view, .paths = paths, .headings = headings, .n = n};
    r.size = 2 * (size_t)session->max_batch; /* one batch in the network, one being read */
    if (r.size > n) r.size = n;
    r.slots = calloc(r.size, sizeof *r.slots);
    r.pixels = malloc(r.size * view_bytes(r.model, view));
    pthread_t readers[MAX_READERS];
    int count = 0, wanted = parallel_threads();
    if (wanted > MAX_READERS) wanted = MAX_READERS;
    if (r.slots != NULL && r.pixels != NULL) {
        pthread_mutex_init(&r.lock, NULL);
        pthread_cond_init(&r.filled, NULL);
        pthread_cond_init(&r.freed, NULL);
        while (count < wanted && (size_t)count < n && pthread_create(&readers[count], NULL, read_pictures, &r) == 0)
            count++;
        if (count > 0) status = embed_all(session, &r, features, done, user, err);
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
