/* csv.h - text in lines of fields, such as CSV: a line is cut into fields, and a first line may say which field is
 * what.
 *
 *     struct csv csv;
 *     csv_start(&csv, text, size, ',', 4, "tiles.csv");
 *     gvm_status status = csv_header(order, &csv, names, 4, 3, err);
 *     while (status == GVM_OK && csv_next(&csv, &status, err)) ... csv.fields[i] ...
 *     csv_free(&csv);
 *
 * UTF-8, with or without a byte order mark, or UTF-16; lines end in LF, CR LF or CR and have at most a megabyte, empty
 * ones do not count, nor do empty fields behind the last column. Fields may stand in quotes, in which "" is a quote; a
 * line's end in quotes is refused. With a blank as the separator, a run of blanks counts as one and there are no
 * quotes; a comma stands for the comma, semicolon or tab that the first line has, or names as spreadsheets do
 * ("sep=;"). */
#ifndef GVM_BASE_CSV_H
#define GVM_BASE_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "geoviewmatch.h"

enum { CSV_FIELDS = 64 };

struct csv {
    const char *where;        /* names the file in sentences */
    size_t line;              /* number of the line that was read last */
    char *fields[CSV_FIELDS]; /* (count) of that line, without the blanks around them; until the next is read */
    int count;

    const char *p, *end;
    char separator;
    int most;        /* fields that a line may have */
    int columns;     /* fields that it must have, as the header has; 0 without one */
    bool settled;    /* the separator is the file's own */
    bool unreadable; /* UTF-16 that cannot be converted */
    char *utf8;      /* what was converted; NULL if nothing had to be */
    char *text;      /* a copy of the line, in which the fields lie */
    size_t room;     /* of text */
};

/* A refusal of the line that was read last; GVM_FORMAT. */
#define CSV_FAIL(csv, err, format, ...) \
    fail(err, GVM_FORMAT, "%s, line %zu: " format, (csv)->where, (csv)->line, ##__VA_ARGS__)

/* The text and `where` must outlive csv. most <= CSV_FIELDS. */
void csv_start(struct csv *csv, const char *text, size_t size, char separator, int most, const char *where);
void csv_free(struct csv *csv);

/* Read the next line that is not empty. False at the end, or with *status (GVM_FORMAT, GVM_MEMORY), which the
 * caller has set to GVM_OK. */
bool csv_next(struct csv *csv, gvm_status *status, gvm_error *err);

/* Read the first line, of names in any order, each once; those from names[needed] on may be left out. Capitals, blanks,
 * _ - and ., a unit in brackets and GPS in front do not matter, and latitude, longitude, lng, long, meters and, for an
 * image, file, filename, path, photo, picture, tile and ExifTool's SourceFile are understood.
 *
 *   order  out: (csv->count) which of names[0..columns) field i is. Further lines must have as many fields
 *   more   others may stand there too, whose order is `columns`; but none that is spelled nearly as one of names, and
 *          not where one that is needed is missing */
gvm_status csv_header(int *order, struct csv *csv, const char *const *names, int columns, int needed, bool more,
                      gvm_error *err);

/* The number that a field is, with a point whatever the locale, and without the names and hexadecimals that strtod
 * takes too. False where it is none or not finite. */
bool csv_number(double *number, const char *field);

/* The same of a line's field, which may have a decimal comma if commas do not separate the fields, or in quotes. */
bool csv_value(double *number, const struct csv *csv, const char *field);

/* A field as it must stand in a CSV file: in quotes where its text needs them. */
void csv_write(FILE *out, const char *field);

#endif
