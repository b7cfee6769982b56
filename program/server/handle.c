/* handle.c - processes a request from its headers to its end: authorization, route, body, answer, log. */
#include "server/handle.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "server/address.h"
#include "server/service.h"

/* ------------------------------------------------------------------ connections */

void handle_connection(void *user, struct MHD_Connection *connection, void **context,
                       enum MHD_ConnectionNotificationCode code)
{
    struct service *s = user;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        /* In libmicrohttpd 1.0 the second call overwrites the first one's result. */
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        MHD_socket socket = info != NULL ? info->connect_fd : MHD_INVALID_SOCKET;
        info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
        const struct sockaddr *client = info != NULL ? info->client_addr : NULL;
        double due = clock_seconds() + s->options->seconds;
        *context = socket != MHD_INVALID_SOCKET ? guard_open(&s->guard, socket, client, due) : NULL;
    } else {
        guard_close(&s->guard, *context);
        *context = NULL;
    }
}

static struct guarded *guarded_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info != NULL ? info->socket_context : NULL;
}

/* ------------------------------------------------------------------ beginning */

/* Constant time, independent of the token. */
static bool has_token(const struct request *r)
{
    static const char scheme[] = "Bearer ";
    const char *wanted = r->service->token;
    const char *given = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
    if (wanted == NULL) return true;
    if (given == NULL || strncasecmp(given, scheme, sizeof scheme - 1) != 0) return false;
    given += sizeof scheme - 1;
    size_t length = strlen(wanted), size = strlen(given);
    unsigned char off = size != length;
    for (size_t i = 0; i < length; i++) off |= (unsigned char)(wanted[i] ^ given[size > 0 ? i % size : 0]);
    return off == 0;
}

static struct request *begin(struct service *s, struct MHD_Connection *connection, const char *url, const char *method,
                             const char *version)
{
    struct request *r = calloc(1, sizeof *r);
    if (r == NULL) return NULL;
    r->service = s;
    r->connection = connection;
    r->method = method;
    r->start = clock_seconds();
    r->guarded = guarded_of(connection);
    r->until = r->start + 0.9 * s->options->seconds; /* leaves time for the answer */
    guard_until(&s->guard, r->guarded, r->start + s->options->seconds);
    if (r->guarded != NULL)
        r->guarded->at_end = s->options->tls_cert != NULL                 ? CLOSED
                             : strcmp(version, MHD_HTTP_VERSION_1_1) == 0 ? ASK
                                                                          : WAITS;
    framing_check(r, url, version);
    route_find(r);
    atomic_fetch_add(&s->active, 1);
    return r;
}

static bool is_get(const struct request *r)
{
    return strcmp(r->method, MHD_HTTP_METHOD_GET) == 0 || strcmp(r->method, MHD_HTTP_METHOD_HEAD) == 0;
}

/* Another site's page must not use the service through a browser on this machine: not by a name of that site that
 * resolves here (DNS rebinding; a token prevents this too), nor by posting a form, nor by embedding a picture, which it
 * could not read but which costs computation. */
static void check_site(struct request *r)
{
    const struct serve_options *o = r->service->options;
    bool post = strcmp(r->method, MHD_HTTP_METHOD_POST) == 0;
    const char *origin = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ORIGIN);
    const char *site = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "Sec-Fetch-Site");
    bool ours = origin != NULL && origin_is_ours(origin, r->host, o->hosts);
    if (r->service->token == NULL && r->has_host && !host_is_ours(r->host, o->bind, o->hosts))
        refuse(r, 421, "The host %.60s is not a name of this service; allow it with --host.", r->host);
    else if (r->route->unlocked && !post)
        return;
    else if (origin != NULL && !ours)
        refuse(r, 403, "Cross-site requests are not allowed (from %.60s).", origin);
    else if (origin == NULL && site != NULL && strcasecmp(site, "cross-site") == 0)
        refuse(r, 403, "Cross-site requests are not allowed.");
}

/* Checks before any body is received. */
static void check(struct request *r)
{
    const struct route *route = r->route;
    bool get = is_get(r), post = strcmp(r->method, MHD_HTTP_METHOD_POST) == 0;
    if (!r->refused) check_site(r);
    if (r->refused) return;
    if (!route->unlocked && !has_token(r))
        refuse(r, 401, "This service requires a token: Authorization: Bearer TOKEN.");
    else if (route->get == NULL && route->post == NULL)
        refuse(r, 404, "Not found; /openapi.json describes the available paths.");
    else if (!(get && route->get != NULL) && !(post && route->post != NULL))
        refuse(r, 405, "The method %.20s is not allowed here.", r->method);
    else if (post && atomic_load(&r->service->stopping))
        refuse(r, 503, "The service is stopping.");
    else if (!route->unlocked)
        check_parameters(r, route->parameters);
}

/* ------------------------------------------------------------------ the handler */

/* MHD calls it with the headers, with each piece of the body, and once more at the end. */
enum MHD_Result handle_request(void *user, struct MHD_Connection *connection, const char *url, const char *method,
                               const char *version, const char *data, size_t *size, void **request)
{
    struct service *s = user;
    struct request *r = *request;
    if (r == NULL) {
        *request = r = begin(s, connection, url, method, version);
        if (r == NULL) return reply_short(connection);
        check(r);
        if (!r->refused && !is_get(r)) body_start(r);
        return r->refused && (r->ends || body_is_awaited(r)) ? reply_refused(r) : MHD_YES;
    }
    if (*size > 0) {
        bool more = body_take(r, data, *size);
        *size = 0;
        return more ? MHD_YES : MHD_NO;
    }
    if (r->status != 0) return MHD_YES;
    guard_until(&s->guard, r->guarded, INFINITY);
    if (!r->refused && !is_get(r)) body_end(r);
    enum MHD_Result result = r->refused ? reply_refused(r) : (is_get(r) ? r->route->get : r->route->post)(r);
    guard_until(&s->guard, r->guarded, clock_seconds() + s->options->seconds);
    return result;
}

/* ------------------------------------------------------------------ its end */

static const char *method_of(const struct request *r)
{
    static const char *const known[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(r->method, known[i]) == 0) return known[i];
    return "OTHER";
}

/* Log nothing that a client chose freely: the route's name, not the path. */
static void put_log(const struct request *r, double seconds)
{
    char when[32] = "";
    time_t now = time(NULL);
    struct tm parts;
    if (gmtime_r(&now, &parts) != NULL) (void)strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &parts);
    struct service *s = r->service;
    pthread_mutex_lock(&s->log_lock);
    if (s->log != NULL) {
        bool before = s->log_broken;
        s->log_broken = fprintf(s->log, "%s %s %s %d %zu %.1f ms\n", when, method_of(r), r->route->name, r->status,
                                r->answer, 1e3 * seconds) < 0 ||
                        fflush(s->log) != 0;
        if (s->log_broken && !before)
            fprintf(stderr, "geoviewmatch: %s: cannot write it: %s; requests are answered, but not logged\n",
                    path_tail(s->options->log), strerror(errno));
    }
    pthread_mutex_unlock(&s->log_lock);
}

void handle_completed(void *user, struct MHD_Connection *connection, void **request,
                      enum MHD_RequestTerminationCode code)
{
    struct service *s = user;
    struct request *r = *request;
    (void)connection;
    if (r == NULL) return;
    double seconds = clock_seconds() - r->start;
    if (r->status == 0 || code != MHD_REQUEST_TERMINATED_COMPLETED_OK) {
        metrics_mishap(&s->metrics, BROKEN_OFF);
    } else {
        metrics_request(&s->metrics, route_number(r->route), r->status, seconds);
        put_log(r, seconds);
    }
    guard_until(&s->guard, r->guarded, clock_seconds() + s->options->seconds);
    body_free(r);
    free(r);
    *request = NULL;
    atomic_fetch_add(&s->served, 1);
    atomic_fetch_sub(&s->active, 1);
}
