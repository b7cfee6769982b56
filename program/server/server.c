/* server.c - see server.h: starts the service, serves until a signal, and stops. */
#define _GNU_SOURCE /* sigtimedwait */
#include "server/server.h"

#include <malloc.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/output.h"
#include "server/handle.h"
#include "server/service.h"
#include "terminal/located.h"

enum { SWEEP_MS = 200 };

/* Seconds for accepted requests to finish after a signal, and for the rest to be aborted. */
static const double grace = 3, last_grace = 1;

/* ------------------------------------------------------------------ files */

static gvm_status read_token(struct service *s, gvm_error *err)
{
    const char *path = s->options->token;
    if (path == NULL) return GVM_OK;
    gvm_status status = read_small_file(&s->token, path, err);
    if (status != GVM_OK) return status;
    s->token[strcspn(s->token, "\r\n")] = '\0';
    if (s->token[0] != '\0' && s->token[strcspn(s->token, " \t")] == '\0') return GVM_OK;
    return fail(err, GVM_FORMAT, "%s: expected the token, without spaces, as its first line", path_tail(path));
}

/* "2026-01-31T12:34:56Z GET ..." */
static gvm_status is_log(bool *ours, const char *path, const char *start, gvm_error *err)
{
    (void)path, (void)err;
    static const char form[] = "0000-00-00T00:00:00Z ";
    *ours = true;
    for (int i = 0; form[i] != '\0' && *ours; i++)
        *ours = form[i] == '0' ? start[i] >= '0' && start[i] <= '9' : start[i] == form[i];
    return GVM_OK;
}

static gvm_status open_log(struct service *s, gvm_error *err)
{
    static const struct output_kind log = {"a log of requests", .is_ours = is_log, .kept = true};
    if (s->options->log == NULL) return GVM_OK;
    gvm_status status = output_check(s->options->log, &log, false, NULL, 0, err);
    if (status != GVM_OK) return status;
    FILE *file = fopen(s->options->log, "ae");
    if (file == NULL) return fail_errno(err, "write", path_tail(s->options->log));
    pthread_mutex_lock(&s->log_lock);
    FILE *before = s->log;
    s->log = file;
    pthread_mutex_unlock(&s->log_lock);
    if (before != NULL) (void)fclose(before);
    return GVM_OK;
}

/* ------------------------------------------------------------------ waiting for a signal */

/* True once the service must stop; closes overdue connections meanwhile. After SIGHUP the log is reopened, so that it
 * continues in a new file if the old one was renamed. */
static bool wait_for(struct service *s, const sigset_t *signals)
{
    const struct timespec a_while = {.tv_nsec = SWEEP_MS * 1000000L};
    gvm_error err;
    int signal = sigtimedwait(signals, NULL, &a_while);
    for (int n = guard_sweep(&s->guard, clock_seconds()); n > 0; n--) metrics_mishap(&s->metrics, OVERDUE);
    if (signal == SIGHUP && open_log(s, &err) != GVM_OK) tell(s, "%s; logging continues in the old file", err.text);
    return signal == SIGINT || signal == SIGTERM;
}

/* Arguments of the thread below. */
struct end {
    struct service *service;
    sigset_t signals;
    pthread_t thread;
    bool started;
    atomic_bool over; /* the service has stopped by itself */
};

static _Noreturn void end_now(const struct service *s)
{
    tell(s, "stopped with %d requests in progress", atomic_load(&s->active));
    _exit(EXIT_SUCCESS);
}

/* Ends the process if the service does not stop in time, because a decoder or the network cannot be interrupted; or
 * immediately, at another signal. */
static void *end_all(void *user)
{
    struct end *end = user;
    double until = clock_seconds() + last_grace, now;
    int signal = 0;
    while (signal != SIGINT && signal != SIGTERM && (now = clock_seconds()) < until) {
        struct timespec rest = clock_time(until - now);
        signal = sigtimedwait(&end->signals, NULL, &rest);
        if (atomic_load(&end->over)) return NULL;
    }
    end_now(end->service);
}

/* Finish accepted requests within the time limit. Data that a client has sent may not be parsed yet, so one idle round
 * is not enough. */
static void finish(struct service *s, const sigset_t *signals)
{
    double until = clock_seconds() + grace;
    for (int quiet = 0; quiet < 2 && clock_seconds() < until;) {
        if (wait_for(s, signals)) end_now(s);
        quiet = atomic_load(&s->active) == 0 ? quiet + 1 : 0;
    }
    atomic_store(&s->abandoned, true);
    engine_hurry(s->engine, true);
    guard_sweep(&s->guard, INFINITY);
}

static void run(struct service *s, struct end *end)
{
    listen_tell(s);
    while (!wait_for(s, &end->signals)) continue;
    atomic_store(&s->stopping, true);
    engine_hurry(s->engine, false);
    MHD_socket listening = MHD_quiesce_daemon(s->daemon);
    tell(s, "stopping; %d requests are in progress", atomic_load(&s->active));
    finish(s, &end->signals);
    end->started = pthread_create(&end->thread, NULL, end_all, end) == 0;
    MHD_stop_daemon(s->daemon);
    if (listening != MHD_INVALID_SOCKET) close(listening);
}

/* ------------------------------------------------------------------ all */

static gvm_status begin(struct service *s, gvm_error *err)
{
    gvm_status status = read_token(s, err);
    if (status == GVM_OK) status = open_log(s, err);
    if (status == GVM_OK) status = gvm_map_guard_open(&s->watch, s->map, 1, err);
    if (status == GVM_OK) status = gvm_imagery_open(&s->imagery, s->map, err);
    if (status == GVM_OK) {
        s->facts[0] = map_facts(s, false);
        s->facts[1] = map_facts(s, true);
        if (s->facts[0] == NULL || s->facts[1] == NULL) status = fail(err, GVM_MEMORY, "out of memory for the map");
    }
    if (status == GVM_OK) status = engine_open(&s->engine, s->model, s->map, s->options, &s->metrics, err);
    if (status == GVM_OK) status = listen_start(s, err);
    return status;
}

static void release(struct service *s)
{
    engine_free(s->engine);
    gvm_imagery_free(s->imagery);
    gvm_map_guard_free(s->watch);
    free(s->facts[0]);
    free(s->facts[1]);
    free(s->token);
    if (s->log != NULL) (void)fclose(s->log);
    pthread_mutex_destroy(&s->log_lock);
    sem_destroy(&s->decoders);
    guard_end(&s->guard);
    metrics_end(&s->metrics);
}

/* Set the constant members. */
static gvm_status look_at(struct service *s, gvm_error *err)
{
    s->info.size = sizeof s->info;
    s->map_info.size = sizeof s->map_info;
    gvm_status status = gvm_model_about(s->model, &s->info, err);
    for (int v = 0; v < 2 && status == GVM_OK; v++) {
        s->views[v].size = sizeof s->views[v];
        status = gvm_view_about(s->model, (gvm_view)v, &s->views[v], err);
    }
    return status == GVM_OK ? gvm_map_about(s->map, &s->map_info, err) : status;
}

/* glibc would keep the memory of decoded pictures: after the first large one it takes those of up to 32 MB out of its
 * arenas, of which it has eight a core, and a small block behind one keeps it from being given back. */
static void keep_little_memory(int decoders)
{
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_ARENA_MAX, decoders + 2);
#else
    (void)decoders;
#endif
}

gvm_status serve(const gvm_model *model, const gvm_map *map, const struct serve_options *options, gvm_error *err)
{
    sigset_t before;
    struct service s = {.options = options, .model = model, .map = map};
    struct end end = {.service = &s};
    int decoders = gvm_threads() > 2 ? gvm_threads() : 2;
    struct timespec now;
    gvm_status status = look_at(&s, err);
    if (status != GVM_OK) return status;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(s.tag, sizeof s.tag, "\"%.16s-%llx\"", s.map_info.fingerprint,
             (unsigned long long)now.tv_sec * 1000000000u + (unsigned long long)now.tv_nsec);
    pthread_mutex_init(&s.log_lock, NULL);
    (void)sem_init(&s.decoders, 0, (unsigned)decoders);
    keep_little_memory(decoders);
    metrics_start(&s.metrics);
    guard_start(&s.guard);
    sigemptyset(&end.signals);
    sigaddset(&end.signals, SIGINT);
    sigaddset(&end.signals, SIGTERM);
    sigaddset(&end.signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &end.signals, &before); /* inherited by later threads */
    status = begin(&s, err);
    if (status == GVM_OK) run(&s, &end);
    engine_free(s.engine); /* the last slow step */
    s.engine = NULL;
    if (end.started) {
        atomic_store(&end.over, true);
        pthread_kill(end.thread, SIGHUP); /* wakes it */
        pthread_join(end.thread, NULL);
    }
    if (status == GVM_OK) tell(&s, "stopped after %llu requests", (unsigned long long)atomic_load(&s.served));
    release(&s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}
