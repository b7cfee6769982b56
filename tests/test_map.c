/* test_map.c - lists of tiles */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "imagery/tiles.h"

/* ------------------------------------------------------------------ lists */

static void expect_list(const char *text, size_t count)
{
    struct tiles tiles;
    gvm_error err;
    if (tiles_parse(&tiles, text, strlen(text), "list", &err) != GVM_OK) fail_msg("%s: %s", text, err.text);
    assert_int_equal(tiles.count, count);
    for (size_t i = 0; i < count; i++) {
        char image[32];
        snprintf(image, sizeof image, "%zu.png", i);
        assert_string_equal(tiles.items[i].image, image);
        assert_true(tiles.items[i].lat == 51.25 && tiles.items[i].lon == -0.5 - (double)i);
        assert_true(tiles.items[i].metres == (i == 1 ? 72.5 : 0));
    }
    tiles_free(&tiles);
}

static void test_good_lists(void **state)
{
    (void)state;
    expect_list("image,lat,lon\n0.png,51.25,-0.5\n", 1);
    expect_list("image,lat,lon\n0.png,51.25,-0.5", 1);
    expect_list("\xef\xbb\xbfimage,lat,lon\r\n0.png,51.25,-0.5\r\n\r\n", 1);
    expect_list("lon,metres,image,lat\n-.5,,0.png,51.25\n-15e-1,72.5,1.png,+51.25\n", 2);
    expect_list(
        "\n \"image\" , lat,\tlon ,metres\n\n  0.png ,51.25 , -0.5,\n\"1.png\",\"51.25\",\"-1.5\",\"72.5\"\n  \n", 2);
    expect_list("id,image,lat,when,lon,metres\n7,0.png,51.25,2020-01-01T00:00:00Z,-0.5,\n8,1.png,51.25,,-1.5,72.5\n",
                2);
    expect_list(",a,b,c,d,e,f,g,h,i,j,k,m,n,o,p,q,r,s,image,lat,lon\n,,,,,,,,,,,,,,,,,,,0.png,51.25,-0.5\n", 1);
    expect_list("SourceFile,GPSLatitude,GPSLongitude\n0.png,51.25,-0.5\n", 1);
    expect_list("image,lat [deg],lon (deg)\n0.png,51.25,-0.5\n", 1);

    struct tiles tiles;
    gvm_error err;
    const char odd[] = "image,lat,lon\n\"a \"\"b\"\", c.png\",90,180\n\xc3\xa4 b.png,-90,-180\n";
    assert_int_equal(tiles_parse(&tiles, odd, sizeof odd - 1, "list", &err), GVM_OK);
    assert_string_equal(tiles.items[0].image, "a \"b\", c.png");
    assert_string_equal(tiles.items[1].image, "\xc3\xa4 b.png");
    tiles_free(&tiles);
}

static void test_bad_lists(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"", "list: the list is empty"},
        {"\n \r\n", "list: the list is empty"},
        {"image,lat,lon\n", "list: the list has no tiles, only a header"},
        {"image,lat\na,1\n", "list, line 1: the header lacks the column \"lon\""},
        {"\nimage,lat,depth\na,1,2\n", "list, line 2: unknown column \"depth\" in the header; expected"},
        {"image,lat,lat\na,1,2\n", "list, line 1: the header has the column \"lat\" twice"},
        {"a.png,1,2\n", "list, line 1: unknown column \"a.png\" in the header; expected"},
        {"image|lat|lon\n", "line 1: unknown column \"image|lat|lon\" in the header; expected"},
        {"image,lat,lon,metre\na,1,2,70\n",
         "line 1: unknown column \"metre\" in the header; expected"}, /* not another column */
        {"image,lat,lon,mtres\na,1,2,70\n", "line 1: unknown column \"mtres\" in the header; expected"},
        {"image,latt,lon,id\na,1,2,70\n", "line 1: unknown column \"latt\" in the header; expected"},
        {"image,lat,lon\na,1\n", "line 2: got 2 fields, expected 3 as in the header"},
        {"image,lat,lon\na\n", "line 2: got 1 field, expected"},
        {"image,lat,lon\na,1,2,3\n", "line 2: got 4 fields, expected 3 as in the header"},
        {"image,lat,lon\n\na,1,2\n,1,2\n", "line 4: the image's name is empty"},
        {"image,lat,lon\na,x,2\n", "line 2: lat \"x\" is not a number"},
        {"image,lat,lon\na,,2\n", "line 2: lat \"\" is not a number"},
        {"image,lat,lon\na,1,0x10\n", "line 2: lon \"0x10\" is not a number"},
        {"image,lat,lon\na,nan,2\n", "line 2: lat \"nan\" is not a number"},
        {"image,lat,lon\na,1e999,2\n", "line 2: lat \"1e999\" is not a number"},
        {"image,lat,lon\na,1 2,2\n", "line 2: lat \"1 2\" is not a number"},
        {"image,lat,lon\na,90.1,2\n", "line 2: lat 90.1 is out of range; expected -90 to 90"},
        {"image,lat,lon\na,1,-181\n", "line 2: lon -181 is out of range; expected -180 to 180"},
        {"image,lat,lon,metres\na,1,2,0\n", "line 2: metres 0 is out of range; expected 0.001 to 100000"},
        {"image,lat,lon,metres\na,1,2,-3\n", "line 2: metres -3 is out of range"},
        {"image,lat,lon\n\"a,1,2\n", "line 2: a quoted field is not closed"},
        {"image,lat,lon\n\"a\"b,1,2\n", "line 2: unexpected text after a closing quote"},
        {"image,lat,lon\na\x01,1,2\n", "line 2: unexpected control character (code 1)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tiles tiles = {.count = 7};
        gvm_error err;
        gvm_status status = tiles_parse(&tiles, cases[i].text, strlen(cases[i].text), "list", &err);
        if (status != GVM_FORMAT || strstr(err.text, cases[i].words) == NULL)
            fail_msg("%s: status %d, %s (wanted: %s)", cases[i].text, status, err.text, cases[i].words);
        assert_int_equal(tiles.count, 0);
        assert_null(tiles.items);
    }
    struct tiles tiles;
    gvm_error err;
    assert_int_equal(tiles_parse(&tiles, "image,\0lat,lon", 14, "list", &err), GVM_FORMAT);
    assert_non_null(strstr(err.text, "control character (code 0)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_lists),
        cmocka_unit_test(test_bad_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
