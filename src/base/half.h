/* half.h - the 16-bit float formats. Conversion to float32 is exact for both, including subnormals, infinities and NaN
 * payloads. Weights may be stored in either; a map's features are float16. */
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

/* Round to the nearest float16, ties to even. Values from 65,520 on become infinity. */
static inline uint16_t f16_from_float(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000) return (uint16_t)(sign | 0x7e00 | (magnitude >> 13 & 0x3ff)); /* a quiet NaN */
    if (magnitude >= 0x477ff000) return (uint16_t)(sign | 0x7c00);
    if (magnitude < (127 - 14) << 23) { /* a multiple of 2^-24, the unit in the last place of floats in [1/2, 1) */
        float sum = float_from_bits(magnitude) + 0.5f;
        memcpy(&magnitude, &sum, sizeof magnitude);
        return (uint16_t)(sign | (magnitude - (126u << 23)));
    }
    magnitude += 0xfff + (magnitude >> 13 & 1) - ((127 - 15) << 23);
    return (uint16_t)(sign | magnitude >> 13);
}

#endif
