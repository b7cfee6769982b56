/* random.h - random numbers without a state: each draw is a function of (seed, stream, index) alone, so any
 * number of threads that draw in any order get the same numbers.
 *
 * A stream is one use, such as one tensor's fresh values, and holds one kind of draw: those of different
 * kinds at the same place are made of the same bits. */
#ifndef GVM_BASE_RANDOM_H
#define GVM_BASE_RANDOM_H

#include <stdint.h>

uint64_t random_bits(uint64_t seed, uint64_t stream, uint64_t index); /* 64 fair bits */
float random_uniform(uint64_t seed, uint64_t stream, uint64_t index); /* [0, 1), a multiple of 2^-24 */
double random_normal(uint64_t seed, uint64_t stream, uint64_t index); /* mean 0, deviation 1, at most 8.6 */

#endif
