/* address.c - see address.h */
#include "server/address.h"

#include <arpa/inet.h>
#include <glib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"

enum { NAME = 256 /* longer than any host name, with its terminator */ };

/* ------------------------------------------------------------------ hosts */

static bool is_port(const char *text)
{
    return text[0] == '\0' || (text[0] == ':' && strlen(text) <= 6 && text[1 + strspn(text + 1, "0123456789")] == '\0');
}

/* "NAME", "NAME:PORT" or "[V6]:PORT": the name, without brackets. */
static bool read_host(char name[NAME], const char *host)
{
    bool v6 = host[0] == '[';
    const char *from = host + v6;
    size_t length = strcspn(from, v6 ? "]" : ":");
    if (length == 0 || length >= NAME || (v6 && from[length] != ']') || !is_port(from + length + v6)) return false;
    memcpy(name, from, length);
    name[length] = '\0';
    return true;
}

static bool is_literal(const char *name)
{
    unsigned char address[16];
    return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

static bool is_among(const char *name, const char *const *names)
{
    for (; *names != NULL; names++)
        if (strcasecmp(name, *names) == 0) return true;
    return false;
}

bool host_is_ours(const char *host, const char *bind, const char *const *names)
{
    char name[NAME];
    return read_host(name, host) && (strcasecmp(name, "localhost") == 0 || strcasecmp(name, bind) == 0 ||
                                     is_literal(name) || is_among(name, names));
}

bool origin_is_ours(const char *origin, const char *host, const char *const *names)
{
    char name[NAME];
    const char *rest = strstr(origin, "://");
    if (rest == NULL) return false; /* "null": from a file or an opaque origin */
    rest += 3;
    return strcasecmp(rest, host) == 0 || (read_host(name, rest) && is_among(name, names));
}

/* ------------------------------------------------------------------ numbers */

bool is_plain_number(const char *text)
{
    size_t length = strcspn(text, ",");
    return length > 0 && strspn(text, "0123456789+-.eE") == length;
}

/* ------------------------------------------------------------------ tiles */

bool read_square(long *zoom, long *x, long *y, const char *text)
{
    char digits[3][10];
    int end = 0;
    int count = sscanf(text, "%9[0-9]/%9[0-9]/%9[0-9].jpg%n", digits[0], digits[1], digits[2], &end);
    if (count != 3 || end == 0 || text[end] != '\0') return false;
    *zoom = strtol(digits[0], NULL, 10);
    *x = strtol(digits[1], NULL, 10);
    *y = strtol(digits[2], NULL, 10);
    return true;
}

bool read_index(size_t *number, const char *text, const char *end, size_t count)
{
    if (text[0] < '0' || text[0] > '9' || strlen(text) > 30) return false;
    char *rest;
    unsigned long long value = strtoull(text, &rest, 10);
    *number = (size_t)value;
    return strcmp(rest, end) == 0 && value < count;
}

/* ------------------------------------------------------------------ boxes */

bool read_box(double box[4], const char *text)
{
    static const double most[4] = {720, 90, 720, 90};
    gchar **parts = g_strsplit(text, ",", 5);
    bool good = g_strv_length(parts) == 4;
    for (int i = 0; i < 4 && good; i++)
        good = is_plain_number(parts[i]) && read_double(&box[i], parts[i], -most[i], most[i]);
    g_strfreev(parts);
    if (good && box[0] > box[2]) box[2] += 360;
    return good && box[0] <= box[2] && box[1] <= box[3];
}

bool boxes_touch(const double a[4], const double b[4])
{
    double turn = 360 * ceil((a[0] - b[2]) / 360); /* smallest shift with b's east not west of a */
    return b[0] + turn <= a[2] && a[1] <= b[3] && b[1] <= a[3];
}
