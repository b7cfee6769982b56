/* vec.h - vectors of VW floats by the compilers' vector extension: one source for plain x86-64 (VW 4), AVX2 (8),
 * AVX-512 (16) and other machines. Included only by kernels*.c. */
#ifndef GVM_TENSOR_VEC_H
#define GVM_TENSOR_VEC_H

#include <stdint.h>
#include <string.h>

#include "base/half.h"

#ifdef __AVX2__
#include <immintrin.h>
#endif

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

/* The first n numbers of a vector, the others 0: a row's last, partial vector uses the same arithmetic as the full
 * ones. */
static inline vf v_load_part(const float *p, int n)
{
    vf v = {0};
    memcpy(&v, p, (size_t)n * sizeof *p);
    return v;
}

static inline void v_store_part(float *p, vf v, int n)
{
    memcpy(p, &v, (size_t)n * sizeof *p);
}

static inline vf v_set(float s)
{
    return s - (vf){0};
}

/* mask lanes: all ones or all zeros, as from a comparison */
static inline vf v_select(vi mask, vf a, vf b)
{
    return (vf)(((vi)a & mask) | ((vi)b & ~mask));
}

/* Returns b if either is NaN. gcc compiles a comparison and a selection into three instructions. */
static inline vf v_max(vf a, vf b)
{
#if VW == 16 && defined(__AVX512F__)
    return (vf)_mm512_max_ps((__m512)a, (__m512)b);
#elif VW == 8 && defined(__AVX2__)
    return (vf)_mm256_max_ps((__m256)a, (__m256)b);
#else
    return v_select(a > b, a, b);
#endif
}

static inline vf v_min(vf a, vf b)
{
#if VW == 16 && defined(__AVX512F__)
    return (vf)_mm512_min_ps((__m512)a, (__m512)b);
#elif VW == 8 && defined(__AVX2__)
    return (vf)_mm256_min_ps((__m256)a, (__m256)b);
#else
    return v_select(a < b, a, b);
#endif
}

/* Convert VW float16 values to float32, exactly. Without a hardware instruction the exponent is rebased; a subnormal is
 * an integer multiple of 2^-24. Multiplying float32 subnormals would handle both, but takes a hundred cycles. */
static inline vf v_widen(const uint16_t *p)
{
#if VW == 16 && defined(__AVX512F__)
    return (vf)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
#elif VW == 8 && defined(__F16C__)
    return (vf)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
#else
    typedef uint16_t halves __attribute__((vector_size(VW * 2)));
    halves h;
    memcpy(&h, p, sizeof h);
    vi bits = __builtin_convertvector(h, vi), size = bits & 0x7fff, sign = (bits & 0x8000) << 16;
    vi normal = (size << 13) + (112 << 23) + ((size >= 0x7c00) & (112 << 23)); /* infinity and NaN: 255 */
    vf small = __builtin_convertvector(size, vf) * 0x1p-24f;
    return (vf)((vi)v_select(size < 0x400, small, (vf)normal) | sign);
#endif
}

/* The vector with its halves, quarters, ... swapped: log2 VW steps of v = v op fold(v) leave the reduction in lane 0.
 */
#if VW == 16
#define V_FOLD_8(v) __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)
#define V_FOLD_4(v) __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11)
#define V_FOLD_2(v) __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)
#define V_FOLD(op, v) op(v, V_FOLD_8(v)), op(v, V_FOLD_4(v)), op(v, V_FOLD_2(v))
#elif VW == 8
#define V_FOLD_4(v) __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3)
#define V_FOLD_2(v) __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5)
#define V_FOLD(op, v) op(v, V_FOLD_4(v)), op(v, V_FOLD_2(v))
#else
#define V_FOLD(op, v) op(v, __builtin_shufflevector(v, v, 2, 3, 0, 1))
#endif
#define V_ADD(v, w) (v = v + w)
#define V_HIGHER(v, w) (v = v_max(v, w))

static inline float v_sum(vf v)
{
    V_FOLD(V_ADD, v);
    return v[0] + v[1];
}

static inline float v_highest(vf v)
{
    V_FOLD(V_HIGHER, v);
    return v[0] > v[1] ? v[0] : v[1];
}

/* e^x within 2 ulp for x in [-87, 88]. Below that 0, because a subnormal would slow every product it enters by a
 * hundred cycles. NaN gives 0. x = (n + f) ln 2 with integer n and f in [-1/2, 1/2]; 2^f by its Chebyshev interpolant,
 * 2^n by the exponent bits. */
static inline vf v_exp(vf x)
{
    vi counts = x >= -87.0f;
    x = v_min(v_max(x, v_set(-87.0f)), v_set(88.0f));
    vf n = (x * 1.44269504f + 12582912.0f) - 12582912.0f; /* adding 1.5 * 2^23 rounds to an integer */
    vf f = (x - n * 0.693359375f + n * 2.12194440e-4f) * 1.44269504f;
    vf p = v_set(1.54614447e-4f);
    p = p * f + 1.34004282e-3f;
    p = p * f + 9.61805668e-3f;
    p = p * f + 5.55032723e-2f;
    p = p * f + 2.40226509e-1f;
    p = p * f + 6.93147207e-1f;
    p = p * f + 1.0f;
    vi bits = __builtin_convertvector(n, vi) * (1 << 23);
    return (vf)(((vi)p + bits) & counts);
}

/* Phi(x) = (1 + erf(x / sqrt 2)) / 2, the normal distribution, to 3e-7: erf(z) / z for |z| <= 3.95 by its Chebyshev
 * interpolant of degree 15 in u = 2 (z / 3.95)^2 - 1. A quotient of two shorter polynomials is slower (docs/speed.md).
 */
static inline vf v_phi(vf x)
{
    static const float c[] = {
        0.358000757f,   -0.1787695f,     0.133178217f,   -0.108639248f,   0.0904566892f, -0.0743023608f,
        0.0591318877f,  -0.0444351765f,  0.030429268f,   -0.0205922759f,  0.0153355693f, -0.00858682624f,
        0.00181908969f, -0.00124377245f, 0.00242036597f, -0.00103814173f,
    };
    vf z = v_min(v_max(x * 0.707106781f, v_set(-3.95f)), v_set(3.95f)), u = z * z * 0.128184586f - 1.0f;
    vf u2 = u * u, odd = v_set(c[15]), even = v_set(c[14]); /* two short chains use the multipliers better than one */
    for (int i = 12; i >= 0; i -= 2) {
        odd = odd * u2 + c[i + 1];
        even = even * u2 + c[i];
    }
    vf phi = 0.5f + 0.5f * (z * (odd * u + even));
    return v_select(x > -5.586f, phi, (vf){0}); /* below, gelu would multiply the rounding error by x */
}

/* Transpose n rows (n, VW) to (VW, n) in memory order, n a power of two up to VW: interleave the first half of the rows
 * with the second, log2 n times. */
__attribute__((always_inline)) static inline void v_transpose(vf *r, int n)
{
#if VW == 16
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define HIGH(a, b) __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#elif VW == 8
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define HIGH(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#else
#define LOW(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define HIGH(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#endif
    for (int stage = 1; stage < n; stage *= 2) {
        vf t[VW];
        for (int i = 0; i < n / 2; i++) {
            t[2 * i] = LOW(r[i], r[i + n / 2]);
            t[2 * i + 1] = HIGH(r[i], r[i + n / 2]);
        }
        for (int i = 0; i < n; i++) r[i] = t[i];
    }
#undef LOW
#undef HIGH
}

#endif
