/* test_answers.c - merging overlapping tiles to answers; headings, margins and ties */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "geo/earth.h"
#include "locate/answers.h"

static const double DEGREE = 111195; /* metres per degree on the mean sphere */

/* A tile `north` and `east` metres from (10, 179.9999), across the antimeridian. */
static gvm_hit tile(double north, double east, double score, double heading)
{
    double lon = 179.9999 + east / (DEGREE * cos(10 * M_PI / 180));
    return (gvm_hit){.lat = 10 + north / DEGREE,
                     .lon = remainder(lon, 360),
                     .half_tile_m = 32,
                     .score = score,
                     .heading = heading,
                     .tile = "a"};
}

static double apart(const gvm_hit *a, const gvm_hit *b)
{
    return metres_between(a->lat, a->lon, b->lat, b->lon);
}

static void test_merge(void **state)
{
    (void)state;
    gvm_hit raw[] = {tile(0, 500, 0.4, 0), tile(0, 32, 0.6, 0), tile(0, 0, 0.6, 0), tile(300, 0, 0.5, 0)}, out[4];
    gvm_hit middle = tile(0, 16, 0, 0), first = tile(300, 0, 0, 0);
    double margin;
    assert_int_equal(answers_make(out, 4, &margin, raw, 4, 0, true), 3);
    assert_true(apart(&out[0], &middle) < 0.1); /* equal scores: the mean */
    assert_true(out[0].score == 0.6 && fabs(margin - 0.1) < 1e-12);
    assert_true(apart(&out[1], &first) < 0.01 && out[2].score == 0.4);
    assert_true(fabs(out[0].lon) <= 180);
    assert_int_equal(answers_make(out, 2, &margin, raw, 4, 0, true), 2);
    assert_int_equal(answers_make(out, 4, &margin, raw, 4, 0, false), 4);
    assert_true(out[1].score == 0.6 && out[2].score == 0.5 && fabs(margin - 0.1) < 1e-12);
}

/* Adjacent cells do not overlap; those within reach are merged all the same. */
static void test_cells(void **state)
{
    (void)state;
    gvm_hit raw[] = {tile(0, 0, 0.6, NAN), tile(31, 0, 0.6, NAN), tile(31, 31, 0.5, NAN), tile(46, 0, 0.55, NAN)},
            out[4];
    double margin;
    for (int i = 0; i < 4; i++) raw[i].half_tile_m = 15;
    assert_int_equal(answers_make(out, 4, &margin, raw, 4, 0, true), 3);
    assert_true(fabs(margin) < 1e-12);
    assert_int_equal(answers_make(out, 4, &margin, raw, 4, 45, true), 2);
    assert_true(isnan(out[0].heading) && fabs(margin - 0.05) < 1e-12 && out[1].score == 0.55);
}

/* A tile with a higher score attracts an answer. */
static void test_weights(void **state)
{
    (void)state;
    gvm_hit raw[] = {tile(0, 32, 0.5, 0), tile(0, 0, 0.6, 0)}, out[2], better = tile(0, 0, 0, 0);
    double margin;
    assert_int_equal(answers_make(out, 2, &margin, raw, 2, 0, true), 1);
    double off = apart(&out[0], &better);
    assert_true(off > 0.5 && off < 16 && isnan(margin));
}

/* A tile appears once, with the heading of its best score; the order of the hits does not matter. */
static void test_headings(void **state)
{
    (void)state;
    gvm_hit raw[] = {tile(0, 0, 0.3, 0), tile(0, 0, 0.5, 90), tile(0, 0, 0.4, 180), tile(900, 0, 0.45, 45)}, out[4],
            back[4], again[4];
    double margin;
    for (int i = 0; i < 4; i++) back[i] = raw[3 - i];
    assert_int_equal(answers_make(out, 4, &margin, raw, 4, 0, false), 2);
    assert_true(out[0].heading == 90 && out[1].heading == 45 && fabs(margin - 0.05) < 1e-12);
    assert_int_equal(answers_make(again, 4, &margin, back, 4, 0, false), 2);
    assert_memory_equal(out, again, 2 * sizeof *out);
    gvm_hit round[] = {tile(0, 0, 0.5, 0), tile(0, 0, 0.5, 337.5), tile(0, 0, 0.1, 22.5), tile(0, 0, 0.5, 180)};
    assert_int_equal(answers_make(out, 4, &margin, round, 4, 0, true), 1);
    assert_true(fabs(out[0].heading - 348.75) < 0.1); /* between equal neighbours, also across north */
    assert_int_equal(answers_make(out, 4, &margin, raw, 0, 0, true), 0);
    assert_true(isnan(margin));
    assert_true(raw_hits_for(1) > 8 && raw_hits_for(1000) > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_cells),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_headings),
    };
    return cmocka_run_group_tests_name("answers", tests, NULL, NULL);
}
