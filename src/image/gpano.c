/* gpano.c - see gpano.h
 *
 * RDF writes a property as an attribute, GPano:Name="value", or as an element,
 * <GPano:Name>value</GPano:Name>, and every writer uses the prefix GPano. So the value is what
 * follows the name: no XML parser is needed, and none is exposed to a stranger's file. */
#define _GNU_SOURCE /* memmem */
#include "image/gpano.h"

#include <glib.h>
#include <math.h>
#include <string.h>

enum { VALUE_MAX = 64 };

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static const char *skip_spaces(const char *p, const char *end)
{
    while (p < end && is_space(*p)) p++;
    return p;
}

/* p is just behind a property's name: the value, without the spaces around it. */
static bool value_at(char value[VALUE_MAX], const char *p, const char *end)
{
    p = skip_spaces(p, end);
    if (p == end) return false;
    char close = '<';
    if (*p == '=') {
        p = skip_spaces(p + 1, end);
        if (p == end || (*p != '"' && *p != '\'')) return false;
        close = *p;
    } else if (*p != '>') {
        return false; /* the name goes on: another property */
    }
    p = skip_spaces(p + 1, end);
    size_t room =
        end - p < 2 * VALUE_MAX ? (size_t)(end - p) : 2 * VALUE_MAX; /* a file may say the name a million times */
    const char *stop = memchr(p, close, room);
    if (stop == NULL) return false;
    while (stop > p && is_space(stop[-1])) stop--;
    if (stop == p || stop - p >= VALUE_MAX) return false;
    memcpy(value, p, (size_t)(stop - p));
    value[stop - p] = '\0';
    return true;
}

static bool find_text(char value[VALUE_MAX], const char *text, size_t size, const char *name)
{
    const char *end = text + size, *p = text;
    while ((p = memmem(p, (size_t)(end - p), name, strlen(name))) != NULL) {
        p += strlen(name);
        if (value_at(value, p, end)) return true;
    }
    return false;
}

/* XMP writes numbers with a point, whatever the locale: g_ascii_strtod. */
static bool find_number(double *number, const char *text, size_t size, const char *name, double low, double high)
{
    char value[VALUE_MAX], *rest;
    if (!find_text(value, text, size, name)) return false;
    double x = g_ascii_strtod(value, &rest);
    if (rest == value || *rest != '\0' || !isfinite(x) || x < low || x > high) return false;
    *number = x;
    return true;
}

void gpano_parse(struct gpano *gpano, const char *text, size_t size)
{
    const double pixels = 1e7, turns = 3600;
    char value[VALUE_MAX];
    *gpano = (struct gpano){0};
    find_number(&gpano->full_width, text, size, "GPano:FullPanoWidthPixels", 0, pixels);
    find_number(&gpano->full_height, text, size, "GPano:FullPanoHeightPixels", 0, pixels);
    find_number(&gpano->left, text, size, "GPano:CroppedAreaLeftPixels", 0, pixels);
    find_number(&gpano->top, text, size, "GPano:CroppedAreaTopPixels", 0, pixels);
    find_number(&gpano->width, text, size, "GPano:CroppedAreaImageWidthPixels", 0, pixels);
    find_number(&gpano->height, text, size, "GPano:CroppedAreaImageHeightPixels", 0, pixels);
    gpano->has_heading = find_number(&gpano->heading, text, size, "GPano:PoseHeadingDegrees", -turns, turns);
    if (find_text(value, text, size, "GPano:ProjectionType")) {
        gpano->equirectangular = g_ascii_strcasecmp(value, "equirectangular") == 0;
        gpano->other = !gpano->equirectangular;
    }
}
