/* drop_path.c - stochastic depth: which pictures skip a residual branch; see layers.def */
#include "base/random.h"
#include "layers/layer.h"

const float *drop_path_cpu(struct tape *tape, int B, float p)
{
    if (!tape->training || p <= 0) return NULL;
    uint64_t stream = drop_path_stream(tape->step, tape->paths++);
    float *keep = tape_floats(tape, (size_t)B);
    for (int b = 0; b < B && !tape->dry; b++)
        keep[b] = random_uniform(tape->seed, stream, (uint64_t)b) < p ? 0 : 1 / (1 - p);
    return keep;
}
