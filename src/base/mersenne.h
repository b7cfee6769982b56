/* mersenne.h - NumPy's old random numbers, numpy.random.RandomState(seed).rand(): MT19937 (Matsumoto and Nishimura,
 * 1998). Only for published protocols that draw with them; our own draws use random.h. */
#ifndef GVM_BASE_MERSENNE_H
#define GVM_BASE_MERSENNE_H

#include <stdint.h>

enum { MERSENNE_WORDS = 624 };

struct mersenne {
    uint32_t words[MERSENNE_WORDS];
    int next; /* the word to return next */
};

void mersenne_seed(struct mersenne *generator, uint32_t seed);

/* The next number in [0, 1), a multiple of 2^-53. */
double mersenne_rand(struct mersenne *generator);

#endif
