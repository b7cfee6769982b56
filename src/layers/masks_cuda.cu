/* masks_cuda.cu - feature aggregation (the paper's section 3.2 and Figure 4): the channel-wise maximum, an MLP for each
 * spatial mask, and the Frobenius product of mask and map. If several channels share the maximum, the first gets its
 * gradient. Everything except the map is float32. */
#include "layers/layer_cuda.cuh"

enum { MASKS = 8 /* processed in one pass over the map */, TOKENS = 32 /* whose masks a block caches at a time */ };

struct masks_pass {
    struct tensor *x, *y;
    const struct masks *w;
    int N, L, half; /* masks, tokens, hidden width L / 2 */
    float *maximum; /* (B, L); 0 if the token is not seen */
    int *where;     /* (B, L) channel of the maximum, -1 if the token is not seen */
    float *hidden;  /* (B, N, half) */
    float *mask;    /* (B, N, L); 0 if the token is not seen */
    /* backward */
    float *dmask, *dhidden; /* like mask, hidden */
    float *dmaximum;        /* (N, B, L): each mask's contribution */
};

/* One warp per row. Of equal values the lowest channel wins, so that the order of comparisons does not matter. */
template <typename T>
__global__ void maximum_kernel(float *maximum, int *where, const T *x, const uint8_t *seen, int rows, int C)
{
    int lane = threadIdx.x % WARP, row = (blockIdx.x * blockDim.x + threadIdx.x) / WARP;
    if (row >= rows) return;
    x += (size_t)row * C;
    int best = lane < C ? lane : 0;
    float high = to_float(x[best]);
    for (int c = lane + WARP; c < C; c += WARP) {
        float v = to_float(x[c]);
        if (v > high) high = v, best = c;
    }
    for (int lanes = WARP / 2; lanes > 0; lanes /= 2) {
        float v = __shfl_xor_sync(0xffffffffu, high, lanes);
        int c = __shfl_xor_sync(0xffffffffu, best, lanes);
        if (v > high || (v == high && c < best)) high = v, best = c;
    }
    if (lane > 0) return;
    bool counts = seen == NULL || seen[row];
    maximum[row] = counts ? high : 0;
    where[row] = counts ? best : -1;
}

/* Set the mask (B, N, L) to 0 for tokens that are not seen. */
__global__ void clear_unseen_kernel(float *mask, const uint8_t *seen, int N, int L, size_t n)
{
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n && !seen[i / L / N * L + i % L]) mask[i] = 0;
}

static void clear_unseen(struct tape *tape, const struct masks_pass *p, float *mask)
{
    size_t n = (size_t)p->x->B * p->N * p->L;
    if (p->x->seen == NULL) return;
    LAUNCH(clear_unseen_kernel, blocks_of(n, BLOCK), BLOCK, 0, cuda_of(tape)->stream, mask, p->x->seen->plane, p->N,
           p->L, n);
    LAUNCHED(tape, "leave out unseen tokens");
}

/* y (B, N, C) = mask x: a block handles BLOCK channels of a picture, a thread one channel for MASKS masks. */
template <typename T> __global__ void product_kernel(float *y, const float *mask, const T *x, int N, int L, int C)
{
    __shared__ float weights[TOKENS][MASKS];
    int b = blockIdx.y, c = blockIdx.x * BLOCK + threadIdx.x;
    for (int n0 = 0; n0 < N; n0 += MASKS) {
        float sum[MASKS] = {};
        for (int l0 = 0; l0 < L; l0 += TOKENS) {
            __syncthreads();
            for (int e = threadIdx.x; e < TOKENS * MASKS; e += BLOCK) {
                int l = l0 + e / MASKS, n = n0 + e % MASKS;
                weights[e / MASKS][e % MASKS] = l < L && n < N ? mask[((size_t)b * N + n) * L + l] : 0;
            }
            __syncthreads();
            for (int l = l0; l < L && l < l0 + TOKENS && c < C; l++) {
                float v = to_float(x[((size_t)b * L + l) * C + c]);
                for (int n = 0; n < MASKS; n++) sum[n] += weights[l - l0][n] * v;
            }
        }
        for (int n = 0; n < MASKS && n0 + n < N && c < C; n++) y[((size_t)b * N + n0 + n) * C + c] = sum[n];
    }
}

/* dmask (B, N, L) = dy x^T: one warp per token. */
template <typename T>
__global__ void dmask_kernel(float *dmask, const float *dy, const T *x, int rows, int N, int L, int C)
{
    int lane = threadIdx.x % WARP, row = (blockIdx.x * blockDim.x + threadIdx.x) / WARP;
    if (row >= rows) return;
    int b = row / L, l = row % L;
    x += (size_t)row * C;
    for (int n0 = 0; n0 < N; n0 += MASKS) {
        float sum[MASKS] = {};
        for (int c = lane; c < C; c += WARP) {
            float v = to_float(x[c]);
            for (int n = 0; n < MASKS && n0 + n < N; n++) sum[n] += v * dy[((size_t)b * N + n0 + n) * C + c];
        }
        for (int n = 0; n < MASKS; n++) {
            float s = warp_sum(sum[n]);
            if (lane == 0 && n0 + n < N) dmask[((size_t)b * N + n0 + n) * L + l] = s;
        }
    }
}

/* dx (B, L, C) (+)= mask^T dy, plus the gradient of the maximum at its channel. */
template <typename T>
__global__ void dx_kernel(T *dx, float accumulate, const float *mask, const float *dy, const float *dmaximum,
                          const int *where, int B, int N, int L, int C)
{
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x, rows = (size_t)B * L, row = i / C;
    if (row >= rows) return;
    int b = (int)(row / L), l = (int)(row % L), c = (int)(i % C);
    float sum = accumulate != 0 ? to_float(dx[i]) : 0;
    for (int n = 0; n < N; n++) sum += mask[((size_t)b * N + n) * L + l] * dy[((size_t)b * N + n) * C + c];
    if (where[row] == c)
        for (int n = 0; n < N; n++) sum += dmaximum[n * rows + row];
    store(dx + i, sum);
}

/* sum (C) += column sums of x (rows, C), for few rows. */
__global__ void few_rows_kernel(float *sum, const float *x, int rows, int C)
{
    int c = blockIdx.x * blockDim.x + threadIdx.x;
    if (c >= C) return;
    float s = 0;
    for (int r = 0; r < rows; r++) s += x[(size_t)r * C + c];
    sum[c] += s;
}

static void few_rows(struct tape *tape, float *sum, const float *x, int rows, int C)
{
    LAUNCH(few_rows_kernel, blocks_of((size_t)C, BLOCK), BLOCK, 0, cuda_of(tape)->stream, sum, x, rows, C);
    LAUNCHED(tape, "sum gradients");
}

/* N products, one for each mask with its own weights, of B rows at distance `lda` and `ldc`. */
static void each_mask(struct tape *tape, const struct masks_pass *p, char op_a, char op_b, int M, int N, int K,
                      const float *A, int lda, long long stride_a, const float *B, int ldb, long long stride_b,
                      float beta, float *C, int ldc, long long stride_c)
{
    struct product q = {};
    q.op_a = op_a, q.op_b = op_b, q.M = M, q.N = N, q.K = K;
    q.A = A, q.lda = lda, q.stride_a = stride_a, q.B = B, q.ldb = ldb, q.stride_b = stride_b;
    q.C = C, q.ldc = ldc, q.stride_c = stride_c, q.beta = beta, q.element = 4, q.batch = p->N;
    run_product(tape, &q);
}

template <typename T> static void forward(struct tape *tape, const struct masks_pass *p)
{
    const struct masks *w = p->w;
    int B = p->x->B, C = p->x->C, N = p->N, L = p->L, half = p->half;
    long long size = (long long)half * L;
    cudaStream_t stream = cuda_of(tape)->stream;
    const T *x = (const T *)p->x->data;
    LAUNCH(maximum_kernel<T>, blocks_of((size_t)B * L, BLOCK / WARP), BLOCK, 0, stream, p->maximum, p->where, x,
           p->x->seen ? p->x->seen->plane : NULL, B * L, C);
    LAUNCHED(tape, "find maxima");
    each_mask(tape, p, 'N', 'T', B, half, L, p->maximum, L, 0, weight_of(tape, w->w1), L, size, 0, p->hidden, N * half,
              half);
    add_bias(tape, p->hidden, weight_of(tape, w->b1), B, N * half);
    each_mask(tape, p, 'N', 'T', B, L, half, p->hidden, N * half, half, weight_of(tape, w->w2), half, size, 0, p->mask,
              N * L, L);
    add_bias(tape, p->mask, weight_of(tape, w->b2), B, N * L);
    clear_unseen(tape, p, p->mask);
    dim3 grid((unsigned)blocks_of((size_t)C, BLOCK), (unsigned)B);
    LAUNCH(product_kernel<T>, grid, BLOCK, 0, stream, p->y->data, p->mask, x, N, L, C);
    LAUNCHED(tape, "apply masks");
}

template <typename T> static void backward(struct tape *tape, const struct masks_pass *p, float accumulate)
{
    const struct masks *w = p->w;
    int B = p->x->B, C = p->x->C, N = p->N, L = p->L, half = p->half;
    long long size = (long long)half * L;
    cudaStream_t stream = cuda_of(tape)->stream;
    LAUNCH(dmask_kernel<T>, blocks_of((size_t)B * L, BLOCK / WARP), BLOCK, 0, stream, p->dmask, p->y->grad,
           (const T *)p->x->data, B * L, N, L, C);
    LAUNCHED(tape, "apply masks, backward");
    clear_unseen(tape, p, p->dmask);
    few_rows(tape, grad_of(tape, w->b2), p->dmask, B, N * L);
    each_mask(tape, p, 'T', 'N', L, half, B, p->dmask, N * L, L, p->hidden, N * half, half, 1, grad_of(tape, w->w2),
              half, size);
    each_mask(tape, p, 'N', 'N', B, half, L, p->dmask, N * L, L, weight_of(tape, w->w2), half, size, 0, p->dhidden,
              N * half, half);
    few_rows(tape, grad_of(tape, w->b1), p->dhidden, B, N * half);
    each_mask(tape, p, 'T', 'N', half, L, B, p->dhidden, N * half, half, p->maximum, L, 0, 1, grad_of(tape, w->w1), L,
              size);
    each_mask(tape, p, 'N', 'N', B, L, half, p->dhidden, N * half, half, weight_of(tape, w->w1), L, size, 0,
              p->dmaximum, L, (long long)B * L);
    LAUNCH(dx_kernel<T>, blocks_of((size_t)B * L * C, BLOCK), BLOCK, 0, stream, (T *)p->x->grad, accumulate, p->mask,
           p->y->grad, p->dmaximum, p->where, B, N, L, C);
    LAUNCHED(tape, "apply masks, backward");
}

static void reserve_backward(struct masks_pass *p, struct tape *tape)
{
    size_t B = (size_t)p->x->B;
    p->dmask = tape_scratch(tape, B * p->N * p->L);
    p->dhidden = tape_scratch(tape, B * p->N * p->half);
    p->dmaximum = tape_scratch(tape, B * p->N * p->L);
}

static void masks_backward(struct tape *tape, void *self)
{
    struct masks_pass *p = (struct masks_pass *)self;
    float accumulate = tensor_accumulate(tape, p->x);
    reserve_backward(p, tape);
    if (tape->element == 2)
        backward<bf16>(tape, p, accumulate);
    else
        backward<float>(tape, p, accumulate);
    tape_scratch_release(tape);
}

struct tensor *masks_cuda(struct tape *tape, struct tensor *x, const struct masks *w, const float **kept)
{
    struct masks_pass *p = (struct masks_pass *)tape_object(tape, sizeof *p);
    size_t B = (size_t)x->B;
    p->x = x;
    p->w = w;
    p->N = w->w1->shape[0];
    p->L = x->L;
    p->half = x->L / 2;
    p->y = tape_feature(tape, x->B, p->N * x->C);
    float *(*take)(struct tape *, size_t) = tape->training ? tape_floats : tape_scratch;
    p->maximum = take(tape, B * p->L);
    p->where = (int *)take(tape, B * p->L);
    p->hidden = take(tape, B * p->N * p->half);
    p->mask = tape_floats(tape, B * p->N * p->L);
    if (kept != NULL) *kept = p->mask;
    if (tape->training) {
        reserve_backward(p, tape);
        tape_scratch_release(tape);
    }
    tape->counts.linear += B * p->N * ((uint64_t)2 * p->L * p->half + (uint64_t)p->L * x->C);
    if (!tape->dry) {
        if (tape->element == 2)
            forward<bf16>(tape, p);
        else
            forward<float>(tape, p);
    }
    tape_scratch_release(tape);
    tape_record(tape, masks_backward, p);
    return p->y;
}
