/* json_text.h - arbitrary bytes as a JSON string */
#ifndef GVM_BASE_JSON_TEXT_H
#define GVM_BASE_JSON_TEXT_H

#include <glib.h>
#include <jansson.h>

/* Invalid UTF-8, which a path may contain, becomes U+FFFD. NULL if out of memory. */
static inline json_t *json_text(const char *text)
{
    g_autofree gchar *valid = g_utf8_make_valid(text, -1);
    return json_string(valid);
}

#endif
