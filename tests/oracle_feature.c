/* oracle_feature.c - see oracle.h: from maps to features, and the triplet loss */
#include <math.h>

#include "oracle.h"

void oracle_masks_forward(double *y, const double *x, const struct oracle_masks *a)
{
    int L = a->L, C = a->C, N = a->N, half = L / 2;
    for (int b = 0; b < a->B; b++, x += L * C, y += N * C) {
        double *m = a->m + b * L, *h = a->h + b * N * half, *w = a->w + b * N * L;
        int *where = a->where + b * L;
        for (int l = 0; l < L; l++) {
            where[l] = 0;
            for (int c = 1; c < C; c++)
                if (x[l * C + c] > x[l * C + where[l]]) where[l] = c;
            m[l] = a->seen && !a->seen[b * L + l] ? 0 : x[l * C + where[l]];
            oracle_decide(where[l]);
        }
        for (int n = 0; n < N; n++) {
            for (int i = 0; i < half; i++) {
                h[n * half + i] = a->b1[n * half + i];
                for (int l = 0; l < L; l++) h[n * half + i] += a->w1[(n * half + i) * L + l] * m[l];
            }
            for (int l = 0; l < L; l++) {
                w[n * L + l] = a->b2[n * L + l];
                for (int i = 0; i < half; i++) w[n * L + l] += a->w2[(n * L + l) * half + i] * h[n * half + i];
                if (a->seen && !a->seen[b * L + l]) w[n * L + l] = 0;
            }
            for (int c = 0; c < C; c++) {
                y[n * C + c] = 0;
                for (int l = 0; l < L; l++) y[n * C + c] += w[n * L + l] * x[l * C + c];
            }
        }
    }
}

/* One mask n of one picture: its contribution to dx and to the maximum's gradient dm. */
static void mask_backward(double *dx, double *dm, const double *dy, const double *x, const struct oracle_masks *a,
                          int b, int n)
{
    int L = a->L, C = a->C, half = L / 2;
    const double *m = a->m + b * L, *h = a->h + (b * a->N + n) * half, *w = a->w + (b * a->N + n) * L;
    for (int l = 0; l < L; l++) {
        double dw = 0;
        if (a->seen && !a->seen[b * L + l]) continue;
        for (int c = 0; c < C; c++) {
            dw += dy[c] * x[l * C + c];
            dx[l * C + c] += w[l] * dy[c];
        }
        a->d_b2[n * L + l] += dw;
        for (int i = 0; i < half; i++) {
            double dh = dw * a->w2[(n * L + l) * half + i]; /* its contribution at this position; the rest is linear */
            a->d_w2[(n * L + l) * half + i] += dw * h[i];
            a->d_b1[n * half + i] += dh;
            for (int k = 0; k < L; k++) {
                a->d_w1[(n * half + i) * L + k] += dh * m[k];
                dm[k] += dh * a->w1[(n * half + i) * L + k];
            }
        }
    }
}

void oracle_masks_backward(double *dx, const double *dy, const double *x, const struct oracle_masks *a)
{
    int L = a->L, C = a->C, N = a->N;
    for (int b = 0; b < a->B; b++, x += L * C, dx += L * C) {
        double *dm = a->dm;
        for (int l = 0; l < L; l++) dm[l] = 0;
        for (int n = 0; n < N; n++) mask_backward(dx, dm, dy + (b * N + n) * C, x, a, b, n);
        for (int l = 0; l < L; l++)
            if (a->seen == NULL || a->seen[b * L + l]) dx[l * C + a->where[b * L + l]] += dm[l];
    }
}

static double length(const double *x, int C)
{
    double square = 0;
    for (int c = 0; c < C; c++) square += x[c] * x[c];
    return sqrt(square);
}

void oracle_normalise(double *y, const double *x, double epsilon, int B, int C)
{
    for (int b = 0; b < B; b++)
        for (int c = 0; c < C; c++) y[b * C + c] = x[b * C + c] / fmax(length(x + b * C, C) + epsilon, 1e-12);
}

/* y = x / s, s = r + epsilon, r = |x|:  dx = dy / s - x (x . dy) / (r s^2); a row shorter than 1e-12 is divided by a
 * constant */
void oracle_normalise_backward(double *dx, const double *dy, const double *x, double epsilon, int B, int C)
{
    for (int b = 0; b < B; b++, x += C, dx += C, dy += C) {
        double r = length(x, C), s = r + epsilon, along = 0;
        for (int c = 0; c < C; c++) along += x[c] * dy[c];
        for (int c = 0; c < C; c++)
            dx[c] += s < 1e-12 ? dy[c] / 1e-12 : dy[c] / s - (r > 0 ? x[c] * along / (r * s * s) : 0);
    }
}

void oracle_pool(double *y, double *p, const double *a, const double *v, int B, int L, int heads, int D)
{
    for (int b = 0; b < B; b++, a += L * heads, v += L * D, y += D)
        for (int h = 0; h < heads; h++, p += L) {
            double sum = 0;
            for (int l = 0; l < L; l++) sum += exp(a[l * heads + h]);
            for (int l = 0; l < L; l++) p[l] = exp(a[l * heads + h]) / sum;
            for (int c = h * (D / heads); c < (h + 1) * (D / heads); c++) {
                y[c] = 0;
                for (int l = 0; l < L; l++) y[c] += p[l] * v[l * D + c];
            }
        }
}

/* dp_l = sum over c of dy_c v_lc; the softmax's Jacobian is p_l ([l = k] - p_k) */
void oracle_pool_backward(double *da, double *dv, const double *dy, const double *p, const double *v, int B, int L,
                          int heads, int D)
{
    for (int b = 0; b < B; b++, da += L * heads, dv += L * D, v += L * D, dy += D)
        for (int h = 0; h < heads; h++, p += L)
            for (int c = h * (D / heads); c < (h + 1) * (D / heads); c++)
                for (int l = 0; l < L; l++) {
                    dv[l * D + c] += p[l] * dy[c];
                    for (int k = 0; k < L; k++) da[k * heads + h] += dy[c] * v[l * D + c] * p[l] * ((l == k) - p[k]);
                }
}

static double softplus(double x)
{
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}

static double product(const double *a, const double *b, int D)
{
    double sum = 0;
    for (int d = 0; d < D; d++) sum += a[d] * b[d];
    return sum;
}

double oracle_triplet(const double *a, const double *b, int B, int D, double alpha)
{
    double rows = 0, columns = 0;
    for (int i = 0; i < B; i++) {
        double near = 2 - 2 * product(a + i * D, b + i * D, D);
        for (int j = 0; j < B; j++) {
            if (j == i) continue;
            rows += softplus(alpha * (near - (2 - 2 * product(a + i * D, b + j * D, D))));
            columns += softplus(alpha * (near - (2 - 2 * product(a + j * D, b + i * D, D))));
        }
    }
    return (rows + columns) / 2 / (B * (B - 1));
}

/* Gradient of one term with respect to a negative pair (factor +g) and a positive pair (-g): d(a_i . b_j) */
static void pull(double *da, double *db, const double *a, const double *b, int i, int j, double g, int D)
{
    for (int d = 0; d < D; d++) {
        da[i * D + d] += g * b[j * D + d];
        db[j * D + d] += g * a[i * D + d];
    }
}

void oracle_triplet_backward(double *da, double *db, const double *a, const double *b, int B, int D, double alpha,
                             double weight)
{
    for (int i = 0; i < B; i++) {
        double near = product(a + i * D, b + i * D, D);
        for (int j = 0; j < B; j++) {
            if (j == i) continue;
            double out = product(a + i * D, b + j * D, D), in = product(a + j * D, b + i * D, D);
            double factor = weight * alpha * 2 / 2 / (B * (B - 1)); /* distance = 2 - 2 product; two directions */
            double g_out = factor / (1 + exp(-2 * alpha * (out - near)));
            double g_in = factor / (1 + exp(-2 * alpha * (in - near)));
            pull(da, db, a, b, i, j, g_out, D);
            pull(da, db, a, b, j, i, g_in, D);
            pull(da, db, a, b, i, i, -g_out - g_in, D);
        }
    }
}
