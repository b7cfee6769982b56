/* config_support.c - see config_support.h */
#include "config_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void assert_says(const gvm_error *err, const char *part)
{
    if (strstr(err->text, part) == NULL) fail_msg("\"%s\" does not say \"%s\"", err->text, part);
}

gvm_status parse_with(struct config *config, const char *json, const char *piece, const char *by, gvm_error *err)
{
    static char text[4096];
    const char *at = strstr(json, piece);
    assert_non_null(at);
    int n = snprintf(text, sizeof text, "%.*s%s%s", (int)(at - json), json, by, at + strlen(piece));
    char *exact = malloc((size_t)n); /* not NUL-terminated: only the length counts */
    assert_non_null(exact);
    memcpy(exact, text, (size_t)n);
    gvm_status status = config_parse(config, exact, (size_t)n, "dir/w.safetensors", err);
    free(exact);
    return status;
}

void check_refused(const char *json, const struct refused *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct config c;
        gvm_error err = {""};
        gvm_status status = parse_with(&c, json, rows[i].piece, rows[i].by, &err);
        if (status != GVM_FORMAT) fail_msg("%s: status %d", rows[i].by, (int)status);
        assert_says(&err, "dir/w.safetensors: ");
        assert_says(&err, rows[i].says);
        assert_null(c.method);
        assert_int_equal(parse_with(&c, json, rows[i].piece, rows[i].by, NULL), GVM_FORMAT);
    }
}
