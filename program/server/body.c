/* body.c - collects a request's body in memory: a picture as is, or as a part of a form. A part's file name is ignored.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"
#include "server/form.h"
#include "server/service.h"

enum { FORM_BUFFER = 16 * 1024, FIRST_ROOM = 64 * 1024, SHARES = 4 /* of the memory; a client gets one */ };

/* Return the body's share of the memory. */
static void let_go(struct request *r)
{
    free(r->body);
    guard_let_go(&r->service->guard, r->guarded);
    r->body = NULL;
    r->size = r->room = 0;
}

/* More bytes of the picture. Memory grows as they arrive, because the claimed length cannot be trusted. */
static void gather(struct request *r, const char *data, size_t size)
{
    if (r->refused || size == 0) return;
    if (r->size + size > r->service->options->body_bytes) {
        refuse(r, 413, "The picture exceeds the limit of %zu bytes.", r->service->options->body_bytes);
        return;
    }
    if (r->size + size > r->room) {
        const struct serve_options *o = r->service->options;
        size_t room = r->room > 0 ? r->room : FIRST_ROOM, share = o->memory_bytes / SHARES;
        while (room < r->size + size) room *= 2;
        if (room > o->body_bytes) room = o->body_bytes;
        if (share < o->body_bytes) share = o->body_bytes;
        bool held = guard_hold(&r->service->guard, r->guarded, room - r->room, o->memory_bytes, share);
        char *more = held ? realloc(r->body, room) : NULL;
        if (more == NULL) {
            metrics_mishap(&r->service->metrics, MEMORY_FULL);
            refuse(r, 503, "%s; try again in a moment.",
                   held ? "Out of memory for the picture" : "Too many pictures are being uploaded");
            return;
        }
        r->body = more;
        r->room = room;
    }
    memcpy(r->body + r->size, data, size);
    r->size += size;
}

/* A piece of the form's field for this parameter. */
static void take_field(struct request *r, enum parameter which, bool first, const char *data, size_t size)
{
    struct field *field = &r->fields[which];
    const char *name = parameter_names[which];
    if ((first && field->size > 0) || MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name) != NULL) {
        refuse(r, 400, "The parameter %s is given twice.", name);
    } else if (field->size + size >= PARAMETER_TEXT || (size > 0 && memchr(data, '\0', size) != NULL)) {
        refuse(r, 400, "The form's %s is too long.", name);
    } else if (size > 0) {
        memcpy(field->text + field->size, data, size);
        field->size += size;
        field->text[field->size] = '\0';
    }
}

static void take_part(void *user, const char *name, bool first, const char *data, size_t size)
{
    struct request *r = user;
    if (r->refused) return;
    if (strcmp(name, "picture") == 0) {
        if (first && r->size > 0) refuse(r, 400, "The form has more than one picture.");
        gather(r, data, size);
        return;
    }
    for (int i = 0; i < PARAMETERS; i++) {
        if (strcmp(name, parameter_names[i]) != 0 || !(r->route->parameters >> i & 1)) continue;
        take_field(r, (enum parameter)i, first, data, size);
        return;
    }
    if (strcmp(name, "_charset_") != 0) /* RFC 7578, section 4.6: the charset of text fields, all ASCII here */
        refuse(r, 400, "Unknown parameter '%.40s'.", name);
}

/* The length from the headers; 0 if they have none. */
static size_t told_length(const struct request *r)
{
    const char *length = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    long bytes;
    return length != NULL && read_long(&bytes, length, 0, INT64_MAX) ? (size_t)bytes : 0;
}

bool body_is_awaited(const struct request *r)
{
    const char *expect = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_EXPECT);
    return (expect != NULL && strcasecmp(expect, "100-continue") == 0) ||
           told_length(r) > r->service->options->body_bytes + FORM_BUFFER;
}

static void start_form(struct request *r, const char *type)
{
    r->fields = calloc(PARAMETERS, sizeof *r->fields);
    bool named = true;
    r->form = r->fields != NULL ? form_open(&named, type, take_part, r) : NULL;
    if (r->form == NULL && named)
        refuse(r, 503, "Out of memory for the form; try again in a moment.");
    else if (r->form == NULL)
        refuse(r, 400, "The form's Content-Type has no boundary.");
}

void body_start(struct request *r)
{
    const char *type = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE);
    size_t bytes = told_length(r);
    if (bytes > r->service->options->body_bytes + FORM_BUFFER)
        refuse(r, 413, "The request has %zu bytes, which exceeds the limit of %zu.", bytes,
               r->service->options->body_bytes);
    else if (type != NULL && is_media_type(type, "multipart/form-data"))
        start_form(r, type);
    else if (type != NULL && strncasecmp(type, "image/", 6) != 0 && !is_media_type(type, "application/octet-stream"))
        refuse(r, 415,
               "Unsupported Content-Type '%.60s'; send the picture as image/* or as a part of multipart/form-data.",
               type);
}

bool body_take(struct request *r, const char *data, size_t size)
{
    if (r->refused || r->route->post == NULL || strcmp(r->method, MHD_HTTP_METHOD_POST) != 0) {
        r->skipped += size; /* read a bounded rest, so that the client receives the answer */
        return r->skipped <= r->service->options->body_bytes + FORM_BUFFER;
    }
    r->taken += size;
    if (r->form == NULL)
        gather(r, data, size);
    else if (r->taken > r->service->options->body_bytes + FORM_BUFFER) /* chunked, without a length */
        refuse(r, 413, "The form exceeds the limit of %zu bytes.", r->service->options->body_bytes);
    else if (!form_take(r->form, data, size))
        refuse(r, 400, "The form is not valid multipart/form-data.");
    if (r->refused) let_go(r);
    return true;
}

void body_end(struct request *r)
{
    if (r->form != NULL && !form_is_whole(r->form))
        refuse(r, 400, "The form is truncated: its last boundary is missing.");
    if (r->size == 0)
        refuse(r, 400, r->fields != NULL ? "The form has no part named picture." : "The request has no picture.");
}

void body_free(struct request *r)
{
    form_free(r->form);
    r->form = NULL;
    free(r->fields);
    r->fields = NULL;
    let_go(r);
}
