/* embed_files.c - picture files made into features: read ahead on other threads, the network on the calling one.
 *
 * The good pictures of a batch are moved together before it runs. */
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
    gvm_status first; /* failure */
    gvm_error *err;
};

static void load(void *user, size_t i, unsigned char *pixels, struct slot *slot)
{
    const struct job *job = user;
    const gvm_embed_job *asked = &job->asked;
    const double *heading = asked->headings != NULL && !isnan(asked->headings[i]) ? &asked->headings[i] : NULL;
    slot->status = gvm_load_picture(job->session->model, asked->view, pixels, asked->paths[i], heading, asked->panorama,
                                    &slot->err);
}

static void embed_batch(struct job *job, size_t from, size_t count, struct slot *slots, unsigned char *pixels)
{
    gvm_session *session = job->session;
    const gvm_embed_job *asked = &job->asked;
    float *features = asked->features + from * (size_t)session->model->info.features;
    size_t D = (size_t)session->model->info.features, bytes = view_bytes(session->model, asked->view), good = 0;
    for (size_t i = 0; i < count; i++) {
        if (slots[i].status != GVM_OK) continue;
        if (i > good) memcpy(pixels + good * bytes, pixels + i * bytes, bytes);
        good++;
    }
    bool ran = good == 0 || session_embed(session, asked->view, features, pixels, good);
    for (size_t i = count; i-- > 0;) { /* each row to its place, from the last */
        float *row = features + i * D;
        if (slots[i].status != GVM_OK) {
            memset(row, 0, D * sizeof *row);
            continue;
        }
        if (--good < i) memcpy(row, features + good * D, D * sizeof *row);
        if (ran && is_feature(row, D)) continue;
        memset(row, 0, D * sizeof *row);
        slots[i].status = fail_embedding(&slots[i].err, session, ran, asked->paths[from + i]);
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
    struct read_ahead work = {.n = job.asked.count,
                              .batch = (size_t)session->max_batch,
                              .bytes = view_bytes(session->model, job.asked.view),
                              .user = &job,
                              .load = load,
                              .take = take};
    status = read_ahead(&work, err);
    return status != GVM_OK ? status : job.first;
}
