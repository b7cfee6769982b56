/* reply.c - answers, their headers, and problem details (RFC 9457). */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json_text.h"
#include "server/service.h"

static const char *const headers[][2] = {
    {"Content-Security-Policy",
     "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
     "frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
};

/* Seconds until the queue is empty at the current speed, 1 to 30. */
static void put_retry(struct MHD_Response *response, const struct request *r)
{
    char text[16];
    snprintf(text, sizeof text, "%.0f", fmin(30, fmax(1, ceil(engine_delay(r->service->engine)))));
    MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, text);
}

static void add_headers(struct MHD_Response *response)
{
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        MHD_add_response_header(response, headers[i][0], headers[i][1]);
}

static enum MHD_Result send_answer(struct request *r, int status, struct MHD_Response *response, const char *type,
                                   const char *cache, const char *etag, size_t size)
{
    if (response == NULL) return MHD_NO;
    add_headers(response);
    if (type != NULL) MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, cache);
    if (etag != NULL) MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, etag);
    if (status == 503) put_retry(response, r);
    if (status == 401) MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
    if (status == 405)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW,
                                r->route->get == NULL    ? "POST"
                                : r->route->post == NULL ? "GET, HEAD"
                                                         : "GET, HEAD, POST");
    if (r->ends || r->last || atomic_load(&r->service->stopping))
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    enum MHD_Result result = MHD_queue_response(r->connection, (unsigned)status, response);
    MHD_destroy_response(response);
    r->status = status;
    r->answer = size;
    return result;
}

bool is_known(const struct request *r, const char *etag)
{
    const char *list = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_NONE_MATCH);
    return list != NULL && strstr(list, etag) != NULL;
}

enum MHD_Result reply_static(struct request *r, const char *type, const void *data, size_t size, const char *etag)
{
    bool known = etag != NULL && is_known(r, etag);
    if (known) size = 0;
    struct MHD_Response *response = MHD_create_response_from_buffer(size, (void *)data, MHD_RESPMEM_PERSISTENT);
    return send_answer(r, known ? 304 : 200, response, type, etag != NULL ? "no-cache" : "no-store", etag, size);
}

enum MHD_Result reply_owned(struct request *r, const char *type, void *data, size_t size, const char *etag)
{
    if (data == NULL) return reply_problem(r, 503, "Out of memory for the answer; try again in a moment.");
    struct MHD_Response *response = MHD_create_response_from_buffer(size, data, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) free(data);
    return send_answer(r, 200, response, type, etag != NULL ? "private, no-cache" : "no-store", etag, size);
}

enum MHD_Result reply_json(struct request *r, const char *type, json_t *json)
{
    char *text = json != NULL ? json_write(json, JSON_COMPACT | JSON_REAL_PRECISION(10)) : NULL;
    json_decref(json);
    return reply_owned(r, type, text, text != NULL ? strlen(text) : 0, NULL);
}

enum MHD_Result reply_nothing(struct request *r)
{
    return send_answer(r, 204, MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT), NULL, "no-store", NULL,
                       0);
}

bool refuse(struct request *r, int status, const char *format, ...)
{
    gvm_error err;
    char sentence[sizeof r->sentence];
    if (r->refused) return false;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    fail(&err, GVM_ARGUMENT, "%s", sentence); /* no control characters */
    snprintf(r->sentence, sizeof r->sentence, "%.*s", (int)sizeof r->sentence - 1, err.text);
    r->refused = status;
    return false;
}

static const char *title_of(int status)
{
    switch (status) {
    case 400: return "Malformed request";
    case 401: return "Token required";
    case 403: return "Cross-site request refused";
    case 404: return "Not found";
    case 405: return "Method not allowed";
    case 413: return "Request too large";
    case 415: return "Unsupported media type";
    case 421: return "Wrong host name";
    case 422: return "Picture cannot be used";
    case 503: return "Service unavailable";
    default: return "Internal error";
    }
}

/* What needs no memory of ours. */
static const char problem_type[] = "application/problem+json";
static char no_memory[] = "{\"type\":\"about:blank\",\"title\":\"Service unavailable\",\"status\":503,"
                          "\"detail\":\"Out of memory for the answer; try again in a moment.\"}";

enum MHD_Result reply_short(struct MHD_Connection *connection)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(sizeof no_memory - 1, no_memory, MHD_RESPMEM_PERSISTENT);
    if (response == NULL) return MHD_NO;
    add_headers(response);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, problem_type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    enum MHD_Result result = MHD_queue_response(connection, MHD_HTTP_SERVICE_UNAVAILABLE, response);
    MHD_destroy_response(response);
    return result;
}

enum MHD_Result reply_refused(struct request *r)
{
    if (r->gone) return MHD_NO;
    json_t *json = json_pack("{ss,ss,si,so,ss*}", "type", "about:blank", "title", title_of(r->refused), "status",
                             r->refused, "detail", json_text(r->sentence), "retry_with", r->retry);
    char *text = json != NULL ? json_write(json, JSON_COMPACT) : NULL;
    json_decref(json);
    if (text == NULL) r->refused = 503;
    size_t size = text != NULL ? strlen(text) : sizeof no_memory - 1;
    struct MHD_Response *response = MHD_create_response_from_buffer(
        size, text != NULL ? text : no_memory, text != NULL ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    if (response == NULL) free(text);
    if (r->refused >= 500 && r->refused != 503) metrics_mishap(&r->service->metrics, OWN_FAULT);
    return send_answer(r, r->refused, response, problem_type, "no-store", NULL, size);
}

bool refuse_failure(struct request *r, gvm_status status, const gvm_error *err)
{
    if (!r->refused && status == GVM_PANORAMA) r->retry = "panorama=yes";
    bool unusable = status == GVM_ARGUMENT || status == GVM_PANORAMA || status == GVM_IMAGE;
    return refuse(r, unusable ? 422 : status == GVM_MEMORY ? 503 : 500, "%s", err->text);
}
