/* test_request.c - what a client sends, parsed without a connection: multipart bodies, cut into pieces of every size,
 * and the names, tiles and boxes of a request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/address.h"
#include "server/form.h"

/* ---- forms */

struct text {
    char bytes[4096];
    size_t size;
};

/* Each part as "[name:data]". */
static void collect(void *user, const char *name, bool first, const char *data, size_t size)
{
    struct text *t = user;
    if (first) t->size += (size_t)snprintf(t->bytes + t->size, sizeof t->bytes - t->size, "%s:", name);
    assert_true(t->size + size < sizeof t->bytes);
    if (size > 0) memcpy(t->bytes + t->size, data, size);
    t->size += size;
    t->bytes[t->size] = '\0';
}

/* "broken", "open" or what its parts hold. */
static const char *parsed(struct text *t, const char *type, const char *body, size_t step)
{
    *t = (struct text){0};
    bool named;
    struct form *form = form_open(&named, type, collect, t);
    if (form == NULL) return "no form";
    bool good = true;
    size_t size = strlen(body);
    for (size_t i = 0; i < size && good; i += step) good = form_take(form, body + i, size - i < step ? size - i : step);
    bool whole = form_is_whole(form);
    form_free(form);
    return !good ? "broken" : whole ? t->bytes : "open";
}

#define TYPE "multipart/form-data; boundary=x-Y"
#define NAMED(name) "Content-Disposition: form-data; name=" name "\r\n"

static const struct {
    const char *type, *body, *want;
} forms[] = {
    {TYPE, "--x-Y\r\n" NAMED("a") "\r\n12\r\n--x-Y--", "a:12"},
    {TYPE, "--x-Y\r\n" NAMED("\"a\"") "\r\n\r\n--x-Y\r\n" NAMED("b") "\r\n2\r\n--x-Y--\r\nmore", "a:b:2"},
    {TYPE, "before\r\n--x-Y \t\r\n" NAMED("a") "\r\n1\r\n--x-Y--", "a:1"},
    {TYPE, "--x-Y\n" NAMED("a") "\n1\n--x-Y--", "a:1"},
    {TYPE, "--x-Y\t\n" NAMED("a") "\n1\n--x-Y--", "a:1"},
    /* what looks like a boundary and is data */
    {TYPE, "--x-Y\r\n" NAMED("a") "\r\n1\r\n--x-\r\n--x-YZ\r\n--x-Y-Z\r\r\n--x-Y--",
     "a:1\r\n--x-\r\n--x-YZ\r\n--x-Y-Z\r"},
    {TYPE, "--x-Yz\r\n--x-Y-z\r\n--x-Y\r\n" NAMED("a") "\r\n1\r\n--x-Y--", "a:1"},
    /* header fields: other ones, of more than one line, quoted characters, a name that is too long, none at all */
    {TYPE, "--x-Y\r\nX: 1\r\nContent-Disposition:\r\n\tform-data;\r\n  name=a\r\n\r\n1\r\n--x-Y--", "a:1"},
    {TYPE, "--x-Y\r\n" NAMED("\"a\\\"b\\\\c\\d\"") "\r\n1\r\n--x-Y--", "a\"b\\c\\d:1"},
    {TYPE, "--x-Y\r\nContent-Disposition: form-data; filename=n; name = a ; x\r\n\r\n1\r\n--x-Y--", "a:1"},
    {TYPE, "--x-Y\r\n" NAMED("\"a") "\r\n1\r\n--x-Y--", ""},
    {TYPE, "--x-Y\r\n\r\n1\r\n--x-Y\r\n" NAMED("a") "\r\n2\r\n--x-Y--", "a:2"},
    {TYPE,
     "--x-Y\r\n" NAMED("0123456789012345678901234567890123456789012345678901234567890123456789") "\r\n1\r\n--x-Y--",
     "012345678901234567890123456789012345678901234567890123456789012:1"},
    {TYPE, "--x-Y\r\n" NAMED("a") "Content-Transfer-Encoding: BASE64\r\n\r\nYWJj\r\nZA==\r\n--x-Y--", "a:abcd"},
    {TYPE, "--x-Y\r\n" NAMED("a") "Content-Transfer-Encoding: 8bit\r\n\r\nYWJj\r\n--x-Y--", "a:YWJj"},
    {TYPE, "--x-Y\r\n" NAMED("a") "Content-Transfer-Encoding: quoted-printable\r\n\r\n1\r\n--x-Y--", "broken"},
    /* not whole, or not well-formed */
    {TYPE, "", "open"},
    {TYPE, "--x-Y\r\n" NAMED("a") "\r\n1\r\n--x-Y", "open"},
    {TYPE, "--x-Y\r\n" NAMED("a") "\r\n1", "open"},
    {TYPE, "--x-Y\r" NAMED("a") "\r\n1\r\n--x-Y--", "broken"},
    {TYPE, "--x-Y  z\r\n" NAMED("a") "\r\n1\r\n--x-Y--", "broken"},
    /* boundaries */
    {"multipart/form-data; charset=utf-8; BOUNDARY = \"x-Y\"", "--x-Y\r\n" NAMED("a") "\r\n1\r\n--x-Y--", "a:1"},
    {"multipart/form-data; boundary=x=/Y ", "--x=/Y\r\n" NAMED("a") "\r\n1\r\n--x=/Y--", "a:1"},
    {"multipart/form-data", "", "no form"},
    {"multipart/form-data; boundary", "", "no form"},
    {"multipart/form-data; boundary=", "", "no form"},
    {"multipart/form-data; boundary=\"\"", "", "no form"},
    {"multipart/form-data; boundary=\"x", "", "no form"},
};

static void test_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        for (size_t step = 1; step <= strlen(forms[i].body) + 1; step++) {
            struct text t;
            const char *got = parsed(&t, forms[i].type, forms[i].body, step);
            if (strcmp(got, forms[i].want) != 0)
                fail_msg("form %zu in pieces of %zu: \"%s\" instead of \"%s\"", i, step, got, forms[i].want);
        }
}

/* A boundary of 200 bytes is taken, one of 201 is not; nor is a header of more than 16 KiB. */
static void test_long_forms(void **state)
{
    (void)state;
    char type[300], body[17000];
    struct text t;
    for (int length = 200; length <= 201; length++) {
        char boundary[202];
        memset(boundary, 'b', sizeof boundary);
        snprintf(type, sizeof type, "multipart/form-data; boundary=%.*s", length, boundary);
        snprintf(body, sizeof body, "--%.*s\r\n" NAMED("a") "\r\n1\r\n--%.*s--", length, boundary, length, boundary);
        assert_string_equal(parsed(&t, type, body, 7), length == 200 ? "a:1" : "no form");
    }
    for (int length = 16000; length <= 16800; length += 800) {
        int n = snprintf(body, sizeof body, "--x-Y\r\n" NAMED("a") "X: ");
        memset(body + n, 'x', (size_t)(length - n));
        snprintf(body + length, sizeof body - (size_t)length, "\r\n\r\n1\r\n--x-Y--");
        assert_string_equal(parsed(&t, TYPE, body, 1000), length == 16000 ? "a:1" : "broken");
    }
}

static void test_media_types(void **state)
{
    (void)state;
    assert_true(is_media_type("Image/JPEG", "image/jpeg"));
    assert_true(is_media_type("image/jpeg; q=1", "image/jpeg"));
    assert_true(is_media_type("image/jpeg ;q=1", "image/jpeg"));
    assert_false(is_media_type("image/jpeg2", "image/jpeg"));
    assert_false(is_media_type("image", "image/jpeg"));
}

/* ---- addresses */

static void test_hosts(void **state)
{
    (void)state;
    static const char *const names[] = {"map.example", NULL};
    static const char *const ours[] = {"localhost",     "LOCALHOST:80",  "localhost:",   "localhost:65535",
                                       "127.0.0.1",     "10.1.2.3:8080", "[::1]",        "[::1]:8080",
                                       "bound.example", "Map.Example",   "map.example:1"};
    static const char *const others[] = {
        "", "evil.example", "localhost.evil.example", "localhost:x", "localhost:123456", "[::1", "[::1]x", "[]", ":80"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (!host_is_ours(ours[i], "bound.example", names)) fail_msg("%s is refused", ours[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (host_is_ours(others[i], "bound.example", names)) fail_msg("%s is taken", others[i]);
    char name[400];
    memset(name, 'a', sizeof name);
    name[sizeof name - 1] = '\0';
    assert_false(host_is_ours(name, "bound.example", names));

    assert_true(origin_is_ours("http://127.0.0.1:8080", "127.0.0.1:8080", names));
    assert_true(origin_is_ours("https://map.example:9", "127.0.0.1:8080", names));
    assert_false(origin_is_ours("http://127.0.0.1:8081", "127.0.0.1:8080", names));
    assert_false(origin_is_ours("http://localhost:8080", "127.0.0.1:8080", names));
    assert_false(origin_is_ours("http://", "127.0.0.1:8080", names));
    assert_false(origin_is_ours("null", "127.0.0.1:8080", names));
}

static void test_tiles(void **state)
{
    (void)state;
    long zoom, x, y;
    assert_true(read_square(&zoom, &x, &y, "19/262143/0.jpg"));
    assert_true(zoom == 19 && x == 262143 && y == 0);
    static const char *const bad[] = {"",           "1/2",        "1/2/3",    "1/2/3.png", "1/2/3.jpgx",
                                      "-1/2/3.jpg", "1/ 2/3.jpg", "1//3.jpg", "1/2/.jpg",  "1/2/1234567890.jpg"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (read_square(&zoom, &x, &y, bad[i])) fail_msg("%s is taken", bad[i]);

    size_t number;
    assert_true(read_index(&number, "7.jpg", ".jpg", 8) && number == 7);
    static const char *const none[] = {"8.jpg",
                                       "7",
                                       "7.png",
                                       ".jpg",
                                       "-1.jpg",
                                       " 7.jpg",
                                       "0x7.jpg",
                                       "7e0.jpg",
                                       "18446744073709551616.jpg",
                                       "0000000000000000000000000007.jpg"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (read_index(&number, none[i], ".jpg", 8)) fail_msg("%s is taken", none[i]);
}

static void test_boxes(void **state)
{
    (void)state;
    double box[4];
    assert_true(read_box(box, "-1,2.5,3e0,+4") && box[0] == -1 && box[1] == 2.5 && box[2] == 3 && box[3] == 4);
    assert_true(read_box(box, "170,-10,-170,10") && box[0] == 170 && box[2] == 190);
    static const char *const bad[] = {"",          "1,2,3",    "1,2,3,4,5", "1,2,3,x",   "1,2,,4",    "1, 2,3,4",
                                      "1,3,2,1",   "0,0,0,91", "721,0,0,0", "0,0,inf,1", "0,0,nan,1", "0,0,0x1,1",
                                      "400,0,0,1", "1,2,3,4 ", "1,2,3,1e9", "1,2,3,--4"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (read_box(box, bad[i])) fail_msg("%s is taken as %g,%g,%g,%g", bad[i], box[0], box[1], box[2], box[3]);

    const double a[4] = {170, -10, 190, 10};
    assert_true(boxes_touch(a, (const double[4]){-175, 0, -160, 5}));
    assert_true(boxes_touch(a, (const double[4]){190, 10, 200, 20}));
    assert_true(boxes_touch(a, (const double[4]){530, 0, 531, 1}));
    assert_false(boxes_touch(a, (const double[4]){-160, 0, -150, 5}));
    assert_false(boxes_touch(a, (const double[4]){175, 11, 180, 12}));
    assert_false(boxes_touch(a, (const double[4]){175, -12, 180, -11}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms), cmocka_unit_test(test_long_forms), cmocka_unit_test(test_media_types),
        cmocka_unit_test(test_hosts), cmocka_unit_test(test_tiles),      cmocka_unit_test(test_boxes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
