/* golden_support.c - see golden_support.h */
#include "golden_support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "layers/device_cpu.h"
#include "network/checkpoint.h"
#include "network/config_file.h"
#include "network/import.h"
#include "network/methods/geoviewmatch.h"
#include "network/registry.h"

char golden_folder[512] = "tests/golden";

static const struct rates rates_next = {
    .backbone = 1e-3f, .other = 1e-3f, .decay = 0.01f, .beta1 = 0.9f, .beta2 = 0.999f, .epsilon = 1e-8f};
static const struct rates rates_state = {
    .backbone = 1e-4f, .other = 1e-4f, .decay = 0.01f, .beta1 = 0.9f, .beta2 = 0.999f, .epsilon = 1e-8f};
static const struct loss_options losses_next = {.smoothing = 0.1f}, losses_frgeo = {0};
static const struct rates rates_frgeo = {
    .backbone = 1e-4f, .other = 1e-4f, .decay = 0.03f, .beta1 = 0.9f, .beta2 = 0.999f, .epsilon = 1e-8f};

const struct golden_recipe *golden_recipe(const struct network *network)
{
    static const struct golden_recipe paper = {&rates_paper, &loss_options_paper, 2.5f},
                                      next = {&rates_next, &losses_next, 0}, state = {&rates_state, &losses_next, 0},
                                      frgeo = {&rates_frgeo, &losses_frgeo, 2.5f};
    const struct method *m = network->config.method;
    if (m == method_find("frgeo")) return &frgeo;
    return m == method_find("sample4geo") ? &next : m == method_find("statewide") ? &state : &paper;
}

static const char *const views[2] = {"street", "aerial"};

void golden_full_size(void)
{
    const char *full = getenv("GVM_GOLDEN_FULL");
    if (full == NULL) {
        print_message("skipped: GVM_GOLDEN_FULL names no folder made by tools/make_golden.py\n");
        skip();
    }
    snprintf(golden_folder, sizeof golden_folder, "%s", full);
}

/* ------------------------------------------------------------------ the files */

static const struct safetensors_tensor *tensor(const struct golden *g, const char *name)
{
    const struct safetensors_tensor *t = safetensors_find(g->st, name);
    if (t == NULL) fail_msg("%s: no '%s'", safetensors_where(g->st), name);
    return t;
}

float *golden_values(const struct golden *g, const char *name, size_t *count)
{
    const struct safetensors_tensor *t = tensor(g, name);
    float *v = malloc((t->count + 1) * sizeof *v);
    gvm_error err;
    if (safetensors_read_f32(v, g->st, t, &err) != GVM_OK) fail_msg("%s", err.text);
    if (count) *count = t->count;
    return v;
}

static void file_name(char path[1024], const char *name, const char *what)
{
    snprintf(path, 1024, "%s/%s%s.safetensors", golden_folder, name, what);
}

static struct safetensors *open_numbers(const char *name)
{
    struct safetensors *st;
    char path[1024];
    gvm_error err;
    file_name(path, name, "_golden");
    if (safetensors_open(&st, path, &err) != GVM_OK) fail_msg("%s", err.text);
    return st;
}

/* Name of a pair's i-th aerial picture. */
static const char *aerial_name(const struct golden *g, int i)
{
    return g->network->config.method->aerial_each == 1 ? "aerial" : i == 0 ? "strong" : "weak";
}

static void read_allowed(struct golden *g)
{
    if (safetensors_find(g->st, "allowed") == NULL) return;
    size_t count;
    float *allowed = golden_values(g, "allowed", &count);
    g->allowed = malloc(count);
    for (size_t i = 0; i < count; i++) g->allowed[i] = allowed[i] != 0;
    free(allowed);
}

/* The street pictures, each followed by its visibility if the network is masked. */
static uint8_t *read_street(const struct golden *g)
{
    size_t each = g->network->views[GVM_STREET].bytes, B = (size_t)g->B, pixels = tensor(g, "street")->bytes / B;
    const uint8_t *from = tensor(g, "street")->data;
    uint8_t *street = malloc(B * each);
    assert_true(each == pixels || each - pixels == tensor(g, "seen")->bytes / B);
    for (size_t b = 0; b < B; b++) {
        memcpy(street + b * each, from + b * pixels, pixels);
        if (each == pixels) continue;
        const uint8_t *seen = tensor(g, "seen")->data;
        memcpy(street + b * each + pixels, seen + b * (each - pixels), each - pixels);
    }
    return street;
}

struct golden golden_open(const char *name, bool training)
{
    struct golden g = {0};
    char path[1024];
    gvm_error err;
    file_name(path, name, "");
    if (checkpoint_load(&g.network, path, training, &err) != GVM_OK) fail_msg("%s", err.text);
    g.st = open_numbers(name);
    g.B = (int)tensor(&g, "street")->shape[0];
    g.street = read_street(&g);
    int each = g.network->config.method->aerial_each;
    size_t bytes = tensor(&g, aerial_name(&g, 0))->bytes;
    g.aerial = malloc((size_t)each * bytes);
    read_allowed(&g);
    for (int i = 0; i < each; i++) memcpy(g.aerial + (size_t)i * bytes, tensor(&g, aerial_name(&g, i))->data, bytes);
    return g;
}

void golden_close(struct golden *g)
{
    free(g->street);
    free(g->aerial);
    free(g->allowed);
    safetensors_close(g->st);
    network_free(g->network);
}

/* |x - y| / |y| */
static double distance(const float *x, const float *y, size_t n)
{
    double error = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        error += ((double)x[i] - y[i]) * ((double)x[i] - y[i]);
        size += (double)y[i] * y[i];
    }
    return sqrt(error / (size > 0 ? size : 1));
}

double golden_expect(const struct golden *g, const char *name, const float *got, size_t most, double limit)
{
    size_t n;
    float *want = golden_values(g, name, &n);
    assert_true(n <= most);
    double d = distance(got, want, n);
    if (!(d <= limit)) fail_msg("%s: %s is off by %.3g", safetensors_where(g->st), name, d);
    free(want);
    return d;
}

struct network *golden_preset(const char *preset)
{
    struct config config;
    struct network *network;
    gvm_error err;
    if (config_preset(&config, preset, &err) != GVM_OK) fail_msg("%s", err.text);
    if (network_open(&network, &config, false, &err) != GVM_OK) fail_msg("%s", err.text);
    return network;
}

/* ------------------------------------------------------------------ inference */

struct tape *golden_tape(const struct golden *g, int view, int B, bool packed)
{
    struct tape *tape;
    gvm_error err;
    if (tape_open(&tape, false, packed, &err) != GVM_OK) fail_msg("%s", err.text);
    branch_forward(NULL, tape, &g->network->views[view], view == GVM_STREET ? g->street : g->aerial, B, 0);
    if (tape_allocate(tape, &err) != GVM_OK) fail_msg("%s", err.text);
    return tape;
}

/* The largest error of a view's stages and features. */
static double check_view(const struct golden *g, int v, bool packed, double limit)
{
    const struct branch *branch = &g->network->views[v];
    int each = v == GVM_STREET ? 1 : g->network->config.method->aerial_each, B = each * g->B;
    double worst = 0;
    struct trace trace;
    struct tape *tape = golden_tape(g, v, B, packed);
    struct tensor *f = branch_forward(&trace, tape, branch, v == GVM_STREET ? g->street : g->aerial, B, 0);
    char key[64];
    for (int s = 0; s < branch->maps.count; s++) {
        snprintf(key, sizeof key, "out.%s.stage%d", views[v], s + 1);
        size_t n = (size_t)trace.maps[s]->B * (size_t)trace.maps[s]->L * (size_t)trace.maps[s]->C;
        worst = fmax(worst, golden_expect(g, key, trace.maps[s]->data, n, limit));
    }
    for (int i = 0; i < each; i++) {
        snprintf(key, sizeof key, "out.%s.feature", v == GVM_STREET ? "street" : aerial_name(g, i));
        size_t n = (size_t)g->B * (size_t)f->C;
        worst = fmax(worst, golden_expect(g, key, f->data + (size_t)i * n, n, limit));
    }
    tape_free(tape);
    return worst;
}

void golden_check_outputs(const char *name, double limit)
{
    for (int packed = 0; packed < 2; packed++) {
        struct golden g = golden_open(name, false);
        gvm_error err;
        if (packed) assert_int_equal(network_pack(g.network, &err), GVM_OK);
        double worst = fmax(check_view(&g, GVM_STREET, packed, limit), check_view(&g, GVM_AERIAL, packed, limit));
        print_message("%s%s: stages and features off by %.2g at most\n", name, packed ? " (packed)" : "", worst);
        golden_close(&g);
    }
}

void golden_check_import(const char *name, const char *preset, double limit)
{
    struct golden g = {.network = golden_preset(preset), .st = open_numbers(name)};
    char path[1024];
    gvm_error err;
    file_name(path, name, "");
    if (backbone_load(g.network, path, &err) != GVM_OK) fail_msg("%s", err.text);
    int B = (int)tensor(&g, "aerial")->shape[0];
    const uint8_t *pixels = tensor(&g, "aerial")->data;
    struct trace trace;
    struct tape *tape = golden_tape(&g, GVM_AERIAL, B, false);
    struct tensor *f = branch_forward(&trace, tape, &g.network->views[GVM_AERIAL], pixels, B, 0);
    const struct tensor *last = trace.maps[g.network->views[GVM_AERIAL].maps.count - 1];
    size_t n = (size_t)B * (size_t)last->L * (size_t)last->C;
    double worst = golden_expect(&g, "out.aerial.stage4", last->data, n, limit);
    if (safetensors_find(g.st, "out.aerial.feature") != NULL)
        worst = fmax(worst, golden_expect(&g, "out.aerial.feature", f->data, (size_t)B * (size_t)f->C, limit));
    print_message("%s into %s: off by %.2g\n", name, preset, worst);
    tape_free(tape);
    golden_close(&g);
}

/* ------------------------------------------------------------------ learning */

static struct losses learn(struct tape *tape, const struct golden *g, const struct loss_options *options)
{
    const struct method *method = g->network->config.method;
    const struct step_input input = {g->street, g->aerial, g->allowed};
    method->learn(tape, g->network, &input, g->B, options, 0);
    return method->losses(tape, options);
}

void golden_check_gradients(const char *name)
{
    struct golden g = golden_open(name, true);
    const struct loss_options *options = golden_recipe(g.network)->losses;
    struct tape *tape;
    gvm_error err;
    if (tape_open(&tape, true, false, &err) != GVM_OK) fail_msg("%s", err.text);
    learn(tape, &g, options);
    if (tape_allocate(tape, &err) != GVM_OK) fail_msg("%s", err.text);
    struct losses l = learn(tape, &g, options);
    size_t count;
    float *want = golden_values(&g, "loss", &count);
    for (size_t i = 0; i < count; i++) { /* each part as exact as the whole */
        float got = i == 0 ? l.total : l.terms[i - 1];
        if (!(fabsf(got - want[i]) <= 1e-5f * want[0]))
            fail_msg("%s: loss %zu is %.8g, not %.8g", name, i, got, want[i]);
    }
    free(want);
    tape_backward(tape);
    double worst = 0;
    const char *which = "";
    for (int i = 0; i < g.network->param_count; i++) {
        const struct param *p = &g.network->params[i];
        char key[128];
        snprintf(key, sizeof key, "grad.%s", p->name);
        double d = golden_expect(&g, key, p->grad, p->count, 1e-3);
        if (d > worst) {
            worst = d;
            which = p->name;
        }
    }
    print_message("%s: loss %.7f; worst gradient %.2g (%s)\n", name, l.total, worst, which);
    tape_free(tape);
    golden_close(&g);
}

struct lesson {
    struct optimizer *optimizer;
    struct learner learner;
};

static void open_lesson(struct lesson *l, const struct golden *g, float drop)
{
    struct network *n = g->network;
    const struct golden_recipe *recipe = golden_recipe(n);
    struct rates rates = *recipe->rates;
    gvm_error err;
    if (safetensors_find(g->st, "clip") != NULL) {
        float *clip = golden_values(g, "clip", NULL);
        rates.clip = clip[0];
        free(clip);
    }
    if (safetensors_find(g->st, "clip_length") != NULL) {
        float *clip = golden_values(g, "clip_length", NULL);
        rates.clip_length = clip[0];
        free(clip);
    }
    if (optimizer_open(&l->optimizer, n->params, n->param_count, n->weights, n->grads, n->floats, &rates, &err) !=
        GVM_OK)
        fail_msg("%s", err.text);
    if (learner_open(&l->learner, n, l->optimizer, g->B, recipe->losses, recipe->rho, drop, 7, &err) != GVM_OK)
        fail_msg("%s", err.text);
    learner_take(&l->learner, g->street, g->aerial, g->allowed);
}

static void close_lesson(struct lesson *l)
{
    learner_close(&l->learner);
    optimizer_free(l->optimizer);
}

static double step(struct lesson *l, long number, float factor)
{
    struct losses losses;
    gvm_error err;
    learner_start(&l->learner, number, factor);
    if (learner_finish(&losses, &l->learner, &err) != GVM_OK) fail_msg("%s", err.text);
    return losses.total;
}

/* Cosine between the change of the weights since `start` and PyTorch's. */
static double way(const struct golden *g, const float *start)
{
    const struct network *n = g->network;
    double xy = 0, xx = 0, yy = 0;
    for (int i = 0; i < n->param_count; i++) {
        const struct param *p = &n->params[i];
        char key[128];
        snprintf(key, sizeof key, "after.%s", p->name);
        float *after = golden_values(g, key, NULL);
        for (size_t k = 0; k < p->count; k++) {
            double from = start[p->data - n->weights + k], x = p->data[k] - from, y = after[k] - from;
            xy += x * y;
            xx += x * x;
            yy += y * y;
        }
        free(after);
    }
    return xy / sqrt(xx * yy);
}

void golden_check_training(const char *name)
{
    struct golden g = golden_open(name, true);
    struct network *n = g.network;
    struct lesson lesson;
    float *factors = golden_values(&g, "factors", NULL), *losses = golden_values(&g, "losses", NULL);
    float *start = malloc(n->floats * sizeof *start);
    memcpy(start, n->weights, n->floats * sizeof *start);
    open_lesson(&lesson, &g, 0);
    double worst = 0, most = 0; /* a loss can be near 0 while its parts are not */
    for (int i = 0; i < 10; i++) most = fmax(most, fabs((double)losses[i]));
    for (int i = 0; i < 10; i++) {
        double loss = step(&lesson, i, factors[i]), d = fabs(loss - losses[i]) / most;
        if (!(d <= 1e-5)) fail_msg("%s: the loss of step %d is %.8g, not %.8g", name, i, loss, losses[i]);
        worst = fmax(worst, d);
    }
    char key[128];
    snprintf(key, sizeof key, "after.%s", n->params[0].name);
    bool has_weights = safetensors_find(g.st, key) != NULL;
    double cosine = has_weights ? way(&g, start) : 1;
    if (!(cosine > 0.999)) fail_msg("%s: the update's cosine with PyTorch's is %.6f", name, cosine);
    print_message("%s: ten steps, worst loss off by %.2g", name, worst);
    if (has_weights) print_message(", update's cosine %.7f", cosine);
    print_message("\n");
    close_lesson(&lesson);
    free(start);
    free(factors);
    free(losses);
    golden_close(&g);
}

/* ------------------------------------------------------------------ the same twice */

/* Weights, gradients and street features after three steps. floats, out: their number. */
static float *three_steps(size_t *floats, const char *name)
{
    struct golden g = golden_open(name, true);
    struct network *n = g.network;
    struct lesson lesson;
    open_lesson(&lesson, &g, 0.2f);
    for (int i = 0; i < 3; i++) step(&lesson, i, 1);
    struct tape *tape = golden_tape(&g, GVM_STREET, g.B, false);
    struct tensor *f = branch_forward(NULL, tape, &n->views[GVM_STREET], g.street, g.B, 0);
    size_t features = (size_t)f->B * (size_t)f->C;
    *floats = 2 * n->floats + features;
    float *bits = malloc(*floats * sizeof *bits);
    memcpy(bits, n->weights, n->floats * sizeof *bits);
    memcpy(bits + n->floats, n->grads, n->floats * sizeof *bits);
    memcpy(bits + 2 * n->floats, f->data, features * sizeof *bits);
    tape_free(tape);
    close_lesson(&lesson);
    golden_close(&g);
    return bits;
}

void golden_check_same_bits(const char *name)
{
    size_t floats;
    float *one = three_steps(&floats, name), *two = three_steps(&floats, name);
    assert_memory_equal(one, two, floats * sizeof *one);
    free(one);
    free(two);
}

void golden_check_saved(const char *name)
{
    struct golden g = golden_open(name, false);
    struct network *again;
    gvm_error err;
    char path[] = "/tmp/gvm-network-XXXXXX", one[17], two[17];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    if (checkpoint_save(g.network, path, false, &err) != GVM_OK) fail_msg("%s", err.text);
    if (checkpoint_load(&again, path, false, &err) != GVM_OK) fail_msg("%s", err.text);
    assert_memory_equal(again->weights, g.network->weights, again->floats * sizeof *again->weights);
    network_fingerprint(one, g.network);
    network_fingerprint(two, again);
    assert_string_equal(one, two);
    again->weights[5] += 1;
    network_fingerprint(two, again);
    assert_string_not_equal(one, two);
    remove(path);
    network_free(again);
    golden_close(&g);
}
