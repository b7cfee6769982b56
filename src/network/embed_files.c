/* embed_files.c - embeds picture files: other threads read ahead, the calling one runs the network.
 *
 * The inputs of unreadable pictures are compacted away before a batch runs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/sized.h"
#include "network/read_ahead.h"
#include "network/session.h"

struct job {
    gvm_session *session;
    gvm_embed_job asked;
    int most;         /* largest number of inputs of a picture */
    float *rows;      /* (max_batch most, D) their features */
    gvm_status first; /* failure */
    gvm_error *err;
};

static void load(void *user, size_t i, unsigned char *pixels, struct slot *slot)
{
    const struct job *job = user;
    const gvm_embed_job *asked = &job->asked;
    const gvm_model *model = job->session->model;
    const double *heading = asked->headings != NULL && !isnan(asked->headings[i]) ? &asked->headings[i] : NULL;
    const gvm_picture_options options = {.size = sizeof options, .path = asked->paths[i]};
    slot->inputs = 1;
    if (asked->view == GVM_AERIAL) {
        slot->status = gvm_load_picture(model, asked->view, pixels, options.path, heading, asked->panorama, &slot->err);
        return;
    }
    const gvm_street_options way = {.size = sizeof way,
                                    .room = job->most,
                                    .panorama = asked->panorama,
                                    .heading = heading,
                                    .camera = asked->cameras != NULL ? asked->cameras[i] : NULL};
    gvm_picture *picture;
    slot->status = gvm_picture_open(&picture, &options, &slot->err);
    if (slot->status == GVM_OK)
        slot->status = gvm_picture_street(picture, model, pixels, &way, asked->used != NULL ? asked->used[i] : NULL,
                                          &slot->inputs, &slot->err);
    gvm_picture_free(picture);
}

static void embed_batch(struct job *job, size_t from, size_t count, struct slot *slots, unsigned char *pixels)
{
    gvm_session *session = job->session;
    const gvm_embed_job *asked = &job->asked;
    size_t D = (size_t)session->model->info.features, bytes = view_bytes(session->model, asked->view), inputs = 0;
    for (size_t i = 0; i < count; i++) {
        const unsigned char *own = pixels + i * (size_t)job->most * bytes;
        if (slots[i].status != GVM_OK) continue;
        if (own > pixels + inputs * bytes) memmove(pixels + inputs * bytes, own, (size_t)slots[i].inputs * bytes);
        inputs += (size_t)slots[i].inputs;
    }
    bool ran = inputs == 0 || session_embed(session, asked->view, job->rows, pixels, inputs);
    const float *rows = job->rows;
    for (size_t i = 0; i < count; i++) {
        float *feature = asked->features + (from + i) * D;
        bool good = slots[i].status == GVM_OK && ran && mean_feature(feature, rows, slots[i].inputs, D);
        if (slots[i].status == GVM_OK) rows += (size_t)slots[i].inputs * D;
        if (slots[i].status == GVM_OK && !good)
            slots[i].status = fail_embedding(&slots[i].err, session, ran, asked->paths[from + i]);
        if (!good) memset(feature, 0, D * sizeof *feature);
        if (asked->views != NULL) asked->views[from + i] = good ? slots[i].inputs : 0;
    }
}

static gvm_status take(void *user, size_t from, size_t count, struct slot *slots, unsigned char *pixels, gvm_error *err)
{
    struct job *job = user;
    (void)err;
    embed_batch(job, from, count, slots, pixels);
    for (size_t i = 0; i < count; i++) {
        if (slots[i].status != GVM_OK && job->first == GVM_OK) {
            job->first = slots[i].status;
            if (job->err != NULL) *job->err = slots[i].err;
        }
        if (job->asked.done != NULL)
            job->asked.done(job->asked.user, from + i, job->asked.count, slots[i].status, &slots[i].err);
    }
    return GVM_OK;
}

gvm_status gvm_embed_files(gvm_session *session, const gvm_embed_job *asked, gvm_error *err)
{
    struct job job = {.session = session, .err = err};
    clear_error(err);
    gvm_status status = sized_read(&job.asked, sizeof job.asked, asked, err);
    if (status == GVM_OK) status = check_view(job.asked.view, err);
    if (status != GVM_OK) return status;
    job.most = most_inputs(session->model, job.asked.view);
    size_t inputs = (size_t)session->max_batch * (size_t)job.most;
    struct read_ahead work = {.n = job.asked.count,
                              .batch = (size_t)session->max_batch,
                              .bytes = view_bytes(session->model, job.asked.view) * (size_t)job.most,
                              .user = &job,
                              .load = load,
                              .take = take};
    job.rows = malloc(inputs * (size_t)session->model->info.features * sizeof *job.rows);
    if (job.rows == NULL) return fail(err, GVM_MEMORY, "out of memory for %zu features", inputs);
    status = read_ahead(&work, err);
    free(job.rows);
    return status != GVM_OK ? status : job.first;
}
