/* vec.h - vectors of VW floats in the compilers' own extension, so that one source serves plain
 * x86-64 (VW 4), AVX2 (8), AVX-512 (16) and any other machine. Included by kernels.c alone. */
#ifndef GVM_NN_VEC_H
#define GVM_NN_VEC_H

#include <stdint.h>
#include <string.h>

#ifndef VW
#define VW 4
#endif

typedef float vf __attribute__((vector_size(VW * 4)));
typedef int32_t vi __attribute__((vector_size(VW * 4)));
typedef float vf_unaligned __attribute__((vector_size(VW * 4), aligned(4), may_alias));

static inline vf v_load(const float *p)
{
    return *(const vf_unaligned *)p;
}

static inline void v_store(float *p, vf v)
{
    *(vf_unaligned *)p = v;
}

static inline vf v_set(float s)
{
    return s - (vf){0};
}

/* mask lanes are all ones or all zeros, as a comparison gives them */
static inline vf v_select(vi mask, vf a, vf b)
{
    return (vf)(((vi)a & mask) | ((vi)b & ~mask));
}

static inline vf v_max(vf a, vf b)
{
    return v_select(a > b, a, b);
}

static inline vf v_min(vf a, vf b)
{
    return v_select(a < b, a, b);
}

static inline float v_sum(vf v)
{
#if VW == 16
    v += __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
    v += __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
    v += __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
#elif VW == 8
    v += __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3);
    v += __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5);
#else
    v += __builtin_shufflevector(v, v, 2, 3, 0, 1);
#endif
    return v[0] + v[1];
}

static inline float v_highest(vf v)
{
    float m = v[0];
    for (int i = 1; i < VW; i++) m = v[i] > m ? v[i] : m;
    return m;
}

/* e^x within 2 units in the last place for x in [-87, 88]; below, the smallest normal number.
 * x = (n + f) ln 2 with n whole and f in [-1/2, 1/2]; 2^f by its Chebyshev interpolant, 2^n by the exponent bits. */
static inline vf v_exp(vf x)
{
    x = v_min(v_max(x, v_set(-87.0f)), v_set(88.0f));
    vf n = (x * 1.44269504f + 12582912.0f) - 12582912.0f; /* adding 1.5 * 2^23 rounds to whole */
    vf f = (x - n * 0.693359375f + n * 2.12194440e-4f) * 1.44269504f;
    vf p = v_set(1.54614447e-4f);
    p = p * f + 1.34004282e-3f;
    p = p * f + 9.61805668e-3f;
    p = p * f + 5.55032723e-2f;
    p = p * f + 2.40226509e-1f;
    p = p * f + 6.93147207e-1f;
    p = p * f + 1.0f;
    vi bits = __builtin_convertvector(n, vi) * (1 << 23);
    return (vf)((vi)p + bits);
}

/* Phi(x) = (1 + erf(x / sqrt 2)) / 2, the normal distribution, to 2e-7: erf(z) = z P(z^2) / Q(z^2) for
 * |z| < 3.95, where P and Q are a least-squares fit with weights pushed towards the largest error. */
static inline vf v_phi(vf x)
{
    vf z = v_min(v_max(x * 0.707106781f, v_set(-3.95f)), v_set(3.95f)), t = z * z;
    vf p = v_set(2.02593108e-06f), q = v_set(3.78317923e-05f);
    p = p * t + 0.000284683036f;
    q = q * t + 0.00117068118f;
    p = p * t + 0.00380798344f;
    q = q * t + 0.0150547354f;
    p = p * t + 0.0528748993f;
    q = q * t + 0.114557938f;
    p = p * t + 0.191546259f;
    q = q * t + 0.503086129f;
    p = p * t + 1.12837914f;
    q = q * t + 1.0f;
    return 0.5f + 0.5f * (z * p / q);
}

#endif
