/* csv.h - reads CSV and other text of lines and fields, with or without a header line
 *
 *     struct csv csv;
 *     csv_start(&csv, text, size, ',', 4, "tiles.csv");
 *     gvm_status status = csv_header(order, &csv, names, 4, 3, false, err);
 *     while (status == GVM_OK && csv_next(&csv, &status, err)) ... csv.fields[i] ...
 *     csv_free(&csv);
 *
 * The text is UTF-8, with or without a byte order mark, or UTF-16. Lines end in LF, CR LF or CR and have at most 1 MiB.
 * Empty lines, and empty fields after the last column, are ignored. A field may be quoted, with "" for a quote inside;
 * a line end inside quotes is refused.
 *
 * Separators: with ' ', a run of blanks separates two fields and there are no quotes. With ',', the separator is the
 * one that the first line uses (comma, semicolon or tab) or declares, as spreadsheets do ("sep=;"). */
#ifndef GVM_BASE_CSV_H
#define GVM_BASE_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "geoviewmatch.h"

enum { CSV_FIELDS = 64 };

struct csv {
    const char *where;        /* file name for error messages */
    size_t line;              /* number of the last line read, from 1 */
    char *fields[CSV_FIELDS]; /* (count) of the last line, without surrounding blanks; valid until the next csv_next */
    int count;

    const char *p, *end;
    char separator;
    int most;        /* fields a line may have */
    int columns;     /* fields a line must have, from the header; 0 without a header */
    bool settled;    /* the separator has been determined */
    bool unreadable; /* UTF-16 that cannot be converted */
    char *utf8;      /* the converted text; NULL if no conversion was needed */
    char *text;      /* copy of the line, which holds the fields */
    size_t room;     /* of text */
};

/* Report an error in the last line read; GVM_FORMAT. */
#define CSV_FAIL(csv, err, format, ...) \
    fail(err, GVM_FORMAT, "%s, line %zu: " format, (csv)->where, (csv)->line, ##__VA_ARGS__)

/* `text` and `where` must outlive csv. most <= CSV_FIELDS. */
void csv_start(struct csv *csv, const char *text, size_t size, char separator, int most, const char *where);
void csv_free(struct csv *csv);

/* Read the next non-empty line. Returns false at the end of the text, or on failure with *status GVM_FORMAT or
 * GVM_MEMORY. The caller sets *status to GVM_OK before. */
bool csv_next(struct csv *csv, gvm_status *status, gvm_error *err);

/* Read the header line: column names in any order, each at most once. names[0..needed) are required, the others
 * optional. Case, blanks, _ - and ., a unit in brackets and a leading "GPS" are ignored. Accepted synonyms: latitude,
 * longitude, lng, long, meters; for an image also file, filename, path, photo, picture, tile and ExifTool's SourceFile.
 *
 *   order  out: (csv->count) index into names[0..columns) of each field. Further lines must have the same number of
 *          fields
 *   more   accept unknown columns, whose order is `columns`. Names that look like a misspelling of one of `names` are
 *          still refused, and so are unknown columns if a required one is missing */
gvm_status csv_header(int *order, struct csv *csv, const char *const *names, int columns, int needed, bool more,
                      gvm_error *err);

/* Parse a finite decimal number, with a decimal point in every locale. Refuses the names (inf, nan) and hexadecimal
 * numbers that strtod accepts. Returns false if the field is not a number. */
bool csv_number(double *number, const char *field);

/* The same for a field of a line, which may have a decimal comma if the separator is not a comma or the field is
 * quoted. */
bool csv_value(double *number, const struct csv *csv, const char *field);

/* Write a field to a CSV file, quoted if necessary. */
void csv_write(FILE *out, const char *field);

#endif
