/* error.h - a failure is a status for the program and one sentence for a person. */
#ifndef GVM_BASE_ERROR_H
#define GVM_BASE_ERROR_H

#include "geoviewmatch.h"

/* Write the sentence (what, where, what to do) and return the status, so that a failing function ends with
 * `return fail(err, GVM_FILE, "%s: ...", path_tail(path))`. What is longer than err's text is cut at a whole
 * character. Bytes that are not UTF-8, control characters and those that turn the direction of writing become
 * '?': names come from lying files too. err may be NULL. */
__attribute__((format(printf, 3, 4))) gvm_status fail(gvm_error *err, gvm_status status, const char *format, ...);

/* A public call begins: nothing has failed yet. */
static inline void clear_error(gvm_error *err)
{
    if (err) err->text[0] = '\0';
}

/* The sentence to show for a file that open/read/write refused: uses errno. GVM_FILE, or GVM_MEMORY for ENOMEM. */
gvm_status fail_errno(gvm_error *err, const char *verb, const char *path);

#ifdef __clang_analyzer__ /* which sees one file at a time: neither returns GVM_OK */
#define fail(err, status, ...) ((void)(fail)(err, status, __VA_ARGS__), (status))
#define fail_errno(err, verb, path) ((void)(fail_errno)(err, verb, path), GVM_FILE)
#endif

#endif
