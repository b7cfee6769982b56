/* json.c - what --json prints. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"

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
