/* oracle_loss.c - InfoNCE, also decoupled, in double; see oracle.h */
#include <math.h>
#include <stdbool.h>

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

/* Target probability of j for label i. */
static double target(int i, int j, int B, double smoothing)
{
    return i == j ? 1 - smoothing + smoothing / B : smoothing / B;
}

/* Mean over the rows of a. */
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

static bool counts(const uint8_t *allowed, int i, int j, int B, bool turned)
{
    return i == j || allowed == NULL || allowed[turned ? j * B + i : i * B + j];
}

/* Log of the sum over the row's k, k != j, of exp(scale a_i . b_k); allowed is transposed for the columns. */
static double sum_without(int i, int j, const double *a, const double *b, const uint8_t *allowed, double scale, int B,
                          int D, bool turned)
{
    double high = -INFINITY, sum = 0;
    for (int way = 0; way < 2; way++)
        for (int k = 0; k < B; k++) {
            double z = scale * product(a + i * D, b + k * D, D);
            if (k == j || !counts(allowed, i, k, B, turned)) continue;
            if (way == 0)
                high = fmax(high, z);
            else
                sum += exp(z - high);
        }
    return high + log(sum);
}

/* The mean over the rows of a; unless da is NULL, also adds `weight` times its gradient. */
static double decoupled_rows(double *da, double *db, const double *a, const double *b, const uint8_t *allowed,
                             double scale, int B, int D, double smoothing, double weight, bool turned)
{
    double loss = 0;
    for (int i = 0; i < B; i++) {
        int n = 0;
        for (int j = 0; j < B; j++) n += counts(allowed, i, j, B, turned);
        for (int j = 0; j < B && n > 1; j++) {
            if (!counts(allowed, i, j, B, turned)) continue;
            double z = scale * product(a + i * D, b + j * D, D), p = i == j ? 1 - smoothing : smoothing / (n - 1);
            double without = sum_without(i, j, a, b, allowed, scale, B, D, turned);
            loss += p * (without - z) / B;
            for (int k = 0; k < B && da != NULL; k++) {
                double zk = scale * product(a + i * D, b + k * D, D);
                double dz = k == j ? -p : counts(allowed, i, k, B, turned) ? p * exp(zk - without) : 0;
                for (int d = 0; d < D; d++) {
                    da[i * D + d] += weight / B * scale * dz * b[k * D + d];
                    db[k * D + d] += weight / B * scale * dz * a[i * D + d];
                }
            }
        }
    }
    return loss;
}

double oracle_decoupled(double *da, double *db, const double *a, const double *b, const uint8_t *allowed, double scale,
                        int B, int D, double smoothing, double weight)
{
    return (decoupled_rows(da, db, a, b, allowed, scale, B, D, smoothing, weight / 2, false) +
            decoupled_rows(db, da, b, a, allowed, scale, B, D, smoothing, weight / 2, true)) /
           2;
}
