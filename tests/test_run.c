/* test_run.c - a training run's state: round trip of each option, previous versions, what is refused, the order of an
 * epoch */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/safetensors.h"
#include "folder_support.h"
#include "network/checkpoint.h"
#include "network/methods/geoviewmatch.h"
#include "network/registry.h"
#include "train/run_json.h"

static struct run_options standard(void)
{
    struct run_options o = {0};
    options_default(run_option_rows, &o);
    o.data = strdup("/data");
    return o;
}

/* Each method's recommended values are accepted. */
static void test_recipes(void **state)
{
    (void)state;
    for (int i = 0; method_at(i); i++)
        for (const struct setting *s = method_at(i)->recipe; s->name; s++) {
            struct run_options o = standard();
            const struct option_row *row = option_find(run_option_rows, s->name);
            if (row == NULL || option_read(row, &o, s->value) != GVM_OK)
                fail_msg("%s: --%s %s", method_at(i)->name, s->name, s->value);
            run_options_free(&o);
        }
}

static void expect_refused(const char *json, const char *sentence)
{
    struct run_options o;
    struct run_position p;
    gvm_error err = {""};
    assert_int_equal(run_json_read(&o, &p, json, "state", &err), GVM_FORMAT);
    if (strstr(err.text, sentence) == NULL) fail_msg("%s: not %s", err.text, sentence);
    run_options_free(&o);
}

static void test_defaults_are_the_papers(void **state)
{
    (void)state;
    struct run_options o = standard();
    assert_memory_equal(&o.rates, &rates_paper, sizeof rates_paper);
    assert_true(o.losses.contrast == loss_options_paper.contrast && o.losses.strong == loss_options_paper.strong &&
                o.losses.weak == loss_options_paper.weak && o.losses.alpha == loss_options_paper.alpha);
    const struct augmentation *a = &o.amounts, *paper = &augmentation_paper;
    assert_true(a->turn == paper->turn && a->jitter == paper->jitter && a->grey == paper->grey &&
                a->blur == paper->blur && a->sigma[0] == paper->sigma[0] && a->sigma[1] == paper->sigma[1] &&
                a->mirror == paper->mirror && a->street == paper->street);
    assert_true(o.rho == 2.5f && o.drop_path == 0.2f && o.epochs == 200 && o.batch == 32);
    run_options_free(&o);
}

/* A value other than the default for a row, as it would be typed. */
static const char *other_value(const struct option_row *row)
{
    static char text[64];
    if (row->type == OPTION_YES) return strcmp(row->standard, "yes") == 0 ? "no" : "yes";
    if (row->type == OPTION_CHOICE) return strrchr(row->argument, '|') + 1;
    if (row->type == OPTION_PAIR) return "-30,60.5";
    if (row->type == OPTION_COPY) return "/m\u00fcnster \"x\"";
    if (row->type == OPTION_LONG) return "9007199254740993"; /* 2^53 + 1 */
    bool whole = row->type == OPTION_INT;
    snprintf(text, sizeof text, "%.17g", whole ? row->low + 1 : row->low + (row->high - row->low) / 4);
    return text;
}

static void test_each_option(void **state)
{
    (void)state;
    const struct run_position position = {.step = 5, .epoch = 2, .batch = 1, .evaluate = true, .best = 12.5};
    struct run_options plain = standard();
    char *same = run_json(&plain, &position);
    for (const struct option_row *row = run_option_rows; row->type != OPTION_END; row++) {
        if (row->type == OPTION_TITLE) continue;
        struct run_options o = standard(), back;
        struct run_position p = {0};
        gvm_error err = {""};
        assert_int_equal(option_read(row, &o, other_value(row)), GVM_OK);
        char *text = run_json(&o, &position);
        assert_string_not_equal(text, same);
        if (run_json_read(&back, &p, text, "state", &err) != GVM_OK) fail_msg("%s: %s", row->name, err.text);
        assert_true(p.step == 5 && p.epoch == 2 && p.batch == 1 && p.evaluate && p.best == 12.5);
        char *again = run_json(&back, &p);
        assert_string_equal(again, text);
        free(again);
        free(text);
        run_options_free(&back);
        run_options_free(&o);
    }
    free(same);
    run_options_free(&plain);
}

/* With a missing key, an extra key, a newer version, a value out of range. */
static void test_refused(void **state)
{
    (void)state;
    struct run_options o = standard();
    struct run_position position = {.best = -1};
    char *text = run_json(&o, &position), sentence[200];
    json_t *root = json_loads(text, 0, NULL), *value;
    const char *key;
    json_object_foreach(root, key, value)
    {
        json_t *less = json_copy(root);
        json_object_del(less, key);
        char *lacking = json_dumps(less, 0);
        snprintf(sentence, sizeof sentence, "version 3, lacks the key '%s'; this program reads versions 1 to 3", key);
        expect_refused(lacking,
                       strcmp(key, "version") == 0 ? "(no key 'ground_m')" : sentence); /* then it is version 1 */
        free(lacking);
        json_decref(less);
    }
    static const struct {
        const char *json, *sentence;
    } changes[] = {
        {"{\"version\":4}", "unsupported version 4 of the saved run; this program reads versions 1 to 3"},
        {"{\"version\":\"2\"}", "unsupported version 0 of the saved run"},
        {"{\"momentum\":0.9}", "version 3, has the unknown key 'momentum'; this program reads versions 1 to 3"},
        {"{\"jitter\":1.01}", "the saved run's 'jitter' is invalid; expected a number from 0 to 1"},
        {"{\"jitter\":\"0.3\"}", "the saved run's 'jitter' is invalid; expected a number from 0 to 1"},
        {"{\"batch\":1}", "the saved run's 'batch' is invalid; expected a whole number from 2 to 4096"},
        {"{\"cluster\":0.1}", "the saved run's 'cluster' is invalid; expected 0 or metres from 1 to 1000000"},
        {"{\"on-bad\":\"weep\"}", "the saved run's 'on-bad' is invalid; expected stop or skip"},
        {"{\"next-batch\":-1}", "the saved run's 'next-batch' is invalid; expected a whole number of at least 0"},
        {"{\"best\":101}", "the saved run's 'best' is invalid; expected a number from -1 to 100"},
        {"{\"data\":7}", "the saved run's 'data' is invalid; expected a string"},
        {"{\"data\":null}", "the run has no data set"},
        {"{\"sigma-low\":6.0}", "the run's blur range, 6 to 5 pixels"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        json_t *changed = json_copy(root), *change = json_loads(changes[i].json, 0, NULL);
        json_object_update(changed, change);
        char *wrong = json_dumps(changed, 0);
        expect_refused(wrong, changes[i].sentence);
        free(wrong);
        json_decref(change);
        json_decref(changed);
    }
    expect_refused("nothing", "its metadata 'run' is not a JSON object");
    expect_refused("[]", "its metadata 'run' is not a JSON object");
    json_decref(root);
    free(text);
    run_options_free(&o);
}

/* As written by GeoViewMatch 0.1: train --hard 2 --jitter 0.25 --mirror 0.5 --street-jitter 0.125 --rate 3e-4
 * --elevation=-40,40 --on-bad skip --steps 3. */
#define VERSION_1                                                                                                   \
    "{\"data\":\"/tmp/data\",\"format\":null,\"test\":null,\"cache\":null,\"has_elevation\":true,"                  \
    "\"elevation\":[-40.0,40.0],\"ground_m\":0.0,\"epochs\":4,\"batch\":2,\"eval_every\":0,\"seed\":1,"             \
    "\"shuffle\":true,\"cluster_m\":0.0,\"hard\":2,\"skip_bad\":true,\"turn\":true,\"amounts\":[0.25,"              \
    "0.20000000298023224,0.5,0.10000000149011612,5.0,0.5,0.125],\"losses\":[0.5,0.25,0.25,10.0],\"rates\":["        \
    "0.00030000001424923539,0.00019999999494757503,0.029999999329447746,0.89999997615814209,0.99900001287460327,"   \
    "9.9999999392252903e-9],\"rho\":2.5,\"drop_path\":0.20000000298023224,\"step\":3,\"epoch\":1,\"next_batch\":1," \
    "\"evaluate\":false,\"best\":-1.0"

/* Version 2 lacks thirteen keys, which get their defaults, and its hue changes by the amount of the shift. It has all
 * others. */
static void test_version_2(void **state)
{
    (void)state;
    static const char *const added[] = {
        "imagery",         "clusters",    "clip-length",      "warm-steps",      "floor",     "hue",  "around",
        "panorama-weight", "view-weight", "agreement-weight", "contrast-weight", "tolerance", "inner"};
    struct run_options o = standard(), back;
    struct run_position position = {.step = 7, .best = -1}, p = {0};
    gvm_error err = {""};
    o.amounts.shift = 0.25f;
    char *text = run_json(&o, &position);
    json_t *root = json_loads(text, 0, NULL);
    free(text);
    json_object_set_new(root, "version", json_integer(2));
    for (size_t i = 0; i < sizeof added / sizeof *added; i++) assert_int_equal(json_object_del(root, added[i]), 0);
    text = json_dumps(root, 0);
    if (run_json_read(&back, &p, text, "state", &err) != GVM_OK) fail_msg("%s", err.text);
    assert_true(p.step == 7 && back.amounts.shift == 0.25f && back.amounts.hue == 0.25f && back.clusters == 0 &&
                back.inner == 1);
    run_options_free(&back);
    free(text);
    json_object_del(root, "shift");
    text = json_dumps(root, 0);
    expect_refused(text, "version 2, lacks the key 'shift'; this program reads versions 1 to 3");
    free(text);
    json_decref(root);
    run_options_free(&o);
}

static void test_version_1(void **state)
{
    (void)state;
    static const char *const ends[] = {",\"pairs\":-1924734611826312357}", "}"}; /* the first states had no pairs */
    for (int i = 0; i < 2; i++) {
        char json[2000];
        struct run_options o, want = standard();
        struct run_position p = {0};
        gvm_error err = {""};
        snprintf(json, sizeof json, "%s%s", VERSION_1, ends[i]);
        if (run_json_read(&o, &p, json, "state", &err) != GVM_OK) fail_msg("%s", err.text);
        assert_true(p.step == 3 && p.epoch == 1 && p.batch == 1 && !p.evaluate && p.best == -1);
        free(want.data);
        want.data = strdup("/tmp/data");
        want.pairs = i == 0 ? (uint64_t)-1924734611826312357 : 0;
        want.elevation[0] = -40;
        want.elevation[1] = 40;
        want.epochs = 4;
        want.batch = 2;
        want.eval_every = 0;
        want.hard = 2;
        want.on_bad = BAD_SKIP;
        want.amounts.jitter = 0.25f;
        want.amounts.mirror = 0.5f;
        want.amounts.street = 0.125f;
        want.rates.backbone = 3e-4f;
        char *got = run_json(&o, &p), *wanted = run_json(&want, &p);
        assert_string_equal(got, wanted);
        free(got);
        free(wanted);
        run_options_free(&o);
        run_options_free(&want);
    }
    expect_refused("{\"data\":\"/tmp/data\",\"format\":null}",
                   "of a version before 1 (no key 'test'); this program reads versions 1 to 3");
    expect_refused("{\"cluster\":\"/tmp/data\"}", "(no key 'data')");
}

/* Numbers beyond 2^24, which float32 cannot represent. */
static void test_sequence(void **state)
{
    (void)state;
    static int sequence[] = {(1 << 24) + 1, INT32_MAX, 0, (1 << 24) - 1};
    struct network *network, *loaded;
    struct optimizer *optimizer, *resumed;
    struct run_options o = standard(), back;
    struct run_position p = {.step = 1, .batch = 1, .best = -1, .sequence = sequence, .sequence_count = 4}, q = {0};
    gvm_error err = {""};
    assert_int_equal(checkpoint_load(&network, "tests/golden/net_flat.safetensors", true, &err), GVM_OK);
    assert_int_equal(optimizer_open(&optimizer, network->params, network->param_count, network->weights, network->grads,
                                    network->floats, &o.rates, &err),
                     GVM_OK);
    assert_int_equal(run_save(in_folder(""), &o, &p, network, optimizer, &err), GVM_OK);
    if (run_load(in_folder(""), &back, &q, &loaded, &resumed, &err) != GVM_OK) fail_msg("%s", err.text);
    assert_int_equal(q.sequence_count, 4);
    assert_memory_equal(q.sequence, sequence, sizeof sequence);
    free(q.sequence);
    run_options_free(&o);
    run_options_free(&back);
    optimizer_free(optimizer);
    optimizer_free(resumed);
    network_free(network);
    network_free(loaded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_are_the_papers),
        cmocka_unit_test(test_recipes),
        cmocka_unit_test(test_each_option),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_version_2),
        cmocka_unit_test(test_version_1),
        cmocka_unit_test_teardown(test_sequence, empty_folder),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
