/* cuda.cuh - shared by the CUDA sources: kernel launches, value types, sums over warps and rows, a tape's state on the
 * device, products
 *
 * The tests compile the same sources with a C++ compiler against tests/cuda_host, which runs a kernel's threads one
 * after another. So kernels are launched with LAUNCH, take shared memory with SHARED, and contain no assembly.
 *
 * T is the type of a map's values, float or bf16. Sums are float32, in an order that does not depend on the machine: no
 * float atomics, and the number of blocks is a function of the sizes only. */
#ifndef GVM_TENSOR_CUDA_CUH
#define GVM_TENSOR_CUDA_CUH

#include <cuda_bf16.h>
#include <cuda_runtime.h>

extern "C" {
#include "base/error.h"
#include "tensor/device.h"
#include "tensor/param.h"
#include "tensor/tape.h"
}

#ifndef GVM_CUDA_HOST
#include <mma.h>
/* `shared`: bytes of shared memory that the kernel takes with SHARED; more than 48 KiB requires allow_shared. */
#define LAUNCH(kernel, grid, block, shared, stream, ...) (kernel)<<<(grid), (block), (shared), (stream)>>>(__VA_ARGS__)
#define SHARED(type, name)                                          \
    extern __shared__ __align__(128) unsigned char shared_memory[]; \
    type *name = reinterpret_cast<type *>(shared_memory)
#endif

typedef __nv_bfloat16 bf16;

static const int WARP = 32, BLOCK = 256 /* threads per block of a simple kernel */;

/* ------------------------------------------------------------------ values */

__device__ static inline float to_float(float x)
{
    return x;
}

__device__ static inline float to_float(bf16 x)
{
    return __bfloat162float(x);
}

__device__ static inline void store(float *to, float x)
{
    *to = x;
}

__device__ static inline void store(bf16 *to, float x)
{
    *to = __float2bfloat16_rn(x);
}

#ifndef GVM_CUDA_HOST
/* Sum over the lanes of a warp, in fixed order; every lane gets the result. All lanes must call it. */
__device__ static inline float warp_sum(float x)
{
    for (int lanes = WARP / 2; lanes > 0; lanes /= 2) x += __shfl_xor_sync(0xffffffffu, x, lanes);
    return x;
}

__device__ static inline float warp_max(float x)
{
    for (int lanes = WARP / 2; lanes > 0; lanes /= 2) x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, lanes));
    return x;
}
#endif

/* Sum over the threads of a block of BLOCK threads; every thread gets the result. sums: (BLOCK) */
__device__ static inline double block_sum(double x, double *sums)
{
    __syncthreads();
    sums[threadIdx.x] = x;
    for (int half = BLOCK / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) sums[threadIdx.x] += sums[threadIdx.x + half];
    }
    __syncthreads();
    return sums[0];
}

/* Maximum over the threads of a block, likewise. */
__device__ static inline double block_max(double x, double *work)
{
    __syncthreads();
    work[threadIdx.x] = x;
    for (int half = BLOCK / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) work[threadIdx.x] = fmax(work[threadIdx.x], work[threadIdx.x + half]);
    }
    __syncthreads();
    return work[0];
}

/* gelu(x) = x Phi(x) with the exact erf, and its derivative Phi(x) + x phi(x) */
__device__ static inline float gelu(float x)
{
    return 0.5f * x * (1 + erff(x * 0.70710678f));
}

__device__ static inline float gelu_slope(float x)
{
    return 0.5f * (1 + erff(x * 0.70710678f)) + x * 0.39894228f * expf(-0.5f * x * x);
}

/* The approximation 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), and its derivative */
__device__ static inline float tanh_gelu(float x)
{
    return 0.5f * x * (1 + tanhf(0.79788456f * (x + 0.044715f * x * x * x)));
}

__device__ static inline float tanh_gelu_slope(float x)
{
    float t = tanhf(0.79788456f * (x + 0.044715f * x * x * x));
    return 0.5f * (1 + t) + 0.5f * x * (1 - t * t) * 0.79788456f * (1 + 0.134145f * x * x);
}

/* ------------------------------------------------------------------ a tape's state on the device (device_cuda.cu) */

enum { MAX_RECORDINGS = 20, MAX_PASSES = 2 };

struct plan; /* of a product, see gemm_cuda.cu */
enum { PLAN_LISTS = 64 };

/* Values that change between steps, read by the kernels of a captured step. */
struct numbers {
    unsigned long long step;
    float factor, correct_m, correct_v;
    float climb;   /* ASAM's rho / norm, written by its kernel */
    float shorten; /* factor that clips the gradient's norm, likewise */
};

struct cuda_tape {
    cudaStream_t stream, copies;
    cudaEvent_t copied[TAPE_INPUTS], taken[TAPE_INPUTS]; /* pixels have been copied; have been read */
    unsigned char *staging[TAPE_INPUTS], *pixels[TAPE_INPUTS];
    unsigned char *incoming[TAPE_INPUTS]; /* copy destination while another step reads `pixels` */
    char *reading;                        /* pinned buffer for reading back */
    size_t reading_bytes;
    size_t pixel_bytes[TAPE_INPUTS];
    struct numbers *numbers, *numbers_host; /* on the device; pinned host copy */
    float *losses, *losses_host;            /* (MAX_PASSES MAX_LOSSES) */
    float loss_weights[MAX_PASSES * MAX_LOSSES];
    int loss_total, passes, pass_losses[MAX_PASSES];
    int *broken, *broken_host; /* nonzero: a guard band was overwritten */
    struct {
        int key; /* 0: none */
        bool seen;
        cudaGraphExec_t graph;
    } recordings[MAX_RECORDINGS];
    int recording;            /* index of the recording in progress, -1: none */
    bool capturing, stepping; /* stepping: between replay and wait */
    struct cublasLtContext *products;
    void *workspace;
    struct plan *plans[PLAN_LISTS];
    gvm_status status; /* first failure since the last wait, or GVM_OK */
    gvm_error failure;
};

static inline struct cuda_tape *cuda_of(const struct tape *tape)
{
    return (struct cuda_tape *)tape->state;
}

/* Store a tape's first failure. */
void cuda_check(struct cuda_tape *c, cudaError_t error, const char *what);

/* Allow a kernel the maximum of shared memory per block. Call once for each kernel: the limit is global, so another
 * thread could otherwise lower it between a layer's calls. */
cudaError_t allow_shared(const void *kernel);

/* Device address for the next loss of this pass. */
float *loss_place(struct tape *tape, float weight);

/* Check a kernel launch for errors. */
#define LAUNCHED(tape, what) cuda_check(cuda_of(tape), cudaGetLastError(), what)

/* ------------------------------------------------------------------ weights on the device (home_cuda.cu) */

struct cuda_home {
    float *weights, *grads;
    bf16 *halves; /* bfloat16 copy of the weights for products; NULL unless bf16 */
};

static inline struct cuda_home *home_of(const struct tape *tape)
{
    return (struct cuda_home *)tape->home->state;
}

static inline float *weight_of(const struct tape *tape, const struct param *p)
{
    return home_of(tape)->weights + (p->data - tape->home->weights);
}

static inline float *grad_of(const struct tape *tape, const struct param *p)
{
    return home_of(tape)->grads + (p->data - tape->home->weights);
}

/* The weights as an operand of products with values of `element` bytes. */
static inline const void *operand_of(const struct tape *tape, const struct param *p, int element)
{
    if (element == 2) return home_of(tape)->halves + (p->data - tape->home->weights);
    return weight_of(tape, p);
}

/* ------------------------------------------------------------------ products (gemm_cuda.cu) */

/* Operation fused into a product; see run_product. */
enum epilogue { EPILOGUE_NONE, EPILOGUE_BIAS, EPILOGUE_GELU, EPILOGUE_GELU_SLOPE, EPILOGUE_COLUMN_SUMS };

/* C (M, N) = op(A) op(B) + beta C, row-major as in gemm.h, `batch` times with the given strides in values.
 *
 *   BIAS         C = op(A) op(B) + bias (N)
 *   GELU         aux = op(A) op(B) + bias, C = gelu(aux); aux may be NULL
 *   GELU_SLOPE   C = op(A) op(B) gelu'(aux)
 *   COLUMN_SUMS  requires op(A) transposed: also sums (M) += the column sums of A, for a bias's gradient
 *
 * element: bytes per value of A, B, C, bias and aux. C is float if float_out is set; sums are always float. */
struct product {
    char op_a, op_b;
    int M, N, K;
    const void *A, *B;
    int lda, ldb;
    void *C;
    int ldc;
    float beta;
    int element;
    bool float_out, exact; /* exact: float32 throughout, whatever the precision */
    enum epilogue epilogue;
    bool by_tanh; /* GELU in the tanh approximation */
    const void *bias;
    void *aux;             /* (M, ldc) */
    float *sums, *scratch; /* scratch: from product_scratch */
    int batch;             /* 0 for 1 */
    long long stride_a, stride_b, stride_c;
};

void run_product(struct tape *tape, const struct product *p);
/* Scratch for a product with COLUMN_SUMS over `rows` rows. Call it on the dry run too, as for any scratch. */
float *product_scratch(struct tape *tape, int rows, int M);
void products_free(struct cuda_tape *c);
gvm_status products_open(struct cuda_tape *c, gvm_error *err);

/* The three products of a layer with weights W (N, K). element: bytes per value of x and y, 0 for the size of map
 * values.
 *
 * y = x W^T (+ b) */
static inline struct product forward_product(struct tape *tape, void *y, const void *x, const struct param *w,
                                             const struct param *b, int rows, int N, int K, int element = 0)
{
    struct product p = {};
    p.op_a = 'N', p.op_b = 'T', p.M = rows, p.N = N, p.K = K;
    p.element = element ? element : tape->element;
    p.A = x, p.lda = K, p.B = operand_of(tape, w, p.element), p.ldb = K, p.C = y, p.ldc = N;
    if (b) p.epilogue = EPILOGUE_BIAS, p.bias = operand_of(tape, b, p.element);
    return p;
}

/* dx = dy W + beta dx */
static inline struct product input_product(struct tape *tape, void *dx, const void *dy, const struct param *w, int rows,
                                           int N, int K, float beta, int element = 0)
{
    struct product p = {};
    p.op_a = 'N', p.op_b = 'N', p.M = rows, p.N = K, p.K = N;
    p.element = element ? element : tape->element;
    p.A = dy, p.lda = N, p.B = operand_of(tape, w, p.element), p.ldb = K, p.C = dx, p.ldc = K, p.beta = beta;
    return p;
}

/* dW += dy^T x, and db += the column sums of dy; db may be NULL. scratch: from product_scratch */
static inline struct product weight_product(struct tape *tape, float *dw, float *db, float *scratch, const void *dy,
                                            const void *x, int rows, int N, int K, int element = 0)
{
    struct product p = {};
    p.op_a = 'T', p.op_b = 'N', p.M = N, p.N = K, p.K = rows;
    p.A = dy, p.lda = N, p.B = x, p.ldb = K, p.C = dw, p.ldc = K, p.beta = 1;
    p.element = element ? element : tape->element, p.float_out = true;
    if (db) p.epilogue = EPILOGUE_COLUMN_SUMS, p.sums = db, p.scratch = scratch;
    return p;
}

/* C (M, N) = op(A) op(B) + beta C for features, in float32 */
static inline struct product exact_product(char op_a, char op_b, int M, int N, int K, const float *A, int lda,
                                           const float *B, int ldb, float beta, float *C)
{
    struct product p = {};
    p.op_a = op_a, p.op_b = op_b, p.M = M, p.N = N, p.K = K, p.A = A, p.lda = lda, p.B = B, p.ldb = ldb;
    p.C = C, p.ldc = N, p.beta = beta, p.element = 4, p.exact = true;
    return p;
}

/* ------------------------------------------------------------------ shared by several layers */

/* a (C) += the sum of `blocks` rows of `partial`, at a distance of ld values; b (C) likewise from the next C columns,
 * or NULL. */
void add_partials(struct tape *tape, float *a, float *b, const float *partial, int blocks, int C, int ld);

/* y (rows, C) += bias (C) */
void add_bias(struct tape *tape, float *y, const float *bias, int rows, int C);

static inline int blocks_of(size_t n, int each)
{
    return (int)((n + (size_t)each - 1) / (size_t)each);
}

/* ------------------------------------------------------------------ the device table (device_cuda.cu) */

/* Fill in the functions of a tape and of the machine. */
void device_entries(struct device *device);

/* Returns GVM_DEVICE with the reason if the GPU cannot be used. */
gvm_status cuda_usable(gvm_error *err);

double peak_cuda(struct tape *tape);

/* Returns GVM_MEMORY or GVM_DEVICE with an error message if a CUDA call failed. */
gvm_status cuda_status(cudaError_t error, const char *what, gvm_error *err);

#endif
