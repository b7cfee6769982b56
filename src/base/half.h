/* half.h - the two 16-bit floats that weights and maps are stored in. Widening to float32 is exact: every value of
 * either is a float32, subnormals, infinities and the payload of a NaN included. */
#ifndef GVM_BASE_HALF_H
#define GVM_BASE_HALF_H

#include <stdint.h>
#include <string.h>

static inline float float_from_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* bfloat16 is the upper half of a float32. */
static inline float float_from_bf16(uint16_t h)
{
    return float_from_bits((uint32_t)h << 16);
}

/* float16: 5 bits of exponent with bias 15, 10 of mantissa; float32 has 8 with bias 127, and 23. */
static inline float float_from_f16(uint16_t h)
{
    uint32_t magnitude = h & 0x7fff, bits = magnitude << 13;
    if (magnitude >= 0x7c00) {
        bits |= 0x7f800000; /* infinity or NaN */
    } else if (magnitude >= 0x0400) {
        bits += (127 - 15) << 23;
    } else {
        float subnormal = (float)magnitude * 0x1p-24f;
        memcpy(&bits, &subnormal, sizeof bits);
    }
    return float_from_bits(bits | (uint32_t)(h & 0x8000) << 16);
}

/* To the nearest float16, of two equally near ones the even; what is too large becomes infinite. */
static inline uint16_t f16_from_float(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff, half;
    if (magnitude > 0x7f800000) {
        half = 0x7e00; /* NaN */
    } else if (magnitude >= 0x477ff000) {
        half = 0x7c00; /* 65,520 and more */
    } else if (magnitude >= 0x38800000) {
        uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
        half = (rounded >> 13) - ((127 - 15) << 10);
    } else { /* below 2^-14: adding 2^-1 makes the float32's own rounding cut at 2^-24 */
        float small = float_from_bits(magnitude) + 0.5f;
        memcpy(&half, &small, sizeof half);
        half -= 0x3f000000;
    }
    return (uint16_t)(half | sign);
}

#endif
