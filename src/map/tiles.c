/* tiles.c - see tiles.h. A line is cut into fields, the first line says which field is what. */
#include "map/tiles.h"

#include <glib.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"

enum column { IMAGE, LAT, LON, METRES, COLUMNS };

static const char *const names[COLUMNS] = {"image", "lat", "lon", "metres"};

struct reader {
    const char *where, *p, *end;
    size_t line; /* number of the one that was read last */
    char *text;  /* a copy of that line, in which the fields lie */
    size_t room; /* of text */
    char *fields[COLUMNS];
    int count; /* of fields */
    enum column order[COLUMNS];
    int columns;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Copy the next line that is not blank into text. False at the end of the list, or with a status. */
static bool next_line(struct reader *r, gvm_status *status, gvm_error *err)
{
    while (r->p < r->end) {
        const char *start = r->p, *stop = memchr(start, '\n', (size_t)(r->end - start));
        if (stop == NULL) stop = r->end;
        r->p = stop < r->end ? stop + 1 : stop;
        r->line++;
        if (stop > start && stop[-1] == '\r') stop--;
        while (stop > start && is_blank(stop[-1])) stop--;
        while (start < stop && is_blank(*start)) start++;
        if (start == stop) continue;
        size_t length = (size_t)(stop - start);
        for (size_t i = 0; i < length; i++)
            if ((unsigned char)start[i] < 0x20 && start[i] != '\t') {
                *status = fail(err, GVM_FORMAT,
                               "%s, line %zu: it holds a control character (code %d), so this is no CSV file "
                               "in UTF-8",
                               r->where, r->line, start[i]);
                return false;
            }
        if (length >= r->room) {
            char *more = realloc(r->text, 2 * length + 1);
            if (more == NULL) {
                *status = fail(err, GVM_MEMORY, "%s: there is not enough memory to read it", r->where);
                return false;
            }
            r->text = more;
            r->room = 2 * length + 1;
        }
        memcpy(r->text, start, length);
        r->text[length] = '\0';
        return true;
    }
    return false;
}

/* Unquote in place the field that begins at the quote *p; *p is then behind the closing quote. NULL without one. */
static char *quoted(char **p)
{
    char *from = *p + 1, *to = *p, *field = to;
    for (; *from != '\0'; from++) {
        if (*from == '"' && *++from != '"') {
            while (is_blank(*from)) from++;
            *to = '\0';
            *p = from;
            return field;
        }
        *to++ = *from;
    }
    return NULL;
}

/* Cut text into fields, without the blanks around them. */
static gvm_status cut_fields(struct reader *r, gvm_error *err)
{
    char *p = r->text;
    for (r->count = 0;; p++) {
        char *field = p += strspn(p, " \t");
        bool in_quotes = *p == '"';
        if (in_quotes) {
            if ((field = quoted(&p)) == NULL)
                return fail(err, GVM_FORMAT, "%s, line %zu: a quote is opened and not closed", r->where, r->line);
            if (*p != ',' && *p != '\0')
                return fail(err, GVM_FORMAT, "%s, line %zu: something follows a closing quote", r->where, r->line);
        } else {
            p += strcspn(p, ",");
        }
        if (r->count == COLUMNS)
            return fail(err, GVM_FORMAT, "%s, line %zu: it has more than the %d fields of image, lat, lon and metres",
                        r->where, r->line, COLUMNS);
        r->fields[r->count++] = field;
        bool last = *p == '\0';
        *p = '\0';
        for (char *stop = p; !in_quotes && stop > field && is_blank(stop[-1]);) *--stop = '\0';
        if (last) return GVM_OK;
    }
}

static gvm_status read_header(struct reader *r, gvm_error *err)
{
    bool seen[COLUMNS] = {false};
    gvm_status status = GVM_OK;
    if (!next_line(r, &status, err))
        return status != GVM_OK ? status : fail(err, GVM_FORMAT, "%s: the list is empty", r->where);
    if ((status = cut_fields(r, err)) != GVM_OK) return status;
    r->columns = r->count;
    for (int i = 0; i < r->columns; i++) {
        int c = 0;
        while (c < COLUMNS && strcmp(r->fields[i], names[c]) != 0) c++;
        if (c == COLUMNS)
            return fail(err, GVM_FORMAT, "%s, line %zu: the header's \"%.60s\" is none of image, lat, lon and metres",
                        r->where, r->line, r->fields[i]);
        if (seen[c])
            return fail(err, GVM_FORMAT, "%s, line %zu: the header has \"%s\" twice", r->where, r->line, names[c]);
        seen[c] = true;
        r->order[i] = (enum column)c;
    }
    for (int c = 0; c < METRES; c++)
        if (!seen[c])
            return fail(err, GVM_FORMAT,
                        "%s, line %zu: the header lacks \"%s\" (it is image,lat,lon or image,lat,lon,metres)", r->where,
                        r->line, names[c]);
    return GVM_OK;
}

/* With a point whatever the locale, and without the names and hexadecimals that strtod takes too. */
static bool read_number(double *number, const char *text)
{
    char *rest;
    if (*text == '\0' || text[strspn(text, "+-.0123456789eE")] != '\0') return false;
    *number = g_ascii_strtod(text, &rest);
    return *rest == '\0' && isfinite(*number);
}

static gvm_status read_fields(struct tile *tile, const struct reader *r, gvm_error *err)
{
    const char *image = NULL;
    double values[COLUMNS] = {0};
    static const double most[COLUMNS] = {[LAT] = 90, [LON] = 180, [METRES] = 100000};
    for (int i = 0; i < r->count; i++) {
        const char *text = r->fields[i];
        enum column c = r->order[i];
        if (c == IMAGE) {
            image = text;
            if (*text == '\0')
                return fail(err, GVM_FORMAT, "%s, line %zu: the image's name is empty", r->where, r->line);
            continue;
        }
        if (c == METRES && *text == '\0') continue;
        if (!read_number(&values[c], text))
            return fail(err, GVM_FORMAT, "%s, line %zu: %s \"%.60s\" is not a number", r->where, r->line, names[c],
                        text);
        if (fabs(values[c]) > most[c] || (c == METRES && values[c] <= 0))
            return fail(err, GVM_FORMAT, "%s, line %zu: %s %.60s is not in the range of %g to %g", r->where, r->line,
                        names[c], text, c == METRES ? 0 : -most[c], most[c]);
    }
    *tile = (struct tile){strdup(image), values[LAT], values[LON], values[METRES]};
    if (tile->image == NULL) return fail(err, GVM_MEMORY, "%s: there is not enough memory to read it", r->where);
    return GVM_OK;
}

static gvm_status read_tiles(struct tiles *tiles, struct reader *r, gvm_error *err)
{
    size_t room = 0;
    gvm_status status = read_header(r, err);
    while (status == GVM_OK && next_line(r, &status, err)) {
        if ((status = cut_fields(r, err)) != GVM_OK) break;
        if (r->count != r->columns)
            return fail(err, GVM_FORMAT, "%s, line %zu: it has %d field%s where the header has %d", r->where, r->line,
                        r->count, r->count == 1 ? "" : "s", r->columns);
        if (tiles->count == room) {
            room = room ? 2 * room : 64;
            struct tile *more = realloc(tiles->items, room * sizeof *more);
            if (more == NULL) return fail(err, GVM_MEMORY, "%s: there is not enough memory to read it", r->where);
            tiles->items = more;
        }
        status = read_fields(&tiles->items[tiles->count], r, err);
        if (status == GVM_OK) tiles->count++;
    }
    if (status == GVM_OK && tiles->count == 0)
        return fail(err, GVM_FORMAT, "%s: the list has a header and no tiles", r->where);
    return status;
}

gvm_status tiles_parse(struct tiles *tiles, const char *text, size_t size, const char *where, gvm_error *err)
{
    *tiles = (struct tiles){0};
    struct reader r = {.where = where, .p = text, .end = text + size};
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) r.p += 3;
    gvm_status status = read_tiles(tiles, &r, err);
    free(r.text);
    if (status != GVM_OK) tiles_free(tiles);
    return status;
}

gvm_status tiles_read(struct tiles *tiles, const char *path, gvm_error *err)
{
    *tiles = (struct tiles){0};
    struct file_map file;
    gvm_status status = file_map(&file, path, err);
    if (status != GVM_OK) return status;
    status = tiles_parse(tiles, (const char *)file.data, file.size, path_tail(path), err);
    file_unmap(&file);
    return status;
}

void tiles_free(struct tiles *tiles)
{
    for (size_t i = 0; i < tiles->count; i++) free(tiles->items[i].image);
    free(tiles->items);
    *tiles = (struct tiles){0};
}
