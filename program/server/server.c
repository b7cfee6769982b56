/* server.c - see server.h: the service begins, serves until a signal comes, and ends. */
#define _GNU_SOURCE /* sigtimedwait */
#include "server/server.h"

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

/* Seconds that what was taken has to be finished after a signal, and what does not end even then to be cut off. */
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
    return fail(err, GVM_FORMAT, "%s: its first line must be the token, without spaces", path_tail(path));
}

/* "2026-01-31T12:34:56Z GET ..." */
static bool is_log(const char *path, const char *start)
{
    (void)path;
    static const char form[] = "0000-00-00T00:00:00Z ";
    for (int i = 0; form[i] != '\0'; i++)
        if (form[i] == '0' ? start[i] < '0' || start[i] > '9' : start[i] != form[i]) return false;
    return true;
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

/* ------------------------------------------------------------------ until a signal comes */

/* True once the service is to end; ends overdue connections meanwhile. After SIGHUP the log goes on in a new file,
 * where the old one was renamed. */
static bool wait_for(struct service *s, const sigset_t *signals)
{
    const struct timespec a_while = {.tv_nsec = SWEEP_MS * 1000000L};
    gvm_error err;
    int signal = sigtimedwait(signals, NULL, &a_while);
    for (int n = guard_sweep(&s->guard, clock_seconds()); n > 0; n--) metrics_mishap(&s->metrics, OVERDUE);
    if (signal == SIGHUP && open_log(s, &err) != GVM_OK) tell(s, "%s; the log goes on where it was", err.text);
    return signal == SIGINT || signal == SIGTERM;
}

/* What the thread below needs. */
struct end {
    struct service *service;
    sigset_t signals;
    pthread_t thread;
    bool started;
    atomic_bool over; /* the service has ended by itself */
};

static _Noreturn void end_now(const struct service *s)
{
    tell(s, "ended with %d requests at work", atomic_load(&s->active));
    _exit(EXIT_SUCCESS);
}

/* Ends the process if the service does not end in time, as a decoder or the network may be in the middle of something
 * that cannot be interrupted; or at once, at another signal. */
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

/* Finish what was taken, as far as there is time. What a client has sent may not be parsed yet, so that one quiet round
 * says little. */
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
    tell(s, "stopping; %d requests are at work", atomic_load(&s->active));
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
        if (s->facts[0] == NULL || s->facts[1] == NULL)
            status = fail(err, GVM_MEMORY, "there is not enough memory for the map");
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

/* What does not change. */
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

gvm_status serve(const gvm_model *model, const gvm_map *map, const struct serve_options *options, gvm_error *err)
{
    sigset_t before;
    struct service s = {.options = options, .model = model, .map = map};
    struct end end = {.service = &s};
    int threads = gvm_threads();
    struct timespec now;
    gvm_status status = look_at(&s, err);
    if (status != GVM_OK) return status;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(s.tag, sizeof s.tag, "\"%.16s-%llx\"", s.map_info.fingerprint,
             (unsigned long long)now.tv_sec * 1000000000u + (unsigned long long)now.tv_nsec);
    pthread_mutex_init(&s.log_lock, NULL);
    (void)sem_init(&s.decoders, 0, threads > 2 ? (unsigned)threads : 2);
    metrics_start(&s.metrics);
    guard_start(&s.guard);
    sigemptyset(&end.signals);
    sigaddset(&end.signals, SIGINT);
    sigaddset(&end.signals, SIGTERM);
    sigaddset(&end.signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &end.signals, &before); /* the threads that come inherit it */
    status = begin(&s, err);
    if (status == GVM_OK) run(&s, &end);
    engine_free(s.engine); /* the last that may take time */
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
