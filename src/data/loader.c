/* loader.c - see loader.h. A ring of batches, prepared pair by pair. The worker that completes a batch replaces its bad
 * pairs, so that replacements depend only on the files. */
#include "data/loader.h"

#include "base/array.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "base/ring.h"
#include "data/drawn_place.h"
#include "data/sampler.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { RING = LOADER_RING, MAX_WORKERS = 64 };

/* An unreadable pair. */
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
    int *queries;               /* (B) */
    struct slot *slots;         /* (B) */
    uint8_t *street;            /* (B, picture_bytes), or (2 B, picture_bytes) with views */
    uint8_t *aerial;            /* (2 B, H, W, 3), or (B, H, W, 3), or (B, pictures, H, W, 3) */
    struct drawn_place *places; /* (B) position and bearing of the aerial pictures; NULL without rasters */
    uint8_t *allowed;           /* (B, B); NULL without rasters */
    struct slot failure;        /* why the batch could not be filled */
    struct bad_pair *bad;       /* replaced pairs, including bad replacements */
    size_t bad_count;
};

/* A worker's buffers for pictures that are not in the cache. */
struct room {
    uint8_t *street, *aerial;
};

struct loader {
    struct pictures pictures;
    const struct split *split;
    struct loader_options options;
    size_t street_bytes, aerial_bytes;

    struct ring *ring;
    struct prepared batches[RING]; /* batch n is batches[n % RING] */
    struct room rooms[MAX_WORKERS];
    uint64_t opened; /* number of batches whose queries are chosen */
    bool delivered;  /* the caller holds a batch, which the next loader_next releases */

    int *order;       /* (query_count) of the epoch of the next batch to open */
    uint64_t epoch;   /* of the next batch to open */
    int index, count; /* index of that batch, and number of batches of the epoch */

    bool *named; /* (query_count) bad pairs already reported to the caller */
};

/* ------------------------------------------------------------------ one pair */

/* Prepare a query's photo and the aerial pictures of its drawn place. */
static gvm_status prepare_place(const struct loader *l, struct prepared *to, int b, int query, gvm_error *err)
{
    const struct pictures *p = &l->pictures;
    const struct loader_options *o = &l->options;
    const struct query *q = &l->split->queries[query];
    const struct tile *cell = &l->split->tiles[q->tile];
    const int sizes[4] = {p->street.height, p->street.width, p->aerial.height, p->aerial.width};
    uint8_t *street = to->street + (size_t)b * l->street_bytes, *aerial = to->aerial + (size_t)b * l->aerial_bytes;
    struct drawn_place *place = &to->places[b];
    const uint8_t *pixels;
    *place = (struct drawn_place){cell->lat, cell->lon, p->aerial.bearing};
    if (o->amounts.around > 0)
        *place = draw_place(q->lat, q->lon, o->amounts.around, o->seed, to->epoch, (uint64_t)query);
    gvm_status status = pictures_read(&pixels, street, p, l->split, GVM_STREET, query, err);
    if (status == GVM_OK) status = pictures_cut(aerial, p, place->lat, place->lon, place->bearing, err);
    if (status != GVM_OK) return status;
    if (pixels != street) memcpy(street, pixels, l->street_bytes);
    status =
        augment_place(street, aerial, sizes, p->aerial.zoom_count, &o->amounts, o->seed, to->epoch, (uint64_t)query);
    if (status == GVM_OK) return status;
    return fail(err, status, "%s: cannot augment it: out of memory", path_tail(q->path));
}

/* Make view b of panorama b, and turn the panorama by the error of its heading. copy: room for a panorama. */
static void prepare_view(const struct loader *l, struct prepared *to, int b, int query, uint8_t *copy)
{
    const struct loader_options *o = &l->options;
    const struct picture_shape *shape = &l->pictures.street;
    const struct training_draws draws = {
        .tolerance = o->tolerance, .seed = o->seed, .epoch = to->epoch, .epochs = o->views};
    const struct training_view view = training_view_draw(&draws, (uint64_t)query);
    uint8_t *panorama = to->street + (size_t)b * l->street_bytes;
    memcpy(copy, panorama, l->street_bytes);
    training_view_colours(copy, &draws, (uint64_t)query, o->amounts.street, shape);
    training_view_render(panorama + (size_t)o->batch * l->street_bytes, copy, &view, shape);
    panorama_turn(panorama, shape, training_view_turn(&draws, (uint64_t)query));
}

/* Read a pair's tile; of one whose inner part is used, a random part, so that cameras are off its centre. */
static gvm_status read_tile(const uint8_t **pixels, const struct loader *l, uint64_t epoch, int query, uint8_t *room,
                            gvm_error *err)
{
    const struct pictures *p = &l->pictures;
    const uint64_t stream = UINT64_C(0x706172) << 40 | epoch; /* "par" */
    int tile = l->split->queries[query].tile;
    if (p->whole.height == 0) return pictures_read(pixels, room, p, l->split, GVM_AERIAL, tile, err);
    double at[2];
    for (int k = 0; k < 2; k++)
        at[k] = (double)random_uniform(l->options.seed, stream, 2 * (uint64_t)query + (uint64_t)k);
    return pictures_read_part(pixels, room, p, l->split, tile, at, err);
}

/* Prepare pair `query` as number b of the batch. */
static gvm_status prepare(const struct loader *l, struct prepared *to, int b, int query, const struct room *room,
                          gvm_error *err)
{
    const struct pictures *p = &l->pictures;
    const struct query *q = &l->split->queries[query];
    const int sizes[4] = {p->street.height, p->street.width, p->aerial.height, p->aerial.width};
    const uint8_t *street, *aerial;
    if (p->cutters != NULL) return prepare_place(l, to, b, query, err);
    gvm_status status = pictures_read(&street, room->street, p, l->split, GVM_STREET, query, err);
    if (status == GVM_OK) status = read_tile(&aerial, l, to->epoch, query, room->aerial, err);
    if (status != GVM_OK) return status;
    uint8_t *strong = to->aerial + (size_t)b * l->aerial_bytes;
    uint8_t *weak = l->options.single ? NULL : strong + (size_t)l->options.batch * l->aerial_bytes;
    status = augment_pair(to->street + (size_t)b * l->street_bytes, strong, weak, street, aerial, sizes,
                          &l->options.amounts, l->options.seed, to->epoch, (uint64_t)query);
    if (status != GVM_OK) return fail(err, status, "%s: cannot augment it: out of memory", path_tail(q->path));
    size_t seen = l->street_bytes - seen_bytes(&p->street);
    if (p->street.masked)
        augment_seen(to->street + (size_t)b * l->street_bytes + seen, street + seen, sizes, &l->options.amounts,
                     l->options.seed, to->epoch, (uint64_t)query);
    if (l->options.views > 0) prepare_view(l, to, b, query, room->street);
    return GVM_OK;
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
    struct bad_pair *more = array_room(p->bad, (size_t)p->bad_count, sizeof *more);
    if (more == NULL) return false;
    p->bad = more;
    p->bad[p->bad_count++] = (struct bad_pair){query, slot->status, slot->err};
    return true;
}

/* The next query of the list, from `tried` steps after `first` on, that has no conflict with the batch; advances
 * *tried. None is left when it is back at the start. */
static int next_in_list(const struct loader *l, const struct prepared *p, int b, int first, int *tried)
{
    int N = l->split->query_count;
    while (++*tried < N)
        if (!in_conflict(l, p, b, (first + *tried) % N)) break;
    return (first + *tried) % N;
}

/* Replace bad pair b by the next good pair of the list. slot: in: its failure; out: the result. */
static void replace(const struct loader *l, struct prepared *p, int b, struct slot *slot, const struct room *room)
{
    int first = p->queries[b], query = first, tried = 0;
    while (slot->status != GVM_OK && slot->status != GVM_MEMORY) {
        if (!note_bad(p, query, slot)) {
            slot->status = fail(&slot->err, GVM_MEMORY, "cannot list the bad pictures: out of memory");
            return;
        }
        query = next_in_list(l, p, b, first, &tried);
        if (query == first) {
            gvm_error why = slot->err;
            slot->status =
                fail(&slot->err, GVM_IMAGE, "no pair is left to replace one that cannot be read (%s)", why.text);
            return;
        }
        slot->status = prepare(l, p, b, query, room, &slot->err);
    }
    if (slot->status == GVM_OK) p->queries[b] = query;
}

static gvm_status read_pair(void *user, int worker, size_t item, gvm_error *err)
{
    struct loader *l = user;
    size_t B = (size_t)l->options.batch;
    struct prepared *p = &l->batches[item / B % RING];
    struct slot *slot = &p->slots[item % B];
    if (p->failure.status != GVM_OK) return fail(err, p->failure.status, "%s", p->failure.err.text);
    int b = (int)(item % B);
    slot->status = prepare(l, p, b, p->queries[b], &l->rooms[worker], &slot->err);
    if (slot->status == GVM_OK || (l->options.skip_bad && slot->status != GVM_MEMORY)) return GVM_OK;
    return fail(err, slot->status, "%s", slot->err.text);
}

static gvm_status replace_bad(void *user, int worker, size_t first, size_t count, gvm_error *err)
{
    struct loader *l = user;
    struct prepared *p = &l->batches[first / count % RING];
    for (size_t b = 0; b < count; b++) {
        struct slot *slot = &p->slots[b];
        if (slot->status != GVM_OK) replace(l, p, (int)b, slot, &l->rooms[worker]);
        if (slot->status != GVM_OK) return fail(err, slot->status, "%s", slot->err.text);
    }
    return GVM_OK;
}

/* ------------------------------------------------------------------ batches */

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
        status = fail(err, GVM_ARGUMENT,
                      "%d street pictures on %d tiles do not fill one batch of size %d with different places",
                      l->split->query_count, l->split->tile_count, o->batch);
    return status;
}

/* Choose the queries of the next batch, or record why there are none. */
static void open_batch(struct loader *l)
{
    struct prepared *p = &l->batches[l->opened++ % RING];
    size_t B = (size_t)l->options.batch;
    p->bad_count = 0;
    if (l->index >= l->count) p->failure.status = begin_epoch(l, l->epoch + 1, &p->failure.err);
    p->epoch = l->epoch;
    p->index = l->index++;
    p->count = l->count;
    if (p->failure.status == GVM_OK) memcpy(p->queries, l->order + (size_t)p->index * B, sizeof(int) * B);
}

static bool allocate(struct loader *l)
{
    size_t B = (size_t)l->options.batch;
    for (int i = 0; i < RING; i++) {
        struct prepared *p = &l->batches[i];
        p->queries = calloc(B, sizeof *p->queries);
        p->slots = calloc(B, sizeof *p->slots);
        p->street = malloc((l->options.views > 0 ? 2 : 1) * B * l->street_bytes);
        p->aerial = malloc((l->options.single ? 1 : 2) * B * l->aerial_bytes);
        if (p->queries == NULL || p->slots == NULL || p->street == NULL || p->aerial == NULL) return false;
        if (l->pictures.cutters == NULL) continue;
        p->places = malloc(B * sizeof *p->places);
        p->allowed = malloc(B * B);
        if (p->places == NULL || p->allowed == NULL) return false;
    }
    for (int i = 0; i < l->options.workers && l->pictures.cutters == NULL; i++) {
        l->rooms[i] = (struct room){malloc(l->street_bytes), malloc(l->aerial_bytes)};
        if (l->rooms[i].street == NULL || l->rooms[i].aerial == NULL) return false;
    }
    l->order = calloc((size_t)l->split->query_count + 1, sizeof *l->order);
    l->named = calloc((size_t)l->split->query_count + 1, sizeof *l->named);
    return l->order != NULL && l->named != NULL;
}

gvm_status loader_open(struct loader **loader, const struct pictures *p, const struct split *split,
                       const struct loader_options *options, gvm_error *err)
{
    assert(options->batch >= 1 && options->workers >= 1 && options->workers <= MAX_WORKERS && options->first >= 0);
    assert(p->cutters == NULL || (options->single && options->views == 0));
    *loader = NULL;
    struct loader *l = calloc(1, sizeof *l);
    if (l == NULL) return fail(err, GVM_MEMORY, "cannot read pictures: out of memory");
    l->pictures = *p;
    l->split = split;
    l->options = *options;
    l->street_bytes = picture_bytes(&p->street);
    l->aerial_bytes = picture_bytes(&p->aerial);
    bool room = allocate(l);
    gvm_status status = room ? begin_epoch(l, options->epoch, err) : GVM_OK;
    l->index = options->first;
    if (room && status == GVM_OK) {
        while (l->opened < RING) open_batch(l);
        l->ring = ring_open(&(struct ring_work){.items = SIZE_MAX,
                                                .group = (size_t)options->batch,
                                                .groups = RING,
                                                .workers = options->workers,
                                                .user = l,
                                                .work = read_pair,
                                                .finish = options->skip_bad ? replace_bad : NULL});
    }
    if (status == GVM_OK && l->ring == NULL)
        status = fail(err, GVM_MEMORY, "out of memory for batches of %d pairs", options->batch);
    if (status == GVM_OK)
        *loader = l;
    else
        loader_free(l);
    return status;
}

gvm_status loader_next(struct loader *l, struct batch *batch, gvm_error *err)
{
    size_t first, count;
    double start = clock_seconds();
    *batch = (struct batch){0};
    if (l->delivered) open_batch(l); /* reuses the batch that the caller has finished with */
    gvm_status status = ring_next(l->ring, &first, &count, err);
    l->delivered = status == GVM_OK;
    if (status != GVM_OK) return status;
    const struct prepared *p = &l->batches[first / count % RING];
    for (size_t i = 0; i < p->bad_count; i++) {
        const struct bad_pair *bad = &p->bad[i];
        if (l->named[bad->query]) continue;
        l->named[bad->query] = true;
        if (l->options.bad != NULL) l->options.bad(l->options.user, bad->query, bad->status, &bad->err);
    }
    if (p->allowed != NULL) places_allowed(p->allowed, l->split, p->queries, p->places, l->options.batch);
    *batch = (struct batch){p->street, p->aerial, p->allowed, p->queries,
                            p->epoch,  p->index,  p->count,   clock_seconds() - start};
    return GVM_OK;
}

void loader_free(struct loader *l)
{
    if (l == NULL) return;
    ring_free(l->ring);
    for (int i = 0; i < RING; i++) {
        struct prepared *p = &l->batches[i];
        free(p->queries);
        free(p->slots);
        free(p->street);
        free(p->aerial);
        free(p->places);
        free(p->allowed);
        free(p->bad);
    }
    for (int i = 0; i < MAX_WORKERS; i++) {
        free(l->rooms[i].street);
        free(l->rooms[i].aerial);
    }
    free(l->order);
    free(l->named);
    free(l);
}
