/* search.c - the tiles most similar to each query, by exact search.
 *
 * A product of matrices gives the cosines of some queries with all tiles, in float32 and so off by a rounding that
 * depends on how the product was cut. Tiles that come within that of the k-th best are therefore compared again in
 * double, in one fixed order: the answer depends neither on threads nor on instruction sets, and equal tiles tie. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/half.h"
#include "base/parallel.h"
#include "map/map.h"
#include "model/session.h"
#include "nn/gemm.h"

enum { MAX_SCORES = 1 << 24 /* float32 cosines in memory at once, unless the tiles are more */, TILE_BLOCK = 64 };

/* Above the error of a float32 product of two rows of length 1: 1e-6 where they are 9,216 long. */
static const float rounding = 1e-5f;

struct candidate {
    double score;
    size_t tile;
};

struct search {
    const gvm_map *map;
    const float *queries; /* (count, width), the ones of this turn */
    int count;
    float *scores;                /* (count, tiles) */
    gvm_hit *hits;                /* (count, stride) */
    int k, stride;                /* hits wanted, room for them */
    float *heaps;                 /* a thread: (k) */
    float *rows;                  /* a thread: (TILE_BLOCK, width) features, widened */
    struct candidate *candidates; /* a thread: (tiles) */
};

static const uint16_t *row_of(const gvm_map *map, size_t tile)
{
    return map->features + map->tiles.items[tile].row * (size_t)map->width;
}

static void score_part(void *argument, struct team team)
{
    const struct search *s = argument;
    int tiles = (int)s->map->tiles.count, D = s->map->width, from, to;
    float *rows = s->rows + (size_t)team.rank * TILE_BLOCK * (size_t)D;
    parallel_range(&from, &to, tiles, 16, team);
    for (int t = from; t < to; t += TILE_BLOCK) {
        int block = to - t < TILE_BLOCK ? to - t : TILE_BLOCK;
        for (int i = 0; i < block; i++)
            for (int k = 0; k < D; k++) rows[(size_t)i * D + k] = float_from_f16(row_of(s->map, (size_t)(t + i))[k]);
        gemm('N', 'T', s->count, block, D, s->queries, D, rows, D, 0, s->scores + t, tiles);
    }
}

/* The k-th largest of n scores, with a heap whose top is the smallest of the k largest so far. */
static float kth_largest(float *heap, int k, const float *scores, int n)
{
    int size = 0;
    for (int i = 0; i < n; i++) {
        float x = scores[i];
        int at;
        if (size < k) {
            for (at = size++; at > 0 && heap[(at - 1) / 2] > x; at = (at - 1) / 2) heap[at] = heap[(at - 1) / 2];
        } else {
            if (!(x > heap[0])) continue;
            for (at = 0; 2 * at + 1 < size;) {
                int child = 2 * at + 1;
                if (child + 1 < size && heap[child + 1] < heap[child]) child++;
                if (heap[child] >= x) break;
                heap[at] = heap[child];
                at = child;
            }
        }
        heap[at] = x;
    }
    return heap[0];
}

static double dot(const float *x, const uint16_t *y, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (double)x[i] * float_from_f16(y[i]);
    return sum;
}

/* Best first; of equals the one that stands first in the list. */
static int compare(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    return (x->tile > y->tile) - (x->tile < y->tile);
}

static gvm_hit hit_of(const gvm_map *map, const struct candidate *c)
{
    const struct tile *tile = &map->tiles.items[c->tile];
    double side = tile->metres > 0 ? tile->metres : map->ground_m;
    double score = fmax(-1, fmin(1, c->score)); /* rows of length 1 give 1 + 1e-7 */
    return (gvm_hit){.lat = tile->lat, .lon = tile->lon, .radius_m = side / 2, .score = score, .tile = tile->image};
}

static void pick_part(void *argument, struct team team)
{
    const struct search *s = argument;
    int tiles = (int)s->map->tiles.count, D = s->map->width, from, to;
    struct candidate *candidates = s->candidates + (size_t)team.rank * tiles;
    parallel_range(&from, &to, s->count, 1, team);
    for (int q = from; q < to; q++) {
        const float *scores = s->scores + (size_t)q * tiles, *query = s->queries + (size_t)q * D;
        float least = kth_largest(s->heaps + (size_t)team.rank * s->k, s->k, scores, tiles) - rounding;
        size_t count = 0;
        for (int t = 0; t < tiles; t++) {
            if (scores[t] < least) continue;
            candidates[count++] = (struct candidate){dot(query, row_of(s->map, (size_t)t), D), (size_t)t};
        }
        qsort(candidates, count, sizeof *candidates, compare);
        for (int i = 0; i < s->k; i++) s->hits[(size_t)q * s->stride + i] = hit_of(s->map, &candidates[i]);
    }
}

gvm_status gvm_map_search(const gvm_map *map, const gvm_model *model, gvm_hit *hits, int max_hits, int *count,
                          const float *features, size_t n, gvm_error *err)
{
    clear_error(err);
    *count = 0;
    size_t tiles = map->tiles.count, D = (size_t)map->width;
    if (max_hits < 1) return fail(err, GVM_ARGUMENT, "%d hits are asked for, at least 1 must be", max_hits);
    if (strcmp(map->fingerprint, model->info.fingerprint) != 0)
        return fail(err, GVM_MISMATCH, "the map was made with other weights (fingerprint %s) than these (%s)",
                    map->fingerprint, model->info.fingerprint);
    for (size_t i = 0; i < n; i++)
        if (!is_feature(features + i * D, D))
            return fail(err, GVM_ARGUMENT, "row %zu of the features has not the length 1", i);

    threads_hold(); /* each has its part of this memory */
    size_t most = MAX_SCORES / tiles, threads = (size_t)parallel_threads();
    if (most < 1) most = 1;
    if (most > n) most = n;
    struct search s = {.map = map, .stride = max_hits, .k = (size_t)max_hits < tiles ? max_hits : (int)tiles};
    s.scores = malloc((most * tiles + 1) * sizeof *s.scores);
    s.heaps = malloc(threads * (size_t)s.k * sizeof *s.heaps);
    s.rows = malloc(threads * TILE_BLOCK * D * sizeof *s.rows);
    s.candidates = malloc(threads * tiles * sizeof *s.candidates);
    gvm_status status = GVM_OK;
    unsigned failures = gemm_failures();
    if (s.scores == NULL || s.heaps == NULL || s.rows == NULL || s.candidates == NULL)
        status = fail(err, GVM_MEMORY, "there is not enough memory to search %zu tiles", tiles);
    for (size_t i = 0; i < n && status == GVM_OK; i += most) {
        s.queries = features + i * D;
        s.count = (int)(n - i < most ? n - i : most);
        s.hits = hits + i * (size_t)max_hits;
        parallel_run(score_part, &s);
        parallel_run(pick_part, &s);
    }
    threads_release();
    if (status == GVM_OK && gemm_failures() != failures)
        status = fail(err, GVM_MEMORY, "there is not enough memory to compare with %zu tiles", tiles);
    if (status == GVM_OK) *count = s.k;
    free(s.scores);
    free(s.heaps);
    free(s.rows);
    free(s.candidates);
    return status;
}

gvm_status gvm_locate(gvm_session *session, const gvm_map *map, const char *photo, const double *heading, gvm_hit *hits,
                      int max_hits, int *count, gvm_error *err)
{
    clear_error(err);
    *count = 0;
    const gvm_model *model = session->model;
    unsigned char *pixels = malloc(view_bytes(model, GVM_STREET));
    float *features = malloc((size_t)model->info.features * sizeof *features);
    gvm_status status;
    if (pixels == NULL || features == NULL)
        status = fail(err, GVM_MEMORY, "%s: there is not enough memory to locate it", path_tail(photo));
    else
        status = gvm_load_picture(model, GVM_STREET, pixels, photo, heading, err);
    if (status == GVM_OK) status = gvm_embed_pixels(session, GVM_STREET, features, pixels, 1, err);
    if (status == GVM_OK) status = gvm_map_search(map, model, hits, max_hits, count, features, 1, err);
    free(pixels);
    free(features);
    return status;
}
