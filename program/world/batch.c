/* batch.c - see batch.h. */
#include "world/batch.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/parallel.h"

struct job {
    const struct batch *batch;
    atomic_int next, done;
    atomic_int failed; /* set by the first thread that fails */
    gvm_status status;
    gvm_error error;
};

static void job_fails(struct job *job, gvm_status status, const gvm_error *err)
{
    if (atomic_exchange(&job->failed, 1) != 0) return;
    job->status = status;
    job->error = *err;
}

static void work(void *argument, struct team team)
{
    struct job *job = argument;
    const struct batch *batch = job->batch;
    unsigned char *room = malloc(batch->room);
    gvm_error err;
    if (room == NULL) job_fails(job, fail(&err, GVM_MEMORY, "out of memory for pictures"), &err);
    for (int n; !atomic_load(&job->failed) && (n = atomic_fetch_add(&job->next, 1)) < batch->count;) {
        gvm_status status = batch->make(batch->context, room, n, &err);
        if (status != GVM_OK) job_fails(job, status, &err);
        int done = atomic_fetch_add(&job->done, 1) + 1;
        if (team.rank == 0) progress_step(batch->progress, batch->before + (size_t)done);
    }
    free(room);
}

gvm_status batch_run(const struct batch *batch, gvm_error *err)
{
    struct job job = {.batch = batch};
    parallel_run(work, &job);
    progress_step(batch->progress, batch->before + (size_t)atomic_load(&job.done));
    if (job.status != GVM_OK && err != NULL) *err = job.error;
    return job.status;
}
