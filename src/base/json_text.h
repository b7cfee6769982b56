/* json_text.h - text of any bytes as JSON. */
#ifndef GVM_BASE_JSON_TEXT_H
#define GVM_BASE_JSON_TEXT_H

#include <glib.h>
#include <jansson.h>

/* What is not UTF-8 becomes U+FFFD: a path need not be. NULL without memory. */
static inline json_t *json_text(const char *text)
{
    g_autofree gchar *valid = g_utf8_make_valid(text, -1);
    return json_string(valid);
}

#endif
