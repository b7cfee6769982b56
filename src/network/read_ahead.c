/* read_ahead.c - see read_ahead.h. A ring of two batches: one is being processed, one is being read. */
#include "network/read_ahead.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/parallel.h"
#include "base/ring.h"

enum { MAX_READERS = 16 }; /* image.c bounds the total memory of their pictures */

struct reading {
    const struct read_ahead *work;
    size_t size;           /* slots: two batches */
    struct slot *slots;    /* (size) */
    unsigned char *pixels; /* (size, bytes) */
};

static gvm_status read_picture(void *user, int worker, size_t i, gvm_error *err)
{
    const struct reading *r = user;
    size_t at = i % r->size;
    (void)worker, (void)err; /* each slot has an error of its own */
    r->work->load(r->work->user, i, r->pixels + at * r->work->bytes, &r->slots[at]);
    return GVM_OK;
}

gvm_status read_ahead(const struct read_ahead *work, gvm_error *err)
{
    struct reading r = {.work = work, .size = 2 * work->batch};
    size_t places = r.size < work->n ? r.size : work->n, first, count;
    int readers = parallel_threads() < MAX_READERS ? parallel_threads() : MAX_READERS;
    if (work->n == 0) return GVM_OK;
    r.slots = calloc(places, sizeof *r.slots);
    r.pixels = malloc(places * work->bytes);
    struct ring *ring = r.slots == NULL || r.pixels == NULL ? NULL
                                                            : ring_open(&(struct ring_work){.items = work->n,
                                                                                            .group = work->batch,
                                                                                            .groups = 2,
                                                                                            .workers = readers,
                                                                                            .user = &r,
                                                                                            .work = read_picture});
    gvm_status status = GVM_OK;
    if (ring == NULL) status = fail(err, GVM_MEMORY, "cannot read pictures: out of memory");
    while (status == GVM_OK && (status = ring_next(ring, &first, &count, err)) == GVM_OK && count > 0) {
        size_t at = first % r.size;
        status = work->take(work->user, first, count, r.slots + at, r.pixels + at * work->bytes, err);
    }
    ring_free(ring);
    free(r.pixels);
    free(r.slots);
    return status;
}
