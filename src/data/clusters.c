/* clusters.c - see clusters.h. */
#include "data/clusters.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/parallel.h"
#include "data/drawn_place.h"
#include "data/sampler.h"
#include "imagery/cells.h"

/* State of a query with respect to the batch being filled; the best query of the lowest state joins next. */
enum standing { FREE, NEAR, BARRED, JOINED, USED };

struct pool {
    const struct split *split;
    const struct pair_features *features;
    int *queries; /* (count) in drawn order */
    int count;
    float *sums;       /* (count) sum of similarities to the batch's queries */
    uint8_t *standing; /* (count) */
    int joins;         /* the query that joins the batch */
};

/* Dot product in sixteen partial sums, which are added in a fixed order. */
static float product(const float *x, const float *y, int n)
{
    float sums[16] = {0}, sum = 0;
    int i = 0;
    for (; i + 16 <= n; i += 16)
        for (int k = 0; k < 16; k++) sums[k] += x[i + k] * y[i + k];
    for (; i < n; i++) sum += x[i] * y[i];
    for (int k = 0; k < 16; k++) sum += sums[k];
    return sum;
}

/* Returns true if a tile is within APART_M of a street picture; false if a position is unknown. */
static bool is_near(const struct query *q, const struct tile *t)
{
    const double sphere = CELL_RADIUS / EARTH_RADIUS;                           /* of the lattice of cells */
    if (!(fabs(q->lat - t->lat) * EARTH_ARC * sphere <= APART_M)) return false; /* latitude rules out most */
    return metres_between(q->lat, q->lon, t->lat, t->lon) * sphere <= APART_M;
}

static void look_at_part(void *argument, struct team team)
{
    const struct pool *p = argument;
    const struct pair_features *f = p->features;
    const struct query *new = &p->split->queries[p->joins];
    int from, to;
    parallel_range(&from, &to, p->count, 1, team);
    for (int i = from; i < to; i++) {
        const struct query *q = &p->split->queries[p->queries[i]];
        if (p->standing[i] >= BARRED) continue;
        if (sampler_conflict(new, q))
            p->standing[i] = BARRED;
        else if (is_near(new, &p->split->tiles[q->tile]))
            p->standing[i] = NEAR;
        if (f) p->sums[i] += product(f->street + (size_t)p->joins * f->D, f->aerial + (size_t)q->tile * f->D, f->D);
    }
}

/* -1: none can join */
static int best_of(const struct pool *p)
{
    int best = -1;
    for (int i = 0; i < p->count; i++) {
        if (p->standing[i] >= BARRED) continue;
        bool better = best < 0 || p->standing[i] < p->standing[best] ||
                      (p->standing[i] == p->standing[best] && p->sums[i] > p->sums[best]);
        if (better) best = i;
    }
    return best;
}

/* Returns true if a full batch was made. */
static bool fill_batch(int *batch, struct pool *p, int B)
{
    for (int i = 0; i < p->count; i++) {
        if (p->standing[i] != USED) p->standing[i] = FREE;
        p->sums[i] = 0;
    }
    for (int k = 0; k < B; k++) {
        int best = best_of(p);
        if (best < 0) return false;
        p->standing[best] = JOINED;
        batch[k] = p->joins = p->queries[best];
        if (k + 1 < B) parallel_run(look_at_part, p);
    }
    for (int i = 0; i < p->count; i++)
        if (p->standing[i] == JOINED) p->standing[i] = USED;
    return true;
}

/* Make as many full batches as possible; returns how many. left, out: number of unused queries, which are moved to the
 * end. */
static int empty_pool(int *left, int *order, struct pool *p, int B)
{
    int batches = 0, end = p->count;
    memset(p->standing, FREE, (size_t)p->count);
    while (p->count - batches * B >= B && fill_batch(order + (size_t)batches * B, p, B)) batches++;
    for (int i = p->count - 1; i >= 0; i--)
        if (p->standing[i] != USED) p->queries[--end] = p->queries[i];
    *left = p->count - end;
    return batches;
}

gvm_status clusters_order(int *order, int *batches, const struct pair_features *features, int pool, int B,
                          const struct split *split, uint64_t seed, uint64_t epoch, gvm_error *err)
{
    int N = split->query_count, most = pool < N / B ? pool * B : N, left = 0;
    int *shuffled = malloc(((size_t)N + 1) * sizeof *shuffled);
    float *sums = malloc(((size_t)N + 1) * sizeof *sums);
    uint8_t *standing = malloc((size_t)N + 1);
    bool ready = shuffled != NULL && sums != NULL && standing != NULL;
    *batches = 0;
    for (int q = 0; q < N && ready; q++) shuffled[q] = q;
    if (ready) sampler_shuffle(shuffled, N, seed, epoch);
    for (int end = 0; end < N && ready;) {
        int first = end - left;
        end = N - end < most ? N : end + most;
        struct pool p = {split, features, shuffled + first, end - first, sums, standing, -1};
        *batches += empty_pool(&left, order + (size_t)*batches * B, &p, B);
    }
    free(shuffled);
    free(sums);
    free(standing);
    if (!ready) return fail(err, GVM_MEMORY, "cannot order %d queries: out of memory", N);
    if (*batches > 0) return GVM_OK;
    return fail(err, GVM_ARGUMENT,
                "%d street pictures on %d tiles do not fill one batch of size %d with different places", N,
                split->tile_count, B);
}
