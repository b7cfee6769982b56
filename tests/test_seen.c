/* test_seen.c - networks whose pictures say which patches are seen: a full panorama has the bits of the plain network,
 * what is painted on unseen patches changes nothing, a turned panorama has rolled maps, and a narrow photo costs what
 * it shows */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "base/random.h"
#include "golden_support.h"
#include "layers/device_cpu.h"
#include "network/checkpoint.h"
#include "network/config_file.h"
#include "network/embedder.h"
#include "network/methods/geoviewmatch.h"

#define PLAIN "tests/golden/net_flat.safetensors"

enum { MOST = 3 /* pictures */ };

/* ------------------------------------------------------------------ networks and pictures */

/* The weights of PLAIN in a network that is masked, or wraps around. */
static struct network *extended(bool visible, bool wrap, bool training)
{
    struct network *plain, *network;
    gvm_error err;
    if (checkpoint_load(&plain, PLAIN, false, &err) != GVM_OK) fail_msg("%s", err.text);
    struct config config = plain->config;
    network_free(plain);
    config.views[GVM_STREET].visible = visible;
    config.views[GVM_STREET].wrap = wrap;
    if (checkpoint_adapt(&network, &config, PLAIN, &err) != GVM_OK) fail_msg("%s", err.text);
    if (training) { /* checkpoint_adapt opens for inference */
        struct network *copy;
        assert_int_equal(network_open(&copy, &config, true, &err), GVM_OK);
        memcpy(copy->weights, network->weights, network->floats * sizeof(float));
        network_free(network);
        network = copy;
    }
    return network;
}

/* A preset with random weights in which no block is the identity. */
static struct network *drawn(const char *preset, bool row_shift)
{
    struct config config;
    struct network *network;
    gvm_error err;
    assert_int_equal(config_preset(&config, preset, &err), GVM_OK);
    config.views[GVM_STREET].visible = config.views[GVM_STREET].wrap = true;
    config.views[GVM_STREET].row_shift = row_shift;
    assert_int_equal(network_open(&network, &config, false, &err), GVM_OK);
    network_fresh(network, 3);
    for (int i = 0; i < network->param_count; i++) {
        struct param *p = &network->params[i];
        bool norm = strstr(p->name, ".norm") != NULL;
        if (!norm && !strstr(p->name, "unseen") && !strstr(p->name, ".b2")) continue; /* .b2: masks that differ */
        for (size_t k = 0; k < p->count; k++)
            p->data[k] = (norm && strstr(p->name, "weight") ? 0.5f : 0) + 0.3f * random_normal(4, (uint64_t)i, k);
    }
    return network;
}

static struct picture_shape shape_of(const struct network *network)
{
    return config_shape(&network->config, GVM_STREET);
}

/* Smooth pictures without visibility, each different; (count, H, W, 3). */
static uint8_t *draw_pictures(const struct picture_shape *shape, int count)
{
    int H = shape->height, W = shape->width;
    uint8_t *pixels = malloc((size_t)count * (size_t)H * (size_t)W * 3), *to = pixels;
    assert_non_null(pixels);
    for (int i = 0; i < count * H * W * 3; i++, to++) {
        double x = 6.283185 * (i / 3 % W) / W, y = 6.283185 * (i / 3 / W % H) / H, wave = 0;
        for (int k = 1; k < 6; k++)
            wave +=
                sin(k * x + k * k * y + 3.0 * random_normal(7, (uint64_t)(i / (H * W * 3)), (uint64_t)(3 * k + i % 3)));
        *to = (uint8_t)(128 + 20 * wave);
    }
    return pixels;
}

/* The same with visibility: kind 0: all, 1: one patch in three at random, 2: a photo of 67 x 53 degrees. */
static uint8_t *add_visibility(const uint8_t *pixels, const struct picture_shape *shape, int count, int kind)
{
    size_t each = picture_bytes(shape), seen = seen_bytes(shape), plain = each - seen;
    int across = shape->width / SEEN_PATCH, down = shape->height / SEEN_PATCH;
    uint8_t *out = malloc((size_t)count * each);
    assert_non_null(out);
    for (int b = 0; b < count; b++) {
        uint8_t *to = out + (size_t)b * each;
        memcpy(to, pixels + (size_t)b * plain, plain);
        for (int i = 0; i < across * down; i++) {
            double x = 360.0 * (i % across) / across, y = 90.0 * (i / across) / down;
            bool inside = x >= 40 && x < 107 && y >= 18 && y < 71;
            to[plain + (size_t)i] =
                kind == 0 || (kind == 1 ? random_uniform(9, (uint64_t)b, (uint64_t)i) < 0.33F : inside);
        }
    }
    return out;
}

/* Noise on every unseen patch. */
static void paint(uint8_t *pictures, const struct picture_shape *shape, int count)
{
    size_t each = picture_bytes(shape), n = (size_t)shape->height * (size_t)shape->width;
    int W = shape->width, across = W / SEEN_PATCH;
    for (int b = 0; b < count; b++, pictures += each)
        for (int i = 0; i < (int)n; i++) {
            if (picture_seen(pictures, shape)[i / W / SEEN_PATCH * across + i % W / SEEN_PATCH]) continue;
            for (int c = 0; c < 3; c++)
                pictures[3 * i + c] = (uint8_t)(255 * random_uniform(11, (uint64_t)b, (uint64_t)(3 * i + c)));
        }
}

/* ------------------------------------------------------------------ results */

/* Street features of B pictures. */
static float *features(const struct network *network, const uint8_t *pixels, int B)
{
    struct tape *tape;
    gvm_error err;
    const struct branch *b = &network->views[GVM_STREET];
    float *out = malloc((size_t)B * (size_t)b->features * sizeof *out);
    assert_int_equal(tape_open(&tape, false, network->packed, &err), GVM_OK);
    branch_forward(NULL, tape, b, NULL, B, 0);
    assert_int_equal(tape_allocate(tape, &err), GVM_OK);
    tape_read(tape, out, branch_forward(NULL, tape, b, pixels, B, 0));
    tape_free(tape);
    return out;
}

/* Fill in the gradients of a training step with drop paths; returns its loss. */
static float learn(struct network *network, const uint8_t *street, const uint8_t *aerial, int B)
{
    const struct method *method = network->config.method;
    const struct step_input input = {street, aerial, NULL};
    struct tape *tape;
    gvm_error err;
    assert_int_equal(tape_open(&tape, true, false, &err), GVM_OK);
    tape->seed = 5;
    method->learn(tape, network, &input, B, &loss_options_paper, 0.3F);
    assert_int_equal(tape_allocate(tape, &err), GVM_OK);
    tape->seed = 5;
    network_clear_gradients(network);
    method->learn(tape, network, &input, B, &loss_options_paper, 0.3F);
    float loss = tape->loss;
    tape_backward(tape);
    tape_free(tape);
    return loss;
}

static const struct param *find(const struct network *network, const char *name)
{
    for (int i = 0; i < network->param_count; i++)
        if (strcmp(network->params[i].name, name) == 0) return &network->params[i];
    fail_msg("no parameter '%s'", name);
    return NULL;
}

/* |a - b| / |b| */
static double distance(const float *a, const float *b, size_t n)
{
    double error = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        error += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        size += (double)b[i] * b[i];
    }
    return sqrt(error / size);
}

/* ------------------------------------------------------------------ a full panorama */

static void whole_features(void **state)
{
    (void)state;
    gvm_error err;
    for (int packed = 0; packed < 2; packed++) {
        struct network *plain, *masked = extended(true, false, false);
        assert_int_equal(checkpoint_load(&plain, PLAIN, false, &err), GVM_OK);
        if (packed) assert_int_equal(network_pack(plain, &err), GVM_OK);
        if (packed) assert_int_equal(network_pack(masked, &err), GVM_OK);
        const struct picture_shape shape = shape_of(masked);
        uint8_t *pixels = draw_pictures(&shape, MOST), *all = add_visibility(pixels, &shape, MOST, 0);
        for (int B = 1; B <= MOST; B++)
            for (int threads = 1; threads <= 3; threads++) {
                parallel_set_threads(threads);
                float *a = features(plain, pixels, B), *b = features(masked, all, B);
                assert_memory_equal(a, b, (size_t)B * (size_t)plain->views[0].features * sizeof *a);
                free(a);
                free(b);
            }
        free(pixels);
        free(all);
        network_free(plain);
        network_free(masked);
    }
}

static void whole_gradients(void **state)
{
    (void)state;
    gvm_error err;
    struct network *plain, *masked = extended(true, false, true);
    assert_int_equal(checkpoint_load(&plain, PLAIN, true, &err), GVM_OK);
    const struct picture_shape shape = shape_of(masked), above = config_shape(&masked->config, GVM_AERIAL);
    uint8_t *pixels = draw_pictures(&shape, MOST), *all = add_visibility(pixels, &shape, MOST, 0);
    uint8_t *aerial = draw_pictures(&above, 2 * MOST);
    for (int threads = 1; threads <= 3; threads += 2) {
        parallel_set_threads(threads);
        float a = learn(plain, pixels, aerial, MOST), b = learn(masked, all, aerial, MOST);
        assert_memory_equal(&a, &b, sizeof a);
        for (int i = 0; i < plain->param_count; i++) {
            const struct param *p = &plain->params[i];
            if (memcmp(p->grad, find(masked, p->name)->grad, p->count * sizeof(float)) != 0)
                fail_msg("%s: other gradients", p->name);
        }
    }
    const struct param *unseen = find(masked, "street.backbone.patch_embed.unseen");
    for (size_t k = 0; k < unseen->count; k++) assert_true(unseen->grad[k] == 0);
    free(pixels);
    free(all);
    free(aerial);
    network_free(plain);
    network_free(masked);
}

/* ------------------------------------------------------------------ what is not seen */

static void painted(void **state)
{
    (void)state;
    parallel_set_threads(2);
    struct network *network = extended(true, true, true);
    const struct picture_shape shape = shape_of(network), above = config_shape(&network->config, GVM_AERIAL);
    size_t D = (size_t)network->views[0].features, grads = network->floats * sizeof(float);
    uint8_t *plain = draw_pictures(&shape, MOST), *aerial = draw_pictures(&above, 2 * MOST);
    float *before = malloc(grads);
    for (int kind = 1; kind <= 2; kind++) {
        uint8_t *pixels = add_visibility(plain, &shape, MOST, kind);
        float *a = features(network, pixels, MOST), loss = learn(network, pixels, aerial, MOST);
        memcpy(before, network->grads, grads);
        paint(pixels, &shape, MOST);
        float *b = features(network, pixels, MOST), again = learn(network, pixels, aerial, MOST);
        assert_memory_equal(a, b, MOST * D * sizeof *a);
        assert_memory_equal(&loss, &again, sizeof loss);
        assert_memory_equal(before, network->grads, grads);
        picture_seen(pixels, &shape)[0] ^= 1; /* but what is seen counts */
        free(b);
        b = features(network, pixels, MOST);
        assert_true(distance(b, a, D) > 1e-4);
        free(a);
        free(b);
        free(pixels);
    }
    free(plain);
    free(aerial);
    free(before);
    network_free(network);
}

/* ------------------------------------------------------------------ turns */

/* The largest difference between the maps of a picture that is turned by `columns` and its rolled maps. */
static double turned_error(const struct network *network, const uint8_t *picture, int columns)
{
    const struct picture_shape shape = shape_of(network);
    const struct branch *branch = &network->views[GVM_STREET];
    struct trace trace;
    struct tape *tape;
    gvm_error err;
    float *maps[MAX_MAPS], worst = 0;
    uint8_t *pixels = malloc(picture_bytes(&shape));
    memcpy(pixels, picture, picture_bytes(&shape));
    assert_int_equal(tape_open(&tape, false, false, &err), GVM_OK);
    branch_forward(&trace, tape, branch, NULL, 1, 0);
    assert_int_equal(tape_allocate(tape, &err), GVM_OK);
    for (int turn = 0; turn < 2; turn++) {
        if (turn == 1) panorama_turn(pixels, &shape, 360.0 * columns / shape.width);
        tape_reset(tape);
        branch_forward(&trace, tape, branch, pixels, 1, 0);
        for (int s = 0; s < branch->maps.count; s++) {
            int L = trace.maps[s]->L, C = trace.maps[s]->C, W = branch->maps.maps[s].W;
            int by = columns * W / shape.width;
            if (turn == 0) {
                maps[s] = malloc((size_t)(L * C) * sizeof *maps[s]);
                for (int i = 0; i < L * C; i++)
                    maps[s][(i / C - i / C % W + (i / C % W + by) % W) * C + i % C] = trace.maps[s]->data[i];
            } else {
                worst = fmaxf(worst, (float)distance(trace.maps[s]->data, maps[s], (size_t)(L * C)));
                free(maps[s]);
            }
        }
    }
    tape_free(tape);
    free(pixels);
    return (double)worst;
}

/* A turn by a fifth of a circle, which is whole windows of every stage, rolls all maps; half of it does not. */
static void rolled_maps(void **state)
{
    (void)state;
    static const struct {
        const char *preset;
        int columns;
        bool row_shift;
    } cases[] = {{"nano", 64, false}, {"paper", 128, false}, {"nano", 64, true}};
    parallel_set_threads(2);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct network *network = drawn(cases[i].preset, cases[i].row_shift);
        const struct picture_shape shape = shape_of(network);
        uint8_t *plain = draw_pictures(&shape, 1);
        assert_int_equal(network->views[GVM_STREET].turns, shape.width / cases[i].columns);
        assert_int_equal(network->views[GVM_AERIAL].turns, 1);
        for (int kind = 0; kind <= 2; kind += 2) {
            uint8_t *picture = add_visibility(plain, &shape, 1, kind);
            for (int k = 1; k < (i == 1 ? 2 : 5); k++)
                assert_true(turned_error(network, picture, k * cases[i].columns) < 1e-5);
            assert_true(turned_error(network, picture, cases[i].columns / 2) > 1e-3);
            free(picture);
        }
        free(plain);
        network_free(network);
    }
}

/* One pass gives the features of a picture's five turns. */
static void turned_features(void **state)
{
    (void)state;
    parallel_set_threads(2);
    struct network *network = drawn("nano", false);
    const struct picture_shape shape = shape_of(network);
    size_t each = picture_bytes(&shape), D = (size_t)network->views[0].features;
    uint8_t *plain = draw_pictures(&shape, MOST), *pixels = add_visibility(plain, &shape, MOST, 2);
    memset(picture_seen(pixels, &shape), 1, seen_bytes(&shape)); /* the first one is whole */
    struct embedder *e;
    gvm_error err;
    assert_int_equal(network_pack(network, &err), GVM_OK);
    assert_int_equal(embedder_open(&e, network, GVM_STREET, 2, &err), GVM_OK);
    int T = embedder_turns(e);
    assert_int_equal(T, 5);
    float *got = malloc(MOST * (size_t)T * D * sizeof *got), *want = malloc(MOST * D * sizeof *want);
    assert_int_equal(embedder_run_turns(e, got, pixels, MOST, &err), GVM_OK);
    for (size_t k = 0; k < (size_t)T; k++) {
        assert_int_equal(embedder_run(e, want, pixels, MOST, &err), GVM_OK);
        for (size_t i = 0; i < MOST; i++) {
            const float *row = got + (i * (size_t)T + k) * D;
            assert_true(is_feature(row, D));
            assert_true(distance(row, want + i * D, D) < 1e-5);
            assert_true(k == 0 || distance(row, got + i * (size_t)T * D, D) > 1e-2);
        }
        for (size_t i = 0; i < MOST; i++) panorama_turn(pixels + i * each, &shape, 72);
    }
    free(plain);
    free(pixels);
    free(got);
    free(want);
    embedder_free(e);
    network_free(network);
}

/* ------------------------------------------------------------------ cost */

/* Multiply-adds of one picture with all its turns. */
static double cost(struct embedder *e, const uint8_t *picture, float *rows)
{
    gvm_error err;
    assert_int_equal(embedder_run_turns(e, rows, picture, 1, &err), GVM_OK);
    return (double)counts_all(&embedder_tape(e)->counts);
}

/* 20 headings are four passes: at most 4 full passes for a panorama, 1.5 for a photo of 67 x 53 degrees. */
static void narrow_photo(void **state)
{
    (void)state;
    struct network *network = drawn("nano", false);
    const struct picture_shape shape = shape_of(network);
    uint8_t *plain = draw_pictures(&shape, 1), *all = add_visibility(plain, &shape, 1, 0),
            *photo = add_visibility(plain, &shape, 1, 2);
    struct counts pass;
    struct embedder *e;
    gvm_error err;
    assert_int_equal(network_counts(&pass, network, GVM_STREET, &err), GVM_OK);
    assert_int_equal(network_pack(network, &err), GVM_OK);
    assert_int_equal(embedder_open(&e, network, GVM_STREET, 1, &err), GVM_OK);
    float *rows = malloc(5 * (size_t)network->views[0].features * sizeof *rows);
    double full = (double)counts_all(&pass), whole = 4 * cost(e, all, rows), narrow = 4 * cost(e, photo, rows);
    print_message("20 headings: a panorama %.2f passes, a photo %.2f\n", whole / full, narrow / full);
    assert_true(whole < 5 * full); /* 4 passes of the backbone, and the masks of 20 headings */
    assert_true(narrow < 1.5 * full);
    free(plain);
    free(all);
    free(photo);
    free(rows);
    embedder_free(e);
    network_free(network);
}

/* ------------------------------------------------------------------ weights of the plain network */

static void adapted(void **state)
{
    (void)state;
    struct network *network, *masked = extended(true, true, false);
    gvm_error err;
    struct config config = masked->config;
    for (size_t k = 0; k < 6; k++) assert_true(find(masked, "street.backbone.patch_embed.unseen")->data[k] == 0);
    char path[] = "/tmp/gvm-seen-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(checkpoint_save(masked, path, false, &err), GVM_OK);
    network_free(masked);
    assert_int_equal(checkpoint_load(&network, path, false, &err), GVM_OK);
    assert_true(network->config.views[GVM_STREET].visible && network->config.views[GVM_STREET].wrap);
    network_free(network);
    config.views[GVM_STREET].visible = false;
    assert_int_equal(checkpoint_adapt(&network, &config, path, &err), GVM_FORMAT);
    assert_non_null(strstr(err.text, "unexpected tensor 'street.backbone.patch_embed.unseen'"));
    assert_null(network);
    assert_int_equal(config_preset(&config, "nano-photo", &err), GVM_OK); /* other shapes */
    assert_int_equal(checkpoint_adapt(&network, &config, PLAIN, &err), GVM_FORMAT);
    assert_non_null(strstr(err.text, "shape"));
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_features), cmocka_unit_test(whole_gradients), cmocka_unit_test(painted),
        cmocka_unit_test(rolled_maps),    cmocka_unit_test(turned_features), cmocka_unit_test(narrow_photo),
        cmocka_unit_test(adapted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
