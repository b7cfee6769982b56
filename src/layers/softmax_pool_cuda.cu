/* softmax_pool_cuda.cu - attention pooling of maps to a feature: each head weights positions by a softmax, for its own
 * channels. The softmax and the feature are float32. */
#include <math.h>

#include "layers/layer_cuda.cuh"

struct pool_pass {
    struct tensor *a, *v, *y;
    float *p; /* (B, heads, L) */
    int B, L; /* features; positions of each, over all its pictures */
};

/* The maximum over the threads of a block of BLOCK threads; every thread gets the result. */
__device__ static float block_max(float x, float *most)
{
    most[threadIdx.x] = x;
    for (int half = BLOCK / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) most[threadIdx.x] = fmaxf(most[threadIdx.x], most[threadIdx.x + half]);
    }
    __syncthreads();
    return most[0];
}

/* Block (h, b): the softmax of head h over all positions of feature b. */
template <typename T> __global__ void weigh_kernel(float *p, const T *a, int L)
{
    __shared__ float most[BLOCK];
    __shared__ double sums[BLOCK];
    int h = blockIdx.x, heads = gridDim.x;
    double sum = 0;
    float m = -INFINITY;
    a += (size_t)blockIdx.y * L * heads + h;
    p += ((size_t)blockIdx.y * heads + h) * L;
    for (int l = threadIdx.x; l < L; l += BLOCK) m = fmaxf(m, to_float(a[(size_t)l * heads]));
    m = block_max(m, most);
    for (int l = threadIdx.x; l < L; l += BLOCK) sum += p[l] = expf(to_float(a[(size_t)l * heads]) - m);
    sum = block_sum(sum, sums);
    for (int l = threadIdx.x; l < L; l += BLOCK) p[l] = (float)(p[l] / sum);
}

/* Block (g, b) handles channels 32 g and on of feature b; each warp every eighth position, starting at its rank. */
template <typename T> __global__ void pool_kernel(float *y, const float *p, const T *v, int heads, int L, int D)
{
    __shared__ float sums[BLOCK / WARP][WARP];
    int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, c = blockIdx.x * WARP + lane;
    float sum = 0;
    v += (size_t)blockIdx.y * L * D + c;
    if (c < D) p += ((size_t)blockIdx.y * heads + c / (D / heads)) * L;
    for (int l = warp; c < D && l < L; l += BLOCK / WARP) sum += p[l] * to_float(v[(size_t)l * D]);
    sums[warp][lane] = sum;
    __syncthreads();
    if (warp > 0 || c >= D) return;
    for (int i = 1; i < BLOCK / WARP; i++) sum += sums[i][lane];
    y[(size_t)blockIdx.y * D + c] = sum;
}

/* Block (i, b): a thread handles a head at a position. dv_l = p_l dy and da_l = p_l (dy . v_l - dy . y): the derivative
 * of the softmax subtracts the weighted mean. */
template <typename T>
__global__ void pool_backward_kernel(T *da, float add_a, T *dv, float add_v, const float *dy, const float *y,
                                     const float *p, const T *v, int heads, int L, int D)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x, each = D / heads, l = i / heads, h = i % heads;
    if (l >= L) return;
    size_t b = blockIdx.y, at = (b * L + l) * D + (size_t)h * each;
    float weight = p[(b * heads + h) * L + l], along = 0;
    dy += b * D + (size_t)h * each;
    y += b * D + (size_t)h * each;
    for (int c = 0; c < each; c++) {
        along += dy[c] * (to_float(v[at + c]) - y[c]);
        store(dv + at + c, (add_v != 0 ? to_float(dv[at + c]) : 0) + weight * dy[c]);
    }
    da += b * L * heads + i;
    store(da, (add_a != 0 ? to_float(*da) : 0) + weight * along);
}

template <typename T> static void pool(struct tape *tape, const struct pool_pass *p)
{
    unsigned B = (unsigned)p->B, heads = (unsigned)p->a->C;
    LAUNCH(weigh_kernel<T>, dim3(heads, B), BLOCK, 0, cuda_of(tape)->stream, p->p, (const T *)p->a->data, p->L);
    LAUNCH(pool_kernel<T>, dim3((unsigned)blocks_of(p->v->C, WARP), B), BLOCK, 0, cuda_of(tape)->stream, p->y->data,
           p->p, (const T *)p->v->data, p->a->C, p->L, p->v->C);
    LAUNCHED(tape, "pool positions by a softmax");
}

template <typename T> static void pool_backward_of(struct tape *tape, const struct pool_pass *p)
{
    float add_a = tensor_accumulate(tape, p->a), add_v = tensor_accumulate(tape, p->v);
    dim3 shape((unsigned)blocks_of((size_t)p->L * (size_t)p->a->C, BLOCK), (unsigned)p->B);
    LAUNCH(pool_backward_kernel<T>, shape, BLOCK, 0, cuda_of(tape)->stream, (T *)p->a->grad, add_a, (T *)p->v->grad,
           add_v, p->y->grad, p->y->data, p->p, (const T *)p->v->data, p->a->C, p->L, p->v->C);
    LAUNCHED(tape, "pool positions by a softmax, backward");
}

static void pool_backward(struct tape *tape, void *self)
{
    const struct pool_pass *p = (const struct pool_pass *)self;
    if (p->v->element == 2)
        pool_backward_of<bf16>(tape, p);
    else
        pool_backward_of<float>(tape, p);
}

struct tensor *softmax_pool_cuda(struct tape *tape, struct tensor *a, struct tensor *v, int n, const float **kept)
{
    struct pool_pass *p = (struct pool_pass *)tape_object(tape, sizeof *p);
    p->a = a;
    p->v = v;
    p->B = v->B / n;
    p->L = v->L * n;
    p->y = tape_feature(tape, p->B, v->C);
    p->p = tape_floats(tape, (size_t)a->B * (size_t)a->L * (size_t)a->C);
    if (kept) *kept = p->p;
    tape->counts.linear += (uint64_t)v->B * (uint64_t)v->L * (uint64_t)v->C;
    tape_record(tape, pool_backward, p);
    if (!tape->dry && v->element == 2) pool<bf16>(tape, p);
    if (!tape->dry && v->element == 4) pool<float>(tape, p);
    return p->y;
}
