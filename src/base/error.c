/* error.c - see error.h */
#include "base/error.h"

#include <errno.h>
#include <glib.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#undef fail /* what clang-tidy has in their place */
#undef fail_errno

/* Control characters, line breaks and characters that change the direction of text: in a file name they could disguise
 * the error message. */
static bool is_masked(gunichar c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) /* C0, delete, C1 */
           || (c >= 0x2028 && c <= 0x202e)     /* line and paragraph separator, embeddings and overrides */
           || (c >= 0x2066 && c <= 0x2069);    /* isolates */
}

/* In place, never longer. cut: the text was truncated, perhaps inside a character. */
static void make_presentable(char *text, bool cut)
{
    char *to = text;
    for (const char *p = text; *p != '\0';) {
        gunichar c = g_utf8_get_char_validated(p, -1);
        if (c == (gunichar)-2 && cut) break; /* an incomplete character at the end */
        size_t length = c < 0x110000 ? (size_t)(g_utf8_next_char(p) - p) : 1;
        if (c >= 0x110000 || is_masked(c)) {
            *to++ = '?';
        } else {
            memmove(to, p, length);
            to += length;
        }
        p += length;
    }
    *to = '\0';
}

gvm_status fail(gvm_error *err, gvm_status status, const char *format, ...)
{
    if (err == NULL) return status;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(err->text, sizeof err->text, format, arguments);
    va_end(arguments);
    make_presentable(err->text, length >= (int)sizeof err->text);
    return status;
}

gvm_status fail_errno(gvm_error *err, const char *verb, const char *path)
{
    return fail(err, errno == ENOMEM ? GVM_MEMORY : GVM_FILE, "%s: cannot %s it: %s", path, verb, strerror(errno));
}
