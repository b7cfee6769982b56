/* oracle_attention.c - see oracle.h: Swin V2's window attention, token by token */
#include <math.h>
#include <stddef.h>

#include "oracle.h"

enum { HIDDEN = 512 };

static int offsets(const struct oracle_attention *a)
{
    return (2 * a->window - 1) * (2 * a->window - 1);
}

void oracle_attention_open(struct oracle_attention *a, double *(*doubles)(void *user, size_t count), void *user)
{
    size_t map = (size_t)a->B * (size_t)(a->H * a->W) * (size_t)a->C, n = (size_t)(a->window * a->window);
    a->hidden = doubles(user, (size_t)offsets(a) * HIDDEN);
    a->table = doubles(user, (size_t)(offsets(a) * a->heads));
    a->q = doubles(user, map);
    a->k = doubles(user, map);
    a->v = doubles(user, map);
    a->o = doubles(user, map);
    a->p = doubles(user, (size_t)(a->B * a->H * a->W * a->heads) * n);
    a->gradients = doubles(user, 4 * map + (size_t)(offsets(a) * a->heads));
}

/* sign(t) log2(|t| + 1) / log2(8), t = 8 offset / (window - 1) */
static double log_spaced(int offset, int window)
{
    double t = 8.0 * offset / (window > 1 ? window - 1 : 1);
    return copysign(log2(fabs(t) + 1) / 3, t);
}

static void coordinates(double at[2], int row, int window)
{
    int side = 2 * window - 1;
    at[0] = log_spaced(row / side - (window - 1), window);
    at[1] = log_spaced(row % side - (window - 1), window);
}

void oracle_position_table(const struct oracle_attention *a)
{
    for (int r = 0; r < offsets(a); r++) {
        double at[2], *hidden = a->hidden + r * HIDDEN;
        coordinates(at, r, a->window);
        for (int i = 0; i < HIDDEN; i++) {
            hidden[i] = a->cpb_w1[2 * i] * at[0] + a->cpb_w1[2 * i + 1] * at[1] + a->cpb_b1[i];
            oracle_decide(hidden[i] > 0);
        }
        for (int h = 0; h < a->heads; h++) {
            double sum = 0;
            for (int i = 0; i < HIDDEN; i++) sum += a->cpb_w2[h * HIDDEN + i] * fmax(hidden[i], 0);
            a->table[r * a->heads + h] = 16 / (1 + exp(-sum));
        }
    }
}

/* d_table as table; s = 16 sigmoid(z): ds/dz = s (1 - s / 16) */
static void position_table_backward(const double *d_table, const struct oracle_attention *a)
{
    for (int r = 0; r < offsets(a); r++) {
        double at[2], *hidden = a->hidden + r * HIDDEN;
        coordinates(at, r, a->window);
        for (int h = 0; h < a->heads; h++) {
            double s = a->table[r * a->heads + h], dz = d_table[r * a->heads + h] * s * (1 - s / 16);
            for (int i = 0; i < HIDDEN; i++) {
                if (hidden[i] <= 0) continue;
                double dh = dz * a->cpb_w2[h * HIDDEN + i];
                a->d_cpb_w2[h * HIDDEN + i] += dz * hidden[i];
                a->d_cpb_w1[2 * i] += dh * at[0];
                a->d_cpb_w1[2 * i + 1] += dh * at[1];
                a->d_cpb_b1[i] += dh;
            }
        }
    }
}

int oracle_offset(int window, int i, int j)
{
    int down = i / window - j / window + window - 1, right = i % window - j % window + window - 1;
    return down * (2 * window - 1) + right;
}

/* Which of the three bands of a shifted side of length S a position belongs to. */
static int band(int at, int S, const struct oracle_attention *a)
{
    return at < S - a->window ? 0 : at < S - a->shift ? 1 : 2;
}

double oracle_mask(const struct oracle_attention *a, int r, int c, int i, int j)
{
    if (a->shift == 0) return 0;
    int w = a->window, y = r * w, x = c * w;
    int i_region = 3 * band(y + i / w, a->H, a), j_region = 3 * band(y + j / w, a->H, a);
    if (!a->wrap) {
        i_region += band(x + i % w, a->W, a);
        j_region += band(x + j % w, a->W, a);
    }
    return i_region == j_region ? 0 : -100;
}

/* The token of the map, 0..H W - 1, at position i of window (r, c) after the shift. */
static int token(const struct oracle_attention *a, int r, int c, int i)
{
    int y = r * a->window + i / a->window + a->shift, x = c * a->window + i % a->window + a->shift + a->slide;
    return y % a->H * a->W + x % a->W;
}

static double length(const double *x, int d)
{
    double square = 0;
    for (int c = 0; c < d; c++) square += x[c] * x[c];
    return fmax(sqrt(square), 1e-12);
}

static double cosine(const double *x, const double *y, int d)
{
    double sum = 0;
    for (int c = 0; c < d; c++) sum += x[c] * y[c];
    return sum / (length(x, d) * length(y, d));
}

static double head_scale(const struct oracle_attention *a, int h)
{
    double s = a->logit_scale[h];
    return exp(fmin(s, log(100.0)));
}

/* One window (r, c) of picture b, and one head h. */
struct place {
    int b, r, c, h;
};

static double *row(double *map, const struct oracle_attention *a, struct place at, int i)
{
    return map + (at.b * a->H * a->W + token(a, at.r, at.c, i)) * a->C + at.h * (a->C / a->heads);
}

static double *softmax_of(const struct oracle_attention *a, struct place at)
{
    int n = a->window * a->window, columns = a->W / a->window, rows = a->H / a->window;
    return a->p + (((at.b * rows + at.r) * columns + at.c) * a->heads + at.h) * n * n;
}

static double hidden_key(const struct oracle_attention *a, struct place at, int j)
{
    return a->seen && !a->seen[at.b * a->H * a->W + token(a, at.r, at.c, j)] ? -1e30 : 0;
}

static void window_head(const struct oracle_attention *a, struct place at)
{
    int n = a->window * a->window, d = a->C / a->heads;
    double *p = softmax_of(a, at);
    for (int i = 0; i < n; i++, p += n) {
        double high = -1e300, sum = 0;
        for (int j = 0; j < n; j++) {
            p[j] = head_scale(a, at.h) * cosine(row(a->q, a, at, i), row(a->k, a, at, j), d) +
                   a->table[oracle_offset(a->window, i, j) * a->heads + at.h] + oracle_mask(a, at.r, at.c, i, j) +
                   hidden_key(a, at, j);
            high = fmax(high, p[j]);
        }
        for (int j = 0; j < n; j++) sum += p[j] = exp(p[j] - high);
        double *o = row(a->o, a, at, i);
        for (int c = 0; c < d; c++) o[c] = 0;
        for (int j = 0; j < n; j++) {
            p[j] /= sum;
            for (int c = 0; c < d; c++) o[c] += p[j] * row(a->v, a, at, j)[c];
        }
    }
}

void oracle_attention_forward(double *y, const double *x, const struct oracle_attention *a)
{
    int M = a->B * a->H * a->W, C = a->C;
    oracle_position_table(a);
    for (int h = 0; h < a->heads; h++) oracle_decide(a->logit_scale[h] < log(100.0));
    oracle_linear(a->q, a->q, x, a->qkv, a->q_bias, M, C, C, IDENTITY);
    oracle_linear(a->k, a->k, x, a->qkv + C * C, NULL, M, C, C, IDENTITY);
    oracle_linear(a->v, a->v, x, a->qkv + 2 * C * C, a->v_bias, M, C, C, IDENTITY);
    for (int b = 0; b < a->B; b++)
        for (int r = 0; r < a->H / a->window; r++)
            for (int c = 0; c < a->W / a->window; c++)
                for (int h = 0; h < a->heads; h++) window_head(a, (struct place){b, r, c, h});
    oracle_linear(y, y, a->o, a->proj_w, a->proj_b, M, C, C, IDENTITY);
}

struct attention_gradients {
    double *q, *k, *v, *o, *table;
};

/* cos = x . y / (|x| |y|):  dx = dcos (y / |y| - cos x / |x|) / |x| */
static void cosine_backward(double *dx, double *dy, double d_cos, const double *x, const double *y, int d)
{
    double cos = cosine(x, y, d), lx = length(x, d), ly = length(y, d);
    for (int c = 0; c < d; c++) {
        dx[c] += d_cos * (y[c] / ly - cos * x[c] / lx) / lx;
        dy[c] += d_cos * (x[c] / lx - cos * y[c] / ly) / ly;
    }
}

static void window_head_backward(struct attention_gradients g, const struct oracle_attention *a, struct place at)
{
    int n = a->window * a->window, d = a->C / a->heads;
    double scale = head_scale(a, at.h), *p = softmax_of(a, at);
    for (int i = 0; i < n; i++, p += n) {
        const double *o = row(a->o, a, at, i), *d_o = row(g.o, a, at, i);
        double along = 0;
        for (int c = 0; c < d; c++) along += d_o[c] * o[c];
        for (int j = 0; j < n; j++) {
            double dp = 0, *q = row(a->q, a, at, i), *k = row(a->k, a, at, j);
            for (int c = 0; c < d; c++) {
                dp += d_o[c] * row(a->v, a, at, j)[c];
                row(g.v, a, at, j)[c] += p[j] * d_o[c];
            }
            double ds = p[j] * (dp - along);
            g.table[oracle_offset(a->window, i, j) * a->heads + at.h] += ds;
            if (a->logit_scale[at.h] < log(100.0)) a->d_logit_scale[at.h] += ds * scale * cosine(q, k, d);
            cosine_backward(row(g.q, a, at, i), row(g.k, a, at, j), ds * scale, q, k, d);
        }
    }
}

static void zero(double *x, int n)
{
    for (int i = 0; i < n; i++) x[i] = 0;
}

static void add_columns(double *sum, const double *x, int M, int C)
{
    for (int i = 0; i < M * C; i++) sum[i % C] += x[i];
}

void oracle_attention_backward(double *dx, const double *dy, const double *x, const struct oracle_attention *a)
{
    int M = a->B * a->H * a->W, C = a->C, map = M * C;
    double *all = a->gradients;
    struct attention_gradients g = {all, all + map, all + 2 * map, all + 3 * map, all + 4 * map};
    zero(all, 4 * map + offsets(a) * a->heads);
    oracle_linear_backward(g.o, a->d_proj_w, a->d_proj_b, dy, dy, a->o, a->proj_w, M, C, C, IDENTITY);
    for (int b = 0; b < a->B; b++)
        for (int r = 0; r < a->H / a->window; r++)
            for (int c = 0; c < a->W / a->window; c++)
                for (int h = 0; h < a->heads; h++) window_head_backward(g, a, (struct place){b, r, c, h});
    oracle_linear_backward(dx, a->d_qkv, NULL, g.q, g.q, x, a->qkv, M, C, C, IDENTITY);
    oracle_linear_backward(dx, a->d_qkv + C * C, NULL, g.k, g.k, x, a->qkv + C * C, M, C, C, IDENTITY);
    oracle_linear_backward(dx, a->d_qkv + 2 * C * C, NULL, g.v, g.v, x, a->qkv + 2 * C * C, M, C, C, IDENTITY);
    add_columns(a->d_q_bias, g.q, M, C);
    add_columns(a->d_v_bias, g.v, M, C);
    position_table_backward(g.table, a);
}
