/* test_layers_feature.c - masks, roll, concatenate, l2_normalise, triplet against their references, and the draws of
 * drop_path */
#include <math.h>
#include <string.h>

#include "base/parallel.h"
#include "layer_support.h"

/* ------------------------------------------------------------------ masks */

static void masks_double(struct layer_test *t)
{
    oracle_masks_forward(t->out.value, t->in[0].value, t->more);
}

static void masks_double_backward(struct layer_test *t)
{
    oracle_masks_backward(t->in[0].grad, t->out.grad, t->in[0].value, t->more);
}

static struct tensor *masks_shipped(struct layer_test *t, struct tape *tape, struct tensor *const *in)
{
    static struct masks w; /* outlives the backward pass */
    struct variable *p = t->par;
    w = (struct masks){&p[0].shipped, &p[1].shipped, &p[2].shipped, &p[3].shipped};
    return masks(tape, in[0], &w, NULL);
}

static void open_masks(struct layer_test *t, const struct sizes *s)
{
    int B = s->B, L = s->L, C = s->C, N = s->N, half = L / 2;
    layer_open(t, "masks", s);
    layer_input(t, "x", B, L, C);
    layer_param(t, "w1", 0, 1 / sqrt(L), 3, (const int[]){N, half, L}, false);
    layer_param(t, "b1", 0.1, 0.5, 2, (const int[]){N, half}, false);
    layer_param(t, "w2", 0, 1 / sqrt(half), 3, (const int[]){N, L, half}, false);
    layer_param(t, "b2", 0.1, 0.5, 2, (const int[]){N, L}, false);
    layer_output(t, B, 1, N * C);
    layer_seen(t, B, 1, L);
    struct oracle_masks *a = t->more = layer_bytes(t, sizeof *a);
    struct variable *p = t->par;
    *a = (struct oracle_masks){
        B,
        L,
        C,
        N,
        t->seen,
        p[0].value,
        p[1].value,
        p[2].value,
        p[3].value,
        p[0].grad,
        p[1].grad,
        p[2].grad,
        p[3].grad,
        .m = layer_doubles(t, (size_t)(B * L)),
        .h = layer_doubles(t, (size_t)(B * N * half)),
        .w = layer_doubles(t, (size_t)(B * N * L)),
        .dm = layer_doubles(t, (size_t)L),
        .where = layer_bytes(t, (size_t)(B * L) * sizeof(int)),
    };
    t->forward = masks_double;
    t->backward = masks_double_backward;
    t->shipped = masks_shipped;
    layer_sync(t);
}

static void test_masks(void **state)
{
    static const struct sizes sizes[] = {
        {.B = 1, .L = 2, .C = 1, .N = 1},
        {.B = 3, .L = 7, .C = 9, .N = 3},
        {.B = 1, .L = 9, .C = 7, .N = 8},
        {.B = 3, .L = 5, .C = 33, .N = 8},
        {.B = 1, .L = 64, .C = 20, .N = 2},
        {.B = 3, .L = 20, .C = 97, .N = 3},
        {.B = 2, .L = 49, .C = 16, .N = 8},
        {.B = 1, .L = 4, .C = 200, .N = 7},
        {.B = 3, .L = 9, .C = 7, .N = 3, .masked = true},
        {.B = 1, .L = 40, .C = 33, .N = 8, .masked = true},
        {.B = 5, .L = 20, .C = 96, .N = 2, .masked = true},
    };
    struct layer_test t;
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        open_masks(&t, &sizes[i]);
        if (i < 4 || i == 8) check_differences(&t);
        check_shipped(&t);
        layer_free(&t);
    }
    finish("masks");
}

/* ------------------------------------------------------------------ roll */

/* window: columns that the map moves right. */
static int rolled(const struct layer_test *t, int i)
{
    int C = t->s.C, W = t->s.W, row = i / C, column = row % W;
    return (row - column + (column + t->s.window) % W) * C + i % C;
}

static void roll_double(struct layer_test *t)
{
    for (int i = 0; i < (int)t->out.n; i++) t->out.value[rolled(t, i)] = t->in[0].value[i];
}

static void roll_double_backward(struct layer_test *t)
{
    for (int i = 0; i < (int)t->out.n; i++) t->in[0].grad[i] += t->out.grad[rolled(t, i)];
}

static struct tensor *roll_shipped(struct layer_test *t, struct tape *tape, struct tensor *const *in)
{
    struct tensor *y = roll(tape, in[0], t->s.W, t->s.window);
    if (t->seen && !tape->dry && layer_device == NULL) {
        int count = 0;
        for (int i = 0; i < (int)t->out.n / t->s.C; i++) {
            check_true(t->label, "visibility rolls too", y->seen->plane[rolled(t, i * t->s.C) / t->s.C] == t->seen[i]);
            count += t->seen[i];
        }
        check_true(t->label, "visibility rolls too", y->seen->count == count && y->seen->plane[y->seen->rows[0]]);
    }
    return y;
}

static void test_roll(void **state)
{
    static const struct sizes sizes[] = {
        {.B = 1, .H = 1, .W = 5, .C = 7, .window = 2},
        {.B = 3, .H = 4, .W = 20, .C = 9, .window = 8},
        {.B = 2, .H = 2, .W = 10, .C = 24, .window = 0},
        {.B = 3, .H = 8, .W = 40, .C = 33, .window = 32, .masked = true},
    };
    struct layer_test t;
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const struct sizes *s = &sizes[i];
        layer_open(&t, "roll", s);
        layer_input(&t, "x", s->B, s->H * s->W, s->C);
        layer_output(&t, s->B, s->H * s->W, s->C);
        layer_seen(&t, s->B, s->H, s->W);
        t.forward = roll_double;
        t.backward = roll_double_backward;
        t.shipped = roll_shipped;
        check_differences(&t);
        check_shipped(&t);
        layer_free(&t);
    }
    finish("roll");
}

/* ------------------------------------------------------------------ concatenate */

static void concatenate_double(struct layer_test *t)
{
    for (int b = 0, at = 0; b < t->s.B; b++)
        for (int i = 0; i < t->inputs; i++)
            for (int c = 0; c < t->in[i].shape[2]; c++) t->out.value[at++] = t->in[i].value[b * t->in[i].shape[2] + c];
}

static void concatenate_double_backward(struct layer_test *t)
{
    for (int b = 0, at = 0; b < t->s.B; b++)
        for (int i = 0; i < t->inputs; i++)
            for (int c = 0; c < t->in[i].shape[2]; c++) t->in[i].grad[b * t->in[i].shape[2] + c] += t->out.grad[at++];
}

static struct tensor *concatenate_shipped(struct layer_test *t, struct tape *tape, struct tensor *const *in)
{
    return concatenate(tape, in, t->inputs);
}

static void test_concatenate(void **state)
{
    static const int widths[][4] = {{7}, {9, 1}, {1, 20, 33}, {16, 7, 9, 48}};
    struct layer_test t;
    (void)state;
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        for (int B = 1; B <= 3; B += 2) {
            int C = 0;
            layer_open(&t, "concatenate", &(struct sizes){.B = B, .N = (int)i + 1});
            t.features = true;
            for (size_t part = 0; part <= i; part++) {
                layer_input(&t, "part", B, 1, widths[i][part]);
                C += widths[i][part];
            }
            layer_output(&t, B, 1, C);
            t.forward = concatenate_double;
            t.backward = concatenate_double_backward;
            t.shipped = concatenate_shipped;
            check_differences(&t);
            check_shipped(&t);
            layer_free(&t);
        }
    finish("concatenate");
}

/* ------------------------------------------------------------------ l2_normalise */

static void unit_double(struct layer_test *t)
{
    oracle_normalise(t->out.value, t->in[0].value, *(float *)t->more, t->s.B, t->s.C);
}

static void unit_double_backward(struct layer_test *t)
{
    oracle_normalise_backward(t->in[0].grad, t->out.grad, t->in[0].value, *(float *)t->more, t->s.B, t->s.C);
}

static struct tensor *unit_shipped(struct layer_test *t, struct tape *tape, struct tensor *const *in)
{
    return l2_normalise(tape, in[0], *(float *)t->more);
}

/* epsilon: added to the length */
static void open_unit(struct layer_test *t, int B, int C, float epsilon)
{
    layer_open(t, "l2_normalise", &(struct sizes){.B = B, .C = C});
    t->features = true;
    layer_input(t, "x", B, 1, C);
    layer_output(t, B, 1, C);
    t->more = layer_floats(t, 1);
    *(float *)t->more = epsilon;
    t->forward = unit_double;
    t->backward = unit_double_backward;
    t->shipped = unit_shipped;
}

static void test_l2_normalise(void **state)
{
    static const int widths[] = {1, 7, 9, 16, 17, 96, 300};
    struct layer_test t;
    (void)state;
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        for (int B = 1; B <= 5; B += 2) {
            open_unit(&t, B, widths[i], B == 5 ? 0.75f : 0);
            check_differences(&t);
            check_shipped(&t);
            layer_free(&t);
        }
    open_unit(&t, 3, 9, 0); /* all zeros: its length counts as 1e-12 */
    memset(t.in[0].value, 0, t.in[0].n * sizeof *t.in[0].value);
    check_shipped(&t);
    layer_free(&t);
    finish("l2_normalise");
}

/* ------------------------------------------------------------------ triplet */

enum { ALPHA = 10 };

/* The first output is the loss; out.grad[0] its weight. */
static void triplet_double(struct layer_test *t)
{
    t->out.value[0] = oracle_triplet(t->in[0].value, t->in[1].value, t->s.B, t->s.C, ALPHA);
}

static void triplet_double_backward(struct layer_test *t)
{
    oracle_triplet_backward(t->in[0].grad, t->in[1].grad, t->in[0].value, t->in[1].value, t->s.B, t->s.C, ALPHA,
                            t->out.grad[0]);
}

static struct tensor *triplet_shipped(struct layer_test *t, struct tape *tape, struct tensor *const *in)
{
    float before = tape->loss, weight = (float)t->out.grad[0];
    t->loss = triplet(tape, in[0], in[1], ALPHA, weight);
    if (!tape->dry) check_true(t->label, "the tape's loss", fabsf(tape->loss - before - weight * t->loss) < 1e-6f);
    return NULL;
}

/* closeness: similarity of the two views' rows, so that losses of all magnitudes occur */
static void open_triplet(struct layer_test *t, int B, int D, double closeness)
{
    layer_open(t, closeness > 0 ? "triplet of near pairs" : "triplet of far pairs", &(struct sizes){.B = B, .C = D});
    t->features = true;
    double *a = layer_input(t, "a", B, 1, D)->value, *b = layer_input(t, "b", B, 1, D)->value;
    for (int i = 0; i < B * D; i++) b[i] += closeness * a[i];
    for (int i = 0; i < B; i++) {
        double length_a = length(a + i * D, (size_t)D), length_b = length(b + i * D, (size_t)D);
        for (int d = 0; d < D; d++) {
            a[i * D + d] = (float)(a[i * D + d] / length_a);
            b[i * D + d] = (float)(b[i * D + d] / length_b);
        }
    }
    layer_output(t, 1, 1, 1)->grad[0] = 0.25;
    t->forward = triplet_double;
    t->backward = triplet_double_backward;
    t->shipped = triplet_shipped;
}

static void test_triplet(void **state)
{
    static const int sizes[][2] = {{2, 1}, {2, 7}, {3, 9}, {7, 33}, {9, 16}, {16, 100}, {33, 20}};
    struct layer_test t;
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int far = -1; far <= 1; far += 2) {
            open_triplet(&t, sizes[i][0], sizes[i][1], far);
            if (i < 5) check_differences(&t);
            check_shipped(&t);
            layer_free(&t);
        }
    finish("triplet");
}

/* ------------------------------------------------------------------ drop_path */

enum { PATHS = 6, PICTURES = 4000 };

/* The factors of all drop paths of one pass. */
static void draw(float *keep, const char *what, uint64_t seed, uint64_t step, int threads, float p)
{
    struct tape *tape;
    parallel_set_threads(threads);
    assert_int_equal(tape_open(&tape, true, false, NULL), GVM_OK);
    tape->seed = seed;
    tape->step = step;
    for (int i = 0; i < PATHS; i++) drop_path(tape, PICTURES, p);
    assert_int_equal(tape_allocate(tape, NULL), GVM_OK);
    for (int i = 0; i < PATHS; i++) {
        const float *drawn = drop_path(tape, PICTURES, p);
        check_true(what, "factors are given", drawn != NULL);
        memcpy(keep + i * PICTURES, drawn, PICTURES * sizeof *keep);
    }
    tape_free(tape);
}

/* Share of positions at which two draws of keep or drop agree. */
static double agreement(const float *a, const float *b)
{
    int same = 0;
    for (int i = 0; i < PICTURES; i++) same += (a[i] == 0) == (b[i] == 0);
    return same / (double)PICTURES;
}

/* Independent draws agree at (1 - p)^2 + p^2 of the positions. */
static void check_independent(const char *what, const float *a, const float *b, double p)
{
    check_figure("drop_path", what, "draws, agreement", fabs(agreement(a, b) - (1 - p) * (1 - p) - p * p), 0.05);
}

static void test_drop_path(void **state)
{
    static float keep[PATHS * PICTURES], other[PATHS * PICTURES];
    static const float rates[] = {0.0182f, 0.1f, 0.2f, 0.5f};
    (void)state;
    for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
        float p = rates[r];
        int dropped = 0, wrong = 0;
        draw(keep, "drop_path", 7, 3, 2, p);
        for (int i = 0; i < PATHS * PICTURES; i++) {
            dropped += keep[i] == 0;
            wrong += keep[i] != 0 && fabsf(keep[i] * (1 - p) - 1) > 1e-6f;
        }
        check_true("drop_path", "a factor is 0 or 1 / (1 - p)", wrong == 0);
        double deviation = sqrt(p * (1.0 - p) / (PATHS * PICTURES)); /* of the dropped share */
        check_figure("drop_path", "share dropped", "p", fabs(dropped / (double)(PATHS * PICTURES) - p), 4 * deviation);
        draw(other, "drop_path", 7, 3, 1, p);
        check_true("drop_path", "same seed and step, same draws", memcmp(keep, other, sizeof keep) == 0);
        draw(other, "drop_path", 7, 3, 3, p);
        check_true("drop_path", "3 threads, same draws", memcmp(keep, other, sizeof keep) == 0);
        draw(other, "drop_path", 8, 3, 2, p);
        check_independent("another seed's", keep, other, p);
        draw(other, "drop_path", 7, 4, 2, p);
        check_independent("another step's", keep, other, p);
        for (int i = 0; i < PATHS; i++) {
            for (int j = 0; j < PATHS; j++)
                check_independent("another step's", keep + i * PICTURES, other + j * PICTURES, p);
            for (int j = 0; j < i; j++)
                check_independent("another path's", keep + i * PICTURES, keep + j * PICTURES, p);
        }
        check_independent("the next pictures'", keep, keep + 1, p);
    }
    draw(keep, "drop_path", 1, 0, 2, 0.5f); /* seed and step swapped, and both shifted by one path */
    draw(other, "drop_path", 0, 1, 2, 0.5f);
    check_independent("a swapped seed's", keep, other, 0.5);
    finish("drop_path");
}

/* Nothing is dropped if p is 0 or the tape does not train. */
static void test_no_drop(void **state)
{
    struct tape *tape;
    (void)state;
    for (int training = 0; training < 2; training++) {
        assert_int_equal(tape_open(&tape, training, false, NULL), GVM_OK);
        check_true("drop_path", "none at rate 0", drop_path(tape, 3, 0) == NULL);
        assert_int_equal(tape_allocate(tape, NULL), GVM_OK);
        check_true("drop_path", "none at rate 0", drop_path(tape, 3, 0) == NULL);
        if (!training) check_true("drop_path", "none in inference", drop_path(tape, 3, 0.5f) == NULL);
        tape_free(tape);
    }
    finish("drop_path");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_masks),        cmocka_unit_test(test_roll),    cmocka_unit_test(test_concatenate),
        cmocka_unit_test(test_l2_normalise), cmocka_unit_test(test_triplet), cmocka_unit_test(test_drop_path),
        cmocka_unit_test(test_no_drop),
    };
    return run_layer_tests(tests, sizeof tests / sizeof *tests);
}
