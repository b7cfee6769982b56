/* world.c - see world.h. Pairs are made on all threads, each from the seed and its number alone. */
#define _GNU_SOURCE /* syncfs */
#include "world/world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "world/picture.h"
#include "world/render.h"

static const float PI = 3.14159265f, REACH = 230, EVERY = 46 /* metres of road to a camera */;

const struct world_options world_defaults = {.seed = 1, .test = 0.1, .lat = 45, .lon = -30, .scale = 1};

/* ------------------------------------------------------------------ where */

/* WGS84's radii of curvature at the town's middle: a town is small. */
void world_degrees(double *lat, double *lon, const struct world_options *options, double x, double y)
{
    const double a = 6378137, e2 = 0.00669437999014, degree = 180 / 3.14159265358979323846;
    double s = sin(options->lat / degree), w = sqrt(1 - e2 * s * s);
    double north = a * (1 - e2) / (w * w * w), east = a / w * cos(options->lat / degree);
    *lat = options->lat + y / north * degree;
    *lon = remainder(options->lon + x / east * degree, 360);
}

struct candidate {
    struct place place;
    uint64_t key;
};

static int by_key(const void *a, const void *b)
{
    uint64_t x = ((const struct candidate *)a)->key, y = ((const struct candidate *)b)->key;
    return (x > y) - (x < y);
}

static int by_east(const void *a, const void *b)
{
    const struct place *x = *(const struct place *const *)a, *y = *(const struct place *const *)b;
    if (x->x != y->x) return x->x < y->x ? -1 : 1;
    return (x->y > y->y) - (x->y < y->y);
}

/* Cameras along one piece of road, in the right lane of either direction. */
static int edge_places(struct candidate *out, int room, const struct world_options *options, const struct edge *edge)
{
    struct dice d = dice_for(options->seed, USE_CAMERA, 2 * edge->i + edge->dir, edge->j);
    int count = (int)(edge->length / EVERY), n = 0;
    for (int k = 0; k < count && n < room; k++, n++) {
        float tx, ty, along = edge->length * ((float)k + 0.5f + dice_roll(&d, -0.3f, 0.3f)) / (float)count;
        float lane = edge->road == ROAD_LANE ? 0 : edge->half * 0.45f;
        if (dice_chance(&d, 0.5f)) lane = -lane;
        struct point p = edge_at(edge, along, lane, &tx, &ty);
        float radius = (float)options->offset_m * sqrtf(dice_roll(&d, 0, 1)), turn = dice_roll(&d, 0, 2 * PI);
        out[n].place = (struct place){p.x, p.y, p.x + radius * sinf(turn), p.y + radius * cosf(turn), false};
        out[n].key = (uint64_t)dice_pick(&d, 1 << 30) << 20 | (uint64_t)n;
    }
    return n;
}

/* All cameras of a town of side x side blocks. */
static int town_places(struct candidate *out, int room, const struct world_options *options, int side)
{
    int n = 0;
    for (int j = -side / 2; j < side - side / 2; j++)
        for (int i = -side / 2; i < side - side / 2; i++)
            for (int dir = 0; dir < 2 && n < room; dir++) {
                struct edge edge;
                town_edge(&edge, options->seed, i, j, dir);
                if (edge.road != ROAD_NONE) n += edge_places(out + n, room - n, options, &edge);
            }
    return n;
}

/* The eastern part of the town is for testing. */
static gvm_status split(struct place *places, const struct world_options *options, gvm_error *err)
{
    struct place **order = malloc((size_t)options->pairs * sizeof *order);
    if (order == NULL) return fail(err, GVM_MEMORY, "there is not enough memory for %d pairs", options->pairs);
    for (int n = 0; n < options->pairs; n++) order[n] = places + n;
    qsort(order, (size_t)options->pairs, sizeof *order, by_east);
    int test = (int)(options->test * options->pairs + 0.5);
    for (int n = options->pairs - test; n < options->pairs; n++) order[n]->test = true;
    free(order);
    return GVM_OK;
}

gvm_status world_places(struct place *places, const struct world_options *options, gvm_error *err)
{
    int side = (int)ceil(sqrt(options->pairs / 3.0)) + 1;
    struct candidate *all = NULL;
    for (int found = 0; found < options->pairs; side++) {
        int room = side * side * 8;
        free(all);
        all = malloc((size_t)room * sizeof *all);
        if (all == NULL) return fail(err, GVM_MEMORY, "there is not enough memory for %d pairs", options->pairs);
        found = town_places(all, room, options, side);
        if (found >= options->pairs) qsort(all, (size_t)found, sizeof *all, by_key);
    }
    for (int n = 0; n < options->pairs; n++) places[n] = all[n].place;
    free(all);
    return split(places, options, err);
}

/* ------------------------------------------------------------------ one pair */

gvm_status world_pair(unsigned char *street, unsigned char *aerial, const struct world_options *options,
                      const struct place *place, int number, gvm_error *err)
{
    struct site site = {options->seed, place->x, place->y, REACH, 7};
    struct scene scene;
    gvm_status status = scene_open(&scene, &site, err);
    if (status != GVM_OK) return status;
    struct view view;
    view_draw(&view, WHEN_STREET, options->seed, (uint64_t)number);
    if (!panorama_render(street, 640 * options->scale, 160 * options->scale, &scene, &view, place->x, place->y,
                         WORLD_CAMERA_M))
        status = fail(err, GVM_MEMORY, "there is not enough memory for a panorama");
    view_draw(&view, WHEN_AERIAL, options->seed, (uint64_t)number);
    aerial_render(aerial, 256 * options->scale, &scene, &view, place->tile_x, place->tile_y, (float)WORLD_TILE_M);
    scene_free(&scene);
    return status;
}

/* ------------------------------------------------------------------ the folder */

struct job {
    const char *folder;
    const struct world_options *options;
    const struct place *places;
    struct progress *progress;
    atomic_int next, done;
    atomic_int failed; /* 0, or 1 once a thread has taken it */
    gvm_status status;
    gvm_error error;
};

static char *path_of(const char *folder, const char *kind, int number)
{
    return g_strdup_printf("%s/%s/%06d.jpg", folder, kind, number + 1);
}

static gvm_status make_pair(const struct job *job, unsigned char *street, unsigned char *aerial, int number,
                            gvm_error *err)
{
    const struct place *place = &job->places[number];
    int scale = job->options->scale;
    double lat, lon;
    gvm_status status = world_pair(street, aerial, job->options, place, number, err);
    if (status != GVM_OK) return status;
    world_degrees(&lat, &lon, job->options, place->x, place->y);
    char *path = path_of(job->folder, "street", number);
    float altitude = town_height(job->options->seed, place->x, place->y) + WORLD_CAMERA_M;
    status = panorama_save(path, street, 640 * scale, 160 * scale, lat, lon, altitude, err);
    g_free(path);
    if (status != GVM_OK) return status;
    path = path_of(job->folder, "aerial", number);
    status = aerial_save(path, aerial, 256 * scale, 256 * scale, err);
    g_free(path);
    return status;
}

static void job_fails(struct job *job, gvm_status status, const gvm_error *err)
{
    if (atomic_exchange(&job->failed, 1) != 0) return;
    job->status = status;
    job->error = *err;
}

static void work(void *argument, struct team team)
{
    struct job *job = argument;
    size_t area = (size_t)job->options->scale * job->options->scale;
    unsigned char *street = malloc(640 * 160 * 3 * area), *aerial = malloc(256 * 256 * 3 * area);
    gvm_error err;
    if (street == NULL || aerial == NULL)
        job_fails(job, fail(&err, GVM_MEMORY, "there is not enough memory for a pair of pictures"), &err);
    for (int n; !atomic_load(&job->failed) && (n = atomic_fetch_add(&job->next, 1)) < job->options->pairs;) {
        gvm_status status = make_pair(job, street, aerial, n, &err);
        if (status != GVM_OK) job_fails(job, status, &err);
        int done = atomic_fetch_add(&job->done, 1) + 1;
        if (team.rank == 0) progress_step(job->progress, (size_t)done);
    }
    free(street);
    free(aerial);
}

enum { PLACE_TEXT = 2 * G_ASCII_DTOSTR_BUF_SIZE };

/* "LAT,LON" of a place in the town, in any locale. */
static void place_text(char text[PLACE_TEXT], const struct world_options *options, double x, double y)
{
    double lat, lon;
    char a[G_ASCII_DTOSTR_BUF_SIZE], o[G_ASCII_DTOSTR_BUF_SIZE];
    world_degrees(&lat, &lon, options, x, y);
    g_ascii_formatd(a, sizeof a, "%.8f", lat);
    g_ascii_formatd(o, sizeof o, "%.8f", lon);
    snprintf(text, PLACE_TEXT, "%s,%s", a, o);
}

static gvm_status write_list(const struct job *job, bool tiles, gvm_error *err)
{
    GString *text = g_string_new(tiles ? "image,lat,lon,metres\n"
                                       : "id,street,aerial,lat,lon,heading,split,aerial_lat,aerial_lon\n");
    for (int n = 0; n < job->options->pairs; n++) {
        const struct place *p = &job->places[n];
        char camera[PLACE_TEXT], tile[PLACE_TEXT];
        place_text(camera, job->options, p->x, p->y);
        place_text(tile, job->options, p->tile_x, p->tile_y);
        if (tiles)
            g_string_append_printf(text, "aerial/%06d.jpg,%s,%g\n", n + 1, tile, WORLD_TILE_M);
        else
            g_string_append_printf(text, "%06d,street/%06d.jpg,aerial/%06d.jpg,%s,0,%s,%s\n", n + 1, n + 1, n + 1,
                                   camera, p->test ? "test" : "train", tile);
    }
    struct file_writer file;
    char *path = g_strdup_printf("%s/%s", job->folder, tiles ? "tiles.csv" : "pairs.csv");
    gvm_status status = file_writer_open(&file, path, err);
    if (status == GVM_OK) {
        status = file_writer_write(&file, text->str, text->len, err);
        if (status == GVM_OK)
            status = file_writer_commit(&file, err);
        else
            file_writer_abort(&file);
    }
    g_free(path);
    g_string_free(text, TRUE);
    return status;
}

static bool is_empty(const char *folder)
{
    DIR *dir = opendir(folder);
    bool empty = true;
    for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) empty = false;
    if (dir != NULL) closedir(dir);
    return empty;
}

static gvm_status make_folder(const char *folder, const char *name, gvm_error *err)
{
    char *path = name != NULL ? g_strdup_printf("%s/%s", folder, name) : g_strdup(folder);
    struct stat info;
    gvm_status status = GVM_OK;
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        status = fail_errno(err, "create", path_tail(path));
    else if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode))
        status = fail(err, GVM_FILE, "%s: it is not a folder", path_tail(path));
    g_free(path);
    return status;
}

static gvm_status prepare(const char *folder, bool force, gvm_error *err)
{
    gvm_status status = make_folder(folder, NULL, err);
    if (status != GVM_OK) return status;
    if (!force && !is_empty(folder))
        return fail(err, GVM_FILE,
                    "%s: the folder is not empty: name a new one, or give --force to write over what is there",
                    path_tail(folder));
    static const char *const lists[] = {"pairs.csv", "tiles.csv"};
    for (int k = 0; k < 2 && status == GVM_OK; k++) {
        char *list = g_strdup_printf("%s/%s", folder, lists[k]);
        if (unlink(list) != 0 && errno != ENOENT) status = fail_errno(err, "replace", path_tail(list));
        g_free(list);
    }
    if (status == GVM_OK) status = make_folder(folder, "street", err);
    if (status == GVM_OK) status = make_folder(folder, "aerial", err);
    return status;
}

/* The pictures are on the disk before the list that names them. */
static gvm_status sync_pictures(const char *folder, gvm_error *err)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int broken = fd < 0 || syncfs(fd) != 0;
    gvm_status status = broken ? fail_errno(err, "write", path_tail(folder)) : GVM_OK;
    if (fd >= 0) close(fd);
    return status;
}

gvm_status world_write(const char *folder, const struct world_options *options, bool force, struct progress *progress,
                       gvm_error *err)
{
    gvm_status status = prepare(folder, force, err);
    if (status == GVM_OK) status = picture_start(err);
    if (status != GVM_OK) return status;
    struct place *places = malloc((size_t)options->pairs * sizeof *places);
    if (places == NULL) return fail(err, GVM_MEMORY, "there is not enough memory for %d pairs", options->pairs);
    status = world_places(places, options, err);
    if (status == GVM_OK) {
        struct job job = {.folder = folder, .options = options, .places = places, .progress = progress};
        progress_start(progress, "world", "pairs", (size_t)options->pairs);
        parallel_run(work, &job);
        progress_step(progress, (size_t)atomic_load(&job.done));
        progress_end(progress);
        if (job.status != GVM_OK) {
            if (err != NULL) *err = job.error;
            status = job.status;
        }
        if (status == GVM_OK) status = sync_pictures(folder, err);
        if (status == GVM_OK) status = write_list(&job, true, err);
        if (status == GVM_OK) status = write_list(&job, false, err);
    }
    free(places);
    return status;
}
