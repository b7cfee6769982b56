/* form.c - see form.h.
 *
 * A part ends before a line that begins with "--" and the boundary; the line end before it belongs to the boundary.
 * Lines end with CR LF; if the first boundary line ends with LF alone, so must all others. */
#include "server/form.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BOUNDARY = 201 /* with its terminator */, HEADERS = 16 * 1024 /* bytes of a part's */ };

struct form {
    form_part *part;
    void *user;

    enum {
        PREAMBLE,
        DATA,
        BOUND,    /* the boundary was read; it counts if the rest of its line is valid */
        CLOSING,  /* and the first of the closing one's two hyphens */
        PADDING,  /* white space after it */
        LINE_END, /* a CR after that */
        HEADER,
        EPILOGUE,
        BROKEN
    } state;
    bool inside; /* inside a part, not the preamble */

    char text[BOUNDARY + 4]; /* CR LF "--" boundary */
    const char *mark;        /* the end of a part: text, possibly without its CR */
    size_t length, matched;  /* bytes of mark; bytes of it matched so far */
    size_t before;           /* matched bytes that ended the header and are not data */

    char header[HEADERS];
    size_t filled, line; /* bytes of the header, and the start of its last line */

    char name[FORM_NAME];
    bool named, base64;
    gint decoder;
    guint bits;
};

/* ------------------------------------------------------------------ header fields */

/* The value of a parameter after the first ";" of a field, without quotes. Returns its length, which may exceed the
 * room; 0: none. An unquoted value extends to the next ";", because clients send boundaries with "=" or "/" unquoted.
 */
static size_t read_parameter(char *value, size_t room, const char *field, const char *name)
{
    static const char space[] = " \t\r\n";
    for (const char *p = strchr(field, ';'); p != NULL; p = strchr(p, ';')) {
        p += strspn(p, "; \t\r\n");
        size_t n = strcspn(p, "=; \t\r\n"), length = 0;
        bool wanted = n == strlen(name) && strncasecmp(p, name, n) == 0;
        p += n + strspn(p + n, space);
        if (*p != '=') continue;
        p++;
        p += strspn(p, space);
        if (*p == '"') {
            for (p++; *p != '\0' && *p != '"'; p++) {
                if (*p == '\\' && (p[1] == '"' || p[1] == '\\')) p++;
                if (wanted && length + 1 < room) value[length] = *p;
                length++;
            }
            if (*p != '"') return 0;
            p++;
        } else {
            length = strcspn(p, ";");
            const char *end = p + length;
            while (length > 0 && strchr(space, p[length - 1]) != NULL) length--;
            if (wanted && room > 0) memcpy(value, p, length < room ? length : room - 1);
            p = end;
        }
        if (wanted && length > 0) {
            value[length < room ? length : room - 1] = '\0';
            return length;
        }
    }
    return 0;
}

bool is_media_type(const char *content_type, const char *type)
{
    size_t n = strlen(type);
    return strncasecmp(content_type, type, n) == 0 && strchr("; \t", content_type[n]) != NULL;
}

/* A field of a part, unfolded. */
static bool read_field(struct form *f, const char *field)
{
    static const char disposition[] = "Content-Disposition:", encoding[] = "Content-Transfer-Encoding:";
    if (strncasecmp(field, disposition, sizeof disposition - 1) == 0) {
        f->named = read_parameter(f->name, sizeof f->name, field, "name") > 0;
    } else if (strncasecmp(field, encoding, sizeof encoding - 1) == 0) {
        const char *way = field + sizeof encoding - 1;
        way += strspn(way, " \t");
        size_t n = strcspn(way, " \t;");
        f->base64 = n == 6 && strncasecmp(way, "base64", n) == 0;
        return !(n == 16 && strncasecmp(way, "quoted-printable", n) == 0); /* not used for pictures */
    }
    return true;
}

/* The header is complete: read its fields. Lines that begin with white space continue the previous one. */
static bool read_header(struct form *f)
{
    bool good = true;
    f->named = f->base64 = false;
    f->header[f->filled] = '\0';
    if (strlen(f->header) < f->filled) return false;
    for (char *field = f->header, *end; good && *field != '\0'; field = end) {
        for (end = strchr(field, '\n'); end[1] == ' ' || end[1] == '\t'; end = strchr(end, '\n')) *end = ' ';
        *end++ = '\0';
        size_t length = strlen(field);
        if (length > 0 && field[length - 1] == '\r') field[length - 1] = '\0';
        good = read_field(f, field);
    }
    return good;
}

/* ------------------------------------------------------------------ data */

static void give(struct form *f, const char *data, size_t size)
{
    if (!f->inside || !f->named || size == 0) return;
    if (!f->base64) {
        f->part(f->user, f->name, false, data, size);
        return;
    }
    while (size > 0) {
        guchar bytes[3 * 1024 + 3];
        size_t n = size < 4096 ? size : 4096;
        gsize got = g_base64_decode_step(data, n, bytes, &f->decoder, &f->bits);
        if (got > 0) f->part(f->user, f->name, false, (const char *)bytes, got);
        data += n;
        size -= n;
    }
}

/* The bytes matched are not a boundary but data, with `more` bytes after them. */
static void give_matched(struct form *f, const char *more)
{
    give(f, f->mark + f->before, f->matched - f->before);
    give(f, more, strlen(more));
    f->matched = f->before = 0;
    f->state = f->inside ? DATA : PREAMBLE;
}

/* Data up to a boundary, or all; returns the bytes consumed. After a mismatch, matching restarts at the current byte,
 * because the mark's first byte does not recur in it. */
static size_t scan(struct form *f, const char *data, size_t size)
{
    for (size_t i = 0; i < size;) {
        if (f->matched == 0) {
            const char *next = memchr(data + i, f->mark[0], size - i);
            size_t n = next != NULL ? (size_t)(next - data) - i : size - i;
            give(f, data + i, n);
            i += n;
        } else if (data[i] != f->mark[f->matched]) {
            give_matched(f, "");
            continue;
        }
        if (i == size) break;
        i++;
        if (++f->matched < f->length) continue;
        f->state = BOUND;
        return i;
    }
    return size;
}

/* ------------------------------------------------------------------ lines */

/* The line of a boundary is complete: a part begins. */
static void begin(struct form *f, bool bare)
{
    if (!f->inside && !bare) f->mark = f->text;
    f->length = strlen(f->mark);
    f->inside = true;
    f->named = false;
    f->filled = f->line = 0;
    f->state = HEADER;
}

static void take_header(struct form *f, char c)
{
    if (f->filled + 1 == sizeof f->header) {
        f->state = BROKEN;
        return;
    }
    f->header[f->filled++] = c;
    if (c != '\n') return;
    size_t length = f->filled - f->line - 1;
    if (length > 1 || (length == 1 && f->header[f->line] != '\r')) {
        f->line = f->filled;
        return;
    }
    f->filled = f->line;
    f->state = read_header(f) ? DATA : BROKEN;
    f->decoder = 0;
    f->bits = 0;
    f->matched = f->before = f->mark[0] == '\r' ? 2 : 1; /* a boundary can follow immediately */
    if (f->state == DATA && f->named) f->part(f->user, f->name, true, NULL, 0);
}

/* Whether the byte was consumed; false if the bytes before it turn out to be data, to which it belongs too. */
static bool take_byte(struct form *f, char c)
{
    switch (f->state) {
    case BOUND:
        if (c == '-')
            f->state = CLOSING;
        else if (c == ' ' || c == '\t')
            f->state = PADDING;
        else if (c == '\r')
            f->state = LINE_END;
        else if (c == '\n')
            begin(f, true);
        else
            give_matched(f, "");
        return f->state != DATA && f->state != PREAMBLE;
    case CLOSING:
        if (c == '-')
            f->state = EPILOGUE;
        else
            give_matched(f, "-");
        return f->state == EPILOGUE;
    case PADDING:
        if (c == '\n')
            begin(f, true);
        else if (c != ' ' && c != '\t')
            f->state = c == '\r' ? LINE_END : BROKEN;
        return true;
    case LINE_END:
        if (c == '\n')
            begin(f, false);
        else
            f->state = BROKEN;
        return true;
    default: take_header(f, c); return true;
    }
}

/* ------------------------------------------------------------------ all */

bool form_take(struct form *f, const char *data, size_t size)
{
    for (size_t i = 0; i < size && f->state != BROKEN && f->state != EPILOGUE;) {
        if (f->state == PREAMBLE || f->state == DATA)
            i += scan(f, data + i, size - i);
        else
            i += take_byte(f, data[i]);
    }
    return f->state != BROKEN;
}

bool form_is_whole(const struct form *f)
{
    return f->state == EPILOGUE;
}

struct form *form_open(bool *named, const char *content_type, form_part *part, void *user)
{
    struct form *f = calloc(1, sizeof *f);
    *named = true;
    if (f == NULL) return NULL;
    static const char start[4] = {'\r', '\n', '-', '-'};
    size_t length = read_parameter(f->text + sizeof start, BOUNDARY, content_type, "boundary");
    *named = length > 0 && length < BOUNDARY;
    if (!*named) {
        free(f);
        return NULL;
    }
    f->part = part;
    f->user = user;
    memcpy(f->text, start, sizeof start);
    f->mark = f->text + 1;
    f->length = strlen(f->mark);
    f->matched = f->before = 1; /* the body begins like a line */
    return f;
}

void form_free(struct form *f)
{
    free(f);
}
