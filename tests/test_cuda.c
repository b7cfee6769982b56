/* test_cuda.c - whole networks on the GPU compared with the CPU: ten training steps, repeated with the same bits, drop
 * paths, features, two threads, a loss that is not finite. Skipped, with the reason, without a GPU; run a second time
 * with the CUDA sources compiled for the CPU (tests/cuda_host). Single layers are tested by test_layers_* with
 * GVM_LAYER_DEVICE=cuda. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "golden_support.h"
#include "network/checkpoint.h"
#include "network/methods/geoviewmatch.h"
#include "network/place.h"
#include "network/session.h"
#include "tensor/device.h"

enum { STEPS = 10, PAIRS = 2 };

/* The last one has windows of 8 x 8 and the largest maps, which would take minutes on the CPU. */
static const char *const names[] = {"net_narrow", "net_four", "net_flat", "net_seen"};
enum { NAMES = sizeof names / sizeof *names };

static bool is_gpu(void)
{
    char about[128];
    chosen_device()->about(about, sizeof about);
    return strncmp(about, "this CPU", 8) != 0;
}

static void choose(gvm_device device, gvm_precision precision)
{
    gvm_error err;
    if (gvm_set_device(device, precision, &err) != GVM_OK) fail_msg("%s", err.text);
}

static struct network *load(const char *name, bool training)
{
    struct network *network;
    char path[256];
    gvm_error err;
    snprintf(path, sizeof path, "tests/golden/%s.safetensors", name);
    if (checkpoint_load(&network, strcmp(name, "nano") == 0 ? NULL : path, training, &err) != GVM_OK)
        fail_msg("%s", err.text);
    return network;
}

/* Pictures of a view, each different; of a masked one a third is seen, and all of the last one. */
static uint8_t *draw(uint64_t stream, int count, const struct network *network, gvm_view view)
{
    const struct picture_shape shape = config_shape(&network->config, view);
    size_t plain = (size_t)shape.height * (size_t)shape.width * 3, each = plain + seen_bytes(&shape);
    uint8_t *pixels = malloc((size_t)count * each);
    assert_non_null(pixels);
    for (int b = 0; b < count; b++)
        for (size_t i = 0; i < each; i++) {
            float base = random_uniform(1, stream, (uint64_t)b * 3 + i % 3), noise = random_uniform(2, stream, i);
            bool seen = b == count - 1 || (i % 7 < 3 && noise < 0.8f);
            pixels[(size_t)b * each + i] = i < plain ? (uint8_t)(255 * (0.6f * base + 0.4f * noise)) : seen;
        }
    return pixels;
}

/* ------------------------------------------------------------------ training */

struct outcome {
    double losses[STEPS];               /* as many as there were steps */
    float *start, *weights, *grads, *m; /* after the last step */
    size_t floats;
};

static void free_outcome(struct outcome *o)
{
    free(o->start);
    free(o->weights);
    free(o->grads);
    free(o->m);
}

static float *copy(const float *x, size_t n)
{
    float *y = malloc(n * sizeof *y);
    assert_non_null(y);
    return memcpy(y, x, n * sizeof *y);
}

/* Two batches in turn, so that a replayed step must read its inputs. */
static struct outcome learn(const char *name, int steps, gvm_device device, gvm_precision precision, float drop,
                            float rho)
{
    choose(device, precision);
    struct network *n = load(name, true);
    struct outcome o = {.start = copy(n->weights, n->floats), .floats = n->floats};
    struct optimizer *optimizer;
    struct learner learner;
    gvm_error err;
    uint8_t *street[2], *aerial[2];
    for (int i = 0; i < 2; i++) {
        street[i] = draw((uint64_t)i, PAIRS, n, GVM_STREET);
        aerial[i] =
            draw((uint64_t)i + 2, n->config.method->aerial_each * PAIRS * n->views[GVM_AERIAL].pictures, n, GVM_AERIAL);
    }
    const struct golden_recipe *recipe = golden_recipe(n);
    static const uint8_t allowed[2][PAIRS * PAIRS] = {{1, 1, 1, 1}, {1, 1, 0, 1}};
    const bool cells = n->views[GVM_AERIAL].pictures > 1;
    struct rates rates = *recipe->rates;
    if (cells) rates.clip_length = 1;
    assert_int_equal(
        optimizer_open(&optimizer, n->params, n->param_count, n->weights, n->grads, n->floats, &rates, &err), GVM_OK);
    if (network_place(n, &err) != GVM_OK) fail_msg("%s", err.text);
    if (learner_open(&learner, n, optimizer, PAIRS, recipe->losses, rho, drop, 7, &err) != GVM_OK)
        fail_msg("%s", err.text);
    for (int i = 0; i < steps; i++) {
        struct losses l;
        learner_take(&learner, street[i % 2], aerial[i % 2], cells ? allowed[i % 2] : NULL);
        learner_start(&learner, i, cosine_factor(i, steps));
        if (learner_finish(&l, &learner, &err) != GVM_OK) fail_msg("%s", err.text);
        o.losses[i] = l.total;
    }
    if (learner_fetch(&learner, &err) != GVM_OK) fail_msg("%s", err.text);
    assert_int_equal(optimizer->step, steps);
    o.weights = copy(n->weights, n->floats);
    o.grads = copy(n->grads, n->floats);
    o.m = copy(optimizer->m, n->floats);
    learner_close(&learner);
    optimizer_free(optimizer);
    network_free(n);
    for (int i = 0; i < 2; i++) {
        free(street[i]);
        free(aerial[i]);
    }
    return o;
}

/* Cosine between the changes of the weights. */
static double way(const struct outcome *a, const struct outcome *b)
{
    double xy = 0, xx = 0, yy = 0;
    for (size_t i = 0; i < a->floats; i++) {
        double x = (double)a->weights[i] - a->start[i], y = (double)b->weights[i] - b->start[i];
        xy += x * y;
        xx += x * x;
        yy += y * y;
    }
    return xy / sqrt(xx * yy);
}

static void compare(const char *name, int steps, gvm_precision precision, float drop, float rho, double limit,
                    double least_way)
{
    static const char *const precisions[] = {[GVM_BF16] = "bf16", [GVM_TF32] = "tf32", [GVM_FP32] = "fp32"};
    struct outcome cpu = learn(name, steps, GVM_CPU, precision, drop, rho);
    struct outcome cuda = learn(name, steps, GVM_CUDA, precision, drop, rho);
    double worst = 0, most = 0;
    for (int i = 0; i < steps; i++) most = fmax(most, fabs(cpu.losses[i]));
    for (int i = 0; i < steps; i++) worst = fmax(worst, fabs(cuda.losses[i] - cpu.losses[i]) / most);
    double cosine = way(&cuda, &cpu);
    print_message("%s, %s, %d steps: losses %.5f to %.5f, off by %.2g at most, cosine of the weights' way %.6f\n", name,
                  precisions[precision], steps, cpu.losses[0], cpu.losses[steps - 1], worst, cosine);
    if (!(worst <= limit)) fail_msg("%s: a loss is off by %.3g, more than %g", name, worst, limit);
    if (!(cosine >= least_way)) fail_msg("%s: the weights' way has cosine %.6f", name, cosine);
    free_outcome(&cpu);
    free_outcome(&cuda);
}

/* In float32 with drop paths, which are drawn again in each step as on the CPU. AdamW's first steps have the same
 * length for small and large gradients, so in bfloat16 the weights differ although the losses do not. The second
 * network's initial weights amplify bfloat16's rounding: its features differ twice as much as the others'. */
static void test_ten_steps(void **state)
{
    (void)state;
    choose(GVM_CUDA, GVM_FP32);
    int networks = is_gpu() ? NAMES : 1;
    for (int i = 0; i < networks; i++) {
        compare(names[i], STEPS, GVM_FP32, 0.2f, 2.5f, 1e-4, 0.99);
        compare(names[i], STEPS, GVM_BF16, 0, 2.5f, i == 1 ? 1e-1 : 2e-2, 0.5);
    }
    if (networks == 1) compare("net_seen", 3, GVM_FP32, 0.2f, 2.5f, 1e-4, 0.99);
}

/* The built-in weights: a network of practical size. Without a GPU one pass, which takes seconds. */
static void test_nano(void **state)
{
    (void)state;
    choose(GVM_CUDA, GVM_FP32);
    compare("nano", 1, GVM_FP32, 0.2f, is_gpu() ? 2.5f : 0, 1e-4, 0.99);
    if (is_gpu()) compare("nano", 1, GVM_BF16, 0.2f, 2.5f, 2e-2, 0.5);
}

/* Without ASAM's climb: executed, captured, replayed. */
static void test_no_climb(void **state)
{
    (void)state;
    compare("net_four", 3, GVM_FP32, 0, 0, 1e-4, 0.99);
}

static void test_same_bits(void **state)
{
    (void)state;
    struct outcome a = learn("net_four", 3, GVM_CUDA, GVM_BF16, 0.2f, 2.5f);
    struct outcome b = learn("net_four", 3, GVM_CUDA, GVM_BF16, 0.2f, 2.5f);
    size_t bytes = a.floats * sizeof(float);
    assert_memory_equal(a.losses, b.losses, sizeof a.losses);
    assert_memory_equal(a.weights, b.weights, bytes);
    assert_memory_equal(a.grads, b.grads, bytes);
    assert_memory_equal(a.m, b.m, bytes);
    free_outcome(&a);
    free_outcome(&b);
}

/* A loss that is not finite is reported and leaves weights and moments unchanged. */
static void test_not_finite(void **state)
{
    (void)state;
    choose(GVM_CUDA, GVM_FP32);
    struct network *n = load("net_four", true);
    struct optimizer *o;
    struct learner learner;
    struct losses l;
    gvm_error err;
    for (size_t i = 0; i < n->params[0].count; i++) n->params[0].data[i] = NAN;
    float *before = copy(n->weights, n->floats);
    uint8_t *street = draw(0, PAIRS, n, GVM_STREET), *aerial = draw(1, 2 * PAIRS, n, GVM_AERIAL);
    assert_int_equal(optimizer_open(&o, n->params, n->param_count, n->weights, n->grads, n->floats, &rates_paper, &err),
                     GVM_OK);
    assert_int_equal(network_place(n, &err), GVM_OK);
    assert_int_equal(learner_open(&learner, n, o, PAIRS, &loss_options_paper, 2.5f, 0, 7, &err), GVM_OK);
    for (int i = 0; i < 3; i++) {
        learner_take(&learner, street, aerial, NULL);
        learner_start(&learner, i, 1);
        assert_int_equal(learner_finish(&l, &learner, &err), GVM_ARGUMENT);
    }
    assert_int_equal(learner_fetch(&learner, &err), GVM_OK);
    assert_memory_equal(before, n->weights, n->floats * sizeof *before);
    for (size_t i = 0; i < n->floats; i++) assert_true(o->m[i] == 0 && o->v[i] == 0);
    learner_close(&learner);
    optimizer_free(o);
    network_free(n);
    free(before);
    free(street);
    free(aerial);
}

/* ------------------------------------------------------------------ the optimizer alone */

enum { PARAMS = 3, FLOATS = 96 };

/* The weights of a network, and gradients of all magnitudes. */
struct toy {
    struct param params[PARAMS];
    float weights[FLOATS], grads[FLOATS];
};

static void toy_open(struct toy *t)
{
    static const struct param kinds[PARAMS] = {{.count = 20, .decay = true, .backbone = true},
                                               {.count = 9, .decay = true, .fixed = true},
                                               {.count = 33, .decay = true}};
    memset(t, 0, sizeof *t);
    for (size_t i = 0, at = 0; i < PARAMS; at += (kinds[i].count + 15) / 16 * 16, i++) {
        t->params[i] = kinds[i];
        t->params[i].data = t->weights + at;
        t->params[i].grad = t->grads + at;
        for (size_t j = at; j < at + kinds[i].count; j++) {
            t->weights[j] = random_uniform(3, 0, j) - 0.5f;
            t->grads[j] = 4 * random_uniform(3, 1, j) - 2;
        }
    }
}

static void device_update(struct optimizer *o, struct home *home, struct tape *tape, int key)
{
    gvm_error err;
    float corrections[2];
    optimizer_corrections(corrections, &o->rates, o->step);
    struct step_numbers numbers = {.factor = 1, .correct_m = corrections[0], .correct_v = corrections[1]};
    assert_false(tape_replays(tape, key, &numbers));
    optimizer_update(o, 1);
    tape_recorded(tape);
    if (tape_wait(tape, &err) != GVM_OK || home->device->home_download(home, &err) != GVM_OK) fail_msg("%s", err.text);
}

/* Gradients are clipped to the limit, and fixed parameters stay: as on the CPU. */
static void test_clip_and_fixed(void **state)
{
    (void)state;
    choose(GVM_CUDA, GVM_FP32);
    const struct rates rates = {.backbone = 0.01f,
                                .other = 0.02f,
                                .decay = 0.1f,
                                .beta1 = 0.9f,
                                .beta2 = 0.999f,
                                .epsilon = 1, /* so that a gradient's magnitude matters */
                                .clip = 0.5f};
    struct toy cpu, cuda, start;
    struct optimizer *a, *b;
    struct tape *tape;
    gvm_error err;
    toy_open(&start);
    toy_open(&cpu);
    toy_open(&cuda);
    struct home home = {chosen_device(), cuda.weights, cuda.grads, FLOATS, PRECISION_FP32, NULL};
    assert_int_equal(optimizer_open(&a, cpu.params, PARAMS, cpu.weights, cpu.grads, FLOATS, &rates, &err), GVM_OK);
    assert_int_equal(optimizer_open(&b, cuda.params, PARAMS, cuda.weights, cuda.grads, FLOATS, &rates, &err), GVM_OK);
    assert_int_equal(home.device->home_open(&home, &err), GVM_OK);
    assert_int_equal(tape_open_on(&tape, &home, true, &err), GVM_OK);
    assert_int_equal(optimizer_to_device(b, tape, &err), GVM_OK);
    for (int step = 0; step < 2; step++) {
        optimizer_update(a, 1);
        device_update(b, &home, tape, step + 1);
        for (int i = 0; i < FLOATS; i++) assert_true(fabsf(cpu.weights[i] - cuda.weights[i]) < 1e-6f);
    }
    assert_true(cuda.weights[0] != start.weights[0]);
    assert_memory_equal(cuda.params[1].data, start.params[1].data, start.params[1].count * sizeof(float));
    optimizer_free(b);
    optimizer_free(a);
    tape_free(tape);
    home.device->home_free(&home);
}

/* ------------------------------------------------------------------ features */

enum { PICTURES = 3, BATCH = 2, ROUNDS = 3 };

/* A session's passes over a view's pictures, different in each round; the features are the last round's. */
struct visit {
    const char *path;
    gvm_view view;
    int first; /* of three rounds: full batches are run, captured, replayed; one is not full */
    float *features;
    size_t D;
    gvm_status status;
    gvm_error err;
};

static void *visit(void *argument)
{
    struct visit *v = argument;
    gvm_model *model = NULL;
    gvm_session *session = NULL;
    v->status = gvm_model_open(&model, v->path, &v->err);
    if (v->status == GVM_OK) v->status = gvm_session_open(&session, model, BATCH, &v->err);
    if (v->status == GVM_OK) {
        v->D = (size_t)model->info.features;
        v->features = malloc(PICTURES * v->D * sizeof *v->features);
    }
    for (int round = v->first; round < ROUNDS && v->status == GVM_OK; round++) {
        int pictures = PICTURES * model->network->views[v->view].pictures;
        uint8_t *pixels = draw((uint64_t)round, pictures, model->network, v->view);
        v->status = gvm_embed_pixels(session, v->view, v->features, pixels, PICTURES, &v->err);
        free(pixels);
    }
    gvm_session_free(session);
    gvm_model_free(model);
    return NULL;
}

static float *embed(const char *path, gvm_device device, gvm_precision precision, gvm_view view, size_t *D)
{
    struct visit v = {.path = path, .view = view, .first = device == GVM_CPU ? ROUNDS - 1 : 0};
    choose(device, precision);
    visit(&v);
    if (v.status != GVM_OK) fail_msg("%s: %s", path, v.err.text);
    *D = v.D;
    return v.features;
}

static void check_features(const char *path, gvm_precision precision, double limit)
{
    for (int v = 0; v < 2; v++) {
        size_t D;
        float *cpu = embed(path, GVM_CPU, precision, (gvm_view)v, &D);
        float *cuda = embed(path, GVM_CUDA, precision, (gvm_view)v, &D);
        double worst = 0;
        for (size_t b = 0; b < PICTURES; b++) {
            double square = 0;
            for (size_t i = 0; i < D; i++) square += pow((double)cuda[b * D + i] - cpu[b * D + i], 2);
            worst = fmax(worst, sqrt(square));
        }
        print_message("%s, precision %d: features off by %.2g\n", path, (int)precision, worst);
        if (!(worst <= limit)) fail_msg("%s: a feature is off by %.3g, more than %g", path, worst, limit);
        free(cpu);
        free(cuda);
    }
}

static void test_features(void **state)
{
    (void)state;
    for (int i = 0; i < NAMES; i++) {
        char path[256];
        snprintf(path, sizeof path, "tests/golden/%s.safetensors", names[i]);
        check_features(path, GVM_FP32, 1e-5);
        if (i == 0 || is_gpu()) check_features(path, GVM_TF32, 1e-2);
        check_features(path, GVM_BF16, 3e-2);
    }
}

/* ConvNeXt: odd sizes of maps, odd channels, GELU by tanh; InfoNCE, also with a fixed scale; parts of maps. */
static const char *const next[] = {"sample4geo_odd", "sample4geo_tanh", "frgeo_odd"};

static void test_next(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof next / sizeof *next; i++) {
        char path[256];
        snprintf(path, sizeof path, "tests/golden/%s.safetensors", next[i]);
        check_features(path, GVM_FP32, 1e-5);
        check_features(path, GVM_BF16, 3e-2);
        compare(next[i], STEPS, GVM_FP32, 0.2f, 0, 1e-4, 0.99);
        compare(next[i], STEPS, GVM_BF16, 0, 0, 2e-2, 0.9);
    }
}

/* Several pictures of a place; norm clipping; ignored pairs, different in each step. */
static void test_statewide(void **state)
{
    (void)state;
    check_features("tests/golden/statewide_zooms.safetensors", GVM_FP32, 1e-5);
    check_features("tests/golden/statewide_zooms.safetensors", GVM_BF16, 3e-2);
    compare("statewide_zooms", STEPS, GVM_FP32, 0.2f, 0, 1e-4, 0.99);
    compare("statewide_zooms", STEPS, GVM_BF16, 0, 0, 2e-2, 0.9);
}

/* Two threads, each with its own model and session, get the same results as one. On a GPU with windows of two sizes,
 * which need different amounts of shared memory. */
static void test_two_threads(void **state)
{
    (void)state;
    const char *path = is_gpu() ? "tests/golden/net_flat.safetensors" : "tests/golden/net_four.safetensors";
    size_t D;
    float *alone[2];
    struct visit visits[2];
    pthread_t threads[2];
    for (int v = 0; v < 2; v++) alone[v] = embed(path, GVM_CUDA, GVM_FP32, (gvm_view)v, &D);
    for (int repeat = is_gpu() ? 20 : 2; repeat > 0; repeat--) {
        for (int v = 0; v < 2; v++) {
            visits[v] = (struct visit){.path = path, .view = (gvm_view)v};
            assert_int_equal(pthread_create(&threads[v], NULL, visit, &visits[v]), 0);
        }
        for (int v = 0; v < 2; v++) assert_int_equal(pthread_join(threads[v], NULL), 0);
        for (int v = 0; v < 2; v++) {
            if (visits[v].status != GVM_OK) fail_msg("%s", visits[v].err.text);
            assert_memory_equal(visits[v].features, alone[v], PICTURES * D * sizeof *alone[v]);
            free(visits[v].features);
        }
    }
    free(alone[0]);
    free(alone[1]);
}

/* Lack of memory is reported, and later calls that fit succeed. */
static void test_no_memory(void **state)
{
    (void)state;
    choose(GVM_CUDA, GVM_FP32);
    struct home home = {.device = chosen_device(), .floats = (size_t)1 << 40, .precision = PRECISION_FP32};
    gvm_error err;
    size_t D;
    assert_int_equal(home.device->home_open(&home, &err), GVM_MEMORY);
    free(embed("tests/golden/net_four.safetensors", GVM_CUDA, GVM_FP32, GVM_AERIAL, &D));
}

int main(void)
{
    gvm_error err;
    if (gvm_set_device(GVM_CUDA, GVM_BF16, &err) != GVM_OK) {
        print_message("skipped: %s\n", err.text);
        return 77;
    }
    char about[128];
    chosen_device()->about(about, sizeof about);
    print_message("%s\n", about);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_features),       cmocka_unit_test(test_next),      cmocka_unit_test(test_two_threads),
        cmocka_unit_test(test_no_memory),      cmocka_unit_test(test_ten_steps), cmocka_unit_test(test_nano),
        cmocka_unit_test(test_no_climb),       cmocka_unit_test(test_same_bits), cmocka_unit_test(test_not_finite),
        cmocka_unit_test(test_clip_and_fixed), cmocka_unit_test(test_statewide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
