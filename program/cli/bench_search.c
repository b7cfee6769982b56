/* bench_search.c - times the search of a map, compared with reading its features and with its arithmetic at the peak,
 * both measured between the searches. Features and queries are random. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/half.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "cli/bench.h"
#include "cli/cli.h"
#include "geo/earth.h"
#include "locate/chance.h"
#include "map/map.h"
#include "search/search.h"
#include "tensor/kernels.h"

enum { TILES = 100000, TOP = 5, CELL_M = 30, SCALE = 36 /* statewide's */ };

struct figures {
    struct peak peak;
    double read, one, batch; /* seconds: all features once, one query, HALF_QUERIES queries */
    double likely;           /* one query with p */
    double most;             /* peak memory of the process, bytes */
};

/* Pseudo-random bits from a number. */
static uint32_t scatter(uint32_t x)
{
    x = (x ^ x >> 16) * 0x7feb352d;
    x = (x ^ x >> 15) * 0x846ca68b;
    return x ^ x >> 16;
}

/* Uniform in [-sqrt(3 / D), sqrt(3 / D)): rows of a length near 1. */
static float drawn(uint64_t i, int D)
{
    uint32_t bits = scatter((uint32_t)i ^ scatter((uint32_t)(i >> 32) + 1));
    return ((float)(bits >> 8) * 0x1p-23f - 1) * sqrtf(3.0f / (float)D);
}

static void draw_part(void *argument, struct team team)
{
    gvm_map *map = argument;
    int from, to, D = map->width;
    parallel_range(&from, &to, (int)map->tiles.count, 1, team);
    for (uint64_t i = (uint64_t)from * (uint64_t)D; i < (uint64_t)to * (uint64_t)D; i++)
        map->own[i] = f16_from_float(drawn(i, D));
}

static void draw_queries(float *queries, int D)
{
    for (int q = 0; q < HALF_QUERIES; q++, queries += D) {
        double square = 0;
        for (int k = 0; k < D; k++) {
            queries[k] = drawn((uint64_t)q * (uint64_t)D + (uint64_t)k + (1ull << 40), D);
            square += (double)queries[k] * queries[k];
        }
        for (int k = 0; k < D; k++) queries[k] = (float)(queries[k] / sqrt(square));
    }
}

static void read_part(void *argument, struct team team)
{
    const gvm_map *map = argument;
    int from, to;
    size_t row = (size_t)map->width * sizeof *map->features;
    parallel_range(&from, &to, (int)map->tiles.count, 1, team);
    volatile int32_t sink =
        kernels()->half->read_all((const char *)map->features + (size_t)from * row, (size_t)(to - from) * row);
    (void)sink;
}

/* One query as in `locate` with weights that provide p: keeps all scores and finds p, the place and the radii. */
static gvm_status find_likely(const gvm_map *map, const float *query, float *scores, gvm_error *err)
{
    static const size_t first = 0;
    const struct search_among among = {.kept = scores, .field = &first};
    struct score_field field = {.map = map, .scores = scores, .count = map->tiles.count};
    gvm_hit hits[TOP];
    gvm_chance chance;
    double p[TOP];
    int count;
    for (size_t i = 0; i < map->tiles.count; i++) scores[i] = -INFINITY;
    gvm_status status = map_search(hits, TOP, &count, map, NULL, &among, query, 1, err);
    if (status != GVM_OK) return status;
    chance_scale(&field, map, SCALE);
    chance_places(hits, count, 1.5 * CELL_M, &field);
    return chance_find(&chance, p, hits, count, 1.5 * CELL_M, &field, err);
}

static gvm_status measure(struct figures *f, gvm_map *map, const float *queries, long rounds, bool quiet,
                          gvm_error *err)
{
    struct progress progress = {.quiet = quiet};
    gvm_search search = {.size = sizeof search, .features = queries, .max_hits = TOP};
    gvm_hit hits[HALF_QUERIES * TOP];
    float *scores = malloc(map->tiles.count * sizeof *scores);
    gvm_status status = scores != NULL ? GVM_OK : fail(err, GVM_MEMORY, "out of memory for the scores");
    progress_start(&progress, "search", "rounds", (size_t)rounds + 1);
    for (long round = 0; round <= rounds && status == GVM_OK; round++) { /* round 0 warms up */
        int count;
        double start = clock_seconds();
        parallel_run(read_part, map);
        double read = clock_seconds();
        search.count = 1;
        status = gvm_map_search(map, NULL, &search, hits, &count, err);
        double one = clock_seconds();
        search.count = HALF_QUERIES;
        if (status == GVM_OK) status = gvm_map_search(map, NULL, &search, hits, &count, err);
        double batch = clock_seconds();
        if (status == GVM_OK) status = find_likely(map, queries, scores, err);
        double likely = clock_seconds();
        measure_peak(&f->peak, NULL);
        if (round > 0) {
            lower_to(&f->read, read - start);
            lower_to(&f->one, one - read);
            lower_to(&f->batch, batch - one);
            lower_to(&f->likely, likely - batch);
        }
        progress_step(&progress, (size_t)round + 1);
    }
    progress_end(&progress);
    free(scores);
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0) f->most = (double)usage.ru_maxrss * 1024;
    return status;
}

static int print_report(const struct figures *f, const gvm_map *map, bool json)
{
    double tiles = (double)map->tiles.count, bytes = tiles * map->width * sizeof *map->features;
    double bandwidth = bytes / f->read * 1e-9, gflops = 2e-9 * tiles * map->width * HALF_QUERIES / f->batch;
    double peak = peak_of(&f->peak), each = f->batch * 1e3 / HALF_QUERIES;
    if (json)
        return json_print(json_pack("{s:s, s:s, s:i, s:i, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:i, s:f, s:f, s:f, s:f}",
                                    "version", gvm_version(), "instructions", kernels()->name, "threads",
                                    parallel_threads(), "tiles", (int)tiles, "features", map->width, "bandwidth_gb_s",
                                    bandwidth, "peak_gflops", peak, "ms_read", f->read * 1e3, "ms_one_query",
                                    f->one * 1e3, "one_query_of_read", f->one / f->read, "ms_one_query_with_p",
                                    f->likely * 1e3, "batch", HALF_QUERIES, "ms_per_query", each, "of_peak",
                                    gflops / peak, "features_gb", bytes * 1e-9, "process_gb", f->most * 1e-9));
    printf("GeoViewMatch %s, %d threads, %s: exact search among %.0f tiles of %d numbers, float16\n\n", gvm_version(),
           parallel_threads(), kernels()->name, tiles, map->width);
    printf("  %-24s %9s\n", "", "ms");
    printf("  %-24s %9.2f   %.1f GB/s\n", "reading all features", f->read * 1e3, bandwidth);
    printf("  %-24s %9.2f   %.2f times reading\n", "one query", f->one * 1e3, f->one / f->read);
    printf("  %-24s %9.2f   over all tiles, at statewide's score scale\n", "one query with p", f->likely * 1e3);
    printf("  a query in a batch of %d %9.2f   %.1f GFLOP/s, %.1f%% of the peak of %.1f\n", HALF_QUERIES, each, gflops,
           100 * gflops / peak, peak);
    printf("\n  the features take %.3f GB; peak memory of the process %.3f GB\n", bytes * 1e-9, f->most * 1e-9);
    return DONE;
}

int bench_search(const struct arguments *b, int D)
{
    long tiles = b->tiles;
    gvm_error err;
    struct figures f = {0};
    size_t row = (size_t)D * sizeof(uint16_t);
    if (tiles == 0) {
        double room = memory_available() * 0.8 / (double)row;
        tiles = room < TILES ? (long)room : TILES;
    }
    gvm_map map = {.tiles = {.items = calloc((size_t)tiles + 1, sizeof(struct tile)), .count = (size_t)tiles},
                   .width = D};
    float *queries = malloc(HALF_QUERIES * (size_t)D * sizeof *queries);
    map.features = map.own = malloc((size_t)tiles * row + 1);
    gvm_status status = GVM_OK;
    if (tiles < 1 || map.tiles.items == NULL || queries == NULL || map.own == NULL)
        status = fail(&err, GVM_MEMORY, "out of memory for %ld tiles; lower --tiles", tiles);
    if (status == GVM_OK) {
        size_t side = (size_t)ceil(sqrt((double)tiles));
        for (size_t i = 0; i < map.tiles.count; i++) {
            size_t y = i / side, x = i % side;
            map.tiles.items[i] = (struct tile){.lat = (double)y * CELL_M / EARTH_ARC,
                                               .lon = (double)x * CELL_M / EARTH_ARC,
                                               .metres = CELL_M,
                                               .row = i};
        }
        parallel_run(draw_part, &map);
        draw_queries(queries, D);
        status = measure(&f, &map, queries, b->rounds, b->common.quiet, &err);
    }
    int end = status == GVM_OK ? print_report(&f, &map, b->json) : failed(&err);
    free(map.own);
    free(map.tiles.items);
    free(queries);
    return end;
}
