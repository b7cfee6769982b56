/* json_text.c - see json_text.h */
#include "base/json_text.h"

#include <glib.h>

json_t *json_text(const char *text)
{
    gchar *valid = g_utf8_make_valid(text, -1);
    json_t *json = json_string(valid);
    g_free(valid);
    return json;
}
