/* eval_metres.c - how often the best tiles of a map are near the places where photos were taken. */
#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/camera.h"
#include "cli/eval.h"
#include "train/metres.h"

/* The photos evaluated, and their true places. */
struct photos {
    GPtrArray *paths;
    GArray *questions; /* gvm_question */
    GArray *truths;    /* struct metre_truth */
    GArray *cameras;   /* struct camera_line */
    size_t listed;     /* photos listed */
    size_t placeless;  /* without a position, */
    size_t outside;    /* outside the map, */
    size_t failed;     /* unreadable */
    const gvm_map *map;
    double cell_m;
    bool panorama;
};

/* ------------------------------------------------------------------ which photos */

/* Takes ownership of the path. */
static void take(struct photos *p, char *path, double lat, double lon, double heading, const struct camera_line *camera)
{
    struct metre_truth truth;
    bool inside = metres_truth(&truth, p->map, p->cell_m, lat, lon);
    if (!inside) {
        p->outside++;
        g_free(path);
        return;
    }
    const gvm_question question = {.photo = path, .heading = heading, .panorama = p->panorama};
    g_ptr_array_add(p->paths, path);
    g_array_append_val(p->questions, question);
    g_array_append_val(p->truths, truth);
    g_array_append_vals(p->cameras, camera, 1);
}

enum { IMAGE, LAT, LON, HEADING, CAMERA, COLUMNS = CAMERA + CAMERA_COLUMNS };

static gvm_status take_line(struct photos *p, const struct csv *csv, const int *order, const char *folder,
                            gvm_error *err)
{
    static const double most[CAMERA] = {[LAT] = 90, [LON] = 180, [HEADING] = 360};
    double values[CAMERA] = {[HEADING] = NAN};
    struct camera_line camera = camera_unknown;
    const char *name = "";
    for (int i = 0; i < csv->count; i++) {
        int c = order[i];
        if (c == IMAGE) name = csv->fields[i];
        if (c >= CAMERA && c < COLUMNS) {
            gvm_status status = camera_cell(&camera, c - CAMERA, csv, csv->fields[i], err);
            if (status != GVM_OK) return status;
            continue;
        }
        if (c == IMAGE || c == COLUMNS || (c == HEADING && csv->fields[i][0] == '\0')) continue;
        if (!csv_value(&values[c], csv, csv->fields[i]) || fabs(values[c]) > most[c])
            return CSV_FAIL(csv, err, "\"%.60s\" is not a number of degrees from %g to %g", csv->fields[i], -most[c],
                            most[c]);
    }
    if (*name == '\0') return CSV_FAIL(csv, err, "the photo's name is empty");
    p->listed++;
    take(p, name[0] == '/' ? g_strdup(name) : g_build_filename(folder, name, NULL), values[LAT], values[LON],
         values[HEADING], &camera);
    return GVM_OK;
}

static gvm_status take_list(struct photos *p, const char *list, gvm_error *err)
{
    const char *names[COLUMNS] = {"image", "lat", "lon", "heading"};
    struct file_map file;
    struct csv csv;
    int order[CSV_FIELDS];
    g_autofree gchar *folder = g_path_get_dirname(list);
    memcpy(names + CAMERA, camera_columns, sizeof camera_columns);
    gvm_status status = file_map(&file, list, err);
    if (status != GVM_OK) return status;
    csv_start(&csv, (const char *)file.data, file.size, ',', CSV_FIELDS, path_tail(list));
    status = csv_header(order, &csv, names, COLUMNS, 3, true, err);
    while (status == GVM_OK && csv_next(&csv, &status, err)) status = take_line(p, &csv, order, folder, err);
    csv_free(&csv);
    file_unmap(&file);
    return status;
}

/* Photos with GPS positions. */
static void take_folder(struct photos *p, const char *folder, int *end)
{
    char *operands[] = {(char *)folder};
    const struct common common = {.operands = operands, .operand_count = 1};
    struct picture_files files;
    pictures_list(&files, end, &common);
    for (size_t i = 0; i < files.count; i++) {
        const gvm_picture_options options = {.size = sizeof options, .path = files.paths[i], .header_only = 1};
        gvm_picture_info info = {.size = sizeof info};
        gvm_picture *picture;
        gvm_error err;
        p->listed++;
        gvm_status status = gvm_picture_open(&picture, &options, &err);
        if (status == GVM_OK) status = gvm_picture_about(picture, &info, &err);
        gvm_picture_free(picture);
        if (status != GVM_OK) {
            *end = failed(&err);
            p->failed++;
        } else if (!info.photo.has_place) {
            p->placeless++;
        } else {
            take(p, g_strdup(files.paths[i]), info.photo.lat, info.photo.lon, NAN, &camera_unknown);
        }
    }
    pictures_free(&files);
}

static gvm_status list_photos(struct photos *p, const struct arguments *a, int *end, gvm_error *err)
{
    gvm_status status = GVM_OK;
    if (g_file_test(a->photos, G_FILE_TEST_IS_DIR))
        take_folder(p, a->photos, end);
    else
        status = take_list(p, a->photos, err);
    if (status == GVM_OK && p->paths->len == 0)
        status = fail(err, GVM_ARGUMENT,
                      "%s: none of its %zu photos can be evaluated: %zu are outside the map, %zu have no position",
                      path_tail(a->photos), p->listed, p->outside, p->placeless);
    return status;
}

/* ------------------------------------------------------------------ locating them */

struct counting {
    struct watch watch;
    struct photos *photos;
    struct metres *metres;
    const gvm_found *found;
    const gvm_hit *hits; /* (photos, METRE_MOST) */
};

static void done(void *user, size_t photo, size_t count, const gvm_located *located)
{
    struct counting *c = user;
    file_done(&c->watch, photo, count, located->status, &located->err);
    if (located->status == GVM_OK)
        metres_add(c->metres, &g_array_index(c->photos->truths, struct metre_truth, photo),
                   c->hits + photo * METRE_MOST, c->found[photo].count);
}

static gvm_status locate(struct metres *m, struct photos *p, gvm_session *session, bool quiet, gvm_error *err)
{
    size_t n = p->paths->len;
    gvm_hit *hits = calloc(n, METRE_MOST * sizeof *hits);
    gvm_found *found = calloc(n, sizeof *found);
    m->off = calloc(n, sizeof *m->off);
    struct counting c = {.watch = {.progress.quiet = quiet, .what = "eval", .unit = "photos"},
                         .photos = p,
                         .metres = m,
                         .found = found,
                         .hits = hits};
    const gvm_locate_job job = {.size = sizeof job,
                                .questions = &g_array_index(p->questions, gvm_question, 0),
                                .count = n,
                                .max_hits = METRE_MOST,
                                .each_tile = 1,
                                .hits = hits,
                                .found = found,
                                .done = done,
                                .user = &c};
    gvm_camera_options *wishes = calloc(n, sizeof *wishes);
    for (size_t i = 0; i < n && wishes != NULL; i++) {
        camera_merge(&wishes[i], &(gvm_camera_options){.size = sizeof *wishes},
                     &g_array_index(p->cameras, struct camera_line, i));
        g_array_index(p->questions, gvm_question, i).camera = &wishes[i];
    }
    gvm_status status = hits && found && m->off && wishes ? gvm_locate_files(session, p->map, &job, err)
                                                          : fail(err, GVM_MEMORY, "out of memory for %zu photos", n);
    progress_end(&c.watch.progress);
    if (c.watch.reached == n) status = GVM_OK; /* what failed one by one has been said */
    p->failed += c.watch.failures;
    free(hits);
    free(found);
    free(wishes);
    metres_end(m);
    return status;
}

/* ------------------------------------------------------------------ the figures */

static void print_rows(const char *title, const double values[METRE_RADII][METRE_BESTS])
{
    printf("\n  %-20s", title);
    for (int b = 0; b < METRE_BESTS; b++) printf("    R@%-3d", metre_bests[b]);
    for (int r = 0; r < METRE_RADII; r++) {
        if (r == 0)
            printf("\n  %-20s", "the right tile");
        else
            printf("\n  within %3.0f m        ", metre_radii[r]);
        for (int b = 0; b < METRE_BESTS; b++) printf(" %8.2f", values[r][b]);
    }
    putchar('\n');
}

static void print_report(const struct metres *m, const struct photos *p, const struct arguments *a)
{
    printf("%s: %zu photos, %zu tiles\n", path_tail(a->index), m->photos, m->tiles);
    print_rows("recall, percent", m->recall);
    print_rows("by chance", m->chance);
    printf("\n  R@k within r: share of photos with the centre of one of the best k tiles nearer than r\n");
    printf("  median error of the best one %.1f m\n", m->median_m);
    if (p->outside > 0) printf("  %zu of %zu photos are outside the map and not evaluated\n", p->outside, p->listed);
    if (p->placeless > 0)
        printf("  %zu of %zu photos have no position and are not evaluated\n", p->placeless, p->listed);
    if (p->failed > 0) printf("  %zu of %zu photos could not be used and are not evaluated\n", p->failed, p->listed);
}

static json_t *json_rows(const double values[METRE_RADII][METRE_BESTS])
{
    json_t *rows = json_object();
    for (int r = 0; r < METRE_RADII; r++) {
        json_t *row = json_object();
        char key[16];
        for (int b = 0; b < METRE_BESTS; b++) {
            snprintf(key, sizeof key, "R@%d", metre_bests[b]);
            json_put(&row, key, json_real(values[r][b]));
        }
        snprintf(key, sizeof key, "%.0f", metre_radii[r]);
        json_put(&rows, key, row);
    }
    return rows;
}

static int print_json(const struct metres *m, const struct photos *p)
{
    return json_print(json_pack("{ss,sI,sI,sI,sI,sI,so,so,so}", "protocol", "metres", "photos", (json_int_t)m->photos,
                                "tiles", (json_int_t)m->tiles, "outside", (json_int_t)p->outside, "placeless",
                                (json_int_t)p->placeless, "failed", (json_int_t)p->failed, "recall",
                                json_rows(m->recall), "chance", json_rows(m->chance), "median_m",
                                isfinite(m->median_m) ? json_real(m->median_m) : json_null()));
}

/* ------------------------------------------------------------------ all of it */

static gvm_status run(struct metres *m, struct photos *p, const struct arguments *a, int *end, gvm_error *err)
{
    gvm_model *model = NULL;
    gvm_session *session = NULL;
    gvm_map *map = NULL;
    gvm_map_guard *guard = NULL;
    gvm_view_info aerial = {.size = sizeof aerial};
    gvm_status status = gvm_model_open(&model, weights_path(a->weights), err);
    if (status == GVM_OK) status = gvm_view_about(model, GVM_AERIAL, &aerial, err);
    if (status == GVM_OK) status = gvm_map_open(&map, a->index, model, 0, err);
    if (status == GVM_OK) warn_incomplete(map);
    p->map = map;
    p->cell_m = aerial.cell_m;
    if (status == GVM_OK) status = list_photos(p, a, end, err);
    if (status == GVM_OK) status = gvm_session_open(&session, model, 16, err);
    if (status == GVM_OK) status = gvm_map_guard_open(&guard, map, 0, err);
    m->tiles = map != NULL ? gvm_map_count(map) : 0;
    if (status == GVM_OK) status = locate(m, p, session, a->common.quiet, err);
    if (status == GVM_OK && m->photos == 0)
        status = fail(err, GVM_IMAGE, "%s: none of its %u photos on the map could be used", path_tail(a->photos),
                      p->paths->len);
    if (status == GVM_OK) status = gvm_map_guard_check(guard, err);
    gvm_map_guard_free(guard);
    gvm_session_free(session);
    gvm_map_free(map);
    gvm_model_free(model);
    return status;
}

int eval_metres(const struct arguments *a)
{
    struct photos photos = {.paths = g_ptr_array_new_with_free_func(g_free),
                            .questions = g_array_new(FALSE, FALSE, sizeof(gvm_question)),
                            .truths = g_array_new(FALSE, FALSE, sizeof(struct metre_truth)),
                            .cameras = g_array_new(FALSE, FALSE, sizeof(struct camera_line)),
                            .panorama = a->panorama};
    struct metres metres = {.tiles = 0};
    gvm_error err;
    int end = DONE;
    if (run(&metres, &photos, a, &end, &err) != GVM_OK) {
        end = failed(&err);
    } else {
        if (photos.failed > 0) end = FAILED;
        if (!a->json)
            print_report(&metres, &photos, a);
        else if (print_json(&metres, &photos) != DONE)
            end = FAILED;
    }
    free(metres.off);
    g_array_free(photos.questions, TRUE);
    g_array_free(photos.truths, TRUE);
    g_array_free(photos.cameras, TRUE);
    g_ptr_array_free(photos.paths, TRUE);
    return end;
}
