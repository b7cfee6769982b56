/* drop_path.c - which pictures skip a residual branch (stochastic depth); see layers.h. */
#include "base/random.h"
#include "nn/layers.h"

/* Above the streams of first values, which are numbers of parameters (parameters.c). */
static const uint64_t DROP_PATH = (uint64_t)1 << 56;

const float *drop_path(struct tape *tape, int B, float p)
{
    if (!tape->training || p <= 0) return NULL;
    uint64_t stream = DROP_PATH | tape->step << 16 | (uint64_t)tape->paths++;
    float *keep = tape_floats(tape, (size_t)B);
    for (int b = 0; b < B && !tape->dry; b++)
        keep[b] = random_uniform(tape->seed, stream, (uint64_t)b) < p ? 0 : 1 / (1 - p);
    return keep;
}
