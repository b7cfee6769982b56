/* kernels.c - the inner loops; see kernels.h. Compiled three times: KERNELS is the table's name, VW the vector length
 * that the compiler's flags allow. */
#include "tensor/kernels.h"

#include <math.h>

#include "tensor/vec.h"

/* ------------------------------------------------------------------ normalisation */

static void norm_row(float *y, float *xhat, float *rstd, const float *u, const float *bias, const float *base,
                     float scale, const float *gamma, const float *beta, float epsilon, int C)
{
    vf s = {0};
    float tail = 0;
    int c = 0;
    for (; c + VW <= C; c += VW) s += bias ? v_load(u + c) + v_load(bias + c) : v_load(u + c);
    for (; c < C; c++) tail += bias ? u[c] + bias[c] : u[c];
    float mean = (v_sum(s) + tail) / (float)C;

    s = (vf){0};
    tail = 0;
    for (c = 0; c + VW <= C; c += VW) {
        vf x = (bias ? v_load(u + c) + v_load(bias + c) : v_load(u + c)) - mean;
        s += x * x;
    }
    for (; c < C; c++) {
        float x = (bias ? u[c] + bias[c] : u[c]) - mean;
        tail += x * x;
    }
    float r = 1.0f / sqrtf((v_sum(s) + tail) / (float)C + epsilon);
    if (rstd) *rstd = r;

    for (c = 0; c + VW <= C; c += VW) {
        vf x = ((bias ? v_load(u + c) + v_load(bias + c) : v_load(u + c)) - mean) * r;
        if (xhat) v_store(xhat + c, x);
        x = scale * (x * v_load(gamma + c) + v_load(beta + c));
        v_store(y + c, base ? v_load(base + c) + x : x);
    }
    for (; c < C; c++) {
        float x = ((bias ? u[c] + bias[c] : u[c]) - mean) * r;
        if (xhat) xhat[c] = x;
        x = scale * (x * gamma[c] + beta[c]);
        y[c] = base ? base[c] + x : x;
    }
}

static void norm_row_backward(float *du, float *dgamma, float *dbeta, const float *dy, const float *xhat, float rstd,
                              float scale, const float *gamma, int C)
{
    vf a = {0}, b = {0};
    float ta = 0, tb = 0;
    int c = 0;
    for (; c + VW <= C; c += VW) {
        vf d = scale * v_load(dy + c), x = v_load(xhat + c), g = d * v_load(gamma + c);
        a += g;
        b += g * x;
        v_store(dgamma + c, v_load(dgamma + c) + d * x);
        v_store(dbeta + c, v_load(dbeta + c) + d);
    }
    for (; c < C; c++) {
        float d = scale * dy[c], g = d * gamma[c];
        ta += g;
        tb += g * xhat[c];
        dgamma[c] += d * xhat[c];
        dbeta[c] += d;
    }
    float mean = (v_sum(a) + ta) / (float)C, along = (v_sum(b) + tb) / (float)C;
    for (c = 0; c + VW <= C; c += VW) {
        vf g = scale * v_load(dy + c) * v_load(gamma + c);
        v_store(du + c, rstd * (g - mean - v_load(xhat + c) * along));
    }
    for (; c < C; c++) du[c] = rstd * (scale * dy[c] * gamma[c] - mean - xhat[c] * along);
}

/* ------------------------------------------------------------------ GELU */

/* The factor p of gelu(x) = x p: Phi(x) with the exact erf, or, by_tanh, s(z) = 1 / (1 + e^-z),
 * z = 2 sqrt(2 / pi) (x + 0.044715 x^3). */
__attribute__((always_inline)) static inline vf share(vf x, int by_tanh)
{
    if (!by_tanh) return v_phi(x);
    vf e = v_exp(1.59576912f * x * (1.0f + 0.044715f * x * x));
    return e / (1.0f + e);
}

/* gelu'(x) = p + x p', with p' = exp(-x^2 / 2) / sqrt(2 pi), or, by_tanh, p (1 - p) z' (which is 0 from 12 on) */
__attribute__((always_inline)) static inline vf slope(vf x, vf p, int by_tanh)
{
    if (!by_tanh) return p + x * (0.398942280f * v_exp(-0.5f * x * x));
    x = v_min(v_max(x, v_set(-12.0f)), v_set(12.0f));
    return p + x * (p * (1.0f - p) * (1.59576912f + 0.21406623f * x * x));
}

__attribute__((always_inline)) static inline void gelu_rows(float *g, float *h, const float *bias, int rows, int C,
                                                            int keep, int by_tanh)
{
    for (int r = 0; r < rows; r++, g += C, h += C) {
        int c = 0;
        for (; c + VW <= C; c += VW) {
            vf x = bias ? v_load(h + c) + v_load(bias + c) : v_load(h + c);
            if (keep) v_store(h + c, x);
            v_store(g + c, x * share(x, by_tanh));
        }
        if (c < C) {
            vf x = bias ? v_load_part(h + c, C - c) + v_load_part(bias + c, C - c) : v_load_part(h + c, C - c);
            if (keep) v_store_part(h + c, x, C - c);
            v_store_part(g + c, x * share(x, by_tanh), C - c);
        }
    }
}

static void gelu(float *g, float *h, const float *bias, int rows, int C, int keep)
{
    gelu_rows(g, h, bias, rows, C, keep, 0);
}

static void gelu_tanh(float *g, float *h, const float *bias, int rows, int C, int keep)
{
    gelu_rows(g, h, bias, rows, C, keep, 1);
}

__attribute__((always_inline)) static inline void gelu_slopes(float *dh, float *g, const float *dg, const float *h,
                                                              size_t n, int by_tanh)
{
    size_t i = 0;
    for (; i + VW <= n; i += VW) {
        vf x = v_load(h + i), p = share(x, by_tanh);
        v_store(dh + i, v_load(dg + i) * slope(x, p, by_tanh));
        v_store(g + i, x * p);
    }
    if (i < n) {
        int part = (int)(n - i);
        vf x = v_load_part(h + i, part), p = share(x, by_tanh);
        v_store_part(dh + i, v_load_part(dg + i, part) * slope(x, p, by_tanh), part);
        v_store_part(g + i, x * p, part);
    }
}

static void gelu_backward(float *dh, float *g, const float *dg, const float *h, size_t n)
{
    gelu_slopes(dh, g, dg, h, n, 0);
}

static void gelu_tanh_backward(float *dh, float *g, const float *dg, const float *h, size_t n)
{
    gelu_slopes(dh, g, dg, h, n, 1);
}

/* ------------------------------------------------------------------ attention in one window */

/* C (m, n) = A B for small sizes. A(i, k) is A[i ra + k ca]; B (K, n) has rows at distance ldb; n is a multiple of VW.
 * Blocks of rows x vecs accumulators stay in registers: 16 of AVX-512's 32, 8 of the others' 16. */
enum { MAX_ROWS = 8, MAX_VECS = 4 };

__attribute__((always_inline)) static inline void product_block(float *C, int ldc, const float *A, int ra, int ca,
                                                                const float *B, int ldb, int K, int rows, int vecs)
{
    vf sum[MAX_ROWS][MAX_VECS];
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vecs; v++) sum[r][v] = (vf){0};
    for (int k = 0; k < K; k++) {
        vf b[MAX_VECS];
        for (int v = 0; v < vecs; v++) b[v] = v_load(B + (size_t)k * ldb + v * VW);
        for (int r = 0; r < rows; r++) {
            float a = A[r * ra + k * ca];
            for (int v = 0; v < vecs; v++) sum[r][v] += a * b[v];
        }
    }
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vecs; v++) v_store(C + (size_t)r * ldc + v * VW, sum[r][v]);
}

/* All rows of a stripe of `vecs` vectors. */
__attribute__((always_inline)) static inline void product_columns(float *C, int ldc, const float *A, int ra, int ca,
                                                                  const float *B, int ldb, int m, int K, int rows,
                                                                  int vecs)
{
    int i = 0;
    for (; i + rows <= m; i += rows)
        product_block(C + (size_t)i * ldc, ldc, A + (size_t)i * ra, ra, ca, B, ldb, K, rows, vecs);
    for (; i < m; i++) product_block(C + (size_t)i * ldc, ldc, A + (size_t)i * ra, ra, ca, B, ldb, K, 1, vecs);
}

static void product(float *C, int ldc, const float *A, int ra, int ca, const float *B, int ldb, int m, int n, int K)
{
    int j = 0;
#if VW == 16
    for (; j + 4 * VW <= n; j += 4 * VW) product_columns(C + j, ldc, A, ra, ca, B + j, ldb, m, K, 4, 4);
    for (; j + 2 * VW <= n; j += 2 * VW) product_columns(C + j, ldc, A, ra, ca, B + j, ldb, m, K, 8, 2);
#else
    for (; j + 2 * VW <= n; j += 2 * VW) product_columns(C + j, ldc, A, ra, ca, B + j, ldb, m, K, 4, 2);
#endif
    for (; j < n; j += VW) product_columns(C + j, ldc, A, ra, ca, B + j, ldb, m, K, 8, 1);
}

/* The window's data, copied to scratch. Rows are zero-padded to dp channels, columns to np tokens. */
struct parts {
    float *q;           /* (np, dp) q^ */
    float *k;           /* (np, dp) k^ */
    float *kt;          /* (dp, np) k^ transposed */
    float *v;           /* (np, dp) v + v_bias */
    float *p;           /* (n, np) softmax, each row not yet divided by its sum */
    float *rq, *rk;     /* (n) 1 / length of q, k */
    float *inverse_sum; /* (n) */
    float *rest;
    int dp;
};

/* x / |x| of d channels, as a row zero-padded to dp; bias may be NULL. */
static void unit_row(float *to, float *inverse, const float *from, const float *bias, int d, int dp)
{
    vf square = {0};
    for (int c = 0; c < dp; c += VW) {
        vf x = c + VW <= d ? v_load(from + c) : c < d ? v_load_part(from + c, d - c) : (vf){0};
        if (bias) x += c + VW <= d ? v_load(bias + c) : c < d ? v_load_part(bias + c, d - c) : (vf){0};
        square += x * x;
        v_store(to + c, x);
    }
    float length = sqrtf(v_sum(square)), r = 1.0f / (length > 1e-12f ? length : 1e-12f); /* fmaxf is a call */
    for (int c = 0; c < dp; c += VW) v_store(to + c, r * v_load(to + c));
    *inverse = r;
}

/* to (columns, rows) = from (rows, columns), both multiples of 16 */
static void transpose(float *to, const float *from, int rows, int columns)
{
    for (int i = 0; i < rows; i += VW)
        for (int c = 0; c < columns; c += VW) {
            vf block[VW];
            for (int r = 0; r < VW; r++) block[r] = v_load(from + (size_t)(i + r) * columns + c);
            v_transpose(block, VW);
            for (int r = 0; r < VW; r++) v_store(to + (size_t)(c + r) * rows + i, block[r]);
        }
}

static void lay_out(struct parts *s, const struct window *w, float *scratch)
{
    int n = w->n, d = w->d, dp = (d + 15) / 16 * 16;
    size_t np = (size_t)w->np, map = np * (size_t)dp;
    s->dp = dp;
    s->q = scratch;
    s->k = s->q + map;
    s->v = s->k + map;
    s->kt = s->v + map;
    s->p = s->kt + map;
    s->rq = s->p + np * np;
    s->rk = s->rq + np;
    s->inverse_sum = s->rk + np;
    s->rest = s->inverse_sum + np;
    for (int i = 0; i < n; i++) {
        unit_row(s->q + (size_t)i * dp, s->rq + i, w->q + (size_t)i * w->ld, w->q_bias, d, dp);
        unit_row(s->k + (size_t)i * dp, s->rk + i, w->k + (size_t)i * w->ld, NULL, d, dp);
        const float *v = w->v + (size_t)i * w->ld;
        float *to = s->v + (size_t)i * dp;
        int c = 0;
        for (; c + VW <= d; c += VW) v_store(to + c, v_load(v + c) + v_load(w->v_bias + c));
        if (c < d) v_store(to + c, v_load_part(v + c, d - c) + v_load_part(w->v_bias + c, d - c));
        for (c = (c + VW - 1) / VW * VW + (c < d ? VW : 0); c < dp; c += VW) v_store(to + c, (vf){0});
    }
    if (w->np > n) {
        memset(s->k + (size_t)n * dp, 0, (np - n) * dp * sizeof *scratch);
        memset(s->v + (size_t)n * dp, 0, (np - n) * dp * sizeof *scratch);
    }
    transpose(s->kt, s->k, w->np, dp);
}

/* p = exp(S - max S), S = scale q^ k^^T + bias + mask; padded columns become 0. */
static void soften(struct parts *s, const struct window *w)
{
    int n = w->n, np = w->np;
    product(s->p, np, s->q, s->dp, 1, s->kt, np, n, np, w->d);
    for (int i = 0; i < n; i++) {
        float *row = s->p + (size_t)i * np;
        const float *bias = w->bias + (size_t)i * np, *mask = w->mask ? w->mask + (size_t)i * np : NULL;
        vf high = v_set(-1e30f);
        for (int j = 0; j < np; j += VW) {
            vf x = w->scale * v_load(row + j) + v_load(bias + j);
            if (mask) x += v_load(mask + j);
            v_store(row + j, x);
            high = v_max(high, x);
        }
        vf top = v_set(v_highest(high)), sum = {0};
        for (int j = 0; j < np; j += VW) {
            vf e = v_exp(v_load(row + j) - top);
            v_store(row + j, e);
            sum += e;
        }
        s->inverse_sum[i] = 1.0f / v_sum(sum);
    }
}

static void window_forward(float *o, int ldo, const struct window *w, float *scratch)
{
    struct parts s;
    lay_out(&s, w, scratch);
    soften(&s, w);
    float *to = s.rest;
    product(to, s.dp, s.p, w->np, 1, s.v, s.dp, w->n, s.dp, w->n);
    for (int i = 0; i < w->n; i++)
        for (int c = 0; c < w->d; c++) o[(size_t)i * ldo + c] = to[(size_t)i * s.dp + c] * s.inverse_sum[i];
}

static float dot(const float *a, const float *b, int n)
{
    vf s = {0};
    int c = 0;
    for (; c + VW <= n; c += VW) s += v_load(a + c) * v_load(b + c);
    float sum = v_sum(s);
    for (; c < n; c++) sum += a[c] * b[c];
    return sum;
}

/* y = x r with r = 1 / |x|: dx = r (dy - y (y . dy)) */
static void unit_row_backward(float *dx, const float *dy, const float *y, float r, int d)
{
    float along = dot(dy, y, d);
    for (int c = 0; c < d; c++) dx[c] = r * (dy[c] - y[c] * along);
}

static void window_backward(float *dq, float *dk, float *dv, float *dbias, double *dscale, const float *dout,
                            const float *out, int ldo, const struct window *w, float *scratch)
{
    struct parts s;
    lay_out(&s, w, scratch);
    soften(&s, w);
    int n = w->n, np = w->np, d = w->d, dp = s.dp;
    size_t map = (size_t)np * (size_t)dp;
    float *go = s.rest, *vt = go + map, *t = vt + map, *ds = t + map; /* (n, dp), (dp, np), (n, dp), (n, np) */

    for (int i = 0; i < n; i++) /* derivative of the softmax */
        for (int j = 0; j < np; j += VW) {
            float *p = s.p + (size_t)i * np + j;
            v_store(p, v_load(p) * s.inverse_sum[i]);
        }
    memset(go, 0, map * sizeof *go);
    for (int i = 0; i < n; i++)
        for (int c = 0; c < d; c++) go[(size_t)i * dp + c] = dout[(size_t)i * ldo + c];
    transpose(vt, s.v, np, dp);

    /* dS = P (dP - D), dP = dO V^T, D = rows of dO . O */
    product(ds, np, go, dp, 1, vt, np, n, np, d);
    double slope = 0;
    for (int i = 0; i < n; i++) {
        float along = dot(dout + (size_t)i * ldo, out + (size_t)i * ldo, d);
        float *g = ds + (size_t)i * np, *b = dbias + (size_t)i * np;
        const float *p = s.p + (size_t)i * np;
        for (int j = 0; j < np; j += VW) {
            vf x = v_load(p + j) * (v_load(g + j) - along);
            v_store(g + j, x);
            v_store(b + j, v_load(b + j) + x);
        }
    }
    /* dV = P^T dO */
    product(t, dp, s.p, 1, np, go, dp, n, dp, n);
    for (int i = 0; i < n; i++) memcpy(dv + (size_t)i * w->ld, t + (size_t)i * dp, (size_t)d * sizeof *t);

    /* dq^ = scale dS k^; dscale is the sum of q^ . (dS k^) */
    product(t, dp, ds, np, 1, s.k, dp, n, dp, n);
    for (int i = 0; i < n; i++) {
        float *g = t + (size_t)i * dp;
        slope += dot(g, s.q + (size_t)i * dp, d);
        for (int c = 0; c < d; c++) g[c] *= w->scale;
        unit_row_backward(dq + (size_t)i * w->ld, g, s.q + (size_t)i * dp, s.rq[i], d);
    }
    *dscale += slope;
    /* dk^ = scale dS^T q^ */
    product(t, dp, ds, 1, np, s.q, dp, n, dp, n);
    for (int i = 0; i < n; i++) {
        float *g = t + (size_t)i * dp;
        for (int c = 0; c < d; c++) g[c] *= w->scale;
        unit_row_backward(dk + (size_t)i * w->ld, g, s.k + (size_t)i * dp, s.rk[i], d);
    }
}

/* ------------------------------------------------------------------ small loops */

static float max_row(int *where, const float *x, int C)
{
    int best = 0;
    if (C >= 2 * VW) {
        vf high = v_load(x);
        vi block = {0}, at = {0};
        int c = VW;
        for (; c + VW <= C; c += VW) {
            vf v = v_load(x + c);
            vi more = v > high;
            at += 1;
            high = v_select(more, v, high);
            block = (at & more) | (block & ~more);
        }
        best = block[0] * VW;
        for (int i = 1; i < VW; i++) {
            int c_i = block[i] * VW + i;
            if (high[i] > x[best] || (high[i] == x[best] && c_i < best)) best = c_i;
        }
        for (; c < C; c++)
            if (x[c] > x[best]) best = c;
    } else {
        for (int c = 1; c < C; c++)
            if (x[c] > x[best]) best = c;
    }
    *where = best;
    return x[best];
}

static void column_sum(float *sum, const float *x, int ld, int rows, int from, int to)
{
    int c = from;
    for (; c + VW <= to; c += VW) {
        vf s = v_load(sum + c);
        for (int r = 0; r < rows; r++) s += v_load(x + (size_t)r * ld + c);
        v_store(sum + c, s);
    }
    for (; c < to; c++)
        for (int r = 0; r < rows; r++) sum[c] += x[(size_t)r * ld + c];
}

static void add(float *y, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) y[i] += x[i];
}

static void adamw(float *w, float *m, float *v, const float *g, size_t n, float lr, float decay, float beta1,
                  float beta2, float eps, float c1, float c2)
{
    float keep = 1 - lr * decay, step = lr / c1, root = sqrtf(c2);
    for (size_t i = 0; i < n; i++) {
        float x = w[i] * keep;
        m[i] += (g[i] - m[i]) * (1 - beta1);
        v[i] = v[i] * beta2 + g[i] * g[i] * (1 - beta2);
        w[i] = x - step * m[i] / (sqrtf(v[i]) / root + eps);
    }
}

static double asam_norm(const float *w, const float *g, size_t n)
{
    double sum = 0;
    size_t i = 0;
    for (; i + 64 * VW <= n; i += 64 * VW) {
        vf s = {0};
        for (int j = 0; j < 64; j++) {
            vf x = v_load(w + i + j * VW) * v_load(g + i + j * VW);
            s += x * x;
        }
        sum += v_sum(s);
    }
    for (; i < n; i++) sum += (double)(w[i] * g[i]) * (w[i] * g[i]);
    return sum;
}

static void asam_climb(float *w, const float *g, size_t n, float step)
{
    for (size_t i = 0; i < n; i++) w[i] += w[i] * w[i] * g[i] * step;
}

static double peak(long rounds)
{
    enum { CHAINS = 12 };
    vf sum[CHAINS], a = v_set(0.999f), b = v_set(1e-3f);
    for (int c = 0; c < CHAINS; c++) sum[c] = v_set((float)c);
    for (long r = 0; r < rounds; r++)
        for (int c = 0; c < CHAINS; c++) sum[c] = sum[c] * a + b;
    vf total = {0};
    for (int c = 0; c < CHAINS; c++) total += sum[c];
    volatile float sink = v_sum(total);
    (void)sink;
    return 2.0 * VW * CHAINS * (double)rounds;
}

extern const struct half_kernels HALF_KERNELS;
extern const struct conv_kernels CONV_KERNELS;

const struct kernels KERNELS = {
    .name = KERNELS_NAME,
    .level = KERNELS_LEVEL,
    .half = &HALF_KERNELS,
    .conv = &CONV_KERNELS,
#define KERNEL(type, name, parameters) .name = name,
#include "tensor/kernels.def"
};
