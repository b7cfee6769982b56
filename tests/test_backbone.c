/* test_backbone.c - third-party weights: the official Swin V2 names and timm's, which tensors are skipped and which
 * refused; the count of multiply-adds against formulas */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/safetensors.h"
#include "network/backbones/swin_v2.h"
#include "network/checkpoint.h"
#include "network/config_file.h"
#include "network/heads/masks.h"
#include "network/import.h"
#include "network/registry.h"

enum { MOST = 512 };

/* A small network: shifted windows, odd numbers of heads. */
static const char small_json[] =
    "{\"model\":\"geoviewmatch\",\"dim\":6,\"depths\":[2,1,2,1],\"heads\":[1,3,3,4],\"window\":4,\"street\":[32,160],"
    "\"aerial\":[64,64],\"stages\":[3,4],\"masks\":2,\"head\":5}";

static struct config parse(const char *json)
{
    struct config config;
    gvm_error err;
    if (config_parse(&config, json, strlen(json), "test", &err) != GVM_OK) fail_msg("%s", err.text);
    return config;
}

static struct config preset(const char *name)
{
    return parse(preset_find(name));
}

struct file {
    struct safetensors_entry entries[MOST];
    char names[MOST][96];
    size_t count;
    struct network *from;
    char path[32];
};

static void add(struct file *f, const char *name, const struct param *p)
{
    struct safetensors_entry *e = &f->entries[f->count];
    snprintf(f->names[f->count], sizeof f->names[0], "%s", name);
    *e = (struct safetensors_entry){.name = f->names[f->count], .rank = p->rank, .data = p->data};
    for (int i = 0; i < p->rank; i++) e->shape[i] = p->shape[i];
    f->count++;
}

/* The aerial backbone of a separate network, under third-party names. */
static void open_file(struct file *f, bool timm)
{
    gvm_error err;
    memset(f, 0, sizeof *f);
    snprintf(f->path, sizeof f->path, "/tmp/gvm-backbone-XXXXXX");
    int fd = mkstemp(f->path);
    assert_true(fd >= 0);
    close(fd);
    struct config small = parse(small_json);
    assert_int_equal(network_open(&f->from, &small, false, &err), GVM_OK);
    network_fresh(f->from, 5);
    for (int i = 0; i < f->from->param_count; i++) {
        const struct param *p = &f->from->params[i];
        const char *name = strstr(p->name, "aerial.backbone.");
        if (name == NULL) continue;
        name += strlen("aerial.backbone.");
        char moved[96];
        snprintf(moved, sizeof moved, "%s", name);
        if (timm && strstr(name, ".downsample.")) moved[strlen("layers.")]++; /* one stage later */
        add(f, moved, p);
    }
}

static gvm_status load(const struct file *f, struct network **to, gvm_error *err)
{
    gvm_error inner;
    struct config small = parse(small_json);
    if (safetensors_write(f->path, f->entries, f->count, NULL, 0, &inner) != GVM_OK) fail_msg("%s", inner.text);
    assert_int_equal(network_open(to, &small, false, &inner), GVM_OK);
    return backbone_load(*to, f->path, err);
}

static void close_file(struct file *f)
{
    remove(f->path);
    network_free(f->from);
}

/* Expects that both views of the network have the file's weights. */
static void expect_loaded(const struct file *f, const struct network *to)
{
    for (int i = 0; i < to->param_count; i++) {
        const struct param *p = &to->params[i];
        if (!p->backbone) continue;
        const struct param *from = NULL;
        for (int k = 0; k < f->from->param_count && from == NULL; k++)
            if (strncmp(f->from->params[k].name, "aerial.", 7) == 0 &&
                strcmp(f->from->params[k].name + 7, p->name + 7) == 0)
                from = &f->from->params[k];
        assert_non_null(from);
        assert_memory_equal(p->data, from->data, p->count * sizeof *p->data);
    }
}

static void check_names(bool timm)
{
    struct file f;
    struct network *to;
    gvm_error err;
    open_file(&f, timm);
    static const char *const skipped[] = {"head.weight", "head.bias", "layers.0.blocks.1.attn_mask",
                                          "layers.0.blocks.0.attn.relative_coords_table",
                                          "layers.0.blocks.0.attn.relative_position_index"};
    for (int i = 0; i < 5; i++) add(&f, skipped[i], &f.from->params[1]);
    if (load(&f, &to, &err) != GVM_OK) fail_msg("%s", err.text);
    expect_loaded(&f, to);
    network_free(to);
    close_file(&f);
}

static void test_official(void **state)
{
    (void)state;
    check_names(false);
}

static void test_timm(void **state)
{
    (void)state;
    check_names(true);
}

static void expect_refused(const struct file *f, const char *says)
{
    struct network *to;
    gvm_error err = {""};
    assert_int_equal(load(f, &to, &err), GVM_FORMAT);
    if (strstr(err.text, says) == NULL || strstr(err.text, f->path) == NULL)
        fail_msg("'%s' lacks '%s'", err.text, says);
    network_free(to);
}

static void test_refused(void **state)
{
    (void)state;
    struct file f;
    open_file(&f, false);
    add(&f, "layers.0.blocks.0.attn.extra", &f.from->params[1]);
    expect_refused(&f, "unexpected tensor 'layers.0.blocks.0.attn.extra'");
    f.count--;
    struct safetensors_entry last = f.entries[--f.count];
    expect_refused(&f, "'norm.bias' is missing");
    f.entries[f.count++] = last;
    f.entries[3].shape[0]--;
    expect_refused(&f, "has the shape");
    f.entries[3].shape[0]++;
    for (int i = 0; i < f.from->param_count; i++) f.from->params[i].data[0] = NAN;
    expect_refused(&f, "not finite");
    close_file(&f);
}

/* ------------------------------------------------------------------ multiply-adds */

/* For one picture of one view, from the shapes. */
static struct counts by_formula(const struct config *config, const int size[2])
{
    const struct swin_config *c = (const struct swin_config *)config->backbone.bytes;
    const struct masks_config *m = (const struct masks_config *)config->head.bytes;
    struct counts n = {0};
    uint64_t dim = (uint64_t)c->dim;
    n.linear = (uint64_t)(size[0] / 4) * (uint64_t)(size[1] / 4) * 48 * dim;
    for (int s = 0; s < SWIN_STAGES; s++) {
        uint64_t H = (uint64_t)(size[0] / 4 >> s), W = (uint64_t)(size[1] / 4 >> s), L = H * W, C = dim << s;
        uint64_t side = H < W ? H : W, window = side < (uint64_t)c->window ? side : (uint64_t)c->window;
        uint64_t depth = (uint64_t)c->depths[s], offsets = (2 * window - 1) * (2 * window - 1);
        n.qkv += depth * L * C * 3 * C;
        n.attention += depth * 2 * L * window * window * C;
        n.linear += depth * (L * C * C + 2 * L * C * 4 * C);
        n.bias += depth * offsets * (2 * 512 + 512 * (uint64_t)c->heads[s]);
        if (s < SWIN_STAGES - 1) n.linear += L / 4 * 4 * C * 2 * C;
        if (m->stages[s]) n.linear += (uint64_t)m->masks * (2 * L * (L / 2) + L * C);
    }
    return n;
}

static void check_counts(const struct config *config)
{
    struct network *network;
    gvm_error err;
    assert_int_equal(config_check(config, "configuration", &err), GVM_OK);
    assert_int_equal(network_open(&network, config, false, &err), GVM_OK);
    assert_int_equal(network_parameters(network), config_parameters(config));
    for (int v = 0; v < 2; v++) {
        struct counts got, want = by_formula(config, config->views[v].size);
        assert_int_equal(network_counts(&got, network, v, &err), GVM_OK);
        assert_memory_equal(&got, &want, sizeof want);
    }
    network_free(network);
}

static void test_counts(void **state)
{
    (void)state;
    struct config small = parse(small_json), deep = small, nano = preset("nano"), all = nano, paper = preset("paper");
    gvm_error err;
    assert_int_equal(config_set_stages(&all, "stages", "1,2,3,4", &err), GVM_OK);
    ((struct swin_config *)deep.backbone.bytes)->depths[2] = 7;
    ((struct masks_config *)deep.head.bytes)->masks = 3;
    check_counts(&small);
    check_counts(&deep);
    check_counts(&nano);
    check_counts(&all);
    check_counts(&paper);
    struct counts aerial = by_formula(&paper, paper.views[GVM_AERIAL].size),
                  street = by_formula(&paper, paper.views[GVM_STREET].size);
    assert_int_equal(aerial.linear + aerial.bias + aerial.qkv + aerial.attention, 5940659200);
    assert_int_equal(street.linear + street.bias + street.qkv + street.attention, 7404850176);
    assert_int_equal((aerial.linear + aerial.bias + street.linear + street.bias + 5000000) / 10000000, 976);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_official),
        cmocka_unit_test(test_timm),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
