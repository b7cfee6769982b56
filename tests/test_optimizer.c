/* test_optimizer.c - AdamW, the cosine factor and ASAM against a reference in double: climb by rho w^2 g / |(|w| g)|,
 * take the gradient there, go back, step with AdamW */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "layer_support.h"
#include "optim/optimizer.h"

/* Parameters of all four kinds, with sizes that start and end anywhere in the optimizer's blocks. */
enum { PARAMS = 7, STEPS = 6 };

static const struct {
    size_t count;
    bool decay, backbone;
} kinds[PARAMS] = {{1, true, true},       {17, false, true},   {70001, true, true}, {9, false, false},
                   {131072, true, false}, {333, false, false}, {1000, true, true}};

/* A toy network: the gradient of a (w - b)^4 / 4 for each weight, whose minimum is at b. */
struct toy {
    struct param params[PARAMS];
    size_t floats;
    float *weights, *grads, *a, *b; /* (floats): zeros between the parameters */
};

/* The same in double. */
struct recipe {
    double *w, *m, *v, *g;
    double norm;
};

static size_t padded(size_t n)
{
    return (n + 15) / 16 * 16;
}

static void toy_open(struct toy *t)
{
    memset(t, 0, sizeof *t);
    for (int i = 0; i < PARAMS; i++) t->floats += padded(kinds[i].count);
    float **blocks[] = {&t->weights, &t->grads, &t->a, &t->b};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        assert_non_null(*blocks[i] = calloc(t->floats, sizeof(float)));
    draw_seed(21);
    for (size_t i = 0, at = 0; i < PARAMS; at += padded(kinds[i].count), i++) {
        t->params[i] = (struct param){.rank = 1,
                                      .count = kinds[i].count,
                                      .shape = {(int)kinds[i].count},
                                      .data = t->weights + at,
                                      .grad = t->grads + at,
                                      .decay = kinds[i].decay,
                                      .backbone = kinds[i].backbone};
        for (size_t j = at; j < at + kinds[i].count; j++) {
            t->weights[j] = (float)draw_normal();
            t->a[j] = (float)draw_uniform();
            t->b[j] = (float)draw_normal();
        }
    }
}

static void toy_free(struct toy *t)
{
    free(t->weights);
    free(t->grads);
    free(t->a);
    free(t->b);
}

static void toy_gradient(struct toy *t)
{
    for (size_t i = 0; i < t->floats; i++) t->grads[i] = (float)(t->a[i] * pow((double)t->weights[i] - t->b[i], 3));
}

static void recipe_gradient(struct recipe *r, const struct toy *t)
{
    for (size_t i = 0; i < t->floats; i++) r->g[i] = t->a[i] * pow(r->w[i] - t->b[i], 3);
}

static void recipe_open(struct recipe *r, const struct toy *t)
{
    double **blocks[] = {&r->w, &r->m, &r->v, &r->g};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        assert_non_null(*blocks[i] = calloc(t->floats, sizeof(double)));
    for (size_t i = 0; i < t->floats; i++) r->w[i] = t->weights[i];
}

static void recipe_free(struct recipe *r)
{
    free(r->w);
    free(r->m);
    free(r->v);
    free(r->g);
}

/* AdamW as in Loshchilov and Hutter (2019, algorithm 2), with the decay before the step. */
static void recipe_update(struct recipe *r, const struct toy *t, const struct rates *rates, int step, double factor)
{
    for (int p = 0; p < PARAMS; p++) {
        double rate = factor * (kinds[p].backbone ? 1e-4 : 2e-4) * (double)(rates->other / 2e-4f);
        size_t at = (size_t)(t->params[p].data - t->weights);
        for (size_t i = at; i < at + kinds[p].count; i++) {
            if (kinds[p].decay) r->w[i] -= rate * 0.03 * r->w[i];
            r->m[i] = 0.9 * r->m[i] + 0.1 * r->g[i];
            r->v[i] = 0.999 * r->v[i] + 0.001 * r->g[i] * r->g[i];
            double m = r->m[i] / (1 - pow(0.9, step)), v = r->v[i] / (1 - pow(0.999, step));
            r->w[i] -= rate * m / (sqrt(v) + 1e-8);
        }
    }
}

static void recipe_climb(struct recipe *r, const struct toy *t, double rho)
{
    double square = 0;
    for (size_t i = 0; i < t->floats; i++) square += r->w[i] * r->g[i] * r->w[i] * r->g[i];
    r->norm = sqrt(square) + 1e-12;
    for (size_t i = 0; i < t->floats; i++) r->w[i] += r->w[i] * r->w[i] * r->g[i] * rho / r->norm;
}

/* Relative distance of the weights, and of their change since `start`. */
static void check_weights(const struct toy *t, const struct recipe *r, const float *start, const char *what,
                          double limit)
{
    double error = 0, square = 0;
    for (size_t i = 0; i < t->floats; i++) {
        error += (t->weights[i] - r->w[i]) * (t->weights[i] - r->w[i]);
        square += (r->w[i] - start[i]) * (r->w[i] - start[i]);
    }
    check_figure("optimizer", "forward", what, distance(t->weights, r->w, t->floats, 0), 1e-6);
    check_figure("optimizer", "others", what, sqrt(error / square), limit);
}

static void check_gaps(const struct toy *t)
{
    bool zero = true;
    for (int p = 0; p < PARAMS; p++) {
        size_t at = (size_t)(t->params[p].data - t->weights);
        for (size_t i = at + kinds[p].count; i < at + padded(kinds[p].count); i++) zero = zero && t->weights[i] == 0;
    }
    check_true("optimizer", "zeros between the parameters", zero);
}

/* One step on both; rho 0: AdamW alone. */
static void both_step(struct optimizer *o, struct toy *t, struct recipe *r, double rho, int step, double factor)
{
    toy_gradient(t);
    recipe_gradient(r, t);
    if (rho > 0) {
        float *start = malloc(t->floats * sizeof *start);
        double *start_r = malloc(t->floats * sizeof *start_r);
        assert_true(start && start_r);
        memcpy(start, t->weights, t->floats * sizeof *start);
        memcpy(start_r, r->w, t->floats * sizeof *start_r);
        double norm = asam_climb(o, (float)rho);
        recipe_climb(r, t, rho);
        check_figure("optimizer", "others", "the climb's norm", fabs(norm / r->norm - 1), 1e-5);
        check_weights(t, r, start, "the climb", 1e-4);
        toy_gradient(t);
        recipe_gradient(r, t);
        asam_return(o);
        memcpy(r->w, start_r, t->floats * sizeof *start_r);
        check_true("optimizer", "back at the start of the climb",
                   memcmp(t->weights, start, t->floats * sizeof *start) == 0);
        free(start);
        free(start_r);
    }
    optimizer_update(o, (float)factor);
    recipe_update(r, t, &o->rates, step, factor);
}

static void run_recipe(double rho, const struct rates *rates)
{
    struct toy t;
    struct recipe r;
    struct optimizer *o;
    gvm_error err = {""};
    toy_open(&t);
    recipe_open(&r, &t);
    float *start = malloc(t.floats * sizeof *start);
    assert_non_null(start);
    memcpy(start, t.weights, t.floats * sizeof *start);
    assert_int_equal(optimizer_open(&o, t.params, PARAMS, t.weights, t.grads, t.floats, rates, &err), GVM_OK);
    for (int step = 1; step <= STEPS; step++) {
        double factor = cosine_factor(step - 1, STEPS);
        both_step(o, &t, &r, rho, step, factor);
        check_weights(&t, &r, start, rho > 0 ? "the weights, ASAM" : "the weights",
                      1e-3 * 2e-4 / (double)rates->other); /* of steps with the same rate, for weights of magnitude 1 */
        check_true("optimizer", "the count of updates", o->step == step);
    }
    check_gaps(&t);
    optimizer_free(o);
    free(start);
    recipe_free(&r);
    toy_free(&t);
}

/* With the paper's rates, and with rates a hundred times higher, at which the change is large compared with rounding.
 */
static void test_recipe(void **state)
{
    struct rates high = rates_paper;
    (void)state;
    high.backbone *= 100;
    high.other *= 100;
    for (int threads = 1; threads <= 2; threads++) {
        parallel_set_threads(threads);
        run_recipe(0, &rates_paper);
        run_recipe(2.5, &rates_paper);
        run_recipe(0, &high);
        run_recipe(2.5, &high);
    }
    finish("optimizer");
}

/* The same bits with any number of threads. */
static void test_threads(void **state)
{
    float *first = NULL;
    double norm = 0;
    (void)state;
    for (int threads = 1; threads <= 3; threads++) {
        struct toy t;
        struct optimizer *o;
        parallel_set_threads(threads);
        toy_open(&t);
        assert_int_equal(optimizer_open(&o, t.params, PARAMS, t.weights, t.grads, t.floats, &rates_paper, NULL),
                         GVM_OK);
        double now = 0;
        for (int step = 0; step < 3; step++) {
            toy_gradient(&t);
            now = asam_climb(o, 2.5f);
            toy_gradient(&t);
            asam_return(o);
            optimizer_update(o, 1);
        }
        if (first) {
            check_true("optimizer", "the norm's bits", memcmp(&now, &norm, sizeof norm) == 0);
            check_true("optimizer", "the weights' bits", memcmp(first, t.weights, t.floats * sizeof *first) == 0);
        } else {
            first = malloc(t.floats * sizeof *first);
            assert_non_null(first);
            memcpy(first, t.weights, t.floats * sizeof *first);
            norm = now;
        }
        optimizer_free(o);
        toy_free(&t);
    }
    free(first);
    finish("optimizer, threads");
}

/* All gradients zero: the norm is 1e-12, the climb is zero, and only decay changes the weights. */
static void test_no_gradient(void **state)
{
    struct toy t;
    struct optimizer *o;
    bool still = true, decayed = true;
    (void)state;
    toy_open(&t);
    float *start = malloc(t.floats * sizeof *start);
    assert_non_null(start);
    memcpy(start, t.weights, t.floats * sizeof *start);
    assert_int_equal(optimizer_open(&o, t.params, PARAMS, t.weights, t.grads, t.floats, &rates_paper, NULL), GVM_OK);
    check_figure("optimizer", "others", "the norm of nothing", fabs(asam_climb(o, 2.5f) / 1e-12 - 1), 1e-9);
    check_true("optimizer", "no climb without a gradient", memcmp(start, t.weights, t.floats * sizeof *start) == 0);
    asam_return(o);
    optimizer_update(o, 1);
    for (int p = 0; p < PARAMS; p++)
        for (size_t i = 0, at = (size_t)(t.params[p].data - t.weights); i < kinds[p].count; i++) {
            double rate = kinds[p].backbone ? 1e-4 : 2e-4, wanted = start[at + i] * (1 - rate * 0.03);
            if (kinds[p].decay)
                decayed = decayed && fabs(t.weights[at + i] - wanted) <= 1.2e-7 * fabs(wanted);
            else
                still = still && t.weights[at + i] == start[at + i];
        }
    check_true("optimizer", "decay of what decays", decayed);
    check_true("optimizer", "no change of what does not", still);
    optimizer_free(o);
    optimizer_free(NULL);
    free(start);
    toy_free(&t);
    finish("optimizer, no gradient");
}

static void test_cosine(void **state)
{
    (void)state;
    check_true("cosine_factor", "1 in the first epoch", cosine_factor(0, 200) == 1 && cosine_factor(0, 1) == 1);
    check_true("cosine_factor", "1/2 in the middle", fabsf(cosine_factor(100, 200) - 0.5f) < 1e-7f);
    for (int epochs = 1; epochs <= 200; epochs += 33)
        for (int epoch = 0; epoch < epochs; epoch++) {
            double wanted = 0.5 * (1 + cos(acos(-1.0) * epoch / epochs));
            check_figure("cosine_factor", "forward", "the factor", fabs(cosine_factor(epoch, epochs) / wanted - 1),
                         1e-6);
        }
    finish("cosine_factor");
}

/* Values of the reference's factor(step, steps an epoch, epochs, warm). */
static void test_schedule(void **state)
{
    (void)state;
    static const struct {
        long step, epoch_steps;
        int epochs;
        float warm;
        double wanted;
    } cases[] = {{0, 278, 40, 1.0f, 0},
                 {1, 278, 40, 1.0f, 0.0035971223},
                 {277, 278, 40, 1.0f, 0.996402878},
                 {278, 278, 40, 1.0f, 1},
                 {279, 278, 40, 1.0f, 0.999999979},
                 {5000, 278, 40, 1.0f, 0.600580591},
                 {11119, 278, 40, 1.0f, 2.09904111e-08},
                 {11120, 278, 40, 1.0f, 0},
                 {12000, 278, 40, 1.0f, 0},
                 {3, 100, 1, 0.1f, 0.3},
                 {10, 100, 1, 0.1f, 1},
                 {60, 100, 1, 0.1f, 0.413175911},
                 {0, 100, 40, 0.0f, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct schedule schedule = {.by_step = true, .warm_up = cases[i].warm};
        float factor = schedule_factor(&schedule, cases[i].step, cases[i].epoch_steps, 0, cases[i].epochs);
        check_figure("schedule_factor", "forward", "the factor", fabs(factor - cases[i].wanted), 1e-7);
    }
    const struct schedule by_epoch = {0};
    check_true("schedule_factor", "by the epoch", schedule_factor(&by_epoch, 1000, 278, 7, 40) == cosine_factor(7, 40));
    finish("schedule_factor");
}

/* Values of statewide's factor(step): 1000 steps of warm-up, then down to a tenth at 200000. */
static void test_schedule_to_a_floor(void **state)
{
    (void)state;
    static const struct {
        long step;
        double wanted;
    } cases[] = {{0, 0},         {1, 0.001},    {999, 0.999},  {1000, 1},    {1001, 1}, {50000, 0.87194318},
                 {100500, 0.55}, {199999, 0.1}, {200000, 0.1}, {300000, 0.1}};
    const struct schedule schedule = {.by_step = true, .warm_up = 7, .warm_steps = 1000, .floor = 0.1f};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float factor = schedule_factor(&schedule, cases[i].step, 2000, 0, 100);
        check_figure("schedule_factor", "forward", "the factor", fabs(factor - cases[i].wanted), 1e-7);
    }
    finish("schedule_factor to a floor");
}

/* A gradient with too large a norm is scaled to the limit; a smaller one is unchanged. The bits do not depend on the
 * threads. */
static void test_clip_length(void **state)
{
    (void)state;
    struct rates rates = {
        .backbone = 0.01f, .other = 0.01f, .decay = 0.1f, .beta1 = 0.9f, .beta2 = 0.999f, .epsilon = 1e-8f};
    const float most = 2500; /* the first gradients are larger, the later ones smaller */
    struct toy toys[3];
    struct optimizer *o[3];
    int shortened = 0, whole = 0;
    for (int k = 0; k < 3; k++) {
        toy_open(&toys[k]);
        rates.clip_length = k < 2 ? most : 0; /* the last one gets gradients that are already clipped */
        assert_int_equal(
            optimizer_open(&o[k], toys[k].params, PARAMS, toys[k].weights, toys[k].grads, toys[k].floats, &rates, NULL),
            GVM_OK);
    }
    for (int step = 0; step < 40; step++) {
        for (int k = 0; k < 3; k++) toy_gradient(&toys[k]);
        double square = 0;
        for (size_t i = 0; i < toys[2].floats; i++) square += pow((double)toys[2].grads[i], 2);
        double factor = fmin(1, most / sqrt(square));
        for (size_t i = 0; i < toys[2].floats; i++) toys[2].grads[i] = (float)(factor * toys[2].grads[i]);
        *(factor < 1 ? &shortened : &whole) += 1;
        for (int k = 0; k < 3; k++) {
            parallel_set_threads(k + 1);
            optimizer_update(o[k], 1);
        }
        check_true("optimizer", "the same bits by other threads",
                   memcmp(toys[0].weights, toys[1].weights, toys[0].floats * sizeof(float)) == 0);
        double error = 0;
        for (size_t i = 0; i < toys[0].floats; i++)
            error = fmax(error, fabs((double)toys[0].weights[i] - toys[2].weights[i]));
        check_figure("optimizer", "others", "a shortened gradient's step", error, 1e-5);
    }
    check_true("optimizer", "gradients to shorten, and others", shortened > 3 && whole > 3);
    for (int k = 0; k < 3; k++) {
        optimizer_free(o[k]);
        toy_free(&toys[k]);
    }
    finish("optimizer, a gradient's length");
}

/* Values are clipped to the limit; fixed parameters stay bit-identical. */
static void test_clip_and_fixed(void **state)
{
    (void)state;
    struct toy toys[2];
    struct optimizer *o[2];
    struct rates rates = {
        .backbone = 0.01f, .other = 0.01f, .decay = 0.1f, .beta1 = 0.9f, .beta2 = 0.999f, .epsilon = 1e-8f};
    for (int k = 0; k < 2; k++) {
        toy_open(&toys[k]);
        toys[k].params[2].fixed = true;
        toys[k].params[2].decay = false;
        rates.clip = k == 0 ? 0.25f : 0; /* the other one gets gradients that are already clipped */
        assert_int_equal(
            optimizer_open(&o[k], toys[k].params, PARAMS, toys[k].weights, toys[k].grads, toys[k].floats, &rates, NULL),
            GVM_OK);
    }
    const struct param *fixed = &toys[0].params[2];
    size_t first = (size_t)(fixed->data - toys[0].weights), clipped = 0;
    float *start = malloc(fixed->count * sizeof *start);
    memcpy(start, fixed->data, fixed->count * sizeof *start);
    for (int step = 0; step < 3; step++) {
        for (int k = 0; k < 2; k++) {
            toy_gradient(&toys[k]);
            memset(toys[k].grads + first, 0, fixed->count * sizeof *start);
        }
        for (size_t i = 0; i < toys[1].floats; i++) {
            float *g = &toys[1].grads[i];
            clipped += fabsf(*g) > 0.25f;
            *g = fminf(0.25f, fmaxf(-0.25f, *g));
        }
        for (int k = 0; k < 2; k++) optimizer_update(o[k], 1);
        check_true("optimizer", "clipped values",
                   memcmp(toys[0].weights, toys[1].weights, toys[0].floats * sizeof(float)) == 0);
    }
    check_true("optimizer", "values to clip", clipped > 1000);
    check_true("optimizer", "what is fixed", memcmp(start, fixed->data, fixed->count * sizeof *start) == 0);
    free(start);
    for (int k = 0; k < 2; k++) {
        optimizer_free(o[k]);
        toy_free(&toys[k]);
    }
    finish("optimizer, clipped and fixed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_recipe),
                                       cmocka_unit_test(test_threads),
                                       cmocka_unit_test(test_no_gradient),
                                       cmocka_unit_test(test_cosine),
                                       cmocka_unit_test(test_schedule),
                                       cmocka_unit_test(test_clip_and_fixed),
                                       cmocka_unit_test(test_schedule_to_a_floor),
                                       cmocka_unit_test(test_clip_length)};
    return run_layer_tests(tests, sizeof tests / sizeof *tests);
}
