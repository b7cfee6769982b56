/* mersenne.c - see mersenne.h */
#include "base/mersenne.h"

enum { MIDDLE = 397 };

void mersenne_seed(struct mersenne *m, uint32_t seed)
{
    m->words[0] = seed;
    for (uint32_t i = 1; i < MERSENNE_WORDS; i++) {
        uint32_t last = m->words[i - 1];
        m->words[i] = UINT32_C(1812433253) * (last ^ last >> 30) + i;
    }
    m->next = MERSENNE_WORDS;
}

/* All words of the next turn: each is mixed of its own upper bit, its successor's other bits and a word further on. */
static void turn(struct mersenne *m)
{
    uint32_t *w = m->words;
    for (int i = 0; i < MERSENNE_WORDS; i++) {
        uint32_t mixed = (w[i] & UINT32_C(0x80000000)) | (w[(i + 1) % MERSENNE_WORDS] & UINT32_C(0x7fffffff));
        w[i] = w[(i + MIDDLE) % MERSENNE_WORDS] ^ mixed >> 1 ^ (mixed & 1 ? UINT32_C(0x9908b0df) : 0);
    }
    m->next = 0;
}

static uint32_t next_word(struct mersenne *m)
{
    if (m->next == MERSENNE_WORDS) turn(m);
    uint32_t x = m->words[m->next++];
    x ^= x >> 11;
    x ^= x << 7 & UINT32_C(0x9d2c5680);
    x ^= x << 15 & UINT32_C(0xefc60000);
    return x ^ x >> 18;
}

double mersenne_rand(struct mersenne *m)
{
    uint32_t high = next_word(m) >> 5, low = next_word(m) >> 6; /* 27 and 26 bits */
    return (high * 67108864.0 + low) / 9007199254740992.0;
}
