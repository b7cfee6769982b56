/* test_import.c - files with the names that statewide, Sample4Geo and FRGeo are published under
 * (tools/make_import_files.py): each number is imported to its place, and each tensor that is missing, renamed,
 * misshapen, not finite or superfluous is refused by its name */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/safetensors.h"
#include "base/tensor_file.h"
#include "folder_support.h"
#include "network/checkpoint.h"
#include "network/config_file.h"
#include "network/family.h"
#include "network/import.h"
#include "network/registry.h"

static void assert_says(const gvm_error *err, const char *part)
{
    if (strstr(err->text, part) == NULL) fail_msg("\"%s\" does not say \"%s\"", err->text, part);
}

static const struct {
    const char *path, *as, *family, *street;
} files[] = {
    {"tests/golden/import/statewide.safetensors", NULL, "statewide", "street.backbone."},
    {"tests/golden/import/sample4geo.pth", "sample4geo-vigor", "Sample4Geo", "both.backbone."},
    {"tests/golden/import/frgeo.pth.tar", "frgeo-cvact", "FRGeo", "street.backbone."},
};

enum { FILES = sizeof files / sizeof *files };

/* ------------------------------------------------------------------ numbers */

/* As in make_import_files.py. */
static float number(const char *name, size_t i)
{
    uint32_t h = 2166136261u;
    for (const char *c = name; *c; c++) h = (h ^ (unsigned char)*c) * 16777619u;
    return (float)((h + 40503 * i) % 65536) / 65536 - 0.5f;
}

static void check_numbers(const struct param *p, const char *name)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->data[i] != number(name, i))
            fail_msg("%s[%zu]: %g, not %g", p->name, i, (double)p->data[i], (double)number(name, i));
}

static struct network *import(const char *path, const char *as)
{
    struct network *network;
    struct imported imported;
    gvm_error err;
    if (network_import(&network, &imported, path, as, &err) != GVM_OK) fail_msg("%s", err.text);
    return network;
}

static void test_numbers(void **state)
{
    (void)state;
    for (int f = 0; f < FILES; f++) {
        struct network *n;
        struct imported imported;
        gvm_error err;
        if (network_import(&n, &imported, files[f].path, files[f].as, &err) != GVM_OK) fail_msg("%s", err.text);
        assert_string_equal(imported.family, files[f].family);
        assert_int_equal(imported.tensors, n->param_count);
        assert_int_equal(imported.numbers, network_parameters(n));
        for (int i = 0; i < n->param_count; i++) check_numbers(&n->params[i], n->params[i].name);
        char *json = config_json(&n->config);
        assert_non_null(json);
        assert_non_null(strstr(json, "\"dims\":[3,4,5,6],\"depths\":[1,1,2,1]"));
        assert_int_equal(strstr(json, "\"heads\":2,\"feature\":8") != NULL, f == 0);
        free(json);
        network_free(n);
    }
}

/* Every name that --as accepts is a preset with its own picture settings. */
static void test_presets(void **state)
{
    (void)state;
    int count = 0;
    for (const char *name; (name = family_preset(count)) != NULL; count++) {
        struct config config;
        gvm_error err;
        assert_int_equal(config_preset(&config, name, &err), GVM_OK);
        for (int f = 0; f < FILES; f++) {
            if (strncmp(name, config.method->name, strlen(config.method->name)) != 0) fail_msg("%s", name);
            if (strncmp(files[f].as ? files[f].as : "statewide", config.method->name, strlen(config.method->name)) != 0)
                continue;
            struct network *n = import(files[f].path, name);
            assert_memory_equal(n->config.views, config.views, sizeof config.views);
            assert_true(n->config.ground_m == config.ground_m && n->config.cell_m == config.cell_m);
            network_free(n);
        }
    }
    assert_int_equal(count, 8);
}

static void test_which(void **state)
{
    static const struct {
        int file;
        const char *as, *says;
    } wrong[] = {{1, NULL, "give --as sample4geo-vigor, sample4geo-cvact, sample4geo-cvusa or sample4geo-university"},
                 {2, NULL, "do not show which data set it was trained on; give --as frgeo-cvusa, frgeo-cvact or"},
                 {0, "frgeo-cvusa", "it is a network of statewide, so --as takes statewide; got frgeo-cvusa"},
                 {1, "statewide", "it is a network of Sample4Geo, so --as takes"}};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct network *n;
        struct imported imported;
        gvm_error err;
        assert_int_equal(network_import(&n, &imported, files[wrong[i].file].path, wrong[i].as, &err), GVM_ARGUMENT);
        assert_null(n);
        assert_says(&err, files[wrong[i].file].path);
        assert_says(&err, wrong[i].says);
    }
}

/* ------------------------------------------------------------------ changed files */

/* A file's tensors, to be written again with one added or changed. */
struct copy {
    struct safetensors_entry *entries; /* (count) */
    char (*names)[FAMILY_NAME];
    size_t count;
};

static struct copy copy_of(const char *path)
{
    struct tensor_file *f;
    struct copy c;
    gvm_error err;
    assert_int_equal(tensor_file_open(&f, path, &err), GVM_OK);
    c.count = tensor_file_count(f);
    c.entries = calloc(c.count + 1, sizeof *c.entries);
    c.names = calloc(c.count + 1, sizeof *c.names);
    assert_true(c.entries && c.names);
    for (size_t i = 0; i < c.count; i++) {
        const struct tensor_entry *t = tensor_file_at(f, i);
        float *numbers = malloc(t->count * sizeof *numbers);
        assert_non_null(numbers);
        assert_int_equal(tensor_file_read(numbers, f, t, &err), GVM_OK);
        snprintf(c.names[i], FAMILY_NAME, "%s", t->name);
        c.entries[i] = (struct safetensors_entry){.name = c.names[i], .rank = t->rank, .data = numbers};
        for (int k = 0; k < t->rank; k++) c.entries[i].shape[k] = t->shape[k];
    }
    tensor_file_close(f);
    return c;
}

static void copy_free(struct copy *c)
{
    for (size_t i = 0; i < c->count; i++) free((void *)c->entries[i].data);
    free(c->entries);
    free(c->names);
}

static gvm_status import_copy(const struct copy *c, const char *as, gvm_error *err)
{
    struct network *n;
    struct imported imported;
    const char *path = in_folder("changed.safetensors");
    if (safetensors_write(path, c->entries, c->count, NULL, 0, err) != GVM_OK) fail_msg("%s", err->text);
    err->text[0] = '\0';
    gvm_status status = network_import(&n, &imported, path, as, err);
    assert_int_equal(n != NULL, status == GVM_OK);
    network_free(n);
    return status;
}

enum change { REMOVED, RENAMED, DEEPER, SHORTER, NOT_FINITE, CHANGES };

/* Make a change, and undo it. */
static void change(struct copy *c, size_t i, enum change what, bool back)
{
    struct safetensors_entry *e = &c->entries[i], *last = &c->entries[c->count - (what == REMOVED && !back)];
    float *first = (float *)(uintptr_t)e->data;
    static struct safetensors_entry kept;
    static float old;
    if (!back) kept = *e;
    if (!back) old = *first;
    if (what == REMOVED) { /* replaced by the last one */
        if (back) *e = kept;
        c->count += back ? 1 : (size_t)-1;
        if (!back) *e = *last;
        if (!back && e == last) return;
    } else if (what == RENAMED) {
        snprintf(c->names[c->count], FAMILY_NAME, "%s_", kept.name);
        e->name = back ? kept.name : c->names[c->count];
    } else if (what == DEEPER) {
        for (int k = e->rank; k > 0; k--) e->shape[k] = e->shape[k - 1];
        e->shape[0] = 1;
        e->rank++;
        if (back) *e = kept;
    } else if (what == SHORTER) {
        if (e->rank > 0) e->shape[0]--;
        if (back) *e = kept;
    } else {
        *first = back ? old : NAN;
    }
}

static void check_changes(int f)
{
    static const char *const says[CHANGES] = {"is missing", "is missing", "has the shape", "has the shape",
                                              "has a value that is not finite"};
    struct copy c = copy_of(files[f].path);
    const struct family *family = families;
    while (strcmp(family->title, files[f].family) != 0) family++;
    gvm_error err;
    if (import_copy(&c, files[f].as, &err) != GVM_OK) fail_msg("%s", err.text);
    for (size_t i = 0; i < c.count; i++)
        for (int what = 0; what < CHANGES; what++) {
            char plain[FAMILY_NAME], quoted[FAMILY_NAME + 2];
            const char *name = c.names[i];
            if (what == SHORTER && (c.entries[i].rank == 0 || c.entries[i].shape[0] < 2)) continue;
            family->plain(plain, name);
            snprintf(quoted, sizeof quoted, "'%s'", what == REMOVED || what == RENAMED ? plain : name);
            change(&c, i, (enum change)what, false);
            if (import_copy(&c, files[f].as, &err) != GVM_FORMAT) fail_msg("%s, change %d", name, what);
            change(&c, i, (enum change)what, true);
            assert_says(&err, "changed.safetensors: ");
            assert_says(&err, quoted);
            assert_says(&err, says[what]);
        }
    float one = 1;
    c.entries[c.count++] = (struct safetensors_entry){"model.stranger", 1, {1}, &one, SAFETENSORS_F32};
    assert_int_equal(import_copy(&c, files[f].as, &err), GVM_FORMAT);
    assert_says(&err, "unexpected tensor 'model.stranger' in a network of");
    c.count--;
    copy_free(&c);
}

static void test_statewide(void **state)
{
    (void)state;
    check_changes(0);
}

static void test_sample4geo(void **state)
{
    (void)state;
    check_changes(1);
}

static void test_frgeo(void **state)
{
    (void)state;
    check_changes(2);
}

/* The names that differ between files of the same network. */
static void test_dialects(void **state)
{
    (void)state;
    gvm_error err;
    struct copy c = copy_of(files[0].path);
    for (size_t i = 0; i < c.count; i++) {
        char plain[FAMILY_NAME];
        families[0].plain(plain, c.names[i]);
        strcpy(c.names[i], plain);
        assert_null(strstr(plain, "//_"));
    }
    assert_int_equal(import_copy(&c, NULL, &err), GVM_OK);
    strcpy(c.names[c.count], "params//pv_encoder//Stem_0//_Norm_0//bias");
    c.entries[c.count] = (struct safetensors_entry){.name = c.names[c.count], .rank = 1, .shape = {3}};
    c.entries[c.count].data = malloc(3 * sizeof(float));
    memset((void *)(uintptr_t)c.entries[c.count++].data, 0, 3 * sizeof(float));
    assert_int_equal(import_copy(&c, NULL, &err), GVM_FORMAT);
    assert_says(&err, "have the same name after conversion");
    copy_free(&c);

    c = copy_of(files[1].path);
    for (size_t i = 0; i < c.count; i++) {
        char name[FAMILY_NAME];
        snprintf(name, sizeof name, "module.%s", c.names[i]);
        strcpy(c.names[i], name);
    }
    assert_int_equal(import_copy(&c, files[1].as, &err), GVM_OK);
    copy_free(&c);

    float one = 1;
    struct safetensors_entry other = {"conv1.weight", 1, {1}, &one, SAFETENSORS_F32};
    c = (struct copy){.entries = &other, .count = 1};
    assert_int_equal(import_copy(&c, NULL, &err), GVM_FORMAT);
    assert_says(&err, "unsupported network (first tensor 'conv1.weight')");
}

/* ------------------------------------------------------------------ origin, backbones */

static void test_origin(void **state)
{
    (void)state;
    struct network *n = import(files[0].path, NULL), *again;
    char fingerprints[2][17];
    gvm_error err;
    network_fingerprint(fingerprints[0], n);
    snprintf(n->origin.source, sizeof n->origin.source, "last.safetensors (statewide)");
    snprintf(n->origin.licence, sizeof n->origin.licence, "MIT");
    network_fingerprint(fingerprints[1], n);
    assert_string_equal(fingerprints[0], fingerprints[1]);
    assert_int_equal(checkpoint_save(n, in_folder("a"), false, &err), GVM_OK);
    assert_int_equal(checkpoint_load(&again, in_folder("a"), false, &err), GVM_OK);
    assert_string_equal(again->origin.source, n->origin.source);
    assert_string_equal(again->origin.licence, "MIT");
    origin_tuned(&again->origin);
    assert_string_equal(again->origin.source, "fine-tuned from last.safetensors (statewide)");
    origin_tuned(&again->origin);
    assert_string_equal(again->origin.source, "fine-tuned from last.safetensors (statewide)");
    network_free(again);
    for (size_t i = 0; i + 1 < sizeof n->origin.source; i++) n->origin.source[i] = i % 2 ? '\xa9' : '\xc3';
    n->origin.source[sizeof n->origin.source - 2] = '\0';
    origin_tuned(&n->origin); /* now too long: truncated, and still UTF-8 */
    assert_int_equal(checkpoint_save(n, in_folder("a"), false, &err), GVM_OK);
    network_free(n);

    struct origin none = {"", ""};
    origin_tuned(&none);
    assert_string_equal(none.source, "");
}

/* A ConvNeXt as published for ImageNet: under "model", with a classifier. */
static void test_backbone(void **state)
{
    static const char json[] = "{\"model\":\"sample4geo\",\"dims\":[3,4,5,6],\"depths\":[1,1,2,1],\"street\":[64,64],"
                               "\"aerial\":[64,64]}";
    struct config config;
    struct network *n;
    gvm_error err;
    (void)state;
    assert_int_equal(config_parse(&config, json, sizeof json - 1, "tiny", &err), GVM_OK);
    assert_int_equal(network_open(&n, &config, false, &err), GVM_OK);
    if (backbone_load(n, "tests/golden/import/convnext.pth", &err) != GVM_OK) fail_msg("%s", err.text);
    for (int i = 0; i < n->param_count; i++)
        if (n->params[i].backbone) check_numbers(&n->params[i], n->params[i].name);
    assert_int_equal(backbone_load(n, "tests/golden/torch/bad_system.pth", &err), GVM_FORMAT);
    assert_says(&err, "its pickle calls posix.system");
    network_free(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_presets),
        cmocka_unit_test(test_which),
        cmocka_unit_test_teardown(test_statewide, empty_folder),
        cmocka_unit_test_teardown(test_sample4geo, empty_folder),
        cmocka_unit_test_teardown(test_frgeo, empty_folder),
        cmocka_unit_test_teardown(test_dialects, empty_folder),
        cmocka_unit_test_teardown(test_origin, empty_folder),
        cmocka_unit_test(test_backbone),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
