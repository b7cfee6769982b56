/* test_exif.c - EXIF as cameras, phones and programs write it: positions, headings, cameras */
#include "image/exif.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exif_support.h"

#define R(tag, type, ...)                                                                            \
    {                                                                                                \
        tag, type, sizeof((long long[]){__VA_ARGS__}) / sizeof(long long) / 2, {__VA_ARGS__}, {0}, 0 \
    }
#define T(tag, text)                            \
    {                                           \
        tag, TEXT, sizeof(text), {0}, {0}, text \
    }

/* In both byte orders, with and without the leading mark. */
static struct exif read_all(const struct said *picture, const struct said *exif, const struct said *gps)
{
    struct exif said[4] = {{.make = ""}, {.make = ""}, {.make = ""}, {.make = ""}};
    for (int i = 0; i < 4; i++) {
        uint8_t block[6 + 4096] = "Exif\0";
        size_t size = exif_block(block + 6, i & 1, picture, exif, gps);
        uint8_t *copy = malloc(6 + size); /* of the exact size, for the sanitizers */
        memcpy(copy, block, 6 + size);
        exif_read_block(&said[i], i < 2 ? copy : copy + 6, i < 2 ? 6 + size : size);
        free(copy);
        assert_int_equal(said[i].has_place, said[0].has_place);
        assert_int_equal(said[i].has_heading, said[0].has_heading);
        assert_true(said[i].lat == said[0].lat && said[i].lon == said[0].lon && said[i].heading == said[0].heading);
    }
    return said[0];
}

#define EAST T(3, "E"), R(4, RATIONAL, 12, 1, 0, 1, 0, 1)

static void places(void **state)
{
    (void)state;
    const double none = NAN;
    const struct {
        struct said gps[6];
        double lat;
    } cases[] = {
        {{T(1, "N"), R(2, RATIONAL, 51, 1, 30, 1, 18, 1), EAST}, 51.505},
        {{T(1, "S"), R(2, RATIONAL, 51, 1, 30, 1, 1800, 100), EAST}, -51.505},
        {{T(1, "N"), R(2, SRATIONAL, 51, 1, 30, 1, 18, 1), EAST}, 51.505},
        {{T(1, "S"), R(2, SRATIONAL, -51, 1, 30, 1, 18, 1), EAST}, -51.505},
        {{R(2, SRATIONAL, -51, 1, 30, 1, 18, 1), EAST}, -51.505},
        {{T(1, "N"), R(2, SRATIONAL, 0, 1, -30, 1, 0, 1), EAST}, -0.5},
        {{T(1, "N"), R(2, SRATIONAL, -51, -1, 30, 1, 18, 1), EAST}, 51.505},
        {{T(1, "N"), R(2, RATIONAL, 51505, 1000, 0, 1, 0, 1), EAST}, 51.505}, /* decimal degrees */
        {{T(1, "N"), R(2, RATIONAL, 51505, 1000), EAST}, 51.505},
        {{T(1, "N"), R(2, RATIONAL, 51, 1, 303, 10), EAST}, 51.505},
        {{T(1, "N"), R(2, RATIONAL, 51, 1, 303, 10, 0, 0), EAST}, 51.505}, /* 0/0 marks unused parts */
        {{T(1, "N"), R(2, RATIONAL, 51505, 1000, 0, 0, 0, 0), EAST}, 51.505},
        {{T(1, "N"), R(2, RATIONAL, 0, 1, 3090, 1, 18, 1), EAST}, 51.505},
        {{T(1, "N"), R(2, RATIONAL, 4294967295, 83391075, 0, 1, 0, 1), EAST}, 4294967295.0 / 83391075},
        {{T(1, "N"), {2, DOUBLE, 3, {0}, {51, 30, 18}, 0}, EAST}, 51.505},
        {{T(1, "N"), {2, FLOAT, 1, {0}, {51.5}, 0}, EAST}, 51.5},
        {{T(1, "N"), {2, LONG, 3, {51, 30, 18}, {0}, 0}, EAST}, 51.505},
        {{T(1, "n"), R(2, RATIONAL, 51, 1, 30, 1, 18, 1), EAST}, 51.505},
        {{T(1, " s "), R(2, RATIONAL, 51, 1, 30, 1, 18, 1), EAST}, -51.505},
        {{T(1, "\0S"), R(2, RATIONAL, 51, 1, 30, 1, 18, 1), EAST}, -51.505},
        {{T(1, "North"), R(2, RATIONAL, 51, 1, 30, 1, 18, 1), EAST}, 51.505},
        {{{1, TEXT, 1, {0}, {0}, "S"}, R(2, RATIONAL, 51, 1, 30, 1, 18, 1), EAST}, -51.505},
        {{T(1, "N"), R(2, RATIONAL, 51, 1, 30, 1, 18, 1), EAST, R(6, RATIONAL, 1, 0)}, 51.505}, /* altitude */
        {{T(1, "N"), R(2, RATIONAL, 90, 1, 0, 1, 0, 1), EAST}, 90},
        {{T(1, "N"), R(2, RATIONAL, 0, 1, 0, 1, 0, 1), EAST}, 0}, /* the equator */
        {{T(1, "N"), R(2, RATIONAL, 0, 1, 0, 1, 0, 1), T(3, "E"), R(4, RATIONAL, 0, 1, 0, 1, 0, 1)}, none},
        {{T(1, "N"), R(2, RATIONAL, 0, 0, 30, 1, 18, 1), EAST}, none},
        {{T(1, "N"), R(2, RATIONAL, 51, 0, 30, 1, 18, 1), EAST}, none},
        {{T(1, "N"), R(2, RATIONAL, 51, 1, 30, 1, 18, 0), EAST}, none},
        {{T(1, "N"), R(2, RATIONAL, 90, 1, 0, 1, 1, 1), EAST}, none},
        {{T(1, "S"), R(2, RATIONAL, 91, 1, 0, 1, 0, 1), EAST}, none},
        {{T(1, "N"), R(2, RATIONAL, -51, 1, 30, 1, 18, 1), EAST}, none}, /* a minus in an unsigned type */
        {{T(1, "X"), R(2, RATIONAL, 51, 1, 30, 1, 18, 1), EAST}, none},
        {{T(1, "E"), R(2, RATIONAL, 51, 1, 30, 1, 18, 1), EAST}, none},
        {{T(1, ""), R(2, RATIONAL, 51, 1, 30, 1, 18, 1), EAST}, none},
        {{R(2, RATIONAL, 51, 1, 30, 1, 18, 1), EAST}, none}, /* no hemisphere */
        {{T(1, "N"), T(2, "51.5"), EAST}, none},
        {{T(1, "N"), {2, DOUBLE, 3, {0}, {NAN, 30, 18}, 0}, EAST}, none},
        {{T(1, "N"), {2, DOUBLE, 3, {0}, {51, INFINITY, 18}, 0}, EAST}, none},
        {{T(1, "N"), R(2, RATIONAL, 51, 1, 30, 1, 18, 1)}, none}, /* no longitude */
        {{T(1, "N"), EAST}, none},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct exif said = read_all(NULL, NULL, cases[i].gps);
        if (said.has_place != !isnan(cases[i].lat)) fail_msg("case %zu: place %d", i, said.has_place);
        if (said.has_place && !(fabs(said.lat - cases[i].lat) < 1e-9 && said.lon == 12))
            fail_msg("case %zu: %.9f, %.9f", i, said.lat, said.lon);
    }
}

static void headings(void **state)
{
    (void)state;
    const struct {
        struct said gps[3];
        double heading;
    } cases[] = {
        {{R(17, RATIONAL, 9000, 100)}, 90},
        {{T(16, "T"), R(17, RATIONAL, 9000, 100)}, 90},
        {{T(16, "t"), R(17, SRATIONAL, 9000, 100)}, 90},
        {{R(17, SRATIONAL, -90, 1)}, 270},
        {{{17, SHORT, 1, {90}, {0}, 0}}, 90},
        {{{17, DOUBLE, 1, {0}, {90.5}, 0}}, 90.5},
        {{R(17, RATIONAL, 360, 1)}, 360},
        {{R(17, RATIONAL, 0, 1)}, 0},
        {{T(16, "M"), R(17, RATIONAL, 90, 1)}, 90},
        {{T(16, " m"), R(17, RATIONAL, 90, 1)}, 90},
        {{T(16, "M"), R(17, RATIONAL, 361, 1)}, NAN},
        {{R(17, RATIONAL, 361, 1)}, NAN},
        {{R(17, RATIONAL, 0, 0)}, NAN},
        {{R(17, RATIONAL, 90, 0)}, NAN},
        {{R(17, SRATIONAL, -361, 1)}, NAN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct exif said = read_all(NULL, NULL, cases[i].gps);
        if (said.has_heading != !isnan(cases[i].heading) || (said.has_heading && said.heading != cases[i].heading))
            fail_msg("case %zu: %d, %g", i, said.has_heading, said.heading);
        const char *reference = cases[i].gps[0].text;
        assert_int_equal(said.magnetic, said.has_heading && reference != NULL && strpbrk(reference, "mM") != NULL);
    }
}

/* A heading from true north is kept, in whichever order the two come. */
static void norths(void **state)
{
    (void)state;
    struct exif said = {.make = ""};
    exif_set_heading(&said, 80, 'm');
    assert_true(said.has_heading && said.heading == 80 && said.magnetic);
    exif_set_heading(&said, 85, 'M');
    assert_true(said.heading == 85 && said.magnetic);
    exif_set_heading(&said, 90, 'T');
    assert_true(said.heading == 90 && !said.magnetic);
    exif_set_heading(&said, 80, 'M');
    assert_true(said.heading == 90 && !said.magnetic);
}

static void cameras(void **state)
{
    (void)state;
    const struct said picture[] = {T(0x10f, "Maker "),
                                   T(0x110, "A model whose name is longer than there is room for"),
                                   {0x112, SHORT, 1, {6}, {0}, 0},
                                   {0}};
    const struct said exif[] = {
        R(0x920a, RATIONAL, 4200, 1000), {0xa401, SHORT, 1, {6}, {0}, 0}, {0xa405, SHORT, 1, {26}, {0}, 0}, {0}};
    struct exif said = read_all(picture, exif, NULL);
    assert_string_equal(said.make, "Maker");
    assert_string_equal(said.model, "A model whose name is longer th");
    assert_int_equal(said.orientation, 6);
    assert_true(said.has_focal && said.sweep && said.focal_35mm == 26 && !said.has_place && !said.has_heading);
    const struct said odd[] = {
        R(0x920a, RATIONAL, 0, 0), {0xa401, SHORT, 1, {1}, {0}, 0}, {0xa405, SHORT, 1, {0}, {0}, 0}, {0}};
    const struct said turned[] = {{0x112, SHORT, 1, {9}, {0}, 0}, {0}};
    said = read_all(turned, odd, NULL);
    assert_true(!said.has_focal && !said.sweep && said.focal_35mm == 0 && said.orientation == 0);
}

/* A block keeps values that it does not have, and replaces those that it has. */
static void laid_over(void **state)
{
    (void)state;
    struct exif said = {.make = ""};
    const struct said make[] = {T(0x10f, "Maker"), {0}}, first[] = {T(1, "N"), R(2, RATIONAL, 1, 1), EAST, {0}},
                      second[] = {T(1, "N"), R(2, RATIONAL, 2, 1), EAST, {0}}, heading[] = {R(17, RATIONAL, 5, 1), {0}};
    uint8_t block[4096];
    exif_read_block(&said, block, exif_block(block, false, make, NULL, first));
    exif_read_block(&said, block, exif_block(block, true, NULL, NULL, heading));
    assert_true(said.has_place && said.lat == 1 && said.has_heading && strcmp(said.make, "Maker") == 0);
    exif_read_block(&said, block, exif_block(block, true, NULL, NULL, second));
    assert_true(said.lat == 2 && said.heading == 5);
}

/* Truncated anywhere, or with any byte changed: nothing is read beyond the end. A wrong byte order mark is recognised.
 */
static void broken(void **state)
{
    (void)state;
    const struct said make[] = {T(0x10f, "Maker"), {0}},
                      gps[] = {T(1, "N"), R(2, RATIONAL, 51, 1, 30, 1, 18, 1), EAST, {0}};
    uint8_t block[4096];
    size_t size = exif_block(block, true, make, make, gps);
    for (size_t n = 0; n <= size; n++) {
        uint8_t *copy = malloc(n + (n == 0));
        struct exif said = {.make = ""};
        memcpy(copy, block, n);
        exif_read_block(&said, copy, n);
        free(copy);
        assert_true(!said.has_place || n == size);
    }
    uint8_t *copy = malloc(size);
    for (size_t i = 0; i < size; i++)
        for (int value = 0; value < 256; value += 85) {
            struct exif said = {.make = ""};
            memcpy(copy, block, size);
            copy[i] = (uint8_t)value;
            exif_read_block(&said, copy, size);
            assert_true(fabs(said.lat) <= 90 && fabs(said.lon) <= 180);
        }
    free(copy);
    struct exif said = {.make = ""};
    memcpy(block, "II", 2);
    exif_read_block(&said, block, size);
    assert_true(said.has_place);
    memcpy(block, "IM", 2);
    said = (struct exif){.make = ""};
    exif_read_block(&said, block, size);
    assert_false(said.has_place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(places),    cmocka_unit_test(headings),
                                       cmocka_unit_test(norths),    cmocka_unit_test(cameras),
                                       cmocka_unit_test(laid_over), cmocka_unit_test(broken)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
