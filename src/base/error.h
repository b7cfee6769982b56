/* error.h - a failure is a status for the program and one sentence for a person. */
#ifndef GVM_BASE_ERROR_H
#define GVM_BASE_ERROR_H

#include "geoviewmatch.h"

/* Write the sentence (what, where, what to do) and return the status, so that a
 * failing function ends with `return fail(err, GVM_FILE, "...", path)`.
 * Control characters that a lying file smuggled in become '?'. err may be NULL. */
__attribute__((format(printf, 3, 4)))
gvm_status fail(gvm_error *err, gvm_status status, const char *format, ...);

/* The sentence to show for a file that open/read/write refused: uses errno. */
gvm_status fail_errno(gvm_error *err, const char *verb, const char *path);

#endif
