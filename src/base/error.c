/* error.c - see error.h */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

gvm_status fail(gvm_error *err, gvm_status status, const char *format, ...)
{
    if (err == NULL) return status;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(err->text, sizeof err->text, format, arguments);
    va_end(arguments);
    for (char *c = err->text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
    return status;
}

gvm_status fail_errno(gvm_error *err, const char *verb, const char *path)
{
    return fail(err, errno == ENOMEM ? GVM_MEMORY : GVM_FILE, "%s: cannot %s it: %s", path, verb, strerror(errno));
}
