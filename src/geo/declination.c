/* declination.c - see declination.h: the World Magnetic Model (wmm.def)
 *
 * The field is the gradient of V = a sum_nm (a / r)^(n + 1) (g cos m lon + h sin m lon) P_nm(cos theta), theta the
 * geocentric colatitude, P_nm Schmidt's semi-normalised Legendre functions: "The US/UK World Magnetic Model for
 * 2020-2025: Technical Report", section 1.2. */
#include "geo/declination.h"

#include <math.h>
#include <stddef.h>

#include "geo/earth.h"

enum { DEGREE = 12, TERMS = DEGREE * (DEGREE + 3) / 2, FIRST = 2010, SPAN = 5, MODELS = 4 };

static const double MAGNETIC_A = 6371200; /* the models' reference radius, metres */

static const struct term {
    int n, m;
    double g, h, dg, dh;
} terms[MODELS * TERMS] = {
#define WMM(year)
#define TERM(n, m, g, h, dg, dh) {n, m, g, h, dg, dh},
#include "geo/wmm.def"
#undef WMM
#undef TERM
};

/* P[n][m] and its derivative by theta */
struct legendre {
    double p[DEGREE + 1][DEGREE + 1], dp[DEGREE + 1][DEGREE + 1];
};

/* P_nn = sqrt((2n - 1) / 2n) sin P_{n-1,n-1}, without the root for n = 1;
 * P_nm = ((2n - 1) cos P_{n-1,m} - sqrt((n-1)^2 - m^2) P_{n-2,m}) / sqrt(n^2 - m^2) */
static void fill_legendre(struct legendre *l, double cosine, double sine)
{
    *l = (struct legendre){.p[0][0] = 1};
    for (int n = 1; n <= DEGREE; n++) {
        double k = n > 1 ? sqrt((2.0 * n - 1) / (2.0 * n)) : 1;
        l->p[n][n] = k * sine * l->p[n - 1][n - 1];
        l->dp[n][n] = k * (sine * l->dp[n - 1][n - 1] + cosine * l->p[n - 1][n - 1]);
        for (int m = 0; m < n; m++) {
            double root = sqrt((double)(n * n - m * m)), a = (2 * n - 1) / root, p = 0, dp = 0;
            if (n - 2 >= m) {
                double b = sqrt((double)((n - 1) * (n - 1) - m * m)) / root;
                p = b * l->p[n - 2][m];
                dp = b * l->dp[n - 2][m];
            }
            l->p[n][m] = a * cosine * l->p[n - 1][m] - p;
            l->dp[n][m] = a * (cosine * l->dp[n - 1][m] - sine * l->p[n - 1][m]) - dp;
        }
    }
}

bool declination(double *degrees, double lat, double lon, double year)
{
    bool known = year >= FIRST && year < FIRST + MODELS * SPAN;
    if (!(year > FIRST - SPAN)) year = FIRST - SPAN;
    if (year > FIRST + (MODELS + 1) * SPAN) year = FIRST + (MODELS + 1) * SPAN;
    int model = year < FIRST ? 0 : year >= FIRST + (MODELS - 1) * SPAN ? MODELS - 1 : (int)((year - FIRST) / SPAN);
    double years = year - (FIRST + SPAN * model);

    /* geodetic to geocentric; the poles themselves have no east */
    double phi = fmax(-89.999, fmin(89.999, lat)) * EARTH_DEGREE, lambda = lon * EARTH_DEGREE;
    double N = EARTH_A / sqrt(1 - EARTH_E2 * sin(phi) * sin(phi));
    double axis = N * cos(phi), up = N * (1 - EARTH_E2) * sin(phi), r = hypot(axis, up), turn = atan2(up, axis) - phi;
    struct legendre l;
    fill_legendre(&l, up / r, axis / r);

    double north = 0, east = 0, down = 0;
    const struct term *t = terms + (ptrdiff_t)model * TERMS;
    for (int i = 0; i < TERMS; i++, t++) {
        double g = t->g + years * t->dg, h = t->h + years * t->dh, ratio = pow(MAGNETIC_A / r, t->n + 2);
        double c = cos(t->m * lambda), s = sin(t->m * lambda);
        north += ratio * (g * c + h * s) * l.dp[t->n][t->m];
        east += ratio * t->m * (g * s - h * c) * l.p[t->n][t->m] / (axis / r);
        down -= ratio * (t->n + 1) * (g * c + h * s) * l.p[t->n][t->m];
    }
    *degrees = atan2(east, north * cos(turn) - down * sin(turn)) / EARTH_DEGREE;
    return known;
}
