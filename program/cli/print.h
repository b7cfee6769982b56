/* print.h - exit status, errors on stderr, text and JSON on stdout. */
#ifndef GVM_CLI_PRINT_H
#define GVM_CLI_PRINT_H

#include <jansson.h>
#include <stdbool.h>

#include "geoviewmatch.h"

/* Exit status. GO_ON: the command has not ended yet. */
enum { DONE = 0, FAILED = 1, USAGE = 2, GO_ON = -1 };

/* A usage error: "geoviewmatch NAME: SENTENCE (see ...)" on stderr. Returns USAGE. */
__attribute__((format(printf, 2, 3))) int usage_error(const char *name, const char *format, ...);

/* "geoviewmatch: SENTENCE" on stderr. Returns FAILED. */
int failed(const gvm_error *err);

/* Flush stdout. Returns 0, or the errno of the first failure since the start. */
int print_flush(void);

/* Print any bytes to stdout, with '?' for each control character. */
void print_text(const char *text);

/* The same with printf's formats, and a line break. */
__attribute__((format(printf, 1, 2))) void print_line(const char *format, ...);

/* A description, fact by fact: lines "  label  text" under a first line, or a JSON object. */
struct facts {
    bool json;
    json_t *object; /* NULL without memory */
};

/* The first line, "PATH: " and a formatted text; or the members file and kind. */
__attribute__((format(printf, 5, 6))) void facts_open(struct facts *f, bool json, const char *path, const char *kind,
                                                      const char *format, ...);

/* Add a fact: a value, whose reference is taken, under its key (NULL: none); and a line. */
__attribute__((format(printf, 5, 6))) void fact(struct facts *f, const char *key, json_t *value, const char *label,
                                                const char *format, ...);
void fact_json(struct facts *f, const char *key, json_t *value); /* only in JSON */
int facts_close(struct facts *f);                                /* returns the exit status */

/* Print it indented to stdout, with a line break, and free it. NULL: FAILED, reporting out of memory. */
int json_print(json_t *json);

#endif
