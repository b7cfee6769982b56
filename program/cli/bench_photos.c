/* bench_photos.c - see bench.h: what a street picture costs that shows a part of the panorama, with a known and with an
 * unknown heading. Products are those that the layers counted in the pass. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/parallel.h"
#include "cli/bench.h"
#include "network/embedder.h"
#include "network/place.h"
#include "tensor/kernels.h"

enum { MOST_PASSES = 256 };

/* A kind of picture: a strip of the panorama, or what a level camera sees. */
struct kind {
    const char *name, *key;
    double across, down; /* fields of view, degrees; down 0: a strip of all rows */
};

static const struct kind kinds[] = {
    {"panorama", "panorama", 360, 0},
    {"strip of 180 degrees", "strip_180", 180, 0},
    {"strip of 90 degrees", "strip_90", 90, 0},
    {"photo, 106 x 90 (13 mm)", "photo_106", 106, 90},
    {"photo, 67 x 53 (26 mm)", "photo_67", 67, 53},
    {"portrait, 53 x 67 (26 mm)", "portrait_53", 53, 67},
    {"photo, 40 x 27 (50 mm)", "photo_40", 40, 27},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* Of one kind of picture. */
struct figures {
    double tokens;      /* share that is seen */
    double products[2]; /* multiply-adds with a known, and with an unknown heading */
    double seconds[2];  /* the same */
};

static const double DEGREE = 0.017453292519943295;

/* Whether a picture of that kind shows the centre of a pixel (row, column). */
static bool shows(const struct kind *kind, const struct picture_shape *shape, int row, int column)
{
    double azimuth = ((column + 0.5) / shape->width - 0.5) * 360;
    double elevation = shape->elevation[1] - (row + 0.5) / shape->height * (shape->elevation[1] - shape->elevation[0]);
    if (fabs(azimuth) > kind->across / 2 || fabs(azimuth) >= (kind->down > 0 ? 90 : 361)) return false;
    double rise = tan(elevation * DEGREE) / cos(azimuth * DEGREE); /* on a plane at distance 1 */
    return kind->down == 0 || fabs(rise) <= tan(kind->down / 2 * DEGREE);
}

/* Fill in a picture; returns the share of its patches that are seen. */
static double draw(uint8_t *picture, const struct kind *kind, const struct picture_shape *shape)
{
    int H = shape->height, W = shape->width, across = W / SEEN_PATCH, count = (int)seen_bytes(shape), seen = 0;
    for (int i = 0; i < H * W * 3; i++) picture[i] = (uint8_t)((unsigned)i * 2654435761u >> 24);
    for (int i = 0; i < count; i++) {
        int shown = 0;
        for (int k = 0; k < SEEN_PATCH * SEEN_PATCH; k++)
            shown +=
                shows(kind, shape, i / across * SEEN_PATCH + k / SEEN_PATCH, i % across * SEEN_PATCH + k % SEEN_PATCH);
        picture_seen(picture, shape)[i] = 2 * shown >= SEEN_PATCH * SEEN_PATCH;
        seen += picture_seen(picture, shape)[i];
    }
    return (double)seen / count;
}

struct bench {
    struct network *network;
    struct embedder *one, *all; /* for a known heading, and for the passes of an unknown one */
    struct picture_shape shape;
    int headings, passes; /* tried if the heading is unknown, and the passes that they take */
    uint8_t *pictures;    /* (passes) */
    float *features;
};

static void close_bench(struct bench *b)
{
    embedder_free(b->one);
    embedder_free(b->all);
    network_free(b->network);
    free(b->pictures);
    free(b->features);
}

static gvm_status open_bench(struct bench *b, const struct arguments *a, gvm_error *err)
{
    gvm_status status = bench_network(&b->network, a, false, err);
    if (status != GVM_OK) return status;
    const struct branch *street = &b->network->views[GVM_STREET];
    b->shape = config_shape(&b->network->config, GVM_STREET);
    if (!b->shape.masked)
        return fail(err, GVM_ARGUMENT,
                    "--photos: these weights take full panoramas only; choose some whose configuration is \"visible\"");
    int headings = network_headings(b->network), turns = headings % street->turns == 0 ? street->turns : 1;
    b->headings = headings < MOST_PASSES ? headings : MOST_PASSES;
    b->passes = b->headings / turns;
    size_t passes = (size_t)b->passes;
    status = network_place(b->network, err);
    if (status == GVM_OK) status = embedder_open(&b->one, b->network, GVM_STREET, 1, err);
    if (status == GVM_OK) status = embedder_open(&b->all, b->network, GVM_STREET, b->passes, err);
    if (status != GVM_OK) return status;
    b->pictures = malloc(passes * street->bytes);
    b->features = malloc(passes * (size_t)street->turns * (size_t)street->features * sizeof *b->features);
    return b->pictures && b->features ? GVM_OK : GVM_MEMORY;
}

/* One pass with a known heading (way 0), or all passes of an unknown one. */
static gvm_status run(struct figures *f, struct bench *b, int way, gvm_error *err)
{
    struct embedder *e = way == 0 ? b->one : b->all;
    double start = clock_seconds();
    gvm_status status = way == 0 ? embedder_run(e, b->features, b->pictures, 1, err)
                        : b->passes < b->headings
                            ? embedder_run_turns(e, b->features, b->pictures, (size_t)b->passes, err)
                            : embedder_run(e, b->features, b->pictures, (size_t)b->passes, err);
    lower_to(&f->seconds[way], clock_seconds() - start);
    f->products[way] = (double)counts_all(&embedder_tape(e)->counts);
    return status;
}

static gvm_status measure(struct figures figures[KINDS], struct bench *b, const struct arguments *a,
                          struct progress *progress, gvm_error *err)
{
    size_t bytes = picture_bytes(&b->shape);
    gvm_status status = GVM_OK;
    for (long round = 0; round < a->rounds && status == GVM_OK; round++) {
        for (int k = 0; k < KINDS && status == GVM_OK; k++) {
            figures[k].tokens = draw(b->pictures, &kinds[k], &b->shape);
            for (int p = 1; p < b->passes; p++) {
                uint8_t *turned = b->pictures + (size_t)p * bytes;
                memcpy(turned, b->pictures, bytes);
                panorama_turn(turned, &b->shape, 360.0 * p / b->headings);
            }
            for (int way = 0; way < 2 && status == GVM_OK; way++) status = run(&figures[k], b, way, err);
        }
        progress_step(progress, (size_t)round + 1);
    }
    return status;
}

static int print_figures(const struct figures figures[KINDS], const struct bench *b)
{
    json_t *rows = json_array();
    for (int k = 0; k < KINDS; k++) {
        const struct figures *f = &figures[k], *whole = &figures[0];
        json_array_append_new(
            rows, json_pack("{s:s, s:f, s:f, s:f, s:f, s:f}", "picture", kinds[k].key, "tokens", f->tokens, "products",
                            f->products[0] / whole->products[0], "ms", f->seconds[0] * 1e3, "unknown_heading_passes",
                            f->products[1] / whole->products[0], "unknown_heading_ms", f->seconds[1] * 1e3));
    }
    return json_print(json_pack("{s:i, s:s, s:i, s:i, s:f, s:o}", "threads", parallel_threads(), "instructions",
                                kernels()->name, "headings", b->headings, "passes", b->passes, "multiply_adds_G",
                                1e-9 * figures[0].products[0], "pictures", rows));
}

static void print_rows(const struct figures figures[KINDS], const struct bench *b)
{
    const struct figures *whole = &figures[0];
    printf("GeoViewMatch %s, %d threads, %s; an unknown heading takes %d headings in %d passes\n\n", gvm_version(),
           parallel_threads(), kernels()->name, b->headings, b->passes);
    printf("  %-26s %8s %9s %8s %8s   %s\n", "", "tokens", "products", "ms", "time", "unknown heading");
    for (int k = 0; k < KINDS; k++) {
        const struct figures *f = &figures[k];
        printf("  %-26s %7.1f%% %8.1f%% %8.2f %7.1f%%   %5.2f passes, %.2f ms\n", kinds[k].name, 100 * f->tokens,
               100 * f->products[0] / whole->products[0], f->seconds[0] * 1e3, 100 * f->seconds[0] / whole->seconds[0],
               f->products[1] / whole->products[0], f->seconds[1] * 1e3);
    }
    printf("\nproducts and passes: multiply-adds compared with one pass of a panorama (%.3f G)\n",
           1e-9 * whole->products[0]);
}

int bench_photos(const struct arguments *a)
{
    struct bench b = {.passes = 0};
    struct figures figures[KINDS] = {{0}};
    struct progress progress = {.quiet = a->common.quiet};
    gvm_error err = {"out of memory for the benchmark"};
    gvm_status status = open_bench(&b, a, &err);
    progress_start(&progress, "bench", "rounds", (size_t)a->rounds);
    if (status == GVM_OK) status = measure(figures, &b, a, &progress, &err);
    progress_end(&progress);
    int end = status != GVM_OK ? failed(&err) : a->json ? print_figures(figures, &b) : DONE;
    if (status == GVM_OK && !a->json) print_rows(figures, &b);
    close_bench(&b);
    return end;
}
