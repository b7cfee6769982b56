/* search.c - the tiles most similar to each query, by exact search over float16 features.
 *
 * Up to HALF_QUERIES queries at a time get their cosines with all tiles in float32. The rounding error depends on the
 * order of summation, so all tiles that could be among the k best within that error are compared again in double, in a
 * fixed order: the result depends neither on threads nor on the instruction set, and equal tiles tie. */
#include "search/search.h"

#include <limits.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "base/sized.h"
#include "base/top.h"
#include "geo/earth.h"
#include "network/session.h"
#include "tensor/kernels.h"

struct candidate {
    double score;
    size_t tile; /* index in the map */
};

struct search {
    const gvm_map *map;
    const size_t *items;  /* (tiles) indices in the map; NULL for all */
    int tiles;            /* to search among */
    const float *queries; /* (count, width), the ones of this turn */
    int count;
    float *panels;                /* the queries as the product takes them */
    float *scores;                /* (count, tiles) */
    atomic_int next;              /* the block of tiles that the next thread takes */
    float *scratch;               /* a thread: (scratch_size) */
    size_t scratch_size;          /* for a product, or for a row in float32 */
    gvm_hit *hits;                /* (count, stride) */
    int k, stride;                /* hits wanted, room for them */
    float *kept;                  /* (fields, tiles) of search_among; NULL */
    const size_t *field;          /* (count) */
    struct scored *best;          /* a thread: (k) */
    struct candidate *candidates; /* a thread: (tiles) */
};

static size_t place(const struct search *s, int tile)
{
    return s->items != NULL ? s->items[tile] : (size_t)tile;
}

static const uint16_t *row_of(const struct search *s, int tile)
{
    return s->map->features + s->map->tiles.items[place(s, tile)].row * (size_t)s->map->width;
}

/* A single query is bound by memory. Several are bound by arithmetic, so each row is widened to float32 once for all.
 */
static void score_part(void *argument, struct team team)
{
    struct search *s = argument;
    const struct half_kernels *half = kernels()->half;
    int D = s->map->width;
    float *scratch = s->scratch + (size_t)team.rank * s->scratch_size;
    const uint16_t *rows[HALF_ROWS];
    for (int from; (from = HALF_ROWS * s->next++) < s->tiles;) {
        int R = s->tiles - from < HALF_ROWS ? s->tiles - from : HALF_ROWS;
        for (int r = 0; r < R; r++) rows[r] = row_of(s, from + r);
        if (s->count == 1)
            half->dots(s->scores + from, rows, R, s->queries, D);
        else
            half->product(s->scores + from, (size_t)s->tiles, rows, R, s->panels, s->count, D, scratch);
    }
}

/* Several queries update the same field, so the tiles are divided among the threads. */
static void keep_part(void *argument, struct team team)
{
    const struct search *s = argument;
    int from, to;
    parallel_range(&from, &to, s->tiles, 1, team);
    for (int q = 0; q < s->count; q++) {
        const float *scores = s->scores + (size_t)q * (size_t)s->tiles;
        float *kept = s->kept + s->field[q] * (size_t)s->tiles;
        for (int t = from; t < to; t++) kept[t] = scores[t] > kept[t] ? scores[t] : kept[t];
    }
}

/* Four independent sums hide the latency of addition; the products are exact in double. */
static double dot(const float *x, const float *y, int n)
{
    double sum[4] = {0};
    for (int i = 0; i < n; i++) sum[i % 4] += (double)x[i] * y[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* Error bound of a float32 dot product of two unit vectors: half a unit in the last place of 1 for each addition of the
 * longest chain (kernels.h), and a little for lengths that are not exactly 1. */
static float rounding(int D)
{
    int additions = D / 8 + HALF_CHUNK + 64;
    return (float)additions * 0x1p-24f;
}

/* Best first; among equals the lower index. */
static int compare(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    return (x->tile > y->tile) - (x->tile < y->tile);
}

static gvm_hit hit_of(const gvm_map *map, const struct candidate *c)
{
    gvm_hit hit = map_hit(map, c->tile);
    hit.score = fmax(-1, fmin(1, c->score)); /* rows of length 1 give 1 + 1e-7 */
    return hit;
}

static void pick_part(void *argument, struct team team)
{
    const struct search *s = argument;
    int D = s->map->width, from, to;
    struct candidate *candidates = s->candidates + (size_t)team.rank * (size_t)s->tiles;
    struct scored *best = s->best + (size_t)team.rank * (size_t)s->k;
    float *row = s->scratch + (size_t)team.rank * s->scratch_size;
    parallel_range(&from, &to, s->count, 1, team);
    for (int q = from; q < to; q++) {
        const float *scores = s->scores + (size_t)q * (size_t)s->tiles, *query = s->queries + (size_t)q * (size_t)D;
        top_scores(best, s->k, scores, s->tiles);
        float least = best[s->k - 1].score - 2 * rounding(D); /* both may be off */
        size_t count = 0;
        for (int t = 0; t < s->tiles; t++) {
            if (scores[t] < least) continue;
            kernels()->half->widen(row, row_of(s, t), D);
            double score = dot(query, row, D);
            candidates[count++] = (struct candidate){score > -1 ? score : -1, place(s, t)};
        }
        qsort(candidates, count, sizeof *candidates, compare);
        for (int i = 0; i < s->k; i++) s->hits[(size_t)q * (size_t)s->stride + i] = hit_of(s->map, &candidates[i]);
    }
}

gvm_status search_check(const gvm_map *map, const gvm_model *model, int max_hits, gvm_error *err)
{
    if (max_hits < 1) return fail(err, GVM_ARGUMENT, "%d hits requested; expected at least 1", max_hits);
    const char *where = map->path != NULL ? path_tail(map->path) : "the map";
    if (model == NULL) return GVM_OK;
    return map_match(where, map->fingerprint, map->width, &model->info, err);
}

/* Allocate for up to `most` queries at a time. */
static bool reserve(struct search *s, size_t most)
{
    size_t threads = (size_t)parallel_threads(), tiles = (size_t)s->tiles, D = (size_t)s->map->width;
    s->scratch_size = D > HALF_SCRATCH ? D : HALF_SCRATCH;
    s->panels = malloc((most > 1 ? HALF_QUERIES * D : 1) * sizeof *s->panels);
    s->scores = malloc((most * tiles + 1) * sizeof *s->scores);
    s->scratch = malloc(threads * s->scratch_size * sizeof *s->scratch);
    s->best = malloc(threads * (size_t)s->k * sizeof *s->best);
    s->candidates = malloc(threads * tiles * sizeof *s->candidates);
    return s->panels && s->scores && s->scratch && s->best && s->candidates;
}

static void release(struct search *s)
{
    free(s->panels);
    free(s->scores);
    free(s->scratch);
    free(s->best);
    free(s->candidates);
}

gvm_status map_search(gvm_hit *hits, int max_hits, int *count, const gvm_map *map, const gvm_model *model,
                      const struct search_among *among, const float *features, size_t n, gvm_error *err)
{
    *count = 0;
    size_t tiles = among->items != NULL ? among->count : map->tiles.count, most = n < HALF_QUERIES ? n : HALF_QUERIES;
    gvm_status status = search_check(map, model, max_hits, err);
    if (status != GVM_OK || tiles == 0) return status;
    if (tiles > INT_MAX - HALF_ROWS) return fail(err, GVM_ARGUMENT, "%zu tiles are too many to search at once", tiles);
    struct search s = {.map = map, .items = among->items, .tiles = (int)tiles, .stride = max_hits, .kept = among->kept};
    s.k = max_hits < s.tiles ? max_hits : s.tiles;
    threads_hold(); /* each has its part of the memory */
    if (!reserve(&s, most)) status = fail(err, GVM_MEMORY, "cannot search %zu tiles: out of memory", tiles);
    for (size_t i = 0; i < n && status == GVM_OK; i += most) {
        s.queries = features + i * (size_t)map->width;
        s.count = (int)(n - i < most ? n - i : most);
        s.hits = hits + i * (size_t)max_hits;
        s.next = 0;
        if (s.count > 1) kernels()->half->pack(s.panels, s.queries, s.count, map->width);
        parallel_run(score_part, &s);
        if (s.kept != NULL) s.field = among->field + i;
        if (s.kept != NULL) parallel_run(keep_part, &s);
        parallel_run(pick_part, &s);
    }
    release(&s);
    threads_release();
    if (status == GVM_OK) *count = s.k;
    return status;
}

size_t *map_near(size_t *found, const gvm_map *map, double lat, double lon, double within_m)
{
    size_t *items = malloc((map->tiles.count + 1) * sizeof *items);
    *found = 0;
    for (size_t i = 0; i < map->tiles.count && items != NULL; i++) {
        const struct tile *tile = &map->tiles.items[i];
        if (metres_between(lat, lon, tile->lat, tile->lon) <= within_m) items[(*found)++] = i;
    }
    return items;
}

static gvm_status check_features(const float *features, size_t n, size_t D, gvm_error *err)
{
    for (size_t i = 0; i < n; i++)
        if (!is_query(features + i * D, D))
            return fail(err, GVM_ARGUMENT, "row %zu of the features is zero, or longer than 1", i);
    return GVM_OK;
}

gvm_status gvm_map_search(const gvm_map *map, const gvm_model *model, const gvm_search *search, gvm_hit *hits,
                          int *found, gvm_error *err)
{
    gvm_search s;
    struct search_among among = {.count = 0};
    size_t *items = NULL;
    clear_error(err);
    *found = 0;
    gvm_status status = sized_read(&s, sizeof s, search, err);
    if (status != GVM_OK) return status;
    if (!(s.within_m >= 0)) return fail(err, GVM_ARGUMENT, "invalid distance of %g metres", s.within_m);
    if (s.within_m > 0) {
        if (!(fabs(s.lat) <= 90 && fabs(s.lon) <= 180))
            return fail(err, GVM_ARGUMENT,
                        "invalid place %g, %g; expected a latitude within 90 and a longitude within 180 degrees", s.lat,
                        s.lon);
        among.items = items = map_near(&among.count, map, s.lat, s.lon, s.within_m);
        if (items == NULL) return fail(err, GVM_MEMORY, "cannot search %zu tiles: out of memory", map->tiles.count);
    }
    status = search_check(map, model, s.max_hits, err);
    if (status == GVM_OK) status = check_features(s.features, s.count, (size_t)map->width, err);
    if (status == GVM_OK) status = map_search(hits, s.max_hits, found, map, model, &among, s.features, s.count, err);
    free(items);
    return status;
}
