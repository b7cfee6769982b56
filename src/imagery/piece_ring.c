/* piece_ring.c - threads that cut pieces of imagery ahead: see imagery.h. */
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/parallel.h"
#include "base/ring.h"
#include "imagery/imagery.h"
#include "network/session.h"

enum { MAX_CUTTERS = 16 };

struct piece_ring {
    const struct imagery *imagery;
    size_t first, size;     /* piece; places */
    struct piece *pieces;   /* (size) */
    struct cut_tile *tiles; /* (size, places in a piece) */
    uint8_t *pixels;        /* (size, places in a piece, H, W, 3) */
    struct cutter cutters[MAX_CUTTERS];
    struct ring *ring;
};

static gvm_status cut(void *user, int worker, size_t i, gvm_error *err)
{
    struct piece_ring *r = user;
    (void)err; /* each piece has an error of its own */
    imagery_cut(&r->pieces[i % r->size], &r->cutters[worker], r->imagery, r->first + i);
    return GVM_OK;
}

const struct piece *piece_ring_next(struct piece_ring *r)
{
    size_t i, count;
    ring_next(r->ring, &i, &count, NULL);
    return count > 0 ? &r->pieces[i % r->size] : NULL;
}

static bool allocate(struct piece_ring *r, const gvm_model *model)
{
    size_t most = (size_t)imagery_piece_most(r->imagery), bytes = view_bytes(model, GVM_AERIAL);
    r->pieces = calloc(r->size, sizeof *r->pieces);
    r->tiles = calloc(r->size * most, sizeof *r->tiles);
    r->pixels = malloc(r->size * most * bytes);
    if (r->pieces == NULL || r->tiles == NULL || r->pixels == NULL) return false;
    for (size_t i = 0; i < r->size * most; i++) r->tiles[i].pixels = r->pixels + i * bytes;
    for (size_t i = 0; i < r->size; i++) r->pieces[i].tiles = r->tiles + i * most;
    return true;
}

/* One for each thread, as long as they take less than an eighth of the machine's memory together. */
static int count_cutters(const struct imagery *imagery, const gvm_model *model)
{
    int cutters = parallel_threads() < MAX_CUTTERS ? parallel_threads() : MAX_CUTTERS;
    double piece = (double)imagery_piece_most(imagery) * (double)view_bytes(model, GVM_AERIAL);
    double each = piece + (double)imagery_cut_bytes(imagery);
    double memory = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGE_SIZE) / 8;
    while (cutters > 1 && cutters * each > memory) cutters--;
    return cutters;
}

gvm_status piece_ring_open(struct piece_ring **ring, const struct imagery *imagery, const gvm_model *model,
                           size_t first, size_t ahead, gvm_error *err)
{
    struct piece_ring *r = calloc(1, sizeof *r);
    int cutters = count_cutters(imagery, model);
    if (r != NULL) {
        r->imagery = imagery;
        r->first = first;
        r->size = ahead / (size_t)imagery_piece_most(imagery) + (size_t)cutters + 1;
        struct ring_work work = {.items = imagery_pieces(imagery) - first,
                                 .group = 1,
                                 .groups = r->size,
                                 .workers = cutters,
                                 .user = r,
                                 .work = cut};
        if (allocate(r, model)) r->ring = ring_open(&work);
        if (r->ring == NULL) piece_ring_free(r), r = NULL;
    }
    *ring = r;
    return r != NULL ? GVM_OK : fail(err, GVM_MEMORY, "cannot cut tiles: out of memory");
}

void piece_ring_free(struct piece_ring *r)
{
    if (r == NULL) return;
    ring_free(r->ring);
    for (int i = 0; i < MAX_CUTTERS; i++) cutter_close(&r->cutters[i]);
    free(r->pieces);
    free(r->tiles);
    free(r->pixels);
    free(r);
}
