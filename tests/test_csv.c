/* test_csv.c - lists as spreadsheets and other programs write them */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/csv.h"
#include "data/labels.h"

static const char *const names[] = {"image", "lat", "lon", "metres"};

/* Read a list and return it as "image|lat|lon|metres" lines, or the error message. */
static const char *read_bytes(const void *bytes, size_t size)
{
    static char out[4096];
    struct csv csv;
    gvm_error err;
    int order[CSV_FIELDS];
    char *text = malloc(size + 1); /* of the exact size, so that the sanitizers detect reads beyond it */
    assert_non_null(text);
    memcpy(text, bytes, size);
    text = realloc(text, size > 0 ? size : 1);
    out[0] = '\0';
    csv_start(&csv, text, size, ',', 4, "l.csv");
    gvm_status status = csv_header(order, &csv, names, 4, 3, false, &err);
    while (status == GVM_OK && csv_next(&csv, &status, &err)) {
        const char *row[4] = {"", "", "", ""};
        double lat, lon;
        for (int i = 0; i < csv.count; i++) row[order[i]] = csv.fields[i];
        bool numbers = csv_value(&lat, &csv, row[1]) && csv_value(&lon, &csv, row[2]);
        size_t length = strlen(out);
        if (numbers)
            snprintf(out + length, sizeof out - length, "%s|%g|%g|%s;", row[0], lat, lon, row[3]);
        else
            snprintf(out + length, sizeof out - length, "%s|no numbers;", row[0]);
    }
    if (status != GVM_OK) snprintf(out, sizeof out, "%s", err.text);
    csv_free(&csv);
    free(text);
    return out;
}

static const char *read_text(const char *text)
{
    return read_bytes(text, strlen(text));
}

static void test_separators(void **state)
{
    (void)state;
    const char *want = "a b.jpg|45.25|-30.5|;c.jpg|1|2|7;";
    assert_string_equal(read_text("image,lat,lon,metres\na b.jpg,45.25,-30.5,\nc.jpg,1,2,7\n"), want);
    assert_string_equal(read_text("image;lat;lon;metres\na b.jpg;45,25;-30,5;\nc.jpg;1;2;7\n"), want);
    assert_string_equal(read_text("image;lat;lon;metres\na b.jpg;45.25;-30.5;\nc.jpg;1;2;7\n"), want);
    assert_string_equal(read_text("image\tlat\tlon\tmetres\na b.jpg\t45,25\t-30.5\t\nc.jpg\t1\t2\t7\n"), want);
    assert_string_equal(read_text("sep=;\r\nimage;lat;lon;metres\r\na b.jpg;45,25;-30,5;\r\nc.jpg;1;2;7"), want);
    assert_string_equal(
        read_text("\"image\",\"lat\",\"lon\",\"metres\"\n\"a b.jpg\",\"45,25\",\"-30,5\",\nc.jpg,1,2,7\n"), want);
    assert_string_equal(read_text("lat\tlon\tmetres\timage\n45.25\t-30.5\t\ta b.jpg\n1\t2\t7\tc.jpg\n"), want);
    assert_string_equal(read_text("metres\timage\tlat\tlon\n\ta b.jpg\t45.25\t-30.5\n7\tc.jpg\t1\t2\n"), want);
    assert_string_equal(read_text("image;lat;lon\n\"a;b,c.jpg\";1,5;2\n"), "a;b,c.jpg|1.5|2|;");
    assert_string_equal(read_text("image,lat,lon\na;b.jpg,1.5,2\n"), "a;b.jpg|1.5|2|;");
}

static void test_line_ends_and_encodings(void **state)
{
    (void)state;
    const char *want = "\xc3\xa4.jpg|1|2|;b.jpg|3|4|;";
    assert_string_equal(read_text("image,lat,lon\n\xc3\xa4.jpg,1,2\nb.jpg,3,4"), want);
    assert_string_equal(read_text("image,lat,lon\r\n\xc3\xa4.jpg,1,2\r\n\r\nb.jpg,3,4\r\n"), want);
    assert_string_equal(read_text("image,lat,lon\r\xc3\xa4.jpg,1,2\rb.jpg,3,4\r"), want);
    assert_string_equal(read_text("\xef\xbb\xbf\"image\",lat,lon\n\xc3\xa4.jpg,1,2\nb.jpg,3,4\n"), want);
    const char text[] = "image;lat;lon\r\n\xe4.jpg;1;2\r\nb.jpg;3;4\r\n"; /* Latin-1 */
    unsigned char units[2 * sizeof text + 2];
    for (int mark = 0; mark < 2; mark++)
        for (int big = 0; big < 2; big++) {
            size_t n = 0;
            if (mark) {
                units[n + (size_t)big] = 0xff;
                units[n + (size_t)!big] = 0xfe;
                n += 2;
            }
            for (const char *p = text; *p != '\0'; p++, n += 2) {
                units[n + (size_t)big] = (unsigned char)*p;
                units[n + (size_t)!big] = 0;
            }
            assert_string_equal(read_bytes(units, n), want);
        }
    assert_string_equal(read_bytes("\xff\xfe\x00\xd8", 4),
                        "l.csv: it is in UTF-16 and cannot be converted; save it as UTF-8");
    assert_non_null(strstr(read_bytes("image,lat,lon\n\0,1,2\n", 20), "line 2: unexpected control character (code 0)"));
}

static void test_headers(void **state)
{
    (void)state;
    static const char *const headers[] = {"Image,Latitude,longitude", " IMAGE , LAT , Lng ", "file name,lat,long",
                                          "\"Photo\",\"Lat.\",\"Lon\"", "Filename,LATITUDE,LONGITUDE,,,,,,"};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        char text[200];
        snprintf(text, sizeof text, "%s\na.jpg,1,2\n", headers[i]);
        assert_string_equal(read_text(text), "a.jpg|1|2|;");
    }
    assert_string_equal(read_text("image,lat,lon,Meters,,\na.jpg,1,2,3,,\n,,,,,\n , ,\nb.jpg,4,5,,,,,,,,,,,,,,,,,,\n"),
                        "a.jpg|1|2|3;b.jpg|4|5|;");
    assert_string_equal(read_text("image,lat,alt\na,1,2\n"),
                        "l.csv, line 1: unknown column \"alt\" in the header; expected image, lat, lon and metres");
    assert_string_equal(read_text("image,lat,latitude\na,1,2\n"),
                        "l.csv, line 1: the header has the column \"lat\" twice");
    assert_string_equal(read_text("image,lat\na,1\n"),
                        "l.csv, line 1: the header lacks the column \"lon\" (required: image, lat and lon)");
    assert_string_equal(read_text(""), "l.csv: the list is empty");
}

static void test_what_is_ambiguous(void **state)
{
    (void)state;
    assert_string_equal(read_text("image,lat,lon\na.jpg,45,25,-30,5\n"),
                        "l.csv, line 2: it has more than 4 fields; numbers with decimal commas "
                        "need semicolons between the fields");
    assert_string_equal(read_text("image,lat,lon\na.jpg,45,25,-30\n"),
                        "l.csv, line 2: got 4 fields, expected 3 as in the header; numbers with decimal commas need "
                        "semicolons between the fields");
    assert_string_equal(read_text("image,lat,lon\na.jpg,\"45,125\",2\n"), "a.jpg|no numbers;"); /* 45 thousand? */
    assert_string_equal(read_text("image;lat;lon\na.jpg;1.045,25;2\n"), "a.jpg|no numbers;");
    assert_string_equal(read_text("image;lat;lon\na.jpg;4,5,6;2\n"), "a.jpg|no numbers;");
    assert_string_equal(read_text("image;lat;lon\na.jpg,1,2\n"),
                        "l.csv, line 2: got 1 field, expected 3 as in the header");
}

static void test_a_line_is_bounded(void **state)
{
    (void)state;
    size_t size = 3 << 20;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, 'a', size);
    memcpy(text, "image,lat,lon\n", 14);
    assert_string_equal(read_bytes(text, size),
                        "l.csv, line 2: the line has more than 1048576 bytes, so this is not a CSV file");
    free(text);
}

/* Lists without a header: the first line is a row. */
static void test_without_a_header(void **state)
{
    (void)state;
    static const char *const texts[] = {"45,5;2;x\n3;4;y\n", "45.5,2,x\n3,4,y\n", "45,5\t2\tx\n3\t4\ty\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct csv csv;
        gvm_error err;
        gvm_status status = GVM_OK;
        double number;
        csv_start(&csv, texts[i], strlen(texts[i]), ',', 5, "all.csv");
        assert_true(csv_next(&csv, &status, &err));
        assert_int_equal(csv.count, 3);
        assert_true(csv_value(&number, &csv, csv.fields[0]) && number == 45.5);
        assert_string_equal(csv.fields[2], "x");
        assert_true(csv_next(&csv, &status, &err));
        assert_string_equal(csv.fields[2], "y");
        assert_false(csv_next(&csv, &status, &err));
        assert_int_equal(status, GVM_OK);
        csv_free(&csv);
    }
}

static gvm_status add_pair(void *context, const struct pair_row *row, gvm_error *err)
{
    (void)err;
    char *out = context;
    sprintf(out + strlen(out), "%s %s %s %g %g %g %d;", row->query.id, row->query.path, row->tile.path, row->query.lat,
            row->query.lon, row->query.heading, row->part == PART_TEST);
    return GVM_OK;
}

/* A data set's pairs use the same reader. */
static void test_pairs(void **state)
{
    (void)state;
    char out[500] = "";
    bool has_parts;
    gvm_error err;
    const char *pairs = "\xef\xbb\xbfID;Street;Aerial;Latitude;Longitude;Heading;Split;;\r"
                        "a;s/a.jpg;t/a.jpg;45,5;-30,25;90,5;test;;\rb;s/b.jpg;t/b.jpg;1;2;3;train;;\r;;;;;;;;\r";
    assert_int_equal(pairs_parse(&has_parts, pairs, strlen(pairs), "pairs.csv", add_pair, out, &err), GVM_OK);
    assert_string_equal(out, "a s/a.jpg t/a.jpg 45.5 -30.25 90.5 1;b s/b.jpg t/b.jpg 1 2 3 0;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_separators),
        cmocka_unit_test(test_line_ends_and_encodings),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_what_is_ambiguous),
        cmocka_unit_test(test_a_line_is_bounded),
        cmocka_unit_test(test_without_a_header),
        cmocka_unit_test(test_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
