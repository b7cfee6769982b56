/* random.c - the generator Philox-4x32 with 10 rounds: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers:
 * As Easy as 1, 2, 3", SC 2011. Its counter is (index, stream), its key the seed. */
#include "base/random.h"

#include <math.h>

struct block {
    uint64_t low, high; /* four 32-bit words, the first in the low half of `low` */
};

/* Each round multiplies two of the words by constants to 64 bits; the key is advanced by the fractional parts of the
 * golden ratio and of sqrt(3). */
static struct block philox(uint64_t seed, uint64_t stream, uint64_t index)
{
    uint32_t word[4] = {(uint32_t)index, (uint32_t)(index >> 32), (uint32_t)stream, (uint32_t)(stream >> 32)};
    uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)word[0] * 0xD2511F53u, b = (uint64_t)word[2] * 0xCD9E8D57u;
        word[0] = (uint32_t)(b >> 32) ^ word[1] ^ key[0];
        word[2] = (uint32_t)(a >> 32) ^ word[3] ^ key[1];
        word[1] = (uint32_t)b;
        word[3] = (uint32_t)a;
        key[0] += 0x9E3779B9u;
        key[1] += 0xBB67AE85u;
    }
    return (struct block){word[0] | (uint64_t)word[1] << 32, word[2] | (uint64_t)word[3] << 32};
}

uint64_t random_bits(uint64_t seed, uint64_t stream, uint64_t index)
{
    return philox(seed, stream, index).low;
}

float random_uniform(uint64_t seed, uint64_t stream, uint64_t index)
{
    return (float)(random_bits(seed, stream, index) >> 40) * 0x1p-24f;
}

/* Box and Muller 1958: sqrt(-2 ln u) cos(2 pi v), u in (0, 1], v in [0, 1). */
double random_normal(uint64_t seed, uint64_t stream, uint64_t index)
{
    struct block draw = philox(seed, stream, index);
    double u = (double)((draw.low >> 11) + 1) * 0x1p-53, v = (double)(draw.high >> 11) * 0x1p-53;
    return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}
