/* number.c - see number.h */
#include "base/number.h"

#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

bool read_long(long *number, const char *text, long low, long high)
{
    char *rest;
    errno = 0;
    *number = strtol(text, &rest, 10);
    return rest != text && *rest == '\0' && errno == 0 && *number >= low && *number <= high;
}

bool read_double(double *number, const char *text, double low, double high)
{
    char *rest;
    *number = g_ascii_strtod(text, &rest);
    return rest != text && *rest == '\0' && *number >= low && *number <= high; /* false for a NaN */
}

bool read_place(double *lat, double *lon, const char *text, double most_lat)
{
    char first[40];
    const char *comma = strchr(text, ',');
    if (comma == NULL || comma - text >= (long)sizeof first) return false;
    memcpy(first, text, (size_t)(comma - text));
    first[comma - text] = '\0';
    return read_double(lat, first, -most_lat, most_lat) && read_double(lon, comma + 1, -180, 180);
}
