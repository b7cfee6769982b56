/* oracle.c - see oracle.h: products, norms, gathering of tokens */
#include "oracle.h"

#include <math.h>

uint64_t oracle_branches;

/* x Phi(x), Phi the normal distribution */
double oracle_gelu(double x)
{
    return x * 0.5 * erfc(-x / sqrt(2.0));
}

double oracle_gelu_slope(double x)
{
    return 0.5 * erfc(-x / sqrt(2.0)) + x * exp(-x * x / 2) / sqrt(2 * acos(-1.0));
}

/* x (1 + tanh(z)) / 2, z = sqrt(2 / pi) (x + 0.044715 x^3) */
double oracle_gelu_tanh(double x)
{
    return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1.0)) * (x + 0.044715 * x * x * x)));
}

double oracle_gelu_tanh_slope(double x)
{
    double root = sqrt(2 / acos(-1.0)), t = tanh(root * (x + 0.044715 * x * x * x));
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * root * (1 + 3 * 0.044715 * x * x);
}

static double activate(double h, enum activation f)
{
    if (f == RELU) oracle_decide(h > 0);
    if (f == GELU_TANH) return oracle_gelu_tanh(h);
    return f == IDENTITY ? h : f == RELU ? fmax(h, 0) : oracle_gelu(h);
}

static double slope(double h, enum activation f)
{
    if (f == GELU_TANH) return oracle_gelu_tanh_slope(h);
    return f == IDENTITY ? 1 : f == RELU ? (h > 0 ? 1 : 0) : oracle_gelu_slope(h);
}

void oracle_linear(double *y, double *h, const double *x, const double *w, const double *b, int M, int N, int K,
                   enum activation f)
{
    for (int m = 0; m < M; m++)
        for (int n = 0; n < N; n++) {
            double sum = b ? b[n] : 0;
            for (int k = 0; k < K; k++) sum += x[m * K + k] * w[n * K + k];
            h[m * N + n] = sum;
            y[m * N + n] = activate(sum, f);
        }
}

void oracle_linear_backward(double *dx, double *dw, double *db, const double *dy, const double *h, const double *x,
                            const double *w, int M, int N, int K, enum activation f)
{
    for (int m = 0; m < M; m++)
        for (int n = 0; n < N; n++) {
            double dh = dy[m * N + n] * slope(h[m * N + n], f);
            if (db) db[n] += dh;
            for (int k = 0; k < K; k++) dw[n * K + k] += dh * x[m * K + k];
            for (int k = 0; dx && k < K; k++) dx[m * K + k] += dh * w[n * K + k];
        }
}

static void moments(double *mean, double *r, const double *x, double epsilon, int C)
{
    double sum = 0, square = 0;
    for (int c = 0; c < C; c++) sum += x[c];
    *mean = sum / C;
    for (int c = 0; c < C; c++) square += (x[c] - *mean) * (x[c] - *mean);
    *r = 1 / sqrt(square / C + epsilon);
}

void oracle_norm(double *y, const double *x, const double *gamma, const double *beta, double epsilon, int M, int C)
{
    for (int m = 0; m < M; m++, x += C, y += C) {
        double mean, r;
        moments(&mean, &r, x, epsilon, C);
        for (int c = 0; c < C; c++) y[c] = (x[c] - mean) * r * gamma[c] + beta[c];
    }
}

/* xhat = (x - mean) r, g = dy gamma:  dx = r (g - mean(g) - xhat mean(g xhat)) */
void oracle_norm_backward(double *dx, double *dgamma, double *dbeta, const double *dy, const double *x,
                          const double *gamma, double epsilon, int M, int C)
{
    for (int m = 0; m < M; m++, x += C, dx += C, dy += C) {
        double mean, r, g = 0, gx = 0;
        moments(&mean, &r, x, epsilon, C);
        for (int c = 0; c < C; c++) {
            double xhat = (x[c] - mean) * r;
            g += dy[c] * gamma[c] / C;
            gx += dy[c] * gamma[c] * xhat / C;
            dgamma[c] += dy[c] * xhat;
            dbeta[c] += dy[c];
        }
        for (int c = 0; c < C; c++) dx[c] += r * (dy[c] * gamma[c] - g - (x[c] - mean) * r * gx);
    }
}

void oracle_patches(double *p, const uint8_t *pixels, const struct patch_embed *w, int B, int H, int W)
{
    int side = w->patch;
    for (int b = 0; b < B; b++)
        for (int i = 0; i < H / side; i++)
            for (int j = 0; j < W / side; j++)
                for (int c = 0; c < 3; c++)
                    for (int r = 0; r < side; r++)
                        for (int s = 0; s < side; s++) {
                            int at = ((b * H + side * i + r) * W + side * j + s) * 3,
                                byte = pixels[at + (w->bgr ? 2 - c : c)];
                            *p++ = (byte / 255.0 - w->mean[c]) / w->deviation[c];
                        }
}

/* index in x (B, H, W, C) of channel c of neighbour `part` of token (i, j) */
static int neighbour(int b, int i, int j, int part, int H, int W, int C)
{
    static const int down[4] = {0, 1, 0, 1}, right[4] = {0, 0, 1, 1};
    return ((b * H + 2 * i + down[part]) * W + 2 * j + right[part]) * C;
}

void oracle_gather(double *g, const double *x, int B, int H, int W, int C)
{
    for (int b = 0; b < B; b++)
        for (int i = 0; i < H / 2; i++)
            for (int j = 0; j < W / 2; j++)
                for (int part = 0; part < 4; part++)
                    for (int c = 0; c < C; c++) *g++ = x[neighbour(b, i, j, part, H, W, C) + c];
}

void oracle_gather_backward(double *dx, const double *dg, int B, int H, int W, int C)
{
    for (int b = 0; b < B; b++)
        for (int i = 0; i < H / 2; i++)
            for (int j = 0; j < W / 2; j++)
                for (int part = 0; part < 4; part++)
                    for (int c = 0; c < C; c++) dx[neighbour(b, i, j, part, H, W, C) + c] += *dg++;
}

void oracle_residual(double *y, const double *x, const double *u, const float *keep, int B, int n)
{
    for (int b = 0; b < B; b++)
        for (int i = 0; i < n; i++) y[b * n + i] = x[b * n + i] + (keep ? (double)keep[b] : 1) * u[b * n + i];
}

void oracle_residual_backward(double *dx, double *du, const double *dy, const float *keep, int B, int n)
{
    for (int b = 0; b < B; b++)
        for (int i = 0; i < n; i++) {
            dx[b * n + i] += dy[b * n + i];
            du[b * n + i] += (keep ? (double)keep[b] : 1) * dy[b * n + i];
        }
}
