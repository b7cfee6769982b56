/* test_heatmap.c - heat maps: shares that add up to the score, means against PyTorch's stages, the picture's colours */
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
#include "image/encode.h"
#include "image/heat.h"
#include "image/image.h"
#include "network/heatmap.h"
#include "network/session.h"

static const char *const nets[] = {"net_flat",        "net_four",  "net_narrow",     "sample4geo_odd",
                                   "sample4geo_tanh", "frgeo_odd", "statewide_zooms"};

struct golden {
    gvm_model *model;
    gvm_session *session;
    struct safetensors *st;
};

static struct golden open_golden(const char *name)
{
    struct golden g = {0};
    char path[256];
    gvm_error err;
    snprintf(path, sizeof path, "tests/golden/%s.safetensors", name);
    if (gvm_model_open(&g.model, path, &err) != GVM_OK) fail_msg("%s", err.text);
    if (gvm_session_open(&g.session, g.model, 2, &err) != GVM_OK) fail_msg("%s", err.text);
    snprintf(path, sizeof path, "tests/golden/%s_golden.safetensors", name);
    if (safetensors_open(&g.st, path, &err) != GVM_OK) fail_msg("%s", err.text);
    return g;
}

static void close_golden(struct golden *g)
{
    safetensors_close(g->st);
    gvm_session_free(g->session);
    gvm_model_free(g->model);
}

static const unsigned char *pixels_of(const struct golden *g, gvm_view view)
{
    const struct safetensors_tensor *strong = safetensors_find(g->st, "strong");
    if (view == GVM_STREET) return safetensors_find(g->st, "street")->data;
    return strong ? strong->data : safetensors_find(g->st, "aerial")->data;
}

static float *feature_of(const struct golden *g, gvm_view view)
{
    gvm_error err;
    float *feature = malloc((size_t)g->model->info.features * sizeof *feature);
    if (gvm_embed_pixels(g->session, view, feature, pixels_of(g, view), 1, &err) != GVM_OK) fail_msg("%s", err.text);
    return feature;
}

static float *heat_of(const struct golden *g, gvm_view view, int stage, const float *other, size_t *n)
{
    gvm_error err;
    const int *size = view_size(g->model, view);
    *n = (size_t)g->model->network->views[view].pictures * (size_t)size[0] * (size_t)size[1];
    float *heat = malloc(*n * sizeof *heat);
    if (gvm_heatmap(g->session, view, stage, heat, pixels_of(g, view), other, &err) != GVM_OK) fail_msg("%s", err.text);
    return heat;
}

static double sum(const float *x, size_t n)
{
    double s = 0;
    for (size_t i = 0; i < n; i++) s += x[i];
    return s;
}

/* ------------------------------------------------------------------ the multi-scale feature */

/* Over positions and over pixels: the score with itself, 1, and with the other. */
static void check_shares(const char *name)
{
    struct golden g = open_golden(name);
    float *features[2] = {feature_of(&g, GVM_STREET), feature_of(&g, GVM_AERIAL)};
    double score = 0;
    for (int i = 0; i < g.model->info.features; i++) score += (double)features[0][i] * features[1][i];
    for (int v = 0; v < 2; v++) {
        const struct branch *w = &g.model->network->views[v];
        for (int with = 0; with < 2; with++) {
            const float *other = features[with ? 1 - v : v];
            double wanted = with ? score : 1, total = 0;
            struct trace trace;
            float *own = malloc((size_t)w->features * sizeof *own);
            gvm_error err;
            assert_int_equal(embedder_trace(g.session->embedders[v], &trace, own, pixels_of(&g, (gvm_view)v), &err),
                             GVM_OK);
            free(own);
            for (int s = 0; s < w->maps.count; s++) {
                int all = trace.maps[s]->B * trace.maps[s]->L;
                double *heat = calloc((size_t)all, sizeof *heat);
                bool part = trace.mask_count > 0 ? trace.masks[s] != NULL : s == w->maps.count - 1;
                assert_int_equal(w->head->shares(heat, &trace, s, w->top, other), part);
                for (int l = 0; l < all; l++) total += heat[l];
                free(heat);
            }
            size_t n;
            float *map = heat_of(&g, (gvm_view)v, 0, with ? other : NULL, &n);
            if (!(fabs(total - wanted) < 1e-5) || !(fabs(sum(map, n) - wanted) < 1e-5))
                fail_msg("%s: %.8f over positions, %.8f over pixels, not %.8f", name, total, sum(map, n), wanted);
            free(map);
        }
    }
    free(features[0]);
    free(features[1]);
    close_golden(&g);
}

static void test_shares(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) check_shares(nets[i]);
}

/* A position's share is the product's value with everything except that position of the map set to zero. */
static void test_one_position(void **state)
{
    struct golden g = open_golden("net_four");
    const struct branch *w = &g.model->network->views[GVM_AERIAL];
    float *other = feature_of(&g, GVM_STREET);
    struct trace trace;
    (void)state;
    gvm_error err;
    float *own = malloc((size_t)w->features * sizeof *own);
    assert_int_equal(embedder_trace(g.session->embedders[GVM_AERIAL], &trace, own, pixels_of(&g, GVM_AERIAL), &err),
                     GVM_OK);
    free(own);
    int before = 0;
    for (int s = 0; s < 4; s++) {
        int L = trace.maps[s]->L, C = trace.maps[s]->C, N = trace.mask_count, l = L / 3;
        double *heat = calloc((size_t)L, sizeof *heat), length = 0, wanted = 0;
        w->head->shares(heat, &trace, s, w->top, other);
        for (int i = 0; i < trace.gathered->C; i++) length += pow(trace.gathered->data[i], 2);
        for (int n = 0; n < N; n++)
            for (int c = 0; c < C; c++)
                wanted +=
                    (double)trace.masks[s][n * L + l] * trace.maps[s]->data[l * C + c] * other[before + n * C + c];
        assert_true(fabs(heat[l] - wanted / sqrt(length)) < 1e-12);
        before += N * C;
        free(heat);
    }
    free(other);
    close_golden(&g);
}

/* ------------------------------------------------------------------ stages */

/* Reference: bilinear interpolation at a pixel, of means of PyTorch's map. */
static double mean_at(const float *x, int h, int w, int C, double y, double z)
{
    double value = 0;
    for (int i = 0; i < h; i++)
        for (int j = 0; j < w; j++) {
            double near =
                fmax(0, 1 - fabs(fmin(fmax(y, 0), h - 1) - i)) * fmax(0, 1 - fabs(fmin(fmax(z, 0), w - 1) - j));
            for (int c = 0; c < C && near > 0; c++) value += near * x[(i * w + j) * C + c] / C;
        }
    return value;
}

static void check_stage(const struct golden *g, gvm_view view, int s)
{
    char key[64];
    gvm_error err;
    snprintf(key, sizeof key, "out.%s.stage%d", view == GVM_STREET ? "street" : "aerial", s + 1);
    const struct safetensors_tensor *t = safetensors_find(g->st, key);
    assert_non_null(t);
    float *x = malloc(t->count * sizeof *x);
    if (safetensors_read_f32(x, g->st, t, &err) != GVM_OK) fail_msg("%s", err.text);
    const struct pyramid *maps = &g->model->network->views[view].maps;
    int H = maps->maps[s].H, W = maps->maps[s].W, C = maps->maps[s].C;
    const int *size = view_size(g->model, view);
    double off = 0, whole = 0;
    size_t n;
    float *heat = heat_of(g, view, s + 1, NULL, &n);
    int pictures = g->model->network->views[view].pictures;
    assert_true(t->count >= (size_t)pictures * (size_t)(H * W * C));
    for (int k = 0; k < pictures * size[0] * size[1]; k += 5) {
        int picture = k / (size[0] * size[1]), i = k / size[1] % size[0], j = k % size[1];
        double wanted =
            mean_at(x + picture * H * W * C, H, W, C, (i + 0.5) * H / size[0] - 0.5, (j + 0.5) * W / size[1] - 0.5);
        off += pow(heat[k] - wanted, 2);
        whole += wanted * wanted;
    }
    if (!(sqrt(off / whole) < 1e-4)) fail_msg("%s is off by %.3g", key, sqrt(off / whole));
    free(heat);
    free(x);
}

static void test_stages(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        struct golden g = open_golden(nets[i]);
        for (int v = 0; v < 2; v++)
            for (int s = 0; s < 4; s++) check_stage(&g, (gvm_view)v, s);
        close_golden(&g);
    }
}

/* A normalised row has mean zero up to rounding, which must not be drawn as heat. */
static void test_no_heat(void **state)
{
    float row[300], heat[6] = {2, 2, 2, 2, 2, 2};
    double mean[2], total = 0;
    struct tensor x = {.data = row, .B = 1, .L = 2, .C = 150};
    uint8_t grey[18];
    (void)state;
    for (int c = 0; c < 150; c++) total += row[c] = (float)sin(c * 1.7);
    for (int c = 0; c < 150; c++) row[c] = (float)(row[c] - total / 150);
    for (int c = 0; c < 150; c++) row[150 + c] = 3;
    heat_mean(mean, &x);
    assert_true(mean[0] == 0 && mean[1] == 3);
    memset(grey, 100, sizeof grey);
    heat_cover(grey, 2, 3, &(struct heat){heat, 2, 3, 0, {0, 0, 3, 2}, 1}); /* the same everywhere: all of it blue */
    for (int i = 0; i < 18; i += 3) assert_true(grey[i] == 50 && grey[i + 1] == 50 && grey[i + 2] > 100);
}

/* ------------------------------------------------------------------ drawing */

static void test_overlay(void **state)
{
    static const float heat[4] = {-3, -1, 1, 5}; /* 0, 1/4, 1/2, 1 */
    static const uint8_t wanted[12] = {50, 50, 114, 50, 114, 178, 114, 178, 114, 114, 50, 50};
    uint8_t pixels[12];
    (void)state;
    memset(pixels, 100, sizeof pixels);
    heat_cover(pixels, 2, 2, &(struct heat){heat, 2, 2, 0, {0, 0, 2, 2}, 1});
    for (int i = 0; i < 12; i++)
        if (pixels[i] != wanted[i]) fail_msg("byte %d is %d, not %d", i, pixels[i], wanted[i]);
}

static void test_png(void **state)
{
    enum { W = 7, H = 3 };
    uint8_t pixels[W * H * 3];
    struct image image;
    gvm_error err;
    char path[] = "/tmp/geoviewmatch-heat-XXXXXX";
    (void)state;
    for (int i = 0; i < W * H * 3; i++) pixels[i] = (uint8_t)(i * 37);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    if (image_write_png(path, pixels, W, H, &err) != GVM_OK) fail_msg("%s", err.text);
    if (image_load(&image, path, &err) != GVM_OK) fail_msg("%s", err.text);
    assert_true(image.width == W && image.height == H);
    assert_memory_equal(image.pixels, pixels, sizeof pixels);
    image_free(&image);
    remove(path);
    assert_int_equal(image_write_png("/nowhere/at/all.png", pixels, W, H, &err), GVM_FILE);
}

/* ------------------------------------------------------------------ what is refused */

static void test_refusals(void **state)
{
    struct golden g = open_golden("net_narrow");
    const int *size = view_size(g.model, GVM_STREET);
    float *heat = malloc((size_t)size[0] * (size_t)size[1] * sizeof *heat);
    float *other = calloc((size_t)g.model->info.features, sizeof *other);
    const unsigned char *pixels = pixels_of(&g, GVM_STREET);
    gvm_error err;
    (void)state;
    assert_int_equal(gvm_heatmap(g.session, GVM_STREET, -1, heat, pixels, NULL, &err), GVM_ARGUMENT);
    assert_int_equal(gvm_heatmap(g.session, GVM_STREET, 5, heat, pixels, NULL, &err), GVM_ARGUMENT);
    assert_int_equal(gvm_heatmap(g.session, (gvm_view)2, 1, heat, pixels, NULL, &err), GVM_ARGUMENT);
    assert_int_equal(gvm_heatmap(g.session, GVM_STREET, 0, heat, pixels, other, &err), GVM_ARGUMENT);
    assert_int_equal(gvm_heatmap(g.session, GVM_STREET, 3, heat, pixels, other, &err), GVM_OK);
    free(other);
    free(heat);
    close_golden(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares),   cmocka_unit_test(test_one_position), cmocka_unit_test(test_stages),
        cmocka_unit_test(test_no_heat),  cmocka_unit_test(test_overlay),      cmocka_unit_test(test_png),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
