/* service.c - see service.h: messages on stderr, and reading small files. */
#include "server/service.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"

void tell(const struct service *s, const char *format, ...)
{
    va_list arguments;
    if (s->options->quiet) return;
    va_start(arguments, format);
    fputs("geoviewmatch: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

gvm_status read_small_file(char **text, const char *path, gvm_error *err)
{
    struct file_map file;
    *text = NULL;
    gvm_status status = file_map(&file, path, err);
    if (status != GVM_OK) return status;
    if (file.size > 1 << 20)
        status = fail(err, GVM_FORMAT, "%s: it is too large", path_tail(path));
    else if ((*text = strndup((const char *)file.data, file.size)) == NULL)
        status = fail(err, GVM_MEMORY, "%s: cannot read it: out of memory", path_tail(path));
    file_unmap(&file);
    return status;
}
