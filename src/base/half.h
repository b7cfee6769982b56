/* half.h - the two 16-bit floats that weights are stored in, widened to float32. Both are exact: every
 * value of either is a float32, subnormals, infinities and the payload of a NaN included. */
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

#endif
