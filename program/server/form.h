/* form.h - multipart/form-data (RFC 7578, RFC 2046 section 5.1), parsed as it arrives. libmicrohttpd's parser accepts
 * only what browsers send: no unquoted names, no parameters after the boundary, no epilogue. */
#ifndef GVM_SERVER_FORM_H
#define GVM_SERVER_FORM_H

#include <stdbool.h>
#include <stddef.h>

enum { FORM_NAME = 64 };

/* A piece of a part with this name (truncated at FORM_NAME - 1 bytes). Each part begins with an empty piece, `first`.
 */
typedef void form_part(void *user, const char *name, bool first, const char *data, size_t size);

struct form;

/* Whether a Content-Type is of this type, whatever parameters follow it. */
bool is_media_type(const char *content_type, const char *type);

/* The parser for a body of this Content-Type. NULL if out of memory, or with *named false if the Content-Type has no
 * boundary of 1 to 200 bytes. */
struct form *form_open(bool *named, const char *content_type, form_part *part, void *user);
void form_free(struct form *form); /* accepts NULL */

/* More of the body. False, permanently, if it is malformed. */
bool form_take(struct form *form, const char *data, size_t size);

/* Whether the last boundary was read. */
bool form_is_whole(const struct form *form);

#endif
