/* error.h - a failure is a status for the program and a sentence for the user */
#ifndef GVM_BASE_ERROR_H
#define GVM_BASE_ERROR_H

#include "geoviewmatch.h"

/* Write the sentence (what failed, in which file, what to do) to err and return `status`, so that a failing function
 * ends with `return fail(err, GVM_FILE, "%s: ...", path_tail(path))`. The text is truncated at a whole character to fit
 * err. Invalid UTF-8, control characters and characters that change the direction of text become '?', because names
 * come from untrusted files. err may be NULL. */
__attribute__((format(printf, 3, 4))) gvm_status fail(gvm_error *err, gvm_status status, const char *format, ...);

/* Reset err at the start of a public call. */
static inline void clear_error(gvm_error *err)
{
    if (err) err->text[0] = '\0';
}

/* Report that open, read or write failed on a file, from errno. Returns GVM_MEMORY for ENOMEM, else GVM_FILE. */
gvm_status fail_errno(gvm_error *err, const char *verb, const char *path);

#ifdef __clang_analyzer__ /* which sees one file at a time: neither returns GVM_OK */
#define fail(err, status, ...) ((void)(fail)(err, status, __VA_ARGS__), (status))
#define fail_errno(err, verb, path) ((void)(fail_errno)(err, verb, path), GVM_FILE)
#endif

#endif
