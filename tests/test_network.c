/* test_network.c - the whole network against golden files that tools/make_golden.py computed with PyTorch: stages,
 * features, losses, every parameter's gradient, ten training steps; and what must come out the same twice.
 *
 * With a folder in GVM_GOLDEN_FULL (make_golden.py --full, --timm) the full-size network and the import of timm's
 * weights are compared too. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/safetensors.h"
#include "layers/device_cpu.h"
#include "network/checkpoint.h"
#include "network/config_file.h"
#include "network/import.h"
#include "network/methods/geoviewmatch.h"
#include "optim/optimizer.h"
#include "tensor/kernels.h"

static char folder[512] = "tests/golden";

struct golden {
    struct safetensors *st;
    struct network *network;
    const uint8_t *street;
    uint8_t *aerial; /* strong, then weak */
    int B;
};

static const struct safetensors_tensor *tensor(const struct golden *g, const char *name)
{
    const struct safetensors_tensor *t = safetensors_find(g->st, name);
    if (t == NULL) fail_msg("%s: no '%s'", safetensors_where(g->st), name);
    return t;
}

static float *values(const struct golden *g, const char *name, size_t *count)
{
    const struct safetensors_tensor *t = tensor(g, name);
    float *v = malloc((t->count + 1) * sizeof *v);
    gvm_error err;
    if (safetensors_read_f32(v, g->st, t, &err) != GVM_OK) fail_msg("%s", err.text);
    if (count) *count = t->count;
    return v;
}

static struct golden open_golden(const char *name, bool training)
{
    struct golden g = {0};
    char path[1024];
    gvm_error err;
    snprintf(path, sizeof path, "%s/%s.safetensors", folder, name);
    if (checkpoint_load(&g.network, path, training, &err) != GVM_OK) fail_msg("%s", err.text);
    snprintf(path, sizeof path, "%s/%s_golden.safetensors", folder, name);
    if (safetensors_open(&g.st, path, &err) != GVM_OK) fail_msg("%s", err.text);
    const struct safetensors_tensor *street = tensor(&g, "street"), *strong = tensor(&g, "strong"),
                                    *weak = tensor(&g, "weak");
    g.B = (int)street->shape[0];
    g.street = street->data;
    g.aerial = malloc(strong->bytes + weak->bytes);
    memcpy(g.aerial, strong->data, strong->bytes);
    memcpy(g.aerial + strong->bytes, weak->data, weak->bytes);
    return g;
}

static void close_golden(struct golden *g)
{
    free(g->aerial);
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

static double cosine(const float *x, const float *y, size_t n)
{
    double xy = 0, xx = 0, yy = 0;
    for (size_t i = 0; i < n; i++) {
        xy += (double)x[i] * y[i];
        xx += (double)x[i] * x[i];
        yy += (double)y[i] * y[i];
    }
    return xy / sqrt(xx * yy);
}

static double expect(const struct golden *g, const char *name, const float *got, size_t most, double limit)
{
    size_t n;
    float *want = values(g, name, &n);
    assert_true(n <= most);
    double d = distance(got, want, n);
    if (!(d <= limit)) fail_msg("%s: %s is off by %.3g", safetensors_where(g->st), name, d);
    free(want);
    return d;
}

static double expect_cosine(const struct golden *g, const char *name, const float *got)
{
    const struct safetensors_tensor *t = tensor(g, name);
    float *want = values(g, name, NULL);
    double worst = 1;
    size_t D = (size_t)t->shape[1];
    for (size_t b = 0; b < (size_t)t->shape[0]; b++) {
        double c = cosine(got + b * D, want + b * D, D);
        if (!(c > 0.999999)) fail_msg("%s: %s has cosine %.9f with PyTorch's", safetensors_where(g->st), name, c);
        if (c < worst) worst = c;
    }
    free(want);
    return worst;
}

static struct losses learn(struct tape *tape, const struct network *n, const uint8_t *street, const uint8_t *aerial,
                           int B, float drop)
{
    n->config.method->learn(tape, n, street, aerial, B, &loss_options_paper, drop);
    return n->config.method->losses(tape, &loss_options_paper);
}

static struct config preset(const char *name)
{
    struct config config;
    gvm_error err;
    if (config_preset(&config, name, &err) != GVM_OK) fail_msg("%s", err.text);
    return config;
}

static struct tape *new_tape(bool training, bool packed)
{
    struct tape *tape;
    gvm_error err;
    if (tape_open(&tape, training, packed, &err) != GVM_OK) fail_msg("%s", err.text);
    return tape;
}

static void allocate(struct tape *tape)
{
    gvm_error err;
    if (tape_allocate(tape, &err) != GVM_OK) fail_msg("%s", err.text);
}

/* Stages and features in inference, with plain and with packed weights. */
static void check_outputs(const char *name)
{
    for (int packed = 0; packed < 2; packed++) {
        struct golden g = open_golden(name, false);
        gvm_error err;
        if (packed) assert_int_equal(network_pack(g.network, &err), GVM_OK);
        static const char *const views[2] = {"street", "aerial"};
        double worst = 0, least = 1;
        for (int v = 0; v < 2; v++) {
            struct trace trace;
            struct tensor *feature;
            const uint8_t *pixels = v == GVM_STREET ? g.street : g.aerial;
            int B = v == GVM_STREET ? g.B : 2 * g.B;
            struct tape *tape = new_tape(false, packed);
            branch_forward(&trace, tape, &g.network->views[v], pixels, B, 0);
            allocate(tape);
            feature = branch_forward(&trace, tape, &g.network->views[v], pixels, B, 0);
            for (int s = 0; s < g.network->views[v].maps.count; s++) {
                char key[64];
                snprintf(key, sizeof key, "out.%s.stage%d", views[v], s + 1);
                double d = expect(&g, key, trace.maps[s]->data, (size_t)B * trace.maps[s]->L * trace.maps[s]->C, 1e-4);
                if (d > worst) worst = d;
            }
            double c;
            if (v == GVM_STREET) {
                c = expect_cosine(&g, "out.street.feature", feature->data);
            } else {
                c = expect_cosine(&g, "out.strong.feature", feature->data);
                double w = expect_cosine(&g, "out.weak.feature", feature->data + (size_t)g.B * feature->C);
                if (w < c) c = w;
            }
            if (c < least) least = c;
            tape_free(tape);
        }
        print_message("%s%s: worst stage %.2g, features' cosine at least %.9f\n", name, packed ? " (packed)" : "",
                      worst, least);
        close_golden(&g);
    }
}

/* Head, losses and every gradient of the full loss. */
static void check_gradients(const char *name)
{
    struct golden g = open_golden(name, true);
    struct tape *tape = new_tape(true, false);
    learn(tape, g.network, g.street, g.aerial, g.B, 0);
    allocate(tape);
    struct losses l = learn(tape, g.network, g.street, g.aerial, g.B, 0);
    float got[4] = {l.total, l.terms[0], l.terms[1], l.terms[2]}, *want = values(&g, "loss", NULL);
    for (int i = 0; i < 4; i++)
        if (!(fabsf(got[i] - want[i]) <= 1e-5f * want[0])) /* the parts as exact as the whole */
            fail_msg("%s: loss %d is %.8g, not %.8g", name, i, got[i], want[i]);
    free(want);
    tape_backward(tape);
    double worst = 0;
    const char *which = "";
    for (int i = 0; i < g.network->param_count; i++) {
        const struct param *p = &g.network->params[i];
        char key[128];
        snprintf(key, sizeof key, "grad.%s", p->name);
        double d = expect(&g, key, p->grad, p->count, 1e-3);
        if (d > worst) {
            worst = d;
            which = p->name;
        }
    }
    print_message("%s: loss %.7f; worst gradient %.2g (%s)\n", name, l.total, worst, which);

    tape_reset(tape); /* the head on its own */
    struct tensor *f = branch_forward(NULL, tape, &g.network->views[GVM_AERIAL], g.aerial, 2 * g.B, 0);
    struct tensor *h = project(tape, g.network, f);
    expect(&g, "out.strong.head", h->data, (size_t)g.B * h->C, 1e-4);
    expect(&g, "out.weak.head", h->data + (size_t)g.B * h->C, (size_t)g.B * h->C, 1e-4);
    tape_free(tape);
    close_golden(&g);
}

static struct losses asam_step(struct tape *tape, struct golden *g, struct optimizer *o, float factor)
{
    struct losses first = {0};
    for (int pass = 0; pass < 2; pass++) {
        network_clear_gradients(g->network);
        tape_reset(tape);
        struct losses l = learn(tape, g->network, g->street, g->aerial, g->B, 0);
        tape_backward(tape);
        if (pass == 0) {
            first = l;
            asam_climb(o, 2.5f);
        }
    }
    asam_return(o);
    optimizer_update(o, factor);
    return first;
}

/* Ten ASAM + AdamW steps: the same losses, and the weights' way as PyTorch's. */
static void check_training(const char *name)
{
    struct golden g = open_golden(name, true);
    struct network *n = g.network;
    float *factors = values(&g, "factors", NULL), *losses = values(&g, "losses", NULL);
    struct tape *tape = new_tape(true, false);
    learn(tape, n, g.street, g.aerial, g.B, 0);
    allocate(tape);
    struct optimizer *o;
    gvm_error err;
    assert_int_equal(optimizer_open(&o, n->params, n->param_count, n->weights, n->grads, n->floats, &rates_paper, &err),
                     GVM_OK);
    float *start = malloc(n->floats * sizeof *start);
    memcpy(start, n->weights, n->floats * sizeof *start);
    double worst = 0;
    for (int i = 0; i < 10; i++) {
        double loss = asam_step(tape, &g, o, factors[i]).total, d = fabs(loss / losses[i] - 1);
        if (!(d <= 1e-5)) fail_msg("%s: the loss of step %d is %.8g, not %.8g", name, i, loss, losses[i]);
        if (d > worst) worst = d;
    }
    double xy = 0, xx = 0, yy = 0;
    bool has_weights = strcmp(name, "net_flat") == 0; /* the one golden file that holds the weights after ten steps */
    for (int i = 0; i < n->param_count && has_weights; i++) {
        const struct param *p = &n->params[i];
        char key[128];
        snprintf(key, sizeof key, "after.%s", p->name);
        float *after = values(&g, key, NULL);
        for (size_t k = 0; k < p->count; k++) {
            double from = start[p->data - n->weights + k], x = p->data[k] - from, y = after[k] - from;
            xy += x * y;
            xx += x * x;
            yy += y * y;
        }
        free(after);
    }
    if (has_weights && !(xy / sqrt(xx * yy) > 0.999))
        fail_msg("%s: the update's cosine with PyTorch's is %.6f", name, xy / sqrt(xx * yy));
    print_message("%s: ten steps, worst loss off by %.2g", name, worst);
    if (has_weights) print_message(", update's cosine %.7f", xy / sqrt(xx * yy));
    print_message("\n");
    free(start);
    free(factors);
    free(losses);
    optimizer_free(o);
    tape_free(tape);
    close_golden(&g);
}

static const char *const names[] = {"net_narrow", "net_flat", "net_four"};

static void test_outputs(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) check_outputs(names[i]);
}

static void test_gradients(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) check_gradients(names[i]);
}

static void test_training(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) check_training(names[i]);
}

/* Two runs with drop path leave the same bits in weights, gradients and features. */
static void test_same_bits(void **state)
{
    (void)state;
    float *bits[2] = {NULL, NULL};
    size_t floats = 0, features = 0;
    for (int run = 0; run < 2; run++) {
        struct golden g = open_golden("net_narrow", true);
        struct network *n = g.network;
        struct tape *tape = new_tape(true, false);
        tape->seed = 7;
        learn(tape, n, g.street, g.aerial, g.B, 0.2f);
        allocate(tape);
        struct optimizer *o;
        gvm_error err;
        assert_int_equal(
            optimizer_open(&o, n->params, n->param_count, n->weights, n->grads, n->floats, &rates_paper, &err), GVM_OK);
        for (int i = 0; i < 3; i++) {
            tape->step = (uint64_t)i;
            asam_step(tape, &g, o, 1);
        }
        tape_reset(tape);
        struct tensor *f = branch_forward(NULL, tape, &n->views[GVM_STREET], g.street, g.B, 0);
        floats = n->floats;
        features = (size_t)f->B * f->C;
        bits[run] = malloc((2 * floats + features) * sizeof *bits[run]);
        memcpy(bits[run], n->weights, floats * sizeof *bits[run]);
        memcpy(bits[run] + floats, n->grads, floats * sizeof *bits[run]);
        memcpy(bits[run] + 2 * floats, f->data, features * sizeof *bits[run]);
        optimizer_free(o);
        tape_free(tape);
        close_golden(&g);
    }
    assert_memory_equal(bits[0], bits[1], (2 * floats + features) * sizeof *bits[0]);
    free(bits[0]);
    free(bits[1]);
}

static void test_save_and_load(void **state)
{
    (void)state;
    struct golden g = open_golden("net_narrow", false);
    struct network *again;
    gvm_error err;
    char path[] = "/tmp/gvm-network-XXXXXX", one[17], two[17];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
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
    close_golden(&g);
}

/* A file of a later layout is refused by a sentence that names both. */
static void test_later_version(void **state)
{
    (void)state;
    gvm_error err;
    struct network *n;
    float one = 1;
    char path[] = "/tmp/gvm-network-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    const struct safetensors_entry entry = {.name = "x", .rank = 1, .shape = {1}, .data = &one};
    const struct safetensors_pair metadata[] = {{"config", "{}"}, {"version", "2"}, {"program", "0.9.0"}};
    if (safetensors_write(path, &entry, 1, metadata, 3, &err) != GVM_OK) fail_msg("%s", err.text);
    assert_int_equal(checkpoint_load(&n, path, false, &err), GVM_FORMAT);
    if (!strstr(err.text, "weights of version 2, written by GeoViewMatch 0.9.0") ||
        !strstr(err.text, "reads version 1"))
        fail_msg("%s", err.text);
    remove(path);
}

/* Fresh blocks are the identity, and the parameters are as many as the paper says. */
static void test_fresh(void **state)
{
    (void)state;
    struct network *n;
    gvm_error err;
    struct config paper = preset("paper"), nano = preset("nano");
    assert_int_equal(network_open(&n, &paper, false, &err), GVM_OK);
    assert_int_equal(network_parameters(n), 57486548);
    assert_int_equal(config_parameters(&paper), 57486548);
    network_free(n);
    assert_int_equal(network_open(&n, &nano, false, &err), GVM_OK);
    assert_int_equal(network_parameters(n), config_parameters(&nano));
    network_fresh(n, 1);
    double sum = 0, square = 0;
    size_t count = 0;
    for (int i = 0; i < n->param_count; i++) {
        const struct param *p = &n->params[i];
        if (strstr(p->name, "norm1.weight")) assert_true(p->data[0] == 0);
        if (strstr(p->name, "downsample.norm.weight")) assert_true(p->data[0] == 1);
        if (strstr(p->name, "logit_scale")) assert_true(fabsf(p->data[0] - logf(10)) < 1e-6f);
        if (!strstr(p->name, "mlp.fc1.weight")) continue;
        for (size_t k = 0; k < p->count; k++, count++) {
            sum += p->data[k];
            square += (double)p->data[k] * p->data[k];
        }
    }
    assert_true(fabs(sum / (double)count) < 1e-4);
    assert_true(fabs(sqrt(square / (double)count) - 0.02) < 1e-4);
    network_free(n);
}

static bool full_size(void)
{
    const char *full = getenv("GVM_GOLDEN_FULL");
    if (full == NULL) {
        print_message("skipped: GVM_GOLDEN_FULL names no folder made by tools/make_golden.py\n");
        return false;
    }
    snprintf(folder, sizeof folder, "%s", full);
    return true;
}

static void test_full_size(void **state)
{
    (void)state;
    if (!full_size()) skip();
    check_outputs("full");
    check_gradients("full");
}

static void test_timm(void **state)
{
    (void)state;
    if (!full_size()) skip();
    struct network *n;
    struct golden g = {0};
    gvm_error err;
    char path[1024];
    struct config paper = preset("paper");
    assert_int_equal(network_open(&n, &paper, false, &err), GVM_OK);
    snprintf(path, sizeof path, "%s/timm.safetensors", folder);
    if (backbone_load(n, path, &err) != GVM_OK) fail_msg("%s", err.text);
    snprintf(path, sizeof path, "%s/timm_golden.safetensors", folder);
    if (safetensors_open(&g.st, path, &err) != GVM_OK) fail_msg("%s", err.text);
    const struct safetensors_tensor *pixels = tensor(&g, "aerial");
    int B = (int)pixels->shape[0];
    struct trace trace;
    struct tape *tape = new_tape(false, false);
    branch_forward(&trace, tape, &n->views[GVM_AERIAL], pixels->data, B, 0);
    allocate(tape);
    branch_forward(&trace, tape, &n->views[GVM_AERIAL], pixels->data, B, 0);
    double d = expect(&g, "out.aerial.stage4", trace.maps[3]->data, (size_t)B * 64 * 768, 1e-4);
    print_message("timm's last stage: off by %.2g\n", d);
    tape_free(tape);
    safetensors_close(g.st);
    network_free(n);
}

int main(int count, char **arguments)
{
    if (count > 1) snprintf(folder, sizeof folder, "%s", arguments[1]);
    print_message("instructions: %s\n", kernels()->name);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outputs),       cmocka_unit_test(test_gradients), cmocka_unit_test(test_training),
        cmocka_unit_test(test_same_bits),     cmocka_unit_test(test_fresh),     cmocka_unit_test(test_save_and_load),
        cmocka_unit_test(test_later_version), cmocka_unit_test(test_full_size), cmocka_unit_test(test_timm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
