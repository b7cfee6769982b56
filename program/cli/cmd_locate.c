/* cmd_locate.c - where street pictures were taken. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/locate.h"
#include "map/map_watch.h"

static const char help[] =
    "usage: geoviewmatch locate (--index MAP.gpkg | --tiles FILE.csv) [options] PHOTO...\n"
    "\n"
    "Compares each street picture with all tiles of the map and prints the places that are most similar, best first:\n"
    "latitude and longitude (WGS84 degrees), the cosine similarity, and its margin over the best other place.\n"
    "A photo must be a full panorama: one that says so (XMP GPano) or that says nothing of a camera and is at least\n"
    "1.9 times as wide as high. If neither an option nor the photo gives its heading, 16 are tried and the best is\n"
    "reported; if the photo gives it from magnetic north, that one and its two neighbours.\n"
    "A folder stands for the JPEG, PNG, WebP, TIFF and HEIC files in it. What fails is named on stderr, the rest is\n"
    "answered, and the exit status is 1.\n"
    "\n"
    "  --weights W           the network, a safetensors file (default: nano, built in and for drawn towns only)\n"
    "  --index MAP.gpkg      a map that `index` made with the same weights\n"
    "  --tiles FILE.csv      or pictures from above and their places, with the header image,lat,lon or\n"
    "                        image,lat,lon,metres: a file (relative to the list's folder), the degrees of its\n"
    "                        centre, the metres of its side on the ground (default: the weights' own)\n"
    "  --top K               answers a photo, 1 to 1000 (default: 5)\n"
    "  --heading DEG|find    where the centre column of every photo looks, degrees clockwise from north, or to find\n"
    "                        it whatever the photo says (default: as the photo says, XMP before EXIF)\n"
    "  --panorama yes|no     take every photo as a full panorama, whatever it says of itself (default: no)\n"
    "  --near LAT,LON|exif   search only around this place, or around the photo's own GPS position\n"
    "  --within METRES       the radius of that search (default: 100)\n"
    "  --known FILE.csv      true places, with columns image (or street), lat, lon and perhaps heading: for errors in\n"
    "                        metres, and the headings. A name is looked for beside the list, then here; if there is\n"
    "                        no such file it means the one photo whose path ends so\n"
    "  --merge yes|no        make one answer of tiles that overlap (default: yes)\n"
    "  --min-margin X        call an answer weak if its score is less than X above that of the best other place\n"
    "                        (default: 0.05, chosen on drawn towns with the built-in weights)\n"
    "  --report DIR          write DIR/index.html too: a map and a table of all photos, and each photo with its best\n"
    "                        tiles, heat maps and a map, in one file; and DIR/answers.geojson\n"
    "  --report-photos N     show N photos with pictures, the first ones, and the others in the table only; a photo\n"
    "                        takes a quarter of a megabyte (default: 100)\n"
    "  --force               write over files in DIR that are no report\n"
    "  --format F            table, lines (one a photo), json, geojson or csv (default: table)\n"
    "  --json                the same as --format json\n" COMMON_HELP "\n"
    "Lists may have commas, semicolons (then also decimal commas) or tabs between their fields.\n";

enum format { TABLE, LINES, JSON, GEOJSON, CSV, FORMATS };

struct arguments {
    struct common common;
    const char *weights, *index, *tiles, *known;
    struct report_options report;
    long top;
    double heading; /* NaN: as the photo says; infinite: to be found */
    bool has_near, near_exif, has_within, has_photos, raw, panorama;
    double lat, lon, within, min_margin;
    enum format format;
};

/* ------------------------------------------------------------------ options */

static int read_format(struct arguments *a, const char *text)
{
    static const char *const formats[FORMATS] = {"table", "lines", "json", "geojson", "csv"};
    for (int i = 0; i < FORMATS; i++)
        if (strcmp(text, formats[i]) == 0) {
            a->format = (enum format)i;
            return GO_ON;
        }
    return usage_error(a->common.name, "--format takes table, lines, json, geojson or csv, not '%s'", text);
}

static int read_near(struct arguments *a, const char *text)
{
    a->near_exif = strcmp(text, "exif") == 0;
    a->has_near = true;
    if (a->near_exif || read_place(&a->lat, &a->lon, text, 90)) return GO_ON;
    return usage_error(a->common.name, "--near takes LAT,LON in degrees, or exif, not '%s'", text);
}

static int read_heading(struct arguments *a, const char *text)
{
    if (strcmp(text, "find") == 0)
        a->heading = INFINITY;
    else if (!read_double(&a->heading, text, -360, 360))
        return usage_error(a->common.name, "--heading takes degrees from -360 to 360, or find, not '%s'", text);
    return GO_ON;
}

static int read_option(struct arguments *a, int option, char **argv)
{
    const char *name = a->common.name;
    long photos;
    switch (option) {
    case 'w': a->weights = optarg; return GO_ON;
    case 'i': a->index = optarg; return GO_ON;
    case 't': a->tiles = optarg; return GO_ON;
    case 'n': a->known = optarg; return GO_ON;
    case 'r': a->report.folder = optarg; return GO_ON;
    case 'j': a->format = JSON; return GO_ON;
    case 'f': return read_format(a, optarg);
    case 'd': return read_heading(a, optarg);
    case 'a': return read_near(a, optarg);
    case 'k':
        if (read_long(&a->top, optarg, 1, 1000)) return GO_ON;
        return usage_error(name, "--top takes a number from 1 to 1000, not '%s'", optarg);
    case 'm':
        a->has_within = true;
        if (read_double(&a->within, optarg, 1e-3, 1e8)) return GO_ON;
        return usage_error(name, "--within takes metres, more than 0, not '%s'", optarg);
    case 'g':
        if (read_double(&a->min_margin, optarg, 0, 2)) return GO_ON;
        return usage_error(name, "--min-margin takes a difference of scores from 0 to 2, not '%s'", optarg);
    case 'e':
        a->raw = strcmp(optarg, "no") == 0;
        if (a->raw || strcmp(optarg, "yes") == 0) return GO_ON;
        return usage_error(name, "--merge takes yes or no, not '%s'", optarg);
    case 'p':
        a->panorama = strcmp(optarg, "yes") == 0;
        if (a->panorama || strcmp(optarg, "no") == 0) return GO_ON;
        return usage_error(name, "--panorama takes yes or no, not '%s'", optarg);
    case 'q':
        if (!read_long(&photos, optarg, 0, LONG_MAX))
            return usage_error(name, "--report-photos takes a number of photos, not '%s'", optarg);
        a->report.photos = (size_t)photos;
        a->has_photos = true;
        return GO_ON;
    case 'o': a->report.force = true; return GO_ON;
    default: return common_option(&a->common, option, argv);
    }
}

static int read_arguments(struct arguments *a, int argc, char **argv)
{
    static const struct option options[] = {{"weights", required_argument, NULL, 'w'},
                                            {"index", required_argument, NULL, 'i'},
                                            {"tiles", required_argument, NULL, 't'},
                                            {"top", required_argument, NULL, 'k'},
                                            {"heading", required_argument, NULL, 'd'},
                                            {"near", required_argument, NULL, 'a'},
                                            {"within", required_argument, NULL, 'm'},
                                            {"known", required_argument, NULL, 'n'},
                                            {"merge", required_argument, NULL, 'e'},
                                            {"min-margin", required_argument, NULL, 'g'},
                                            {"format", required_argument, NULL, 'f'},
                                            {"report", required_argument, NULL, 'r'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"report-photos", required_argument, NULL, 'q'},
                                            {"force", no_argument, NULL, 'o'},
                                            {"panorama", required_argument, NULL, 'p'},
                                            COMMON_OPTIONS};
    const char *name = a->common.name;
    int status;
    for (int c; (c = next_option(argc, argv, options)) != -1;)
        if ((status = read_option(a, c, argv)) != GO_ON) return status;
    if ((a->tiles == NULL) == (a->index == NULL)) return usage_error(name, "one of --index and --tiles is needed");
    if (a->has_within && !a->has_near) return usage_error(name, "--within goes with --near");
    if ((a->has_photos || a->report.force) && a->report.folder == NULL)
        return usage_error(name, "%s goes with --report", a->has_photos ? "--report-photos" : "--force");
    if (optind == argc) return usage_error(name, "no photo is given");
    return GO_ON;
}

/* ------------------------------------------------------------------ finding */

/* What to ask for each photo. One that should tell its place and does not fails. */
static void ask(const struct arguments *a, struct answers *answers)
{
    for (size_t i = 0; i < answers->photos.count; i++) {
        gvm_question *q = &answers->questions[i];
        const struct known *known = &answers->known[i];
        *q = (gvm_question){.photo = answers->photos.paths[i], .heading = a->heading, .panorama = a->panorama};
        if (isnan(a->heading)) q->heading = known->heading;
        if (!a->has_near) continue;
        q->lat = a->near_exif ? known->exif_lat : a->lat;
        q->lon = a->near_exif ? known->exif_lon : a->lon;
        q->within_m = a->within;
    }
}

/* One status for what failed as a whole, with its sentence. */
static gvm_status find(const struct arguments *a, struct answers *answers, gvm_session *session, const gvm_map *map,
                       gvm_error *err)
{
    size_t n = answers->photos.count;
    answers->questions = calloc(n, sizeof *answers->questions);
    answers->known = calloc(n, sizeof *answers->known);
    answers->statuses = calloc(n, sizeof *answers->statuses);
    answers->errors = calloc(n, sizeof *answers->errors);
    answers->hits = calloc(n, (size_t)a->top * sizeof *answers->hits);
    answers->found = calloc(n, sizeof *answers->found);
    gvm_status status = GVM_OK;
    if (!answers->questions || !answers->known || !answers->statuses || !answers->errors || !answers->hits ||
        !answers->found)
        status = fail(err, GVM_MEMORY, "there is not enough memory for %zu photos", n);
    if (status == GVM_OK) status = known_read(answers->known, &answers->photos, a->known, a->near_exif, err);
    if (status == GVM_OK) {
        struct watch watch = {.progress.quiet = a->common.quiet,
                              .what = "photos",
                              .unit = "photos",
                              .statuses = answers->statuses,
                              .errors = answers->errors};
        ask(a, answers);
        status = gvm_locate_files(session, map, answers->questions, n, !a->raw, answers->hits, (int)a->top,
                                  answers->found, file_done, &watch, err);
        watch_end(&watch);
        if (watch.reached == n) status = GVM_OK; /* what failed one by one has been said */
    }
    return status;
}

static int print(const struct arguments *a, const struct answers *answers)
{
    switch (a->format) {
    case JSON: return locate_print_json(answers);
    case GEOJSON: return json_print(locate_geojson(answers));
    case LINES: locate_print_lines(answers); return DONE;
    case CSV: locate_print_csv(answers); return DONE;
    default: locate_print_table(answers); return DONE;
    }
}

static int locate(const struct arguments *a, char **photos, int count)
{
    gvm_error err;
    gvm_model *model = NULL;
    gvm_session *session = NULL;
    gvm_map *map = NULL;
    struct map_watch *kept = NULL; /* the map's file, that it stays whole */
    struct answers answers = {.top = (int)a->top, .min_margin = a->min_margin};
    struct watch watch = {.progress.quiet = a->common.quiet, .what = "tiles", .unit = "tiles"};
    int end = DONE;
    pictures_list(&answers.photos, &end, photos, count);
    if (answers.photos.count == 0) return end;
    gvm_status status = gvm_model_open(&model, weights_path(a->weights), &err);
    if (status == GVM_OK) status = gvm_session_open(&session, model, 16, &err);
    if (status == GVM_OK)
        status = a->index ? gvm_map_open(&map, a->index, model, &err)
                          : gvm_map_from_tiles(&map, session, a->tiles, file_done, &watch, &err);
    watch_end(&watch);
    if (status == GVM_OK && !gvm_map_about(map).complete)
        fprintf(stderr,
                "geoviewmatch: warning: the map is not complete: %zu places of its imagery are missing; run `index` "
                "again as it was begun\n",
                gvm_map_about(map).missing);
    if (status == GVM_OK && a->report.folder) status = locate_report_folder(&a->report, &err);
    if (status == GVM_OK) status = map_watch_open(&kept, map, false, &err);
    if (status == GVM_OK) status = find(a, &answers, session, map, &err);
    if (status == GVM_OK) status = map_watch_check(kept, &err);
    if (status != GVM_OK) {
        end = failed(&err);
    } else {
        if (watch.failures > 0) end = FAILED;
        for (size_t i = 0; i < answers.photos.count; i++)
            if (answers.statuses[i] != GVM_OK) end = FAILED;
        if (print(a, &answers) != DONE) end = FAILED;
        fflush(stdout); /* answers before what the report says on stderr */
        if (a->report.folder && locate_report(&a->report, &answers, session, model, map, a->common.quiet) != DONE)
            end = FAILED;
    }
    pictures_free(&answers.photos);
    free(answers.questions);
    free(answers.known);
    free(answers.statuses);
    free(answers.errors);
    free(answers.hits);
    free(answers.found);
    map_watch_free(kept);
    gvm_map_free(map);
    gvm_session_free(session);
    gvm_model_free(model);
    return end;
}

int cmd_locate(int argc, char **argv)
{
    struct arguments a = {.common = {.name = "locate", .help = help},
                          .top = 5,
                          .heading = NAN,
                          .within = 100,
                          .min_margin = DEFAULT_MIN_MARGIN,
                          .report.photos = 100};
    int end = read_arguments(&a, argc, argv);
    return end != GO_ON ? end : locate(&a, argv + optind, argc - optind);
}
