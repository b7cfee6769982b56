/* print.h - exit status, sentences on stderr, text and JSON on stdout. */
#ifndef GVM_CLI_PRINT_H
#define GVM_CLI_PRINT_H

#include <jansson.h>
#include <stdbool.h>

#include "geoviewmatch.h"

/* Exit status. GO_ON is none: the command has not ended yet. */
enum { DONE = 0, FAILED = 1, USAGE = 2, GO_ON = -1 };

/* A usage error: "geoviewmatch NAME: SENTENCE (see ...)" on stderr. Returns USAGE. */
__attribute__((format(printf, 2, 3))) int usage_error(const char *name, const char *format, ...);

/* "geoviewmatch: SENTENCE" on stderr. Returns FAILED. */
int failed(const gvm_error *err);

/* Text of any bytes on stdout, a '?' for each control character. */
void print_text(const char *text);

/* The same of what printf would print, and a line break behind it. */
__attribute__((format(printf, 1, 2))) void print_line(const char *format, ...);

/* What is said of a thing, fact by fact: as lines "  label  text" under a first one, or as a JSON object. */
struct facts {
    bool json;
    json_t *object; /* NULL without memory */
};

/* "PATH: " and what printf would print; or the members file and kind. */
__attribute__((format(printf, 5, 6))) void facts_open(struct facts *f, bool json, const char *path, const char *kind,
                                                      const char *format, ...);

/* One more: a value, which is taken over, under its key, NULL for none; and a line. */
__attribute__((format(printf, 5, 6))) void fact(struct facts *f, const char *key, json_t *value, const char *label,
                                                const char *format, ...);
void fact_json(struct facts *f, const char *key, json_t *value); /* in JSON alone */
int facts_close(struct facts *f);                                /* returns the exit status */

/* Indented on stdout, with a line break; frees it. FAILED where memory was short (NULL), with a sentence. */
int json_print(json_t *json);

#endif
