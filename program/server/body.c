/* body.c - what a client sends is gathered in memory: a picture as it is, or as a part of a form. A part's file name is
 * not looked at. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"
#include "server/form.h"
#include "server/service.h"

enum { FORM_BUFFER = 16 * 1024, FIRST_ROOM = 64 * 1024, SHARES = 4 /* of the memory; one is for a client */ };

/* Give back what the body takes. */
static void let_go(struct request *r)
{
    free(r->body);
    guard_let_go(&r->service->guard, r->guarded);
    r->body = NULL;
    r->size = r->room = 0;
}

/* More bytes of the picture. Memory is taken as they come, since what a client says of the length may be a lie. */
static void gather(struct request *r, const char *data, size_t size)
{
    if (r->refused || size == 0) return;
    if (r->size + size > r->service->options->body_bytes) {
        refuse(r, 413, "The picture has more than the %zu bytes that are taken.", r->service->options->body_bytes);
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
                   held ? "There is not enough memory for the picture" : "Too many pictures are on their way in");
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
        refuse(r, 400, "The form's %s is longer than any value of it.", name);
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
    if (strcmp(name, "_charset_") != 0) /* RFC 7578, section 4.6: of the text fields, which are all ASCII here */
        refuse(r, 400, "There is no parameter '%.40s' here.", name);
}

/* The length that the headers tell; 0 where they tell none. */
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
        refuse(r, 503, "There is not enough memory for the form; try again in a moment.");
    else if (r->form == NULL)
        refuse(r, 400, "The form cannot be read: its Content-Type names no boundary.");
}

void body_start(struct request *r)
{
    const char *type = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE);
    size_t bytes = told_length(r);
    if (bytes > r->service->options->body_bytes + FORM_BUFFER)
        refuse(r, 413, "The request has %zu bytes, more than the %zu that are taken.", bytes,
               r->service->options->body_bytes);
    else if (type != NULL && is_media_type(type, "multipart/form-data"))
        start_form(r, type);
    else if (type != NULL && strncasecmp(type, "image/", 6) != 0 && !is_media_type(type, "application/octet-stream"))
        refuse(r, 415, "A picture is taken as image/* or as a part of multipart/form-data, not as '%.60s'.", type);
}

bool body_take(struct request *r, const char *data, size_t size)
{
    if (r->refused || r->route->post == NULL || strcmp(r->method, MHD_HTTP_METHOD_POST) != 0) {
        r->skipped += size; /* the rest is read, so that the client takes the answer, but not without end */
        return r->skipped <= r->service->options->body_bytes + FORM_BUFFER;
    }
    r->taken += size;
    if (r->form == NULL)
        gather(r, data, size);
    else if (r->taken > r->service->options->body_bytes + FORM_BUFFER) /* sent in chunks, without a length */
        refuse(r, 413, "The form has more than the %zu bytes that are taken.", r->service->options->body_bytes);
    else if (!form_take(r->form, data, size))
        refuse(r, 400, "The form is not well-formed multipart/form-data.");
    if (r->refused) let_go(r);
    return true;
}

void body_end(struct request *r)
{
    if (r->form != NULL && !form_is_whole(r->form))
        refuse(r, 400, "The form is not whole: its last boundary is missing.");
    if (r->size == 0)
        refuse(r, 400,
               r->fields != NULL ? "The form has no part named picture." : "There is no picture in the request.");
}

void body_free(struct request *r)
{
    form_free(r->form);
    r->form = NULL;
    free(r->fields);
    r->fields = NULL;
    let_go(r);
}
