/* locate.c - locates picture files: reads them ahead and locates a batch at a time. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/sized.h"
#include "network/read_ahead.h"
#include "network/session.h"

struct job {
    gvm_session *session;
    gvm_locate_job asked;
    gvm_status first; /* failure */
    gvm_error *err;
    gvm_locator *locator;
    gvm_located *photos;    /* (max_batch) */
    gvm_located **pointers; /* (max_batch) to them */
    float *features;        /* (max_batch, D) */
    float *scores;          /* (max_batch, tiles); NULL: not wanted */
    size_t tiles;           /* of the map */
};

/* A file is opened once, for its metadata, its pixels and the caller's callback. */
static void load(void *user, size_t i, unsigned char *pixels, struct slot *slot)
{
    const struct job *job = user;
    const gvm_question *q = &job->asked.questions[i];
    const gvm_picture_options options = {.size = sizeof options, .path = q->photo};
    gvm_located photo = {.size = sizeof photo,
                         .question = q,
                         .pixels = pixels,
                         .room = most_inputs(job->session->model, GVM_STREET),
                         .camera = &slot->camera};
    gvm_picture *picture;
    slot->camera = (gvm_camera){.size = sizeof slot->camera};
    slot->status = gvm_picture_open(&picture, &options, &slot->err);
    if (slot->status != GVM_OK) return;
    slot->status = gvm_located_prepare(&photo, picture, job->session->model);
    slot->info = photo.info;
    slot->inputs = photo.views;
    slot->err = photo.err;
    if (slot->status == GVM_OK && job->asked.opened != NULL) job->asked.opened(job->asked.user, i, picture);
    gvm_picture_free(picture);
}

static gvm_status take(void *user, size_t from, size_t count, struct slot *slots, unsigned char *pixels, gvm_error *err)
{
    struct job *job = user;
    const gvm_locate_job *asked = &job->asked;
    gvm_error failure; /* not err, which may hold the first photo's */
    const gvm_model *model = job->session->model;
    size_t D = (size_t)model->info.features;
    int room = most_inputs(model, GVM_STREET);
    for (size_t i = 0; i < count; i++) {
        job->photos[i] = (gvm_located){.size = sizeof job->photos[i],
                                       .question = &asked->questions[from + i],
                                       .info = slots[i].info,
                                       .pixels = pixels + i * (size_t)room * view_bytes(model, GVM_STREET),
                                       .room = room,
                                       .views = slots[i].inputs,
                                       .camera = &slots[i].camera,
                                       .status = slots[i].status,
                                       .err = slots[i].err,
                                       .hits = asked->hits + (from + i) * (size_t)asked->max_hits,
                                       .found = &asked->found[from + i],
                                       .feature = job->features + i * D,
                                       .scores = job->scores != NULL ? job->scores + i * job->tiles : NULL};
        if (asked->p != NULL) job->photos[i].p = asked->p + (from + i) * (size_t)asked->max_hits;
        if (asked->chances != NULL) job->photos[i].chance = &asked->chances[from + i];
        job->pointers[i] = &job->photos[i];
    }
    gvm_status status =
        gvm_locator_run(job->locator, job->pointers, count, asked->max_hits, asked->each_tile, &failure);
    if (status != GVM_OK) return fail(err, status, "%s", failure.text);
    for (size_t i = 0; i < count; i++) {
        const gvm_located *photo = &job->photos[i];
        if (photo->status != GVM_OK && job->first == GVM_OK) {
            job->first = photo->status;
            if (job->err != NULL) *job->err = photo->err;
        }
        if (asked->done != NULL) asked->done(asked->user, from + i, asked->count, photo);
    }
    return GVM_OK;
}

static gvm_status locate_all(struct job *job, gvm_error *err)
{
    size_t batch = (size_t)job->session->max_batch;
    struct read_ahead work = {.n = job->asked.count,
                              .batch = batch,
                              .bytes = view_bytes(job->session->model, GVM_STREET) *
                                       (size_t)most_inputs(job->session->model, GVM_STREET),
                              .user = job,
                              .load = load,
                              .take = take};
    job->photos = malloc(batch * sizeof *job->photos);
    job->pointers = malloc(batch * sizeof *job->pointers);
    job->features = malloc(batch * (size_t)job->session->model->info.features * sizeof *job->features);
    if (job->asked.scores) job->scores = malloc((batch * job->tiles + 1) * sizeof *job->scores);
    gvm_status status = job->photos && job->pointers && job->features && (job->scores || !job->asked.scores)
                            ? read_ahead(&work, err)
                            : fail(err, GVM_MEMORY, "cannot locate photos: out of memory");
    free(job->photos);
    free(job->pointers);
    free(job->features);
    free(job->scores);
    return status;
}

gvm_status gvm_locate_files(gvm_session *session, const gvm_map *map, const gvm_locate_job *asked, gvm_error *err)
{
    struct job job = {.session = session, .err = err, .tiles = gvm_map_count(map)};
    clear_error(err);
    gvm_status status = sized_read(&job.asked, sizeof job.asked, asked, err);
    if (status != GVM_OK) return status;
    memset(job.asked.found, 0, job.asked.count * sizeof *job.asked.found);
    status = gvm_locator_open(&job.locator, session, map, job.asked.max_hits, err);
    if (status == GVM_OK) status = locate_all(&job, err);
    gvm_locator_free(job.locator);
    return status != GVM_OK ? status : job.first;
}

gvm_status gvm_locate(gvm_session *session, const gvm_map *map, const char *photo, const double *heading, gvm_hit *hits,
                      int max_hits, int *count, gvm_error *err)
{
    const gvm_question question = {.photo = photo, .heading = heading != NULL ? *heading : NAN};
    gvm_found found = {0};
    const gvm_locate_job job = {
        .size = sizeof job, .questions = &question, .count = 1, .max_hits = max_hits, .hits = hits, .found = &found};
    *count = 0;
    if (heading != NULL && !isfinite(*heading))
        return fail(err, GVM_ARGUMENT, "%s: a heading must be a number of degrees", path_tail(photo));
    gvm_status status = gvm_locate_files(session, map, &job, err);
    *count = found.count;
    return status;
}
