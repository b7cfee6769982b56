/* bench_learning.c - see bench.h. Pictures are from a town generated into a temporary folder. They are decoded once
 * into a cache, whose mapping outlives its file: the folder is deleted before anything is measured. */
#define _GNU_SOURCE /* nftw */
#include <errno.h>
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/random.h"
#include "cli/bench.h"
#include "data/loader.h"
#include "tensor/kernels.h"
#include "train/evaluate.h"
#include "world/world.h"

struct learning {
    double seconds, waited; /* of all steps; waiting for pictures in them */
    int gallery;            /* tiles ranked: fewer than requested if memory is short */
    double ranking;         /* seconds */
};

/* ------------------------------------------------------------------ training */

enum { PATH = 1024 };

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

struct town {
    struct dataset *data;
    struct cache *cache;
    struct pictures pictures;
};

static void close_town(struct town *t)
{
    cache_free(t->cache);
    pictures_close(&t->pictures);
    dataset_free(t->data);
}

static gvm_status fill_town(struct town *t, const char *folder, const struct arguments *b, const struct config *c,
                            gvm_error *err)
{
    char cache[PATH + 16];
    struct world_options world = world_defaults;
    world.pairs = (int)(2 * b->batch);
    world.test = 0;
    struct progress progress = {.quiet = b->common.quiet};
    struct cache_options options = {.workers = parallel_threads() < 64 ? parallel_threads() : 64};
    gvm_status status = world_write(folder, &world, false, &progress, err);
    if (status == GVM_OK) status = dataset_open(&t->data, folder, NULL, err);
    if (status != GVM_OK) return status;
    if ((status = pictures_open(&t->pictures, t->data, c, err)) != GVM_OK) return status;
    snprintf(cache, sizeof cache, "%s/cache", folder);
    status = cache_open(&t->cache, cache, &t->pictures, &options, err);
    t->pictures.cache = t->cache;
    return status;
}

static gvm_status open_town(struct town *t, const struct arguments *b, const struct config *c, gvm_error *err)
{
    char folder[PATH];
    const char *parent = getenv("TMPDIR");
    if (parent == NULL || *parent == '\0') parent = "/tmp";
    errno = ENAMETOOLONG;
    if (snprintf(folder, sizeof folder, "%s/geoviewmatch-bench-XXXXXX", parent) >= PATH || mkdtemp(folder) == NULL)
        return fail_errno(err, "make a folder in", parent);
    gvm_status status = fill_town(t, folder, b, c, err);
    if (nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0 && status == GVM_OK)
        status = fail(err, GVM_FILE, "%s: it cannot be removed completely", folder);
    return status;
}

/* The first step is not counted: its pictures are not ready, and its memory is not yet mapped. */
static gvm_status time_steps(struct learning *out, struct bench_training *t, struct loader *loader,
                             const struct arguments *b, gvm_error *err)
{
    struct progress progress = {.quiet = b->common.quiet};
    double start = 0;
    gvm_status status = GVM_OK;
    progress_start(&progress, "training", "steps", (size_t)b->steps + 1);
    for (long step = 0; step <= b->steps && status == GVM_OK; step++) {
        struct batch batch;
        status = loader_next(loader, &batch, err);
        if (status != GVM_OK) break;
        if (step > 0) out->waited += batch.waited;
        status = bench_step(t, batch.street, batch.aerial, err);
        if (status != GVM_OK) break;
        if (step == 0) start = clock_seconds();
        progress_step(&progress, (size_t)step + 1);
    }
    progress_end(&progress);
    out->seconds = clock_seconds() - start;
    return status;
}

static gvm_status measure_training(struct learning *out, const struct arguments *b, gvm_error *err)
{
    struct bench_training training = {0};
    struct town town = {0};
    struct loader *loader = NULL;
    struct loader_options options = {.batch = (int)b->batch,
                                     .workers = parallel_threads() < 64 ? parallel_threads() : 64,
                                     .shuffle = true,
                                     .seed = 1};
    gvm_status status = bench_training_open(&training, b, err);
    if (status == GVM_OK && training.network->config.views[GVM_STREET].projection != PROJECTION_PANORAMA)
        status = fail(err, GVM_ARGUMENT, "--learning generates panoramas, but %s takes photos; leave out --learning",
                      training.network->config.method->title);
    options.amounts = training.amounts;
    options.single = status == GVM_OK && training.network->config.method->aerial_each == 1;
    if (status == GVM_OK) status = open_town(&town, b, &training.network->config, err);
    if (status == GVM_OK) status = loader_open(&loader, &town.pictures, &town.data->train, &options, err);
    if (status == GVM_OK) status = time_steps(out, &training, loader, b, err);
    loader_free(loader);
    close_town(&town);
    bench_training_close(&training);
    return status;
}

/* ------------------------------------------------------------------ ranking */

enum { FEATURES = 9216 /* of the paper's network */, ROUNDS = 2 };

struct rows {
    float *data; /* (n, FEATURES) */
    int n;
};

static void draw_rows(void *argument, struct team team)
{
    const struct rows *r = argument;
    int from, to;
    parallel_range(&from, &to, r->n, 1, team);
    for (int i = from; i < to; i++) {
        float *row = r->data + (size_t)i * FEATURES;
        double square = 0;
        for (int k = 0; k < FEATURES; k++) {
            row[k] = random_uniform(1, 1, (uint64_t)i * FEATURES + (uint64_t)k) - 0.5f;
            square += (double)row[k] * row[k];
        }
        for (int k = 0; k < FEATURES; k++) row[k] *= (float)(1 / sqrt(square));
    }
}

static gvm_status measure_ranking(struct learning *out, const struct arguments *b, gvm_error *err)
{
    int n = (int)b->gallery;
    while (n > 1 && 2.0 * n * FEATURES * sizeof(float) > 0.8 * memory_available()) n /= 2;
    struct rows rows = {.data = malloc(2 * (size_t)n * FEATURES * sizeof *rows.data), .n = 2 * n};
    int *first = malloc(((size_t)n + 1) * sizeof *first);
    double *places = malloc((size_t)n * sizeof *places);
    gvm_status status = GVM_OK;
    if (rows.data == NULL || first == NULL || places == NULL) {
        status = fail(err, GVM_MEMORY, "cannot rank %d features: out of memory", n);
    } else {
        parallel_run(draw_rows, &rows);
        for (int i = 0; i <= n; i++) first[i] = i; /* tile i is the match of query i */
        for (int i = 0; i < n; i++) places[i] = 45 + 1e-5 * i;
        struct retrieval task = {.queries = rows.data,
                                 .gallery = rows.data + (size_t)n * FEATURES,
                                 .Q = n,
                                 .T = n,
                                 .D = FEATURES,
                                 .right = {first, first},
                                 .lat = places,
                                 .lon = places};
        out->gallery = n;
        for (int round = 0; round < ROUNDS && status == GVM_OK; round++) { /* the best counts */
            struct evaluation e;
            double start = clock_seconds();
            status = evaluate(&e, NULL, &task, err);
            lower_to(&out->ranking, clock_seconds() - start);
        }
    }
    free(rows.data);
    free(first);
    free(places);
    return status;
}

/* ------------------------------------------------------------------ the report */

static int print_json(const struct learning *l, const struct arguments *b)
{
    return json_print(json_pack(
        "{s:s, s:s, s:i, s:{s:i, s:i, s:f, s:f, s:f}, s:{s:i, s:i, s:i, s:f}}", "version", gvm_version(),
        "instructions", kernels()->name, "threads", parallel_threads(), "training", "batch", (int)b->batch, "steps",
        (int)b->steps, "pairs_per_s", (double)b->batch * (double)b->steps / l->seconds, "ms_per_pair",
        l->seconds * 1e3 / ((double)b->batch * (double)b->steps), "waiting", l->waited / l->seconds, "ranking",
        "queries", l->gallery, "gallery", l->gallery, "features", (int)FEATURES, "seconds", l->ranking));
}

static void print_learning(const struct learning *l, const struct arguments *b)
{
    double pairs = (double)b->batch * (double)b->steps;
    printf("GeoViewMatch %s, %d threads, %s\n\n", gvm_version(), parallel_threads(), kernels()->name);
    printf(
        "  training      %.1f pairs a second (%s, batch %ld, ASAM, augmented, from a cache; %.1f ms a pair), over %ld\n"
        "                steps; %.1f%% of a step is spent waiting for pictures\n",
        pairs / l->seconds, b->weights ? "the network given" : b->preset, b->batch, l->seconds * 1e3 / pairs, b->steps,
        100 * l->waited / l->seconds);
    printf("  ranking       %.2f s for %d queries among %d tiles of %d numbers\n", l->ranking, l->gallery, l->gallery,
           (int)FEATURES);
    if (l->gallery < b->gallery)
        printf("                (%ld of each, as requested, do not fit into this machine's memory)\n", b->gallery);
}

int bench_learning(const struct arguments *b)
{
    struct learning learning = {0};
    gvm_error err = {"out of memory for the benchmark"};
    gvm_status status = measure_training(&learning, b, &err);
    if (status == GVM_OK) status = measure_ranking(&learning, b, &err);
    if (status != GVM_OK) return failed(&err);
    if (b->json) return print_json(&learning, b);
    print_learning(&learning, b);
    return DONE;
}
