/* print.h - exit status, sentences on stderr, text and JSON on stdout. */
#ifndef GVM_CLI_PRINT_H
#define GVM_CLI_PRINT_H

#include <jansson.h>

#include "geoviewmatch.h"

/* Exit status. GO_ON is none: the command has not ended yet. */
enum { DONE = 0, FAILED = 1, USAGE = 2, GO_ON = -1 };

/* A usage error: "geoviewmatch NAME: SENTENCE (see ...)" on stderr. Returns USAGE. */
__attribute__((format(printf, 2, 3))) int usage_error(const char *name, const char *format, ...);

/* "geoviewmatch: SENTENCE" on stderr. Returns FAILED. */
int failed(const gvm_error *err);

/* Text of any bytes on stdout, a '?' for each control character. */
void print_text(const char *text);

/* Indented on stdout, with a line break; frees it. FAILED where memory was short (NULL), with a sentence. */
int json_print(json_t *json);

#endif
