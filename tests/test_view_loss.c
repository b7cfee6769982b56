/* test_view_loss.c - GeoViewMatch's losses with views of the panoramas: their values from the features in double, their
 * gradient against difference quotients, and training of a small network with visibility */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "image/training_view.h"
#include "layers/device_cpu.h"
#include "network/config_file.h"
#include "network/learn.h"
#include "network/methods/geoviewmatch.h"
#include "network/place.h"

enum { B = 4 };

static const char config_text[] = "{\"model\":\"geoviewmatch\",\"dim\":8,\"depths\":[2,2,2,2],\"heads\":[1,2,2,2],"
                                  "\"window\":4,\"street\":[32,160],\"aerial\":[64,64],\"stages\":[3,4],\"masks\":2,"
                                  "\"head\":6,\"visible\":true,\"wrap\":true,\"heading_tolerance\":9}";

static const struct loss_options options = {
    .views = true, .panorama = 1, .view = 0.7f, .agreement = 0.4f, .variants = 0.6f, .alpha = 10};

struct lesson {
    struct network *network;
    uint8_t *street, *aerial; /* (2 B, ...) panoramas, then views; strong, then weak pictures */
};

/* Blocks of 8 x 8 pixels of one colour: the pairs differ, and their aerial pictures are alike. */
static void paint(uint8_t *pixels, int H, int W, uint64_t stream)
{
    for (int i = 0; i < H; i++)
        for (int j = 0; j < W; j++)
            for (int c = 0; c < 3; c++)
                *pixels++ = (uint8_t)random_bits(5, stream, (uint64_t)((i / 8 * W + j / 8) * 3 + c));
}

static struct lesson open_lesson(void)
{
    struct lesson l;
    struct config config;
    gvm_error err;
    if (config_parse(&config, config_text, strlen(config_text), "test", &err) != GVM_OK) fail_msg("%s", err.text);
    if (network_open(&l.network, &config, true, &err) != GVM_OK) fail_msg("%s", err.text);
    for (size_t i = 0; i < l.network->floats; i++) l.network->weights[i] = 0;
    network_fresh(l.network, 3);
    for (int i = 0; i < l.network->param_count; i++) { /* so that norms and unseen tokens matter */
        struct param *p = &l.network->params[i];
        for (size_t k = 0; k < p->count; k++) p->data[k] += 0.1f * (float)random_normal(7, (uint64_t)i, k);
    }
    const struct picture_shape shape = config_shape(&config, GVM_STREET);
    const struct training_draws draws = {.tolerance = 9, .seed = 1, .epoch = 9, .epochs = 10};
    size_t street = picture_bytes(&shape), aerial = l.network->views[GVM_AERIAL].bytes;
    l.street = calloc(2 * B, street);
    l.aerial = calloc(2 * B, aerial);
    assert_true(l.street != NULL && l.aerial != NULL);
    for (int b = 0; b < B; b++) {
        const struct training_view view = training_view_draw(&draws, (uint64_t)b);
        uint8_t *panorama = l.street + (size_t)b * street;
        paint(panorama, 32, 160, (uint64_t)b);
        memset(picture_seen(panorama, &shape), 1, seen_bytes(&shape));
        training_view_render(l.street + (size_t)(B + b) * street, panorama, &view, &shape);
        paint(l.aerial + (size_t)b * aerial, 64, 64, (uint64_t)b);
        memcpy(l.aerial + (size_t)(B + b) * aerial, l.aerial + (size_t)b * aerial, aerial);
        for (size_t i = 0; i < aerial; i++) l.aerial[(size_t)b * aerial + i] ^= 16;
    }
    return l;
}

static void close_lesson(struct lesson *l)
{
    network_free(l->network);
    free(l->street);
    free(l->aerial);
}

static const struct step_input *input_of(struct step_input *input, const struct lesson *l)
{
    *input = (struct step_input){.street = l->street, .aerial = l->aerial};
    return input;
}

/* A pass; with `gradient` also backward. */
static struct losses pass(const struct lesson *l, const struct loss_options *o, bool gradient)
{
    const struct method *method = l->network->config.method;
    struct step_input input;
    struct tape *tape;
    gvm_error err;
    if (tape_open(&tape, true, false, &err) != GVM_OK) fail_msg("%s", err.text);
    method->learn(tape, l->network, input_of(&input, l), B, o, 0);
    if (tape_allocate(tape, &err) != GVM_OK) fail_msg("%s", err.text);
    method->learn(tape, l->network, &input, B, o, 0);
    struct losses losses = method->losses(tape, o);
    assert_true(fabsf(losses.total - tape->loss) < 1e-6f);
    network_clear_gradients(l->network);
    if (gradient) tape_backward(tape);
    tape_free(tape);
    return losses;
}

/* Features (2 B, C) of a view; of the aerial one also through the projection head. */
static double *features_of(const struct lesson *l, int view, bool projected, int *C)
{
    struct tape *tape;
    struct tensor *f = NULL;
    gvm_error err;
    if (tape_open(&tape, false, false, &err) != GVM_OK) fail_msg("%s", err.text);
    for (int dry = 1; dry >= 0; dry--) {
        f = branch_forward(NULL, tape, &l->network->views[view], view == GVM_STREET ? l->street : l->aerial, 2 * B, 0);
        if (projected) f = project(tape, l->network, f);
        if (dry && tape_allocate(tape, &err) != GVM_OK) fail_msg("%s", err.text);
    }
    *C = f->C;
    double *x = malloc(sizeof *x * 2 * B * (size_t)f->C);
    assert_non_null(x);
    for (int i = 0; i < 2 * B * f->C; i++) x[i] = (double)f->data[i];
    tape_free(tape);
    return x;
}

/* The soft-margin triplet loss over all pairs of a batch, both ways. */
static double triplet_of(const double *a, const double *b, int C, double alpha)
{
    double d[B][B], sum = 0;
    for (int i = 0; i < B; i++)
        for (int j = 0; j < B; j++) {
            d[i][j] = 0;
            for (int c = 0; c < C; c++) d[i][j] += (a[i * C + c] - b[j * C + c]) * (a[i * C + c] - b[j * C + c]);
        }
    for (int i = 0; i < B; i++)
        for (int j = 0; j < B; j++)
            if (i != j) sum += log1p(exp(alpha * (d[i][i] - d[i][j]))) + log1p(exp(alpha * (d[i][i] - d[j][i])));
    return sum / (2 * B * (B - 1));
}

static void test_values(void **state)
{
    (void)state;
    struct lesson l = open_lesson();
    struct losses got = pass(&l, &options, false);
    int C, P;
    double *street = features_of(&l, GVM_STREET, false, &C), *aerial = features_of(&l, GVM_AERIAL, false, &C);
    double *head = features_of(&l, GVM_AERIAL, true, &P);
    const double *q = street, *v = street + B * C, *strong = aerial, *weak = aerial + B * C;
    const double terms[] = {
        triplet_of(head, head + B * P, P, 10), triplet_of(q, strong, C, 10), triplet_of(q, weak, C, 10),
        triplet_of(v, strong, C, 10),          triplet_of(v, weak, C, 10),   triplet_of(q, v, C, 10)};
    const double weights[] = {0.6, 0.5, 0.5, 0.35, 0.35, 0.4};
    double total = 0;
    for (int i = 0; i < 6; i++) {
        assert_true(fabs((double)got.terms[i] - terms[i]) < 1e-4 * terms[i]);
        total += weights[i] / 2.7 * terms[i];
    }
    assert_true(fabs((double)got.total - total) < 1e-4 * total);
    free(street);
    free(aerial);
    free(head);
    close_lesson(&l);
}

/* Without views the loss and its gradient are those of the panoramas alone, whatever the weights of views. */
static void test_without(void **state)
{
    (void)state;
    struct lesson l = open_lesson();
    struct loss_options plain = loss_options_paper, with = options;
    size_t bytes = l.network->floats * sizeof(float);
    float *gradient = malloc(bytes);
    struct losses a = pass(&l, &plain, true);
    assert_non_null(gradient);
    memcpy(gradient, l.network->grads, bytes);
    plain.panorama = 3;
    plain.view = 5;
    struct losses b = pass(&l, &plain, true);
    assert_memory_equal(gradient, l.network->grads, bytes);
    assert_true(a.total == b.total && a.terms[3] == 0);
    with.view = with.agreement = 0;
    with.variants = with.panorama = 1; /* the paper's proportions */
    struct losses c = pass(&l, &with, false);
    assert_true(fabsf(c.total - a.total) < 1e-5f * a.total);
    free(gradient);
    close_lesson(&l);
}

/* Along the gradient, and along random directions, the loss rises as the gradient says. */
static void test_gradient(void **state)
{
    (void)state;
    struct lesson l = open_lesson();
    struct network *n = l.network;
    float *start = malloc(n->floats * sizeof *start), *along = malloc(n->floats * sizeof *along);
    float *gradient = malloc(n->floats * sizeof *gradient);
    assert_true(start && along && gradient);
    pass(&l, &options, true);
    memcpy(start, n->weights, n->floats * sizeof *start);
    memcpy(gradient, n->grads, n->floats * sizeof *gradient);
    for (int way = 0; way < 4; way++) {
        double length = 0, slope = 0;
        for (size_t i = 0; i < n->floats; i++) {
            along[i] = gradient[i];
            if (way > 0) along[i] *= 0.5f + random_uniform(11, (uint64_t)way, i); /* not orthogonal to it */
            length += (double)along[i] * (double)along[i];
        }
        double h = 2e-3, found = 0;
        for (size_t i = 0; i < n->floats; i++) slope += (double)gradient[i] * (double)along[i] / sqrt(length);
        for (int side = -1; side <= 1; side += 2) {
            for (size_t i = 0; i < n->floats; i++)
                n->weights[i] = (float)((double)start[i] + side * h * (double)along[i] / sqrt(length));
            found += side * (double)pass(&l, &options, false).total / (2 * h);
        }
        memcpy(n->weights, start, n->floats * sizeof *start);
        if (fabs(found / slope - 1) > 5e-3) fail_msg("slope %g, found %g", slope, found);
    }
    free(start);
    free(along);
    free(gradient);
    close_lesson(&l);
}

/* The agreement reaches both halves of the street pictures, and the unseen tokens' vectors learn. */
static void test_reaches(void **state)
{
    (void)state;
    struct lesson l = open_lesson();
    struct loss_options only = {.views = true, .agreement = 1, .alpha = 10};
    pass(&l, &only, true);
    int unseen = 0;
    for (int i = 0; i < l.network->param_count; i++) {
        const struct param *p = &l.network->params[i];
        double square = 0;
        for (size_t k = 0; k < p->count; k++) square += (double)p->grad[k] * (double)p->grad[k];
        bool street = strncmp(p->name, "street.", 7) == 0;
        if (!street && square != 0) fail_msg("%s has a gradient", p->name);
        if (strstr(p->name, "unseen") == NULL) continue;
        unseen++;
        assert_true(street && square > 0);
    }
    assert_true(unseen > 0);
    close_lesson(&l);
}

/* 30 steps lower the loss of a batch of panoramas and views, twice to the same bits. */
static void test_training(void **state)
{
    (void)state;
    float last[2] = {0};
    for (int run = 0; run < 2; run++) {
        struct lesson l = open_lesson();
        const struct rates rates = {
            .backbone = 2e-3f, .other = 2e-3f, .beta1 = 0.9f, .beta2 = 0.999f, .epsilon = 1e-8f};
        struct network *n = l.network;
        struct optimizer *optimizer;
        struct learner learner;
        struct losses losses;
        float first = 0;
        gvm_error err;
        assert_int_equal(
            optimizer_open(&optimizer, n->params, n->param_count, n->weights, n->grads, n->floats, &rates, &err),
            GVM_OK);
        assert_int_equal(network_place(n, &err), GVM_OK);
        assert_int_equal(learner_open(&learner, n, optimizer, B, &options, 0, 0.1f, 1, &err), GVM_OK);
        for (int step = 0; step < 30; step++) {
            learner_take(&learner, l.street, l.aerial, NULL);
            learner_start(&learner, step, 1);
            if (learner_finish(&losses, &learner, &err) != GVM_OK) fail_msg("%s", err.text);
            if (step == 0) first = losses.total;
        }
        last[run] = losses.total;
        assert_true(losses.total < 0.7f * first);
        learner_close(&learner);
        optimizer_free(optimizer);
        close_lesson(&l);
    }
    assert_true(last[0] == last[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),  cmocka_unit_test(test_without),  cmocka_unit_test(test_gradient),
        cmocka_unit_test(test_reaches), cmocka_unit_test(test_training),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
