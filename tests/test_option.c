/* test_option.c - rows of options: which values they accept and refuse, their error messages, and their JSON */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/option.h"

struct all {
    bool flag, yes;
    int choice, number;
    long large;
    float real;
    double wide, pair[2];
    const char *text, *word;
    char *copy;
    int other;
};

static bool read_even(void *fields, const char *text)
{
    int n = atoi(text);
    ((struct all *)fields)->other = n;
    return n % 2 == 0;
}

static const char *colour(int i)
{
    return i == 0 ? "red" : i == 1 ? "blue" : NULL;
}

#define AT(field) offsetof(struct all, field)

static const struct option_row rows[] = {
    {.type = OPTION_TITLE, .help = "All:"},
    {"flag", OPTION_FLAG, AT(flag), .help = ""},
    {"yes", OPTION_YES, AT(yes), .standard = "yes", .help = ""},
    {"choice", OPTION_CHOICE, AT(choice), "one|two|three", .help = ""},
    {"number", OPTION_INT, AT(number), "N", 1, 100, "12", .help = ""},
    {"large", OPTION_LONG, AT(large), "N", 0, INFINITY, "3", .unit = 1 << 20, .help = ""},
    {"real", OPTION_FLOAT, AT(real), "X", 0.1, 0.9, "0.1", .help = ""},
    {"wide", OPTION_DOUBLE, AT(wide), "M", 1, 1e6, "0", .takes = "metres", .or_zero = true, .help = ""},
    {"pair", OPTION_PAIR, AT(pair), "A,B", -90, 90, .takes = "two rising degrees", .help = ""},
    {"text", OPTION_TEXT, AT(text), "T", .help = ""},
    {"word", OPTION_TEXT, AT(word), "NAME", .words = colour, .standard = "red", .help = ""},
    {"copy", OPTION_COPY, AT(copy), "T", .help = ""},
    {"other", OPTION_OTHER, 0, "E", .read = read_even, .takes = "an even number", .help = ""},
    {0},
};

static void expect(const char *name, const char *text, gvm_status status)
{
    struct all all = {0};
    options_default(rows, &all);
    assert_int_equal(option_read(option_find(rows, name), &all, text), status);
    options_free(rows, &all);
}

static void test_default(void **state)
{
    (void)state;
    struct all all = {.text = "kept"};
    options_default(rows, &all);
    assert_true(all.yes && !all.flag && all.choice == -1 && all.number == 12 && all.large == 3 << 20);
    assert_true(all.real == 0.1f && all.wide == 0);
    assert_string_equal(all.text, "kept");
    assert_string_equal(all.word, "red");
    assert_null(option_find(rows, "none"));
}

static void test_read(void **state)
{
    (void)state;
    static const struct {
        const char *name, *fine[4], *wrong[6];
    } cases[] = {
        {"yes", {"yes", "no"}, {"", "maybe", "yes|no"}},
        {"choice", {"one", "three"}, {"", "four", "one|two"}},
        {"number", {"1", "100"}, {"0", "101", "", "2x", "1.5", "4294967297"}},
        {"large", {"0", "8796093022207"}, {"-1", "8796093022208", "99999999999999999999"}},
        {"real", {"0.1", "0.9", ".5"}, {"0", "0.91", "nan", "inf", ""}},
        {"wide", {"0", "1", "1e6"}, {"0.5", "-0.1", "1e-300", "1000001", "nan"}},
        {"pair", {"-45,45", "-90,90"}, {"45,-45", "1,1", "-91,0", "0,91", "1", "1,2,3"}},
        {"text", {"", "any"}, {NULL}},
        {"word", {"red", "blue"}, {"", "green"}},
        {"copy", {"", "any"}, {NULL}},
        {"other", {"2"}, {"3"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int k = 0; k < 4 && cases[i].fine[k]; k++) expect(cases[i].name, cases[i].fine[k], GVM_OK);
        for (int k = 0; k < 6 && cases[i].wrong[k]; k++) expect(cases[i].name, cases[i].wrong[k], GVM_ARGUMENT);
    }
}

static void test_takes(void **state)
{
    (void)state;
    static const char *const want[][2] = {
        {"yes", "yes or no"},
        {"choice", "one, two or three"},
        {"number", "a whole number from 1 to 100"},
        {"large", "a whole number of at least 0"},
        {"real", "a number from 0.1 to 0.9"},
        {"wide", "0 or metres from 1 to 1000000"},
        {"pair", "two rising degrees"},
        {"word", "red or blue"},
        {"other", "an even number"},
    };
    char text[160];
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        option_takes(text, sizeof text, option_find(rows, want[i][0]));
        assert_string_equal(text, want[i][1]);
    }
}

/* Also the ends of a range: 0.1 as a float is above 0.1. */
static void test_json(void **state)
{
    (void)state;
    static const struct option_row saved[] = {
        {"flag", OPTION_FLAG, AT(flag), .help = ""},
        {"choice", OPTION_CHOICE, AT(choice), "one|two", .help = ""},
        {"number", OPTION_INT, AT(number), "N", 1, 100, .help = ""},
        {"large", OPTION_LONG, AT(large), "N", -INFINITY, INFINITY, .help = ""},
        {"real", OPTION_FLOAT, AT(real), "X", 0, 0.1, .help = ""},
        {"pair", OPTION_PAIR, AT(pair), "A,B", -90, 90, .help = ""},
        {"copy", OPTION_COPY, AT(copy), "T", .help = ""},
        {0},
    };
    struct all from = {true, false, 1, 100, INT64_MIN, 0.1f, 0, {-1.5, 2}, NULL, NULL, (char[]){"text"}, 0}, to = {0};
    json_t *object = json_object();
    assert_true(options_to_json(object, saved, &from));
    for (int i = 0; saved[i].type != OPTION_END; i++)
        assert_int_equal(option_from_json(&saved[i], &to, json_object_get(object, saved[i].name)), GVM_OK);
    assert_true(to.flag && to.choice == 1 && to.number == 100 && to.large == INT64_MIN && to.real == 0.1f);
    assert_true(to.pair[0] == -1.5 && to.pair[1] == 2);
    assert_string_equal(to.copy, "text");
    for (int i = 0; saved[i].type != OPTION_END; i++) { /* a value of another kind */
        json_t *wrong = saved[i].type == OPTION_FLAG ? json_integer(1) : json_true();
        assert_int_equal(option_from_json(&saved[i], &to, wrong), GVM_ARGUMENT);
        json_decref(wrong);
    }
    assert_string_equal(to.copy, "text");
    options_free(saved, &to);
    json_decref(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_takes),
        cmocka_unit_test(test_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
