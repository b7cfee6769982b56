/* neighbours.c - see neighbours.h. */
#include "data/neighbours.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/parallel.h"
#include "base/random.h"
#include "data/sampler.h"
#include "geo/earth.h"

enum { NONE = -1 };

/* ------------------------------------------------------------------ nearest by position */

/* A tile on the unit sphere. */
struct place {
    double lat, point[3];
    int tile;
};

/* A tile and the squared chord to it, which increases with the ground distance. */
struct near {
    double square;
    int tile;
};

struct search {
    const struct place *places; /* (count) sorted by latitude */
    int count, most;
    int *nearest;      /* (tile_count, most) */
    struct near *room; /* (threads, most) */
};

static int by_latitude(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->lat != y->lat) return x->lat < y->lat ? -1 : 1;
    return (x->tile > y->tile) - (x->tile < y->tile);
}

static int compare_near(const void *a, const void *b)
{
    const struct near *x = a, *y = b;
    if (x->square != y->square) return x->square < y->square ? -1 : 1;
    return (x->tile > y->tile) - (x->tile < y->tile);
}

static double chord(const struct place *a, const struct place *b)
{
    double x = a->point[0] - b->point[0], y = a->point[1] - b->point[1], z = a->point[2] - b->point[2];
    return x * x + y * y + z * z;
}

/* Lower bound of the squared chord, from the difference in latitude. */
static double least_chord(const struct place *a, const struct place *b)
{
    double s = 2 * sin((a->lat - b->lat) * EARTH_DEGREE / 2);
    return s * s * (1 - 1e-9);
}

/* heap: max-heap of the *count <= most nearest so far. */
static void keep(struct near *heap, int *count, int most, struct near new)
{
    int i;
    if (*count < most) {
        for (i = (*count)++; i > 0 && compare_near(&new, &heap[(i - 1) / 2]) > 0; i = (i - 1) / 2)
            heap[i] = heap[(i - 1) / 2];
    } else {
        if (compare_near(&new, &heap[0]) > 0) return;
        for (i = 0; 2 * i + 1 < most;) {
            int child = 2 * i + 1;
            if (child + 1 < most && compare_near(&heap[child + 1], &heap[child]) > 0) child++;
            if (compare_near(&heap[child], &new) < 0) break;
            heap[i] = heap[child];
            i = child;
        }
    }
    heap[i] = new;
}

/* Scan from the place's own latitude outwards until the bound exceeds the farthest neighbour. */
static void search_one(const struct search *s, int at, struct near *heap)
{
    const struct place *own = &s->places[at];
    int count = 0, ends[2] = {at - 1, at + 1};
    keep(heap, &count, s->most, (struct near){0, own->tile});
    for (int side = 0; side < 2; side++)
        for (int i = ends[side]; i >= 0 && i < s->count; i += side == 0 ? -1 : 1) {
            const struct place *other = &s->places[i];
            if (count == s->most && least_chord(own, other) > heap[0].square) break;
            keep(heap, &count, s->most, (struct near){chord(own, other), other->tile});
        }
    qsort(heap, (size_t)count, sizeof *heap, compare_near);
    for (int k = 0; k < s->most; k++) s->nearest[(size_t)own->tile * s->most + k] = k < count ? heap[k].tile : NONE;
}

static void search_part(void *argument, struct team team)
{
    const struct search *s = argument;
    for (int i = team.rank; i < s->count; i += team.size) search_one(s, i, s->room + (size_t)team.rank * s->most);
}

static struct place place_of(const struct split *split, int tile)
{
    const struct tile *t = &split->tiles[tile];
    double lat = t->lat * EARTH_DEGREE, lon = t->lon * EARTH_DEGREE;
    return (struct place){t->lat, {cos(lat) * cos(lon), cos(lat) * sin(lon), sin(lat)}, tile};
}

bool neighbours_have_places(const struct split *split)
{
    for (int q = 0; q < split->query_count; q++) {
        const struct tile *t = &split->tiles[split->queries[q].tile];
        if (!isfinite(t->lat) || !isfinite(t->lon)) return false;
    }
    return true;
}

gvm_status neighbours_by_place(int *nearest, int most, const struct split *split, gvm_error *err)
{
    int N = split->query_count, T = split->tile_count, count = 0;
    struct place *places = malloc(((size_t)T + 1) * sizeof *places);
    int *of_tiles = calloc((size_t)T * most + 1, sizeof *of_tiles);
    struct near *room = malloc((size_t)parallel_threads() * most * sizeof *room);
    bool ready = places != NULL && of_tiles != NULL && room != NULL;
    for (int q = 0; q < N && ready; q++) of_tiles[split->queries[q].tile] = 1; /* tiles with a query */
    for (int t = 0; t < T && ready; t++)
        if (of_tiles[t]) places[count++] = place_of(split, t);
    if (ready) {
        qsort(places, (size_t)count, sizeof *places, by_latitude);
        struct search search = {.places = places, .count = count, .most = most, .nearest = of_tiles, .room = room};
        parallel_run(search_part, &search);
        for (int q = 0; q < N; q++)
            for (int k = 0; k < most; k++)
                nearest[(size_t)q * most + k] = of_tiles[(size_t)split->queries[q].tile * most + k];
    }
    free(places);
    free(of_tiles);
    free(room);
    return ready ? GVM_OK : fail(err, GVM_MEMORY, "cannot find the neighbours of %d queries: out of memory", N);
}

/* ------------------------------------------------------------------ the batches of an epoch */

enum {
    SURE = 32,     /* nearest tiles that are always taken */
    DRAWN = 32,    /* number of tiles drawn from the others */
    GIVE_UP = 1024 /* unusable seeds in a row that end the epoch */
};

struct epoch {
    const struct split *split;
    const int *first, *next; /* (tile_count), (query_count): linked lists of each tile's queries */
    bool *used;              /* (query_count) */
    int *in_batch;           /* (tile_count) number of the last batch with this tile, from 1 */
    int *order, count, B;    /* queries placed so far */
    uint64_t seed, stream;
};

static int batch_at_work(const struct epoch *e)
{
    return e->count / e->B + 1;
}

static bool fits(const struct epoch *e, int query)
{
    return !e->used[query] && e->in_batch[e->split->queries[query].tile] != batch_at_work(e);
}

static void place(struct epoch *e, int query)
{
    e->used[query] = true;
    e->in_batch[e->split->queries[query].tile] = batch_at_work(e);
    e->order[e->count++] = query;
}

/* Draw one of the tile's usable queries uniformly; NONE if there is none. */
static int draw_query(const struct epoch *e, int tile, uint64_t draw)
{
    uint64_t fit = 0;
    for (int q = e->first[tile]; q != NONE; q = e->next[q]) fit += fits(e, q);
    if (fit == 0) return NONE;
    uint64_t skip = random_bits(e->seed, e->stream, draw) % fit;
    for (int q = e->first[tile];; q = e->next[q])
        if (fits(e, q) && skip-- == 0) return q;
}

/* Add queries of the seed's neighbours until the batch is full. nearest: (most) tiles */
static void bring(struct epoch *e, int seed, const int *nearest, int most)
{
    int tiles[NEIGHBOURS], n = 0, end = batch_at_work(e) * e->B;
    uint64_t draw = (uint64_t)seed * 2 * NEIGHBOURS;
    for (int k = 0; k < most && n < NEIGHBOURS && nearest[k] != NONE; k++)
        if (nearest[k] != e->split->queries[seed].tile) tiles[n++] = nearest[k];
    for (int k = 0; k < n && k < SURE + DRAWN && e->count < end; k++) {
        if (k >= SURE) { /* draw one of the remaining neighbours (Fisher and Yates) */
            int j = k + (int)(random_bits(e->seed, e->stream, draw + NEIGHBOURS + k) % (uint64_t)(n - k));
            int tile = tiles[j];
            tiles[j] = tiles[k];
            tiles[k] = tile;
        }
        int query = draw_query(e, tiles[k], draw + k);
        if (query != NONE) place(e, query);
    }
}

static void fill(struct epoch *e, int *line, const int *nearest, int most)
{
    int N = e->split->query_count, head = 0, waiting = N;
    for (int missed = 0; waiting > 0 && missed < GIVE_UP;) {
        int seed = line[head];
        head = (head + 1) % N;
        waiting--;
        if (!fits(e, seed)) {
            if (!e->used[seed]) line[(head + waiting++) % N] = seed;
            missed++;
            continue;
        }
        missed = 0;
        place(e, seed);
        if (e->count % e->B != 0) bring(e, seed, nearest + (size_t)seed * most, most);
    }
}

gvm_status neighbours_order(int *order, int *batches, const int *nearest, int most, int B, const struct split *split,
                            uint64_t seed, uint64_t epoch, gvm_error *err)
{
    int N = split->query_count, T = split->tile_count;
    int *memory = calloc(2 * (size_t)N + 2 * (size_t)T + 1, sizeof *memory);
    bool *used = calloc((size_t)N + 1, sizeof *used);
    int *line = memory, *next = line + N, *first = next + N;
    *batches = 0;
    if (memory != NULL && used != NULL) {
        struct epoch e = {.split = split,
                          .first = first,
                          .next = next,
                          .used = used,
                          .in_batch = first + T,
                          .order = order,
                          .B = B,
                          .seed = seed,
                          .stream = UINT64_C(0x6e6272) << 40 | epoch}; /* "nbr": a stream of its own */
        sampler_tiles(first, next, split);
        for (int q = 0; q < N; q++) line[q] = q;
        sampler_shuffle(line, N, seed, epoch);
        fill(&e, line, nearest, most);
        *batches = e.count / B;
    }
    bool ready = memory != NULL && used != NULL;
    free(memory);
    free(used);
    if (!ready) return fail(err, GVM_MEMORY, "cannot order %d queries: out of memory", N);
    if (*batches > 0) return GVM_OK;
    return fail(err, GVM_ARGUMENT,
                "%d street pictures on %d tiles do not fill one batch of size %d with different places", N, T, B);
}
