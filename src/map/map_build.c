/* map_build.c - builds a map from imagery: other threads cut pieces; tiles are collected into batches, embedded and
 * committed.
 *
 * Only whole batches are committed, together with the place after their last tile. A resumed run therefore makes the
 * same batches, and the same bits, as an uninterrupted one. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/sized.h"
#include "map/map.h"
#include "map/map_file.h"
#include "map/map_job.h"
#include "network/session.h"

enum {
    COMMIT_MOST = 4096, /* tiles that wait for a commit at most */
    SHARED_BATCH = 16,  /* cells of a group that shares pictures */
    NOTES_MOST = 20     /* sources reported one by one */
};

#define COMMIT_SECONDS 1.0 /* work lost by a kill; each commit waits for the disk several times */

struct build {
    gvm_session *session;
    const struct imagery *imagery;
    struct map_file *file;
    json_t *job; /* in the file's jobs */
    gvm_map_watch *watch;
    void *user;

    struct gvm_map_progress now;   /* of all places processed */
    struct gvm_map_progress whole; /* of the places in whole batches */

    int batch;            /* batch size, tiles */
    int count;            /* tiles in the current batch */
    uint8_t *pixels;      /* (batch, pictures, H, W, 3); shared pictures are stored once */
    int *which;           /* (batch, pictures) indices of shared pictures; else NULL */
    struct cell *groups;  /* (batch, pictures) the group of cells of each shared picture */
    size_t pictures;      /* shared pictures in the current batch */
    float *features;      /* (batch, width) */
    struct place *places; /* tiles that are not committed; the current batch's are last */
    size_t waiting;       /* tiles that are embedded but not committed */
    double committed;     /* time of the last commit */
    size_t failed_source; /* index of the source whose failure was reported last, plus one */
    json_t *holes;        /* unreadable places by source; NULL: those in the job */
};

/* ------------------------------------------------------------------ tiles */

static gvm_status fail_short(const struct build *b, gvm_error *err)
{
    return fail(err, GVM_MEMORY, "%s: out of memory for its jobs", b->file->where);
}

static gvm_status commit(struct build *b, bool complete, gvm_error *err)
{
    if (!job_write(b->job, &b->whole, complete)) return fail_short(b, err);
    gvm_status status = complete ? job_replace(b->file, b->job, err) : GVM_OK;
    if (status == GVM_OK) status = map_file_commit(b->file, b->places, b->waiting, err);
    if (status != GVM_OK) return status;
    b->waiting = 0;
    b->committed = clock_seconds();
    return GVM_OK;
}

static gvm_status embed_batch(struct build *b, gvm_error *err)
{
    size_t D = (size_t)b->session->model->info.features, n = (size_t)b->count;
    bool done = n == 0 || (b->which != NULL ? session_embed_shared(b->session, GVM_AERIAL, b->features, b->pixels,
                                                                   b->pictures, b->which, n)
                                            : session_embed(b->session, GVM_AERIAL, b->features, b->pixels, n));
    if (!done) return fail_run(err, b->session, n);
    for (size_t i = 0; i < n; i++)
        if (!is_feature(b->features + i * D, D))
            return fail(err, GVM_FORMAT,
                        "the model's output for a tile of %s is not a unit vector; the weights are corrupt",
                        path_tail(b->places[b->waiting + i].source));
    gvm_status status = n > 0 ? map_file_append(b->file, b->features, n, err) : GVM_OK;
    b->waiting += n;
    b->count = 0;
    b->pictures = 0;
    b->whole = b->now;
    if (b->holes != NULL && json_object_set_new(b->job, "holes", b->holes) != 0) status = fail_short(b, err);
    b->holes = NULL;
    return status;
}

static void tell(struct build *b, const gvm_error *failure)
{
    if (b->watch != NULL) b->watch(b->user, &b->now, failure);
}

/* Add a tile's pictures to the batch, except those that it shares with earlier tiles. */
static void take_pictures(struct build *b, const struct cut_tile *tile)
{
    size_t of_place = (size_t)b->session->model->network->views[GVM_AERIAL].pictures;
    size_t bytes = view_bytes(b->session->model, GVM_AERIAL) / of_place, n = (size_t)b->count * of_place;
    for (size_t k = 0; k < of_place; k++) {
        const struct cell *own = &tile->group[k];
        b->groups[n + k] = *own;
        b->which[n + k] = -1;
        for (size_t i = k; i < n; i += of_place)
            if (b->groups[i].row == own->row && b->groups[i].col == own->col) b->which[n + k] = b->which[i];
        if (b->which[n + k] >= 0) continue;
        memcpy(b->pixels + b->pictures * bytes, tile->pixels + k * bytes, bytes);
        b->which[n + k] = (int)b->pictures++;
    }
}

/* A copy of the job's list; empty if another program left it out. */
static json_t *copy_holes(const json_t *job)
{
    const json_t *holes = json_object_get(job, "holes");
    return json_is_object(holes) ? json_deep_copy(holes) : json_object();
}

static gvm_status take_tile(struct build *b, const struct cut_tile *tile, const struct piece *piece, gvm_error *err)
{
    size_t bytes = view_bytes(b->session->model, GVM_AERIAL);
    b->now.done++;
    if (tile->status == GVM_MEMORY) { /* out of memory must not leave a hole in the map */
        if (err != NULL) *err = piece->err;
        return GVM_MEMORY;
    }
    if (tile->status != GVM_OK) {
        b->now.failed++;
        if (b->holes == NULL) b->holes = copy_holes(b->job);
        if (!job_hole(b->holes, tile->place.source)) return fail_short(b, err);
        if (b->failed_source != piece->source + 1) tell(b, &piece->err);
        b->failed_source = piece->source + 1;
        return GVM_OK;
    }
    if (tile->empty) {
        b->now.empty++;
        return GVM_OK;
    }
    if (b->which != NULL)
        take_pictures(b, tile);
    else
        memcpy(b->pixels + (size_t)b->count * bytes, tile->pixels, bytes);
    b->places[b->waiting + (size_t)b->count++] = tile->place;
    b->now.tiles++;
    b->now.partly += tile->partly;
    if (b->count < b->batch) return GVM_OK;
    gvm_status status = embed_batch(b, err);
    bool due = b->waiting >= COMMIT_MOST || clock_seconds() - b->committed >= COMMIT_SECONDS;
    return status == GVM_OK && due ? commit(b, false, err) : status;
}

static gvm_status run(struct build *b, gvm_error *err)
{
    struct piece_ring *ring;
    size_t start = b->now.done;
    gvm_status status = piece_ring_open(&ring, b->imagery, b->session->model, imagery_find(b->imagery, start),
                                        2 * (size_t)b->batch, err);
    if (status != GVM_OK) return status;
    tell(b, NULL);
    for (const struct piece *piece; status == GVM_OK && (piece = piece_ring_next(ring)) != NULL;) {
        for (int i = 0; i < piece->count && status == GVM_OK; i++)
            if (piece->before + (size_t)i >= start) status = take_tile(b, &piece->tiles[i], piece, err);
        if (status == GVM_OK) tell(b, NULL);
    }
    piece_ring_free(ring);
    if (status == GVM_OK) status = embed_batch(b, err); /* the last batch may be smaller */
    return status == GVM_OK && b->whole.tiles > 0 ? commit(b, true, err) : status;
}

/* ------------------------------------------------------------------ all */

static gvm_status build_job(struct build *b, gvm_error *err)
{
    size_t B = (size_t)b->batch, n = B * (size_t)b->session->model->network->views[GVM_AERIAL].pictures;
    bool shared = imagery_is_shared(b->imagery);
    b->which = shared ? calloc(n, sizeof *b->which) : NULL;
    b->groups = shared ? calloc(n, sizeof *b->groups) : NULL;
    b->pixels = malloc(B * view_bytes(b->session->model, GVM_AERIAL));
    b->features = malloc(B * (size_t)b->session->model->info.features * sizeof *b->features);
    b->places = calloc(COMMIT_MOST + B, sizeof *b->places);
    b->committed = clock_seconds();
    bool enough = b->pixels != NULL && b->features != NULL && b->places != NULL &&
                  (!shared || (b->which != NULL && b->groups != NULL));
    gvm_status status = enough ? run(b, err) : fail(err, GVM_MEMORY, "out of memory for a batch of %zu tiles", B);
    free(b->pixels);
    free(b->which);
    free(b->groups);
    free(b->features);
    free(b->places);
    json_decref(b->holes);
    return status;
}

/* Report places that earlier runs could not read. */
static void tell_holes(struct build *b)
{
    bool rasters = json_object_get(json_object_get(b->job, "imagery"), "sources") != NULL;
    const char *source;
    json_t *places;
    json_object_foreach(json_object_get(b->job, "holes"), source, places)
    {
        gvm_error hole;
        long long n = json_integer_value(places);
        if (rasters)
            fail(&hole, GVM_IMAGE, "%s: %lld place%s could not be read and %s missing from the map", path_tail(source),
                 n, n == 1 ? "" : "s", n == 1 ? "is" : "are");
        else
            fail(&hole, GVM_IMAGE, "%s: it could not be read and is missing from the map", path_tail(source));
        tell(b, &hole);
    }
}

/* Report the plan before the work begins. */
static void tell_plan(struct build *b)
{
    gvm_error note;
    bool warning;
    for (size_t i = 0; imagery_note(&note, &warning, b->imagery, i); i++) {
        if (warning) tell(b, &note);
        if (warning || i >= NOTES_MOST) continue;
        b->now.note = note.text;
        tell(b, NULL);
        b->now.note = NULL;
    }
}

/* The sources gave no tile: restore the map, or delete it if it is new. */
static gvm_status take_back(struct build *b, gvm_error *err)
{
    struct map_file *f = b->file;
    size_t n = json_array_size(f->jobs), places = b->now.places, failed = b->now.failed;
    json_array_remove(f->jobs, n - 1);
    if (n > 1 || f->rows > 0) {
        gvm_status status = map_file_commit(f, NULL, 0, err);
        if (status != GVM_OK) return status;
    } else {
        map_file_unlink(f->path, NULL);
        unlink(f->features_path);
    }
    return fail(err, GVM_IMAGE, "%s: %s, as none of %zu places has a tile: %zu are empty, %zu cannot be read", f->where,
                n > 1 || f->rows > 0 ? "nothing was added" : "not made", places, b->now.empty, failed);
}

static gvm_status open_map(struct map_file **file, const char *path, const gvm_model *model, json_t *job, bool add,
                           gvm_error *err)
{
    char *features;
    gvm_status status = map_features_path(&features, path, err);
    free(features);
    if (status != GVM_OK) return status;
    bool there;
    status = file_exists(&there, path, err);
    if (status != GVM_OK) return status;
    if (!there && add) return fail(err, GVM_FILE, "%s: there is no such map to add to", path_tail(path));
    status = there ? map_file_open(file, path, true, err)
                   : map_file_create(file, path, &model->info, model->views[GVM_AERIAL].ground_m, json_pack("[O]", job),
                                     err);
    if (status == GVM_OK)
        status = map_match((*file)->where, (*file)->fingerprint, (*file)->id.width, &model->info, err);
    return status;
}

gvm_status gvm_map_build(const char *path, gvm_session *session, const gvm_map_options *options,
                         gvm_map_progress *progress, gvm_map_watch *watch, void *user, gvm_error *err)
{
    struct imagery *imagery;
    struct build b = {.session = session, .watch = watch, .user = user};
    gvm_map_options o;
    clear_error(err);
    gvm_status status = sized_read(&o, sizeof o, options, err);
    if (status == GVM_OK && progress != NULL) status = sized_write(progress, &b.now, sizeof b.now, err);
    if (status == GVM_OK) status = imagery_open(&imagery, &o, session->model, err);
    if (status != GVM_OK) return status;
    b.imagery = imagery;
    b.batch = imagery_is_shared(imagery) ? SHARED_BATCH : session->max_batch;
    json_t *job = job_new(imagery, path, b.batch);
    status = job != NULL ? open_map(&b.file, path, session->model, job, o.add != 0, err)
                         : fail(err, GVM_MEMORY, "%s: cannot build it: out of memory", path_tail(path));
    if (status == GVM_OK) status = job_find(&b.job, b.file, job, o.add != 0, err);
    if (status == GVM_OK) {
        job_read(&b.now, b.job, imagery_places(imagery));
        b.now.size = sizeof b.now;
        b.whole = b.now;
        tell_holes(&b);
        if (!job_is_complete(b.job)) {
            tell_plan(&b);
            status = build_job(&b, err);
            if (status == GVM_OK && b.now.tiles == 0) status = take_back(&b, err);
        }
    }
    struct gvm_map_progress end = b.now;
    if (status == GVM_OK) status = job_count(&end, b.file, b.job, err);
    if (progress != NULL) sized_write(progress, &end, sizeof end, NULL);
    map_file_close(b.file);
    json_decref(job);
    imagery_free(imagery);
    return status;
}
