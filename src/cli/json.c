/* json.c - what --json prints. */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"

json_t *json_text(const char *text)
{
    gchar *valid = g_utf8_make_valid(text, -1);
    json_t *json = json_string(valid);
    g_free(valid);
    return json;
}

int json_print(json_t *json)
{
    char *text = json ? json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(10)) : NULL;
    json_decref(json);
    if (text == NULL) {
        fputs("geoviewmatch: there is not enough memory for the answer\n", stderr);
        return FAILED;
    }
    puts(text);
    free(text);
    return DONE;
}
