/* cmd_locate.c - locates street pictures. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cli/report.h"

enum format { TABLE, LINES, JSON, GEOJSON, CSV, FORMATS };

struct arguments {
    struct common common;
    const char *weights, *index, *tiles, *known, *heat;
    struct report_options report;
    long top;
    double heading; /* NaN: from the photo; infinite: to be estimated */
    bool has_near, near_exif, merge, json;
    int panorama; /* as in gvm_picture_fit */
    double lat, lon, within, min_margin;
    int format;
    struct camera_arguments camera;
    gvm_camera_options wishes; /* of all photos */
};

/* ------------------------------------------------------------------ locating */

/* The question for each photo. With --near exif, photos without a position fail. */
static void ask(const struct arguments *a, struct answers *answers)
{
    for (size_t i = 0; i < answers->photos.count; i++) {
        gvm_question *q = &answers->questions[i];
        const struct known *known = &answers->known[i];
        *q = (gvm_question){.photo = answers->photos.paths[i],
                            .heading = a->heading,
                            .panorama = a->panorama,
                            .camera = &answers->wishes[i]};
        camera_merge(&answers->wishes[i], &a->wishes, &known->camera);
        if (isnan(a->heading)) q->heading = known->heading;
        if (!a->has_near) continue;
        q->lat = a->near_exif ? NAN : a->lat;
        q->lon = a->near_exif ? NAN : a->lon;
        q->within_m = a->within;
    }
}

struct finding {
    struct watch watch;
    struct answers *answers;
    struct report *report;   /* NULL: none */
    struct heat_files *heat; /* NULL: none */
    const gvm_map *map;
    const gvm_model *model;
    bool failed; /* a file could not be written */
};

static void opened(void *user, size_t photo, const gvm_picture *picture)
{
    const struct finding *f = user;
    report_opened(f->report, photo, picture);
}

static void done(void *user, size_t photo, size_t count, const gvm_located *located)
{
    struct finding *f = user;
    file_done(&f->watch, photo, count, located->status, &located->err);
    f->answers->views[photo] = located->views;
    f->answers->cameras[photo] = *located->camera;
    if (f->report != NULL) report_located(f->report, photo, located);
    gvm_error err;
    if (f->heat == NULL || located->status != GVM_OK ||
        heat_write(f->heat, photo, located, f->map, f->model, &err) == GVM_OK)
        return;
    progress_clear(&f->watch.progress);
    failed(&err);
    f->failed = true;
}

/* One status for a failure as a whole, with its error. */
static gvm_status find(struct finding *f, const struct arguments *a, struct answers *answers, gvm_session *session,
                       gvm_error *err)
{
    size_t n = answers->photos.count;
    f->watch = (struct watch){.progress.quiet = a->common.quiet,
                              .what = "photos",
                              .unit = "photos",
                              .statuses = answers->statuses,
                              .errors = answers->errors};
    const gvm_locate_job job = {.size = sizeof job,
                                .questions = answers->questions,
                                .count = n,
                                .max_hits = (int)a->top,
                                .each_tile = !a->merge,
                                .hits = answers->hits,
                                .found = answers->found,
                                .opened = f->report != NULL ? opened : NULL,
                                .done = done,
                                .user = f,
                                .p = answers->p,
                                .chances = answers->chances,
                                .scores = f->heat != NULL};
    gvm_status status = known_read(answers->known, &answers->photos, a->known, err);
    if (status != GVM_OK) return status;
    ask(a, answers);
    status = gvm_locate_files(session, f->map, &job, err);
    progress_end(&f->watch.progress);
    return f->watch.reached == n ? GVM_OK : status; /* single failures have been reported */
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

static gvm_status answers_open(struct answers *answers, gvm_error *err)
{
    size_t n = answers->photos.count;
    answers->questions = calloc(n, sizeof *answers->questions);
    answers->known = calloc(n, sizeof *answers->known);
    answers->statuses = calloc(n, sizeof *answers->statuses);
    answers->errors = calloc(n, sizeof *answers->errors);
    answers->hits = calloc(n, (size_t)answers->top * sizeof *answers->hits);
    answers->found = calloc(n, sizeof *answers->found);
    answers->p = calloc(n, (size_t)answers->top * sizeof *answers->p);
    answers->chances = calloc(n, sizeof *answers->chances);
    answers->views = calloc(n, sizeof *answers->views);
    answers->wishes = calloc(n, sizeof *answers->wishes);
    answers->cameras = calloc(n, sizeof *answers->cameras);
    if (answers->questions && answers->known && answers->statuses && answers->errors && answers->hits &&
        answers->found && answers->p && answers->chances && answers->views && answers->wishes && answers->cameras)
        return GVM_OK;
    return fail(err, GVM_MEMORY, "out of memory for %zu photos", n);
}

static void answers_free(struct answers *answers)
{
    pictures_free(&answers->photos);
    free(answers->questions);
    free(answers->known);
    free(answers->statuses);
    free(answers->errors);
    free(answers->hits);
    free(answers->found);
    free(answers->p);
    free(answers->chances);
    free(answers->views);
    free(answers->wishes);
    free(answers->cameras);
}

/* The map of --index or --tiles; *bad: tiles that could not be used. */
static gvm_status open_map(gvm_map **map, size_t *bad, const struct arguments *a, gvm_session *session,
                           const gvm_model *model, gvm_error *err)
{
    struct watch watch = {.progress.quiet = a->common.quiet, .what = "tiles", .unit = "tiles"};
    gvm_status status = a->index ? gvm_map_open(map, a->index, model, 0, err)
                                 : gvm_map_from_tiles(map, session, a->tiles, file_done, &watch, err);
    progress_end(&watch.progress);
    *bad = watch.failures;
    if (status == GVM_OK) warn_incomplete(*map);
    return status;
}

/* Locate, print, and write the report. */
static int answer(const struct arguments *a, struct answers *answers, gvm_session *session, const gvm_model *model,
                  const gvm_map *map)
{
    gvm_error err;
    struct finding f = {.answers = answers, .map = map, .model = model};
    gvm_map_guard *guard = NULL; /* detects changes of the map's file */
    int end = DONE;
    gvm_status status = answers_open(answers, &err);
    if (status == GVM_OK && a->report.folder)
        status = report_open(&f.report, &a->report, answers, session, model, map, &err);
    if (status == GVM_OK && a->heat)
        status = heat_open(&f.heat, a->heat, &answers->photos, a->index, a->report.force, &err);
    if (status == GVM_OK) status = gvm_map_guard_open(&guard, map, 0, &err);
    if (status == GVM_OK) status = find(&f, a, answers, session, &err);
    if (status == GVM_OK) status = gvm_map_guard_check(guard, &err);
    if (status != GVM_OK) {
        end = failed(&err);
    } else {
        for (size_t i = 0; i < answers->photos.count; i++)
            if (answers->statuses[i] != GVM_OK) end = FAILED;
        if (print(a, answers) != DONE || f.failed) end = FAILED;
        print_flush(); /* answers before the report's messages on stderr */
        if (f.report != NULL && report_write(f.report, a->common.quiet) != DONE) end = FAILED;
    }
    report_free(f.report);
    heat_free(f.heat);
    gvm_map_guard_free(guard);
    return end;
}

static int locate(void *arguments)
{
    struct arguments *a = arguments;
    gvm_error err;
    gvm_model *model = NULL;
    gvm_session *session = NULL;
    gvm_map *map = NULL;
    struct answers answers = {.top = (int)a->top, .min_margin = a->min_margin};
    int end = DONE;
    size_t bad = 0;
    if ((a->tiles == NULL) == (a->index == NULL))
        return usage_error("locate", "exactly one of --index and --tiles is required");
    if (!option_given(&a->common, "heading")) a->heading = NAN;
    if (a->json) a->format = JSON;
    int valid = camera_options(&a->wishes, &a->camera, &a->common);
    if (valid != GO_ON) return valid;
    pictures_list(&answers.photos, &end, &a->common);
    gvm_status status = answers.photos.count == 0 ? GVM_OK : gvm_model_open(&model, weights_path(a->weights), &err);
    if (model != NULL) status = check_heading(model, option_given(&a->common, "heading"), &err);
    if (model != NULL && status == GVM_OK) status = camera_allowed(model, &a->common, &err);
    if (model != NULL && status == GVM_OK) status = gvm_session_open(&session, model, 16, &err);
    if (session != NULL) status = open_map(&map, &bad, a, session, model, &err);
    if (status != GVM_OK || bad > 0) end = FAILED;
    if (status != GVM_OK)
        failed(&err);
    else if (map != NULL && answer(a, &answers, session, model, map) != DONE)
        end = FAILED;
    answers_free(&answers);
    gvm_map_free(map);
    gvm_session_free(session);
    gvm_model_free(model);
    return end;
}

/* ------------------------------------------------------------------ options */

static bool read_near(void *fields, const char *text)
{
    struct arguments *a = fields;
    a->near_exif = strcmp(text, "exif") == 0;
    a->has_near = true;
    return a->near_exif || read_place(&a->lat, &a->lon, text, 90);
}

static bool read_heading(void *fields, const char *text)
{
    struct arguments *a = fields;
    bool find = strcmp(text, "find") == 0;
    if (find) a->heading = INFINITY;
    return find || read_double(&a->heading, text, -360, 360);
}

static const struct option_row rows[] = {
    {"weights", OPTION_TEXT, AT(weights), "W",
     .help = "weights, a safetensors file (default: nano, built in, for drawn towns only)"},
    {"index", OPTION_TEXT, AT(index), "MAP.gpkg", .help = "a map made by `index` with the same weights"},
    {"tiles", OPTION_TEXT, AT(tiles), "FILE.csv",
     .help = "or a list of aerial pictures, with the header image,lat,lon or image,lat,lon,metres: the file (relative "
             "to the list's folder), its centre in degrees, its side on the ground in metres (default: the weights')"},
    {"top", OPTION_LONG, AT(top), "K", 1, 1000, "5", .help = "answers per photo"},
    {"heading", OPTION_OTHER, 0, "DEG|find", .read = read_heading, .takes = "degrees from -360 to 360, or find",
     .help = "heading of every photo's centre column, degrees clockwise from north; find estimates it, whatever the "
             "photo's metadata (default: from the metadata, XMP before EXIF)"},
    {"panorama", OPTION_CHOICE, AT(panorama), "auto|yes|no", .standard = "auto", /* in the order of GVM_AS_FOUND, ... */
     .help = "yes takes every photo as a full panorama, whatever its metadata; no, with weights for photos, takes none "
             "as one"},
    {"near", OPTION_OTHER, 0, "LAT,LON|exif", .read = read_near, .takes = "LAT,LON in degrees, or exif",
     .help = "search only around this place, or around the photo's GPS position"},
    {"within", OPTION_DOUBLE, AT(within), "METRES", 1e-3, 1e8, "100", .takes = "metres", .with = "near",
     .help = "radius of --near"},
    {"known", OPTION_TEXT, AT(known), "FILE.csv",
     .help =
         "list of true places, with columns image (or street), lat, lon and optionally heading, and the camera's fov, "
         "focal35, pitch, roll and lens (pinhole, fisheye, cylinder, sphere or K1,K2): gives these, and errors in "
         "metres. Names are relative to the list's folder, then to the current one; a name without a "
         "file matches the one photo whose path ends with it"},
    {"merge", OPTION_YES, AT(merge), "yes|no", .standard = "yes", .help = "merge overlapping tiles into one answer"},
    {"min-margin", OPTION_DOUBLE, AT(min_margin), "X", 0, 2, "0.05", .takes = "a difference of scores",
     .help = "mark an answer weak if its score exceeds that of the best other place by less than X; the default was "
             "chosen on drawn towns with the built-in weights"},
    {"report", OPTION_TEXT, AT(report.folder), "DIR",
     .help = "also write DIR/index.html, one file with a map and a table of all photos, and each photo with its best "
             "tiles, heat maps and a map; and DIR/answers.geojson"},
    {"report-photos", OPTION_LONG, AT(report.photos), "N", 0, INFINITY, "100", .with = "report",
     .help =
         "show the first N photos with pictures, the others only in the table; a photo takes a quarter of a megabyte"},
    {"heat", OPTION_TEXT, AT(heat), "PATH",
     .help = "write the scores of all tiles as a georeferenced GeoTIFF: band 1 the cosine similarities, band 2 p if "
             "the weights provide it. PATH is a file that ends in .tif, for one photo, or a folder that gets a "
             "PHOTO.tif for each"},
    {"force", OPTION_FLAG, AT(report.force), .help = "overwrite files in DIR that are not a report, and other files"},
    {"format", OPTION_CHOICE, AT(format), "table|lines|json|geojson|csv", .standard = "table",
     .help = "format of the answers; lines: one line per photo"},
    {"json", OPTION_FLAG, AT(json), .help = "the same as --format json"},
    {0},
};

const struct command locate_command = {
    .name = "locate",
    .summary = "find where street pictures were taken",
    .usage = "(--index MAP.gpkg | --tiles FILE.csv) [options] PHOTO...",
    .about =
        "Matches each street picture against all tiles of the map and prints the most similar places, best first: "
        "latitude and longitude (WGS84 degrees), the cosine similarity, and its margin over the best other place. With "
        "weights whose scores make a probability it also prints p of the answer, p within 25, 50 and 100 m of the "
        "first answer, and the radius that holds 90%. p is marked uncalibrated: it ranks tiles but is overconfident, "
        "above all on a small map. Weights for photos take any picture, and neither need nor estimate a heading; they "
        "take 8 views of a full panorama, whose scores are averaged. Weights for panoramas take full panoramas: "
        "pictures with XMP GPano, or without camera EXIF and at least 1.9 times as wide as high; those with "
        "\"visible\" in "
        "their configuration also take any camera's photo, by its field of view, pitch and roll. If neither an option "
        "nor such a photo gives its heading, 16 headings, or as many as the weights were trained for, are tried and "
        "the "
        "best is reported. A heading from magnetic "
        "north is tried with its two neighbours. A folder stands for the JPEG, PNG, WebP, TIFF and HEIC files in it. "
        "Photos that fail are reported on stderr, the others are answered, and the exit status is 1.",
    .rows = rows,
    .more = camera_rows,
    .more_at = offsetof(struct arguments, camera),
    .device = true,
    .operand = "photo",
    .least = 1,
    .notes = "Lists are separated by commas, semicolons (decimal commas are then accepted) or tabs.",
    .examples = "  geoviewmatch locate --index town.gpkg --report report photos/\n"
                "  geoviewmatch locate --index town.gpkg --heat scores.tif photo.jpg\n"
                "  geoviewmatch locate --index town.gpkg --weights W --fov 118 --lens -0.2,0.03 dashcam.jpg\n"
                "  geoviewmatch locate --index town.gpkg --near exif --within 200 --format csv photos/ > places.csv\n"
                "  geoviewmatch locate --index town.gpkg --known places.csv --heading find --format lines photos/\n",
    .size = sizeof(struct arguments),
    .run = locate,
};
