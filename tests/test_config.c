/* test_config.c - configurations: presets, their JSON, and the errors that invalid ones give */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_support.h"
#include "network/network.h"

static const char paper[] =
    "{\"model\":\"geoviewmatch\",\"dim\":96,\"depths\":[2,2,6,2],\"heads\":[3,6,12,24],\"window\":8,"
    "\"street\":[128,640],\"aerial\":[256,256],\"stages\":[3,4],\"masks\":8,\"head\":96}";

static void assert_config_equal(const struct config *a, const struct config *b)
{
    char *one = config_json(a), *two = config_json(b);
    assert_string_equal(one, two);
    free(one);
    free(two);
}

static struct config preset(const char *name)
{
    struct config config;
    gvm_error err;
    if (config_preset(&config, name, &err) != GVM_OK) fail_msg("%s", err.text);
    return config;
}

static void test_presets(void **state)
{
    (void)state;
    gvm_error err = {""};
    struct config c;
    struct config want = preset("paper");
    assert_int_equal(config_parse(&c, paper, strlen(paper), "paper", &err), GVM_OK);
    assert_config_equal(&c, &want);
    assert_true(config_parameters(&want) == 57486548); /* the paper's 57.47 M */
    assert_int_equal(config_preset(&c, "papr", &err), GVM_ARGUMENT);
    assert_says(&err, "unknown preset");
}

static void test_json(void **state)
{
    (void)state;
    struct config c = preset("nano"), back;
    gvm_error err = {""};
    assert_int_equal(config_set_stages(&c, "stages", "4,3,1", &err), GVM_OK);
    assert_int_equal(config_set_stages(&c, "stages", "4,5", &err), GVM_ARGUMENT);
    c.views[GVM_AERIAL].bgr = true;
    c.views[GVM_AERIAL].mean[1] = 0.1f;
    c.ground_m = 71.3;
    c.elevation[0] = -32.5;
    c.views[GVM_STREET].visible = c.views[GVM_STREET].wrap = c.views[GVM_STREET].row_shift = true;
    c.tolerance = 9.5;
    char *json = config_json(&c);
    assert_non_null(json);
    assert_int_equal(config_parse(&back, json, strlen(json), "file", &err), GVM_OK);
    assert_config_equal(&back, &c);
    free(json);
}

static const struct {
    const char *piece, *by;
} good[] = {
    {"[3,4]", "[4]"},
    {"[3,4]", "[2,3,4]"},
    {"[3,4]", "[1,2,4]"},
    {"\"head\":96", "\"head\":96,\"other\":{\"a\":[]}"},
    {"\"head\":96", "\"head\":96,\"ground_m\":144,\"elevation\":[-45,45.5]"},
    {"\"head\":96", "\"head\":96,\"street_input\":{\"projection\":\"nadir\"}"},
    {"\"head\":96", "\"head\":96,\"visible\":true,\"wrap\":false,\"heading_tolerance\":180"},
    {"[256,256]", "[64,192]"},
    {"[256,256]", "[512,512]"},
    {"\"window\":8", "\"window\":4"},
    {"[2,2,6,2]", "[1,1,1,1]"},
};

static void test_good(void **state)
{
    (void)state;
    struct config c;
    gvm_error err = {""};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (parse_with(&c, paper, good[i].piece, good[i].by, &err) != GVM_OK) fail_msg("%s: %s", good[i].by, err.text);
    assert_int_equal(parse_with(&c, paper, "[3,4]", "[1,4]", &err), GVM_OK);
    char *json = config_json(&c);
    assert_non_null(strstr(json, "\"stages\":[1,4]"));
    free(json);
    assert_true(c.ground_m == 64 && c.elevation[0] == -45 && c.elevation[1] == 45);
}

static const struct refused bad[] = {
    {"{", "", "invalid JSON in the configuration at byte"},
    {"}", "", "invalid JSON in the configuration at byte"},
    {"\"dim\":96", "\"dim\":96,\"dim\":96", "duplicate"},
    {"geoviewmatch", "other", "unsupported \"model\""},
    {"\"model\":\"geoviewmatch\"", "\"model\":1", "unsupported \"model\""},
    {"\"dim\":96,", "", "lacks \"dim\""},
    {"\"depths\":[2,2,6,2],", "", "lacks \"depths\""},
    {"\"stages\":[3,4],", "", "lacks \"stages\""},
    {"\"dim\":96", "\"dim\":\"96\"", "\"dim\" is not an integer"},
    {"\"dim\":96", "\"dim\":96.0", "\"dim\" is not an integer"},
    {"\"dim\":96", "\"dim\":4294967392", "\"dim\" is not an integer"},
    {"\"dim\":96", "\"dim\":0", "\"dim\" is 0, expected 1 to 1024"},
    {"\"dim\":96", "\"dim\":-96", "\"dim\" is -96"},
    {"\"dim\":96", "\"dim\":1000000", "\"dim\" is 1000000"},
    {"[2,2,6,2]", "[2,2,6]", "\"depths\" is not a list of 4"},
    {"[2,2,6,2]", "2", "\"depths\" is not a list of 4"},
    {"[2,2,6,2]", "[2,2,6,true]", "\"depths\" is not an integer"},
    {"[2,2,6,2]", "[2,0,6,2]", "\"depths\" is 0"},
    {"[2,2,6,2]", "[2,2,1000,2]", "\"depths\" is 1000"},
    {"[3,6,12,24]", "[3,5,12,24]", "stage 2 has 192 channels, not divisible by 5 heads"},
    {"[3,6,12,24]", "[0,6,12,24]", "stage 1 has 96 channels"},
    {"[3,6,12,24]", "[3,6,12,-24]", "stage 4 has 768 channels"},
    {"[3,6,12,24]", "[3,6,12,2]", "stage 4 has 384 channels a head"},
    {"\"window\":8", "\"window\":0", "\"window\" is 0"},
    {"\"window\":8", "\"window\":33", "\"window\" is 33"},
    {"\"window\":8", "\"window\":7", "stage 1 of the street view is 32 x 160, not divisible by its window of 7"},
    {"[128,640]", "[128,608]", "stage 2 of the street view is 16 x 76, not divisible by its window of 8"},
    {"[128,640]", "[130,640]", "the street view is 130 x 640 pixels"},
    {"[128,640]", "[128]", "\"street\" is not a list of 2"},
    {"[256,256]", "[0,256]", "\"aerial\" is 0"},
    {"[256,256]", "[256,16]", "\"aerial\" is 16, expected 32 to 4096"},
    {"[256,256]", "[256,100000]", "\"aerial\" is 100000"},
    {"[256,256]", "[36,36]", "stage 1 of the aerial view is 9 x 9, not divisible by its window of 8"},
    {"[256,256]", "[32,32]", "stage 4 of the aerial view has a single position"},
    {"[3,4]", "[]", "\"stages\" is not a list"},
    {"[3,4]", "3", "\"stages\" is not a list"},
    {"[3,4]", "[3,3]", "names stage 3 after stage 3"},
    {"[3,4]", "[4,3]", "names stage 3 after stage 4"},
    {"[3,4]", "[3]", "lacks stage 4"},
    {"[3,4]", "[0]", "names stage 0"},
    {"[3,4]", "[5]", "names stage 5"},
    {"[3,4]", "[\"3\"]", "\"stages\" is not an integer"},
    {"\"masks\":8", "\"masks\":0", "\"masks\" is 0"},
    {"\"masks\":8", "\"masks\":1000000", "\"masks\" is 1000000"},
    {"\"head\":96", "\"head\":0", "\"head\" is 0"},
    {"\"head\":96", "\"head\":2147483647", "\"head\" is 2147483647"},
    {"\"head\":96", "\"head\":96,\"ground_m\":\"64\"", "\"ground_m\" is not a number"},
    {"\"head\":96", "\"head\":96,\"ground_m\":0", "\"ground_m\" is 0"},
    {"\"head\":96", "\"head\":96,\"ground_m\":-3", "\"ground_m\" is -3"},
    {"\"head\":96", "\"head\":96,\"ground_m\":1e300", "\"ground_m\" is 1e+300"},
    {"\"head\":96", "\"head\":96,\"elevation\":[0]", "\"elevation\" is not a list of 2"},
    {"\"head\":96", "\"head\":96,\"elevation\":[45,-45]", "\"elevation\" is 45 to -45"},
    {"\"head\":96", "\"head\":96,\"elevation\":[-91,45]", "\"elevation\" is -91 to 45"},
    {"\"head\":96", "\"head\":96,\"street_input\":3", "\"street_input\" is not an object"},
    {"\"head\":96", "\"head\":96,\"street_input\":{\"order\":\"rbg\"}",
     "\"street_input\" has an unsupported \"projection\""},
    {"\"head\":96", "\"head\":96,\"aerial_input\":{\"projection\":\"polar\"}",
     "\"aerial_input\" has an unsupported \"projection\""},
    {"\"head\":96", "\"head\":96,\"aerial_input\":{\"mean\":[1,2]}",
     "\"aerial_input\" has an unsupported \"projection\""},
    {"\"head\":96", "\"head\":96,\"aerial_input\":{\"deviation\":[0,1,1]}", "mean or deviation out of range"},
    {"\"head\":96", "\"head\":96,\"cell_m\":\"5\"", "\"cell_m\" is not a number"},
    {"\"head\":96", "\"head\":96,\"cell_m\":5", "\"cell_m\" is 5, expected 1 to 100000 metres"},
    {"\"head\":96", "\"head\":96,\"aerial_input\":{\"bearing\":360}", "\"bearing\" is 360"},
    {"\"head\":96", "\"head\":96,\"aerial_input\":{\"bearing\":true}",
     "\"aerial_input\" has an unsupported \"projection\""},
    {"\"head\":96", "\"head\":96,\"aerial_input\":{\"resize\":\"skimage\"}",
     "\"aerial_input\" has the \"resize\" \"skimage\""},
    {"\"head\":96", "\"head\":96,\"aerial_input\":{\"projection\":\"panorama\"}",
     "\"aerial_input\" has a projection that"},
    {"\"head\":96", "\"head\":96,\"street_input\":{\"zooms\":[1]}", "\"street_input\" has a projection that"},
    {"\"head\":96", "\"head\":96,\"aerial_input\":{\"zooms\":[]}",
     "\"aerial_input\" has an unsupported \"projection\""},
    {"\"head\":96", "\"head\":96,\"aerial_input\":{\"zooms\":[2,1]}", "\"zooms\" are not rising"},
    {"\"head\":96", "\"head\":96,\"aerial_input\":{\"zooms\":[1e-9]}", "\"zooms\" are not rising"},
    {"\"head\":96", "\"head\":96,\"aerial_input\":{\"zooms\":[1,2]}", "does not support \"zooms\""},
    {"\"head\":96", "\"head\":96,\"visible\":1", "\"row_shift\" is neither true nor false"},
    {"\"head\":96", "\"head\":96,\"wrap\":\"yes\"", "\"row_shift\" is neither true nor false"},
    {"\"head\":96", "\"head\":96,\"row_shift\":true", "\"row_shift\" requires \"wrap\""},
    {"\"head\":96", "\"head\":96,\"heading_tolerance\":0", "\"heading_tolerance\" is not a number from 1 to 180"},
    {"\"head\":96", "\"head\":96,\"heading_tolerance\":true", "\"heading_tolerance\" is not a number from 1 to 180"},
    {"\"head\":96", "\"head\":96,\"wrap\":true,\"street_input\":{\"projection\":\"nadir\"}", "need street views"},
    {"\"dim\":96", "\"dim\":768", "the configuration has 3"},
    {"[256,256]", "[2048,2048]", "the configuration has "},
    {"\"window\":8,\"street\":[128,640],\"aerial\":[256,256]",
     "\"window\":32,\"street\":[1024,1024],\"aerial\":[1024,1024]", "position biases"},
    {"[256,256]", "[4096,4096]", "stage 1 of the aerial view needs 402653184 values"},
};

static void test_bad(void **state)
{
    (void)state;
    check_refused(paper, bad, sizeof bad / sizeof bad[0]);
}

/* Text that is not an object, too long, or too deep. */
static void test_not_json(void **state)
{
    (void)state;
    enum { LARGE = 70000 };
    const char *texts[] = {"", "null", "3", "[]", "[{}]", "{}", "\xff", "{\"model\":\"geo"};
    struct config c;
    gvm_error err;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(config_parse(&c, texts[i], strlen(texts[i]), "f", &err), GVM_FORMAT);
    char *large = malloc(LARGE);
    assert_non_null(large);
    memset(large, '[', LARGE);
    assert_int_equal(config_parse(&c, large, LARGE, "f", &err), GVM_FORMAT);
    assert_says(&err, "f: the configuration has 70000 bytes");
    assert_int_equal(config_parse(&c, large, 60000, "f", &err), GVM_FORMAT);
    assert_says(&err, "invalid JSON");
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_presets), cmocka_unit_test(test_json),     cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),     cmocka_unit_test(test_not_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
