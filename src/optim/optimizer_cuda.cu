/* optimizer_cuda.cu - a network's weights on the device; AdamW and ASAM over all of them at once. Parameters start at
 * multiples of 16 floats, so one byte for each 16 floats encodes rate and decay.
 *
 * Copies use the default stream, which tapes' streams do not wait for. A copy to the device is waited for here; the
 * caller has already waited for the tape that uses the same memory. The device as a whole is never synchronised,
 * because that would break another thread's capture. */
#include <stdlib.h>

#include "optim/optimizer_cuda.cuh"
#include "tensor/cuda.cuh"

extern "C" {
#include "optim/optimizer.h"
}

enum { GRAIN = 16, NORM_BLOCKS = 256 };
enum { KIND_DECAYS = 1, KIND_BACKBONE = 2, KIND_FIXED = 4 };

/* ------------------------------------------------------------------ weights */

__global__ void halve_kernel(bf16 *halves, const float *weights, size_t n)
{
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) halves[i] = __float2bfloat16_rn(weights[i]);
}

static gvm_status home_upload_cuda(struct home *home, gvm_error *err)
{
    struct cuda_home *h = (struct cuda_home *)home->state;
    size_t bytes = home->floats * sizeof(float);
    cudaError_t e = cudaMemcpy(h->weights, home->weights, bytes, cudaMemcpyHostToDevice);
    if (e == cudaSuccess && home->grads) e = cudaMemcpy(h->grads, home->grads, bytes, cudaMemcpyHostToDevice);
    if (e == cudaSuccess && h->halves) {
        LAUNCH(halve_kernel, blocks_of(home->floats, BLOCK), BLOCK, 0, (cudaStream_t)0, h->halves, h->weights,
               home->floats);
        e = cudaGetLastError();
    }
    if (e == cudaSuccess) e = cudaStreamSynchronize(0);
    return cuda_status(e, "upload the weights", err);
}

static gvm_status home_download_cuda(struct home *home, gvm_error *err)
{
    const struct cuda_home *h = (const struct cuda_home *)home->state;
    size_t bytes = home->floats * sizeof(float);
    cudaError_t e = cudaMemcpy(home->weights, h->weights, bytes, cudaMemcpyDeviceToHost);
    if (e == cudaSuccess && home->grads) e = cudaMemcpy(home->grads, h->grads, bytes, cudaMemcpyDeviceToHost);
    return cuda_status(e, "download the weights", err);
}

static void home_free_cuda(struct home *home)
{
    struct cuda_home *h = (struct cuda_home *)home->state;
    if (h == NULL) return;
    cudaFree(h->weights);
    cudaFree(h->grads);
    cudaFree(h->halves);
    free(h);
    home->state = NULL;
}

static gvm_status home_open_cuda(struct home *home, gvm_error *err)
{
    struct cuda_home *h = (struct cuda_home *)calloc(1, sizeof *h);
    if (h == NULL) return fail(err, GVM_MEMORY, "cannot open the network: out of memory");
    home->state = h;
    size_t bytes = home->floats * sizeof(float);
    cudaError_t e = cudaMalloc((void **)&h->weights, bytes);
    if (e == cudaSuccess && home->grads) e = cudaMalloc((void **)&h->grads, bytes);
    if (e == cudaSuccess && home->precision == PRECISION_BF16) e = cudaMalloc((void **)&h->halves, bytes / 2);
    gvm_status status = e == cudaSuccess ? home_upload_cuda(home, err) : cuda_status(e, "upload the weights", err);
    if (status != GVM_OK) home_free_cuda(home);
    return status;
}

/* Called before a pass; also restarts the count of its losses. */
static void clear_gradients_cuda(struct tape *tape)
{
    struct cuda_tape *c = cuda_of(tape);
    cuda_check(c, cudaMemsetAsync(home_of(tape)->grads, 0, tape->home->floats * sizeof(float), c->stream),
               "clear gradients");
    if (c->passes < MAX_PASSES) c->pass_losses[c->passes++] = 0;
}

/* ------------------------------------------------------------------ the optimizer's state */

struct cuda_optimizer {
    float *m, *v, *start;
    double *partial;      /* (NORM_BLOCKS) */
    unsigned char *kinds; /* (floats / GRAIN) */
};

static cudaError_t upload_kinds(struct cuda_optimizer *s, const struct optimizer *o)
{
    size_t n = o->floats / GRAIN;
    unsigned char *kinds = (unsigned char *)calloc(n, 1);
    if (kinds == NULL) return cudaErrorMemoryAllocation;
    for (int i = 0; i < o->count; i++) {
        const struct param *p = &o->params[i];
        size_t first = (size_t)(p->data - o->weights) / GRAIN;
        for (size_t k = 0; k * GRAIN < p->count; k++)
            kinds[first + k] = (unsigned char)((p->decay ? KIND_DECAYS : 0) | (p->backbone ? KIND_BACKBONE : 0) |
                                               (p->fixed ? KIND_FIXED : 0));
    }
    cudaError_t e = cudaMemcpy(s->kinds, kinds, n, cudaMemcpyHostToDevice);
    free(kinds);
    return e;
}

static gvm_status optimizer_upload_cuda(struct optimizer *o, gvm_error *err)
{
    struct cuda_optimizer *s = (struct cuda_optimizer *)o->state;
    size_t bytes = o->floats * sizeof(float);
    cudaError_t e = cudaMemcpy(s->m, o->m, bytes, cudaMemcpyHostToDevice);
    if (e == cudaSuccess) e = cudaMemcpy(s->v, o->v, bytes, cudaMemcpyHostToDevice);
    if (e == cudaSuccess) e = cudaStreamSynchronize(0);
    return cuda_status(e, "upload the optimiser's state", err);
}

static void optimizer_free_cuda(struct optimizer *o)
{
    struct cuda_optimizer *s = (struct cuda_optimizer *)o->state;
    if (s == NULL) return;
    if (o->tape) cudaStreamSynchronize(cuda_of(o->tape)->stream);
    cudaFree(s->m);
    cudaFree(s->v);
    cudaFree(s->start);
    cudaFree(s->partial);
    cudaFree(s->kinds);
    free(s);
    o->state = NULL;
}

static gvm_status optimizer_open_cuda(struct optimizer *o, struct tape *tape, gvm_error *err)
{
    struct cuda_optimizer *s = (struct cuda_optimizer *)calloc(1, sizeof *s);
    if (s == NULL) return fail(err, GVM_MEMORY, "out of memory for the optimiser");
    (void)tape;
    o->state = s;
    size_t bytes = o->floats * sizeof(float);
    cudaError_t e = cudaMalloc((void **)&s->m, bytes);
    if (e == cudaSuccess) e = cudaMalloc((void **)&s->v, bytes);
    if (e == cudaSuccess) e = cudaMalloc((void **)&s->start, bytes);
    if (e == cudaSuccess) e = cudaMalloc((void **)&s->partial, NORM_BLOCKS * sizeof *s->partial);
    if (e == cudaSuccess) e = cudaMalloc((void **)&s->kinds, o->floats / GRAIN);
    if (e == cudaSuccess) e = upload_kinds(s, o);
    gvm_status status =
        e == cudaSuccess ? optimizer_upload_cuda(o, err) : cuda_status(e, "upload the optimiser's state", err);
    if (status != GVM_OK) optimizer_free_cuda(o);
    return status;
}

static gvm_status optimizer_download_cuda(struct optimizer *o, gvm_error *err)
{
    const struct cuda_optimizer *s = (const struct cuda_optimizer *)o->state;
    size_t bytes = o->floats * sizeof(float);
    cudaError_t e = cudaMemcpy(o->m, s->m, bytes, cudaMemcpyDeviceToHost);
    if (e == cudaSuccess) e = cudaMemcpy(o->v, s->v, bytes, cudaMemcpyDeviceToHost);
    return cuda_status(e, "download the optimiser's state", err);
}

/* ------------------------------------------------------------------ ASAM */

__global__ void asam_norm_kernel(double *partial, const float *w, const float *g, size_t n)
{
    __shared__ double sums[BLOCK];
    double sum = 0;
    for (size_t i = (size_t)blockIdx.x * BLOCK + threadIdx.x; i < n; i += (size_t)NORM_BLOCKS * BLOCK) {
        float x = w[i] * g[i];
        sum += (double)(x * x);
    }
    sums[threadIdx.x] = sum;
    for (int half = BLOCK / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) sums[threadIdx.x] += sums[threadIdx.x + half];
    }
    if (threadIdx.x == 0) partial[blockIdx.x] = sums[0];
}

__global__ void asam_step_kernel(struct numbers *numbers, const double *partial, float rho)
{
    double sum = 0;
    for (int i = 0; i < NORM_BLOCKS; i++) sum += partial[i];
    numbers->climb = (float)(rho / (sqrt(sum) + 1e-12));
}

__global__ void asam_climb_kernel(float *w, bf16 *halves, float *start, const float *g, const struct numbers *numbers,
                                  size_t n)
{
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float x = start[i] = w[i];
    x += x * x * g[i] * numbers->climb;
    w[i] = x;
    if (halves) halves[i] = __float2bfloat16_rn(x);
}

static void asam_climb_cuda(struct optimizer *o, float rho)
{
    struct cuda_optimizer *s = (struct cuda_optimizer *)o->state;
    struct cuda_tape *c = cuda_of(o->tape);
    struct cuda_home *h = home_of(o->tape);
    LAUNCH(asam_norm_kernel, NORM_BLOCKS, BLOCK, 0, c->stream, s->partial, h->weights, h->grads, o->floats);
    LAUNCH(asam_step_kernel, 1, 1, 0, c->stream, c->numbers, s->partial, rho);
    LAUNCH(asam_climb_kernel, blocks_of(o->floats, BLOCK), BLOCK, 0, c->stream, h->weights, h->halves, s->start,
           h->grads, c->numbers, o->floats);
    LAUNCHED(o->tape, "climb");
}

/* ------------------------------------------------------------------ AdamW */

struct update {
    float *w, *m, *v;
    bf16 *halves;
    const float *from, *g; /* from: w itself, or the weights before the climb */
    const unsigned char *kinds;
    const struct numbers *numbers;
    const float *losses; /* of the step; if one is not finite, nothing is updated */
    int loss_count;
    struct rates rates;
    size_t n;
};

__global__ void adamw_kernel(struct update u)
{
    size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= u.n) return;
    float x = u.from[i];
    bool fine = true;
    for (int l = 0; l < u.loss_count; l++) fine = fine && isfinite(u.losses[l]);
    int kind = u.kinds[i / GRAIN];
    if (fine && !(kind & KIND_FIXED)) {
        float lr = (kind & KIND_BACKBONE ? u.rates.backbone : u.rates.other) * u.numbers->factor, g = u.g[i];
        if (u.rates.clip_length > 0) g *= u.numbers->shorten;
        float most = u.rates.clip > 0 ? u.rates.clip : INFINITY;
        g = g > most ? most : g < -most ? -most : g;
        float m = u.m[i] + (g - u.m[i]) * (1 - u.rates.beta1);
        float v = u.v[i] * u.rates.beta2 + g * g * (1 - u.rates.beta2);
        x *= 1 - lr * (kind & KIND_DECAYS ? u.rates.decay : 0);
        x -= lr / u.numbers->correct_m * m / (sqrtf(v) / sqrtf(u.numbers->correct_v) + u.rates.epsilon);
        u.m[i] = m;
        u.v[i] = v;
    }
    u.w[i] = x;
    if (u.halves) u.halves[i] = __float2bfloat16_rn(x);
}

/* Reproducible bits: each block sums its own part, and one thread adds the results. */
__global__ void square_kernel(double *partial, const float *g, size_t n)
{
    __shared__ double sums[BLOCK];
    double sum = 0;
    for (size_t i = (size_t)blockIdx.x * BLOCK + threadIdx.x; i < n; i += (size_t)gridDim.x * BLOCK)
        sum += (double)g[i] * g[i];
    sum = block_sum(sum, sums);
    if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

__global__ void shorten_kernel(struct numbers *numbers, const double *partial, float most)
{
    double sum = 0;
    for (int i = 0; i < NORM_BLOCKS; i++) sum += partial[i];
    numbers->shorten = (float)fmin(1.0, most / sqrt(sum));
}

static void optimizer_update_cuda(struct optimizer *o)
{
    struct cuda_optimizer *s = (struct cuda_optimizer *)o->state;
    struct cuda_tape *c = cuda_of(o->tape);
    struct cuda_home *h = home_of(o->tape);
    struct update u = {h->weights, s->m,     s->v,       h->halves, o->climbed ? s->start : h->weights,
                       h->grads,   s->kinds, c->numbers, c->losses, c->loss_total,
                       o->rates,   o->floats};
    if (o->rates.clip_length > 0) {
        LAUNCH(square_kernel, NORM_BLOCKS, BLOCK, 0, c->stream, s->partial, h->grads, o->floats);
        LAUNCH(shorten_kernel, 1, 1, 0, c->stream, c->numbers, s->partial, o->rates.clip_length);
    }
    LAUNCH(adamw_kernel, blocks_of(o->floats, BLOCK), BLOCK, 0, c->stream, u);
    LAUNCHED(o->tape, "update the weights");
    o->climbed = false;
}

void optimizer_entries(struct device *d)
{
    d->home_open = home_open_cuda;
    d->home_free = home_free_cuda;
    d->home_upload = home_upload_cuda;
    d->home_download = home_download_cuda;
    d->clear_gradients = clear_gradients_cuda;
    d->optimizer_open = optimizer_open_cuda;
    d->optimizer_free = optimizer_free_cuda;
    d->optimizer_upload = optimizer_upload_cuda;
    d->optimizer_download = optimizer_download_cuda;
    d->optimizer_update = optimizer_update_cuda;
    d->asam_climb = asam_climb_cuda;
}
