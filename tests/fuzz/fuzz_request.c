/* fuzz_request.c - any bytes as what a client sends over a connection, through libmicrohttpd and all that stands before
 * the network: each answer must be one, and all that was taken for a request given back. */
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/handle.h"
#include "server/service.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What needs a map or the network, without them. */
enum MHD_Result __wrap_locate_post(struct request *r);
enum MHD_Result __wrap_scores_post(struct request *r);
enum MHD_Result __wrap_heatmap_get(struct request *r);
enum MHD_Result __wrap_heatmap_post(struct request *r);
gvm_status __wrap_gvm_map_guard_check(gvm_map_guard *guard, gvm_error *err);
gvm_status __wrap_gvm_imagery_tile(gvm_imagery *imagery, unsigned char *rgba, gvm_coverage *coverage, long zoom, long x,
                                   long y, int side, gvm_error *err);
int __wrap_gvm_imagery_exists(const gvm_imagery *imagery);
int __wrap_engine_waiting(struct engine *engine);
double __wrap_engine_delay(struct engine *engine);

enum MHD_Result __wrap_locate_post(struct request *r)
{
    struct question question;
    if (r->size == 0 || r->size > r->service->options->body_bytes) abort();
    if (!read_question(&question, r)) return reply_refused(r);
    return reply_json(r, "application/json", json_pack("{si}", "top", question.top));
}

enum MHD_Result __wrap_scores_post(struct request *r)
{
    return __wrap_locate_post(r);
}

enum MHD_Result __wrap_heatmap_get(struct request *r)
{
    return reply_nothing(r);
}

enum MHD_Result __wrap_heatmap_post(struct request *r)
{
    return __wrap_locate_post(r);
}

gvm_status __wrap_gvm_map_guard_check(gvm_map_guard *guard, gvm_error *err)
{
    (void)guard, (void)err;
    return GVM_OK;
}

gvm_status __wrap_gvm_imagery_tile(gvm_imagery *imagery, unsigned char *rgba, gvm_coverage *coverage, long zoom, long x,
                                   long y, int side, gvm_error *err)
{
    (void)imagery, (void)rgba, (void)side, (void)err;
    if (zoom < 0 || x < 0 || y < 0) abort();
    *coverage = GVM_COVERS_NOTHING;
    return zoom < 20 ? GVM_OK : GVM_ARGUMENT;
}

int __wrap_gvm_imagery_exists(const gvm_imagery *imagery)
{
    return imagery != NULL;
}

int __wrap_engine_waiting(struct engine *engine)
{
    (void)engine;
    return 0;
}

double __wrap_engine_delay(struct engine *engine)
{
    (void)engine;
    return 0;
}

static void ignore(void *user, const char *format, va_list arguments)
{
    (void)user, (void)format, (void)arguments;
}

static struct service *start(void)
{
    static const struct serve_options options = {
        .bind = "127.0.0.1", .hosts = {"maps.example"}, .body_bytes = 512, .memory_bytes = 65536, .seconds = 1000};
    static char facts[] = "{}";
    static struct service s = {.options = &options, .facts = {facts, facts}, .tag = "\"tag\""};
    guard_start(&s.guard);
    metrics_start(&s.metrics);
    sem_init(&s.decoders, 0, 1);
    pthread_mutex_init(&s.log_lock, NULL);
    s.daemon = MHD_start_daemon(MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG, 0, NULL, NULL, handle_request, &s,
                                MHD_OPTION_EXTERNAL_LOGGER, ignore, NULL, MHD_OPTION_STRICT_FOR_CLIENT,
                                framing_is_ours() ? 0 : 1, MHD_OPTION_UNESCAPE_CALLBACK, framing_unescape, NULL,
                                MHD_OPTION_NOTIFY_COMPLETED, handle_completed, &s, MHD_OPTION_NOTIFY_CONNECTION,
                                handle_connection, &s, MHD_OPTION_END);
    if (s.daemon == NULL) abort();
    return &s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct service *s;
    static char answers[1 << 18];
    int sockets[2];
    if (s == NULL) s = start();
    if (size == 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0) return -1;
    const struct sockaddr_in client = {.sin_family = AF_INET};
    if (send(sockets[1], data, size, 0) != (ssize_t)size || shutdown(sockets[1], SHUT_WR) != 0) abort();
    if (MHD_add_connection(s->daemon, sockets[0], (const struct sockaddr *)&client, sizeof client) != MHD_YES) abort();
    size_t length = 0;
    for (int turn = 0; atomic_load(&s->guard.count) > 0; turn++) {
        if (turn == 10000 || MHD_run(s->daemon) != MHD_YES) abort();
        ssize_t n = recv(sockets[1], answers + length, sizeof answers - length, MSG_DONTWAIT);
        if (n > 0) length += (size_t)n;
        if (length > sizeof answers / 2) length = 12; /* the start is what is looked at */
    }
    ssize_t n = recv(sockets[1], answers + length, sizeof answers - length, MSG_DONTWAIT);
    if (n > 0) length += (size_t)n;
    close(sockets[1]);
    if (length > 0 && (length < 12 || memcmp(answers, "HTTP/1.", 7) != 0 || strchr("12345", answers[9]) == NULL))
        abort();
    if (atomic_load(&s->guard.held) != 0 || atomic_load(&s->active) != 0) abort();
    return 0;
}
