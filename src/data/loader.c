/* loader.c - see loader.h. A ring of batches: one with the caller, the others ready or being filled. Workers take one
 * pair of the batch at work after the other; the last to finish looks for replacements, pair by pair, so that what
 * stands for a bad one depends on nothing but the files. */
#include "data/loader.h"

#include "base/error.h"
#include "base/file.h"
#include "data/sampler.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RING = LOADER_RING, MAX_WORKERS = 64 };

/* A pair that could not be read. */
struct bad_pair {
    int query;
    gvm_status status;
    gvm_error err;
};

struct slot {
    gvm_status status;
    gvm_error err;
};

/* A batch in the ring. */
struct prepared {
    uint64_t epoch;
    int index, count;
    int *queries;        /* (B) */
    struct slot *slots;  /* (B) */
    uint8_t *street;     /* (B, H, W, 3) */
    uint8_t *aerial;     /* (2 B, H, W, 3), or (B, H, W, 3) */
    int taken, finished; /* pairs */
    bool ready;
    struct slot failure;  /* why it is no batch */
    struct bad_pair *bad; /* replaced pairs, those met on the way included */
    int bad_count;
};

struct loader {
    struct pictures pictures;
    const struct split *split;
    struct loader_options options;
    size_t street_bytes, aerial_bytes;

    pthread_t workers[MAX_WORKERS];
    int worker_count;
    pthread_mutex_t lock;
    pthread_cond_t work, filled;
    bool stopping;

    struct prepared ring[RING]; /* batch n is ring[n % RING] */
    uint64_t opened;            /* batches begun so far */
    uint64_t released;          /* batches that the caller is through with */
    uint64_t delivered;         /* batches that loader_next gave */

    int *order;       /* (query_count) of the epoch at work */
    uint64_t epoch;   /* it, */
    int index, count; /* its next batch, and how many it has */

    struct slot failure; /* what loader_next fails with from now on */
    bool *named;         /* (query_count) pairs that the caller knows to be bad */
    int named_count;
};

/* ------------------------------------------------------------------ one pair */

/* Where a worker reads pictures that are not in the cache. */
struct room {
    uint8_t *street, *aerial;
};

/* Pair `query` to place b of the batch. */
static gvm_status prepare(const struct loader *l, struct prepared *to, int b, int query, const struct room *room,
                          gvm_error *err)
{
    const struct pictures *p = &l->pictures;
    const struct query *q = &l->split->queries[query];
    const int sizes[4] = {p->street.height, p->street.width, p->aerial.height, p->aerial.width};
    const uint8_t *street, *aerial;
    gvm_status status = pictures_street(&street, room->street, p, l->split, query, err);
    if (status == GVM_OK) status = pictures_aerial(&aerial, room->aerial, p, l->split, q->tile, err);
    if (status != GVM_OK) return status;
    uint8_t *strong = to->aerial + (size_t)b * l->aerial_bytes;
    uint8_t *weak = l->options.single ? NULL : strong + (size_t)l->options.batch * l->aerial_bytes;
    status = augment_pair(to->street + (size_t)b * l->street_bytes, strong, weak, street, aerial, sizes,
                          &l->options.amounts, l->options.seed, to->epoch, (uint64_t)query);
    if (status == GVM_OK) return status;
    return fail(err, status, "%s: there is not enough memory to augment it", path_tail(q->path));
}

static bool in_conflict(const struct loader *l, const struct prepared *p, int b, int query)
{
    const struct query *queries = l->split->queries;
    for (int i = 0; i < l->options.batch; i++)
        if (i != b && sampler_conflict(&queries[query], &queries[p->queries[i]])) return true;
    return false;
}

static bool note_bad(struct prepared *p, int query, const struct slot *slot)
{
    struct bad_pair *more = realloc(p->bad, ((size_t)p->bad_count + 1) * sizeof *more);
    if (more == NULL) return false;
    p->bad = more;
    p->bad[p->bad_count++] = (struct bad_pair){query, slot->status, slot->err};
    return true;
}

/* The first query behind the one `tried` steps from `first` in the list that is in no conflict with the batch; counts
 * the steps. Back at the start: none is left. */
static int next_in_list(const struct loader *l, const struct prepared *p, int b, int first, int *tried)
{
    int N = l->split->query_count;
    while (++*tried < N)
        if (!in_conflict(l, p, b, (first + *tried) % N)) break;
    return (first + *tried) % N;
}

/* Put the next good pair of the list in the place of b's, which is bad. slot: its failure, then the outcome. */
static void replace(const struct loader *l, struct prepared *p, int b, struct slot *slot, const struct room *room)
{
    int first = p->queries[b], query = first, tried = 0;
    while (slot->status != GVM_OK && slot->status != GVM_MEMORY) {
        if (!note_bad(p, query, slot)) {
            slot->status = fail(&slot->err, GVM_MEMORY, "there is not enough memory to list the bad pictures");
            return;
        }
        query = next_in_list(l, p, b, first, &tried);
        if (query == first) {
            gvm_error why = slot->err;
            slot->status =
                fail(&slot->err, GVM_IMAGE, "no pair is left to stand for one that cannot be read (%s)", why.text);
            return;
        }
        slot->status = prepare(l, p, b, query, room, &slot->err);
    }
    if (slot->status == GVM_OK) p->queries[b] = query;
}

static void replace_bad(const struct loader *l, struct prepared *p, const struct room *room)
{
    for (int b = 0; b < l->options.batch && p->failure.status == GVM_OK; b++) {
        struct slot *slot = &p->slots[b];
        if (slot->status == GVM_OK) continue;
        if (l->options.skip_bad && slot->status != GVM_MEMORY) replace(l, p, b, slot, room);
        if (slot->status != GVM_OK) p->failure = *slot;
    }
}

/* ------------------------------------------------------------------ the ring */

static gvm_status begin_epoch(struct loader *l, uint64_t epoch, gvm_error *err)
{
    const struct loader_options *o = &l->options;
    l->epoch = epoch;
    l->index = 0;
    gvm_status status = GVM_OK;
    if (o->batches > 0)
        memcpy(l->order, o->sequence, (size_t)(l->count = o->batches) * (size_t)o->batch * sizeof *l->order);
    else if (o->sequence)
        status = sampler_fill(l->order, &l->count, l->split, o->batch, o->sequence, err);
    else
        status = sampler_epoch(l->order, &l->count, l->split, o->batch, o->shuffle, o->cluster_m, o->seed, epoch, err);
    if (status == GVM_OK && l->count == 0)
        status = fail(err, GVM_ARGUMENT, "%d street pictures on %d tiles do not fill one batch of %d different places",
                      l->split->query_count, l->split->tile_count, o->batch);
    return status;
}

/* Under the lock: the next batch of the ring gets its queries. */
static void open_batch(struct loader *l)
{
    struct prepared *p = &l->ring[l->opened++ % RING];
    p->taken = p->finished = p->bad_count = 0;
    p->ready = false;
    p->failure.status = GVM_OK;
    if (l->index >= l->count) p->failure.status = begin_epoch(l, l->epoch + 1, &p->failure.err);
    p->epoch = l->epoch;
    p->index = l->index++;
    p->count = l->count;
    if (p->failure.status == GVM_OK) {
        memcpy(p->queries, l->order + (size_t)p->index * (size_t)l->options.batch,
               sizeof(int) * (size_t)l->options.batch);
    } else {
        p->taken = l->options.batch;
        p->ready = true;
        pthread_cond_signal(&l->filled);
    }
}

/* Under the lock: the batch that has a pair to take, opened if there is room; NULL where there is nothing to do yet. */
static struct prepared *find_work(struct loader *l)
{
    if (l->opened == 0 || l->ring[(l->opened - 1) % RING].taken == l->options.batch) {
        if (l->opened >= l->released + RING) return NULL;
        open_batch(l);
    }
    struct prepared *p = &l->ring[(l->opened - 1) % RING];
    return p->taken < l->options.batch ? p : NULL;
}

static void work_on(struct loader *l, struct prepared *p, const struct room *room)
{
    int b = p->taken++;
    pthread_mutex_unlock(&l->lock);
    p->slots[b].status = prepare(l, p, b, p->queries[b], room, &p->slots[b].err);
    pthread_mutex_lock(&l->lock);
    if (++p->finished < l->options.batch) return;
    pthread_mutex_unlock(&l->lock);
    replace_bad(l, p, room); /* no one else touches the batch now */
    pthread_mutex_lock(&l->lock);
    p->ready = true;
    pthread_cond_signal(&l->filled);
}

static void *run_worker(void *argument)
{
    struct loader *l = argument;
    struct room room = {malloc(l->street_bytes), malloc(l->aerial_bytes)};
    pthread_mutex_lock(&l->lock);
    if (room.street == NULL || room.aerial == NULL) {
        l->failure.status = fail(&l->failure.err, GVM_MEMORY, "there is not enough memory to read pictures with");
        pthread_cond_signal(&l->filled);
    }
    while (!l->stopping && l->failure.status == GVM_OK) {
        struct prepared *p = find_work(l);
        if (p != NULL)
            work_on(l, p, &room);
        else
            pthread_cond_wait(&l->work, &l->lock);
    }
    pthread_mutex_unlock(&l->lock);
    free(room.street);
    free(room.aerial);
    return NULL;
}

/* ------------------------------------------------------------------ the caller's side */

static bool allocate(struct loader *l)
{
    size_t B = (size_t)l->options.batch;
    for (int i = 0; i < RING; i++) {
        struct prepared *p = &l->ring[i];
        p->queries = calloc(B, sizeof *p->queries);
        p->slots = calloc(B, sizeof *p->slots);
        p->street = malloc(B * l->street_bytes);
        p->aerial = malloc((l->options.single ? 1 : 2) * B * l->aerial_bytes);
        if (p->queries == NULL || p->slots == NULL || p->street == NULL || p->aerial == NULL) return false;
    }
    l->order = calloc((size_t)l->split->query_count + 1, sizeof *l->order);
    l->named = calloc((size_t)l->split->query_count + 1, sizeof *l->named);
    return l->order != NULL && l->named != NULL;
}

/* Signals are for the caller's threads. */
static int start_workers(struct loader *l)
{
    int wanted = l->options.workers < MAX_WORKERS ? l->options.workers : MAX_WORKERS;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    while (l->worker_count < wanted && pthread_create(&l->workers[l->worker_count], NULL, run_worker, l) == 0)
        l->worker_count++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return l->worker_count;
}

gvm_status loader_open(struct loader **loader, const struct pictures *p, const struct split *split,
                       const struct loader_options *options, gvm_error *err)
{
    assert(options->batch >= 1 && options->workers >= 1 && options->first >= 0);
    *loader = NULL;
    struct loader *l = calloc(1, sizeof *l);
    if (l == NULL) return fail(err, GVM_MEMORY, "there is not enough memory to read pictures with");
    l->pictures = *p;
    l->split = split;
    l->options = *options;
    l->street_bytes = picture_bytes(&p->street);
    l->aerial_bytes = picture_bytes(&p->aerial);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->work, NULL);
    pthread_cond_init(&l->filled, NULL);
    gvm_status status = GVM_OK;
    if (!allocate(l))
        status = fail(err, GVM_MEMORY, "there is not enough memory for batches of %d pairs", options->batch);
    else
        status = begin_epoch(l, options->epoch, err);
    l->index = options->first;
    if (status == GVM_OK && start_workers(l) == 0)
        status = fail(err, GVM_MEMORY, "there is no thread to read pictures with");
    if (status == GVM_OK)
        *loader = l;
    else
        loader_free(l);
    return status;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Under the lock. */
static void wait_ready(struct loader *l, const struct prepared *p, uint64_t number)
{
    while (l->failure.status == GVM_OK && (l->opened <= number || !p->ready)) pthread_cond_wait(&l->filled, &l->lock);
    if (l->failure.status == GVM_OK) l->failure = p->failure;
}

gvm_status loader_next(struct loader *l, struct batch *batch, gvm_error *err)
{
    uint64_t number = l->delivered;
    struct prepared *p = &l->ring[number % RING];
    double start = seconds();
    *batch = (struct batch){0};
    pthread_mutex_lock(&l->lock);
    l->released = number;
    pthread_cond_broadcast(&l->work);
    wait_ready(l, p, number);
    struct slot failure = l->failure;
    pthread_mutex_unlock(&l->lock);
    if (failure.status != GVM_OK) {
        if (err != NULL) *err = failure.err;
        return failure.status;
    }
    l->delivered++;
    for (int i = 0; i < p->bad_count; i++) {
        const struct bad_pair *bad = &p->bad[i];
        if (l->named[bad->query]) continue;
        l->named[bad->query] = true;
        l->named_count++;
        if (l->options.bad != NULL) l->options.bad(l->options.user, bad->query, bad->status, &bad->err);
    }
    *batch = (struct batch){p->street, p->aerial, p->queries, p->epoch, p->index, p->count, seconds() - start};
    return GVM_OK;
}

int loader_bad_count(const struct loader *loader)
{
    return loader->named_count;
}

void loader_free(struct loader *l)
{
    if (l == NULL) return;
    pthread_mutex_lock(&l->lock);
    l->stopping = true;
    pthread_cond_broadcast(&l->work);
    pthread_mutex_unlock(&l->lock);
    for (int i = 0; i < l->worker_count; i++) pthread_join(l->workers[i], NULL);
    pthread_mutex_destroy(&l->lock);
    pthread_cond_destroy(&l->work);
    pthread_cond_destroy(&l->filled);
    for (int i = 0; i < RING; i++) {
        struct prepared *p = &l->ring[i];
        free(p->queries);
        free(p->slots);
        free(p->street);
        free(p->aerial);
        free(p->bad);
    }
    free(l->order);
    free(l->named);
    free(l);
}
