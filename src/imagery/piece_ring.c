/* piece_ring.c - see piece_ring.h. Piece i lies in slot i % size, whichever thread cut it. */
#include "imagery/piece_ring.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/parallel.h"
#include "network/session.h"

enum { MAX_CUTTERS = 16 };

struct slot {
    struct piece piece;
    bool ready;
};

struct piece_ring {
    const struct imagery *imagery;
    size_t size, pieces;
    struct slot *slots;     /* (size) */
    struct cut_tile *tiles; /* (size, places in a piece) */
    uint8_t *pixels;        /* (size, places in a piece, H, W, 3) */

    pthread_mutex_t lock;
    pthread_cond_t filled, freed;
    size_t next;  /* the piece that the next cutter takes */
    size_t taken; /* the one that is taken, or would be next */
    bool holding; /* it is with the caller */
    bool stop;
    pthread_t cutters[MAX_CUTTERS];
    int cutter_count;
};

static void *cut_pieces(void *argument)
{
    struct piece_ring *r = argument;
    struct cutter cutter = {.raster = NULL};
    pthread_mutex_lock(&r->lock);
    while (!r->stop && r->next < r->pieces) {
        if (r->next >= r->taken + r->size) {
            pthread_cond_wait(&r->freed, &r->lock);
            continue;
        }
        size_t i = r->next++;
        struct slot *slot = &r->slots[i % r->size];
        pthread_mutex_unlock(&r->lock);
        imagery_cut(&slot->piece, &cutter, r->imagery, i);
        pthread_mutex_lock(&r->lock);
        slot->ready = true;
        pthread_cond_signal(&r->filled);
    }
    pthread_mutex_unlock(&r->lock);
    cutter_close(&cutter);
    return NULL;
}

const struct piece *piece_ring_next(struct piece_ring *r)
{
    pthread_mutex_lock(&r->lock);
    if (r->holding) {
        r->slots[r->taken++ % r->size].ready = false;
        pthread_cond_broadcast(&r->freed);
    }
    struct slot *slot = &r->slots[r->taken % r->size];
    r->holding = r->taken < r->pieces;
    while (r->holding && !slot->ready) pthread_cond_wait(&r->filled, &r->lock);
    pthread_mutex_unlock(&r->lock);
    return r->holding ? &slot->piece : NULL;
}

static bool allocate(struct piece_ring *r, const gvm_model *model)
{
    size_t most = (size_t)imagery_piece_most(r->imagery), bytes = view_bytes(model, GVM_AERIAL);
    r->slots = calloc(r->size, sizeof *r->slots);
    r->tiles = calloc(r->size * most, sizeof *r->tiles);
    r->pixels = malloc(r->size * most * bytes);
    if (r->slots == NULL || r->tiles == NULL || r->pixels == NULL) return false;
    for (size_t i = 0; i < r->size * most; i++) r->tiles[i].pixels = r->pixels + i * bytes;
    for (size_t i = 0; i < r->size; i++) r->slots[i].piece.tiles = r->tiles + i * most;
    return true;
}

gvm_status piece_ring_open(struct piece_ring **ring, const struct imagery *imagery, const gvm_model *model,
                           size_t first, size_t ahead, gvm_error *err)
{
    *ring = NULL;
    struct piece_ring *r = calloc(1, sizeof *r);
    if (r == NULL) return fail(err, GVM_MEMORY, "there is not enough memory to cut tiles");
    int wanted = parallel_threads() < MAX_CUTTERS ? parallel_threads() : MAX_CUTTERS;
    r->imagery = imagery;
    r->pieces = imagery_pieces(imagery);
    r->next = r->taken = first;
    r->size = ahead / (size_t)imagery_piece_most(imagery) + (size_t)wanted + 1;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->filled, NULL);
    pthread_cond_init(&r->freed, NULL);
    if (allocate(r, model))
        while (r->cutter_count < wanted && pthread_create(&r->cutters[r->cutter_count], NULL, cut_pieces, r) == 0)
            r->cutter_count++;
    if (r->cutter_count == 0) {
        piece_ring_close(r);
        return fail(err, GVM_MEMORY, "there is not enough memory, or no thread, to cut tiles with");
    }
    *ring = r;
    return GVM_OK;
}

void piece_ring_close(struct piece_ring *r)
{
    if (r == NULL) return;
    pthread_mutex_lock(&r->lock);
    r->stop = true;
    pthread_cond_broadcast(&r->freed);
    pthread_mutex_unlock(&r->lock);
    for (int i = 0; i < r->cutter_count; i++) pthread_join(r->cutters[i], NULL);
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->filled);
    pthread_cond_destroy(&r->freed);
    free(r->slots);
    free(r->tiles);
    free(r->pixels);
    free(r);
}
