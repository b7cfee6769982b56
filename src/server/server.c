/* server.c - see server.h: the service begins, serves until a signal comes, and ends. */
#define _GNU_SOURCE /* sigtimedwait */
#include "server/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/output.h"
#include "base/parallel.h"
#include "map/locate_json.h"
#include "server/clock.h"
#include "server/handle.h"
#include "server/service.h"

const struct serve_options serve_defaults = {.bind = "127.0.0.1",
                                             .port = 8080,
                                             .batch = 16,
                                             .patience_ms = 4,
                                             .queue = 64,
                                             .body_bytes = 64u << 20,
                                             .memory_bytes = 512u << 20,
                                             .pixels = 128 * 1000 * 1000,
                                             .seconds = 60,
                                             .min_margin = DEFAULT_MIN_MARGIN,
                                             .connections = 256,
                                             .each_client = 64};

enum { STACK = 1 << 20, SWEEP_MS = 200 };

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* To stderr. */
static void tell(const struct service *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void tell(const struct service *s, const char *format, ...)
{
    va_list arguments;
    if (s->options->quiet) return;
    va_start(arguments, format);
    fputs("geoviewmatch: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

/* ------------------------------------------------------------------ files */

/* A small file as text, to be freed. */
static gvm_status read_text(char **text, const char *path, gvm_error *err)
{
    struct file_map file;
    *text = NULL;
    gvm_status status = file_map(&file, path, err);
    if (status != GVM_OK) return status;
    if (file.size > 1 << 20)
        status = fail(err, GVM_FORMAT, "%s: it is too large for what it should be", path_tail(path));
    else if ((*text = strndup((const char *)file.data, file.size)) == NULL)
        status = fail(err, GVM_MEMORY, "%s: there is not enough memory to read it", path_tail(path));
    file_unmap(&file);
    return status;
}

static gvm_status read_token(struct service *s, gvm_error *err)
{
    const char *path = s->options->token;
    if (path == NULL) return GVM_OK;
    gvm_status status = read_text(&s->token, path, err);
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
    s->log = fopen(s->options->log, "ae");
    return s->log != NULL ? GVM_OK : fail_errno(err, "write", path_tail(s->options->log));
}

/* ------------------------------------------------------------------ listening */

static gvm_status read_address(union address *address, const struct serve_options *o, gvm_error *err)
{
    const char *bind = strcmp(o->bind, "localhost") == 0 ? "127.0.0.1" : o->bind;
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, bind, &address->v4.sin_addr) == 1) {
        address->v4.sin_family = AF_INET;
        address->v4.sin_port = htons((uint16_t)o->port);
    } else if (inet_pton(AF_INET6, bind, &address->v6.sin6_addr) == 1) {
        address->v6.sin6_family = AF_INET6;
        address->v6.sin6_port = htons((uint16_t)o->port);
    } else {
        return fail(err, GVM_ARGUMENT, "%.60s is not an IPv4 or IPv6 address", o->bind);
    }
    return GVM_OK;
}

static bool is_loopback(const union address *a)
{
    if (a->any.sa_family == AF_INET) return ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
}

/* What MHD has to say of clients is not for the terminal. */
static void ignore(void *user, const char *format, va_list arguments)
{
    (void)user, (void)format, (void)arguments;
}

static gvm_status listen_on(struct service *s, gvm_error *err)
{
    const struct serve_options *o = s->options;
    union address address;
    char *cert = NULL, *key = NULL;
    gvm_status status = read_address(&address, o, err);
    if (status == GVM_OK && o->tls_cert != NULL) status = read_text(&cert, o->tls_cert, err);
    if (status == GVM_OK && o->tls_key != NULL) status = read_text(&key, o->tls_key, err);
    if (status == GVM_OK) {
        unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC |
                         MHD_USE_ERROR_LOG | (address.any.sa_family == AF_INET6 ? MHD_USE_IPv6 : 0) |
                         (cert != NULL ? MHD_USE_TLS : 0);
        char priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
        struct MHD_OptionItem tls[] = {{cert != NULL ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, 0, cert},
                                       {MHD_OPTION_HTTPS_MEM_KEY, 0, key},
                                       {MHD_OPTION_HTTPS_PRIORITIES, 0, priorities},
                                       {MHD_OPTION_END, 0, NULL}};
        errno = 0; /* no time limit of MHD's: it would count the network's own time as the client's (guard.h) */
        s->daemon = MHD_start_daemon(
            flags, 0, NULL, NULL, handle_request, s, MHD_OPTION_EXTERNAL_LOGGER, ignore, NULL, MHD_OPTION_SOCK_ADDR,
            &address.any, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_NOTIFY_COMPLETED, handle_completed, s,
            MHD_OPTION_NOTIFY_CONNECTION, handle_connection, s, MHD_OPTION_CONNECTION_LIMIT, (unsigned)o->connections,
            MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)o->each_client, MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK,
            MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
        if (s->daemon == NULL && errno != 0)
            status = fail(err, GVM_FILE, "%s, port %d: it cannot listen there: %s", o->bind, o->port, strerror(errno));
        else if (s->daemon == NULL)
            status = fail(err, GVM_FORMAT, "it cannot listen on %s, port %d%s", o->bind, o->port,
                          cert != NULL ? ": are these a certificate and its key, in PEM?" : "");
    }
    if (status == GVM_OK && s->token == NULL && !is_loopback(&address))
        tell(s, "warning: anyone who reaches %s may ask this service; --token keeps them out", o->bind);
    free(cert);
    free(key);
    return status;
}

/* ------------------------------------------------------------------ until a signal comes */

/* True once a signal came; ends overdue connections meanwhile. */
static bool wait_for(struct service *s, const sigset_t *signals)
{
    const struct timespec a_while = {.tv_nsec = SWEEP_MS * 1000000L};
    int signal = sigtimedwait(signals, NULL, &a_while);
    for (int n = guard_sweep(&s->guard, clock_seconds()); n > 0; n--) metrics_mishap(&s->metrics, OVERDUE);
    return signal > 0;
}

static void run(struct service *s, const sigset_t *signals)
{
    const struct serve_options *o = s->options;
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT);
    bool v6 = strchr(o->bind, ':') != NULL;
    char address[120];
    snprintf(address, sizeof address, "%s://%s%s%s:%d/", o->tls_cert != NULL ? "https" : "http", v6 ? "[" : "", o->bind,
             v6 ? "]" : "", info != NULL ? info->port : o->port);
    printf("%s\n", address);
    fflush(stdout);
    tell(s, "serving %s, %zu tiles, at %s", path_tail(s->map->path), s->map->tiles.count, address);
    while (!wait_for(s, signals)) continue;
    atomic_store(&s->stopping, true);
    MHD_socket listening = MHD_quiesce_daemon(s->daemon);
    tell(s, "stopping; %d requests are at work", atomic_load(&s->active));
    /* What a client has sent may not be parsed yet, so that one quiet round says little. A second signal does not wait.
     */
    for (int quiet = 0; quiet < 2 && !wait_for(s, signals);) quiet = atomic_load(&s->active) == 0 ? quiet + 1 : 0;
    MHD_stop_daemon(s->daemon);
    if (listening != MHD_INVALID_SOCKET) close(listening);
    tell(s, "stopped after %llu requests", (unsigned long long)atomic_load(&s->served));
}

/* ------------------------------------------------------------------ all */

static gvm_status begin(struct service *s, gvm_error *err)
{
    const struct engine_options engine = {.batch = s->options->batch,
                                          .queue = s->options->queue,
                                          .patience = s->options->patience_ms / 1000,
                                          .most_top = SERVE_TOP};
    gvm_status status = read_token(s, err);
    if (status == GVM_OK) status = open_log(s, err);
    if (status == GVM_OK) status = drawing_open(&s->drawing, s->map, err);
    if (status == GVM_OK) {
        s->facts[0] = map_facts(s, false);
        s->facts[1] = map_facts(s, true);
        if (s->facts[0] == NULL || s->facts[1] == NULL)
            status = fail(err, GVM_MEMORY, "there is not enough memory for the map");
    }
    if (status == GVM_OK) status = engine_open(&s->engine, s->model, s->map, &engine, &s->metrics, err);
    if (status == GVM_OK) status = listen_on(s, err);
    return status;
}

gvm_status serve(const gvm_model *model, const gvm_map *map, const struct serve_options *options, gvm_error *err)
{
    sigset_t signals, before;
    struct service s = {.options = options, .model = model, .map = map, .info = gvm_model_about(model)};
    int threads = parallel_threads();
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(s.tag, sizeof s.tag, "\"%.16s-%llx\"", map->fingerprint,
             (unsigned long long)now.tv_sec * 1000000000u + (unsigned long long)now.tv_nsec);
    s.decoders = (struct budget)BUDGET(threads > 2 ? threads : 2);
    metrics_start(&s.metrics);
    guard_start(&s.guard);
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, &before); /* the threads that come inherit it */
    gvm_status status = begin(&s, err);
    if (status == GVM_OK) run(&s, &signals);
    engine_free(s.engine);
    drawing_free(s.drawing);
    free(s.facts[0]);
    free(s.facts[1]);
    free(s.token);
    if (s.log != NULL) fclose(s.log);
    guard_end(&s.guard);
    metrics_end(&s.metrics);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status;
}
