/* csv.c - see csv.h */
#include "base/csv.h"

#include <assert.h>
#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/similar.h"

enum {
    LINE = 1 << 20,       /* longest line, in bytes; refuses files of another kind early */
    CONVERTED = 256 << 20 /* bytes of UTF-16 that are converted; the result takes as much again */
};

static const char decimal_commas[] = "; numbers with decimal commas need semicolons between the fields";

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* ------------------------------------------------------------------ the text */

/* Byte order of UTF-16 text, from its byte order mark or the zero bytes of ASCII characters: 'l' little-endian, 'b'
 * big-endian, 0 if it is not UTF-16. */
static char utf16_order(const unsigned char *text, size_t size)
{
    if (size < 4 || size % 2 != 0) return 0;
    if (text[0] == 0xff && text[1] == 0xfe) return 'l';
    if (text[0] == 0xfe && text[1] == 0xff) return 'b';
    if (text[0] != 0 && text[1] == 0 && text[2] != 0 && text[3] == 0) return 'l';
    if (text[0] == 0 && text[1] != 0 && text[2] == 0 && text[3] != 0) return 'b';
    return 0;
}

void csv_start(struct csv *csv, const char *text, size_t size, char separator, int most, const char *where)
{
    assert(most <= CSV_FIELDS);
    *csv = (struct csv){.where = where, .separator = separator, .most = most};
    char order = utf16_order((const unsigned char *)text, size);
    if (order != 0) {
        const char *from = order == 'l' ? "UTF-16LE" : "UTF-16BE";
        csv->utf8 = size <= CONVERTED ? g_convert(text, (gssize)size, "UTF-8", from, NULL, &size, NULL) : NULL;
        text = csv->utf8;
        csv->unreadable = text == NULL;
        if (csv->unreadable) size = 0;
    }
    csv->p = text;
    csv->end = text == NULL ? NULL : text + size;
    if (text != NULL && size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) csv->p += 3;
}

void csv_free(struct csv *csv)
{
    free(csv->text);
    g_free(csv->utf8);
    *csv = (struct csv){0};
}

/* ------------------------------------------------------------------ a line's fields */

static gvm_status copy_line(struct csv *csv, const char *start, size_t length, gvm_error *err)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)start[i] < 0x20 && start[i] != '\t')
            return CSV_FAIL(csv, err, "unexpected control character (code %d); expected CSV in UTF-8", start[i]);
    if (length >= csv->room) {
        char *more = realloc(csv->text, 2 * length + 1);
        if (more == NULL) return fail(err, GVM_MEMORY, "%s: cannot read it: out of memory", csv->where);
        csv->text = more;
        csv->room = 2 * length + 1;
    }
    memcpy(csv->text, start, length);
    csv->text[length] = '\0';
    return GVM_OK;
}

/* Unquote the field that starts at the quote *p in place and move *p past the closing quote. Returns NULL if there is
 * none. */
static char *quoted(char **p, const char *blanks)
{
    char *from = *p + 1, *to = *p, *field = to;
    for (; *from != '\0'; from++) {
        if (*from == '"' && *++from != '"') {
            from += strspn(from, blanks);
            *to = '\0';
            *p = from;
            return field;
        }
        *to++ = *from;
    }
    return NULL;
}

/* Ignores empty fields beyond `most`: spreadsheets end lines with extra separators. */
static gvm_status add_field(struct csv *csv, char *field, gvm_error *err)
{
    if (csv->count < csv->most)
        csv->fields[csv->count++] = field;
    else if (*field != '\0')
        return CSV_FAIL(csv, err, "it has more than %d fields%s", csv->most,
                        csv->separator == ',' && csv->columns > 0 ? decimal_commas : "");
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
    const char ends[] = {csv->separator, '\0'}, *blanks = csv->separator == '\t' ? " " : " \t";
    for (char *p = csv->text;; p++) {
        char *field = p += strspn(p, blanks);
        bool in_quotes = *p == '"';
        if (in_quotes) {
            if ((field = quoted(&p, blanks)) == NULL) return CSV_FAIL(csv, err, "a quoted field is not closed");
            if (*p != csv->separator && *p != '\0') return CSV_FAIL(csv, err, "unexpected text after a closing quote");
        } else {
            p += strcspn(p, ends);
        }
        bool last = *p == '\0';
        *p = '\0';
        for (char *stop = p; !in_quotes && stop > field && is_blank(stop[-1]);) *--stop = '\0';
        gvm_status status = add_field(csv, field, err);
        if (status != GVM_OK || last) return status;
    }
}

/* ------------------------------------------------------------------ lines */

/* The next line without its line end (LF, CR LF or CR). Returns false at the end of the text or if the line is too
 * long. */
static bool next_line(const char **start, const char **stop, struct csv *csv, gvm_status *status, gvm_error *err)
{
    size_t left = (size_t)(csv->end - csv->p), look = left < LINE ? left : LINE;
    if (left == 0) return false;
    csv->line++;
    *start = csv->p;
    const char *end = csv->p, *last = csv->p + look;
    while (end < last && *end != '\n' && *end != '\r') end++;
    if (end == last && left > look) {
        *status = CSV_FAIL(csv, err, "the line has more than %d bytes, so this is not a CSV file", LINE);
        return false;
    }
    *stop = end;
    csv->p = end + (end < csv->end);
    if (end < csv->end && *end == '\r' && csv->p < csv->end && *csv->p == '\n') csv->p++;
    return true;
}

/* Guess the separator from the first line: the most frequent of comma, semicolon and tab outside quotes. A comma
 * between digits may be a decimal comma and is not counted. */
static char separator_of(const char *start, const char *stop)
{
    static const char separators[] = ",;\t";
    size_t counts[3] = {0}, best = 0;
    bool in_quotes = false;
    for (const char *p = start; p < stop; p++) {
        const char *found = *p != '\0' ? strchr(separators, *p) : NULL;
        bool decimal = *p == ',' && p > start && p + 1 < stop && g_ascii_isdigit(p[-1]) && g_ascii_isdigit(p[1]);
        if (*p == '"') in_quotes = !in_quotes;
        if (found != NULL && !in_quotes && !decimal) counts[found - separators]++;
    }
    for (size_t i = 1; i < 3; i++)
        if (counts[i] > counts[best]) best = i;
    return separators[best];
}

/* Set the separator from the first line. Returns true if the line only declares it, as "sep=;" from spreadsheets does.
 */
static bool take_separator(struct csv *csv, const char *start, const char *stop)
{
    csv->settled = true;
    if (csv->separator != ',' || csv->most == 1) return false;
    if (stop - start == 5 && g_ascii_strncasecmp(start, "sep=", 4) == 0 && strchr(",;\t", start[4]) != NULL) {
        csv->separator = start[4];
        return true;
    }
    csv->separator = separator_of(start, stop);
    return false;
}

static bool all_empty(const struct csv *csv)
{
    for (int i = 0; i < csv->count; i++)
        if (csv->fields[i][0] != '\0') return false;
    return true;
}

/* A line must have as many fields as the header; extra empty fields at its end are dropped. */
static gvm_status check_count(struct csv *csv, gvm_error *err)
{
    if (csv->columns == 0) return GVM_OK;
    while (csv->count > csv->columns && csv->fields[csv->count - 1][0] == '\0') csv->count--;
    if (csv->count == csv->columns) return GVM_OK;
    return CSV_FAIL(csv, err, "got %d field%s, expected %d as in the header%s", csv->count, csv->count == 1 ? "" : "s",
                    csv->columns, csv->count > csv->columns && csv->separator == ',' ? decimal_commas : "");
}

bool csv_next(struct csv *csv, gvm_status *status, gvm_error *err)
{
    const char *start, *stop;
    if (csv->unreadable) {
        *status = fail(err, GVM_FORMAT, "%s: it is in UTF-16 and cannot be converted; save it as UTF-8", csv->where);
        return false;
    }
    while (next_line(&start, &stop, csv, status, err)) {
        bool tabs = csv->settled && csv->separator == '\t';
        while (!tabs && stop > start && is_blank(stop[-1])) stop--;
        while (!tabs && start < stop && is_blank(*start)) start++;
        if (start == stop || (!csv->settled && take_separator(csv, start, stop))) continue;
        *status = copy_line(csv, start, (size_t)(stop - start), err);
        if (*status == GVM_OK) *status = cut_fields(csv, err);
        if (*status == GVM_OK && csv->columns > 0 && all_empty(csv)) continue;
        if (*status == GVM_OK) *status = check_count(csv, err);
        return *status == GVM_OK;
    }
    return false;
}

/* ------------------------------------------------------------------ the header */

/* "a, b and c" */
static void write_names(char *text, size_t size, const char *const *names, int count)
{
    size_t length = 0;
    for (int i = 0; i < count && length < size; i++) {
        const char *between = i == 0 ? "" : i == count - 1 ? " and " : ", ";
        length += (size_t)snprintf(text + length, size - length, "%s%s", between, names[i]);
    }
}

/* Normalise a column name for comparison: lower case, no separators between words, common synonyms replaced. */
static void fold_name(char *out, size_t size, const char *name)
{
    static const char *const words[][2] = {
        {"latitude", "lat"}, {"longitude", "lon"}, {"lng", "lon"}, {"long", "lon"}, {"meters", "metres"}};
    static const char *const images[] = {"file",    "filename", "path",      "filepath",  "photo",
                                         "picture", "tile",     "imagename", "imagepath", "sourcefile"};
    size_t n = 0;
    if (g_ascii_strncasecmp(name, "gps", 3) == 0) name += 3;
    for (; *name != '\0' && strchr("([", *name) == NULL && n + 1 < size; name++)
        if (strchr(" _-.", *name) == NULL) out[n++] = g_ascii_tolower(*name);
    out[n] = '\0';
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t length = strlen(words[i][0]);
        if (n < length || strcmp(out + n - length, words[i][0]) != 0) continue;
        memcpy(out + n - length, words[i][1], strlen(words[i][1]) + 1);
        break;
    }
    for (size_t i = 0; i < sizeof images / sizeof *images; i++)
        if (strcmp(out, images[i]) == 0) snprintf(out, size, "image");
}

/* Index of the matching name, or `columns` if there is none. *nearly: the name looks like a misspelling of one of them,
 * such as metre, headng or latt. */
static int find_column(bool *nearly, const char *name, const char *const *names, int columns)
{
    char asked[64], known[64];
    fold_name(asked, sizeof asked, name);
    *nearly = false;
    for (int c = 0; c < columns; c++) {
        fold_name(known, sizeof known, names[c]);
        size_t letters = strlen(known), wrong = word_distance(asked, known);
        if (wrong == 0) return c;
        *nearly |= letters > 2 && wrong <= (letters > 5 ? 2 : 1);
    }
    return columns;
}

static gvm_status fail_unknown(const struct csv *csv, int field, const char *list, gvm_error *err)
{
    return CSV_FAIL(csv, err, "unknown column \"%.60s\" in the header; expected %s", csv->fields[field], list);
}

gvm_status csv_header(int *order, struct csv *csv, const char *const *names, int columns, int needed, bool more,
                      gvm_error *err)
{
    int unknown = -1;
    bool seen[CSV_FIELDS] = {false};
    char list[200];
    assert(columns <= CSV_FIELDS);
    gvm_status status = GVM_OK;
    if (!csv_next(csv, &status, err))
        return status != GVM_OK ? status : fail(err, GVM_FORMAT, "%s: the list is empty", csv->where);
    while (csv->count > 0 && csv->fields[csv->count - 1][0] == '\0') csv->count--;
    csv->columns = csv->count;
    for (int i = 0; i < csv->count; i++) {
        bool nearly;
        int c = find_column(&nearly, csv->fields[i], names, columns);
        write_names(list, sizeof list, names, columns);
        order[i] = c;
        if (c == columns && more && !nearly) {
            if (unknown < 0) unknown = i;
            continue;
        }
        if (c == columns) return fail_unknown(csv, i, list, err);
        if (seen[c]) return CSV_FAIL(csv, err, "the header has the column \"%s\" twice", names[c]);
        seen[c] = true;
    }
    for (int c = 0; c < needed; c++)
        if (!seen[c]) {
            if (unknown >= 0) return fail_unknown(csv, unknown, list, err);
            write_names(list, sizeof list, names, needed);
            return CSV_FAIL(csv, err, "the header lacks the column \"%s\" (required: %s)", names[c], list);
        }
    return GVM_OK;
}

/* ------------------------------------------------------------------ numbers and text */

bool csv_number(double *number, const char *field)
{
    char *rest;
    if (*field == '\0' || field[strspn(field, "+-.0123456789eE")] != '\0') return false;
    *number = g_ascii_strtod(field, &rest);
    return *rest == '\0' && isfinite(*number);
}

bool csv_value(double *number, const struct csv *csv, const char *field)
{
    char text[64];
    const char *comma = strchr(field, ',');
    size_t length = strlen(field);
    if (comma == NULL || strchr(field, '.') != NULL || length >= sizeof text) return csv_number(number, field);
    /* A quoted "1,234" in a comma-separated file may also be a thousand. */
    if (csv->separator == ',' && strspn(comma + 1, "0123456789") == 3) return false;
    memcpy(text, field, length + 1);
    text[comma - field] = '.';
    return csv_number(number, text);
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
