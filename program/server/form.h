/* form.h - multipart/form-data (RFC 7578, RFC 2046 section 5.1), parsed as it arrives. libmicrohttpd's own parser takes
 * only what browsers send: no unquoted names, nothing behind the boundary in the header or in the body. */
#ifndef GVM_SERVER_FORM_H
#define GVM_SERVER_FORM_H

#include <stdbool.h>
#include <stddef.h>

enum { FORM_NAME = 64 };

/* A piece of a part with this name (cut at FORM_NAME - 1 bytes). Each part begins with a piece of no bytes, `first`. */
typedef void form_part(void *user, const char *name, bool first, const char *data, size_t size);

struct form;

/* Whether a Content-Type is of this type, whatever parameters follow it. */
bool is_media_type(const char *content_type, const char *type);

/* The parser for a body of this Content-Type; NULL without memory, or if it names no boundary of 1 to 200 bytes, which
 * *named says. */
struct form *form_open(bool *named, const char *content_type, form_part *part, void *user);
void form_free(struct form *form); /* NULL is fine */

/* More of the body. False, and for good, if it is not well-formed. */
bool form_take(struct form *form, const char *data, size_t size);

/* Whether the last boundary has come. */
bool form_is_whole(const struct form *form);

#endif
