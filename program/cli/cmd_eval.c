/* cmd_eval.c - the paper's figures (its section 4.2) for a network and a data set, beside the paper's own; or, by
 * eval_metres.c, recalls in metres over a map. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "base/output.h"
#include "base/parallel.h"
#include "cli/eval.h"
#include "network/checkpoint.h"
#include "network/place.h"
#include "train/evaluate_split.h"
#include "train/gallery.h"

enum protocol { PAPER, METRES };

/* The paper's Tables 1 to 3. */
struct paper_row {
    const char *method;
    double recall[AT_COUNT];
};

static const struct paper_row cvusa_rows[] = {
    {"LOCG", {40.79, 68.82, 76.36, 96.12}},         {"CVFT", {61.43, 84.69, 90.49, 99.02}},
    {"SAFA", {89.84, 96.93, 98.14, 99.64}},         {"CDTE", {92.56, 97.55, 98.33, 99.57}},
    {"L2LTR", {94.05, 98.27, 98.99, 99.67}},        {"TransGeo", {94.08, 98.36, 99.04, 99.77}},
    {"GeoViewMatch", {95.52, 99.22, 99.67, 99.83}},
};

static const struct paper_row cvact_rows[] = {
    {"LOCG", {46.96, 68.28, 75.48, 92.01}},         {"CVFT", {61.05, 81.33, 86.52, 95.93}},
    {"SAFA", {81.03, 92.80, 94.84, 98.17}},         {"CDTE", {83.28, 93.57, 95.42, 98.22}},
    {"L2LTR", {84.89, 94.59, 95.96, 98.37}},        {"TransGeo", {84.95, 94.14, 95.78, 98.37}},
    {"GeoViewMatch", {89.71, 95.93, 96.92, 98.48}},
};

struct paper_metres {
    const char *method;
    double within[AT_COUNT], mean[AT_COUNT];
};

static const struct paper_metres cvact_metres[] = {
    {"LOCG", {42.13, 44.23, 45.04, 46.34}, {2546, 3859, 4215, 4909}},
    {"CVFT", {59.35, 64.66, 65.75, 67.51}, {1378, 3396, 3939, 4894}},
    {"SAFA", {72.76, 77.75, 78.69, 79.92}, {916, 3238, 3882, 4953}},
    {"CDTE", {83.44, 88.97, 89.77, 90.69}, {392, 2911, 3594, 4778}},
    {"L2LTR", {83.91, 88.99, 89.97, 90.83}, {384, 2938, 3671, 4876}},
    {"TransGeo", {84.91, 89.59, 90.42, 91.19}, {352, 2821, 3556, 4790}},
    {"GeoViewMatch", {89.71, 93.30, 93.83, 94.50}, {223, 2668, 3403, 4700}},
};

enum { PAPER_ROWS = 7 };

static void print_four(const char *method, const double values[AT_COUNT], const char *format)
{
    printf("  %-20s", method);
    for (int k = 0; k < AT_COUNT; k++) printf(format, values[k]);
    printf("\n");
}

/* Whether some tiles show a query's place off-centre, as in VIGOR; without them the hit rate is R@1. */
static bool has_near(const struct split *split)
{
    for (int q = 0; q < split->query_count; q++)
        if (split->queries[q].near_count > 0) return true;
    return false;
}

static const char *direction(bool reverse)
{
    return reverse ? "aerial to street" : "street to aerial";
}

static void print_report(const struct evaluation *e, const struct dataset *data, bool reverse)
{
    const struct paper_row *rows = strcmp(data->format, "CVUSA") == 0   ? cvusa_rows
                                   : strcmp(data->format, "CVACT") == 0 ? cvact_rows
                                                                        : NULL;
    if (reverse) rows = NULL;
    printf("%s, %s: %d queries, gallery of %d\n\n", data->format, direction(reverse), e->queries, e->gallery);
    printf("  %-20s %8s %8s %8s %8s\n", "recall, percent", "R@1", "R@5", "R@10", "R@1%");
    for (int i = 0; rows && i < PAPER_ROWS; i++) print_four(rows[i].method, rows[i].recall, " %8.2f");
    print_four(rows ? "these weights" : "", e->recall, " %8.2f");
    printf("\n  R@K: share of queries with the right tile among the best K; 1%% of this gallery is K = %d\n", e->at[3]);
    if (has_near(&data->test))
        printf(
            "  hit rate %.2f%%: as R@1, but a tile that shows the place off-centre is skipped, not counted as a miss\n",
            e->hit_rate);
    if (!e->has_metres) return;
    bool beside = rows == cvact_rows;
    printf("\n  %-20s %8s %8s %8s %8s\n", "best within, percent", "0 m", "36 m", "72 m", "144 m");
    for (int i = 0; beside && i < PAPER_ROWS; i++) print_four(cvact_metres[i].method, cvact_metres[i].within, " %8.2f");
    print_four(beside ? "these weights" : "", e->within, " %8.2f");
    printf("\n  %-20s %8s %8s %8s %8s\n", "mean metres of top", "1", "5", "10", "1%");
    for (int i = 0; beside && i < PAPER_ROWS; i++) print_four(cvact_metres[i].method, cvact_metres[i].mean, " %8.0f");
    print_four(beside ? "these weights" : "", e->mean_m, " %8.1f");
    printf("\n  median error of the best one %.1f m\n", e->median_m);
}

static json_t *json_four(const char *const keys[AT_COUNT], const double values[AT_COUNT])
{
    json_t *object = json_object();
    for (int k = 0; k < AT_COUNT; k++) json_put(&object, keys[k], json_real(values[k]));
    return object;
}

static int print_json(const struct evaluation *e, const struct dataset *data, bool reverse)
{
    static const char *const at[] = {"R@1", "R@5", "R@10", "R@1%"}, *const metres[] = {"0", "36", "72", "144"},
                             *const top[] = {"1", "5", "10", "1%"};
    json_t *root = json_pack("{s:s, s:s, s:i, s:i}", "format", data->format, "direction", direction(reverse), "queries",
                             e->queries, "gallery", e->gallery);
    json_t *recall = json_four(at, e->recall);
    if (json_object_update_new(root, recall) != 0) json_put(&root, "recall", NULL); /* without memory */
    json_put(&root, "hit_rate", json_real(e->hit_rate));
    if (e->has_metres) {
        json_put(&root, "within_percent", json_four(metres, e->within));
        json_put(&root, "mean_m", json_four(top, e->mean_m));
        json_put(&root, "median_m", json_real(e->median_m));
    }
    return json_print(root);
}

/* ------------------------------------------------------------------ matches */

#define MATCHES_START "query,rank"

static void print_match(FILE *out, const struct ranking *ranking, const struct split *split, const char *query)
{
    csv_write(out, query);
    fprintf(out, ",%d", ranking->rank + 1);
    for (int k = 0; k < TOP_KEPT; k++) {
        int tile = ranking->top[k];
        fputc(',', out);
        if (tile >= 0) csv_write(out, split->tiles[tile].path);
        fputc(',', out);
        if (tile >= 0) fprintf(out, "%.6f", (double)ranking->score[k]);
    }
    fputc('\n', out);
}

static gvm_status write_matches(const char *path, const struct ranking *rankings, const struct split *split,
                                gvm_error *err)
{
    struct file_writer w;
    FILE *out;
    gvm_status status = file_writer_stream(&out, &w, path, err);
    if (status != GVM_OK) return status;
    fputs(MATCHES_START, out);
    for (int k = 1; k <= TOP_KEPT; k++) fprintf(out, ",tile%d,score%d", k, k);
    fputc('\n', out);
    for (int q = 0; q < split->query_count; q++) print_match(out, &rankings[q], split, split->queries[q].path);
    return file_writer_commit(&w, err);
}

/* ------------------------------------------------------------------ the command */

static int check_protocol(const struct arguments *a)
{
    static const char *const metres[] = {"protocol", "index", "photos", "panorama", "weights", "json", NULL},
                             *const of_metres[] = {"index", "photos", "panorama", NULL};
    bool paper = a->protocol == PAPER;
    const char *wrong = paper ? options_given(&a->common, of_metres) : options_given_but(&a->common, metres);
    if (wrong != NULL)
        return usage_error(a->common.name, "--%s requires --protocol %s", wrong, paper ? "metres" : "paper");
    const char *missing = paper ? a->data ? NULL : "data" : !a->index ? "index" : !a->photos ? "photos" : NULL;
    return missing == NULL ? GO_ON : usage_error(a->common.name, "--%s is required", missing);
}

static int check_arguments(const struct arguments *a)
{
    if (a->reverse && (a->matches || a->gallery))
        return usage_error(a->common.name, "%s supports street to aerial only",
                           a->matches ? "--matches" : "--gallery-picture");
    const char *files[] = {a->matches, a->gallery, a->cache};
    for (int i = 0; i < 3; i++) /* the later one would overwrite the earlier */
        if (files[i] && files[(i + 1) % 3] && strcmp(files[i], files[(i + 1) % 3]) == 0)
            return usage_error(a->common.name, "--matches, --gallery-picture and --cache must be different files");
    return GO_ON;
}

struct job {
    struct eval_job on;
    struct evaluation figures;
    struct ranking *rankings; /* NULL if no file needs them */
};

/* Find out before hours of work whether the files can be written. */
static gvm_status check_outputs(const struct arguments *a, gvm_error *err)
{
    static const struct output_kind matches = {"a list of matches", .start = MATCHES_START ",tile1,score1,"};
    const char *inputs[] = {a->data, a->weights, a->cache};
    gvm_status status = a->matches ? output_check(a->matches, &matches, a->force, inputs, 3, err) : GVM_OK;
    if (status == GVM_OK && a->gallery) status = output_check(a->gallery, &output_picture, a->force, inputs, 3, err);
    return status;
}

static gvm_status open_job(struct eval_job *j, const struct arguments *a, gvm_error *err)
{
    gvm_status status = checkpoint_load(&j->network, weights_path(a->weights), false, err);
    if (status != GVM_OK) return status;
    const struct config *c = &j->network->config;
    struct dataset_options options = {
        .format = a->format, .test = a->test, .elevation = c->elevation, .ground_m = c->cell_m, .imagery = a->imagery};
    status = dataset_open(&j->data, a->data, &options, err); /* panoramas are cut to the weights' elevations */
    if (status == GVM_OK) status = pictures_open(&j->pictures, j->data, c, err);
    if (status == GVM_OK) pictures_inner(&j->pictures, a->inner);
    if (status == GVM_OK) status = pictures_keep(&j->pictures, 0, err);
    if (status == GVM_OK) status = network_place(j->network, err);
    if (status != GVM_OK) return status;
    struct cache_options o = {.workers = parallel_threads() < 64 ? parallel_threads() : 64};
    if (a->cache) status = cache_open(&j->cache, a->cache, &j->pictures, &o, err);
    j->pictures.cache = j->cache;
    return status;
}

static gvm_status run(struct job *j, const struct arguments *a, gvm_error *err)
{
    const struct eval_job *on = &j->on;
    gvm_status status = check_outputs(a, err);
    if (status == GVM_OK) status = open_job(&j->on, a, err);
    if (status != GVM_OK || a->fov) return status;
    status = evaluate_split(&j->figures, a->matches || a->gallery ? &j->rankings : NULL, on->network, &on->pictures,
                            &on->data->test, a->reverse, eval_show_pictures, &j->on.progress, err);
    progress_end(&j->on.progress);
    return status;
}

/* After the figures are printed: a full disk must not lose them. */
static gvm_status write_files(const struct job *j, const struct arguments *a, gvm_error *err)
{
    gvm_status status = GVM_OK;
    const struct eval_job *on = &j->on;
    if (a->matches) status = write_matches(a->matches, j->rankings, &on->data->test, err);
    if (status == GVM_OK && a->gallery)
        status = gallery_save(a->gallery, j->rankings, &on->pictures, &on->data->test, (int)a->rows, err);
    return status;
}

static void print_files(const struct arguments *a)
{
    bool both = a->matches && a->gallery;
    if (!a->matches && !a->gallery) return;
    putchar('\n');
    print_line("  written: %s%s%s", a->matches ? a->matches : "", both ? ", " : "", a->gallery ? a->gallery : "");
}

static int print_all(struct job *j, const struct arguments *a)
{
    gvm_error err;
    int end = DONE;
    if (a->fov) return eval_fov(&end, &j->on, a, &err) == GVM_OK ? end : failed(&err);
    if (a->json)
        end = print_json(&j->figures, j->on.data, a->reverse);
    else
        print_report(&j->figures, j->on.data, a->reverse);
    if (write_files(j, a, &err) != GVM_OK) end = failed(&err);
    if (end == DONE && !a->json) print_files(a);
    return end;
}

static int eval(void *arguments)
{
    const struct arguments *a = arguments;
    struct job j = {.on = {.progress = {.quiet = a->common.quiet}}};
    gvm_error err;
    int end = check_protocol(a);
    if (end == GO_ON && a->protocol == METRES) return eval_metres(a);
    if (end == GO_ON) end = check_arguments(a);
    if (end == GO_ON && a->fov) end = eval_fov_check(a);
    if (end != GO_ON) return end;
    end = run(&j, a, &err) == GVM_OK ? print_all(&j, a) : failed(&err);
    free(j.rankings);
    cache_free(j.on.cache);
    pictures_close(&j.on.pictures);
    dataset_free(j.on.data);
    network_free(j.on.network);
    return end;
}

static const struct option_row rows[] = {
    {"protocol", OPTION_CHOICE, AT(protocol), "paper|metres", .standard = "paper",
     .help = "paper: match the pictures of a data set; metres: match photos against a map, and measure distances to "
             "the best tiles"},
    {"data", OPTION_TEXT, AT(data), "D",
     .help = "data set: CVUSA, CVACT, VIGOR, or a folder with pairs.csv or photos.csv"},
    {"weights", OPTION_TEXT, AT(weights), "W",
     .help = "weights, a safetensors file, or the folder of a training run for its best ones (default: nano, the "
             "built-in ones)"},
    {"index", OPTION_TEXT, AT(index), "MAP.gpkg", .help = "metres: a map made by `index` with the same weights"},
    {"photos", OPTION_TEXT, AT(photos), "PATH",
     .help = "metres: a list with the columns image (relative to the list's folder), lat, lon and optionally heading, "
             "fov, focal35, pitch, roll and lens; or a folder of photos with GPS positions"},
    {"panorama", OPTION_YES, AT(panorama), "yes|no", .standard = "no",
     .help = "metres: yes takes every photo as a full panorama, whatever its metadata"},
    {"format", OPTION_TEXT, AT(format), "NAME",
     .help = "data set format (default: detected from the folder's contents)"},
    {"test", OPTION_TEXT, AT(test), "NAME", .help = "test split, by the format's own name (default: its first)"},
    {"imagery", OPTION_TEXT, AT(imagery), "PATH",
     .help = "photos: a raster, or a folder of rasters (default: imagery/ in D, else D itself)"},
    {"inner", OPTION_DOUBLE, AT(inner), "F", 0.5, 1, "1",
     .help = "use the inner part of each aerial picture, F of its side, for weights that were trained so"},
    {"fov", OPTION_TEXT, AT(fov), "LIST",
     .help = "limited fields of view instead, degrees: 360,180,90,70 evaluates each; DSM's protocol"},
    {"heading", OPTION_CHOICE, AT(heading), "known|unknown|both", .standard = "known", .with = "fov",
     .help = "known: each strip keeps its place on the panorama; unknown: once as if it faced north, and once with all "
             "headings that `locate` tries"},
    {"seed", OPTION_LONG, AT(seed), "S", 0, 4294967295.0, "2019", .with = "fov",
     .help = "seed of the strips, as of numpy.random.RandomState"},
    {"reverse", OPTION_FLAG, AT(reverse), .help = "match aerial pictures to street pictures instead"},
    {"matches", OPTION_TEXT, AT(matches), "FILE.csv",
     .help = "write each query's rank of the right tile and its top five to this file"},
    {"gallery-picture", OPTION_TEXT, AT(gallery), "FILE.png",
     .help = "draw queries beside their top five, right ones framed in blue, wrong ones in orange"},
    {"gallery-rows", OPTION_LONG, AT(rows), "N", 1, 100, "12",
     .help = "number of queries drawn, spread over the split"},
    {"cache", OPTION_TEXT, AT(cache), "FILE", .help = "cache all decoded picture files in this file"},
    {"force", OPTION_FLAG, AT(force), .help = "overwrite existing files"},
    {"json", OPTION_FLAG, AT(json), .help = "print the figures as JSON"},
    {0},
};

const struct command eval_command = {
    .name = "eval",
    .summary = "evaluate a network on a data set or a map",
    .usage = "--data D [options]\n--protocol metres --index MAP.gpkg --photos PATH [options]",
    .about =
        "Embeds the test split and prints how often the right aerial picture is among the best 1, 5, 10 and 1% (ties "
        "count as worse), how often the best one lies within 0, 36, 72 and 144 m of it, and the mean distance of the "
        "best in metres; beside the paper's rows for CVUSA and CVACT.\n"
        "With --fov it keeps only a strip of each panorama, the rest unseen, as in DSM (Shi et al., CVPR 2020), with "
        "DSM's own "
        "random numbers, and prints a row for each field of view.\n"
        "With --protocol metres it locates photos of known places on a map and prints how often one of the 1, 5, 10 "
        "and 100 best tiles is the right one, or has its centre nearer than 25, 50 and 100 m (on a sphere of 6,378,137 "
        "m, as statewide reports), beside chance. Photos outside the map are not evaluated; their number is printed.",
    .rows = rows,
    .device = true,
    .examples = "  geoviewmatch eval --data CVUSA --weights run       the run's best weights\n"
                "  geoviewmatch eval --data VIGOR --test cross-area --weights run --gallery-picture best.png\n"
                "  geoviewmatch eval --data CVUSA --weights run --fov 360,180,90,70 --heading both\n"
                "  geoviewmatch eval --protocol metres --weights W --index map.gpkg --photos photos.csv\n",
    .size = sizeof(struct arguments),
    .run = eval,
};
