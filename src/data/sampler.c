/* sampler.c - see sampler.h. A Fisher-Yates shuffle, then batches are filled in that order; a query in conflict with
 * its batch waits in a queue. */
#include "data/sampler.h"

#include "base/error.h"
#include "base/random.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum {
    NONE = -1,
    LOOKS = 64 /* times B: most waiting queries that a batch tries, to avoid quadratic time on unusual data */
};

bool sampler_conflict(const struct query *a, const struct query *b)
{
    if (a->tile == b->tile) return true;
    for (int i = 0; i < a->near_count; i++)
        if (a->near[i] == b->tile) return true;
    for (int i = 0; i < b->near_count; i++)
        if (b->near[i] == a->tile) return true;
    return false;
}

struct filling {
    const struct split *split;
    int *owned,
        *shown;        /* (tile_count) number of the last batch that has this tile as a query's own, or as a near one */
    int batch;         /* number of the current batch, from 1 */
    int *order, count; /* queries placed so far */
    int *next;         /* (query_count) the queue as a linked list */
    int first, last;
};

/* Same as sampler_conflict with each query of the batch so far, in constant time. */
static bool fits(const struct filling *f, const struct query *q)
{
    if (f->owned[q->tile] == f->batch || f->shown[q->tile] == f->batch) return false;
    for (int i = 0; i < q->near_count; i++)
        if (f->owned[q->near[i]] == f->batch) return false;
    return true;
}

static void place(struct filling *f, int query)
{
    const struct query *q = &f->split->queries[query];
    assert(q->tile >= 0 && q->tile < f->split->tile_count);
    f->owned[q->tile] = f->batch;
    for (int i = 0; i < q->near_count; i++) f->shown[q->near[i]] = f->batch;
    f->order[f->count++] = query;
}

static void wait_in_line(struct filling *f, int query)
{
    f->next[query] = NONE;
    if (f->first == NONE)
        f->first = query;
    else
        f->next[f->last] = query;
    f->last = query;
}

/* Add those of the first `looks` waiting queries that fit, until the batch is full at `end`. */
static void place_waiting(struct filling *f, int end, int looks)
{
    int before = NONE;
    for (int q = f->first; q != NONE && f->count < end && looks > 0; looks--) {
        int after = f->next[q];
        if (fits(f, &f->split->queries[q])) {
            place(f, q);
            *(before == NONE ? &f->first : &f->next[before]) = after;
            if (after == NONE) f->last = before;
        } else {
            before = q;
        }
        q = after;
    }
}

/* Returns the number of full batches. */
static int fill(struct filling *f, const int *shuffled, int N, int B)
{
    int taken = 0, batches = 0;
    for (f->batch = 1;; f->batch++) {
        int end = (batches + 1) * B; /* at most N + B */
        place_waiting(f, end, taken < N && B < N / LOOKS ? LOOKS * B : N);
        for (; f->count < end && taken < N; taken++) {
            if (fits(f, &f->split->queries[shuffled[taken]]))
                place(f, shuffled[taken]);
            else
                wait_in_line(f, shuffled[taken]);
        }
        if (f->count < end) break;
        batches++;
    }
    for (int q = f->first; q != NONE; q = f->next[q]) f->order[f->count++] = q;
    assert(f->count == N);
    return batches;
}

gvm_status sampler_fill(int *order, int *batches, const struct split *split, int B, const int *sequence, gvm_error *err)
{
    assert(B >= 1 && B <= 1 << 20);
    int N = split->query_count, T = split->tile_count;
    struct filling f = {.split = split, .order = order, .first = NONE, .last = NONE};
    int *memory = calloc((size_t)N + 2 * (size_t)T + 1, sizeof *memory);
    *batches = 0;
    if (memory == NULL) return fail(err, GVM_MEMORY, "cannot order %d queries: out of memory", N);
    f.owned = memory;
    f.shown = f.owned + T;
    f.next = f.shown + T;
    *batches = fill(&f, sequence, N, B);
    free(memory);
    return GVM_OK;
}

void sampler_tiles(int *first, int *next, const struct split *split)
{
    for (int t = 0; t < split->tile_count; t++) first[t] = NONE;
    for (int q = split->query_count - 1; q >= 0; q--) {
        next[q] = first[split->queries[q].tile];
        first[split->queries[q].tile] = q;
    }
}

void sampler_shuffle(int *queries, int N, uint64_t seed, uint64_t epoch)
{
    const uint64_t stream = UINT64_C(0x736d70) << 40 | epoch; /* "smp": a stream of its own */
    for (int i = N - 1; i > 0; i--) {
        int j = (int)(random_bits(seed, stream, (uint64_t)i) % (uint64_t)(i + 1)), query = queries[i];
        queries[i] = queries[j];
        queries[j] = query;
    }
}

struct member {
    uint64_t square; /* hashed, so that squares are in random order */
    int rank, query; /* rank: index in the shuffled list */
};

static int by_square(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    if (x->square != y->square) return x->square < y->square ? -1 : 1;
    return (x->rank > y->rank) - (x->rank < y->rank);
}

/* Sort the queries by square; within a square they keep their shuffled order. */
static bool gather(int *queries, const struct split *split, double metres, uint64_t seed, uint64_t epoch)
{
    const uint64_t stream = UINT64_C(0x736d71) << 40 | epoch;
    const double degree = 111320; /* approximate metres of a degree of latitude: a square need not be exact */
    double right = random_uniform(seed, stream, 0), up = random_uniform(seed, stream, 1);
    int N = split->query_count;
    struct member *members = malloc(((size_t)N + 1) * sizeof *members);
    if (members == NULL) return false;
    for (int i = 0; i < N; i++) {
        const struct query *q = &split->queries[queries[i]];
        bool placed = isfinite(q->lat) && isfinite(q->lon);
        int64_t row = placed ? (int64_t)floor(q->lat * degree / metres + up) : 0;
        double length = degree * cos((double)row * metres / degree * M_PI / 180);
        int64_t column = placed ? (int64_t)floor(q->lon * length / metres + right) : 0;
        members[i] = (struct member){random_bits(seed, stream ^ (uint64_t)row << 20, (uint64_t)column), i, queries[i]};
    }
    qsort(members, (size_t)N, sizeof *members, by_square);
    for (int i = 0; i < N; i++) queries[i] = members[i].query;
    free(members);
    return true;
}

gvm_status sampler_epoch(int *order, int *batches, const struct split *split, int B, bool shuffle, double cluster_m,
                         uint64_t seed, uint64_t epoch, gvm_error *err)
{
    assert(cluster_m == 0 || cluster_m >= 1); /* otherwise there are too many squares to number */
    int N = split->query_count;
    int *sequence = malloc(((size_t)N + 1) * sizeof *sequence);
    bool ready = sequence != NULL;
    for (int i = 0; ready && i < N; i++) sequence[i] = i;
    if (ready && shuffle) sampler_shuffle(sequence, N, seed, epoch);
    if (ready && shuffle && cluster_m > 0) ready = gather(sequence, split, cluster_m, seed, epoch);
    *batches = 0;
    gvm_status status = ready ? sampler_fill(order, batches, split, B, sequence, err)
                              : fail(err, GVM_MEMORY, "cannot order %d queries: out of memory", N);
    free(sequence);
    return status;
}
