/* oracle_loss.c - InfoNCE in double; see oracle.h. */
#include <math.h>

#include "oracle.h"

static double product(const double *a, const double *b, int D)
{
    double sum = 0;
    for (int d = 0; d < D; d++) sum += a[d] * b[d];
    return sum;
}

/* log sum over j of exp(e^t a_i . b_j) */
static double log_sum(const double *a, const double *b, double t, int B, int D)
{
    double high = -INFINITY, sum = 0;
    for (int j = 0; j < B; j++) high = fmax(high, exp(t) * product(a, b + j * D, D));
    for (int j = 0; j < B; j++) sum += exp(exp(t) * product(a, b + j * D, D) - high);
    return high + log(sum);
}

/* What label i asks of j. */
static double target(int i, int j, int B, double smoothing)
{
    return i == j ? 1 - smoothing + smoothing / B : smoothing / B;
}

/* The mean over the rows of a */
static double cross_entropy(const double *a, const double *b, double t, int B, int D, double smoothing)
{
    double sum = 0;
    for (int i = 0; i < B; i++) {
        double whole = log_sum(a + i * D, b, t, B, D);
        for (int j = 0; j < B; j++)
            sum -= target(i, j, B, smoothing) * (exp(t) * product(a + i * D, b + j * D, D) - whole);
    }
    return sum / B;
}

double oracle_infonce(const double *a, const double *b, double t, int B, int D, double smoothing)
{
    return (cross_entropy(a, b, t, B, D, smoothing) + cross_entropy(b, a, t, B, D, smoothing)) / 2;
}

static void cross_entropy_backward(double *da, double *db, double *dt, const double *a, const double *b, double t,
                                   int B, int D, double smoothing, double weight)
{
    for (int i = 0; i < B; i++) {
        double whole = log_sum(a + i * D, b, t, B, D);
        for (int j = 0; j < B; j++) {
            double z = exp(t) * product(a + i * D, b + j * D, D);
            double dz = weight / B * (exp(z - whole) - target(i, j, B, smoothing));
            *dt += dz * z;
            for (int d = 0; d < D; d++) {
                da[i * D + d] += dz * exp(t) * b[j * D + d];
                db[j * D + d] += dz * exp(t) * a[i * D + d];
            }
        }
    }
}

void oracle_infonce_backward(double *da, double *db, double *dt, const double *a, const double *b, double t, int B,
                             int D, double smoothing, double weight)
{
    cross_entropy_backward(da, db, dt, a, b, t, B, D, smoothing, weight / 2);
    cross_entropy_backward(db, da, dt, b, a, t, B, D, smoothing, weight / 2);
}
