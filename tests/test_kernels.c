/* test_kernels.c - the inner loops, for cases that the layers' tests do not reach: whole ranges of arguments, ties,
 * tails, parts of rows, arguments that share memory */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "layer_support.h"
#include "tensor/kernels.h"

static void fill(float *x, int n)
{
    for (int i = 0; i < n; i++) x[i] = (float)draw_normal();
}

/* ------------------------------------------------------------------ GELU */

enum { POINTS = 20001 };

/* One GELU: its two kernels and their references in double. */
struct gelu {
    const char *name;
    void (*forward)(float *g, float *h, const float *bias, int rows, int C, int keep);
    void (*backward)(float *dh, float *g, const float *dg, const float *h, size_t n);
    double (*value)(double x), (*slope)(double x);
    double slope_error; /* maximum, relative to 1 + |x| */
};

/* Over [-10, 10]: an error of 2e-7 in Phi(x), times x, and rounding. */
static void check_gelu(const struct gelu *f)
{
    static float x[POINTS], h[POINTS], g[POINTS], dg[POINTS], slope[POINTS];
    double worst = 0, worst_slope = 0, worst_again = 0;
    draw_seed(1);
    fill(dg, POINTS);
    for (int i = 0; i < POINTS; i++) h[i] = x[i] = (float)(-10 + i * 1e-3);
    f->forward(g, h, NULL, 1, POINTS, 0);
    check_true(f->name, "h is left alone", memcmp(h, x, sizeof x) == 0);
    for (int i = 0; i < POINTS; i++) worst = fmax(worst, fabs(g[i] - f->value(x[i])) / (1 + fabs(x[i])));
    f->backward(slope, h, dg, h, POINTS);
    for (int i = 0; i < POINTS; i++) {
        double wanted = dg[i] * f->slope(x[i]);
        worst_slope = fmax(worst_slope, fabs(slope[i] - wanted) / fabs(dg[i]) / (1 + fabs(x[i])));
        worst_again = fmax(worst_again, fabs(h[i] - f->value(x[i])) / (1 + fabs(x[i])));
    }
    check_figure(f->name, "forward", "[-10, 10]", worst, 2.5e-7);
    check_figure(f->name, "backward", "slope over [-10, 10]", worst_slope, f->slope_error);
    check_figure(f->name, "forward", "[-10, 10], in place", worst_again, 2.5e-7);
    const float far[4] = {-100, 100, -1e30f, 1e30f}, one[4] = {1, 1, 1, 1};
    float value[4], to[4];
    f->backward(to, value, one, far, 4);
    for (int i = 0; i < 4; i++) {
        check_true(f->name, "values far out", fabsf(value[i] - fmaxf(far[i], 0)) <= 3e-7f * fabsf(far[i]));
        check_true(f->name, "slopes far out", fabsf(to[i] - (float)(i % 2)) < 3e-7f);
    }
}

static void test_gelu(void **state)
{
    const struct kernels *k = kernels();
    (void)state;
    check_gelu(&(struct gelu){"gelu", k->gelu, k->gelu_backward, oracle_gelu, oracle_gelu_slope, 3e-7});
    check_gelu(&(struct gelu){"gelu_tanh", k->gelu_tanh, k->gelu_tanh_backward, oracle_gelu_tanh,
                              oracle_gelu_tanh_slope, 5e-7});
    finish("gelu");
}

/* Rows of every length, with a bias, stored and not stored, with g separate from h and in place. */
static void test_gelu_rows(void **state)
{
    enum { ROWS = 3, WIDE = 40 };
    (void)state;
    draw_seed(2);
    for (int C = 1; C <= WIDE; C++)
        for (int way = 0; way < 3; way++) {
            float x[ROWS * WIDE], bias[WIDE], h[ROWS * WIDE], g[ROWS * WIDE + 1];
            double wanted[ROWS * WIDE];
            char label[64];
            snprintf(label, sizeof label, "gelu of rows, C %d", C);
            fill(x, ROWS * C);
            fill(bias, C);
            memcpy(h, x, sizeof h);
            for (int i = 0; i < ROWS * C; i++) wanted[i] = oracle_gelu((double)x[i] + bias[i % C]);
            g[ROWS * C] = 77;
            float *to = way == 2 ? h : g;
            kernels()->gelu(to, h, bias, ROWS, C, way == 1);
            check_figure(label, "forward", "g", distance(to, wanted, (size_t)(ROWS * C), 0), 1e-6);
            check_true(label, "nothing behind the last row", g[ROWS * C] == 77);
            for (int i = 0; way < 2 && i < ROWS * C; i++)
                check_true(label, "h", h[i] == (way == 1 ? x[i] + bias[i % C] : x[i]));
        }
    finish("gelu of rows");
}

/* ------------------------------------------------------------------ exp, as the softmax of one window
 *
 * With scale 0 the score is the bias; with values that are rows of the identity, the output is the softmax itself. */

enum { TOKENS = 16 };

static void soften(float *p, const float *bias)
{
    static float q[TOKENS * TOKENS], identity[TOKENS * TOKENS], none[TOKENS];
    static float scratch[8192] __attribute__((aligned(64)));
    for (int i = 0; i < TOKENS * TOKENS; i++) {
        q[i] = 1;
        identity[i] = i % (TOKENS + 1) == 0;
    }
    assert_true(window_scratch(TOKENS, TOKENS) <= sizeof scratch / sizeof *scratch);
    const struct window w = {q, q, identity, TOKENS, none, none, 0, bias, NULL, TOKENS, TOKENS, TOKENS};
    kernels()->window_forward(p, TOKENS, &w, scratch);
}

static void test_exp(void **state)
{
    float bias[TOKENS * TOKENS], p[TOKENS * TOKENS];
    double worst = 0, worst_low = 0;
    (void)state;
    draw_seed(3);
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < TOKENS * TOKENS; i++) bias[i] = i % TOKENS ? (float)(-105 * draw_uniform()) : 0;
        soften(p, bias);
        for (int i = 0; i < TOKENS; i++) {
            double sum = 0;
            for (int j = 0; j < TOKENS; j++) sum += exp(bias[i * TOKENS + j]);
            for (int j = 0; j < TOKENS; j++) {
                double b = bias[i * TOKENS + j], wanted = exp(b) / sum, error = fabs(p[i * TOKENS + j] - wanted);
                if (b > -87)
                    worst = fmax(worst, error / wanted);
                else
                    worst_low = fmax(worst_low, error);
            }
        }
    }
    check_figure("exp", "forward", "[-87, 0], relative", worst, 4e-7);
    check_figure("exp", "forward", "below -87, absolute", worst_low, 2e-38);
    finish("exp");
}

/* ------------------------------------------------------------------ queries and keys of length zero
 *
 * They count as 1e-12 long: no division by zero, and a uniform softmax. */

static void test_zero_rows(void **state)
{
    enum { N = 9, D = 7, NP = 16 };
    static float zeros[N * D], v[N * D], bias[N * NP], none[D], o[N * D], d_o[N * D], dq[N * D], dk[N * D], dv[N * D];
    static float dbias[N * NP], scratch[8192] __attribute__((aligned(64)));
    double dscale = 0;
    bool finite = true;
    (void)state;
    draw_seed(4);
    fill(v, N * D);
    fill(d_o, N * D);
    for (int i = 0; i < N * NP; i++) bias[i] = i % NP < N ? 3 : -1e30f;
    const struct window w = {zeros, zeros, v, D, none, none, 100, bias, NULL, N, NP, D};
    kernels()->window_forward(o, D, &w, scratch);
    kernels()->window_backward(dq, dk, dv, dbias, &dscale, d_o, o, D, &w, scratch);
    for (int i = 0; i < N * D; i++) {
        double mean = 0, back = 0;
        for (int j = 0; j < N; j++) {
            mean += v[j * D + i % D] / (double)N;
            back += d_o[j * D + i % D] / (double)N;
        }
        check_figure("zero rows", "forward", "o", fabs(o[i] - mean), 1e-6);
        check_figure("zero rows", "backward", "dv", fabs(dv[i] - back), 1e-6);
        finite = finite && isfinite(dq[i]) && isfinite(dk[i]);
    }
    check_true("zero rows", "finite gradients", finite && dscale == 0);
    finish("zero rows");
}

/* ------------------------------------------------------------------ norm */

static void test_norm_row(void **state)
{
    static const int widths[] = {1, 7, 9, 15, 16, 17, 31, 33, 96, 100};
    enum { WIDE = 100 };
    (void)state;
    draw_seed(5);
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        for (int way = 0; way < 16; way++) { /* bit 0: bias, 1: base, 2: xhat stored over u, 3: y over base */
            int C = widths[i];
            float u[WIDE], bias[WIDE], base[WIDE], gamma[WIDE], beta[WIDE], out[WIDE], rstd = 0, scale = 1.25f;
            double x[WIDE], g[WIDE], b[WIDE], wanted[WIDE], hat[WIDE], none[WIDE] = {0}, one[WIDE];
            char label[64];
            snprintf(label, sizeof label, "norm_row, C %d, way %d", C, way);
            fill(u, C);
            fill(bias, C);
            fill(base, C);
            fill(gamma, C);
            fill(beta, C);
            for (int c = 0; c < C; c++) {
                x[c] = (double)u[c] + (way & 1 ? bias[c] : 0);
                g[c] = gamma[c];
                b[c] = beta[c];
                one[c] = 1;
            }
            oracle_norm(hat, x, one, none, 1e-5f, 1, C);
            oracle_norm(wanted, x, g, b, 1e-5f, 1, C);
            for (int c = 0; c < C; c++) wanted[c] = scale * wanted[c] + (way & 2 ? base[c] : 0);
            float *to = way & 8 ? base : out;
            kernels()->norm_row(to, way & 4 ? u : NULL, way & 4 ? &rstd : NULL, u, way & 1 ? bias : NULL,
                                way & 2 ? base : NULL, scale, gamma, beta, 1e-5f, C);
            check_figure(label, "forward", "y", distance(to, wanted, (size_t)C, 0), 2e-6);
            if (way & 4 && C > 1) check_figure(label, "forward", "xhat", distance(u, hat, (size_t)C, 0), 2e-6);
            if (way & 4 && C == 1) check_figure(label, "forward", "rstd", fabs(rstd * sqrt(1e-5) - 1), 1e-6);
        }
    finish("norm_row");
}

/* du separate, over dy, over xhat. */
static void test_norm_row_backward(void **state)
{
    static const int widths[] = {7, 9, 16, 17, 33, 96, 100};
    enum { WIDE = 100 };
    (void)state;
    draw_seed(6);
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        for (int way = 0; way < 3; way++) {
            int C = widths[i];
            float dy[WIDE], xhat[WIDE], gamma[WIDE], du[WIDE], dgamma[WIDE], dbeta[WIDE], rstd = 1.7f, scale = 1.25f;
            double wanted[WIDE], wanted_gamma[WIDE], wanted_beta[WIDE], mean = 0, along = 0;
            fill(dy, C);
            fill(xhat, C);
            fill(gamma, C);
            fill(dgamma, C);
            fill(dbeta, C);
            for (int c = 0; c < C; c++) {
                mean += (double)scale * dy[c] * gamma[c] / C;
                along += (double)scale * dy[c] * gamma[c] * xhat[c] / C;
            }
            for (int c = 0; c < C; c++) {
                wanted[c] = rstd * ((double)scale * dy[c] * gamma[c] - mean - xhat[c] * along);
                wanted_gamma[c] = dgamma[c] + (double)scale * dy[c] * xhat[c];
                wanted_beta[c] = dbeta[c] + (double)scale * dy[c];
            }
            float *to = way == 0 ? du : way == 1 ? dy : xhat;
            kernels()->norm_row_backward(to, dgamma, dbeta, dy, xhat, rstd, scale, gamma, C);
            check_figure("norm_row_backward", "backward", "du", distance(to, wanted, (size_t)C, 0), 1e-6);
            check_figure("norm_row_backward", "backward", "dgamma", distance(dgamma, wanted_gamma, (size_t)C, 0), 1e-6);
            check_figure("norm_row_backward", "backward", "dbeta", distance(dbeta, wanted_beta, (size_t)C, 0), 1e-6);
        }
    finish("norm_row_backward");
}

/* ------------------------------------------------------------------ small loops */

/* The maximum at every index of every length, and at any two: the first of the two is returned. */
static void test_max_row(void **state)
{
    enum { WIDE = 70 };
    float x[WIDE];
    (void)state;
    draw_seed(7);
    for (int C = 1; C <= WIDE; C++)
        for (int i = 0; i < C; i++)
            for (int j = i; j < C; j++) {
                int where = -1;
                for (int c = 0; c < C; c++) x[c] = (float)(-9 * draw_uniform()) - 1.5f;
                x[i] = x[j] = -1.25f;
                float high = kernels()->max_row(&where, x, C);
                if (high == -1.25f && where == i) continue;
                print_error("max_row: %d places, largest at %d and %d: %g at %d\n", C, i, j, (double)high, where);
                check_true("max_row", "the first of the largest", false);
            }
    for (int c = 0; c < WIDE; c++) x[c] = -FLT_MAX;
    int where = -1;
    check_true("max_row", "the lowest numbers", kernels()->max_row(&where, x, WIDE) == -FLT_MAX && where == 0);
    finish("max_row");
}

static void test_column_sum(void **state)
{
    enum { ROWS = 5, WIDE = 50, LD = 53 };
    float x[ROWS * LD];
    (void)state;
    draw_seed(8);
    fill(x, ROWS * LD);
    for (int from = 0; from <= WIDE; from++)
        for (int to = from; to <= WIDE; to++)
            for (int rows = 0; rows <= ROWS; rows += ROWS) {
                float sum[WIDE];
                bool right = true;
                for (int c = 0; c < WIDE; c++) sum[c] = (float)c;
                kernels()->column_sum(sum, x, LD, rows, from, to);
                for (int c = 0; c < WIDE; c++) {
                    double wanted = c;
                    for (int r = 0; r < rows && c >= from && c < to; r++) wanted += x[r * LD + c];
                    right = right && fabs(sum[c] - wanted) <= 1e-6 * (1 + c) && (rows > 0 || sum[c] == (float)c);
                }
                check_true("column_sum", "the sums from..to-1, and no other column", right);
            }
    finish("column_sum");
}

static void test_add(void **state)
{
    enum { WIDE = 70 };
    (void)state;
    draw_seed(9);
    for (int n = 0; n <= WIDE; n++) {
        float x[WIDE + 1], y[WIDE + 1], was[WIDE + 1];
        bool right = true;
        fill(x, WIDE + 1);
        fill(y, WIDE + 1);
        memcpy(was, y, sizeof was);
        kernels()->add(y, x, (size_t)n);
        for (int i = 0; i <= WIDE; i++) right = right && y[i] == (i < n ? was[i] + x[i] : was[i]);
        check_true("add", "the first n and no more", right);
    }
    finish("add");
}

/* ------------------------------------------------------------------ kernels of the optimizer */

static void test_adamw(void **state)
{
    enum { N = 101, STEPS = 5 };
    const float lr = 1e-2f, decay = 0.03f, beta1 = 0.9f, beta2 = 0.999f, eps = 1e-8f;
    float w[N], m[N] = {0}, v[N] = {0}, g[N];
    double wanted[N], first[N] = {0}, second[N] = {0}, change[N], start[N];
    (void)state;
    draw_seed(10);
    fill(w, N);
    for (int i = 0; i < N; i++) start[i] = wanted[i] = w[i];
    for (int t = 1; t <= STEPS; t++) {
        double c1 = 1 - pow(beta1, t), c2 = 1 - pow(beta2, t);
        fill(g, N);
        g[N - 1] = 0; /* no gradient: only decay */
        for (int i = 0; i < N; i++) {
            wanted[i] -= (double)lr * decay * wanted[i];
            first[i] = beta1 * first[i] + (1 - (double)beta1) * g[i];
            second[i] = beta2 * second[i] + (1 - (double)beta2) * g[i] * g[i];
            wanted[i] -= lr / c1 * first[i] / (sqrt(second[i]) / sqrt(c2) + eps);
        }
        kernels()->adamw(w, m, v, g, N, lr, decay, beta1, beta2, eps, (float)c1, (float)c2);
    }
    check_figure("adamw", "others", "m", distance(m, first, N, 0), 1e-6);
    check_figure("adamw", "others", "v", distance(v, second, N, 0), 1e-6);
    check_figure("adamw", "others", "w", distance(w, wanted, N, 0), 1e-6);
    float moved[N];
    for (int i = 0; i < N; i++) {
        change[i] = wanted[i] - start[i];
        moved[i] = (float)(w[i] - start[i]);
    }
    check_figure("adamw", "others", "the change of w", distance(moved, change, N, 0), 1e-5);
    finish("adamw");
}

static void test_asam(void **state)
{
    static const int counts[] = {0, 1, 7, 63, 64, 1023, 1024, 5000};
    static float w[5000], g[5000];
    static double wanted[5000];
    (void)state;
    draw_seed(11);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        int n = counts[i];
        double sum = 0;
        fill(w, 5000);
        fill(g, 5000);
        for (int j = 0; j < 5000; j++) {
            if (j < n) sum += (double)w[j] * g[j] * w[j] * g[j];
            wanted[j] = w[j] + (j < n ? (double)w[j] * w[j] * g[j] * 0.3f : 0);
        }
        double norm = kernels()->asam_norm(w, g, (size_t)n);
        check_figure("asam_norm", "others", "sum", n ? fabs(norm / sum - 1) : norm, 1e-6);
        kernels()->asam_climb(w, g, (size_t)n, 0.3f);
        check_figure("asam_climb", "others", "w", distance(w, wanted, 5000, 0), 1e-6);
    }
    finish("asam");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gelu),      cmocka_unit_test(test_gelu_rows),  cmocka_unit_test(test_exp),
        cmocka_unit_test(test_zero_rows), cmocka_unit_test(test_norm_row),   cmocka_unit_test(test_norm_row_backward),
        cmocka_unit_test(test_max_row),   cmocka_unit_test(test_column_sum), cmocka_unit_test(test_add),
        cmocka_unit_test(test_adamw),     cmocka_unit_test(test_asam),
    };
    return run_layer_tests(tests, sizeof tests / sizeof *tests);
}
