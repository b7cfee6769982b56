/* cmd_bench.c - times the network on this machine, compared with the machine's peak and the paper's cost table.
 *
 * With --search, --learning and --photos, bench_search.c and its neighbours measure instead.
 *
 * The peak is measured in the same run, between the passes: the larger of a loop of fused multiply-adds in registers
 * and the best product of oneDNN, on all threads. Every figure is the best of its rounds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/parallel.h"
#include "cli/bench.h"
#include "network/embedder.h"
#include "network/place.h"
#include "network/registry.h"
#include "tensor/device.h"
#include "tensor/gemm.h"
#include "tensor/kernels.h"

enum { BATCHES = 2 };
static int batches[BATCHES] = {16, 1}; /* the first counts pictures; a place can have several */
static const char *const view_names[2] = {"street", "aerial"};

struct figures {
    struct peak peak;
    double seconds[2][BATCHES]; /* of one pass, by view and batch */
    double step_seconds;        /* of one training step, 0 if none was run */
    double step_bytes;          /* peak memory of the process up to the end of the steps */
    double pass_bytes[2];       /* of activations and scratch at batch size 16 */
    struct counts counts[2];    /* of one picture, or all pictures of a place, by view */
    int pictures;               /* of a place */
    int aerial_each, passes;    /* aerial pictures of a training pair; passes of a step */
    size_t parameters;
};

/* ------------------------------------------------------------------ embedding */

/* Pictures of noise; all of them are seen. */
static uint8_t *noise(size_t count, const struct branch *branch)
{
    size_t bytes = count * branch->bytes;
    uint8_t *pixels = malloc(bytes);
    for (size_t i = 0; pixels && i < bytes; i++) pixels[i] = (uint8_t)(i * 2654435761u >> 24 | 1);
    return pixels;
}

struct embedding {
    struct embedder *embedder;
    uint8_t *pixels;
    float *features;
    int B;
};

static gvm_status open_embedding(struct embedding *e, const struct network *network, int v, int B, gvm_error *err)
{
    gvm_status status = embedder_open(&e->embedder, network, v, B, err);
    if (status != GVM_OK) return status;
    e->B = B;
    e->pixels = noise((size_t)B, &network->views[v]);
    e->features = malloc((size_t)B * (size_t)network->views[v].features * sizeof *e->features);
    return e->pixels && e->features ? GVM_OK : GVM_MEMORY;
}

static gvm_status measure_embedding(struct figures *f, const struct arguments *a, struct progress *progress,
                                    gvm_error *err)
{
    struct network *network = NULL;
    struct embedding e[2][BATCHES] = {{{0}}};
    gvm_status status = bench_network(&network, a, false, err);
    if (status == GVM_OK) f->pictures = network->views[GVM_AERIAL].pictures;
    if (status == GVM_OK) batches[0] /= f->pictures;
    for (int v = 0; v < 2 && status == GVM_OK; v++) status = network_counts(&f->counts[v], network, v, err);
    if (status == GVM_OK) f->parameters = network_parameters(network);
    if (status == GVM_OK) status = network_place(network, err);
    for (int i = 0; i < 2 * BATCHES && status == GVM_OK; i++)
        status = open_embedding(&e[i / BATCHES][i % BATCHES], network, i / BATCHES, batches[i % BATCHES], err);
    for (int round = 0; round <= a->rounds && status == GVM_OK;
         round++) { /* round 0 warms up; a device captures its graph */
        for (int v = 0; v < 2; v++)
            for (int b = 0; b < BATCHES; b++)
                for (int repeat = 0; repeat < (batches[b] == 1 ? 8 : 2) && status == GVM_OK; repeat++) {
                    const struct embedding *one = &e[v][b]; /* pixels from the host, features back */
                    double start = clock_seconds();
                    status = embedder_run(one->embedder, one->features, one->pixels, (size_t)one->B, err);
                    if (round > 0) lower_to(&f->seconds[v][b], clock_seconds() - start);
                }
        if (status == GVM_OK) measure_peak(&f->peak, embedder_tape(e[0][0].embedder));
        progress_step(progress, (size_t)round + 1);
    }
    for (int i = 0; i < 2 * BATCHES; i++) {
        struct embedding *one = &e[i / BATCHES][i % BATCHES];
        if (one->embedder && one->B == batches[0]) f->pass_bytes[i / BATCHES] = (double)embedder_memory(one->embedder);
        embedder_free(one->embedder);
        free(one->pixels);
        free(one->features);
    }
    network_free(network);
    return status;
}

/* ------------------------------------------------------------------ training */

static gvm_status measure_training(struct figures *f, const struct arguments *a, struct progress *progress,
                                   gvm_error *err)
{
    struct bench_training t;
    uint8_t *street = NULL, *aerial = NULL;
    gvm_status status = bench_training_open(&t, a, err);
    if (status == GVM_OK) {
        const struct branch *s = &t.network->views[GVM_STREET], *v = &t.network->views[GVM_AERIAL];
        f->aerial_each = t.network->config.method->aerial_each;
        f->passes = t.passes;
        street = noise((size_t)a->batch, s);
        aerial = noise((size_t)a->batch * (size_t)f->aerial_each, v);
        if (street == NULL || aerial == NULL) status = GVM_MEMORY;
    }
    long rounds = a->rounds < 3 ? a->rounds : 3;
    if (a->common.cuda && rounds < 2) rounds = 2; /* the first two steps are not replayed from the graph */
    for (int round = 0; round <= rounds && status == GVM_OK; round++) {
        double start = clock_seconds();
        status = bench_step(&t, street, aerial, err);
        if (round > 0) lower_to(&f->step_seconds, clock_seconds() - start);
        measure_peak(&f->peak, t.learner.tape);
        progress_step(progress, (size_t)(a->rounds + 2 + round));
    }
    struct rusage usage;
    if (status == GVM_OK && getrusage(RUSAGE_SELF, &usage) == 0) f->step_bytes = (double)usage.ru_maxrss * 1024;
    if (status == GVM_OK && chosen_device()->memory) f->step_bytes = chosen_device()->memory();
    bench_training_close(&t);
    free(street);
    free(aerial);
    return status;
}

/* ------------------------------------------------------------------ the report */

/* GFLOP of one picture; a multiply-add is two operations. */
static double work(const struct figures *f, int view)
{
    return 2e-9 * (double)counts_all(&f->counts[view]);
}

/* GFLOP of a training step: forward, and twice as many backward, in each of its passes. */
static double step_work(const struct figures *f, long pairs)
{
    return 3 * f->passes * (double)pairs * (work(f, GVM_STREET) + f->aerial_each * work(f, GVM_AERIAL));
}

static double paper_count(const struct figures *f)
{
    return 1e-9 * (double)(counts_paper(&f->counts[0]) + counts_paper(&f->counts[1]));
}

static int print_json(const struct figures *f, const struct arguments *a)
{
    double peak = peak_of(&f->peak);
    char onednn[32];
    gemm_version(onednn);
    json_t *views[2];
    for (int v = 0; v < 2; v++) {
        views[v] = json_pack("{s:f}", "multiply_adds_G", work(f, v) / 2);
        if (v == GVM_AERIAL && f->pictures > 1) json_object_set_new(views[v], "pictures", json_integer(f->pictures));
        for (int b = 0; b < BATCHES; b++) {
            char key[32];
            snprintf(key, sizeof key, "ms_batch%d", batches[b]);
            json_object_set_new(views[v], key, json_real(f->seconds[v][b] * 1e3 / batches[b]));
            snprintf(key, sizeof key, "of_peak_batch%d", batches[b]);
            json_object_set_new(views[v], key, json_real(batches[b] * work(f, v) / f->seconds[v][b] / peak));
        }
    }
    json_t *root =
        json_pack("{s:s, s:s, s:s, s:i, s:I, s:f, s:{s:f, s:f}, s:o, s:o}", "version", gvm_version(), "instructions",
                  kernels()->name, "onednn", onednn, "threads", parallel_threads(), "parameters",
                  (json_int_t)f->parameters, "paper_multiply_adds_G", paper_count(f), "peak", "fma_gflops", f->peak.fma,
                  "product_gflops", f->peak.product, "aerial", views[GVM_AERIAL], "street", views[GVM_STREET]);
    if (a->common.cuda) {
        char about[128];
        chosen_device()->about(about, sizeof about);
        json_object_set_new(root, "device", json_text(about));
    }
    if (f->step_seconds > 0)
        json_object_set_new(root, "train",
                            json_pack("{s:i, s:f, s:f, s:f}", "batch", (int)a->batch, "ms_per_pair",
                                      f->step_seconds * 1e3 / (double)a->batch, "of_peak",
                                      step_work(f, a->batch) / f->step_seconds / peak, "peak_gib",
                                      f->step_bytes / (1 << 30)));
    return json_print(root);
}

static void print_rate(const char *what, double ms, double gflops, double peak)
{
    printf("  %-24s %9.2f %10.1f %8.1f%%\n", what, ms, gflops, 100 * gflops / peak);
}

/* The paper's Table 4, measured there on an RTX 4090 at batch 16. */
static void print_costs(const struct figures *f)
{
    double both = (f->seconds[0][0] + f->seconds[1][0]) * 1e3, weights = (double)f->parameters * 4;
    double memory = weights + (f->pass_bytes[0] > f->pass_bytes[1] ? f->pass_bytes[0] : f->pass_bytes[1]);
    printf("\nThe paper's Table 4 (RTX 4090, batch 16), and this machine (16 pairs, embedding):\n\n"
           "  %-28s %8s %10s %9s %12s\n",
           "method", "GFLOPs", "memory GB", "ms", "parameters M");
    printf("  %-28s %8.2f %10.2f %9.0f %12.2f\n", "SAFA", 42.24, 9.63, 120.0, 81.66);
    printf("  %-28s %8.2f %10.2f %9.0f %12.2f\n", "L2LTR", 44.16, 15.50, 82.0, 195.90);
    printf("  %-28s %8.4f %10.2f %9.0f %12.2f\n", "GeoViewMatch, the paper's", 9.7616, 11.40, 42.0, 57.47);
    printf("  %-28s %8.4f %10.2f %9.0f %12.2f\n", "GeoViewMatch, here", paper_count(f), memory * 1e-9, both,
           (double)f->parameters * 1e-6);
    printf("\nGFLOPs as the paper counts them: one per multiply-add, excluding queries, keys, values and attention "
           "products.\n");
}

static void print_text_report(const struct figures *f, const struct arguments *a)
{
    double peak = peak_of(&f->peak);
    char onednn[32];
    gemm_version(onednn);
    if (a->common.cuda) {
        char about[128];
        chosen_device()->about(about, sizeof about);
        printf("GeoViewMatch %s, %s\n\n", gvm_version(), about);
    } else
        printf("GeoViewMatch %s, %d threads, %s, oneDNN %s\n\n", gvm_version(), parallel_threads(), kernels()->name,
               onednn);
    printf("  parameters               %zu\n", f->parameters);
    printf("  multiply-adds            %.3f G aerial, %.3f G street; a pair as the paper counts %.2f G\n",
           work(f, GVM_AERIAL) / 2, work(f, GVM_STREET) / 2, paper_count(f));
    if (f->pictures > 1) printf("  aerial place             %d pictures\n", f->pictures);
    if (a->common.cuda)
        printf("  peak                     %.1f GFLOP/s (best product)\n\n", peak);
    else
        printf("  peak                     %.1f GFLOP/s (multiply-adds in registers %.1f, best product %.1f)\n\n", peak,
               f->peak.fma, f->peak.product);
    printf("  %-24s %9s %10s %9s\n", "", "ms each", "GFLOP/s", "of peak");
    for (int b = 0; b < BATCHES; b++)
        for (int v = 1; v >= 0; v--) {
            char what[64];
            bool several = v == GVM_AERIAL && f->pictures > 1;
            snprintf(what, sizeof what, "%s %s, batch %d", view_names[v], several ? "place" : "image", batches[b]);
            print_rate(what, f->seconds[v][b] * 1e3 / batches[b], batches[b] * work(f, v) / f->seconds[v][b], peak);
        }
    if (f->step_seconds > 0) {
        char what[64];
        snprintf(what, sizeof what, "training pair, batch %ld", a->batch);
        print_rate(what, f->step_seconds * 1e3 / (double)a->batch, step_work(f, a->batch) / f->step_seconds, peak);
        double five = 5.0 * 4 * (double)f->parameters;
        printf("\n  training needs at most %.2f GiB: five times the weights, and %.3f GiB a pair\n",
               f->step_bytes / (1 << 30), (f->step_bytes - five) / (double)a->batch / (1 << 30));
    }
    if (a->weights == NULL && strcmp(a->preset, "paper") == 0 && !a->common.cuda) print_costs(f);
}

static int complete_arguments(struct arguments *a)
{
    const char *name = a->common.name;
    a->train = !a->no_train;
    if (a->preset == NULL) a->preset = a->photos ? "nano-photo" : a->learning ? "nano" : "paper";
    if (a->batch == 0 && (a->common.cuda || a->learning)) a->batch = a->common.cuda ? 128 : 32;
    if (a->common.cuda) batches[0] = 256;
    if (a->common.cuda && a->search) return usage_error(name, "--search runs on the CPU; leave out --device cuda");
    return GO_ON;
}

/* Search with the requested network's feature size. */
static int run_search(const struct arguments *a)
{
    struct network *network;
    gvm_error err = {"out of memory for the benchmark"};
    if (bench_network(&network, a, false, &err) != GVM_OK) return failed(&err);
    int D = network->views[GVM_AERIAL].features;
    network_free(network);
    return bench_search(a, D);
}

static int bench(void *arguments)
{
    struct arguments *a = arguments;
    int end = complete_arguments(a);
    if (end != GO_ON) return end;
    if (a->search) return run_search(a);
    if (a->learning) return bench_learning(a);
    if (a->photos) return bench_photos(a);
    struct figures f = {0};
    struct progress progress = {.quiet = a->common.quiet};
    gvm_error err = {"out of memory for the benchmark"};
    long steps = a->rounds + 1 + (a->train ? (a->rounds < 3 ? a->rounds : 3) + 1 : 0);
    progress_start(&progress, "bench", "rounds", (size_t)steps);
    gvm_status result = measure_embedding(&f, a, &progress, &err);
    if (a->batch == 0) a->batch = f.pictures > 1 ? 2 : 4;
    if (result == GVM_OK && a->train) result = measure_training(&f, a, &progress, &err);
    progress_end(&progress);
    if (result != GVM_OK) return failed(&err);
    if (a->json) return print_json(&f, a);
    print_text_report(&f, a);
    return DONE;
}

static const struct option_row rows[] = {
    {"preset", OPTION_TEXT, AT(preset), "NAME", .words = preset_name,
     .help = "network to time (default: paper; nano with --learning, nano-photo with --photos)"},
    {"weights", OPTION_TEXT, AT(weights), "W", .help = "use a checkpoint's network instead"},
    {"rounds", OPTION_LONG, AT(rounds), "N", 1, 1000, "5", .help = "rounds; the best of each is reported"},
    {"batch", OPTION_LONG, AT(batch), "N", 2, 512,
     .help = "batch size of the training step, by default 4, or 2 with several pictures a place; 32 with --learning, "
             "128 with --device cuda"},
    {"no-train", OPTION_FLAG, AT(no_train), .help = "time embedding only"},
    {"search", OPTION_FLAG, AT(search),
     .help = "time the search of a map instead: one query compared with reading all features, and a batch compared "
             "with the peak"},
    {"tiles", OPTION_LONG, AT(tiles), "N", 1, 1e7, .with = "search",
     .help = "with --search: number of tiles (default: 100000, or as many as memory holds)"},
    {"learning", OPTION_FLAG, AT(learning), .help = "time training with the loader, and ranking, instead"},
    {"photos", OPTION_FLAG, AT(photos),
     .help = "time street pictures of several fields of view instead: their share of a panorama's tokens, products and "
             "time, with a known and an unknown heading"},
    {"steps", OPTION_LONG, AT(steps), "N", 1, 1000, "20", .help = "training steps"},
    {"gallery", OPTION_LONG, AT(gallery), "N", 1, 1e5, "10000", .help = "number of queries, and of tiles, to rank"},
    {"json", OPTION_FLAG, AT(json), .help = "print the figures as JSON"},
    {0},
};

const struct command bench_command = {
    .name = "bench",
    .summary = "how fast this machine runs the network",
    .usage = "[options]",
    .about = "Times the network on this machine: embedding in batches of 16 (256 with --device cuda; counted in "
             "pictures if a place has several) and of 1, and a complete training step (ASAM: forward and backward "
             "twice, and the update), each compared with the peak measured in the same run. Leave the machine idle "
             "meanwhile. With --learning it times what surrounds the network instead: training steps on pictures that "
             "pass through the loader and a cache, from a generated town, and the ranking of an evaluation.",
    .rows = rows,
    .device = true,
    .examples = "  geoviewmatch bench --preset nano\n"
                "  geoviewmatch bench --learning --preset paper --batch 8\n",
    .size = sizeof(struct arguments),
    .run = bench,
};
