/* print.c - see print.h. */
#include "cli/print.h"

#include <errno.h>
#include <glib.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json_put.h"
#include "base/json_text.h"

int print_flush(void)
{
    static int error;
    if (fflush(stdout) != 0 && error == 0) error = errno;
    return error;
}

int usage_error(const char *name, const char *format, ...)
{
    char sentence[400];
    gvm_error err;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    fail(&err, GVM_ARGUMENT, "%s", sentence); /* no control characters */
    print_flush();
    bool asks = err.text[0] != '\0' && err.text[strlen(err.text) - 1] == '?';
    fprintf(stderr, "geoviewmatch%s%s: %s%s `geoviewmatch %s%s--help`\n", name ? " " : "", name ? name : "", err.text,
            asks ? " See" : "; see", name ? name : "", name ? " " : "");
    return USAGE;
}

int failed(const gvm_error *err)
{
    fprintf(stderr, "geoviewmatch: %s\n", err->text);
    return FAILED;
}

void print_text(const char *text)
{
    for (; *text != '\0'; text++) putchar((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
}

static void print_list(const char *format, va_list arguments)
{
    g_autofree gchar *line = g_strdup_vprintf(format, arguments);
    print_text(line);
    putchar('\n');
}

void print_line(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_list(format, arguments);
    va_end(arguments);
}

void facts_open(struct facts *f, bool json, const char *path, const char *kind, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    f->json = json;
    f->object = json ? json_pack("{so,ss}", "file", json_text(path), "kind", kind) : NULL;
    if (!json) {
        print_text(path);
        fputs(": ", stdout);
        print_list(format, arguments);
    }
    va_end(arguments);
}

void fact_json(struct facts *f, const char *key, json_t *value)
{
    if (f->json && key != NULL)
        json_put(&f->object, key, value);
    else
        json_decref(value);
}

void fact(struct facts *f, const char *key, json_t *value, const char *label, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fact_json(f, key, value);
    if (!f->json) {
        printf("  %-14s ", label);
        print_list(format, arguments);
    }
    va_end(arguments);
}

int facts_close(struct facts *f)
{
    return f->json ? json_print(f->object) : DONE;
}

int json_print(json_t *json)
{
    char *text = json ? json_write(json, JSON_INDENT(2) | JSON_REAL_PRECISION(10)) : NULL;
    json_decref(json);
    if (text == NULL) {
        fputs("geoviewmatch: out of memory for the answer\n", stderr);
        return FAILED;
    }
    puts(text);
    free(text);
    return DONE;
}
