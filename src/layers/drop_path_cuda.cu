/* drop_path_cuda.cu - stochastic depth: the draws of drop_path.c made on the device, so that a replayed step draws
 * anew. The generator is bit-identical to base/random.c. */
#include "layers/layer_cuda.cuh"

/* As random_uniform(seed, stream, index), in float. */
__device__ static float uniform(unsigned long long seed, unsigned long long stream, unsigned index)
{
    unsigned word[4] = {index, 0, (unsigned)stream, (unsigned)(stream >> 32)};
    unsigned key[2] = {(unsigned)seed, (unsigned)(seed >> 32)};
    for (int round = 0; round < 10; round++) {
        unsigned long long a = word[0] * 0xD2511F53ull, b = word[2] * 0xCD9E8D57ull;
        word[0] = (unsigned)(b >> 32) ^ word[1] ^ key[0];
        word[2] = (unsigned)(a >> 32) ^ word[3] ^ key[1];
        word[1] = (unsigned)b;
        word[3] = (unsigned)a;
        key[0] += 0x9E3779B9u;
        key[1] += 0xBB67AE85u;
    }
    return (float)(word[1] >> 8) * 5.9604644775390625e-8f; /* the upper 24 of 64 bits, times 2^-24 */
}

__global__ void drop_path_kernel(float *keep, const struct numbers *numbers, unsigned long long seed,
                                 unsigned long long stream, int B, float p)
{
    int b = blockIdx.x * blockDim.x + threadIdx.x;
    if (b < B) keep[b] = uniform(seed, stream | numbers->step << 16, (unsigned)b) < p ? 0 : 1 / (1 - p);
}

const float *drop_path_cuda(struct tape *tape, int B, float p)
{
    if (!tape->training || p <= 0) return NULL;
    uint64_t stream = drop_path_stream(0, tape->paths++); /* the kernel adds the step */
    float *keep = tape_floats(tape, (size_t)B);
    if (tape->dry) return keep;
    LAUNCH(drop_path_kernel, blocks_of((size_t)B, BLOCK), BLOCK, 0, cuda_of(tape)->stream, keep, cuda_of(tape)->numbers,
           (unsigned long long)tape->seed, (unsigned long long)stream, B, p);
    LAUNCHED(tape, "draw drop paths");
    return keep;
}
