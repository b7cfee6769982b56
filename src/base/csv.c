/* csv.c - see csv.h */
#include "base/csv.h"

#include <assert.h>
#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

void csv_start(struct csv *csv, const char *text, size_t size, char separator, int most, const char *where)
{
    assert(most <= CSV_FIELDS);
    *csv = (struct csv){.where = where, .p = text, .end = text + size, .separator = separator, .most = most};
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) csv->p += 3;
}

void csv_free(struct csv *csv)
{
    free(csv->text);
    *csv = (struct csv){0};
}

static gvm_status copy_line(struct csv *csv, const char *start, size_t length, gvm_error *err)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)start[i] < 0x20 && start[i] != '\t')
            return fail(err, GVM_FORMAT,
                        "%s, line %zu: it holds a control character (code %d), so this is no CSV file in UTF-8",
                        csv->where, csv->line, start[i]);
    if (length >= csv->room) {
        char *more = realloc(csv->text, 2 * length + 1);
        if (more == NULL) return fail(err, GVM_MEMORY, "%s: there is not enough memory to read it", csv->where);
        csv->text = more;
        csv->room = 2 * length + 1;
    }
    memcpy(csv->text, start, length);
    csv->text[length] = '\0';
    return GVM_OK;
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

static gvm_status add_field(struct csv *csv, char *field, gvm_error *err)
{
    if (csv->count == csv->most)
        return fail(err, GVM_FORMAT, "%s, line %zu: it has more than the %d fields that there can be", csv->where,
                    csv->line, csv->most);
    csv->fields[csv->count++] = field;
    return GVM_OK;
}

static gvm_status cut_at_blanks(struct csv *csv, gvm_error *err)
{
    gvm_status status = GVM_OK;
    for (char *p = csv->text; *p != '\0' && status == GVM_OK; p += strspn(p, " \t")) {
        char *field = p;
        p += strcspn(p, " \t");
        if (*p != '\0') *p++ = '\0';
        status = add_field(csv, field, err);
    }
    return status;
}

static gvm_status cut_fields(struct csv *csv, gvm_error *err)
{
    csv->count = 0;
    if (csv->separator == ' ') return cut_at_blanks(csv, err);
    const char ends[] = {csv->separator, '\0'};
    for (char *p = csv->text;; p++) {
        char *field = p += strspn(p, " \t");
        bool in_quotes = *p == '"';
        if (in_quotes) {
            if ((field = quoted(&p)) == NULL)
                return fail(err, GVM_FORMAT, "%s, line %zu: a quote is opened and not closed", csv->where, csv->line);
            if (*p != csv->separator && *p != '\0')
                return fail(err, GVM_FORMAT, "%s, line %zu: something follows a closing quote", csv->where, csv->line);
        } else {
            p += strcspn(p, ends);
        }
        gvm_status status = add_field(csv, field, err);
        if (status != GVM_OK) return status;
        bool last = *p == '\0';
        *p = '\0';
        for (char *stop = p; !in_quotes && stop > field && is_blank(stop[-1]);) *--stop = '\0';
        if (last) return GVM_OK;
    }
}

bool csv_next(struct csv *csv, gvm_status *status, gvm_error *err)
{
    while (csv->p < csv->end) {
        const char *start = csv->p, *stop = memchr(start, '\n', (size_t)(csv->end - start));
        if (stop == NULL) stop = csv->end;
        csv->p = stop < csv->end ? stop + 1 : stop;
        csv->line++;
        if (stop > start && stop[-1] == '\r') stop--;
        while (stop > start && is_blank(stop[-1])) stop--;
        while (start < stop && is_blank(*start)) start++;
        if (start == stop) continue;
        *status = copy_line(csv, start, (size_t)(stop - start), err);
        if (*status == GVM_OK) *status = cut_fields(csv, err);
        if (*status == GVM_OK && csv->columns > 0 && csv->count != csv->columns)
            *status = fail(err, GVM_FORMAT, "%s, line %zu: it has %d field%s where the header has %d", csv->where,
                           csv->line, csv->count, csv->count == 1 ? "" : "s", csv->columns);
        return *status == GVM_OK;
    }
    return false;
}

/* "a, b and c" */
static void write_names(char *text, size_t size, const char *const *names, int count)
{
    size_t length = 0;
    for (int i = 0; i < count && length < size; i++) {
        const char *between = i == 0 ? "" : i == count - 1 ? " and " : ", ";
        length += (size_t)snprintf(text + length, size - length, "%s%s", between, names[i]);
    }
}

gvm_status csv_header(int *order, struct csv *csv, const char *const *names, int columns, int needed, gvm_error *err)
{
    bool seen[CSV_FIELDS] = {false};
    char list[200];
    assert(columns <= CSV_FIELDS);
    gvm_status status = GVM_OK;
    if (!csv_next(csv, &status, err))
        return status != GVM_OK ? status : fail(err, GVM_FORMAT, "%s: the list is empty", csv->where);
    csv->columns = csv->count;
    for (int i = 0; i < csv->count; i++) {
        int c = 0;
        while (c < columns && strcmp(csv->fields[i], names[c]) != 0) c++;
        write_names(list, sizeof list, names, columns);
        if (c == columns)
            return fail(err, GVM_FORMAT, "%s, line %zu: the header's \"%.60s\" is none of %s", csv->where, csv->line,
                        csv->fields[i], list);
        if (seen[c])
            return fail(err, GVM_FORMAT, "%s, line %zu: the header has \"%s\" twice", csv->where, csv->line, names[c]);
        seen[c] = true;
        order[i] = c;
    }
    for (int c = 0; c < needed; c++)
        if (!seen[c]) {
            write_names(list, sizeof list, names, needed);
            return fail(err, GVM_FORMAT, "%s, line %zu: the header lacks \"%s\" (it needs %s)", csv->where, csv->line,
                        names[c], list);
        }
    return GVM_OK;
}

bool csv_number(double *number, const char *field)
{
    char *rest;
    if (*field == '\0' || field[strspn(field, "+-.0123456789eE")] != '\0') return false;
    *number = g_ascii_strtod(field, &rest);
    return *rest == '\0' && isfinite(*number);
}

void csv_write(FILE *out, const char *field)
{
    size_t length = strlen(field);
    bool plain = field[strcspn(field, ",\"\r\n")] == '\0' &&
                 (length == 0 || (!is_blank(field[0]) && !is_blank(field[length - 1])));
    if (plain) {
        fputs(field, out);
        return;
    }
    fputc('"', out);
    for (; *field != '\0'; field++) {
        if (*field == '"') fputc('"', out);
        fputc(*field, out);
    }
    fputc('"', out);
}
