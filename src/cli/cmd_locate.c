/* cmd_locate.c - where street pictures were taken. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/cli.h"

static const char help[] =
    "usage: geoviewmatch locate --tiles FILE.csv [options] PHOTO...\n"
    "\n"
    "Compares each street picture with all tiles of the list and prints the most similar ones, best first: latitude\n"
    "and longitude of the tile's centre (WGS84 degrees), the radius around it in metres, the cosine similarity.\n"
    "A photo must be a full panorama: one that says so (XMP GPano) or is at least 1.9 times as wide as high.\n"
    "A folder stands for the JPEG, PNG, WebP and TIFF files in it. What fails is named on stderr, the rest is\n"
    "answered, and the exit status is 1.\n"
    "\n"
    "  --weights W           the network, a safetensors file (default: nano, the built-in one)\n"
    "  --tiles FILE.csv      pictures from above and their places, with the header image,lat,lon or\n"
    "                        image,lat,lon,metres: a file (relative to the list's folder), the degrees of its\n"
    "                        centre, the metres of its side on the ground (default: the weights' own)\n"
    "  --top K               answers a photo, 1 to 1000 (default: 5)\n"
    "  --heading DEG         where the centre column of every photo looks, degrees clockwise from north\n"
    "                        (default: what the photo says of itself, else 0)\n"
    "  --format table|json   how to print (default: table)\n"
    "  --json                the same as --format json\n" COMMON_HELP;

struct arguments {
    struct common common;
    const char *weights, *tiles;
    long top;
    bool has_heading, json;
    double heading;
};

/* The photos and what is found for them. */
struct answer {
    struct picture_files photos;
    gvm_status *statuses; /* (photos) */
    gvm_error *errors;    /* (photos) */
    gvm_hit *hits;        /* (good photos, top), in the order of the good ones */
    int count;            /* hits of each */
};

static int read_arguments(struct arguments *a, int argc, char **argv)
{
    static const struct option options[] = {{"weights", required_argument, NULL, 'w'},
                                            {"tiles", required_argument, NULL, 't'},
                                            {"top", required_argument, NULL, 'k'},
                                            {"heading", required_argument, NULL, 'd'},
                                            {"format", required_argument, NULL, 'f'},
                                            {"json", no_argument, NULL, 'j'},
                                            COMMON_OPTIONS};
    const char *name = a->common.name;
    int status;
    for (int c; (c = next_option(argc, argv, options)) != -1;) {
        switch (c) {
        case 'w': a->weights = optarg; break;
        case 't': a->tiles = optarg; break;
        case 'j': a->json = true; break;
        case 'k':
            if (!read_long(&a->top, optarg, 1, 1000))
                return usage_error(name, "--top takes a number from 1 to 1000, not '%s'", optarg);
            break;
        case 'd':
            a->has_heading = true;
            if (!read_double(&a->heading, optarg, -360, 360))
                return usage_error(name, "--heading takes degrees from -360 to 360, not '%s'", optarg);
            break;
        case 'f':
            a->json = strcmp(optarg, "json") == 0;
            if (!a->json && strcmp(optarg, "table") != 0)
                return usage_error(name, "--format takes table or json, not '%s'", optarg);
            break;
        default:
            if ((status = common_option(&a->common, c, argv)) != GO_ON) return status;
        }
    }
    if (a->tiles == NULL) return usage_error(name, "--tiles is missing");
    if (optind == argc) return usage_error(name, "no photo is given");
    return GO_ON;
}

/* ------------------------------------------------------------------ printing */

/* printf gives what rounds to zero from below as -0.0: half is half of the last place shown. */
static double without_minus_zero(double x, double half)
{
    return fabs(x) < half ? 0 : x;
}

static void print_table(const struct answer *answer, int top)
{
    size_t good = 0;
    for (size_t i = 0; i < answer->photos.count; i++) {
        if (answer->statuses[i] != GVM_OK) continue;
        if (good > 0) putchar('\n');
        print_text(answer->photos.paths[i]);
        printf("\n  rank     latitude     longitude  radius m    score  tile\n");
        const gvm_hit *hits = answer->hits + good++ * (size_t)top;
        for (int k = 0; k < answer->count; k++) {
            printf("  %4d  %11.7f  %12.7f  %8.1f  %7.4f  ", k + 1, without_minus_zero(hits[k].lat, 5e-8),
                   without_minus_zero(hits[k].lon, 5e-8), hits[k].radius_m, without_minus_zero(hits[k].score, 5e-5));
            print_text(hits[k].tile);
            putchar('\n');
        }
    }
}

static json_t *json_hits(const gvm_hit *hits, int count)
{
    json_t *list = json_array();
    for (int k = 0; k < count; k++)
        json_array_append_new(list, json_pack("{si,sf,sf,sf,sf,so}", "rank", k + 1, "lat", hits[k].lat, "lon",
                                              hits[k].lon, "radius_m", hits[k].radius_m, "score", hits[k].score, "tile",
                                              json_text(hits[k].tile)));
    return list;
}

static int print_json(const struct answer *answer, int top)
{
    json_t *list = json_array();
    size_t good = 0;
    for (size_t i = 0; i < answer->photos.count; i++) {
        json_t *photo = json_object();
        json_object_set_new(photo, "photo", json_text(answer->photos.paths[i]));
        if (answer->statuses[i] == GVM_OK)
            json_object_set_new(photo, "hits", json_hits(answer->hits + good++ * (size_t)top, answer->count));
        else
            json_object_set_new(photo, "error", json_text(answer->errors[i].text));
        json_array_append_new(list, photo);
    }
    return json_print(list);
}

/* ------------------------------------------------------------------ finding */

/* Features of all photos, those of the good ones moved together; their number goes to *good. */
static gvm_status embed_photos(const struct arguments *a, struct answer *answer, gvm_session *session, float *features,
                               size_t D, size_t *good, gvm_error *err)
{
    size_t n = answer->photos.count;
    double *headings = calloc(n, sizeof *headings);
    if (headings == NULL) return fail(err, GVM_MEMORY, "there is not enough memory for %zu photos", n);
    for (size_t i = 0; i < n; i++) headings[i] = a->has_heading ? a->heading : NAN;
    struct watch watch = {.progress.quiet = a->common.quiet,
                          .what = "photos",
                          .unit = "photos",
                          .statuses = answer->statuses,
                          .errors = answer->errors};
    gvm_status status = gvm_embed_files(session, GVM_STREET, features, (const char *const *)answer->photos.paths,
                                        headings, n, file_done, &watch, err);
    watch_end(&watch);
    free(headings);
    *good = 0;
    for (size_t i = 0; i < n && (status == GVM_OK || watch.failures > 0); i++) {
        if (answer->statuses[i] != GVM_OK) continue;
        if (i > *good) memcpy(features + *good * D, features + i * D, D * sizeof *features);
        ++*good;
    }
    return watch.failures > 0 ? GVM_OK : status; /* what failed one by one has been said */
}

/* One status for what failed as a whole, with its sentence. */
static gvm_status find(const struct arguments *a, struct answer *answer, gvm_session *session, const gvm_model *model,
                       const gvm_map *map, gvm_error *err)
{
    size_t n = answer->photos.count, D = (size_t)gvm_model_about(model).features, good = 0;
    float *features = calloc(n, D * sizeof *features);
    answer->statuses = calloc(n, sizeof *answer->statuses);
    answer->errors = calloc(n, sizeof *answer->errors);
    answer->hits = calloc(n, (size_t)a->top * sizeof *answer->hits);
    gvm_status status;
    if (features == NULL || answer->statuses == NULL || answer->errors == NULL || answer->hits == NULL)
        status = fail(err, GVM_MEMORY, "there is not enough memory for %zu photos", n);
    else
        status = embed_photos(a, answer, session, features, D, &good, err);
    if (status == GVM_OK)
        status = gvm_map_search(map, model, answer->hits, (int)a->top, &answer->count, features, good, err);
    free(features);
    return status;
}

static int locate(const struct arguments *a, char **photos, int count)
{
    gvm_error err;
    gvm_model *model = NULL;
    gvm_session *session = NULL;
    gvm_map *map = NULL;
    struct answer answer = {0};
    struct watch watch = {.progress.quiet = a->common.quiet, .what = "tiles", .unit = "tiles"};
    int end = DONE;
    pictures_list(&answer.photos, &end, photos, count);
    if (answer.photos.count == 0) return end;
    gvm_status status = gvm_model_open(&model, weights_path(a->weights), &err);
    if (status == GVM_OK) status = gvm_session_open(&session, model, 16, &err);
    if (status == GVM_OK) status = gvm_map_from_tiles(&map, session, a->tiles, file_done, &watch, &err);
    watch_end(&watch);
    if (status == GVM_OK) status = find(a, &answer, session, model, map, &err);
    if (status != GVM_OK) {
        end = failed(&err);
    } else {
        if (watch.failures > 0) end = FAILED;
        for (size_t i = 0; i < answer.photos.count; i++)
            if (answer.statuses[i] != GVM_OK) end = FAILED;
        if (!a->json)
            print_table(&answer, (int)a->top);
        else if (print_json(&answer, (int)a->top) != DONE)
            end = FAILED;
    }
    pictures_free(&answer.photos);
    free(answer.statuses);
    free(answer.errors);
    free(answer.hits);
    gvm_map_free(map);
    gvm_session_free(session);
    gvm_model_free(model);
    return end;
}

int cmd_locate(int argc, char **argv)
{
    struct arguments a = {.common = {.name = "locate", .help = help}, .top = 5};
    int end = read_arguments(&a, argc, argv);
    return end != GO_ON ? end : locate(&a, argv + optind, argc - optind);
}
