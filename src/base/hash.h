/* hash.h - a number for bytes, by which a change is found out. */
#ifndef GVM_BASE_HASH_H
#define GVM_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Of n bytes behind those that h is of; 1 to begin with. Not one that withstands intent: words of eight bytes, each
 * multiplied in. */
static inline uint64_t hash_bytes(uint64_t h, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i <= n; i += 8) { /* n is a multiple of 8: one more, of nothing but the size */
        uint64_t word = n;
        memcpy(&word, p + i, n - i < 8 ? n - i : 8);
        h = (h ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        h ^= h >> 29;
    }
    return h;
}

#endif
