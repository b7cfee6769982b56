/* work.c - waiting for a decoder and the network, and the errors if they did not run. */
#define _GNU_SOURCE /* sem_clockwait */
#include "base/clock.h"
#include "server/service.h"

bool work_is_over(void *user)
{
    struct request *r = user;
    if (guard_is_gone(r->guarded)) r->gone = true;
    return r->gone || clock_seconds() > r->until || atomic_load(&r->service->abandoned);
}

bool work_refuse(struct request *r)
{
    if (r->gone) return refuse(r, 503, "The client disconnected.");
    if (atomic_load(&r->service->abandoned)) return refuse(r, 503, "The service is stopping.");
    metrics_mishap(&r->service->metrics, TOO_LATE);
    return refuse(r, 503, "The request timed out after %d seconds; try again in a moment.",
                  r->service->options->seconds);
}

bool work_enter(struct request *r)
{
    struct timespec soon;
    do {
        soon = clock_time(clock_seconds() + 0.1);
        if (sem_clockwait(&r->service->decoders, CLOCK_MONOTONIC, &soon) == 0) return true;
    } while (!work_is_over(r));
    return work_refuse(r);
}

void work_leave(struct request *r)
{
    sem_post(&r->service->decoders);
}

bool work_queue(struct request *r)
{
    if (engine_enter(r->service->engine)) return true;
    metrics_mishap(&r->service->metrics, QUEUE_FULL);
    return refuse(r, 503, "The queue is full; try again in a moment.");
}

bool work_has_map(struct request *r)
{
    gvm_error err;
    if (gvm_map_guard_check(r->service->watch, &err) == GVM_OK) return true;
    return refuse(r, 503, "%s. To replace a map that is served, move the new one to its name and restart the service.",
                  err.text);
}

bool work_done(struct request *r, struct work *work)
{
    work->until = r->until;
    work->client = r->guarded;
    engine_run(r->service->engine, work);
    if (work->fate == GONE) r->gone = true;
    if (work->fate != DONE)
        work_refuse(r);
    else if (work_has_map(r) && work->status != GVM_OK)
        refuse_failure(r, work->status, &work->err);
    return !r->refused;
}
