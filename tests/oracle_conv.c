/* oracle_conv.c - see oracle.h: convolutions and the layers around them */
#include "oracle.h"

/* Index of channel c at position (i, j) of picture b, or -1 outside the map. */
static int place(int b, int i, int j, int c, int H, int W, int C)
{
    return i < 0 || i >= H || j < 0 || j >= W ? -1 : ((b * H + i) * W + j) * C + c;
}

void oracle_depthwise(double *y, const double *x, const double *w, const double *b, int B, int H, int W, int C, int k)
{
    for (int n = 0; n < B; n++)
        for (int i = 0; i < H; i++)
            for (int j = 0; j < W; j++)
                for (int c = 0; c < C; c++) {
                    double sum = b[c];
                    for (int r = 0; r < k; r++)
                        for (int s = 0; s < k; s++) {
                            int at = place(n, i + r - k / 2, j + s - k / 2, c, H, W, C);
                            if (at >= 0) sum += w[(c * k + r) * k + s] * x[at];
                        }
                    y[place(n, i, j, c, H, W, C)] = sum;
                }
}

void oracle_depthwise_backward(double *dx, double *dw, double *db, const double *dy, const double *x, const double *w,
                               int B, int H, int W, int C, int k)
{
    for (int n = 0; n < B; n++)
        for (int i = 0; i < H; i++)
            for (int j = 0; j < W; j++)
                for (int c = 0; c < C; c++) {
                    double d = dy[place(n, i, j, c, H, W, C)];
                    db[c] += d;
                    for (int r = 0; r < k; r++)
                        for (int s = 0; s < k; s++) {
                            int at = place(n, i + r - k / 2, j + s - k / 2, c, H, W, C);
                            if (at < 0) continue;
                            dx[at] += d * w[(c * k + r) * k + s];
                            dw[(c * k + r) * k + s] += d * x[at];
                        }
                }
}

void oracle_patch_conv(double *y, const double *x, const double *w, const double *b, int B, int H, int W, int C, int N,
                       int k)
{
    for (int m = 0; m < B; m++)
        for (int i = 0; i < H / k; i++)
            for (int j = 0; j < W / k; j++)
                for (int n = 0; n < N; n++) {
                    double sum = b[n];
                    for (int c = 0; c < C; c++)
                        for (int r = 0; r < k; r++)
                            for (int s = 0; s < k; s++)
                                sum += w[((n * C + c) * k + r) * k + s] * x[place(m, k * i + r, k * j + s, c, H, W, C)];
                    *y++ = sum;
                }
}

void oracle_patch_conv_backward(double *dx, double *dw, double *db, const double *dy, const double *x, const double *w,
                                int B, int H, int W, int C, int N, int k)
{
    for (int m = 0; m < B; m++)
        for (int i = 0; i < H / k; i++)
            for (int j = 0; j < W / k; j++)
                for (int n = 0; n < N; n++, dy++) {
                    db[n] += *dy;
                    for (int c = 0; c < C; c++)
                        for (int r = 0; r < k; r++)
                            for (int s = 0; s < k; s++) {
                                int at = place(m, k * i + r, k * j + s, c, H, W, C),
                                    tap = ((n * C + c) * k + r) * k + s;
                                dx[at] += *dy * w[tap];
                                dw[tap] += *dy * x[at];
                            }
                }
}

void oracle_mean(double *y, const double *x, int B, int L, int C)
{
    oracle_mean_part(y, x, B, L, C, L, &(struct rectangle){0, 0, 1, L});
}

void oracle_mean_backward(double *dx, const double *dy, int B, int L, int C)
{
    oracle_mean_part_backward(dx, dy, B, L, C, L, &(struct rectangle){0, 0, 1, L});
}

void oracle_mean_part(double *y, const double *x, int B, int L, int C, int W, const struct rectangle *p)
{
    for (int b = 0; b < B; b++)
        for (int c = 0; c < C; c++) {
            y[b * C + c] = 0;
            for (int i = p->top; i < p->top + p->height; i++)
                for (int j = p->left; j < p->left + p->width; j++)
                    y[b * C + c] += x[(b * L + i * W + j) * C + c] / (p->height * p->width);
        }
}

void oracle_mean_part_backward(double *dx, const double *dy, int B, int L, int C, int W, const struct rectangle *p)
{
    for (int b = 0; b < B; b++)
        for (int i = p->top; i < p->top + p->height; i++)
            for (int j = p->left; j < p->left + p->width; j++)
                for (int c = 0; c < C; c++) dx[(b * L + i * W + j) * C + c] += dy[b * C + c] / (p->height * p->width);
}
