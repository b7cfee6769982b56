/* locate.c - where street pictures were taken: their files are read ahead, then located a batch at a time. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "image/panorama.h"
#include "locate/locate_batch.h"
#include "network/read_ahead.h"
#include "network/session.h"

struct job {
    const gvm_model *model;
    const gvm_question *questions;
    size_t n;
    bool merge;
    int max_hits;
    gvm_hit *hits;    /* (n, max_hits) */
    gvm_found *found; /* (n) */
    gvm_file_done *done;
    void *user;
    gvm_status first; /* failure */
    gvm_error *err;
    struct locate_batch *batch;
    struct asked *asked; /* (max_batch) */
};

/* What a picture says of itself and its pixels, from one decoding. */
static void load(void *user, size_t i, unsigned char *pixels, struct slot *slot)
{
    const struct job *job = user;
    const gvm_question *q = &job->questions[i];
    const struct picture_shape shape = config_shape(&job->model->network->config, GVM_STREET);
    struct image image;
    bool known;
    slot->status = locate_check(q, &slot->err);
    if (slot->status != GVM_OK) { /* what is no picture gives no place either: that is said first */
        gvm_error err;
        gvm_status read = photo_about(&slot->info, q->photo, &err);
        if (read == GVM_OK) return;
        slot->status = read;
        slot->err = err;
        return;
    }
    slot->status = image_load(&image, q->photo, &slot->err);
    if (slot->status != GVM_OK) return;
    slot->info = photo_said(&image);
    double heading = locate_heading(&known, q, &slot->info);
    slot->status = panorama_fit(pixels, &shape, &heading, q->panorama != 0, &image, path_tail(q->photo), &slot->err);
    image_free(&image);
}

static gvm_status take(void *user, size_t from, size_t count, struct slot *slots, unsigned char *pixels, gvm_error *err)
{
    struct job *job = user;
    (void)err;
    for (size_t i = 0; i < count; i++)
        job->asked[i] = (struct asked){.question = &job->questions[from + i],
                                       .info = slots[i].info,
                                       .pixels = pixels + i * view_bytes(job->model, GVM_STREET),
                                       .status = slots[i].status,
                                       .err = slots[i].err,
                                       .hits = job->hits + (from + i) * (size_t)job->max_hits,
                                       .found = &job->found[from + i]};
    locate_batch_run(job->batch, job->asked, count, job->max_hits, job->merge);
    for (size_t i = 0; i < count; i++) {
        const struct asked *asked = &job->asked[i];
        if (asked->status != GVM_OK && job->first == GVM_OK) {
            job->first = asked->status;
            if (job->err != NULL) *job->err = asked->err;
        }
        if (job->done != NULL) job->done(job->user, from + i, job->n, asked->status, &asked->err);
    }
    return GVM_OK;
}

gvm_status gvm_locate_files(gvm_session *session, const gvm_map *map, const gvm_question *questions, size_t n,
                            int merge, gvm_hit *hits, int max_hits, gvm_found *found, gvm_file_done *done, void *user,
                            gvm_error *err)
{
    clear_error(err);
    memset(found, 0, n * sizeof *found);
    struct job job = {.model = session->model,
                      .questions = questions,
                      .n = n,
                      .merge = merge,
                      .max_hits = max_hits,
                      .hits = hits,
                      .found = found,
                      .done = done,
                      .user = user,
                      .err = err};
    struct read_ahead work = {.n = n,
                              .batch = (size_t)session->max_batch,
                              .bytes = view_bytes(session->model, GVM_STREET),
                              .user = &job,
                              .load = load,
                              .take = take};
    gvm_status status = locate_batch_open(&job.batch, session, map, max_hits, err);
    if (status != GVM_OK) return status;
    job.asked = malloc(work.batch * sizeof *job.asked);
    status = job.asked != NULL ? read_ahead(&work, err)
                               : fail(err, GVM_MEMORY, "there is not enough memory to locate photos");
    free(job.asked);
    locate_batch_free(job.batch);
    return status != GVM_OK ? status : job.first;
}

gvm_status gvm_locate(gvm_session *session, const gvm_map *map, const char *photo, const double *heading, gvm_hit *hits,
                      int max_hits, int *count, gvm_error *err)
{
    gvm_question question = {.photo = photo, .heading = heading != NULL ? *heading : NAN};
    gvm_found found = {0};
    *count = 0;
    if (heading != NULL && !isfinite(*heading))
        return fail(err, GVM_ARGUMENT, "%s: a heading must be a number of degrees", path_tail(photo));
    gvm_status status = gvm_locate_files(session, map, &question, 1, 1, hits, max_hits, &found, NULL, NULL, err);
    *count = found.count;
    return status;
}
