/* random.h - stateless random numbers: each draw is a function of (seed, stream, index), so the numbers do not depend
 * on the number or order of threads.
 *
 * A stream has one use, such as a tensor's initial values, and one kind of draw: different kinds of draws at the same
 * (seed, stream, index) are made of the same bits. */
#ifndef GVM_BASE_RANDOM_H
#define GVM_BASE_RANDOM_H

#include <stdint.h>

uint64_t random_bits(uint64_t seed, uint64_t stream, uint64_t index); /* 64 fair bits */
float random_uniform(uint64_t seed, uint64_t stream, uint64_t index); /* [0, 1), a multiple of 2^-24 */
double random_normal(uint64_t seed, uint64_t stream, uint64_t index); /* mean 0, standard deviation 1, |x| <= 8.6 */

#endif
