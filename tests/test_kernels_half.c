/* test_kernels_half.c - float16: conversions for all values, and the inner loops of search against plain ones in
 * double, at every size */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/half.h"
#include "layer_support.h"
#include "tensor/kernels.h"

enum { HALVES = 1 << 16 };

static bool is_number(unsigned h)
{
    return (h & 0x7fff) < 0x7c00;
}

/* The value of a float16 by its definition. */
static double value(unsigned h)
{
    int exponent = (int)(h >> 10 & 31), mantissa = (int)(h & 0x3ff);
    double size = exponent == 0 ? ldexp(mantissa, -24) : ldexp(1024 + mantissa, exponent - 25);
    return h & 0x8000 ? -size : size;
}

/* Each value itself, and around each midpoint between two: below, at (ties to even), above. */
static void test_conversions(void **state)
{
    bool exact = true, back = true, nearest = true;
    (void)state;
    for (unsigned h = 0; h < HALVES; h++) {
        float x = float_from_f16((uint16_t)h);
        if (is_number(h)) exact = exact && x == value(h) && (signbit(x) != 0) == (h >> 15);
        uint16_t again = f16_from_float(x);
        back = back && (again == h || (isnan(x) && again == (h | 0x200)));
        if (!is_number(h)) continue;
        unsigned next = h + 1; /* away from zero; after the largest, infinity, as if it were 65,536 */
        double above = is_number(next) ? value(next) : h & 0x8000 ? -65536 : 65536;
        float border = (float)((value(h) + above) / 2), far = (float)above;
        nearest = nearest && f16_from_float(border) == (h & 1 ? next : h);
        nearest = nearest && f16_from_float(nextafterf(border, x)) == h;
        nearest = nearest && f16_from_float(nextafterf(border, 2 * far)) == next;
    }
    check_true("float16", "widening is exact", exact);
    check_true("float16", "there and back", back);
    check_true("float16", "narrowing goes to the nearest, of two to the even one", nearest);
    check_true("float16", "what is too large or too small",
               f16_from_float(1e30f) == 0x7c00 && f16_from_float(-INFINITY) == 0xfc00 && f16_from_float(1e-30f) == 0 &&
                   f16_from_float(-1e-40f) == 0x8000);
    finish("float16");
}

/* The kernel gives the same bits at any length; a signalling NaN may become quiet. */
static void test_widen(void **state)
{
    static uint16_t h[HALVES];
    static float y[HALVES + 1];
    (void)state;
    for (int i = 0; i < HALVES; i++) h[i] = (uint16_t)i;
    for (int n = 0; n < HALVES; n = n < 70 ? n + 1 : n * 2) {
        bool right = true;
        y[n] = 77;
        kernels()->half->widen(y, h + HALVES - n, n);
        for (int i = 0; i < n; i++) {
            float wanted = float_from_f16(h[HALVES - n + i]);
            right = right && (memcmp(&y[i], &wanted, sizeof wanted) == 0 || (isnan(y[i]) && isnan(wanted)));
        }
        check_true("widen", "the numbers, and nothing behind them", right && y[n] == 77);
    }
    kernels()->half->widen(y, h, HALVES);
    for (int i = 0; i < HALVES; i++)
        if (is_number((unsigned)i)) check_true("widen", "every number", y[i] == float_from_f16(h[i]));
    finish("widen");
}

/* ------------------------------------------------------------------ products */

struct task {
    int R, n, D;
    uint16_t *features; /* (R, D), including some subnormals */
    const uint16_t *rows[HALF_ROWS];
    float *queries;
};

static struct task make_task(int R, int n, int D)
{
    struct task t = {.R = R, .n = n, .D = D};
    t.features = malloc((size_t)R * (size_t)D * sizeof *t.features);
    t.queries = malloc((size_t)n * (size_t)D * sizeof *t.queries);
    for (int i = 0; i < R * D; i++) t.features[i] = f16_from_float((float)draw_normal() * (i % 11 ? 1 : 1e-6f));
    for (int i = 0; i < n * D; i++) t.queries[i] = (float)draw_normal();
    for (int r = 0; r < R; r++) t.rows[r] = t.features + (size_t)(R - 1 - r) * (size_t)D;
    return t;
}

static void free_task(struct task *t)
{
    free(t->features);
    free(t->queries);
}

/* Error in units in the last place of the product of the rows' lengths. */
static double error(const struct task *t, float score, int q, int r)
{
    double sum = 0, xx = 0, yy = 0;
    for (int k = 0; k < t->D; k++) {
        double x = float_from_f16(t->rows[r][k]), y = t->queries[(size_t)q * (size_t)t->D + (size_t)k];
        sum += x * y;
        xx += x * x;
        yy += y * y;
    }
    return fabs(score - sum) / (sqrt(xx * yy) + 1e-30) * 0x1p24;
}

static void test_dots(void **state)
{
    (void)state;
    draw_seed(1);
    for (int R = 1; R <= HALF_ROWS; R = R < 10 ? R + 1 : R + 19)
        for (int D = 1; D <= 9216; D = D < 70 ? D + 1 : D * 5 + 3) {
            struct task t = make_task(R, 1, D);
            float scores[HALF_ROWS + 1];
            scores[R] = 77;
            kernels()->half->dots(scores, t.rows, R, t.queries, D);
            for (int r = 0; r < R; r++) check_figure("dots", "forward", "score", error(&t, scores[r], 0, r), 40);
            check_true("dots", "nothing behind the last row", scores[R] == 77);
            free_task(&t);
        }
    finish("dots");
}

static void check_product(int R, int n, int D)
{
    struct task t = make_task(R, n, D);
    int ld = R + 3;
    float *panels = malloc(HALF_QUERIES * (size_t)D * sizeof *panels),
          *scratch = malloc(HALF_SCRATCH * sizeof *scratch);
    float *scores = malloc((size_t)(n * ld) * sizeof *scores);
    for (int i = 0; i < n * ld; i++) scores[i] = 77;
    for (int i = 0; i < HALF_SCRATCH; i++) scratch[i] = NAN;
    kernels()->half->pack(panels, t.queries, n, D);
    kernels()->half->product(scores, (size_t)ld, t.rows, R, panels, n, D, scratch);
    for (int q = 0; q < n; q++)
        for (int r = 0; r < ld; r++) {
            if (r < R)
                check_figure("product", "forward", "score", error(&t, scores[q * ld + r], q, r), 40);
            else
                check_true("product", "nothing between the rows of scores", scores[q * ld + r] == 77);
        }
    free(scores);
    free(scratch);
    free(panels);
    free_task(&t);
}

static void test_product(void **state)
{
    static const int widths[] = {1, 7, 33, HALF_CHUNK, HALF_CHUNK + 1, 3 * HALF_CHUNK - 5};
    (void)state;
    draw_seed(2);
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        for (int n = 1; n <= HALF_QUERIES; n += n < 34 ? 1 : 15) check_product(9, n, widths[i]);
        for (int R = 1; R <= HALF_ROWS; R += R < 18 ? 1 : 10) check_product(R, 19, widths[i]);
    }
    check_product(HALF_ROWS, HALF_QUERIES, 9216);
    finish("product");
}

/* Every part of the memory that fills whole vectors affects the result. */
static void test_read(void **state)
{
    enum { N = 4096 };
    static int32_t x[N];
    (void)state;
    int32_t before = kernels()->half->read_all(x, sizeof x);
    int seen = 0;
    for (int i = 0; i < N; i++) {
        x[i] = 1;
        seen += kernels()->half->read_all(x, sizeof x) != before;
        x[i] = 0;
    }
    check_true("read", "one lane of each vector", seen > 0 && N % seen == 0 && N / seen <= 16);
    finish("read");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conversions), cmocka_unit_test(test_widen), cmocka_unit_test(test_dots),
        cmocka_unit_test(test_product),     cmocka_unit_test(test_read),
    };
    return run_layer_tests(tests, sizeof tests / sizeof *tests);
}
