/* hash.h - a 64-bit hash for detecting changes */
#ifndef GVM_BASE_HASH_H
#define GVM_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Continue the hash h with n bytes; start with h = 1. Not collision-resistant against an attacker: each 8-byte word is
 * multiplied in. */
static inline uint64_t hash_bytes(uint64_t h, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i <= n; i += 8) { /* if n is a multiple of 8, a last word that holds only the size */
        uint64_t word = n;
        memcpy(&word, p + i, n - i < 8 ? n - i : 8);
        h = (h ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        h ^= h >> 29;
    }
    return h;
}

#endif
