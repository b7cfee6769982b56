/* fuzz_csv.c - any bytes as a text in lines; the first byte says what separates the fields. What is read must stay
 * within its limits, and come back the same from what csv_write makes of it. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 6, ROOM = 1 << 16 };

static char written[ROOM];

static void check_numbers(const struct csv *csv, const char *field)
{
    double number = 0, value = 0;
    bool plain = csv_number(&number, field), any = csv_value(&value, csv, field);
    if ((plain && !isfinite(number)) || (any && !isfinite(value))) abort();
    if (plain && (!any || value != number)) abort();
}

static void write_line(FILE *out, const struct csv *csv)
{
    for (int i = 0; i < MOST; i++) {
        if (i > 0) fputc(',', out);
        csv_write(out, i < csv->count ? csv->fields[i] : "");
    }
    fputs(",end\n", out);
}

/* The same fields again, empty ones where a line had fewer. */
static void compare(const uint8_t *text, size_t size, char separator, long length)
{
    static const char header[] = "a,b,c,d,e,f,g";
    struct csv csv, back;
    gvm_error err;
    gvm_status status = GVM_OK, again = GVM_OK;
    csv_start(&csv, (const char *)text, size, separator, MOST, "input");
    csv_start(&back, written, (size_t)length, ',', MOST + 1, "back");
    if (!csv_next(&back, &again, &err) || back.count != sizeof header / 2) abort();
    while (csv_next(&csv, &status, &err)) {
        if (!csv_next(&back, &again, &err) || back.count != MOST + 1) abort();
        for (int i = 0; i < MOST; i++)
            if (strcmp(i < csv.count ? csv.fields[i] : "", back.fields[i]) != 0) abort();
    }
    if (csv_next(&back, &again, &err) || again != GVM_OK) abort();
    csv_free(&back);
    csv_free(&csv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FILE *out;
    struct csv csv;
    gvm_error err = {""};
    gvm_status status = GVM_OK;
    if (size < 1 || size > ROOM / 8 || strchr(", \t;", data[0]) == NULL || data[0] == '\0') return -1;
    if (out == NULL) out = fmemopen(written, ROOM, "w");
    rewind(out);
    fputs("a,b,c,d,e,f,g\n", out);
    csv_start(&csv, (const char *)data + 1, size - 1, (char)data[0], MOST, "input");
    for (size_t line = 0; csv_next(&csv, &status, &err); line = csv.line) {
        if (csv.line <= line || csv.count < 1 || csv.count > MOST) abort();
        for (int i = 0; i < csv.count; i++) check_numbers(&csv, csv.fields[i]);
        write_line(out, &csv);
    }
    if ((status != GVM_OK) != (err.text[0] != '\0')) abort();
    csv_free(&csv);
    if (fflush(out) != 0) abort();
    compare(data + 1, size - 1, (char)data[0], ftell(out));
    return 0;
}
